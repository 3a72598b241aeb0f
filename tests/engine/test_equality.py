"""Without padding dense map, shift and stitch, and sliding window are one array; and how far ceil mode is off."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from segviz.core import assets, catalogue
from segviz.core.choices import Equality, Method
from segviz.core.races import RaceRequest
from segviz.core.requests import SegmentRequest, Setup
from segviz.core.scores import softmax
from segviz.core.specs import Kind
from segviz.engine import opening
from segviz.engine.architectures import build
from segviz.engine.dilation import dilated
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace
from segviz.engine.run import Engine
from segviz.engine.surgery import convert

ROUNDING = 5e-6  # of probabilities in float32, whatever the order of the sums
METHODS = (Method.SLIDING_WINDOW, Method.DENSE, Method.SHIFT_AND_STITCH)


def vgg() -> nn.Module:
    """As Simonyan and Zisserman 2015 build, two blocks of it, small and without padding: windows of 28, stride 4."""
    blocks = []
    for inputs, outputs in ((1, 8), (8, 16)):
        blocks += [nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.Conv2d(outputs, outputs, 3), nn.ReLU(), nn.MaxPool2d(2)]
    head = [nn.Flatten(), nn.Linear(16 * 4 * 4, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 10)]
    network = nn.Sequential(*blocks, *head)
    for layer in network:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight)
    return network


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A face as large as the windows of R-Net and O-Net, and digits."""
    folder = tmp_path_factory.mktemp("pictures")
    with Image.open(assets.sample("astronaut.png")) as image:
        image.crop((160, 40, 300, 200)).resize((70, 80)).save(folder / "face.png")
    with Image.open(assets.sample("digits-256x256.png")) as image:
        image.crop((20, 30, 77, 81)).save(folder / "digits.png")
    return folder


@pytest.mark.parametrize(
    ("spec", "picture", "window", "stride"),
    [
        ("lenet5", "digits", 32, 4),
        ("mtcnn_rnet?pooling=floor", "face", 25, 4),
        ("mtcnn_onet?pooling=floor", "face", 49, 8),
        ("python:own.nets:vgg", "digits", 28, 4),
    ],
)
def test_three_ways_to_an_answer_at_every_pixel_are_one_array(monkeypatch, pictures, spec, picture, window, stride):
    """oracles: to 8e-17 in float64; here at every window of the image, in the probabilities that people see."""
    torch.manual_seed(6)
    network = vgg().eval()
    known = replace(catalogue.entry("lenet5"), name="vgg", title="Small VGG", input_size=(1, 28, 28), weights="")
    monkeypatch.setitem(opening.OPENERS, Kind.PYTHON, lambda spec, trust: opening.Opened(known, network))
    engine, setup = Engine(), Setup(spec, str(pictures / f"{picture}.png"), 1.0)
    with Image.open(setup.image) as image:
        grid = (image.height - window + 1, image.width - window + 1)
    answers = [finished(engine.run(SegmentRequest(setup, method, grid_stride=1))) for method in METHODS]
    windows = softmax(answers[0].logits)
    assert np.ptp(windows, axis=(1, 2)).max() > 0.05  # they do not say the same everywhere
    for answer in answers[1:]:
        assert answer.lattice == answers[0].lattice
        assert answer.logits.shape[1:] == grid
        assert answer.exactness.equality is Equality.EVERYWHERE
        assert np.abs(softmax(answer.logits) - windows).max() <= ROUNDING
    coarse = finished(engine.run(SegmentRequest(setup, Method.COARSE)))
    assert coarse.lattice.stride == (stride, stride)
    assert np.abs(softmax(coarse.logits) - windows[:, ::stride, ::stride]).max() <= ROUNDING


def test_the_dense_map_of_lenet5_on_96x128_has_65x97_units():
    """oracles: one for every window of 32 pixels."""
    entry, network = build("lenet5")
    wide = dilated(trace(network, (1, 96, 128), convert(network, entry.input_size).head))
    assert wide.geometry.grid("last") == (65, 97)
    maps = finished(run(wide, NetworkWeights(network), torch.zeros(1, 1, 96, 128))).output
    assert maps.shape == (1, 10, 65, 97)


def test_rnet_as_published_differs_by_up_to_a_sixth_for_its_ceil_mode():
    """oracles: up to 0.17 in probabilities, where with floor pooling it is rounding."""
    with_ceil = Setup("mtcnn_rnet", str(assets.sample("astronaut.png")), 0.25)
    found = finished(Engine().run(RaceRequest(with_ceil, budget=1000.0)))
    assert found.sliding_window.measured == found.sliding_window.outputs
    assert 0.1 < found.max_abs_difference < 0.2
    floor = replace(with_ceil, model="mtcnn_rnet?pooling=floor")
    assert finished(Engine().run(RaceRequest(floor, budget=1000.0))).max_abs_difference <= ROUNDING
