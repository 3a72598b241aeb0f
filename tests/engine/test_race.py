"""What of a race can be known without running one: which windows are computed, and what is made of a sample.

Whole races stand in `test_run.py`.
"""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from segviz.core.requests import Progress
from segviz.engine.flow import Pass
from segviz.engine.race import (
    EXACT,
    REPEATS,
    _again,
    _agreement,
    _best_batch,
    _by_stride,
    _Clock,
    _lane,
    _order,
    _parts,
    _run_dense,
)


def test_every_batch_is_computed_where_the_budget_allows():
    assert list(_order(outputs=10, batch=4, seconds=1.0, budget=3.0)) == [0, 4, 8]


@given(st.integers(1, 5000), st.integers(1, 64), st.floats(0.001, 10), st.floats(0.01, 20))
def test_a_sample_keeps_to_the_budget(outputs, batch, seconds, budget):
    starts = list(range(0, outputs, batch))
    chosen = list(_order(outputs, batch, seconds, budget))
    assert chosen
    assert chosen == sorted(set(chosen) & set(starts))
    assert len(chosen) == 1 or len(chosen) * seconds <= budget * (1 + 1e-9)
    assert list(_order(outputs, batch, seconds, budget)) == chosen  # the same race measures the same windows


def test_a_sample_leaves_out_no_column_of_the_grid():
    """Evenly spread batches of 8 in rows of 26 would be 26 windows apart: always the same columns."""
    chosen = list(_order(outputs=390, batch=8, seconds=1.0, budget=15.0))
    columns = {(first + k) % 26 for first in chosen for k in range(8)}
    assert len(chosen) == 15
    assert len(columns) == 26


def test_a_sample_is_extrapolated_and_said_to_be():
    lane = _lane(_Clock(50, runs=[2.0]), outputs=200, macs=7, made=9, batch=10)
    assert (lane.seconds, lane.extrapolated, lane.measured, lane.outputs) == (pytest.approx(8.0), True, 50, 200)
    assert not _lane(_Clock(200, runs=[2.0]), 200, 7, 9, 10).extrapolated
    assert lane.bytes == 9


def test_a_side_takes_what_its_median_run_took():
    lane = _lane(_Clock(50, runs=[2.0, 9.0, 3.0]), outputs=100, macs=7, made=9)
    assert (lane.seconds, lane.repeats) == (pytest.approx(6.0), 3)


def test_the_parts_of_a_sample_are_runs_of_their_own():
    """Seven batches of which one was disturbed: it is in one part of three, and the median is not that one."""
    each = [(4, 0.4), (4, 0.4), (4, 9.0), (4, 0.4), (4, 0.4), (4, 0.4), (2, 0.2)]
    assert list(_parts(each)) == [pytest.approx(2.6), pytest.approx(2.6), pytest.approx(26 * 9.4 / 8)]
    assert list(_parts([(4, 0.4)])) == [pytest.approx(0.4)]


@pytest.mark.parametrize(("budget", "runs"), [(100.0, 3), (2.5, 2), (1.0, 1)])
def test_all_windows_run_again_as_often_as_the_budget_lets(monkeypatch, budget, runs):
    network = Paced(Clock(monkeypatch), 0.0, 0.1)
    network.calls = 1  # warm
    clock = _Clock(10, seconds=1.0)
    ended(_again(course_of(network, outputs=10), [0, 4, 8], 4, budget, clock))
    assert clock.runs == [pytest.approx(1.0)] * runs


def test_labels_agree_where_they_are_equal_or_tied_to_rounding():
    probabilities = np.array([[0.6, 0.5, 0.5 + 2 * EXACT, 0.9], [0.4, 0.5, 0.5 - 2 * EXACT, 0.1]], np.float32)
    assert _agreement(probabilities, np.array([0, 1, 1, 0], np.int16)) == 0.75
    assert _agreement(probabilities, np.array([1, 0, 0, 1], np.int16)) == 0.5


