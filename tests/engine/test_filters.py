"""The filters behind a layer's maps: what is sent makes the maps, whatever kind of layer applies it."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core.errors import SegvizError
from segviz.core.filters import Filter, FilterKind, FilterRequest
from segviz.core.requests import Setup
from segviz.engine import filters
from segviz.engine.filters import Refused, filter_in
from segviz.engine.flow import NetworkWeights, finished
from segviz.engine.graph import trace
from segviz.engine.run import Engine
from segviz.engine.surgery import convert

SIZE = (3, 12, 10)


def network(*layers: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict((f"l{index}", layer) for index, layer in enumerate(layers))).eval()


def found_in(net: nn.Module, layer: str, channel: int = 0, colours: str = "RGB", size=SIZE) -> Filter | Refused:
    return filter_in(trace(net, size), NetworkWeights(net), layer, channel, colours)


LAYERS = {
    "plain": nn.Conv2d(6, 8, 3),
    "strided, dilated": nn.Conv2d(6, 8, (3, 2), stride=(2, 1), dilation=(1, 2)),
    "grouped": nn.Conv2d(6, 8, 3, groups=2),
    "depthwise": nn.Conv2d(6, 12, 3, groups=6),
    "transposed": nn.ConvTranspose2d(6, 8, 4, stride=2),
    "transposed, grouped": nn.ConvTranspose2d(6, 8, 3, stride=2, groups=2, bias=False),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_the_slices_make_the_map(kind):
    """The responses of the slices to the maps that they are for, added, are what the module itself computes."""
    net = network(nn.Conv2d(3, 6, 1), LAYERS[kind])
    module = net.l1
    image = torch.rand(1, *SIZE)
    with torch.inference_mode():
        below, wanted = net.l0(image), net(image)[0]
        for channel in range(wanted.shape[0]):
            sent = found_in(net, "l1", channel)
            assert isinstance(sent, Filter)
            assert (sent.channels, sent.channel, sent.groups) == (wanted.shape[0], channel, module.groups)
            made = _applied(sent, below[:, sent.first : sent.first + sent.inputs])
            assert torch.allclose(made, wanted[channel], atol=1e-5)
    assert sent.reach == pytest.approx(float(module.weight.detach().abs().max()))
    assert sent.depthwise == (kind == "depthwise")


def _applied(sent: Filter, maps: Tensor) -> Tensor:
    slices = torch.from_numpy(sent.slices)
    if sent.kind is FilterKind.TRANSPOSED:
        made = F.conv_transpose2d(maps, slices[:, None], None, sent.stride, dilation=sent.dilation)
    else:
        made = F.conv2d(maps, slices[None], None, sent.stride, dilation=sent.dilation)
    return made[0, 0] + (sent.bias or 0.0)


def test_a_dense_layer_is_read_as_the_convolution_that_it_becomes():
    net = network(nn.Conv2d(3, 5, 3), nn.Flatten(), nn.Linear(5 * 10 * 8, 4), nn.ReLU(), nn.Linear(4, 2))
    traced = trace(net, SIZE, convert(net, SIZE).head)
    first, second = (filter_in(traced, NetworkWeights(net), layer, 1) for layer in ("l2", "l4"))
    assert (first.kind, first.slices.shape) == (FilterKind.DENSE, (5, 10, 8))
    assert np.array_equal(first.slices, net.l2.weight[1].detach().view(5, 10, 8).numpy())
    assert (second.kind, second.slices.shape) == (FilterKind.DENSE, (4, 1, 1))
    assert np.array_equal(second.slices.ravel(), net.l4.weight[1].detach().numpy())


def test_a_dense_layer_on_a_vector_has_filters_of_one_weight():
    net = network(nn.Conv2d(3, 5, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 4))
    found = found_in(net, "l3", 2)
    assert (found.kind, found.slices.shape) == (FilterKind.DENSE, (5, 1, 1))
    assert np.array_equal(found.slices.ravel(), net.l3.weight[2].detach().numpy())
    assert found.bias == pytest.approx(float(net.l3.bias[2].detach()))


def test_filters_that_read_the_image_are_coloured_pictures_of_it():
    net = network(nn.ZeroPad2d(1), nn.Conv2d(3, 4, 3), nn.Conv2d(4, 3, 3), nn.Conv2d(3, 4, 3))
    weight = net.l1.weight.detach().numpy()
    assert np.array_equal(found_in(net, "l1").pictures, weight)
    assert np.array_equal(found_in(net, "l1", colours="BGR").pictures, weight[:, ::-1])
    assert found_in(net, "l3").pictures is None  # three maps, but no colours
    single = network(nn.Conv2d(1, 4, 3))
    assert found_in(single, "l0", colours="L", size=(1, 8, 8)).pictures.shape == (4, 1, 3, 3)


def test_each_filter_of_a_depthwise_layer_is_a_picture():
    net = network(nn.Conv2d(3, 6, 1), nn.Conv2d(6, 12, 3, groups=6))
    assert np.array_equal(found_in(net, "l1").pictures, net.l1.weight.detach().numpy())
    turned = network(nn.Conv2d(3, 6, 1), nn.ConvTranspose2d(6, 12, 3, groups=6))
    found = found_in(turned, "l1", 5)
    assert np.array_equal(found.pictures[5], found.slices)


class Block(nn.Module):
    """A block with a branch, whose last operation is a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv(x)) + x


