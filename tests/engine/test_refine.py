"""The dense CRF against its definition over all pairs of pixels, and what it makes of a picture with edges."""

import numpy as np
import pytest
import torch

from segviz.core import metrics
from segviz.core.choices import Method, Upsampling
from segviz.core.errors import SegvizError
from segviz.core.frames import Lattice
from segviz.core.refinement import Refinement, at_hand, both, toggled
from segviz.core.requests import SegmentRequest, Setup
from segviz.engine import labels, refine
from segviz.engine.run import Engine
from tests.engine.test_labels import ended

BY = Refinement(3.0, 30.0, 2.0)
FAR = Refinement(12.0, 20.0, 5.0)


def all_pairs(logits, pixels, by, near):
    """Mean field by Krähenbühl and Koltun's algorithm 1 with every pair of pixels, in the order of the book."""
    classes, height, width = logits.shape
    y, x = (
        axis.reshape(-1).double() for axis in torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    )
    apart = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    colours = pixels.reshape(3, -1)
    unlike = ((colours[:, :, None] - colours[:, None, :]) ** 2).sum(0)
    others = 1 - torch.eye(height * width, dtype=torch.float64)
    kernels = (
        (refine.APPEARANCE, others * torch.exp(-apart / (2 * by.width**2) - unlike / (2 * by.colour**2))),
        (by.smoothness, others * torch.exp(-apart / (2 * near**2))),
    )
    unary = -logits.reshape(classes, -1)
    q = torch.softmax(-unary, 0)
    for _ in range(refine.ROUNDS):
        told = sum(weight * (q @ kernel) / kernel.sum(0) for weight, kernel in kernels)
        against = told.sum(0) - told  # Potts: what other labels are told, each pair of unlike labels costing 1
        q = torch.softmax(-unary - against, 0)
    return q.reshape(classes, height, width)


@pytest.mark.parametrize(("height", "width"), [(6, 7), (1, 5), (3, 1)])
def test_the_field_is_the_exact_mean_field_of_all_pairs(height, width):
    random = torch.Generator().manual_seed(7)
    logits = torch.randn(3, height, width, generator=random, dtype=torch.float64)
    pixels = 255 * torch.rand(3, height, width, generator=random, dtype=torch.float64)
    found = ended(refine.mean_field(logits, pixels, BY, near=2.5))
    assert torch.allclose(found, all_pairs(logits, pixels, BY, 2.5), atol=1e-12, rtol=0)


def test_strips_change_nothing(monkeypatch):
    random = torch.Generator().manual_seed(1)
    logits = torch.randn(2, 9, 8, generator=random, dtype=torch.float64)
    pixels = 255 * torch.rand(3, 9, 8, generator=random, dtype=torch.float64)
    whole = ended(refine.mean_field(logits, pixels, BY))
    monkeypatch.setattr(refine, "STRIP", 16)
    assert torch.allclose(ended(refine.mean_field(logits, pixels, BY)), whole, atol=1e-12)


def test_a_large_window_is_thinned_and_stays_symmetric():
    offsets = refine.half_window(1000, 2000, 40)
    assert 2 * len(offsets) + 1 <= refine.THINNED
    assert max(dy for dy, _ in offsets) > 80
    assert not set(offsets) & {(-dy, -dx) for dy, dx in offsets}


def letter(side=48):
    """An F, whose mirror images are all different: truth (H, W) and a picture with noise on it."""
    truth = np.zeros((side, side), np.uint8)
    s = side // 12
    truth[2 * s : 10 * s, 3 * s : 5 * s] = 1
    truth[2 * s : 4 * s, 3 * s : 9 * s] = 1
    truth[5 * s : 7 * s, 3 * s : 8 * s] = 1
    random = np.random.default_rng(0)
    colours = np.where(truth[..., None], (200, 120, 60), (60, 90, 160)) + random.normal(0, 12, (side, side, 3))
    return truth, np.clip(colours, 0, 255).astype(np.uint8)


def noisy(truth, stride=6):
    """Scores on a grid that is `stride` times coarser, as a network would give them, with noise."""
    side = len(truth) // stride
    share = truth.reshape(side, stride, side, stride).mean((1, 3))
    random = np.random.default_rng(1)
    one = 4 * (share - 0.5) + random.normal(0, 0.8, share.shape)
    place = Lattice(side, side, ((stride - 1) / 2, (stride - 1) / 2), (stride, stride))
    return np.stack([np.zeros_like(one), one]).astype(np.float32), place


