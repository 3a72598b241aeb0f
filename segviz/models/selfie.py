"""The selfie segmentation network of MediaPipe: a person or not, for every pixel.

An encoder after Howard et al., "Searching for MobileNetV3", 2019, its LR-ASPP head (section 5.4),
and three steps back to full resolution in which gated skip connections bring back where things are.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from segviz.models.layers import SameConv2d

Activation = Callable[[Tensor], Tensor]


class Squeeze(nn.Module):
    """Squeeze-and-excitation: each map is scaled by a gate in 0..1 computed from the averages of all maps."""

    def __init__(self, maps: int, squeezed: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(maps, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, maps, 1)

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.fc2(F.relu(self.fc1(self.pool(x)))).sigmoid()  # (N, C, 1, 1)
        return x * gate


class Bottleneck(nn.Module):
    """Expand, filter depthwise, gate if `squeezed`, project; added to the input where sizes agree."""

    def __init__(
        self,
        maps_in: int,
        wide: int,
        maps_out: int,
        kernel: int,
        stride: int = 1,
        squeezed: int = 0,
        activation: Activation = F.hardswish,
    ) -> None:
        super().__init__()
        self.expand = nn.Conv2d(maps_in, wide, 1)
        self.dw = SameConv2d(wide, wide, kernel, stride, groups=wide)
        self.se = Squeeze(wide, squeezed) if squeezed else nn.Identity()
        self.project = nn.Conv2d(wide, maps_out, 1)
        self.activation = activation
        self.adds = stride == 1 and maps_in == maps_out

    def forward(self, x: Tensor) -> Tensor:
        y = self.activation(self.dw(self.activation(self.expand(x))))
        out: Tensor = self.project(self.se(y))
        return x + out if self.adds else out


class UpBlock(nn.Module):
    """Twice the resolution: (N, maps_in, H, W) and a skip (N, maps, 2H, 2W) to (N, maps, 2H, 2W).

    What comes from below is upsampled and reduced to `maps`; the skip is added to it, map by map as
    much as a gate computed from both lets pass.
    """

    def __init__(self, maps_in: int, maps: int) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.reduce = nn.Conv2d(maps_in, maps, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.gate1 = nn.Conv2d(maps, maps, 1)
        self.gate2 = nn.Conv2d(maps, maps, 1)
        self.mix = nn.Conv2d(maps, maps, 1)
        self.dw = SameConv2d(maps, maps, 3, groups=maps)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        below = self.reduce(self.up(x))
        gate = self.gate2(F.relu(self.gate1(self.pool(skip + below)))).sigmoid()  # (N, maps, 1, 1)
        mixed: Tensor = F.relu(self.mix(skip * gate + below))
        return mixed + F.relu(self.dw(mixed))


class SelfieSegmenter(nn.Module):
    """One logit a pixel, sigmoid(logit) = P(person): (N, 3, H, W), in 0..1, to (N, 1, H, W).

    Height and width are multiples of 16, 256 in training; other sizes do not meet their skips.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = SameConv2d(3, 16, 3, 2)
        self.b1 = Bottleneck(16, 16, 16, 3, 2, squeezed=8, activation=F.relu)
        self.b2 = Bottleneck(16, 72, 24, 3, 2, activation=F.relu)
        self.b3 = Bottleneck(24, 88, 24, 3, activation=F.relu)
        self.b4 = Bottleneck(24, 96, 32, 5, 2, squeezed=24)
        self.b5 = Bottleneck(32, 128, 32, 5, squeezed=32)
        self.b6 = Bottleneck(32, 128, 32, 5, squeezed=32)
        self.b7 = Bottleneck(32, 96, 32, 5, squeezed=24)
        self.b8 = Bottleneck(32, 96, 32, 5, squeezed=24)
        self.aspp = nn.Conv2d(32, 128, 1)
        self.aspp_pool = nn.AdaptiveAvgPool2d(1)
        self.aspp_gate = nn.Conv2d(32, 128, 1)
        self.up1 = UpBlock(128, 24)
        self.up2 = UpBlock(24, 16)
        self.up3 = UpBlock(16, 16)
        self.final = nn.ConvTranspose2d(16, 1, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        half = F.hardswish(self.stem(x))  # (N, 16, H / 2, W / 2)
        quarter = self.b1(half)  # (N, 16, H / 4, W / 4)
        eighth = self.b3(self.b2(quarter))  # (N, 24, H / 8, W / 8)
        deep = self.b8(self.b7(self.b6(self.b5(self.b4(eighth)))))  # (N, 32, H / 16, W / 16)
        gate = self.aspp_gate(self.aspp_pool(deep)).sigmoid()  # (N, 128, 1, 1)
        y = F.relu(self.aspp(deep)) * gate
        y = self.up3(self.up2(self.up1(y, eighth), quarter), half)  # (N, 16, H / 2, W / 2)
        logits: Tensor = self.final(y)  # (N, 1, H, W)
        return logits
