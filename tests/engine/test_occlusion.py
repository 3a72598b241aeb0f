"""A grey square over the image: what it changes is what a whole pass says, and lies where geometry says it may."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from segviz.core import scores
from segviz.core.export import save_picture
from segviz.core.field import Box
from segviz.core.occlusion import GREY, OcclusionAnswer, OcclusionRequest, covered
from segviz.core.regions import projective, whole
from segviz.core.requests import Progress, Setup
from segviz.engine import cached
from segviz.engine.flow import finished, run
from segviz.engine.patches import Patch
from segviz.engine.prepare import tensor_of
from segviz.engine.run import Engine

UNPADDED, PADDED, PER_PIXEL = "lenet5", "nin-digits", "segnet-digits"  # the last two are padded
SQUARE = (60.0, 41.0, 20)  # x, y, side


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("occlusion") / "image.png"
    save_picture(path, np.random.default_rng(0).integers(0, 255, (128, 160, 3)).astype(np.uint8))
    return str(path)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def ask(engine: Engine, spec: str, image: str, square: tuple[float, float, int] = SQUARE) -> OcclusionAnswer:
    return finished(engine.run(OcclusionRequest(Setup(spec, image), *square)))


def apart(engine: Engine, spec: str, image: str) -> tuple[np.ndarray, np.ndarray]:
    """Logits of the image and of the occluded image, each by a pass of its own over all of it."""
    setup = Setup(spec, image)
    loaded = engine._loaded(setup)
    job = engine.jobs.of(setup)
    square = covered(job.frame, *SQUARE)
    grey = np.full(engine.store.picture(image).pixels.shape, GREY, np.uint8)
    other = job.image.clone()
    paper = tensor_of(grey, loaded.entry.preprocessing, job.frame)
    region = whole(job.dense.geometry.nodes[0])
    Patch(other, region).cut(square).copy_(Patch(paper, region).cut(square))
    before, under = (finished(run(job.dense, job.weights, one, rows=10**6)).output for one in (job.image, other))
    return before[0].numpy(), under[0].numpy()


@pytest.mark.parametrize("spec", [UNPADDED, PADDED, PER_PIXEL])
def test_what_changes_is_what_a_whole_pass_changes_and_lies_inside_the_projective_field(engine, image, spec):
    answer = ask(engine, spec, image)
    before, under = apart(engine, spec, image)
    wanted = np.abs(under - before).max(0)[: answer.lattice.rows, : answer.lattice.columns]
    assert np.abs(answer.change - wanted).max() <= answer.least
    setup = Setup(spec, image)
    job = engine.jobs.of(setup)
    reach = projective(job.dense.geometry, "last", covered(job.frame, *SQUARE))
    outside = np.ones(wanted.shape, bool)
    outside[reach.y.lo : reach.y.hi + 1, reach.x.lo : reach.x.hi + 1] = False
    assert outside.any()  # else nothing could be outside
    assert not answer.changed[outside].any()
    assert not (wanted[outside] > answer.least).any()
    assert answer.changed[~outside].mean() > 0.5


def test_of_a_network_without_padding_all_that_can_change_does(engine, image):
    answer = ask(engine, UNPADDED, image)
    # LeNet-5 (oracles: 32, stride 4): pixels 60..79 lie in the windows that begin from 29 to 79
    rows, columns = np.nonzero(answer.changed)
    assert (columns.min(), columns.max()) == (8, 19)
    assert (rows.min(), rows.max()) == (3, 15)
    assert answer.changed.sum() == 12 * 13


def test_the_class_below_the_square_is_that_of_the_nearest_output(engine, image):
    answer = ask(engine, UNPADDED, image)
    before, under = apart(engine, UNPADDED, image)
    row, column = answer.lattice.cell_at(*Box(60, 41, 80, 61).center)
    here, there = scores.softmax(before[:, row, column]), scores.softmax(under[:, row, column])
    assert answer.label == (int(here.argmax()), str(int(here.argmax())))
    assert answer.instead == (int(there.argmax()), str(int(there.argmax())))
    assert (answer.before, answer.under) == pytest.approx((here.max(), there[here.argmax()]), abs=1e-5)


def test_maps_are_as_they_were_after_every_square(engine, image, monkeypatch):
    first = ask(engine, PADDED, image)
    ask(engine, PADDED, image, (0.0, 0.0, 64))
    monkeypatch.setattr(cached, "SMALL", -1)  # a moment at which it can be closed behind every layer
    steps = engine.run(OcclusionRequest(Setup(PADDED, image), 90.0, 10.0, 60))
    assert [isinstance(next(steps), Progress) for _ in range(4)] == [True] * 4
    steps.close()
    assert np.array_equal(ask(engine, PADDED, image).change, first.change)


def test_a_square_as_grey_as_the_image_changes_nothing(engine, tmp_path):
    path = tmp_path / "grey.png"
    save_picture(path, np.full((64, 64, 3), GREY, np.uint8))
    answer = ask(engine, UNPADDED, str(path), (10.0, 10.0, 20))
    assert not answer.changed.any()
    assert answer.before == answer.under


def test_another_image_under_the_same_name_is_another(engine, tmp_path):
    path = tmp_path / "image.png"
    save_picture(path, np.zeros((64, 64, 3), np.uint8))
    assert ask(engine, UNPADDED, str(path), (10.0, 10.0, 20)).changed.any()
    save_picture(path, np.full((64, 64, 3), GREY, np.uint8))
    assert not ask(engine, UNPADDED, str(path), (10.0, 10.0, 20)).changed.any()


@pytest.mark.parametrize("spec", [UNPADDED, PADDED, PER_PIXEL])
def test_maps_too_many_to_keep_give_the_same(engine, image, monkeypatch, spec):
    kept = ask(engine, spec, image)
    monkeypatch.setattr(cached, "MOST_KEPT", 0)
    assert np.abs(ask(Engine(), spec, image).change - kept.change).max() <= kept.least


def test_under_a_square_as_large_as_the_image_everything_changes(engine, image):
    answer = ask(engine, UNPADDED, image, (-50.0, -50.0, 1000))
    assert answer.changed.all()
    assert np.isfinite(answer.change).all()


@pytest.mark.parametrize("most", [cached.MOST_KEPT, 0])
def test_only_what_the_square_reaches_is_compared(image, monkeypatch, most):
    monkeypatch.setattr(cached, "MOST_KEPT", most)
    engine = Engine()
    answer = ask(engine, PER_PIXEL, image, (2.0, 3.0, 4))
    logits = len(engine._loaded(Setup(PER_PIXEL, image)).entry.classes) * answer.change.nbytes
    tracemalloc.start()
    try:
        again = ask(engine, PER_PIXEL, image, (4.0, 3.0, 4))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert again.changed.any()
    assert peak < logits / 2, "the logits of all classes at all pixels were worked with"
