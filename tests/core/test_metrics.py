"""The scores of the FCN paper, on tables small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segviz.core import metrics
from segviz.core.errors import SegvizError

CLASSES = 4
label_maps = arrays.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.integers(0, 3))


def scored(truth: np.ndarray, found: np.ndarray, classes: int) -> metrics.Scores:
    return metrics.counted(truth, found, [str(index) for index in range(classes)]).scores


def test_a_table_worked_out_by_hand() -> None:
    truth = np.array([[0, 0, 0, 1], [0, 1, 1, 1]], np.uint8)
    found = np.array([[0, 0, 1, 1], [0, 1, 1, 0]], np.uint8)
    result = scored(truth, found, 2)
    # n_00 = 3, n_01 = 1, n_10 = 1, n_11 = 3: t = 4, 4; unions 5, 5
    assert result.pixel_accuracy == pytest.approx(6 / 8)
    assert result.mean_accuracy == pytest.approx(3 / 4)
    assert result.mean_iou == pytest.approx(3 / 5)
    assert result.frequency_weighted_iou == pytest.approx(3 / 5)


def test_unequal_classes_tell_the_four_scores_apart() -> None:
    counts = np.array([[8, 0, 0], [1, 1, 0], [0, 0, 0]], np.int64)
    result = metrics.scores(counts)
    assert result.pixel_accuracy == pytest.approx(9 / 10)
    assert result.mean_accuracy == pytest.approx((1 + 1 / 2) / 2)
    assert result.mean_iou == pytest.approx((8 / 9 + 1 / 2) / 2)
    assert result.frequency_weighted_iou == pytest.approx((8 * 8 / 9 + 2 * 1 / 2) / 10)
    assert [score.index for score in result.per_class] == [0, 1], "the absent class counts in no mean"


def test_a_class_only_predicted_counts_as_zero_iou_and_has_no_accuracy() -> None:
    truth, found = np.zeros((1, 4), np.uint8), np.array([[0, 0, 0, 2]], np.uint8)
    result = scored(truth, found, 3)
    assert result.mean_accuracy == pytest.approx(3 / 4)
    assert result.mean_iou == pytest.approx((3 / 4 + 0) / 2)
    assert [(score.index, score.accuracy, score.iou) for score in result.per_class] == [(0, 0.75, 0.75), (2, None, 0.0)]


@given(label_maps)
def test_the_truth_scores_one_everywhere(labels: np.ndarray) -> None:
    result = scored(labels, labels, CLASSES)
    four = (result.pixel_accuracy, result.mean_accuracy, result.mean_iou, result.frequency_weighted_iou)
    assert four == pytest.approx((1, 1, 1, 1))


@given(label_maps, st.permutations(range(CLASSES)))
def test_the_names_of_classes_do_not_matter(labels: np.ndarray, order: list[int]) -> None:
    found = np.roll(labels, 1)
    renamed = np.array(order, np.uint8)
    before = scored(labels, found, CLASSES)
    after = scored(renamed[labels], renamed[found], CLASSES)
    assert after.mean_iou == pytest.approx(before.mean_iou)
    assert after.frequency_weighted_iou == pytest.approx(before.frequency_weighted_iou)


def test_what_cannot_be_scored_says_why() -> None:
    square = np.zeros((4, 4), np.uint8)
    with pytest.raises(SegvizError, match="4x4 and the label map 6x4"):
        scored(square, np.zeros((4, 6), np.uint8), 3)
    with pytest.raises(SegvizError, match="nothing to score"):
        scored(np.full((4, 4), -1), square, 3)


def test_counting_leaves_out_classes_that_are_nowhere_and_pixels_below_zero() -> None:
    truth, found = np.array([[2, 2, -1], [5, 2, -1]], np.int32), np.array([[2, 5, 7], [5, 9, 0]], np.uint8)
    table = metrics.counted(truth, found, [f"class {i}" for i in range(10)])
    assert (table.classes, table.names) == ((2, 5, 9), ("class 2", "class 5", "class 9"))
    assert table.counts.tolist() == [[1, 1, 1], [0, 1, 0], [0, 0, 0]]
    assert table.shares.tolist() == [pytest.approx([1 / 3] * 3), [0, 1, 0], [0, 0, 0]]
    assert [(score.index, score.pixels) for score in table.scores.per_class] == [(2, 3), (5, 1), (9, 0)]


def whole_table(truth: np.ndarray, found: np.ndarray) -> np.ndarray:
    """n_ij of all classes, by its definition."""
    table = np.zeros((CLASSES, CLASSES), np.int64)
    np.add.at(table, (truth, found), 1)
    return table


@given(label_maps)
def test_the_small_table_scores_as_the_whole_one(labels: np.ndarray) -> None:
    found = np.roll(labels, 1)
    assert scored(labels, found, CLASSES) == metrics.scores(whole_table(labels, found))


@given(label_maps, label_maps)
def test_tables_of_two_images_add_up(first: np.ndarray, second: np.ndarray) -> None:
    names = [str(i) for i in range(CLASSES)]
    one, other = (metrics.counted(labels, np.roll(labels, 1), names) for labels in (first, second))
    whole = whole_table(first, np.roll(first, 1)) + whole_table(second, np.roll(second, 1))
    both = metrics.added(one, other)
    assert both.scores == metrics.scores(whole)
    assert np.array_equal(whole[np.ix_(both.classes, both.classes)], both.counts)
