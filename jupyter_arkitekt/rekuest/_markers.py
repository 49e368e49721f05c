"""Words that a person writes into ``Annotated[...]``, beside those of `annotated_types`.

Bounds become rules of the port (checked before a call is sent and before a body runs), and two closed bounds of a
number become a slider::

    Sigma = Annotated[float, Interval(ge=0.1, le=20), Description("width in pixels")]

    def blur(image: Image, sigma: Sigma = 2.0) -> Image: ...
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import annotated_types as at

from jupyter_arkitekt.models.rekuest import SliderAssignWidget, Validator


@dataclass(frozen=True, slots=True)
class Description:
    """What a port means, in place of the docstring's entry."""

    text: str


def validators(marks: tuple[Any, ...]) -> list[Validator]:
    """Turn the bounds in `marks` into rules, in the order in which they were written."""
    found: list[Validator] = []
    for mark in _flat(marks):
        match mark:
            case at.Gt(gt) if _number(gt):
                found.append(_bound(">", gt, "greater than"))
            case at.Ge(ge) if _number(ge):
                found.append(_bound(">=", ge, "at least"))
            case at.Lt(lt) if _number(lt):
                found.append(_bound("<", lt, "less than"))
            case at.Le(le) if _number(le):
                found.append(_bound("<=", le, "at most"))
            case at.MinLen(least):
                found.append(_length(">=", least, "at least"))
            case at.MaxLen(most):
                found.append(_length("<=", most, "at most"))
            case at.Len(least, None):
                found.append(_length(">=", least, "at least"))
            case at.Len(least, most):
                words = f"Must have between {least} and {most} elements"
                found.append(
                    Validator(
                        function=f"(x) => x.length >= {least} && x.length <= {most}", label=words, error_message=words
                    )
                )
    return found


def slider(marks: tuple[Any, ...], *, whole: bool) -> SliderAssignWidget | None:
    """Return a slider if `marks` give a number a smallest and a largest value."""
    least = most = None
    for mark in _flat(marks):
        edge: Any = next((getattr(mark, name) for name in ("ge", "gt", "le", "lt") if hasattr(mark, name)), None)
        if not _number(edge):
            continue
        if isinstance(mark, at.Ge):
            least = edge
        elif isinstance(mark, at.Le):
            most = edge
        elif isinstance(mark, at.Gt) and whole:
            least = math.floor(edge) + 1
        elif isinstance(mark, at.Lt) and whole:
            most = math.ceil(edge) - 1
    if least is None or most is None or least >= most:
        return None
    return SliderAssignWidget(min=float(least), max=float(most), step=1.0 if whole else None)


_RULE = re.compile(r"\(x\) => x(?P<length>\.length)? (?P<sign>>=|<=|>|<) (?P<bound>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$")
_BOTH = re.compile(r"\(x\) => x\.length >= (\d+) && x\.length <= (\d+)$")


def broken_rule(rules: list[Validator], value: Any) -> str | None:
    """Return what is wrong with `value`, ``None`` when it breaks no rule that we can read.

    Rules are JavaScript; only the plain comparisons that we and upstream's client write are checked here, others are
    left to the form of whoever wrote them.
    """
    for rule in rules:
        if rule.dependencies:
            continue
        kept = True
        try:
            if match := _RULE.match(rule.function):
                kept = _holds(len(value) if match["length"] else value, match["sign"], float(match["bound"]))
            elif match := _BOTH.match(rule.function):
                kept = int(match[1]) <= len(value) <= int(match[2])
        except TypeError:
            continue
        if not kept:
            return rule.error_message or rule.label or f"it breaks the rule {rule.function}"
    return None


def _holds(value: Any, sign: str, bound: float) -> bool:
    if isinstance(value, (str, datetime)):
        return True
    return bool({">": value > bound, ">=": value >= bound, "<": value < bound, "<=": value <= bound}[sign])


def _flat(marks: tuple[Any, ...]) -> list[Any]:
    flat: list[Any] = []
    for mark in marks:
        # `Interval` and `Len` are groups; a `Len` is kept whole, because upstream writes it as one rule.
        if isinstance(mark, at.GroupedMetadata) and not isinstance(mark, at.Len):
            flat.extend(mark)
        else:
            flat.append(mark)
    return flat


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _bound(sign: str, value: Any, words: str) -> Validator:
    told = f"Must be {words} {value}"
    return Validator(function=f"(x) => x {sign} {value}", label=told, error_message=told)


def _length(sign: str, value: int, words: str) -> Validator:
    told = f"Must have {words} {value} elements"
    return Validator(function=f"(x) => x.length {sign} {value}", label=told, error_message=told)
