"""The page that a person sees who opens a GraphQL address in a browser."""

from __future__ import annotations

from html import escape

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name} · GraphQL</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }}
code {{ font-family: ui-monospace, monospace; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<main>
<h1>{name}</h1>
<p>This address speaks GraphQL: <code>POST</code> a JSON object with <code>query</code> and <code>variables</code>,
and a bearer token in <code>Authorization</code>. Subscriptions go over a websocket to the same address.</p>
<p>What can be asked stands in the <a href="/{name}/schema">schema</a>.</p>
</main>
</body>
</html>
"""


def page(name: str) -> str:
    """Return the page of the service `name`."""
    return _PAGE.format(name=escape(name))
