"""The trimap score against a slow reading of its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from segviz.core import metrics
from segviz.core.boundaries import boundary, square_distance, trimap

CLASSES = 4
maps = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12).flatmap(
    lambda shape: st.tuples(
        arrays(np.int32, shape, elements=st.integers(-1, CLASSES - 1)),
        arrays(np.int32, shape, elements=st.integers(0, CLASSES - 1)),
    )
)


def slow_distance(to: np.ndarray) -> np.ndarray:
    """The squared distance to every pixel of `to`, one by one."""
    rows, columns = np.nonzero(to)
    y, x = np.mgrid[: to.shape[0], : to.shape[1]]
    if not rows.size:
        return np.full(to.shape, 10_000)
    return ((y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2).min(axis=2)


def test_a_boundary_has_the_pixels_of_both_sides() -> None:
    labels = np.zeros((5, 6), np.int32)
    labels[:, 3:] = 1
    assert np.array_equal(np.flatnonzero(boundary(labels)[2]), [2, 3])
    assert not boundary(np.zeros((3, 3), np.int32)).any()


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14)), st.integers(1, 5))
def test_distances_are_euclidean_up_to_their_limit(to: np.ndarray, limit: int) -> None:
    found, slow = square_distance(to, limit), slow_distance(to)
    near = slow <= limit * limit
    assert np.array_equal(found[near], slow[near])
    assert (found[~near] > limit * limit).all()


@given(maps)
def test_a_band_scores_what_the_whole_map_would_with_the_rest_ignored(both: tuple[np.ndarray, np.ndarray]) -> None:
    truth, found = both
    far = slow_distance(boundary(truth))
    for band in trimap(truth, found, CLASSES, (1, 2, 4)):
        inside = np.where(far <= (band.width - 1) ** 2, truth, -1)
        assert band.pixels == (inside >= 0).sum()
        if not band.pixels:
            assert (band.pixel_accuracy, band.mean_iou) == (None, None)
            continue
        whole = metrics.counted(inside, found, [str(i) for i in range(CLASSES)]).scores
        assert band.pixel_accuracy == pytest.approx(whole.pixel_accuracy)
        assert band.mean_iou == pytest.approx(whole.mean_iou)


def test_an_edge_that_is_off_by_two_costs_less_in_a_wider_band() -> None:
    truth, found = np.zeros((20, 40), np.int32), np.zeros((20, 40), np.int32)
    truth[:, 20:], found[:, 22:] = 1, 1
    one, two, ten = (band.pixel_accuracy for band in trimap(truth, found, 2, (1, 2, 10)))
    assert (one, two, ten) == (pytest.approx(1 / 2), pytest.approx(1 / 2), pytest.approx(18 / 20))


def test_the_borders_that_nobody_labelled_are_boundaries() -> None:
    truth = np.zeros((1, 9), np.int32)
    truth[0, 4] = -1
    (band,) = trimap(truth, np.zeros((1, 9), np.int32), 1, (1,))
    assert band.pixels == 2
