"""Skips faded by weighted sums, on depths that are made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segviz.core import fading, metrics
from segviz.core.choices import Device
from segviz.core.depths import DepthRequest, Depths
from segviz.core.frames import Lattice
from segviz.core.laboratory import Laboratory, Page
from segviz.core.masks import Mask
from segviz.core.planning import plan_depths
from segviz.core.requests import Setup
from segviz.core.session import State
from segviz.core.upsamplers import bilinear_kernel


def whole(found, weights):
    return np.concatenate(list(fading.faded(found, weights)), 1)


def depths(classes: int = 3) -> Depths:
    random = np.random.default_rng(0)
    maps = tuple(random.normal(size=(classes, 4, 5)).astype(np.float32) for _ in range(3))
    kernel = np.zeros((classes, classes, 16, 16), np.float32)
    kernel[range(classes), range(classes)] = bilinear_kernel(8)
    return Depths(
        tuple(f"class {k}" for k in range(classes)), ("score_fr", "score_pool4", "score_pool3"), (32, 16, 8), maps,
        kernel, 8, (4, 4), (32, 40), Lattice(30, 40, (0.0, 0.0), (1.0, 1.0)),
    )  # fmt: skip


@pytest.mark.parametrize("weights", [(1, 1, 1), (1, 0.5, 0.25), (0, 0, 1), (0, 0, 0)])
@pytest.mark.parametrize("at_once", [1, 3 * 40 * 16, fading.AT_ONCE])
def test_fading_is_the_last_upsampling_of_a_weighted_sum(weights, at_once, monkeypatch):
    monkeypatch.setattr(fading, "AT_ONCE", at_once)
    found = depths()
    total = sum(weight * torch.from_numpy(maps) for weight, maps in zip(weights, found.maps, strict=True))
    wanted = F.conv_transpose2d(total[None], torch.from_numpy(found.kernel), stride=8)[0, :, 4:34, 4:44]
    assert np.abs(whole(found, weights) - wanted.numpy()).max() < 1e-5


@pytest.mark.parametrize("at_once", [1, fading.AT_ONCE])
def test_labels_and_probabilities_are_those_of_the_scores(at_once, monkeypatch):
    found = depths()
    scores = whole(found, (1, 0.5, 2))
    monkeypatch.setattr(fading, "AT_ONCE", at_once)
    assert np.array_equal(fading.labels(found, (1, 0.5, 2)), scores.argmax(0))
    softmax = torch.from_numpy(scores).softmax(0)[2].numpy()
    assert np.abs(fading.probability(found, (1, 0.5, 2), 2) - softmax).max() < 1e-6


def test_strips_of_scores_never_hold_classes_times_pixels():
    found = replace(depths(60), size=(2_000, 8), corner=(0, 0), lattice=Lattice(2_000, 8, (0.0, 0.0), (1.0, 1.0)))
    found = replace(found, maps=tuple(np.zeros((60, 250, 1), np.float32) for _ in range(3)))
    strips = [strip.shape for strip in fading.faded(found, (1, 1, 1))]
    assert sum(rows for _, rows, _ in strips) == 2_000
    wide = replace(found, size=(2_000, 1_000), lattice=Lattice(2_000, 1_000, (0.0, 0.0), (1.0, 1.0)))
    assert next(fading.faded(wide, (1, 1, 1))).size <= fading.AT_ONCE


def test_weights_say_which_network_it_is_cut_down_to():
    found = depths()
    assert [found.with_skips(count) for count in range(3)] == [(1, 0, 0), (1, 1, 0), (1, 1, 1)]
    assert [found.alone(depth) for depth in range(3)] == [(1, 0, 0), (0, 1, 0), (0, 0, 1)]


def test_labels_of_a_lattice_are_found_at_the_pixels_of_the_image():
    """Units two pixels apart from pixel 0.5 on: each has its two pixels; the ends go on."""
    labels = np.arange(6).reshape(2, 3)
    found = fading.labels_at(labels, Lattice(2, 3, (0.5, 0.5), (2.0, 2.0)), 5, 7)
    assert np.array_equal(found[0], [0, 0, 1, 1, 2, 2, 2])
    assert np.array_equal(found[:, 0], [0, 0, 3, 3, 3])


def test_the_score_is_that_of_the_labels_at_the_truths_pixels():
    labels = np.array([[0, 1], [1, 1]])
    truth = labels.repeat(2, 0).repeat(2, 1)
    lattice = Lattice(2, 2, (0.5, 0.5), (2.0, 2.0))
    assert fading.score(labels, lattice, Mask("", truth), ("a", "b")).mean_iou == 1.0
    truth = truth.copy()
    truth[3, 3] = 0
    wanted = metrics.counted(truth, labels.repeat(2, 0).repeat(2, 1), ("a", "b")).scores
    assert fading.score(labels, lattice, Mask("", truth), ("a", "b")) == wanted
    assert wanted.mean_iou < 1


def test_a_label_that_does_not_count_is_left_out_of_the_score():
    labels, truth = np.array([[0, 1], [1, 1]]), np.array([[0, 2], [1, 1]])
    lattice = Lattice(2, 2, (0.0, 0.0), (1.0, 1.0))
    assert fading.score(labels, lattice, Mask("", truth), ("a", "b"), ignored=2).mean_iou == 1.0


def test_scores_of_depths_are_asked_for_by_their_pages_alone():
    state = State(image="/a.png", model="fcn8s-efficientnet_lite0", device=Device.CPU)
    assert plan_depths(state) == DepthRequest(Setup(state.model, device=Device.CPU))
    for page in (Page.SKIPS, Page.DEPTHS):
        shown = replace(state, upsampling_lab=Laboratory(page))
        assert plan_depths(shown) == DepthRequest(Setup(state.model, "/a.png", device=Device.CPU), True)
        assert not plan_depths(replace(shown, image=None)).scores
    assert plan_depths(State()) is None
