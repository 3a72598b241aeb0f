"""Operations on whole maps of any size are those that the engine computes on the size at hand."""

import inspect

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core.choices import Pooling
from segviz.core.errors import SegvizError
from segviz.engine import kernels, unpooling
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.forms import FORMS
from segviz.engine.graph import trace
from segviz.engine.replay import Replay, Side, SizeError, agreed
from segviz.engine.surgery import convert
from segviz.models.layers import SameConv2d
from tests.engine.constructs import CONSTRUCTS, Construct, built

MORE = ((0, 0), (1, 6), (5, 3), (10, 17))


def replay_of(network: nn.Module, construct: Construct, pooling: Pooling = Pooling.AUTO) -> Replay:
    (channels, height, width), head = construct.native, convert(network, construct.native, pooling).head
    traces = [trace(network, (channels, height + y, width + x), head) for y, x in MORE]
    named = (*network.named_parameters(), *network.named_buffers())
    return Replay(agreed(traces, NetworkWeights(network)), {name: tensor.detach() for name, tensor in named})


def difference(network: nn.Module, construct: Construct, pooling: Pooling = Pooling.AUTO) -> float:
    """The largest on sizes that were not traced."""
    module, head = replay_of(network, construct, pooling), convert(network, construct.native, pooling).head
    channels, height, width = construct.native
    worst = 0.0
    for y, x in ((3, 8), (7, 2), (12, 13), (30, 31)):
        shape = (channels, height + y, width + x)
        image = torch.rand(1, *shape)
        wanted = finished(run(trace(network, shape, head), NetworkWeights(network), image)).output
        with torch.inference_mode():
            found = module(image)
        assert found.shape == wanted.shape
        worst = max(worst, float((found - wanted).abs().max()))
    return worst


@pytest.mark.parametrize("pooling", [Pooling.NONE, Pooling.WINDOW])
@pytest.mark.parametrize("name", [name for name in CONSTRUCTS if name != "channels last"])
def test_the_zoos_constructs_on_any_size(name, pooling):
    assert difference(built(CONSTRUCTS[name]), CONSTRUCTS[name], pooling) < 2e-6


def test_dense_layers_on_maps_in_another_layout_on_any_size():
    assert difference(built(CONSTRUCTS["channels last"]), CONSTRUCTS["channels last"]) < 2e-6


class Pixels(nn.Module):
    """An answer per pixel, by all the ways there are to make maps larger, smaller, shifted and wrapped."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.down, self.up = nn.Conv2d(2, 4, 3, 2, 1), nn.ConvTranspose2d(4, 3, 3, 2, 1, output_padding=1)
        self.even, self.same = nn.Conv2d(3, 3, 2), nn.Conv2d(3, 3, (3, 2), padding="same", dilation=2)
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        y = self.up(torch.relu(self.down(x)))
        if self.mode == "mirrored":
            return self.even(F.pad(y, (2, 1, 1, 2), mode="reflect"))
        if self.mode == "repeated":
            return self.even(F.pad(y, (2, 1, 1, 2), mode="replicate"))
        if self.mode == "sliced":
            return self.same(y[:, :, 1::2, ::3])
        if self.mode == "cropped":
            return self.same(y[:, :, 1:-2, 2:-1])
        if self.mode == "average":
            return F.avg_pool2d(self.same(y), 3, 2, 1, ceil_mode=True)
        if self.mode == "average inside":
            return F.avg_pool2d(self.same(y), 3, 2, 1, ceil_mode=True, count_include_pad=False)
        if self.mode == "maximum":
            return F.max_pool2d(self.same(y), 3, 2, 1, ceil_mode=True)
        if self.mode == "unpooled":
            maxima, switches = F.max_pool2d(self.same(y), 2, 2, ceil_mode=True, return_indices=True)
            return F.max_unpool2d(maxima.tanh(), switches, 2, output_size=y.shape[2:])
        if self.mode == "twice":
            return F.interpolate(self.same(y), scale_factor=2, mode="nearest")
        if self.mode.startswith("by a fraction: "):
            return F.interpolate(self.same(y), scale_factor=(1.3, 0.7), mode=self.mode.removeprefix("by a fraction: "))
        align = None if self.mode == "nearest" else self.mode != "bicubic"
        return F.interpolate(F.max_pool2d(y, 3, 2), x.shape[2:], mode=self.mode, align_corners=align)


MODES = ("mirrored", "repeated", "sliced", "cropped", "average", "average inside", "maximum", "unpooled",
         "twice", "nearest", "bilinear", "bicubic", "by a fraction: nearest", "by a fraction: bilinear")  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_every_way_to_make_other_maps_on_any_size(mode):
    torch.manual_seed(8)
    assert difference(Pixels(mode).eval(), Construct(nn.Identity, (2, 17, 14), 0)) < 2e-6


def test_every_kernel_has_a_form():
    known = {
        made
        for module in (kernels, unpooling)
        for made in vars(module).values()
        if inspect.isclass(made) and made.__module__ == module.__name__ and "run" in vars(made)
    }
    assert known == set(FORMS)


def test_an_enlargement_to_the_size_of_the_image_takes_its_sides_from_there():
    network = Pixels("bilinear").eval()
    module = replay_of(network, Construct(nn.Identity, (2, 17, 14), 0))
    last = module._steps[-1].form
    assert last.args[1] == (Side(0, 0), Side(0, 1))


class Same(nn.Module):
    """TensorFlow's SAME padding: at an odd size both sides, at an even one behind alone."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.out = SameConv2d(2, 3, 3, 2), nn.Conv2d(3, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.stem(x))


def test_padding_that_moves_with_the_size_is_refused_by_name_and_numbers():
    with pytest.raises(SizeError, match="layer 'stem' depends on the image size") as caught:
        replay_of(Same(), Construct(nn.Identity, (2, 16, 16), 0))
    assert "0 above, 1 below, 0 left, 1 right on 16x16" in str(caught.value)
    assert "1 above, 1 below, 0 left, 1 right on 17x22" in str(caught.value)


def test_on_multiples_of_its_stride_the_same_padding_stays_where_it_is():
    network = Same()
    traces = [trace(network, (2, 16 + 2 * y, 16 + 2 * x)) for y, x in MORE]
    assert len(agreed(traces, NetworkWeights(network))) == 3  # padding, convolution, convolution


class Cut(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x[:, :, :12])


def test_a_part_that_ends_at_a_number_is_refused():
    with pytest.raises(SegvizError, match="layer 'conv' depends on the image size"):
        replay_of(Cut(), Construct(nn.Identity, (2, 16, 16), 0))


def test_weights_keep_their_names_and_are_not_copied():
    network = built(CONSTRUCTS["concatenation"])
    state = replay_of(network, CONSTRUCTS["concatenation"]).state_dict()
    own = network.state_dict()
    assert {name for name in own if "num_batches" not in name} == set(state)
    assert all(tensor.data_ptr() == own[name].data_ptr() for name, tensor in state.items())
