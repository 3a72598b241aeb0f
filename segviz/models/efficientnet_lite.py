"""EfficientNet-Lite0: mobile inverted bottlenecks without squeeze-and-excitation, ReLU6, global pooling.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
table 1; the Lite form is Google's of 2020, for processors without fast gates.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from segviz.models.layers import SameConv2d

EPSILON = 1e-3  # of every batch normalisation


class Blocks(NamedTuple):
    """One row of the paper's table: `repeats` bottlenecks, of which the first has the stride."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    maps: int


TABLE = (
    Blocks(1, 3, 1, 1, 16),
    Blocks(2, 3, 2, 6, 24),
    Blocks(2, 5, 2, 6, 40),
    Blocks(3, 3, 2, 6, 80),
    Blocks(3, 5, 1, 6, 112),
    Blocks(4, 5, 2, 6, 192),
    Blocks(1, 3, 1, 6, 320),
)


def _norm(maps: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(maps, eps=EPSILON)


class Bottleneck(nn.Module):
    """Expand (1x1), filter each map by itself (depthwise), project (1x1); added to the input where sizes agree."""

    def __init__(self, maps_in: int, maps_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = maps_in * expansion
        self.expands = expansion > 1
        self.adds = stride == 1 and maps_in == maps_out
        if self.expands:
            self.expand = SameConv2d(maps_in, wide, 1, bias=False)
            self.bn_e = _norm(wide)
        self.dw = SameConv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self.bn_d = _norm(wide)
        self.project = SameConv2d(wide, maps_out, 1, bias=False)
        self.bn_p = _norm(maps_out)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self.bn_e(self.expand(x))) if self.expands else x
        y = F.relu6(self.bn_d(self.dw(y)))
        out: Tensor = self.bn_p(self.project(y))
        return x + out if self.adds else out


class EfficientNetLite0(nn.Module):
    """1,000 classes: (N, 3, H, W), scaled to about -1..1 and 224 x 224 in training, to logits (N, 1000).

    Any size of at least one pixel is answered, since `pool` averages whatever the map's size is.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        maps, head = 32, 1280
        self.stem = SameConv2d(3, maps, 3, 2, bias=False)
        self.bn_stem = _norm(maps)
        blocks = []
        for row in TABLE:
            for repeat in range(row.repeats):
                stride = 1 if repeat else row.stride
                blocks.append(Bottleneck(maps, row.maps, row.kernel, stride, row.expansion))
                maps = row.maps
        self.blocks = nn.Sequential(*blocks)
        self.head = SameConv2d(maps, head, 1, bias=False)
        self.bn_head = _norm(head)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(head, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu6(self.bn_stem(self.stem(x)))  # (N, 32, H / 2, W / 2)
        x = self.blocks(x)  # (N, 320, H / 32, W / 32)
        x = F.relu6(self.bn_head(self.head(x)))  # (N, 1280, H / 32, W / 32)
        logits: Tensor = self.fc(self.flatten(self.pool(x)))  # (N, classes)
        return logits
