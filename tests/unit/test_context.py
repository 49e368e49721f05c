"""The slot of the current app."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from jupyter_arkitekt import context
from jupyter_arkitekt.errors import NotConnectedError


class _Named:
    def __init__(self, identifier: str) -> None:
        self.identifier = identifier


def _app(name: str) -> Any:
    return cast("Any", _Named(name))


@pytest.fixture(autouse=True)
def _empty() -> Any:
    before = context.current_or_none()
    context.set_current(None)
    yield
    context.set_current(before)


def test_without_an_app_the_error_says_what_to_do() -> None:
    with pytest.raises(NotConnectedError, match=r"%load_ext arkitekt.*with easy"):
        context.current()


def test_the_kernel_wide_app_is_seen_by_every_thread_and_a_with_overrides_it_here_only() -> None:
    kernel, inner = _app("kernel"), _app("inner")
    context.set_current(kernel)
    seen: list[Any] = []
    with context.use(inner):
        assert context.current() is inner
        thread = threading.Thread(target=lambda: seen.append(context.current()))
        thread.start()
        thread.join()
    assert seen == [kernel]
    assert context.current() is kernel


def test_an_offer_does_not_push_an_app_out_and_only_the_own_place_is_given_back() -> None:
    first, second = _app("first"), _app("second")
    context.offer(first)
    context.offer(second)
    assert context.current() is first
    context.withdraw(second)
    assert context.current() is first
    context.withdraw(first)
    assert context.current_or_none() is None


def test_observers_hear_of_changes_until_they_leave() -> None:
    heard: list[Any] = []
    unobserve = context.observe(heard.append)
    app = _app("one")
    context.set_current(app)
    context.set_current(app)
    unobserve()
    context.set_current(None)
    assert heard == [app]
