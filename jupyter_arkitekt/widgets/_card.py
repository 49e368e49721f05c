"""The base of our live faces.

A card is an anywidget whose traits are the whole truth: a view that is drawn again, or a second view of the same card,
needs nothing else. Messages from the browser are commands, ``{"kind": …}``. They arrive on whatever thread the kernel
reads its comm on, also while a cell runs, so a command only hands work on.
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Callable
from typing import Any

import anywidget

_logger = logging.getLogger(__name__)

Command = Callable[[dict[str, Any]], None]


class Card(anywidget.AnyWidget):
    """Base of our anywidgets; ``commands`` says which messages it understands."""

    def __init__(self, **traits: Any) -> None:
        for name in traits:
            if not self.has_trait(name):
                near = difflib.get_close_matches(name, self.trait_names(), 1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"{type(self).__name__} has no trait {name!r}.{hint}")
        super().__init__(**traits)
        self._commands: dict[str, Command] = self.commands()
        self.on_msg(self._heard)

    def commands(self) -> dict[str, Command]:
        """Return what to do with each kind of message."""
        return {}

    def plain(self) -> str:
        """Return the text that stands in for the card where no widgets can be shown."""
        return f"<{type(self).__name__}>"

    def _heard(self, _widget: object, content: object, _buffers: object) -> None:
        kind = content.get("kind") if isinstance(content, dict) else None
        command = self._commands.get(kind) if isinstance(kind, str) else None
        if command is None or not isinstance(content, dict):
            _logger.warning("%s does not understand the message %r", type(self).__name__, kind)
            return
        command(content)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[Any, Any], dict[Any, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is not None:
            bundle[0]["text/plain"] = self.plain()
        return bundle
