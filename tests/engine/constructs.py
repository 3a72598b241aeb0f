"""Small classifiers that are built as those of the zoo are: the constructs that conversion must know."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Shuffled(nn.Module):
    """ShuffleNet: halves of the channels, one goes around; channels shuffled by a view; the mean as a function."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.branch = nn.Conv2d(2, 8, 3, 2, 1), nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        around, through = torch.relu(self.stem(x)).chunk(2, dim=1)
        x = torch.cat((around, self.branch(through)), dim=1)
        batch, channels, height, width = x.shape
        x = x.view(batch, 2, channels // 2, height, width).transpose(1, 2).contiguous()
        return self.fc(x.view(batch, channels, height, width).mean([2, 3]))


class Squeezed(nn.Module):
    """Squeeze and excitation with dense layers, viewed as a map of one unit again."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.squeeze, self.excite = nn.Conv2d(2, 6, 3, 2), nn.Linear(6, 3), nn.Linear(3, 6)
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.hardswish(self.stem(x))
        gate = self.pool(x).view(1, 6)
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(gate)))).view(1, 6, 1, 1)
        return self.fc(self.pool(x * gate.expand_as(x)).flatten(1))


class ChannelsLast(nn.Module):
    """ConvNeXt: layer normalisation and dense layers on maps in (N, H, W, C), a layer scale, a norm at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(2, 6, 2, 2), nn.LayerNorm(6)
        self.wide, self.narrow, self.last = nn.Linear(6, 12), nn.Linear(12, 6), nn.LayerNorm(6)
        self.scale = nn.Parameter(torch.rand(6, 1, 1))
        self.pool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        y = self.narrow(F.gelu(self.wide(self.norm(x.permute(0, 2, 3, 1))))).permute(0, 3, 1, 2)
        x = self.pool(x + self.scale * y).permute(0, 2, 3, 1)
        return self.fc(torch.flatten(self.last(x).permute(0, 3, 1, 2), 1))


class Branched(nn.Module):
    """Inception: branches side by side, pooled in ceil mode, an average of stride 1."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.one = nn.Conv2d(2, 4, 3, 2), nn.Conv2d(4, 3, 1)
        self.tall, self.wide = nn.Conv2d(4, 3, (3, 1), padding=(1, 0)), nn.Conv2d(3, 3, (1, 3), padding=(0, 1))
        self.pool, self.fc = nn.MaxPool2d(3, 2, ceil_mode=True), nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        x = torch.cat([self.one(x), self.wide(self.tall(x)), F.avg_pool2d(x, 3, 1, 1)], 1)
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(self.pool(x), (1, 1)), 1))


class Dense(nn.Module):
    """DenseNet: normalisation before the convolution, what was before set beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(2), nn.Conv2d(2, 3, 3, padding=1)
        self.again, self.fc = nn.BatchNorm2d(5), nn.Linear(5, 3)
        self.norm.running_mean.normal_()
        self.again.running_var.uniform_(0.5, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([x, self.conv(F.relu(self.norm(x), inplace=True))], 1)
        x = F.relu(self.again(F.avg_pool2d(x, 2, 2)), inplace=True)
        return self.fc(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))


class Flat(nn.Module):
    """AlexNet and VGG: an adaptive pooling that does nothing on the native size, functions, dropout, dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.pool = nn.Conv2d(2, 4, 3), nn.AdaptiveAvgPool2d(3)
        self.drop, self.hidden = nn.Dropout(), nn.Linear(4 * 9, 8)
        self.weight = nn.Parameter(torch.randn(3, 8))

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.max_pool2d(F.relu(self.conv(x), inplace=True), 2))
        x = F.relu(self.hidden(self.drop(torch.flatten(x, 1))))
        return F.linear(x, self.weight)


class Joined(nn.Module):
    """Two dense layers set side by side along the last dimension, and probabilities along it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.left, self.right = nn.Conv2d(2, 4, 3, 2), nn.Linear(4 * 9, 5), nn.Linear(4 * 9, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.flatten(torch.tanh(self.conv(x)), 1)
        return F.log_softmax(torch.cat([self.left(x), self.right(x)], dim=-1), dim=-1)


class Construct(NamedTuple):
    """`window` is the stride of the sliding window that it equals; 0: the mean of its maps is its answer."""

    build: Callable[[], nn.Module]
    native: tuple[int, int, int]
    window: int


CONSTRUCTS = {
    "channel shuffle": Construct(Shuffled, (2, 12, 12), 0),
    "squeeze and excitation": Construct(Squeezed, (2, 11, 11), 0),
    "channels last": Construct(ChannelsLast, (2, 8, 8), 2),
    "branches": Construct(Branched, (2, 16, 16), 0),
    "concatenation": Construct(Dense, (2, 8, 8), 0),
    "flatten": Construct(Flat, (2, 8, 8), 2),
    "side by side": Construct(Joined, (2, 8, 8), 2),
}


def built(construct: Construct) -> nn.Module:
    torch.manual_seed(7)
    return construct.build().eval()
