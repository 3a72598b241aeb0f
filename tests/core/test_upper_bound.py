"""The best mean IoU of a coarse answer, against maps that are really made coarse and brought back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from segviz.core import metrics, upper_bound
from segviz.core.upper_bound import bounds

CLASSES = 4
NAMES = [str(i) for i in range(CLASSES)]
maps = arrays(
    np.int32, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=13), elements=st.integers(-1, CLASSES - 1)
)


def brought_back(truth: np.ndarray, factor: int) -> np.ndarray:
    """Each cell filled with the label that most of its pixels have."""
    out = np.zeros_like(truth)
    for top in range(0, truth.shape[0], factor):
        for left in range(0, truth.shape[1], factor):
            cell = np.s_[top : top + factor, left : left + factor]
            counting = truth[cell][truth[cell] >= 0]
            out[cell] = np.bincount(counting, minlength=CLASSES).argmax() if counting.size else 0
    return out


@given(maps, st.integers(1, 6))
def test_it_is_the_score_of_the_truth_downsampled_and_brought_back(truth: np.ndarray, factor: int) -> None:
    found = bounds(truth, CLASSES, (factor,))
    if not (truth >= 0).any():
        assert found == ()
        return
    whole = metrics.counted(truth, brought_back(truth, factor), NAMES).scores
    assert found[0].mean_iou == pytest.approx(whole.mean_iou)


def test_counting_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.random.default_rng(1).integers(-1, CLASSES, (50, 70)).astype(np.int32)
    whole = bounds(truth, CLASSES, (3, 8))
    monkeypatch.setattr(upper_bound, "COUNTED_AT_ONCE", 1)
    assert bounds(truth, CLASSES, (3, 8)) == whole


def test_regions_that_the_grid_cuts_clean_lose_nothing_and_a_finer_grid_loses_no_more() -> None:
    truth = np.zeros((64, 64), np.int32)
    truth[16:48, 16:32] = 1
    assert [bound.mean_iou for bound in bounds(truth, 2, (4, 8, 16))] == [1, 1, 1]
    disc = ((np.mgrid[:256, :256] - 127.5) ** 2).sum(axis=0) < 80**2
    found = [bound.mean_iou for bound in bounds(disc.astype(np.int32), 2)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.95 > found[3] > found[-1]
