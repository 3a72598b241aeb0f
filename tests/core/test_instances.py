"""Instances against the connected parts of a prediction, on maps that one can count."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segviz.core.errors import SegvizError
from segviz.core.instances import InstanceScore, apart, largest_parts, parts, ranked, score, touching

MAPS = arrays.arrays(
    np.int32, arrays.array_shapes(min_dims=2, max_dims=2, max_side=10), elements=st.sampled_from((0, 1, 2, 7))
)


def row(*numbers: int) -> npt.NDArray[np.int32]:
    """Three equal rows."""
    return np.array([numbers] * 3, np.int32)


TWO = row(1, 1, 1, 0, 2, 2, 2, 0, 0, 0, 0, 0)


def test_the_truth_itself_is_perfect() -> None:
    found = score(TWO, TWO > 0)
    assert found == InstanceScore(truth=2, found=2, matched=2, touching=1, parted=1)
    assert (found.f_score, found.separated) == (1, 1)


def test_a_bridge_of_one_pixel_makes_one_of_two() -> None:
    predicted = TWO > 0
    predicted[1, 3] = True
    found = score(TWO, predicted)
    assert found == InstanceScore(truth=2, found=1, matched=0, touching=1, parted=0)
    assert (found.f_score, found.separated) == (0, 0)


def test_half_of_the_union_is_not_enough() -> None:
    """The second part is 9 pixels of 18: IoU exactly one half."""
    truth = row(5, 5, 5, 5, 5, 5, 0)
    assert score(truth, np.isin(np.arange(7), (0, 1, 2)) & (truth > 0)).matched == 0
    assert score(truth, np.isin(np.arange(7), (0, 1, 2, 3)) & (truth > 0)).matched == 1


def test_what_is_missed_is_not_parted() -> None:
    assert score(TWO, TWO == 1) == InstanceScore(truth=2, found=1, matched=1, touching=1, parted=0)


def test_an_instance_of_which_a_speck_is_found_is_not_parted() -> None:
    predicted = TWO == 1
    predicted[1, 6] = True
    assert score(TWO, predicted).parted == 0


def test_specks_count_as_found() -> None:
    predicted = TWO > 0
    predicted[0, 9] = predicted[0, 11] = True
    found = score(TWO, predicted)
    assert (found.found, found.matched, found.parted) == (4, 2, 1)
    assert found.f_score == pytest.approx(2 * 2 / (2 + 4))


def test_nothing_has_no_score_and_scores_add() -> None:
    empty = score(np.zeros((3, 4), np.int32), np.zeros((3, 4), bool))
    assert empty == InstanceScore(0, 0, 0, 0, 0)
    assert (empty.f_score, empty.separated) == (None, None)
    assert score(TWO, TWO > 0) + score(TWO, TWO == 1) == InstanceScore(4, 3, 3, 2, 1)


def test_maps_of_two_sizes_are_refused() -> None:
    with pytest.raises(SegvizError, match=r"\(3, 12\).*\(3, 11\)"):
        score(TWO, TWO[:, 1:] > 0)


@given(MAPS, st.integers(1, 3))
def test_who_touches_is_who_is_near(instances: npt.NDArray[np.int32], reach: int) -> None:
    places = {number: np.argwhere(instances == number) for number in np.unique(instances[instances != 0])}
    near = {
        (a, b)
        for a, one in places.items()
        for b, other in places.items()
        if a < b and np.abs(one[:, None] - other[None]).max(2).min() <= reach
    }
    assert set(touching(instances, reach)) == near


@given(MAPS, st.sampled_from((1, 2)))
def test_ribbons_part_what_touches_and_take_nothing_else(instances: npt.NDArray[np.int32], width: int) -> None:
    cut = apart(instances, width)
    assert touching(cut, 1) == ()
    gone = (cut == 0) & (instances != 0)
    assert np.array_equal(cut[~gone], instances[~gone])
    for down, right in np.argwhere(gone):
        around = instances[max(0, down - 1) : down + 2, max(0, right - 1) : right + 2]
        assert ((around != 0) & (around != instances[down, right])).any()


def test_a_ribbon_is_as_wide_as_it_says() -> None:
    assert apart(row(1, 1, 1, 2, 2, 2), 1)[1].tolist() == [1, 1, 0, 2, 2, 2]
    assert apart(row(1, 1, 1, 2, 2, 2), 2)[1].tolist() == [1, 1, 0, 0, 2, 2]
    assert apart(row(1, 1, 0, 2, 2, 2), 2)[1].tolist() == [1, 1, 0, 2, 2, 2]
    with pytest.raises(SegvizError, match="3 pixels"):
        apart(TWO, 3)


def test_of_an_instance_in_pieces_the_largest_stays() -> None:
    assert largest_parts(row(4, 0, 4, 4, 0, 9))[0].tolist() == [0, 0, 4, 4, 0, 9]


def test_corners_do_not_connect() -> None:
    assert parts(np.eye(3, dtype=bool)).max() == 3


def test_ranks_have_no_gaps() -> None:
    assert ranked(row(0, 9, 4))[0].tolist() == [0, 2, 1]
    assert ranked(row(9, 4))[0].tolist() == [2, 1]
