"""Probabilities: their definition, and that heatmap, ranking and labels tell the same story."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from segviz.core import scores
from segviz.core.choices import Method, Upsampling
from segviz.core.frames import Lattice
from segviz.core.refinement import Refinement
from tests.core.predictions import prediction

LOGITS = np.random.default_rng(5).normal(scale=3, size=(6, 4, 5)).astype(np.float32)


def test_softmax_is_torchs():
    expected = torch.softmax(torch.from_numpy(LOGITS), 0).numpy()
    np.testing.assert_allclose(scores.softmax(LOGITS), expected, atol=1e-6)


@given(st.floats(-1e4, 1e4), st.integers(2, 5))
def test_large_logits_neither_overflow_nor_move_the_result(shift, classes):
    base = np.linspace(-2, 2, classes, dtype=np.float32)[:, None, None]
    np.testing.assert_allclose(scores.softmax(base + np.float32(shift)), scores.softmax(base), atol=3e-3)
    extreme = scores.softmax(base * np.float32(1e30))
    assert extreme[-1, 0, 0] == 1


def test_class_probability_is_one_plane_of_softmax():
    whole = scores.softmax(LOGITS)
    for index in range(len(LOGITS)):
        np.testing.assert_allclose(scores.class_probability(LOGITS, index), whole[index], atol=1e-6)


@pytest.mark.parametrize("classes", [1, 6, scores.CLASSES_AT_ONCE + 1, 200])
def test_peaks_are_the_largest_of_softmax(classes):
    logits = np.random.default_rng(6).normal(scale=3, size=(classes, 4, 5)).astype(np.float32)
    whole = scores.softmax(logits)
    normaliser = scores.Normaliser.of(logits)
    np.testing.assert_allclose(normaliser.peaks(logits), whole.max((1, 2)), atol=1e-6)
    np.testing.assert_allclose(normaliser.probability(logits), whole, atol=1e-6)


def test_one_sigmoid_output_is_a_softmax_of_zero_and_z():
    z = LOGITS[:1]
    two = np.concatenate([np.zeros_like(z), z])
    np.testing.assert_allclose(scores.class_probability(two, 1), 1 / (1 + np.exp(-z[0])), atol=1e-6)


@pytest.mark.parametrize("how", list(Upsampling))
def test_ranking_reads_the_labels_and_the_heatmaps(how):
    answer = prediction(LOGITS, how=how)
    heat = [scores.heatmap(answer, index) for index in range(6)]
    for x, y in ((0, 0), (11, 7), (20, 13), (39, 23)):
        ranked = scores.ranking(answer, x, y, count=6)
        assert ranked[0].index == answer.labels[y, x]
        assert ranked[0].name == f"class {ranked[0].index}"
        for entry in ranked:
            assert entry.probability * 255 == pytest.approx(heat[entry.index][y, x], abs=0.51)
        others = [entry.probability for entry in ranked[1:]]
        assert others == sorted(others, reverse=True)


def test_ranking_names_the_label_that_is_painted_at_the_pixel_of_any_position():
    """Just this side of a border between two labels the pixel has one of them, wherever in it the mouse is."""
    answer = prediction(LOGITS)
    rows, columns = np.nonzero(answer.labels[:, 1:] != answer.labels[:, :-1])
    assert len(rows) > 20
    for y, x in zip(rows, columns, strict=True):
        for at in (x - 0.45, x + 0.45):
            assert scores.ranking(answer, at, y)[0].index == answer.labels[y, x]
            assert scores.ranking(answer, at, y) == scores.ranking(answer, x, y)


def test_ranking_of_whole_fields_has_the_label_of_the_field_that_is_painted():
    """The nearest unit need not be the one whose field is seen."""
    painted = prediction(LOGITS, how=Upsampling.NEAREST)
    labels = np.roll(painted.labels, 9, axis=1)
    confidence = np.full(labels.shape, 204, np.uint8)
    answer = replace(painted, method=Method.DIRECT, labels=labels, confidence=confidence)
    ranked = scores.ranking(answer, 17, 11, count=6)
    assert (ranked[0].index, ranked[0].probability) == (labels[11, 17], pytest.approx(0.8))
    assert sorted(entry.index for entry in ranked) == list(range(6))
    heat = [scores.heatmap(answer, index)[11, 17] / 255 for index in range(6)]
    for entry in ranked[1:]:
        assert entry.probability == pytest.approx(heat[entry.index], abs=0.003)


def test_ranking_breaks_ties_by_the_lower_index():
    answer = prediction(np.zeros((4, 3, 3), np.float32))
    assert [entry.index for entry in scores.ranking(answer, 5, 5, count=3)] == [0, 1, 2]


def test_heatmaps_of_all_classes_sum_to_one():
    answer = prediction(LOGITS)
    total = sum(scores.heatmap(answer, index).astype(int) for index in range(6))
    assert np.abs(total - 255).max() <= 3  # six roundings


def test_peak_is_on_the_grid_before_upsampling():
    answer = prediction(LOGITS)
    value, at = scores.peak(answer, 2)
    grid = scores.softmax(LOGITS)[2]
    row, column = np.unravel_index(grid.argmax(), grid.shape)
    assert value == pytest.approx(float(grid.max()))
    assert at == (3.5 + 8 * column, 2 + 6 * row)


def test_shares_are_counted_largest_first_and_only_where_labels_are_sure():
    labels = np.array([[2, 2, 0], [2, 0, 1]], np.uint16)
    confidence = np.array([[255, 40, 200], [255, 10, 128]], np.uint8)
    levels = scores.levels(labels, confidence, 4)
    assert levels.shape == (4, 256)
    assert levels[2, 255] == 2
    assert scores.shares(levels) == ((2, 3 / 6), (0, 2 / 6), (1, 1 / 6))
    assert scores.shares(levels, 0.5) == ((2, 2 / 6), (0, 1 / 6), (1, 1 / 6))
    assert scores.shares(levels, 1.0) == ((2, 2 / 6),)


def test_counting_in_blocks_of_rows_counts_every_row(monkeypatch):
    monkeypatch.setattr(scores, "ROWS_AT_ONCE", 2)
    labels = np.arange(15, dtype=np.uint8).reshape(5, 3) % 4
    assert scores.levels(labels, labels, 4).sum(axis=1).tolist() == [4, 4, 4, 3]


def test_a_peak_beyond_the_border_is_named_at_the_border():
    """A 1x1 image padded to a window of 32: the only unit sits at 15.5."""
    one = replace(prediction(np.zeros((3, 1, 1)), 1, 1), lattice=Lattice(1, 1, (15.5, 15.5), (4.0, 4.0)))
    assert scores.peak(one, 0)[1] == (0.0, 0.0)


def test_the_label_of_a_refined_pixel_has_the_probability_that_the_refinement_gave_it():
    logits = np.zeros((3, 4, 5), np.float32)
    logits[1] = 4
    found = prediction(logits)
    labels, confidence = found.labels.copy(), np.full(found.labels.shape, 204, np.uint8)
    labels[:] = 2
    request = replace(found.request, refinement=Refinement())
    refined = replace(found, labels=labels, confidence=confidence, request=request)
    best = scores.ranking(refined, 10, 10, 2)
    assert (best[0].index, best[0].probability) == (2, pytest.approx(0.8))
    assert best[1].index == 1
