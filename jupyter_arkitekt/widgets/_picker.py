"""Picking a thing that lives on a server: search, id, thumbnail. Its other half is js/src/picker."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import traitlets

from jupyter_arkitekt import bridge
from jupyter_arkitekt.errors import ArgumentError, ArkitektError
from jupyter_arkitekt.widgets._bundle import bundled
from jupyter_arkitekt.widgets._card import Card, Command

#: Characters of a search that are looked at.
LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be picked: its id, its name, and a quiet line that tells it from others of that name."""

    id: str
    name: str
    detail: str = ""


class Source(Protocol):
    """Where options come from; everything runs on the background loop."""

    @property
    def noun(self) -> str:
        """What is picked, in the singular."""

    async def search(self, text: str) -> Sequence[Option]:
        """Return what fits `text`, newest first; everything when it is empty."""

    async def find(self, id: str) -> Option | None:  # noqa: A002 - what it is called everywhere
        """Return the option with that id, ``None`` when there is no such thing."""

    async def picture(self, id: str) -> bytes | None:  # noqa: A002 - what it is called everywhere
        """Return a small PNG of it, ``None`` when it has none."""


class Picker(Card):
    """A searchable list, an id field, and a picture of what is chosen.

    Parameters
    ----------
    source
        Where options come from.
    label
        The visible name of the field.
    """

    _esm = bundled("picker.js")
    _css = bundled("picker.css")

    #: The visible name of the field.
    label = traitlets.Unicode("").tag(sync=True)
    #: What is picked, in the singular.
    noun = traitlets.Unicode("").tag(sync=True)
    #: Id of what is chosen; empty when nothing is.
    value = traitlets.Unicode("").tag(sync=True)
    #: The chosen option, ``None`` while it is not known.
    chosen: traitlets.TraitType[Any, Any] = traitlets.Dict(None, allow_none=True).tag(sync=True)
    #: The last answer to a search: ``text``, ``options``, ``error``.
    answer: traitlets.TraitType[Any, Any] = traitlets.Dict({"text": "", "options": [], "error": ""}).tag(sync=True)
    #: Whether the field cannot be used now.
    disabled = traitlets.Bool(False).tag(sync=True)
    #: Whether the field is marked as wrong.
    invalid = traitlets.Bool(False).tag(sync=True)
    #: PNG of what is chosen.
    picture: traitlets.TraitType[Any, Any] = traitlets.Bytes(None, allow_none=True).tag(sync=True)
    #: What is wrong with the chosen id, empty when nothing is.
    problem = traitlets.Unicode("")

    def __init__(self, source: Source, label: str) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._searching: concurrent.futures.Future[None] | None = None
        self._looking: concurrent.futures.Future[None] | None = None
        super().__init__(label=label, noun=source.noun)
        self.observe(self._chosen_anew, "value")

    def commands(self) -> dict[str, Command]:
        """Return what to do with each kind of message."""
        return {"search": self._search_asked}

    def plain(self) -> str:
        """Return the text that stands in for the picker."""
        return f"{self.label}: {self.value or 'nothing chosen'}"

    async def settle(self) -> None:
        """Wait until it is known whether the chosen id exists.

        Raises
        ------
        ArgumentError
            If it does not.
        """
        while True:
            with self._lock:
                looking = self._looking
            if looking is None or looking.done():
                break
            # Another choice cancels this look; then the next one is waited for.
            await asyncio.wait([asyncio.wrap_future(looking)])
        if looking is not None and not looking.cancelled():
            looking.result()
        if self.problem:
            raise ArgumentError(self.problem)

    def close(self) -> None:
        """Stop looking for anything and close the widget."""
        with self._lock:
            pending = [self._searching, self._looking]
        for future in pending:
            if future is not None:
                future.cancel()
        super().close()

    def _search_asked(self, message: dict[str, Any]) -> None:
        text = str(message.get("text", ""))[:LONGEST_SEARCH]
        with self._lock:
            if self._searching is not None:
                self._searching.cancel()
            self._searching = bridge.spawn(self._search(text), name="search for a form")

    async def _search(self, text: str) -> None:
        try:
            found = await self._source.search(text)
        except ArkitektError as error:
            self.answer = {"text": text, "options": [], "error": str(error)}
        else:
            self.answer = {"text": text, "options": [asdict(option) for option in found], "error": ""}

    def _chosen_anew(self, change: Any) -> None:
        # What was said of the former choice is no longer true, before anything is known of this one.
        self.problem, self.picture = "", None
        with self._lock:
            if self._looking is not None:
                self._looking.cancel()
            self._looking = bridge.spawn(self._look(str(change["new"])), name="look at what was picked")

    async def _look(self, id: str) -> None:  # noqa: A002 - what it is called everywhere
        """Find out what the id means, and show it, unless another one was chosen meanwhile."""
        if not id:
            self.chosen = None
            return
        try:
            option = await self._source.find(id)
            if self.value != id:
                return
            self.chosen = asdict(option) if option else None
            if option is None:
                self.problem = f"There is no {self.noun} with the id {id}."
                return
            picture = await self._source.picture(id)
        except ArkitektError as error:
            if self.value == id:
                self.problem = str(error)
        else:
            if self.value == id:
                self.picture = picture
