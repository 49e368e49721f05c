"""Plain outputs: what a live face leaves behind, readable without a kernel, a widget manager or style sheets."""

from __future__ import annotations

import html
import uuid
from typing import Any

_STYLE = "font-family: var(--jp-ui-font-family, sans-serif); color: var(--jp-content-font-color1, inherit)"


class Plain:
    """An output of text and HTML that say the same.

    Parameters
    ----------
    text
        The facts; its HTML is the same text, escaped, unless `markup` is given.
    markup
        HTML that was put together from escaped parts.
    """

    def __init__(self, text: str, markup: str | None = None) -> None:
        self.text = text
        self.markup = f'<div style="{_STYLE}">{html.escape(text)}</div>' if markup is None else markup

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, **_kwargs: Any) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": self.markup}


_QUIET = "color: var(--jp-content-font-color2, inherit)"


def line(headline: str, aside: str) -> Plain:
    """Return one line: what matters, and quieter what tells more about it."""
    markup = f'<strong>{html.escape(headline)}</strong> <span style="{_QUIET}">· {html.escape(aside)}</span>'
    return Plain(f"{headline} · {aside}", f'<div style="{_STYLE}">{markup}</div>')


def said(headline: str, detail: str = "", *, bad: bool = False) -> Plain:
    """Return a headline with a quieter second line below; `bad` marks an error by a word and a colour."""
    text = f"{headline}\n{detail}" if detail else headline
    colour = "; border-left: 3px solid var(--jp-error-color1, #c62828); padding-left: 10px" if bad else ""
    second = f'<div style="{_QUIET}; white-space: pre-wrap">{html.escape(detail)}</div>' if detail else ""
    return Plain(text, f'<div style="{_STYLE}{colour}"><strong>{html.escape(headline)}</strong>{second}</div>')


class Place:
    """A place in the notebook whose plain output can be replaced, from any thread.

    Updating by display id works in every frontend, after the cell has ended, and does not capture what other code
    prints, as an output widget would.
    """

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self.shown = False

    def show(self, content: object) -> None:
        """Display `content` here; only the first call makes the place."""
        from IPython.display import display, update_display

        if self.shown:
            update_display(content, display_id=self.id)
        else:
            display(content, display_id=self.id)
            self.shown = True

    def again(self, content: object) -> None:
        """Display `content` here, and let later changes reach this second place as well."""
        from IPython.display import display

        display(content, display_id=self.id)
        self.shown = True
