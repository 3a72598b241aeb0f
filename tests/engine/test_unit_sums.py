"""A unit taken apart, a shifted image, another size: what the engine answers to the convolution laboratory."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import torch

from segviz.core.convolutions import Sliding
from segviz.core.errors import SegvizError
from segviz.core.export import save_picture
from segviz.core.field import EVERYTHING, Status
from segviz.core.requests import DescribeRequest, FeatureRequest, Setup
from segviz.core.shifting import ShiftRequest
from segviz.core.sizes import SizesRequest
from segviz.core.unit_sums import SumRequest
from segviz.engine import shifting, sizes, unit_sums
from segviz.engine.flow import NetworkWeights, finished
from segviz.engine.graph import trace
from segviz.engine.recorder import Call
from segviz.engine.run import Engine

RELATIVE = 1e-5  # of float32, over the products of one unit


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("sums") / "image.png"
    save_picture(path, np.random.default_rng(0).integers(0, 255, (70, 90, 3)).astype(np.uint8))
    return str(path)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def slid(found) -> Sliding:
    return Sliding(
        found.maps, np.ones(found.maps.shape[1:], bool), found.weights, found.bias, found.stride, found.dilation
    )


def convolutions_of(engine, setup) -> list[str]:
    layers = finished(engine.run(DescribeRequest(setup))).layers
    return [layer.name for layer in layers if layer.leaf and "Conv2d" in layer.type and "Transpose" not in layer.type]


@pytest.mark.parametrize("spec", ["lenet5", "efficientnet_lite0", "onlyconv-digits"])
def test_the_products_sum_to_the_layers_own_value(engine, image, spec):
    """Units drawn by chance in layers drawn by chance: padding, strides, groups, dense layers as convolutions."""
    random = np.random.default_rng(3)
    setup = Setup(spec, image)
    names = convolutions_of(engine, setup)
    chosen = sorted(random.choice(len(names), min(4, len(names)), replace=False))
    for name in [*(names[at] for at in chosen), *(["c5", "output"] if spec == "lenet5" else [])]:
        own = finished(engine.run(FeatureRequest(setup, name))).values
        for _ in range(3):
            unit = tuple(int(random.integers(side)) for side in own.shape)
            found = finished(engine.run(SumRequest(setup, name, unit))).found
            assert (found.layer, found.unit) == (name, unit)
            sliding, value = slid(found), float(own[unit])
            scale = float(np.abs(sliding.products(*found.place)).sum()) + abs(found.bias)
            assert abs(sliding.sum(*found.place) - value) <= RELATIVE * max(abs(value), scale)
            assert found.outputs[found.place] == pytest.approx(value, rel=1e-6)
            assert sliding.size == found.outputs.shape
            np.testing.assert_allclose(sliding.output(), found.outputs, atol=RELATIVE * max(scale, 1))


def test_corners_see_padding(engine, image):
    """NIN's first layer has 5 x 5 weights and two zeros on each side: they are sent, and multiplied."""
    setup = Setup("nin", image)
    name = convolutions_of(engine, setup)[0]
    own = finished(engine.run(FeatureRequest(setup, name))).values
    for unit in ((1, 0, 0), tuple(side - 1 for side in own.shape)):
        found = finished(engine.run(SumRequest(setup, name, unit))).found
        assert found.padding == (2, 2)
        zeros = found.maps[:, :2] if unit[1] == 0 else found.maps[:, -2:]
        assert not zeros.any()
        assert slid(found).sum(*found.place) == pytest.approx(float(own[unit]), rel=1e-4, abs=1e-5)
    assert finished(engine.run(SumRequest(setup, name, (1, 0, 0)))).found.corner == (-2, -2)


def test_a_layer_behind_a_convolution_leads_to_it(engine, image):
    """S4 has half as many units as C3: unit (5, 7) sits where (10, 14) or its neighbour does; tanh follows C3."""
    found = finished(engine.run(SumRequest(Setup("lenet5", image), "s4", (2, 5, 7)))).found
    assert (found.layer, found.activation, found.unit) == ("c3", "tanh", (2, 10, 14))
    np.testing.assert_allclose(found.after, np.tanh(found.before), atol=1e-6)


def test_without_a_unit_the_largest_value_is_taken(engine, image):
    found = finished(engine.run(SumRequest(Setup("lenet5", image), "c1"))).found
    assert found.before[found.unit[1:]] == found.before.max()


