"""Work beside the window's thread: whatever ends it, who waits is told."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from segviz.core.errors import SegvizError
from segviz.gui.background import Background


def raises(error: Exception) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


def told_of(qtbot, work: Callable[[], object]) -> SegvizError | OSError | None:
    """What `then` is called with."""
    told: list[SegvizError | OSError | None] = []
    background = Background()
    background.run(work, told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert background.close(patience=2.0)
    return told[0]


@pytest.mark.parametrize("error", [SegvizError("page.png: no mask"), OSError(28, "No space left on device")])
def test_what_is_for_people_is_told_as_it_is(qtbot, error):
    assert told_of(qtbot, raises(error)) is error
    assert told_of(qtbot, lambda: 3) is None


def test_a_lack_of_memory_is_told_and_is_no_bug(qtbot, monkeypatch):
    hooked: list[object] = []
    monkeypatch.setattr(threading, "excepthook", hooked.append)
    error = told_of(qtbot, raises(MemoryError()))
    assert str(error) == "not enough memory: choose a smaller scale or a smaller image"
    assert hooked == []


def test_a_bug_is_told_and_reaches_the_log(qtbot, monkeypatch):
    hooked: list[type] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: hooked.append(args.exc_type))
    error = told_of(qtbot, raises(ZeroDivisionError("never")))
    assert str(error) == "an internal error (ZeroDivisionError): please report the details"
    assert "ZeroDivisionError: never" in error.details
    assert hooked == [ZeroDivisionError]
