"""A form for a function that runs elsewhere: fields, run, progress, cancel, and the result in place.

The form is made of ipywidgets, so its parts can be linked, observed and laid out like any others. Nothing here blocks:
pressing Run reads the fields and hands the call to the background loop.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import difflib
import logging
import threading
from collections.abc import Callable
from typing import Any

import ipywidgets

from jupyter_arkitekt import bridge, context
from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import ArgumentError, ArkitektError, TaskCancelledError
from jupyter_arkitekt.models.rekuest import Action, ActionKind
from jupyter_arkitekt.rekuest import Task, afind, astart
from jupyter_arkitekt.widgets._field import Field
from jupyter_arkitekt.widgets._fields import field_for
from jupyter_arkitekt.widgets._head import FormHead
from jupyter_arkitekt.widgets._outcome import face, outcome
from jupyter_arkitekt.widgets._plain import Place, Plain
from jupyter_arkitekt.widgets._task import TaskCard

#: Seconds that the picture of a result is waited for.
PICTURE_SECONDS = 10.0

_logger = logging.getLogger(__name__)


def form(what: Any, /, **values: Any) -> Form:
    """Make a form for a function.

    Parameters
    ----------
    what
        Name or id of a function, an `Action`, or a function of yours that was registered.
    **values
        What fields start with, by the names of the function's arguments.

    Returns
    -------
    Form
        Shown when it is the last thing in a cell.

    Raises
    ------
    NotConnectedError
        If no app is signed in.
    NotFoundError
        If there is no such function.
    ArgumentError
        If a value does not fit its argument.
    TypeError
        If the function has no such argument.

    Examples
    --------
    >>> form("Gaussian blur", sigma=3)  # doctest: +SKIP
    """
    return Form(bridge.sync(_action(what)), context.current(), **values)


async def aform(what: Any, /, **values: Any) -> Form:
    """Async twin of `form`."""
    return Form(await bridge.on_loop(_action(what)), context.current(), **values)


async def _action(what: Any) -> Action:
    return what if isinstance(what, Action) else await afind(what)


class Form(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets comes without types
    """A form for one action.

    Parameters
    ----------
    action
        The function.
    app
        Whom it is called through, also when another app is current by then.
    **values
        What fields start with.

    Attributes
    ----------
    action
        The function.
    fields
        The fields by argument; ``fields["sigma"].control`` is the ipywidget.
    task
        The last call, ``None`` before the first.
    result
        Result of the last call that ended well, ``None`` before.
    """

    def __init__(self, action: Action, app: AppLike, /, **values: Any) -> None:
        self.action = action
        self.task: Task | None = None
        self.result: Any = None
        self._app = app
        self._lock = threading.Lock()
        self._busy = False
        self._running: concurrent.futures.Future[None] | None = None
        self._place = Place()
        self._refuse_unknown(values)
        self.fields: dict[str, Field] = {port.key: field_for(port, app) for port in action.args}
        self._head = FormHead(title=action.name, description=action.description or "", facts=_facts(action))
        self._run_button = ipywidgets.Button(description="Run", button_style="primary", tooltip=f"Run {action.name}")
        self._run_button.on_click(lambda _button: self.run())
        self._card = TaskCard(name=action.name)
        # Shows the result where the form is part of something larger, and so has no place of its own in the notebook.
        self._inner = ipywidgets.HTML("", layout=ipywidgets.Layout(display="none"))
        fields = ipywidgets.VBox([field.box for field in self.fields.values()])
        fields.add_class("arkitekt-fields")
        buttons = ipywidgets.HBox([self._run_button])
        buttons.add_class("arkitekt-buttons")
        parts = [fields] if self.fields else []
        super().__init__([self._head, *parts, buttons, self._card, self._inner])
        self.add_class("arkitekt-form")
        for key, value in values.items():
            self.fields[key].write(value)

    @property
    def values(self) -> dict[str, Any]:
        """What the fields hold, by argument: Python values, members of enumerations by name, things by id.

        Raises
        ------
        ArgumentError
            If what was typed into a field does not fit it.
        """
        return {key: field.read() for key, field in self.fields.items()}

    @property
    def running(self) -> bool:
        """Whether a call is under way."""
        return self._busy

    def set(self, **values: Any) -> None:
        """Fill in fields.

        Raises
        ------
        ArgumentError
            If a value does not fit its argument.
        TypeError
            If the function has no such argument.
        """
        self._refuse_unknown(values)
        for key, value in values.items():
            self.fields[key].write(value)

    def run(self) -> bool:
        """Do what the Run button does, and return at once.

        Returns
        -------
        bool
            Whether a call was started: not while one is under way, and not with a field that does not fit; what is
            wrong stands at the field then.
        """
        with self._lock:
            if self._busy:
                return False
            wrong = [key for key, field in self.fields.items() if not field.check()]
            if wrong:
                self._head.problem = _look_at(wrong, self)
                return False
            self._head.problem = ""
            values = self.values
            self._busy = self._run_button.disabled = True
            self._card.begin(self.action.name)
            with context.use(self._app):
                self._running = bridge.spawn(self._call(values), name=f"form of {self.action.name}")
        return True

    def wait(self, timeout: float | None = None) -> Any:
        """Wait until the call that is under way has ended, and return `result`; for scripts and tests.

        Parameters
        ----------
        timeout
            Seconds to wait, ``None`` for no limit.

        Raises
        ------
        TimeoutError
            If `timeout` passed first.
        """
        if self._running is not None:
            self._running.result(timeout)
        return self.result

    def cancel(self) -> None:
        """Do what the Cancel button does, and return at once."""
        self._card.cancel()

    def close(self) -> None:
        """Close the form and its parts; a call that is under way goes on without it."""
        # Also called when a form that could not be made is thrown away.
        for field in getattr(self, "fields", {}).values():
            field.close()
        for child in self.children:
            for inner in getattr(child, "children", ()):
                inner.close()
            child.close()
        super().close()

    def _refuse_unknown(self, values: dict[str, Any]) -> None:
        known = [port.key for port in self.action.args]
        for key in values:
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"Did you mean {near[0]!r}? " if near else ""
                takes = f"It takes: {', '.join(known)}." if known else "It takes none."
                raise TypeError(f"{self.action.name!r} has no argument {key!r}. {hint}{takes}")

    async def _call(self, values: dict[str, Any]) -> None:
        """Call, follow and show; on the background loop."""
        task: Task | None = None
        try:
            for field in self.fields.values():
                await field.settle()
            self.task = task = await astart(self.action, **values)
            self._card.attach(task)
            try:
                self.result = await task.aresult()
            finally:
                self._card.refresh(task)
            await self._picture(self.result)
            await self._show(outcome, self.action.name, self.action.returns, self.result)
        except ArgumentError as error:
            self._card.forget()
            self._complain(error)
        except TaskCancelledError:
            await self._show(Plain, "", "")
        except ArkitektError as error:
            if task is None:
                self._card.forget()
                self._head.problem = str(error)
            else:
                self._fail(str(error))
            await self._show(Plain, "", "")
        except Exception as error:
            # Nobody looks at this future but the person before the form.
            _logger.exception("The form of %s failed", self.action.name)
            self._fail(f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                self._busy = False
            self._run_button.disabled = False

    async def _picture(self, result: Any) -> None:
        """Have the thumbnails of images ready: their faces do not wait long, and this result was waited for."""
        for one in result if isinstance(result, (tuple, list)) else [result]:
            if callable(getattr(type(one), "athumbnail", None)):
                # Without its thumbnail the face says why there is none.
                with contextlib.suppress(ArkitektError, TimeoutError):
                    await asyncio.wait_for(one.athumbnail(), PICTURE_SECONDS)

    async def _show(self, make: Callable[..., object], *args: Any) -> None:
        """Show what `make` returns below the form; what stood there before is gone."""
        # The face of an image reads its thumbnail through the blocking door, which is not for this thread.
        content = await asyncio.to_thread(make, *args)
        if self._place.shown:
            await asyncio.to_thread(self._place.show, content)
        else:
            self._inner.value = (await asyncio.to_thread(face, content, "")).markup
            self._inner.layout.display = None if self._inner.value else "none"

    def _complain(self, error: ArgumentError) -> None:
        field = self.fields.get(error.port or "")
        if field is None:
            self._head.problem = str(error)
        else:
            field.complain(str(error))
            self._head.problem = _look_at([field.port.key], self)

    def _fail(self, text: str) -> None:
        first, _, rest = text.partition("\n")
        self._card.fail(first, detail=text if rest else "")

    def _ipython_display_(self, **_kwargs: Any) -> None:
        from IPython.display import display

        bundle = self._repr_mimebundle_()
        if bundle is not None:
            data = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
            data["text/plain"] = f"A form for {self.action.name!r}; it needs a notebook with widgets."
            display(data, raw=True)
        # The plain output below the form stays in the notebook when the kernel is gone.
        self._place.again(Plain("", ""))


def _look_at(keys: list[str], form: Form) -> str:
    names = ", ".join(form.fields[key].title for key in keys)
    return f"Not run: please look at {names}."


def _facts(action: Action) -> list[str]:
    facts = []
    if action.app and action.app.identifier:
        facts.append(f"of {action.app.identifier}")
    # "@mikro/image" is an image to a person.
    returns = [(port.identifier or "").rpartition("/")[2] or port.kind.value.lower() for port in action.returns]
    gives = "yields" if action.kind is ActionKind.GENERATOR else "gives"
    facts.append(f"{gives} {', '.join(returns)}" if returns else "gives nothing back")
    return facts