def test_a_transposed_convolution_is_shown_elsewhere(engine, image):
    setup = Setup("unet-cells", image)
    layers = finished(engine.run(DescribeRequest(setup))).layers
    up = next(layer.name for layer in layers if layer.type == "ConvTranspose2d")
    deep = finished(engine.run(SumRequest(setup, up, (0, 0, 0))))
    assert deep.found is None
    assert "transposed convolution" in deep.refusal
    assert "Zero insertion" in deep.refusal


def test_before_the_first_convolution_there_is_none(engine, image):
    """A layer that answers with the image itself."""
    traced = engine._loaded(Setup("lenet5", image)).traced(True, (1, 70, 90))
    with pytest.raises(SegvizError, match="there is no convolution before 'early'"):
        unit_sums.place_of(replace(traced, calls=(Call("early", torch.nn.Identity(), 0, True, 0),)), "early", traced)


class Job:
    """What is taken of one: a picture of numbers, and weights."""

    title = "a small network"
    notes = ()

    def __init__(self, network, traced):
        self.traced = traced
        self.image = torch.randn((1, 3, 12, 16), generator=torch.Generator().manual_seed(1))
        self.weights = NetworkWeights(network)


def of_own(network, layer, channel=0):
    """The place of a map in a network of one's own, and its maps."""
    torch.manual_seed(0)
    traced = trace(network.eval(), (3, 12, 16))
    place = unit_sums.place_of(traced, layer, traced, channel)
    job = Job(network, traced)
    return traced, place, finished(unit_sums.computed(job, place)), job


class ChannelsLast(torch.nn.Module):
    """A block as ConvNeXt has it: a convolution, then all channels of a unit together, last."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, padding=1, groups=1)
        self.norm = torch.nn.LayerNorm(8)
        self.wide = torch.nn.Linear(8, 32)
        self.act = torch.nn.GELU()

    def forward(self, x):
        return self.act(self.wide(self.norm(self.conv(x).permute(0, 2, 3, 1)))).permute(0, 3, 1, 2)


def test_an_activation_behind_mixed_channels_is_another_layers():
    """ConvNeXt's GELU follows 32 maps made of these 8, not the convolution; the dense layer is refused, not skipped."""
    network = ChannelsLast()
    traced, _, maps, _ = of_own(network, "conv", 7)
    assert (maps.after, maps.activation) == (None, "")
    for layer in ("wide", "act"):
        with pytest.raises(SegvizError, match="'wide' is a dense layer, which no convolution stands for"):
            unit_sums.place_of(traced, layer, traced, 5)
    assert unit_sums.place_of(traced, "norm", traced, 5).channel == 5


@pytest.mark.parametrize("between", [torch.nn.MaxPool2d(2), torch.nn.PixelShuffle(2), torch.nn.Softmax(1)])
def test_an_activation_behind_moved_units_is_not_the_convolutions_own(between):
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), between, torch.nn.ReLU())
    assert of_own(network, "0")[2].after is None


def test_batch_norm_stands_between_a_convolution_and_its_activation():
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.Dropout(), torch.nn.ReLU(inplace=True)
    )
    _, _, maps, job = of_own(network, "0")
    with torch.inference_mode():
        torch.testing.assert_close(maps.after, network(job.image))
    assert maps.activation.startswith("batch norm + ")
    assert maps.activation.endswith("ReLU")


class Branches(torch.nn.Module):
    """Two convolutions of one input, joined; then a gate, a shuffle of the maps, and a half of them."""

    def __init__(self):
        super().__init__()
        self.first, self.second = torch.nn.Conv2d(3, 4, 1), torch.nn.Conv2d(3, 6, 3, padding=1)
        self.gate = torch.nn.Conv2d(10, 10, 1)
        self.joined, self.gated, self.shuffled = torch.nn.ReLU(), torch.nn.ReLU(), torch.nn.ReLU()
        self.halved = torch.nn.ReLU()

    def forward(self, x):
        x = self.joined(torch.cat([self.first(x), self.second(x)], 1))
        x = self.gated(x * self.gate(x.mean((2, 3), keepdim=True)).sigmoid())
        mixed = x.reshape(1, 2, 5, 12, 16).transpose(1, 2).reshape(1, 10, 12, 16)
        return self.halved(self.shuffled(mixed)[:, :5])


