"""JupyterLab in a real browser: a server with folders of its own, and notebooks to open, run and look at."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
import nbformat
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

#: Seconds that anything may take on a loaded machine.
PATIENCE = 60.0

Theme = Literal["light", "dark"]
_THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

#: What a browser asks of itself, and what stays on this machine.
_HARMLESS_SCHEMES = {"blob", "data", "about"}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

expect.set_options(timeout=PATIENCE * 1000)

BROWSER_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def wait_for(what: str, ready: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Return what `ready` returns as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := ready()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)
    return found


class Lab:
    """A JupyterLab server on a free port."""

    def __init__(self, home: Path, env: dict[str, str] | None = None) -> None:
        self.home = home
        self.root = home / "notebooks"
        self._log = home / "lab.log"
        folders = {name: home / name for name in ("config", "data", "runtime", "ipython", "settings", "workspaces")}
        for folder in (self.root, *folders.values()):
            folder.mkdir(parents=True)
        self.runtime = folders["runtime"]
        self._settings = folders["settings"]
        self.set_theme("light")
        self._setting("apputils-extension/notification", {"checkForUpdates": False, "fetchNews": "false"})
        # All cells stay in the page, whether they are in view or not.
        self._setting("notebook-extension/tracker", {"windowingMode": "none"})
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "JPY"))},
            "HOME": str(home),
            "JUPYTER_CONFIG_DIR": str(folders["config"]),
            "JUPYTER_DATA_DIR": str(folders["data"]),
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "IPYTHONDIR": str(folders["ipython"]),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            **(env or {}),
        }
        arguments = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": "0",
            "ServerApp.root_dir": str(self.root),
            "ServerApp.allow_root": "True",
            "IdentityProvider.token": "",
            "LabApp.open_browser": "False",
            "LabApp.expose_app_in_browser": "True",
            "LabApp.user_settings_dir": str(self._settings),
            "LabApp.workspaces_dir": str(folders["workspaces"]),
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "LabApp.news_url": "None",
            "LabApp.extension_manager": "readonly",
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in arguments.items())],
                env=self._env,
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self.url: str = wait_for("JupyterLab", self._answering)
        except BaseException:
            self.stop()
            raise

    def _answering(self) -> str | None:
        assert self._process.poll() is None, f"JupyterLab ended:\n{self._log.read_text()}"
        for file in self.runtime.glob("jpserver-*.json"):
            with contextlib.suppress(ValueError, httpx.TransportError):
                url = str(json.loads(file.read_text())["url"]).rstrip("/").replace("localhost", "127.0.0.1")
                if httpx.get(f"{url}/api", trust_env=False).is_success:
                    return url
        return None

    def set_theme(self, theme: Theme) -> None:
        """Show pages that are opened from now on in `theme`."""
        self._setting("apputils-extension/themes", {"theme": _THEMES[theme], "adaptive-theme": False})

    def _setting(self, name: str, values: dict[str, Any]) -> None:
        file = self._settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells and return its path below the root."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        )
        nbformat.write(notebook, self.root / name)
        return name

    def take(self, file: Path) -> str:
        """Copy the notebook `file` below the root and return its path there."""
        shutil.copy(file, self.root / file.name)
        return file.name

    def stop(self) -> None:
        """End the server with its kernels."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()


class Notebook:
    """A notebook that is open in a page, and its kernel.

    Attributes
    ----------
    page
        The page. `problems` has what its console called an error, and each request that left this machine.
    """

    def __init__(self, lab: Lab, context: BrowserContext, path: str) -> None:
        self.problems: list[str] = []
        self._lab = lab
        self._path = path
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.on("console", lambda message: self._console(message.type, message.text, message.location))
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error.stack or error}"))
        context.on("request", self._request)
        self.page.goto(f"{lab.url}/doc/tree/{path}?reset", wait_until="domcontentloaded")
        self.page.wait_for_function("() => window.jupyterapp && window.jupyterapp.shell.currentWidget")
        self.page.evaluate("() => window.jupyterapp.restored")
        self.page.wait_for_function(
            "() => window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === 'idle'"
        )
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    def run_all(self) -> None:
        """Run all cells and wait until the last one has ended, or one has failed."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.revealed")
        # A command for a notebook that is not the current one yet does nothing, and says nothing.
        self.page.wait_for_function("() => window.jupyterapp.commands.isEnabled('notebook:run-all-cells')")
        self.page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")

    def kill(self) -> None:
        """End the kernel."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")

    def ask(self, expression: str) -> str:
        """Return the repr of `expression` in the kernel."""
        asked: dict[str, Any] = self.page.evaluate(
            """async expression => {
                const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
                const request = {code: "", silent: true, store_history: false, user_expressions: {asked: expression}};
                return (await kernel.requestExecute(request).done).content.user_expressions.asked;
            }""",
            expression,
        )
        assert asked["status"] == "ok", f"{expression}: {asked.get('ename')}: {asked.get('evalue')}"
        return str(asked["data"]["text/plain"])

    def show(self, theme: Theme) -> None:
        """Change the theme of this page."""
        self.page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", _THEMES[theme]
        )
        self.page.wait_for_selector(f'[data-jp-theme-name="{_THEMES[theme]}"]', state="attached")

    def save(self) -> str:
        """Save the notebook and return its text."""
        self.page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        return (self._lab.root / self._path).read_text(encoding="utf-8")

    def output(self, cell: int) -> Any:
        """Return the locator of the output of the code cell `cell`, counted from 0."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-Cell-outputWrapper")

    def picture(self, file: Path, locator: Any = None) -> None:
        """Keep a screenshot of `locator`, or of the whole page."""
        file.parent.mkdir(parents=True, exist_ok=True)
        if locator is None:
            self.page.screenshot(path=file, animations="disabled")
        else:
            locator.screenshot(path=file, animations="disabled")

    def axe(self, selector: str, script: Path) -> list[str]:
        """Return what axe-core finds wrong in `selector`: rule, help, and the elements."""
        self.page.add_script_tag(content=script.read_text(encoding="utf-8"))
        found: list[dict[str, Any]] = self.page.evaluate(
            "selector => axe.run(selector, {resultTypes: ['violations']}).then(result => result.violations)", selector
        )
        return [
            f"{one['id']}: {one['help']}: {'; '.join(node['html'][:160] for node in one['nodes'])}" for one in found
        ]

    def close(self) -> None:
        """Close the page and end its kernel; what went wrong meanwhile is an error."""
        self.kill()
        self.page.close()
        assert not self.problems, "\n".join(self.problems)

    def _console(self, kind: str, text: str, where: Any) -> None:
        if kind == "error":
            self.problems.append(f"console: {text} ({where.get('url')})")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in _HARMLESS_SCHEMES and parts.hostname not in _LOOPBACK:
            self.problems.append(f"a request left this machine: {request.method} {request.url}")


def new_context(browser: Browser, width: int = 1000, height: int = 1000) -> BrowserContext:
    """Return a context of a fixed size in which nothing moves."""
    return browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=1, reduced_motion="reduce", locale="en-GB"
    )


__all__ = ["BROWSER_ARGS", "PATIENCE", "Lab", "Notebook", "Theme", "expect", "new_context", "wait_for"]
