"""What a network writes into a part of a tensor reaches all that lies in the same memory, in the record too."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segviz.core.errors import SegvizError
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace

SIZE = (3, 14, 12)


class Network(nn.Module):
    """A convolution, what a test is about, a convolution behind it."""

    def __init__(self, between):
        super().__init__()
        torch.manual_seed(3)
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 5, 3, padding=1)
        self.between = between

    def forward(self, x):
        return self.last(self.between(self.first(x)))


def channels(x):
    x = x.clone()
    x[:, :2] += 10
    return x


def one_channel(x):
    x[:, 0] = 5.0
    return x


def listed_channels(x):
    x[:, [0, 2]] = 1.0
    return x


def masked_units(x):
    x[x > 0.2] = 0
    return x


def shifted(x):
    y = x.clone()
    y[:, :, 1:] = x[:, :, :-1]
    return y


def shifted_into_zeros(x):
    y = torch.zeros_like(x)
    y[:, :, 1:] = x[:, :, :-1]
    return y


def channels_into_zeros(x):
    y = torch.zeros(x.shape, device=x.device)
    y[:, 1:] = x[:, :-1]
    y[:, 0] = 0.5
    return y * 2


def interleaved(x):
    y = torch.empty_like(x)
    y[:, 0::2], y[:, 1::2] = x[:, 2:], x[:, :2]
    return y


def swapped(x):
    x[:, 0], x[:, 1] = x[:, 1].clone(), x[:, 0].clone()
    return x


def border(x):
    x[:, :, :, 0] = 0
    x[..., 0, :] = 0
    return x


def chunks(x):
    first, second = x.chunk(2, 1)
    first.mul_(3)
    second.relu_()
    return x + torch.cat([second, first], 1)


def unbound(x):
    x.unbind(1)[2].mul_(4)
    return x


def narrowed(x):
    x.narrow(1, 1, 2).add_(x[:, :1])
    return x


def a_view_after_its_base(x):
    part = x[:, :2]
    x *= 2
    return torch.cat([part, part + x[:, 2:]], 1)


def a_view_of_a_view(x):
    x.view(1, 2, 2, *x.shape[2:])[:, :, 0].mul_(0.5)
    x.permute(0, 2, 3, 1)[..., 1] += 2
    return x


def flat(x):
    x.flatten(2)[:, 1] += 3
    return x


def an_averaged_part(x):
    x[:, 1:3] = F.adaptive_avg_pool2d(x, 1)[:, :2]
    return x


def a_mask_that_changes(x):
    mask = torch.zeros(4, 1, 1)
    y = x * mask
    mask[1] = 2
    return y + x * mask


def a_mask_of_the_image(x):
    mask = torch.ones(x.shape, dtype=torch.bool, device=x.device)
    mask &= x > 0
    return x * mask


def dropped(x):
    """A dropout that writes over its input, at work."""
    return F.dropout(x, 0.5, training=False, inplace=True) + x


CASES = (
    dropped,
    channels, one_channel, listed_channels, masked_units, shifted, shifted_into_zeros, channels_into_zeros,
    interleaved, swapped, border, chunks, unbound, narrowed, a_view_after_its_base, a_view_of_a_view, flat,
    an_averaged_part, a_mask_that_changes, a_mask_of_the_image,
)  # fmt: skip


def computed(network, rows=None):
    """What the network computes, and what its record does."""
    image = torch.rand(1, *SIZE, generator=torch.Generator().manual_seed(1)) - 0.5
    with torch.inference_mode():
        wanted = network(image.clone())
    return wanted, finished(run(trace(network, SIZE), NetworkWeights(network), image, rows=rows)).output


@pytest.mark.parametrize("rows", [None, 3])
@pytest.mark.parametrize("between", CASES)
def test_what_is_written_into_a_part_is_recorded(between, rows):
    wanted, found = computed(Network(between).eval(), rows)
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() < 1e-5


@pytest.mark.parametrize("between", [channels, one_channel, channels_into_zeros, interleaved, swapped, chunks])
def test_a_write_along_channels_leaves_fields_exact(between):
    field = trace(Network(between).eval(), SIZE).geometry.field("last", 5, 5)
    assert field.status == "exact"
    assert field.box == (3, 3, 8, 8)


def test_a_layer_shows_what_it_has_written():
    class Zeroed(nn.Module):
        def forward(self, x):
            x[:, 0] = 0
            return x

    network = nn.Sequential(nn.Conv2d(3, 4, 1), Zeroed(), nn.Conv2d(4, 2, 1)).eval()
    traced, image = trace(network, SIZE), torch.rand(1, *SIZE)
    written = finished(run(traced, NetworkWeights(network), image, traced.geometry.index("1"))).output
    with torch.inference_mode():
        assert torch.allclose(written, network[:2](image), atol=1e-6)


def test_a_weight_that_is_written_to_is_computed_once_and_left_as_it_was():
    """A masked convolution (PixelCNN) sets a part of its weight to zero each time that it runs."""

    class Masked(nn.Conv2d):
        def forward(self, x):
            weight = self.weight.clone()
            weight[:, :, 1:] = 0
            return F.conv2d(x, weight, self.bias, padding=1)

    network = nn.Sequential(Masked(3, 4, 3)).eval()
    before = network[0].weight.detach().clone()
    wanted, found = computed(network)
    assert torch.allclose(found, wanted, atol=1e-6)
    assert torch.equal(network[0].weight, before)


@pytest.mark.parametrize(
    ("write", "word"),
    [
        (lambda x: torch.diagonal(x, 0, 2, 3).zero_(), "diagonal"),
        (lambda x: torch.add(x, x, out=torch.empty_like(x)), "add"),
        (lambda x: x.squeeze_(0), "squeeze_"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_layer_operation_and_remedy(write, word):
    class Writes(nn.Module):
        def forward(self, x):
            write(x)
            return x * 1

    network = nn.Sequential(nn.Conv2d(3, 4, 1), Writes(), nn.Conv2d(4, 2, 1)).eval()
    with pytest.raises(SegvizError, match=f"layer '(1|2)' cannot be recorded.*'{word}'.*torch.cat"):
        trace(network, SIZE)