@pytest.mark.parametrize(("layer", "channel", "maker", "own"), [
    ("joined", 3, "first", 3), ("joined", 4, "second", 0), ("joined", 9, "second", 5), ("gated", 9, "second", 5),
])  # fmt: skip
def test_a_unit_behind_a_concatenation_is_explained_by_its_own_branch(layer, channel, maker, own):
    network = Branches()
    traced, place, maps, job = of_own(network, layer, channel)
    assert (traced.operations[place.index].layer, place.channel) == (maker, own)
    found = unit_sums.told(job, place, maps, layer, (channel, 5, 6))
    assert (found.layer, found.unit) == (maker, (own, 5, 6))
    with torch.inference_mode():
        value = torch.cat([network.first(job.image), network.second(job.image)], 1)[0, channel, 5, 6]
    assert slid(found).sum(*found.place) == pytest.approx(float(value), rel=1e-5)


def test_maps_that_are_mixed_on_the_way_are_refused_in_words():
    traced = trace(Branches().eval(), (3, 12, 16))
    with pytest.raises(SegvizError, match=r"at 'shuffled' the operation '\w+' mixes maps.* map 6.*: choose a layer"):
        unit_sums.place_of(traced, "shuffled", traced, 6)
    with pytest.raises(SegvizError, match="at 'halved' the operation 'slice' mixes maps"):
        unit_sums.place_of(traced, "halved", traced, 2)
    with pytest.raises(SegvizError, match="'halved' has 5 maps, and no map 6: pin another unit"):
        unit_sums.place_of(traced, "halved", traced, 6)


def test_a_run_can_be_closed_on_its_way(image):
    engine = Engine()
    engine._loaded(Setup("lenet5", image))
    with closing(engine.run(SumRequest(Setup("lenet5", image), "c3", (0, 1, 1)))) as steps:
        next(steps)
    assert not engine.insides._sums._values
    assert finished(engine.run(SumRequest(Setup("lenet5", image), "c3", (0, 1, 1)))).found is not None


# --------------------------------------------------------------------------------------- shift


@pytest.mark.parametrize(
    ("layer", "dx", "dy", "moved"), [("c1", 3, -2, (-2, 3)), ("c3", 4, 2, (1, 2)), ("s4", -4, 4, (1, -1))]
)
def test_maps_of_a_network_without_padding_shift_along_exactly(engine, image, layer, dx, dy, moved):
    """Lecture T08; LeNet-5 pads nowhere, so that every unit that is still there is equal to rounding."""
    answer = finished(engine.run(ShiftRequest(Setup("lenet5", image), layer, 1, dx, dy)))
    assert answer.exact
    assert answer.moved == moved
    rows, columns = answer.maps[0].shape
    assert answer.inside == (rows - abs(moved[0])) * (columns - abs(moved[1]))
    assert answer.difference <= RELATIVE * answer.scale
    assert [one.layer for one in answer.dense] == ["c5", "f6", "output"]
    assert all(one.largest > 0.01 for one in answer.dense)


def test_half_a_unit_is_no_shift_of_the_map(engine, image):
    answer = finished(engine.run(ShiftRequest(Setup("lenet5", image), "s2", 0, 1, 0)))
    assert not answer.exact
    assert answer.difference > 100 * RELATIVE * answer.scale


def test_padding_does_not_move_along(engine, image):
    """Inside the map follows, at the border, where padding is seen, it does not."""
    setup = Setup("efficientnet_lite0", image)
    layer = convolutions_of(engine, setup)[0]
    answer = finished(engine.run(ShiftRequest(setup, layer, 0, 4, 0)))
    assert answer.inside > 0
    assert answer.difference <= RELATIVE * answer.scale < answer.overall


@pytest.mark.parametrize(("layer", "stride"), [("c1", 1), ("s2", 2), ("s4", 4)])
def test_by_itself_the_shift_is_one_stride(engine, image, layer, stride):
    """oracles.md, LeNet-5: C1 has stride 1, both poolings halve; so the map moves by one unit, exactly."""
    answer = finished(engine.run(ShiftRequest(Setup("lenet5", image), layer, 1, None, 0)))
    assert (answer.layer, answer.channel, answer.by, answer.moved) == (layer, 1, (stride, 0), (0, 1))
    assert answer.inside > 0
    assert answer.difference <= RELATIVE * answer.scale


