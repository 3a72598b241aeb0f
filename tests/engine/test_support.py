"""Every architecture's fields against the gradients that reach its units, measured as oracles.md says."""

from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core import catalogue
from segviz.core.entries import Entry
from segviz.core.field import Box, Status
from segviz.engine.architectures import skeleton
from segviz.engine.graph import trace
from segviz.engine.support import Unit, disagreement, drawn, supports

SMALLER = {  # inputs on which fields still end inside, for networks whose native ones are large
    **dict.fromkeys(("fcn32s", "fcn16s", "fcn8s"), (3, 64, 96)),
    "unet": (1, 188, 204),
    "segnet": (3, 96, 128),
}
SAMPLE = 4


@pytest.mark.parametrize("entry", catalogue.ENTRIES, ids=lambda entry: entry.name)
def test_random_units_of_random_layers_see_what_a_gradient_reaches(entry: Entry) -> None:
    network = skeleton(entry).eval()
    traced = trace(network, SMALLER.get(entry.name, entry.input_size))
    units = drawn(traced, SAMPLE, random.Random(entry.name))
    pairs = zip(units, supports(network, traced, units), strict=True)
    assert [said for unit, seen in pairs if (said := disagreement(traced, unit, seen))] == []


ZOO = (
    *("alexnet", "vgg11", "resnet18", "wide_resnet50_2", "squeezenet1_1", "densenet121", "googlenet"),
    *("mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0_5", "mnasnet0_5", "efficientnet_b0", "convnext_tiny"),
)
OPTIONS = {"googlenet": {"init_weights": False}}


@pytest.mark.parametrize("name", ZOO)
def test_a_dozen_of_torchvision(name: str) -> None:
    models = pytest.importorskip("torchvision", reason="torchvision belongs to the extra 'test'").models
    with torch.device("meta"):
        network = models.get_model(name, weights=None, **OPTIONS.get(name, {})).eval()
    traced = trace(network, (3, 224, 224))
    units = drawn(traced, SAMPLE, random.Random(name))
    pairs = zip(units, supports(network, traced, units), strict=True)
    assert [said for unit, seen in pairs if (said := disagreement(traced, unit, seen))] == []


class Steps(nn.Module):
    """A convolution, an operation, and what comes out."""

    def __init__(self, step: object) -> None:
        super().__init__()
        self.first, self.step, self.tail = nn.Conv2d(2, 4, 3, padding=1), step, nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.step(self.first(x)))  # type: ignore[operator]


OPERATIONS = {
    "dilated, strided, grouped": nn.Conv2d(4, 8, (3, 2), (1, 2), (2, 1), (2, 1), groups=2),
    "max, ceil, padded": nn.MaxPool2d(3, 2, 1, ceil_mode=True),
    "max, dilated": nn.MaxPool2d(3, 1, 1, 2),
    "average, ceil": nn.AvgPool2d(3, 2, ceil_mode=True, count_include_pad=False),
    "adaptive average": nn.AdaptiveAvgPool2d((5, 3)),
    "adaptive maximum": nn.AdaptiveMaxPool2d((4, 7)),
    "global": nn.AdaptiveAvgPool2d(1),
    "global by mean": lambda x: x.mean((2, 3)),
    "transposed": nn.ConvTranspose2d(4, 2, 3, 2, 1, 1),
    "transposed, dilated": nn.ConvTranspose2d(4, 2, 3, 1, 2, dilation=2),
    **{
        f"{mode}, {size}": lambda x, mode=mode, size=size: F.interpolate(x, size=size, mode=mode)
        for mode in ("nearest", "nearest-exact", "bilinear", "bicubic")
        for size in ((27, 31), (9, 8))
    },
    **{
        f"{mode}, corners": lambda x, mode=mode: F.interpolate(x, size=(23, 30), mode=mode, align_corners=True)
        for mode in ("bilinear", "bicubic")
    },
    "unpooled": lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=x.shape),
    "zeros around": nn.ZeroPad2d((1, 2, 3, 0)),
    "mirrored": nn.ReflectionPad2d(2),
    "repeated": nn.ReplicationPad2d((0, 3, 1, 1)),
    "circular": lambda x: F.pad(x, (1, 2, 3, 1), mode="circular"),
    "cut": lambda x: x[:, :, 2:-1, :9],
    "every other": lambda x: x[:, :, ::2, 1::2],
    "beside": lambda x: torch.cat([x, F.avg_pool2d(x, 3, 1, 1)], 1),
    "added": lambda x: x + F.avg_pool2d(x, 5, 1, 2),
    "shuffled": nn.PixelShuffle(2),
    "unshuffled": nn.PixelUnshuffle(2),
    "channels shuffled": nn.ChannelShuffle(2),
    "reshaped": lambda x: x.reshape(1, 4, 8, -1),
    "gated": lambda x: x * x.mean((2, 3), keepdim=True).sigmoid(),
    "group norm": nn.GroupNorm(2, 4),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_of_the_lecture_has_its_field(name: str) -> None:
    network = Steps(OPERATIONS[name]).eval()
    traced = trace(network, (2, 16, 18))
    rows, columns = traced.geometry.grid("tail")
    places = {(0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2), (rows // 3, columns - 1)}
    units = [Unit("tail", row, column) for row, column in sorted(places)]
    pairs = list(zip(units, supports(network, traced, units), strict=True))
    assert all(traced.geometry.field(*unit).status is not Status.UNKNOWN or name == "reshaped" for unit in units)
    assert [said for unit, seen in pairs if (said := disagreement(traced, unit, seen))] == []


def test_a_field_that_is_too_small_or_too_large_is_found() -> None:
    network = Steps(nn.AvgPool2d(2)).eval()
    traced = trace(network, (2, 16, 18))
    unit = Unit("tail", 3, 4)
    assert traced.geometry.field(*unit).box == Box(7, 5, 11, 9)
    for other in (Box(7, 5, 12, 9), Box(7, 5, 10, 9), None):
        assert "3,4" in disagreement(traced, unit, other)
    assert disagreement(traced, unit, Box(7, 5, 11, 9)) == ""


def test_measuring_leaves_the_network_as_it_was() -> None:
    torch.manual_seed(0)
    network = Steps(nn.PReLU(4)).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    supports(network, trace(network, (2, 9, 9)), [Unit("tail", 4, 4)])
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(not module._forward_hooks for module in network.modules())
