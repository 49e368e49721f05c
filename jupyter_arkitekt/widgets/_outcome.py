"""The plain face of a call's result: an image as its picture, values as text."""

from __future__ import annotations

import html
from typing import Any

from jupyter_arkitekt.models.rekuest import ReturnPort
from jupyter_arkitekt.widgets._plain import Plain, said

#: Characters of a value's text that are shown.
LONGEST = 2000


def outcome(name: str, ports: list[ReturnPort], result: Any) -> object:
    """Return what to display for the `result` of the function `name`.

    It may compute a thumbnail, so it is not for the background loop's thread.
    """
    if not ports:
        return said(f"{name}: done", "It returns nothing.")
    results = list(result) if len(ports) > 1 and isinstance(result, tuple) else [result]
    if len(results) == 1 and has_face(results[0]):
        return results[0]
    lines, parts = [], []
    for index, one in enumerate(results):
        label = label_of(ports[index]) if index < len(ports) else ""
        plain = face(one, f"{name} → {label}" if label else f"{name} →")
        lines.append(plain.text)
        parts.append(plain.markup)
    return Plain("\n".join(lines), "".join(parts))


def has_face(value: object) -> bool:
    """Whether `value` says itself how it wants to be displayed."""
    return any(callable(getattr(type(value), name, None)) for name in ("_repr_mimebundle_", "_repr_html_"))


def label_of(port: ReturnPort) -> str:
    """Return the name of a result, empty when it has none but its place."""
    label = port.label or port.key
    return "" if label.startswith("return") and label[6:].isdigit() else label


def face(value: object, caption: str) -> Plain:
    """Return the plain face of one result."""
    if not has_face(value):
        told = value if isinstance(value, str) else repr(value)
        told = told if len(told) <= LONGEST else f"{told[:LONGEST]} … and {len(told) - LONGEST} more characters"
        return said(caption, told)
    bundle: Any = {}
    if callable(getattr(type(value), "_repr_mimebundle_", None)):
        bundle = value._repr_mimebundle_(include=None, exclude=None)  # type: ignore[attr-defined]  # checked above
        bundle = (bundle[0] if isinstance(bundle, tuple) else bundle) or {}
    markup: str | None = bundle.get("text/html")
    if markup is None and callable(getattr(type(value), "_repr_html_", None)):
        markup = value._repr_html_()  # type: ignore[attr-defined]  # checked above
    text: str | None = bundle.get("text/plain")
    if text is None:
        text = repr(value)
    above = f"<div>{html.escape(caption)}</div>" if caption else ""
    return Plain(f"{caption} {text}".strip(), above + (html.escape(text) if markup is None else markup))