class Gated(torch.nn.Module):
    """Maps whose gate is an average over all of them, as in a squeeze-and-excitation block (Hu et al. 2018)."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = torch.nn.Conv2d(1, 2, 3, padding=1), torch.nn.Conv2d(2, 2, 1)

    def forward(self, x):
        x = self.conv(x)
        return self.last(x * x.mean((2, 3), keepdim=True))


def shifted_by_hand(network, image, layer, **how):
    """A shift answer of a network of one's own on an image (1, C, H, W)."""
    native = trace(network, tuple(image.shape[1:]))
    job = Job(network, native)
    job.image, job.native = image, native
    return finished(shifting.answered(job, ShiftRequest(Setup("own"), layer, 0, **how), 0.0))


def test_through_a_gate_no_unit_counts_and_the_gate_is_the_reason():
    torch.manual_seed(0)
    answer = shifted_by_hand(Gated().eval(), torch.rand(1, 1, 12, 16), "last", dx=1, dy=0)
    assert (answer.inside, answer.status, answer.reason) == (0, Status.WHOLE, EVERYTHING)
    answer = shifted_by_hand(Gated().eval(), torch.rand(1, 1, 12, 16), "conv", dx=1, dy=0)
    assert (answer.inside, answer.status, answer.reason) == (10 * 13, Status.EXACT, "")


def test_the_scale_is_that_of_both_maps():
    """What is brightest comes into the picture's field by the shift: its border is repeated."""
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, (1, 3), bias=False))
    torch.nn.init.ones_(network[0].weight)
    image = torch.zeros(1, 1, 6, 8)
    image[..., 0] = 1.0
    answer = shifted_by_hand(network.eval(), image, "0", dx=2, dy=0)
    assert np.abs(answer.maps[0]).max() == 1.0
    assert answer.scale == np.abs(answer.maps[1]).max() == 3.0


def test_a_vector_cannot_shift_so_the_maps_before_it_do(engine, image):
    """LeNet-5's last layer is chosen when it is opened; S4 has its last maps, 4 pixels apart."""
    answer = finished(engine.run(ShiftRequest(Setup("lenet5", image), "output", 7, None, 0)))
    assert (answer.refusal, answer.layer, answer.channel, answer.by) == ("", "s4", 0, (4, 0))
    assert answer.maps[0].shape == (5, 5)
    assert (answer.exact, answer.inside) == (True, 20)


def test_without_maps_nothing_shifts():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 4), torch.nn.ReLU())
    with pytest.raises(SegvizError, match=r"'1' answers with a vector, .* and no maps come before it"):
        shifting._with_maps(trace(network.eval(), (1, 4, 4)), "1")


# --------------------------------------------------------------------------------------- sizes


def test_lenet_stops_at_its_first_dense_layer(engine):
    """oracles.md, Sizes: LeNet-5 as FCNN on 96x128 -> 17x25; 16 x 21 x 29 = 9,744 numbers meet a layer of 400."""
    answer = finished(engine.run(SizesRequest(Setup("lenet5"), (96, 128))))
    broken = answer.broken
    assert (broken.layer, broken.native, broken.larger, broken.converted) == ("c5", (120,), None, (120, 17, 25))
    assert "400" in broken.breaks
    assert "9,744" in broken.breaks
    assert answer.floor == (17, 25)
    shapes = {row.layer: row.larger for row in answer.rows}
    assert (shapes["s4"], shapes["f6"]) == ((16, 21, 29), None)
    assert finished(engine.run(SizesRequest(Setup("lenet5"), (32, 32)))).broken is None


def test_alexnet_on_500_has_nine_or_ten(engine):
    """oracles.md, Sizes: AlexNet on 500: floor pooling 9x9, ceil pooling (Caffe) 10x10."""
    answer = finished(engine.run(SizesRequest(Setup("alexnet"), (500, 500))))
    assert (answer.floor, answer.ceil, answer.published) == ((9, 9), (10, 10), "floor")
    assert (answer.broken, answer.squeezes) == (None, "avgpool")


def test_rounding_is_put_back_whatever_happens():
    network = torch.nn.Sequential(torch.nn.MaxPool2d(2, ceil_mode=True), torch.nn.AvgPool2d(2))

    def fails():
        with sizes.rounding(network, False):
            assert [module.ceil_mode for module in network] == [False, False]
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        fails()
    assert [module.ceil_mode for module in network] == [True, False]
