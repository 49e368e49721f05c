"""Registered functions: what this process offers to run."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import inspect
import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, ParamSpec, TypeVar, overload

from jupyter_arkitekt.context import AppLike
from jupyter_arkitekt.errors import DefinitionError
from jupyter_arkitekt.models.rekuest import AgentOffer, Definition, Offer
from jupyter_arkitekt.rekuest import _docs
from jupyter_arkitekt.rekuest._define import define
from jupyter_arkitekt.rekuest._structures import StructureRegistry, structures

__all__ = ["Function", "FunctionRegistry", "functions", "register"]

P = ParamSpec("P")
R = TypeVar("R")


class Function(Generic[P, R]):
    """A registered function: calling it runs it here, `definition` says what others see of it.

    Attributes
    ----------
    function
        The plain function.
    definition
        Its ports, name and description.
    interface
        Name under which it is hosted.
    serial
        Whether one call waits for the one before.
    structures
        Registry that its values are looked up in.
    app
        The only app that hosts it, ``None`` for whichever app hosts.
    """

    def __init__(
        self,
        function: Callable[P, R],
        definition: Definition,
        interface: str,
        *,
        serial: bool = True,
        structures: StructureRegistry = structures,
        app: AppLike | None = None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.definition = definition
        self.interface = interface
        self.serial = serial
        self.structures = structures
        self.app = app
        self._turn: asyncio.Lock | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Function {self.interface!r}: {inspect.signature(self.function)}>"

    def __reduce__(self) -> str:
        # Found by name where it is unpickled, like a plain function.
        return self.function.__qualname__

    def turn(self) -> contextlib.AbstractAsyncContextManager[Any]:
        """Return what a body holds while it runs; on the background loop."""
        if not self.serial:
            return contextlib.nullcontext()
        if self._turn is None:
            self._turn = asyncio.Lock()
        return self._turn


class FunctionRegistry:
    """Functions by their interface. `functions` is the one that everybody uses.

    Attributes
    ----------
    changes
        How often something was added or removed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._functions: dict[str, Function[..., Any]] = {}
        self._observers: list[Callable[[], None]] = []
        self.changes = 0

    def add(self, function: Function[..., Any]) -> None:
        """Offer `function`; one that was offered under its interface from the same module is replaced.

        Raises
        ------
        DefinitionError
            If another module has a function of that interface.
        """
        with self._lock:
            before = self._functions.get(function.interface)
            if before is not None and before.function.__module__ != function.function.__module__:
                raise DefinitionError(
                    f"{function.function.__module__}.{function.function.__qualname__} would be hosted as "
                    f"{function.interface!r}, which {before.function.__module__}.{before.function.__qualname__} is "
                    "already. Give one of them another name: @register(interface=...)."
                )
            self._functions[function.interface] = function
            self.changes += 1
            observers = list(self._observers)
        for callback in observers:
            callback()

    def get(self, interface: str, app: AppLike | None = None) -> Function[..., Any] | None:
        """Return the function that `app` hosts as `interface`."""
        found = self._functions.get(interface)
        return found if found is not None and found.app in (None, app) else None

    def hosted_by(self, app: AppLike) -> list[Function[..., Any]]:
        """Return what `app` hosts, by interface."""
        with self._lock:
            found = [function for function in self._functions.values() if function.app in (None, app)]
        return sorted(found, key=lambda function: function.interface)

    def remove(self, interface: str) -> None:
        """Do not offer `interface` any more; unknown ones are fine."""
        with self._lock:
            removed = self._functions.pop(interface, None)
            self.changes += 1
            observers = list(self._observers) if removed is not None else []
        for callback in observers:
            callback()

    def observe(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called, on the thread that made the change, when the functions change; return its end."""
        with self._lock:
            self._observers.append(callback)

        def unobserve() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._observers.remove(callback)

        return unobserve

    def copy(self) -> FunctionRegistry:
        """Return a registry that starts with what this one has and that nobody observes."""
        other = FunctionRegistry()
        with self._lock:
            other._functions = dict(self._functions)
        return other


functions = FunctionRegistry()
"""What this process offers unless somebody brings a registry of their own."""


def offer_of(hosted: Sequence[Function[..., Any]], name: str) -> AgentOffer:
    """Return what an agent tells a deployment about `hosted`, with its hash."""
    offer = AgentOffer(
        name=name,
        implementations=[Offer(definition=function.definition, interface=function.interface) for function in hosted],
    )
    offer.hash = agent_hash(offer)
    return offer


def agent_hash(offer: AgentOffer) -> str:
    """Return the digest by which a deployment sees whether an agent's offer has changed.

    SHA-256 of the offer as compact JSON with sorted keys, without nulls and without the hash itself, as upstream's
    client makes it.
    """
    wire = offer.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"hash"})
    return hashlib.sha256(json.dumps(wire, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@overload
def register(function: Callable[P, R], /) -> Function[P, R]: ...


@overload
def register(
    function: None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    interface: str | None = None,
    key: str | None = None,
    version: str = "1",
    collections: Sequence[str] = (),
    is_test_for: Sequence[str] = (),
    stateful: bool = False,
    concurrency: Literal["serial", "parallel"] = "serial",
    structure_registry: StructureRegistry | None = None,
    registry: FunctionRegistry | None = None,
    app: AppLike | None = None,
) -> Callable[[Callable[P, R]], Function[P, R]]: ...


def register(
    function: Callable[P, R] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    interface: str | None = None,
    key: str | None = None,
    version: str = "1",
    collections: Sequence[str] = (),
    is_test_for: Sequence[str] = (),
    stateful: bool = False,
    concurrency: Literal["serial", "parallel"] = "serial",
    structure_registry: StructureRegistry | None = None,
    registry: FunctionRegistry | None = None,
    app: AppLike | None = None,
) -> Function[P, R] | Callable[[Callable[P, R]], Function[P, R]]:
    """Offer a function to everybody on the deployment; ``@register`` or ``@register(name=...)``.

    Its type hints become the ports of a form, its docstring their descriptions. In a notebook it is hosted as soon as
    an app is signed in, and running the cell again replaces it; in a script it is hosted by ``app.run()``.

    Parameters
    ----------
    function
        Function, coroutine function, or a generator function of either kind. It runs in a thread.
    name, description
        What people see; the function's name in title case and its docstring when left out.
    interface, key
        Names for programs; the function's name when left out.
    version
        Of the function's behaviour.
    collections
        Labels.
    is_test_for
        Hashes of actions that this function tests.
    stateful
        Whether the same arguments may give different results.
    concurrency
        ``"serial"``: one call after the other; ``"parallel"``: all at once, each in a thread.
    structure_registry
        Where structures are looked up; the shared one when left out.
    registry
        Where the function is kept; the shared one when left out.
    app
        The only app to host it; any app that hosts when left out.

    Returns
    -------
    Function
        Calling it runs the function here.

    Raises
    ------
    DefinitionError
        If a parameter or result has no type hint, or one whose values cannot travel.
    """
    if concurrency not in ("serial", "parallel"):
        raise DefinitionError(f"register() got concurrency={concurrency!r}: 'serial' or 'parallel' is needed.")

    def offer(plain: Callable[P, R]) -> Function[P, R]:
        if isinstance(plain, Function):
            plain = plain.function
        given: object = plain
        if not callable(given) or inspect.isclass(given):
            raise DefinitionError(f"register() got {plain!r}: a function is needed.")
        lookup = structures if structure_registry is None else structure_registry
        definition = define(
            plain,
            key=key,
            name=name,
            description=description,
            version=version,
            collections=collections,
            is_test_for=is_test_for,
            stateful=stateful,
            registry=lookup,
        )
        made = Function(
            plain,
            definition,
            interface or _docs.snake(definition.key),
            serial=concurrency == "serial",
            structures=lookup,
            app=app,
        )
        (functions if registry is None else registry).add(made)
        return made

    return offer if function is None else offer(function)
