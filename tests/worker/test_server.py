"""What the server decides by itself: which updates go out, and what runs them."""

from __future__ import annotations

import faulthandler

import pytest

from segviz.core import folders
from segviz.core.races import RaceUpdate
from segviz.core.requests import PartialLabels, Progress
from segviz.worker import server
from segviz.worker.server import Throttle


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_update_goes_at_once_and_the_newest_of_the_rest_in_time() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    assert throttle.add(Progress(1, 9)) == [Progress(1, 9)]
    assert throttle.add(Progress(2, 9)) == []
    clock.now += 0.049
    assert throttle.add(Progress(3, 9)) == []
    clock.now += 0.001
    assert throttle.add(Progress(4, 9)) == [Progress(4, 9)]
    assert throttle.add(Progress(5, 9)) == []
    assert throttle.rest() == [Progress(5, 9)]
    assert throttle.rest() == []


def test_never_more_than_twenty_a_second_and_none_of_a_slow_run_is_lost() -> None:
    clock = Clock()
    throttle, sent = Throttle(clock), 0
    for step in range(1000):
        sent += len(throttle.add(Progress(step, 1000)))
        clock.now += 0.001
    assert 18 <= sent <= 20
    slow = Throttle(clock)
    for step in range(10):
        clock.now += 0.06
        assert slow.add(Progress(step, 10)) == [Progress(step, 10)]


def test_the_sides_of_a_race_take_turns() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    partial = PartialLabels(None, None, None, Progress(1, 2))  # type: ignore[arg-type]
    heard = []
    for _ in range(100):
        for side in ("sliding_window", "fully_convolutional"):
            heard += [update.side for update in throttle.add(RaceUpdate(side, clock.now, partial))]
            clock.now += 0.01
    assert heard.count("sliding_window") == pytest.approx(heard.count("fully_convolutional"), abs=1)


def test_a_crash_of_the_engine_is_noted_where_the_window_looks(tmp_path, monkeypatch) -> None:
    """The window's dialog opens the folder of `segviz.core.folders`."""
    monkeypatch.setattr(folders, "logs", lambda: tmp_path / "logs")
    enabled = []
    monkeypatch.setattr(faulthandler, "enable", enabled.append)
    server._log_crashes()
    assert [file.name for file in enabled] == [str(tmp_path / "logs" / "engine.log")]
    enabled[0].close()
    assert "started" in (tmp_path / "logs" / "engine.log").read_text(encoding="utf-8")
