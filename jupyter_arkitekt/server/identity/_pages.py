"""What the pages of the consent look like: self-contained, without a script, in light and dark."""

from __future__ import annotations

import base64
import hashlib
from html import escape

from starlette.responses import HTMLResponse

_STYLE = """
:root { color-scheme: light dark; --line: #8a9099; --accent: #0b5cb8; --on-accent: #fff; --bad: #b3261e; --soft: #f4f5f7; }
@media (prefers-color-scheme: dark) {
  :root { --line: #7d848e; --accent: #8ab8ff; --on-accent: #10213a; --bad: #ff9d94; --soft: #24272c; }
}
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; line-height: 1.25; overflow-wrap: anywhere; }
dl { background: var(--soft); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0; }
dt { font-size: .875rem; }
dd { margin: 0 0 .5rem; overflow-wrap: anywhere; font-weight: 600; }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0; padding: .5rem 1rem 1rem; min-width: 0; }
label { display: block; margin-top: .75rem; }
input { width: 100%; min-height: 2.75rem; font: inherit; padding: .45rem .6rem; border: 1px solid var(--line);
  border-radius: .35rem; background: Field; color: FieldText; }
button { font: inherit; min-height: 2.75rem; padding: .5rem 1.25rem; border-radius: .35rem; margin: .5rem .5rem 0 0;
  border: 1px solid var(--accent); background: transparent; color: var(--accent); cursor: pointer; }
button.main { background: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
a { color: var(--accent); }
.error { color: var(--bad); font-weight: 600; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
"""

_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

#: The form's own page is its only sender. "same-origin" and not "no-referrer": with the latter a browser sends
#: "Origin: null" with the form (Fetch, "append a request Origin header"), which nobody can tell from a foreign one.
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body><main>{body}</main></body>
</html>
"""

ASK = """<h1>Allow {identifier}?</h1>
<p>This app asks to act for you on <strong>{platform}</strong>. Allow it only if you have just started it yourself, and
the code below is the one that it shows.</p>
<dl><dt>Code</dt><dd><code>{code}</code></dd><dt>App</dt><dd>{identifier}, version {version}</dd>
<dt>What it asks for</dt><dd>{scopes}</dd></dl>
{error}
<form method="post" action="/configure/{code}">
<fieldset><legend>Who are you?</legend>
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" autocapitalize="none" maxlength="150">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024">
<p>Or, without a password:</p>
<label for="token">One-time token, from <code>arkitekt token create</code> on the server</label>
<input id="token" name="token" type="password" autocomplete="off" maxlength="200">
</fieldset>
<button class="main" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>"""

ENTER = """<h1>Enter the code</h1>
<p>The app that wants to sign in on <strong>{platform}</strong> shows it.</p>
{error}
<form method="post" action="/device"><label for="code">Code</label>
<input id="code" name="code" autocomplete="one-time-code" autocapitalize="none" maxlength="40">
<button class="main">Continue</button></form>"""

FRONT = """<h1>{title}</h1>
<p>This is an Arkitekt platform. Apps reach it at this page's address; they take it as <code>FAKTS_URL</code>.</p>
<p>An app that shows you a code? <a href="/device">Enter the code</a>.</p>"""

MESSAGE = "<h1>{title}</h1><p>{text}</p>"


def page(template: str, title: str, *, status: int = 200, error: str = "", **values: str) -> HTMLResponse:
    """Fill `template` and return the page; everything that is filled in is escaped.

    Parameters
    ----------
    error
        What went wrong, shown above the form and read out by screen readers.
    """
    shown = {name: escape(value) for name, value in values.items()}
    notice = f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
    body = template.format(title=escape(title), error=notice, **shown)
    return HTMLResponse(_PAGE.format(title=escape(title), style=_STYLE, body=body), status, headers=_HEADERS)
