"""The arithmetic of the benchmark, on sides that take the time they are told to."""

from __future__ import annotations

import math

import pytest

from benchmarks.measure import Found, Measure, Plan, Side, SkippedError, Times, at_least, at_most, interleaved, spread
from benchmarks.rows import Row, measured


class Clock:
    """Stands still but for the sides that run."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ran: list[str] = []

    def __call__(self) -> float:
        return self.now

    def side(self, name: str, *seconds: float, share: float = 1.0, calls: int = 1) -> Side:
        """A side that takes the next of `seconds` at each run, over and over."""
        runs = 0

        def run() -> None:
            nonlocal runs
            self.now += seconds[runs % len(seconds)]
            self.ran.append(name)
            runs += 1

        return Side(name, run, share, calls)


def test_sides_take_turns_and_the_first_round_is_not_timed():
    clock = Clock()
    times = interleaved([clock.side("a", 9, 1, 2, 3), clock.side("b", 9, 10, 20, 30)], 3, clock)
    assert clock.ran == ["a", "b"] * 4
    assert times.seconds == {"a": (1, 2, 3), "b": (10, 20, 30)}


def test_ratios_are_taken_within_a_round_so_that_a_slow_machine_falls_out():
    times = Times({"fast": (1.0, 3.0, 1.0), "slow": (4.0, 12.0, 4.0)})
    assert times.ratio("slow", "fast") == (4, 4, 4)


def test_a_sample_is_extrapolated_and_several_calls_are_one_sample():
    clock = Clock()
    times = interleaved([clock.side("windows", 2, share=0.01), clock.side("dense", 3, calls=5)], 2, clock, warm=False)
    assert times.seconds["windows"] == pytest.approx((200, 200))
    assert times.seconds["dense"] == (3, 3)
    assert clock.ran == [*["windows"], *["dense"] * 5] * 2


@pytest.mark.parametrize(
    ("samples", "wanted"), [([], 0), ([7], 0), ([1, 2], 0.25), ([1, 2, 3, 4, 5], 1), ([5, 1, 4, 2, 3], 1)]
)
def test_spread_is_half_the_distance_of_the_quartiles(samples, wanted):
    assert spread(samples) == wanted


def test_targets_from_both_sides_and_nothing_meets_them_without_a_number():
    assert at_least(2).met(2)
    assert not at_least(2).met(1.99)
    assert at_most(2).met(2)
    assert not at_most(2).met(2.01)
    assert not at_least(2).met(math.nan)
    assert not at_most(2).met(math.nan)


def test_a_measure_as_data():
    data = Measure("a / b", (3.0, 1.0, 2.0), target=at_least(2.5), extrapolated=True).data()
    assert data == {
        "name": "a / b", "unit": "x", "median": 2, "spread": 0.5, "low": 1, "high": 3, "samples": 3,
        "extrapolated": True, "target": {"at_least": 2.5}, "met": False,
    }  # fmt: skip


def test_a_quick_run_judges_no_target():
    assert Measure("a", (1.0,), target=at_most(2)).data(judged=False)["met"] is None
    assert Measure("a", (1.0,)).data()["met"] is None
    assert (Plan().rounds(7), Plan(quick=True).rounds(7), Plan(quick=True).rounds(1)) == (7, 2, 1)


def test_a_row_has_its_seconds_its_load_and_how_long_it_took():
    clock = Clock()

    def run(plan: Plan) -> Found:
        found = Found("two things")
        times = found.took(interleaved([clock.side("a", 1), clock.side("b", 2)], 3, plan.clock))
        found.measures = [Measure("b / a", times.ratio("b", "a"))]
        found.notes = ["a note"]
        return found

    data = measured(Row("99", "fake", "A fake row", run), Plan(clock=clock))
    assert (data["row"], data["name"], data["title"], data["conditions"]) == ("99", "fake", "A fake row", "two things")
    assert [measure["median"] for measure in data["measures"]] == [2]
    assert data["seconds"] == {
        "a": {"median": 1, "spread": 0, "samples": [1, 1, 1]},
        "b": {"median": 2, "spread": 0, "samples": [2, 2, 2]},
    }
    assert (data["took"], data["notes"], len(data["load"])) == (12, ["a note"], 2)


def test_a_row_that_cannot_be_measured_says_why():
    def run(plan: Plan) -> Found:
        raise SkippedError("no such peer here")

    data = measured(Row("99", "fake", "A fake row", run), Plan())
    assert (data["measures"], data["notes"]) == ([], ["left out: no such peer here"])
