"""Layers with their channels last, as transformers have them, are read as (channels, rows, columns) everywhere."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from segviz.core import folders
from segviz.core.cams import CamRequest
from segviz.core.choices import Heat
from segviz.core.effective import EffectiveRequest
from segviz.core.errors import SegvizError
from segviz.core.export import save_picture
from segviz.core.requests import DescribeRequest, FeatureRequest, Setup
from segviz.core.shifting import ShiftRequest
from segviz.core.specs import Kind
from segviz.core.top_patches import TopRequest
from segviz.core.unit_sums import SumRequest
from segviz.engine import opening, top_patches
from segviz.engine.comparison import recorded_maps
from segviz.engine.flow import NetworkWeights, finished
from segviz.engine.graph import describe_layers, trace
from segviz.engine.run import Engine
from tests.engine.constructs import ChannelsLast, Shuffled
from tests.engine.test_opening import known

SPEC = "python:own.nets:Last"
MAPS = (10, 15, 9)  # of `wide` on an image of 60 x 36: more channels than columns, fewer than rows


class Last(nn.Module):
    """Patches of 4 pixels, a dense layer on (N, H, W, C) and back, as Swin and ConvNeXt have them."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.wide = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 10)
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(10, 3)

    def deep(self, x: Tensor) -> Tensor:
        wide: Tensor = self.wide(self.patches(x).permute(0, 2, 3, 1))
        return wide

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.pool(self.deep(x).relu().permute(0, 3, 1, 2)).flatten(1))
        return logits


@pytest.fixture
def engine(monkeypatch, tmp_path):
    torch.manual_seed(0)
    network = Last()
    monkeypatch.setitem(opening.OPENERS, Kind.PYTHON, lambda spec, trust: known(network))
    monkeypatch.setattr(folders, "cache", lambda: tmp_path / "cache")
    return Engine()


@pytest.fixture
def setup(tmp_path):
    pixels = np.random.default_rng(5).integers(0, 255, (60, 36, 3)).astype(np.uint8)
    (tmp_path / "images").mkdir()
    save_picture(tmp_path / "images" / "noise.png", pixels)
    return Setup(SPEC, str(tmp_path / "images" / "noise.png"), 1.0)


def test_feature_maps_and_what_is_told_of_the_layer(engine, setup):
    values = finished(engine.run(FeatureRequest(setup, "wide"))).values
    network = finished(engine.run(DescribeRequest(setup)))
    layer = network.layer("wide")
    assert values.shape == layer.maps == MAPS
    below = finished(engine.run(FeatureRequest(setup, "patches"))).values
    wide = engine.store.network(SPEC, setup.pooling, setup.device, setup.trust).network.wide
    wanted = np.einsum("oc,chw->ohw", wide.weight.detach().numpy(), below) + wide.bias.detach().numpy()[:, None, None]
    assert np.allclose(values, wanted, atol=1e-5)
    assert layer.output_shape == (15, 9, 10)  # as the network's author has it
    assert layer.maps[1:] == network.geometry.grid("wide")


def test_a_unit_has_one_value_whoever_is_asked(engine, setup):
    values = finished(engine.run(FeatureRequest(setup, "wide"))).values
    for channel, row, column in ((0, 0, 0), (9, 14, 8), (7, 3, 5)):
        found = finished(engine.run(EffectiveRequest(setup, "wide", channel, row, column)))
        assert found.value == pytest.approx(float(values[channel, row, column]), abs=1e-5)
    cam = finished(engine.run(CamRequest(setup, Heat.GRAD_CAM, "wide")))
    weighted = np.einsum("kc,chw->khw", cam.weights, values)
    assert np.allclose(cam.maps, weighted, atol=1e-5)


def test_top_patches_are_those_of_the_channel(engine, setup, tmp_path):
    values = finished(engine.run(FeatureRequest(setup, "wide"))).values
    for channel in (0, 9):
        (patch,) = finished(
            engine.run(TopRequest(Setup(SPEC, scale=1.0), "wide", channel, str(tmp_path / "images")))
        ).patches
        row, column = np.unravel_index(int(values[channel].argmax()), MAPS[1:])
        assert (patch.row, patch.column) == (row, column)
        assert patch.value == pytest.approx(float(values[channel].max()), abs=1e-5)
        assert (patch.field.left, patch.field.top, patch.field.width) == (4 * column, 4 * row, 4)
    with pytest.raises(SegvizError, match="has 10 maps, from 0 on: there is no map 10"):
        finished(engine.run(TopRequest(Setup(SPEC, scale=1.0), "wide", 10, str(tmp_path / "images"))))


def test_a_table_of_an_older_reading_is_computed_anew(engine, setup, tmp_path):
    request = TopRequest(Setup(SPEC, scale=1.0), "wide", 2, str(tmp_path / "images"))
    (right,) = finished(engine.run(request)).patches
    (file,) = (tmp_path / "cache" / top_patches.FOLDER).iterdir()
    content = file.read_bytes()
    file.write_bytes(b"segviz top 2\n" + content[len(top_patches.MAGIC) :])
    (again,) = finished(engine.run(request)).patches
    assert (again.value, again.row, again.column) == (right.value, right.row, right.column)
    assert file.read_bytes() == content


def test_a_sum_counts_the_maps_of_such_a_layer(engine, setup):
    found = finished(engine.run(SumRequest(setup, "wide", (10, 0, 0))))
    assert found.refusal == "'wide' has 10 maps, and no map 10: pin another unit"


def test_a_shifted_image_shows_the_map_that_was_asked_for(engine, setup):
    found = finished(engine.run(ShiftRequest(setup, "wide", 9, 4, 0)))
    assert (found.layer, found.channel, found.maps[0].shape) == ("wide", 9, (7, 7))
    assert found.moved == (0, 1)
    assert np.allclose(found.maps[1][:, 1:], found.maps[0][:, :-1], atol=1e-5)


@pytest.mark.parametrize("kind", [ChannelsLast, Shuffled])
def test_every_node_is_as_many_maps_as_it_is_said_to_be(kind):
    network = kind().eval()
    traced = trace(network, (2, 16, 24))
    image = torch.randn(1, 2, 16, 24)
    for index, tensor in recorded_maps(traced, NetworkWeights(network), image):
        assert traced.as_maps(index, tensor).shape == traced.maps_of(index)
    for layer, call in zip(describe_layers(traced), traced.calls, strict=True):
        assert layer.maps == traced.maps_of(call.output)
