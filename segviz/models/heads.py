"""A small Network in Network with three heads to choose from, for the comparison of lecture T33.

Lin, Chen and Yan, "Network In Network", 2014, section 4.6 and table 5: the same maps behind a dense layer, a dense
layer with dropout, and global average pooling, which has no parameters.
"""

from __future__ import annotations

from torch import Tensor, nn

from segviz.core.errors import UsageError

HEADS = ("gap", "dense", "dropout")


def _mlpconv(below: int, kernel: int, maps: int, last: int) -> list[nn.Module]:
    """A convolution that keeps the size and a layer of 1 x 1 behind it, each normalised, with ReLU."""
    return [
        nn.Conv2d(below, maps, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(maps),
        nn.ReLU(),
        nn.Conv2d(maps, last, 1, bias=False),
        nn.BatchNorm2d(last),
        nn.ReLU(),
    ]


class SmallNIN(nn.Module):
    """10 classes: (N, 1, 32, 32), ink 1 on paper 0, to logits (N, 10); other sizes with the head `gap` alone.

    The maps before the head are (N, 10, H / 4, W / 4), one for every class. Raises UsageError for another head.
    """

    def __init__(self, head: str = "gap", classes: int = 10) -> None:
        super().__init__()
        if head not in HEADS:
            raise UsageError(f"the head is '{head}'; it is {', '.join(HEADS[:-1])} or {HEADS[-1]}")
        self.mlpconv1 = nn.Sequential(*_mlpconv(1, 5, 24, 24))
        self.pool1 = nn.MaxPool2d(2)
        self.mlpconv2 = nn.Sequential(*_mlpconv(24, 5, 32, 32))
        self.pool2 = nn.AvgPool2d(2)
        self.mlpconv3 = nn.Sequential(*_mlpconv(32, 3, 48, 48), nn.Conv2d(48, classes, 1))
        self.pool = nn.AdaptiveAvgPool2d(1) if head == "gap" else nn.Identity()
        self.flatten = nn.Flatten()
        self.drop = nn.Dropout() if head == "dropout" else nn.Identity()
        self.output = nn.Identity() if head == "gap" else nn.Linear(classes * 8 * 8, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool1(self.mlpconv1(x))  # (N, 24, H / 2, W / 2)
        x = self.pool2(self.mlpconv2(x))  # (N, 32, H / 4, W / 4)
        x = self.drop(self.flatten(self.pool(self.mlpconv3(x))))
        logits: Tensor = self.output(x)  # (N, classes)
        return logits
