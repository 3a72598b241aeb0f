"""What strangers' networks do that those of the catalogue do not: the record must compute what they compute."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace

SIZE = (3, 24, 20)


class Network(nn.Module):
    """A convolution, what a test is about, a convolution behind it."""

    def __init__(self, between):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 5, 3, stride=2, padding=1)
        self.table = nn.Parameter(torch.randn(40, 8))
        self.between = between

    def forward(self, x):
        return self.last(self.between(self, self.first(x)).relu())


def masked(net, x):
    """Swin: a mask written to in pieces, of the image's size alone."""
    mask = x.new_zeros(x.shape[2:])
    mask[: x.shape[2] // 2, 3:] = 1
    return x * mask + torch.zeros_like(x).add_(0.5)


def placed(net, x):
    """Relative positions: a row of numbers that looks up a parameter."""
    rows = torch.arange(x.shape[2], device=x.device)
    distance = (rows[:, None] - rows[None, :]).abs()
    bias = net.table[distance]  # rows, rows, channels
    return x + bias.mean(1).t()[None, :, :, None]


def attended(net, x):
    """Positions in a row, attention, maps again: whose place in the image nobody knows."""
    tokens = x.flatten(2).transpose(1, 2)
    seen = F.scaled_dot_product_attention(tokens, tokens, tokens)
    return seen.transpose(1, 2).reshape(x.shape)


def attended_beside(net, x):
    return x + attended(net, x)


def attended_and_joined(net, x):
    return torch.cat([x[:, :4], attended(net, x)[:, 4:]], 1)


def summed(net, x):
    """FPN: maps behind one another, and their sum."""
    return torch.stack([x, -x, x * 2]).sum(0)


def unbound(net, x):
    return sum(torch.stack([x, x + 1], 2).unbind(2))


def gated(net, x):
    """Selective kernels: softmax over the vectors of two branches."""
    both = torch.stack([x, -x], 1)
    gate = both.sum(1).mean((2, 3), keepdim=True)
    weights = torch.stack([gate, gate * 2], 1).softmax(1)
    return (both * weights).sum(1)


def turned(net, x):
    """BGR: channels picked by a list."""
    return x[:, [2, 1, 0, 3, 7, 6, 5, 4]]


def turned_by_an_array(net, x):
    return x[:, np.arange(8)[::-1].copy()]


def picked(net, x):
    """True and false for each channel."""
    return torch.cat([x[:, [True, False] * 4], x[:, torch.tensor([False, True] * 4)]], 1)


def centred(net, x):
    """Mean and deviation written into the code, for the device of the image."""
    mean = x.new_tensor([0.1 * k for k in range(8)]).view(1, 8, 1, 1)
    deviation = torch.tensor([1.0 + k for k in range(8)], device=x.device).view(1, 8, 1, 1)
    return (x - mean) / deviation + torch.as_tensor(np.float32([0.5]), device=x.device)


def chunked_weights(net, x):
    first, second = net.table.chunk(2)
    return x * second[:8, 0].view(8, 1, 1) + first[0, 0]


def cast(net, x):
    return 1 - (x > 0).to(torch.float32)


def strip_pooled(net, x):
    """Strip pooling (Hou et al. 2020): maps of one column and of one row meet the maps that they were made of."""
    return x * F.adaptive_avg_pool2d(x, (x.shape[2], 1)).sigmoid() + F.adaptive_avg_pool2d(x, (1, x.shape[3]))


def highest(net, x):
    return x + F.max_pool2d(x, (x.shape[2], 1))


def crossed(net, x):
    return F.max_pool2d(x, (x.shape[2], 1)) * F.max_pool2d(x, (1, x.shape[3]))


CASES = (
    masked, placed, attended, attended_beside, attended_and_joined, summed, unbound, gated, turned, turned_by_an_array,
    picked, centred, chunked_weights, cast, strip_pooled, highest, crossed,
)  # fmt: skip


@pytest.mark.parametrize("between", CASES)
def test_the_record_computes_what_the_network_computes(between):
    torch.manual_seed(3)
    network = Network(between).eval()
    image = torch.rand(1, *SIZE)
    traced = trace(network, SIZE)
    with torch.inference_mode():
        wanted = network(image)
    for rows in (None, 3):  # all at once, and in strips
        found = finished(run(traced, NetworkWeights(network), image, rows=rows)).output
        assert found.shape == wanted.shape
        assert (found - wanted).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("between", "exact"), [(summed, True), (unbound, True), (masked, True), (turned, True), (attended, False)]
)
def test_fields_are_known_as_far_as_positions_are(between, exact):
    geometry = trace(Network(between).eval(), SIZE).geometry
    assert (geometry.field("last", 3, 3).status == "exact") is exact
    if exact:
        assert geometry.field("last", 3, 3).box == (4, 4, 9, 9)  # 3 + 2 pixels, stride 2


@pytest.mark.parametrize("between", [strip_pooled, highest, crossed])
def test_a_unit_that_is_spread_over_its_row_or_column_is_in_the_field(between):
    network = Network(between).double().eval()
    field = trace(network, SIZE).geometry.field("last", 3, 3)
    image = torch.rand(1, *SIZE, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(image)[0, :, 3, 3].sum(), image)
    left, top, right, bottom = (int(edge) for edge in field.box.clipped(SIZE[2], SIZE[1]))
    gradient[:, :, top:bottom, left:right] = 0
    assert field.status != "unknown"
    assert not gradient.any()


def test_a_module_with_several_names_is_left_as_it_was():
    class Shared(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Conv2d(3, 3, 3)
            self.same = self.one
            self.last = nn.Conv2d(3, 2, 1)
            self.last.weight = nn.Parameter(self.one.weight[:2, :, :1, :1].detach())

        def forward(self, x):
            return self.last(self.same(self.one(x)))

    network = Shared().eval()
    before = {name: (id(tensor), tensor.clone()) for name, tensor in network.state_dict(keep_vars=True).items()}
    trace(network, SIZE)
    for name, tensor in network.state_dict(keep_vars=True).items():
        assert id(tensor) == before[name][0]
        assert torch.equal(tensor, before[name][1])


def test_a_network_that_breaks_while_it_is_recorded_is_left_as_it_was():
    network = Network(lambda net, x: x.nothing())
    with pytest.raises(Exception, match="breaks"):
        trace(network, SIZE)
    assert not any(tensor.is_meta for tensor in network.parameters())


class Remembering(nn.Module):
    """Keeps what it computed of its weights, by device and under a name, as some attentions of timm do."""

    def __init__(self):
        super().__init__()
        self.biases = nn.Parameter(torch.arange(8.0).view(1, 8, 1, 1))
        self.register_buffer("places", torch.tensor([7, 2, 2]))
        self.cache, self.calls = {}, []
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, x):
        key = str(x.device)
        if key not in self.cache:
            self.cache[key] = self.biases[:, self.places]
        self.newest = self.cache[key]
        self.calls.append(len(self.calls))
        return self.conv(x) + self.newest


def test_what_a_network_remembers_of_being_recorded_it_forgets():
    network = Remembering().eval()
    with torch.inference_mode():
        wanted = network(torch.ones(1, 3, 4, 4))
    traces = [trace(network, (3, 4, 4)) for _ in range(2)]
    assert list(network.cache) == ["cpu"]
    assert network.calls == [0]
    assert network.newest is network.cache["cpu"]
    for traced in traces:
        found = finished(run(traced, NetworkWeights(network), torch.ones(1, 3, 4, 4))).output
        assert torch.allclose(found, wanted)
