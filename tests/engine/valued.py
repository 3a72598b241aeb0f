"""Networks whose code asks for values of the image: what tensors without values cannot record."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

SIZE = (3, 18, 16)


class Valued(nn.Module):
    """A convolution, what a test is about, a convolution behind it."""

    def __init__(self, between):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 5, 3, padding=1)
        self.register_buffer("count", torch.zeros(1))
        self.between = between

    def forward(self, x):
        return self.last(self.between(self, self.first(x)).relu())


def made(between):
    """Whose branches depend on how bright an image is: its first maps are brighter than zero where the image is."""
    torch.manual_seed(0)
    network = Valued(between).eval()
    nn.init.constant_(network.first.weight, 0.1)
    nn.init.zeros_(network.first.bias)
    return network


def bright(size=SIZE):
    torch.manual_seed(1)
    return torch.rand(1, *size)


def branched(net, x):
    return F.avg_pool2d(x, 7, 1, 3) if x.mean() > 0 else x


def scaled(net, x):
    """A number of the image becomes one of the code."""
    return x / x.max().item()


def sized(net, x):
    """A window as large as the image says."""
    side = int((x > 0).any()) + 1
    return F.avg_pool2d(x, 2 * side + 1, 1, side)


def counted(net, x):
    """A buffer that is written to, read again and branched on."""
    net.count += x.mean()
    return x * 2 if net.count > 0 else x


def written(net, x):
    """Parts of a map written over, here where the image says."""
    x = x.clone()
    x[:, :4] += 1
    if x.sum() > 0:
        x[:, :, 2:] *= 3
    places = (x.mean(1)[0] > 0).nonzero()
    x[:, :, places[:, 0], places[:, 1]] += 0.5
    return x


def hidden(net, x):
    """The same memory under another name."""
    return x.data * 2 if x.mean() > 0 else x


def through_numpy(net, x):
    return torch.from_numpy(np.tanh(x.detach().numpy()))


def beside_numpy(net, x):
    return x + torch.as_tensor(np.roll(np.asarray(x.detach()), 4, 3).copy())


def through_a_list(net, x):
    return x * torch.tensor(x.mean((2, 3)).tolist())[:, :, None, None]


def equal(net, x):
    return x * 2 if torch.equal(x, x * 1) else x


def asserted(net, x):
    assert (x.abs() < 1e9).all()
    return x * torch.tensor([1.0, 2.0] * 4)[:, None, None]


class OwnWayBack(torch.autograd.Function):
    """numpy inside, and a gradient that is written by hand."""

    @staticmethod
    def forward(context, x):
        return torch.from_numpy(np.maximum(x.detach().numpy(), 0))

    @staticmethod
    def backward(context, gradient):
        return gradient


def own_way_back(net, x):
    return OwnWayBack.apply(x)


@torch.library.custom_op("valued::rolled", mutates_args=())
def rolled(x: torch.Tensor) -> torch.Tensor:
    """Three columns to the right: an operation that nothing is known of without values."""
    return torch.from_numpy(np.roll(x.detach().numpy(), 3, -1).copy())


rolled.register_autograd(lambda context, gradient: torch.roll(gradient, -3, -1))


def without_shapes(net, x):
    return rolled(x)


def transformed(net, x):
    """A Fourier transform: recorded without values, and no rule says what its units see."""
    spectrum = torch.fft.rfft2(x)
    return torch.fft.irfft2(spectrum * 0.5, s=x.shape[2:])


NUMBERS = (branched, scaled, sized, counted, written, hidden, through_a_list, equal, asserted)
ARRAYS = (through_numpy, beside_numpy, own_way_back)