def iou(truth, found):
    return metrics.counted(truth, found, ("off", "on")).scores.mean_iou


def refined(logits, place, pixels, by=FAR, how=Upsampling.BILINEAR):
    height, width = pixels.shape[:2]
    before = ended(labels.interpolated(logits, place, how, height, width))
    return before, ended(refine.refined(logits, place, how, pixels, before, by, torch.device("cpu")))


def test_an_f_gets_sharper_edges():
    truth, pixels = letter()
    before, after = refined(*noisy(truth), pixels)
    assert iou(truth, before.labels) < 0.85
    assert iou(truth, after.labels) > iou(truth, before.labels) + 0.05
    assert after.labels.dtype == before.labels.dtype


def test_a_larger_image_is_refined_at_a_smaller_size(monkeypatch):
    truth, pixels = letter()
    monkeypatch.setattr(refine, "MOST_PIXELS", 24 * 24)
    before, after = refined(*noisy(truth), pixels)
    assert after.labels.shape == truth.shape
    assert iou(truth, after.labels) > iou(truth, before.labels)


def test_of_a_thousand_classes_few_take_part_and_no_other_label_is_lost():
    random = np.random.default_rng(3)
    logits = random.normal(size=(1000, 6, 6)).astype(np.float32)
    logits[700, :3] = 9
    logits[5, 3:] = 8
    logits[900, 5, 5] = 30  # one unit of a class that most pixels do not have
    place = Lattice(6, 6, (3.5, 3.5), (8, 8))
    pixels = np.full((48, 48, 3), 90, np.uint8)
    before = ended(labels.interpolated(logits, place, Upsampling.BILINEAR, 48, 48))
    taking = refine.taking_part(logits, before)
    assert len(taking) == refine.MOST_CLASSES
    assert {5, 700} <= set(taking.tolist())
    after = ended(refine.refined(logits, place, Upsampling.BILINEAR, pixels, before, BY, torch.device("cpu")))
    assert set(np.unique(after.labels)) <= set(np.unique(before.labels)) | set(taking.tolist())
    assert after.labels.dtype == np.uint16


def test_where_no_unit_answers_there_is_no_confidence_after_refinement_either():
    truth, pixels = letter()
    logits, _ = noisy(truth)
    place = Lattice(8, 8, (14.5, 14.5), (3, 3))  # a network without padding, that sees the middle alone
    before, after = refined(logits, place, pixels)
    assert (before.confidence == 0).any()
    assert (after.confidence[before.confidence == 0] == 0).all()


def test_a_run_tells_how_far_it_is_and_can_be_closed():
    run = refine.mean_field(torch.zeros(2, 4, 4), torch.zeros(3, 4, 4), BY)
    first = next(run)
    assert (first.done, first.total) == (1, refine.ROUNDS)
    run.close()
    with pytest.raises(StopIteration):
        next(run)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """LeNet-5 on a small page, refined."""
    from PIL import Image

    from segviz.core import assets
    from segviz.core.images import open_picture

    path = tmp_path_factory.mktemp("page") / "page.png"
    Image.fromarray(open_picture(assets.sample("digits-256x256.png")).pixels[30:94, 20:100]).save(path)
    engine, setup = Engine(), Setup("lenet5", str(path))
    return lambda **asked: ended(engine.run(SegmentRequest(setup, **asked)))


def test_a_refined_answer_has_both_labellings_and_is_toggled_without_the_engine(answers):
    plain, found = answers(), answers(refinement=Refinement(smoothness=12))
    assert plain.twin is None
    before, after = both(found)
    assert np.array_equal(before.labels, plain.labels)
    assert np.array_equal(after.labels, found.labels)
    assert not np.array_equal(before.labels, after.labels)
    assert toggled(found).request == plain.request
    assert np.array_equal(at_hand(found, plain.request).levels, plain.levels)
    assert toggled(toggled(found)).request == found.request
    assert at_hand(found, SegmentRequest(found.request.setup, refinement=Refinement(99))) is None


def test_a_region_is_refined_by_its_own_pixels(answers):
    found = answers(refinement=Refinement(), region=(10, 20, 31, 17))
    assert found.labels.shape == found.twin.labels.shape == (17, 31)


def test_whole_fields_are_not_refined(answers):
    with pytest.raises(SegvizError, match="direct method labels whole fields"):
        answers(refinement=Refinement(), method=Method.DIRECT)