class Clock:
    """Time that passes only when a network computes."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr("segviz.engine.race.time.perf_counter", lambda: self.now)


class Paced(nn.Module):
    """A network that takes `fixed` + `each` x N seconds for N windows, and ten times as long at its first call."""

    def __init__(self, clock, fixed, each):
        super().__init__()
        self.clock, self.fixed, self.each, self.calls = clock, fixed, each, 0

    def forward(self, x):
        self.calls += 1
        self.clock.now += (self.fixed + self.each * len(x)) * (10 if self.calls == 1 else 1)
        return torch.zeros(len(x), 2, 3, 4)


def course_of(network, outputs=5000):
    """A course with nothing in it but what is timed."""
    windows = SimpleNamespace(batch=lambda first, end: torch.zeros(end - first, 1, 2, 2), rows=3, columns=4)
    native = SimpleNamespace(operations=[SimpleNamespace(elements=2**18)])
    entry = SimpleNamespace(title="Paced", sigmoid=False)
    loaded = SimpleNamespace(network=network, entry=entry)
    job = SimpleNamespace(loaded=loaded, native=native, weights=network)
    image = torch.zeros(1, 1, 2, 2)
    return SimpleNamespace(job=job, windows=windows, outputs=outputs, image=image, skip=1, dense=None)


@pytest.fixture
def walks(monkeypatch):
    """A walk is one call of the network."""

    def run(dense, network, image):
        yield Progress(0, 1)
        return Pass(network(image))

    monkeypatch.setattr("segviz.engine.race.run", run)


def ended(generator):
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize(("fixed", "each", "best"), [(1.0, 0.001, 256), (0.0, 0.001, 16)])
def test_the_best_batch_is_the_one_with_the_most_windows_a_second(monkeypatch, fixed, each, best):
    """With a price for every call large batches win; without one the first of the equal ones."""
    clock = Clock(monkeypatch)
    found = ended(_best_batch(course_of(Paced(clock, fixed, each)), budget=100.0))
    assert found == best


def test_batches_beyond_the_budget_are_not_tried(monkeypatch):
    """Of 16, 64 and 256 windows: 64 would take 2 x 6.4 seconds, though it would be a little faster a window."""
    clock = Clock(monkeypatch)
    network = Paced(clock, 0.1, 0.1)
    assert ended(_best_batch(course_of(network), budget=10.0)) == 16
    assert network.calls == 2
    assert ended(_best_batch(course_of(network), budget=100.0)) == 256


def test_the_warm_up_is_outside_the_clock(monkeypatch, walks):
    clock = Clock(monkeypatch)
    logits, seconds = ended(_run_dense(course_of(Paced(clock, 1.0, 0.0)), budget=100.0))
    assert seconds == [1.0] * REPEATS
    assert logits.shape == (2, 3, 4)


def test_a_pass_that_is_over_the_budget_is_the_only_one(monkeypatch, walks):
    clock = Clock(monkeypatch)
    _, seconds = ended(_run_dense(course_of(Paced(clock, 1.0, 0.0)), budget=5.0))
    assert seconds == [10.0]


def test_the_speed_up_falls_with_the_square_of_the_stride():
    """121 x 121 windows of 32 pixels, 4 apart: at 8 pixels 61 x 61 are left, at 32 windows lie side by side."""
    windows = SimpleNamespace(rows=121, columns=121, stride=4, size=(32, 32))
    found = list(_by_stride(SimpleNamespace(windows=windows), window=0.001, dense=0.5))
    assert [(f.stride, f.outputs) for f in found] == [(4, 121**2), (8, 61**2), (16, 31**2), (32, 16**2)]
    assert found[0].speedup == pytest.approx(121**2 * 0.001 / 0.5)


def test_a_batch_that_is_tried_can_be_stopped_after_every_call(monkeypatch):
    network = Paced(Clock(monkeypatch), 0.1, 0.1)
    calls = [0]
    for _ in _best_batch(course_of(network), budget=100.0):
        calls.append(network.calls)
    assert calls == list(range(7))  # two tries each of 16, 64 and 256 windows


def test_a_timed_pass_can_be_stopped_and_its_clock_stands_meanwhile(monkeypatch):
    """Three layers of a second each; whoever is told of them takes a hundred."""
    clock = Clock(monkeypatch)

    def run(dense, network, image):
        for layer in range(3):
            clock.now += 1.0
            yield Progress(layer + 1, 3)
        yield "a strip, which is not told"
        return Pass(torch.zeros(1, 2, 3, 4))

    monkeypatch.setattr("segviz.engine.race.run", run)
    steps, told = _run_dense(course_of(None), budget=100.0), 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            _, seconds = end.value
            break
        told += 1
        clock.now += 100.0
    assert seconds == [3.0] * REPEATS
    assert told == 3 * (1 + REPEATS)


def test_a_race_that_is_closed_closes_its_walk(monkeypatch, walks):
    ends = []

    def run(dense, network, image):
        try:
            yield Progress(0, 1)
        finally:
            ends.append("closed")

    monkeypatch.setattr("segviz.engine.race.run", run)
    steps = _run_dense(course_of(None), budget=100.0)
    next(steps)
    steps.close()
    assert ends == ["closed"]
