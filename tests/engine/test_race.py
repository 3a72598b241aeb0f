"""What of a race can be known without running one: which windows are computed, and what is made of a sample.

Whole races stand in `test_run.py`.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segviz.engine.race import EXACT, _agreement, _Clock, _lane, _order


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
    lane = _lane(_Clock(seconds=2.0, measured=50), outputs=200, macs=7, batch=10)
    assert (lane.seconds, lane.extrapolated, lane.measured, lane.outputs) == (pytest.approx(8.0), True, 50, 200)
    assert not _lane(_Clock(2.0, 200), 200, 7, 10).extrapolated


def test_labels_agree_where_they_are_equal_or_tied_to_rounding():
    probabilities = np.array([[0.6, 0.5, 0.5 + 2 * EXACT, 0.9], [0.4, 0.5, 0.5 - 2 * EXACT, 0.1]], np.float32)
    assert _agreement(probabilities, np.array([0, 1, 1, 0], np.int16)) == 0.75
    assert _agreement(probabilities, np.array([1, 0, 0, 1], np.int16)) == 0.5
