"""Applying a change to a JSON value: the operations of RFC 6902 that a state's patch can say (it has no ``from``)."""

from __future__ import annotations

import copy
from typing import Any


class PatchError(ValueError):
    """A change does not fit the value."""


def apply(value: Any, op: str, path: str, new: Any) -> Any:
    """Return `value` after one change; `value` itself stays as it is.

    Raises
    ------
    PatchError
        If the path leads nowhere, or the operation is none that a patch can say.
    """
    if op == "test":
        return value
    if op not in {"add", "replace", "remove"}:
        raise PatchError(f"a patch cannot say {op}")
    keys = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]
    if not keys:
        return None if op == "remove" else copy.deepcopy(new)
    result = copy.deepcopy(value)
    target = result
    try:
        for key in keys[:-1]:
            target = target[int(key)] if isinstance(target, list) else target[key]
        _change(target, op, keys[-1], copy.deepcopy(new))
    except (KeyError, IndexError, TypeError, ValueError):
        raise PatchError(f"there is no {path} to {op}") from None
    return result


def _change(target: Any, op: str, key: str, new: Any) -> None:
    if isinstance(target, list):
        index = len(target) if key == "-" else int(key)
        if op == "add":
            target.insert(index, new)
        elif op == "replace":
            target[index] = new
        else:
            del target[index]
    elif op == "remove":
        del target[key]
    else:
        target[key] = new
