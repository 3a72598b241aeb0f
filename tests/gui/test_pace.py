"""Rates and remaining times are those of the work seen so far."""

from __future__ import annotations

import pytest

from segviz.core.requests import Progress
from segviz.gui.pace import Pace, clock


def test_rate_and_remaining_time():
    pace = Pace()
    assert pace.at(10.0, Progress(0, 100)) == (None, None)
    assert pace.at(12.0, Progress(50, 100)) == (25.0, 2.0)


def test_nothing_is_claimed_before_a_moment_has_passed():
    pace = Pace()
    pace.at(10.0, Progress(0, 100))
    assert pace.at(10.1, Progress(50, 100)) == (None, None)


def test_another_phase_starts_the_clock_anew():
    pace = Pace()
    pace.at(0.0, Progress(0, 100))
    pace.at(5.0, Progress(100, 100))
    assert pace.at(6.0, Progress(0, 10)) == (None, None)
    assert pace.at(8.0, Progress(5, 10)) == (2.5, 2.0)


@pytest.mark.parametrize(("seconds", "shown"), [(3, "0:03"), (75.4, "1:15"), (3723, "1:02:03")])
def test_clock(seconds, shown):
    assert clock(seconds) == shown