def test_layers_without_filters_say_so_and_name_those_before():
    net = network(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), Block())
    said = {name: found_in(net, name) for name in ("l1", "l2", "l3", "l4")}
    assert all(isinstance(found, Refused) for found in said.values())
    assert said["l1"].reason == "l1 has no filters: BatchNorm2d has 8 weights, none of which reads a window of a map"
    assert said["l2"].reason == "l2 has no weights: ReLU computes without any"
    assert said["l4"].reason == "l4 is a block of 2 layers and ends in none with filters: choose a layer inside it"
    assert [found.maker for found in said.values()] == ["l0", "l0", "l0", "l4.conv"]
    alone = network(nn.AvgPool2d(2), nn.Conv2d(3, 4, 3))
    assert found_in(alone, "l0").maker == ""
    assert "no layer with filters comes before it" in found_in(alone, "l0").reason


class Shortcut(Block):
    """The same, which names what goes around the branch first."""

    def forward(self, x: Tensor) -> Tensor:
        return x + self.act(self.conv(x))


def test_the_link_of_a_block_leads_into_it():
    """Not to the block before, which made what goes around this one's branch."""
    net = network(nn.Conv2d(3, 4, 3), Shortcut(), Shortcut(), nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)))
    assert [found_in(net, name).maker for name in ("l1", "l2")] == ["l1.conv", "l2.conv"]
    alone = found_in(net, "l3")
    assert (alone.reason, alone.maker) == ("l3 is a block of 2 layers, none of which has filters", "l0")


def test_a_channel_that_there_is_not_is_the_last():
    assert found_in(network(nn.Conv2d(3, 4, 3)), "l0", 97).channel == 3


def test_no_more_is_sent_than_can_be_looked_at(monkeypatch):
    monkeypatch.setattr(filters, "MOST_SLICED", 20)
    monkeypatch.setattr(filters, "MOST_PICTURED", 100)
    net = network(nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 3))
    assert found_in(net, "l0").pictures is None  # 6 x 3 x 9 weights
    found = found_in(net, "l1", 2)
    assert (found.inputs, found.slices.shape) == (6, (2, 3, 3))
    assert np.array_equal(found.slices, net.l1.weight[2, :2].detach().numpy())


def test_weights_that_are_no_numbers_have_a_reach():
    net = network(nn.Conv2d(3, 4, 3))
    with torch.no_grad():
        net.l0.weight.fill_(0.25)
        net.l0.weight[0, 0, 0, 0] = float("nan")
        net.l0.weight[0, 0, 0, 1] = float("inf")
    assert found_in(net, "l0").reach == 0.25


def test_the_engine_answers_with_the_filter_of_a_shipped_network():
    """LeNet-5's layers of the lecture (T01): c3 reads six maps by 5 x 5, c5 sixteen (oracles: 400 to 120)."""
    engine = Engine()
    c3 = finished(engine.run(FilterRequest(Setup("lenet5"), "c3", 5)))
    assert (c3.filter.channels, c3.filter.slices.shape, c3.refusal) == (16, (6, 5, 5), "")
    c5 = finished(engine.run(FilterRequest(Setup("lenet5"), "c5", 7))).filter
    assert (c5.kind, c5.channels, c5.slices.shape) == (FilterKind.DENSE, 120, (16, 5, 5))
    s2 = finished(engine.run(FilterRequest(Setup("lenet5"), "s2")))
    assert (s2.filter, s2.maker) == (None, "c1")
    with pytest.raises(SegvizError, match="no layer 'c9'"):
        finished(engine.run(FilterRequest(Setup("lenet5"), "c9")))
