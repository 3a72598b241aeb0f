"""U-Net: a contracting path says what, an expanding path says where, and cropped maps go across.

Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015,
figure 1. Convolutions of the paper are valid, so that the answer is 92 pixels smaller on each side.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch import cat as concatenated

from segviz.core.errors import UsageError

PADDINGS = ("valid", "same")
MAPS = (64, 128, 256, 512, 1024)  # of the levels, from the top to the bottom


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

    Valid convolutions take sizes 16 p + 60 with p of at least 8: at others a pooling would leave a row
    over. With `padding` 'same' zeros keep the size, (N, 1, H, W) to (N, 2, H, W), of multiples of 16.
    Raises UsageError for another padding.
    """

    def __init__(self, padding: str = "valid", channels: int = 1, classes: int = 2) -> None:
        super().__init__()
        if padding not in PADDINGS:
            raise UsageError(f"the padding is '{padding}'; it is {' or '.join(PADDINGS)}")
        zeros = int(padding == "same")
        top, *_, bottom = MAPS
        self.down = nn.ModuleList(
            Twice(below, maps, zeros) for below, maps in zip((channels, *MAPS), MAPS[:-1], strict=False)
        )
        self.pool = nn.ModuleList(nn.MaxPool2d(2) for _ in MAPS[:-1])
        self.bottom = Twice(MAPS[-2], bottom, zeros)
        rising = MAPS[-2::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * maps, maps, 2, 2) for maps in rising)
        self.joined = nn.ModuleList(Twice(2 * maps, maps, zeros) for maps in rising)
        self.output = nn.Conv2d(top, classes, 1)

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
