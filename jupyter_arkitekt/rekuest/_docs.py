"""What a docstring says about a function, whatever style it is written in."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import docstring_parser


@dataclass(frozen=True, slots=True)
class Docs:
    """A function's docstring, taken apart."""

    text: str | None = None
    params: dict[str, str] = field(default_factory=dict)
    returns: tuple[str, ...] = ()


def read(function: Callable[..., Any]) -> Docs:
    """Take the docstring of `function` apart; one that no style fits is all description."""
    raw = inspect.getdoc(function)
    if not raw or not raw.strip():
        return Docs()
    try:
        parsed = docstring_parser.parse(raw)
    except docstring_parser.ParseError:
        return Docs(text=raw.strip())
    text = "\n\n".join(part.strip() for part in (parsed.short_description, parsed.long_description) if part)
    params: dict[str, str] = {}
    for param in parsed.params:
        if param.args[:1] in (["attribute"], ["raises"]):
            continue
        # numpydoc lets parameters share an entry: "x, y : float"
        for name in re.split(r"\s*,\s*", param.arg_name):
            params[name.lstrip("*")] = (param.description or "").strip()
    returns = tuple((said.description or "").strip() for said in parsed.many_returns if not said.is_generator)
    return Docs(text=text or None, params=params, returns=returns or _yields(parsed))


def _yields(parsed: docstring_parser.Docstring) -> tuple[str, ...]:
    return tuple((said.description or "").strip() for said in parsed.many_returns if said.is_generator)


def title(name: str) -> str:
    """Return ``get_random_image`` as ``Get Random Image``."""
    return " ".join(word[:1].upper() + word[1:] for word in name.replace("-", "_").split("_") if word)


def snake(name: str) -> str:
    """Return ``MyPoint`` as ``my_point``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^0-9A-Za-z]+", "_", spaced).strip("_").lower()
