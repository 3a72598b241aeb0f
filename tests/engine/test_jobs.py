"""What is kept of one network on one image: new contents of either file are another, and a setup has one job."""

from __future__ import annotations

import gc
import os
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import save_file

from segviz.core.cams import CamRequest
from segviz.core.contributions import ContributionRequest
from segviz.core.depths import DepthRequest
from segviz.core.effective import EffectiveRequest
from segviz.core.export import save_picture
from segviz.core.filters import FilterRequest
from segviz.core.occlusion import OcclusionRequest
from segviz.core.requests import ClassifyRequest, FeatureRequest, SegmentRequest, Setup
from segviz.core.shifting import ShiftRequest
from segviz.core.top_patches import TopRequest
from segviz.core.unit_sums import SumRequest
from segviz.engine import jobs
from segviz.engine.flow import finished
from segviz.engine.run import Engine

CLASSIFIER, PER_PIXEL = "lenet5", "fcn8s-digits"
LEAST = 0.01  # of an answer's largest number: what halved weights change in it at least
ASKS = {
    "labels": (CLASSIFIER, SegmentRequest, lambda answer: answer.logits),
    "labels per pixel": (PER_PIXEL, SegmentRequest, lambda answer: answer.logits),
    "window": (CLASSIFIER, lambda setup: ClassifyRequest(setup, 10, 10), lambda answer: answer.classes[0][2]),
    "maps": (CLASSIFIER, lambda setup: FeatureRequest(setup, "c3"), lambda answer: answer.values),
    "effective": (CLASSIFIER, lambda setup: EffectiveRequest(setup, "last", 3, 5, 5), lambda answer: answer.value),
    "grey square": (CLASSIFIER, lambda setup: OcclusionRequest(setup, 40.0, 30.0, 20), lambda answer: answer.change),
    "evidence": (CLASSIFIER, lambda setup: CamRequest(setup, layer="c3", classes=(1,), count=1), lambda a: a.maps),
    "filter": (CLASSIFIER, lambda setup: FilterRequest(setup, "c3", 2), lambda answer: answer.filter.slices),
    "taken": (CLASSIFIER, lambda setup: SumRequest(setup, "c3", (2, 5, 5)), lambda answer: answer.found.maps),
    "made": (CLASSIFIER, lambda setup: SumRequest(setup, "c3", (2, 5, 5)), lambda answer: answer.found.outputs),
    "shift": (CLASSIFIER, lambda setup: ShiftRequest(setup, "c3", 1, 4, 0), lambda answer: answer.maps[1]),
    "parts": (PER_PIXEL, lambda setup: ContributionRequest(setup, 3, 3, 1), lambda answer: answer.logit),
    "top patches": (
        CLASSIFIER,
        lambda setup: TopRequest(replace(setup, image=None), "c3", 4, str(Path(setup.image).parent)),
        lambda answer: answer.patches[0].value,
    ),
    "depths": (PER_PIXEL, lambda setup: DepthRequest(setup, True), lambda answer: answer.depths.maps[0]),
}


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("jobs") / "image.png"
    save_picture(path, np.random.default_rng(0).integers(0, 255, (70, 90, 3)).astype(np.uint8))
    return str(path)


def written(path: Path, network: str, factor: float) -> None:
    """A network's own weights times `factor`, in a file as large as with any other, of another time."""
    tensors = Engine()._loaded(Setup(network)).network.state_dict()
    save_file({name: tensor.mul(factor).to(tensor.dtype).contiguous() for name, tensor in tensors.items()}, path)
    os.utime(path, ns=(0, int(factor * 8) * 10**9))


@pytest.mark.parametrize("name", ASKS)
def test_new_weights_under_the_same_name_are_another_network(image, tmp_path, name):
    network, request, numbers = ASKS[name]
    file, engine = tmp_path / "net.safetensors", Engine()
    setup = Setup(f"{network}?weights={file}", image)
    written(file, network, 1.0)
    before = numbers(finished(engine.run(request(setup))))
    written(file, network, 0.5)
    after = numbers(finished(engine.run(request(setup))))
    assert np.array_equal(after, numbers(finished(Engine().run(request(setup)))))
    assert np.abs(np.subtract(after, before)).max() > LEAST * np.abs(before).max()


def test_all_that_is_asked_of_an_image_has_one_job(image, monkeypatch):
    """The image is resized and normalised once for clicks, classes and layers, and once more as it is squeezed."""
    engine, setup, made = Engine(), Setup(CLASSIFIER, image), []
    real = jobs.tensor_of
    monkeypatch.setattr(jobs, "tensor_of", lambda *args: made.append(args) or real(*args))
    for network, request, _ in ASKS.values():
        if network == CLASSIFIER and request(setup).setup.image:
            finished(engine.run(request(setup)))
    assert len(made) == 2
    finished(engine.run(SumRequest(Setup(CLASSIFIER, image, revision=3), "c3", (0, 1, 1))))
    assert len(made) == 2  # a revision tells two asks apart, not two contents
    finished(engine.run(SumRequest(Setup(CLASSIFIER, image, 0.9), "c3", (0, 1, 1))))
    assert len(made) == 3


def test_a_new_image_under_the_same_name_is_another(tmp_path):
    engine, path, grey = Engine(), tmp_path / "image.png", []
    for level in (0, 255):
        save_picture(path, np.full((40, 40, 3), level, np.uint8))
        grey.append(finished(engine.run(SumRequest(Setup(CLASSIFIER, str(path)), "c1", (0, 5, 5)))).found.maps.mean())
    assert abs(grey[0] - grey[1]) > 0.5


def test_the_network_that_a_file_held_before_is_let_go(image, tmp_path):
    file, engine = tmp_path / "net.safetensors", Engine()
    setup = Setup(f"{CLASSIFIER}?weights={file}", image)
    held = []
    for factor in (1.0, 0.5):
        written(file, CLASSIFIER, factor)
        finished(engine.run(OcclusionRequest(setup, 40.0, 30.0, 20)))
        held.append(weakref.ref(engine._loaded(setup).network))
    gc.collect()
    assert [ref() is None for ref in held] == [True, False]
