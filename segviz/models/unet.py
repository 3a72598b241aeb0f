"""U-Net: a contracting path says what, an expanding path says where, and cropped maps go across.

Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015,
figure 1. Convolutions of the paper are valid, so that the answer is 92 pixels smaller on each side.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch import cat as concatenated

from segviz.core.errors import UsageError

PADDINGS = ("valid", "same")
BASE, POOLINGS = 64, 4  # of the paper: maps of the first level, and how often the maps are halved


class Twice(nn.Sequential):
    """Two 3x3 convolutions with ReLU: (N, maps_in, H, W) to (N, maps, H - 4, W - 4), or (N, maps, H, W) if padded."""

    def __init__(self, maps_in: int, maps: int, padding: int) -> None:
        super().__init__(
            nn.Conv2d(maps_in, maps, 3, padding=padding),
            nn.ReLU(),
            nn.Conv2d(maps, maps, 3, padding=padding),
            nn.ReLU(),
        )


def cropped(maps: Tensor, like: Tensor) -> Tensor:
    """The middle of `maps` (N, C, H, W), as large as `like`; where a row is left over it goes behind."""
    top, left = ((above - below) // 2 for above, below in zip(maps.shape[2:], like.shape[2:], strict=True))
    return maps[:, :, top : top + like.shape[2], left : left + like.shape[3]]


class UNet(nn.Module):
    """2 classes: (N, 1, H, W) to logits (N, 2, H - 184, W - 184); 572 x 572 to 388 x 388 in the paper.

    The first level has `base` maps, and every one of `poolings` doubles them: 64 to 1024 in the paper. Valid
    convolutions take sizes 16 p + 60 with p of at least 8: at others a pooling would leave a row over. With
    another number d of poolings these are 2^d p + 4 (2^d - 1), and the border on each side is 6 * 2^d - 4
    instead of 92. With `padding` 'same' zeros keep the size, (N, 1, H, W) to (N, 2, H, W), of multiples of 16
    (2^d). Raises UsageError for another padding, and for fewer than one map or pooling.
    """

    def __init__(
        self, padding: str = "valid", channels: int = 1, classes: int = 2, base: int = BASE, poolings: int = POOLINGS
    ) -> None:
        super().__init__()
        if padding not in PADDINGS:
            raise UsageError(f"the padding is '{padding}'; it is {' or '.join(PADDINGS)}")
        if min(base, poolings) < 1:
            raise UsageError(f"a U-Net of {base} maps and {poolings} poolings: at least one of each is needed")
        zeros = int(padding == "same")
        *levels, bottom = (base << level for level in range(poolings + 1))
        self.down = nn.ModuleList(
            Twice(below, maps, zeros) for below, maps in zip((channels, *levels), levels, strict=False)
        )
        self.pool = nn.ModuleList(nn.MaxPool2d(2) for _ in levels)
        self.bottom = Twice(levels[-1], bottom, zeros)
        rising = levels[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * maps, maps, 2, 2) for maps in rising)
        self.joined = nn.ModuleList(Twice(2 * maps, maps, zeros) for maps in rising)
        self.output = nn.Conv2d(base, classes, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                # Section 3: a variance of 2 / fan-in keeps the maps of all levels alive. Uniform, as elsewhere here.
                nn.init.kaiming_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        skips: list[Tensor] = []
        for down, pool in zip(self.down, self.pool, strict=True):
            skips.append(down(x))  # the last of 512 x 512: (N, 512, 64, 64)
            x = pool(skips[-1])
        x = self.bottom(x)  # (N, 1024, 28, 28)
        for up, joined in zip(self.up, self.joined, strict=True):
            x = up(x)
            x = joined(concatenated([cropped(skips.pop(), x), x], 1))
        logits: Tensor = self.output(x)
        return logits


def unet_cells(padding: str = "valid", classes: int = 2) -> UNet:
    """A U-Net that one core can train, 16 maps at the top, three poolings: (N, 1, H, W) to (N, 2, H - 88, W - 88)."""
    return UNet(padding, classes=classes, base=16, poolings=3)
