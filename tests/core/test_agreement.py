"""A prediction held against a mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segviz.core.agreement import agree, completed
from segviz.core.errors import SegvizError
from segviz.core.field import Box
from segviz.core.masks import Mask
from tests.gui import scenes


def mask_of(labels: np.ndarray, *names: str) -> Mask:
    return Mask("/data/page_mask.png", labels.astype(np.int32), names=names)


def test_its_own_labels_agree_everywhere() -> None:
    prediction = scenes.prediction()
    found = completed(agree(mask_of(prediction.labels), prediction))
    assert found.scores.mean_iou == 1
    assert np.trace(found.confusion.counts) == found.counted == prediction.labels.size
    assert {band.mean_iou for band in found.bands if band.pixels} == {1}
    assert found.bounds[0].mean_iou <= 1


def test_every_pixel_is_in_the_cell_that_counts_it() -> None:
    prediction = scenes.prediction()
    truth = np.roll(prediction.labels, 9, axis=1).astype(np.int32)
    truth[:10] = 255
    found = agree(mask_of(truth), prediction)
    assert (found.pairs[:10] == 0).all()
    for row, true in enumerate(found.confusion.classes):
        for column, said in enumerate(found.confusion.classes):
            pixels = found.pairs == found.pair((true, said))
            assert pixels.sum() == found.confusion.counts[row, column]
            assert np.array_equal(pixels, (truth == true) & (prediction.labels == said))
    assert found.has((found.confusion.classes[0],) * 2)
    assert not found.has((99, 0))
    assert not found.has(None)


def test_a_thousand_classes_need_no_table_of_a_million() -> None:
    names = tuple(f"class {i}" for i in range(1000))
    prediction = replace(scenes.prediction(), classes=names, labels=np.array([[3, 999], [3, 3]], np.uint16))
    prediction = replace(prediction, region=Box(0, 0, 2, 2))
    found = agree(mask_of(np.array([[3, 3], [500, 3]])), prediction)
    assert found.confusion.classes == (3, 500, 999)
    assert found.confusion.counts.tolist() == [[2, 0, 1], [1, 0, 0], [0, 0, 0]]
    assert found.pairs.tolist() == [[1, 3], [4, 1]]


def test_classes_of_the_data_are_found_by_name() -> None:
    prediction = scenes.prediction()
    shown = prediction.labels[0, 0]
    found = agree(mask_of(np.zeros(prediction.labels.shape), str(shown), "blot"), prediction)
    assert found.classes[-1] == "blot"
    assert found.confusion.counts[found.confusion.classes.index(shown)].sum() == found.counted
    assert any("no class blot" in remark for remark in found.remarks)


def test_a_mask_that_marks_nothing_names_itself() -> None:
    prediction = scenes.prediction()
    with pytest.raises(SegvizError, match=r"page_mask\.png: .*marks no pixel"):
        agree(mask_of(np.full(prediction.labels.shape, 255)), prediction)


def test_a_mask_of_another_size_names_both() -> None:
    with pytest.raises(SegvizError, match=r"page_mask\.png: the mask is 3x2 and the image 128x96"):
        mask_of(np.zeros((2, 3))).check_size(96, 128)


def test_a_class_that_labels_alone_have_is_said_to_pull_the_mean_down() -> None:
    names = ("paper", "ink", "stain", "hole")
    labels = np.array([[0, 0, 1, 2], [0, 0, 1, 3]], np.uint16)
    prediction = replace(scenes.prediction(), classes=names, labels=labels, region=Box(0, 0, 4, 2))
    truth = np.array([[0, 0, 1, 1], [0, 0, 1, 1]])
    found = agree(mask_of(truth), prediction)
    assert found.scores.mean_iou == pytest.approx((1 + 0.5 + 0 + 0) / 4)
    said = "2 classes without truth are labelled all the same (stain, hole): IoU 0 each, which pulls the mean down"
    assert found.remarks == (said,)
    assert agree(mask_of(labels), prediction).remarks == ()
