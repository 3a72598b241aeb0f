"""Network in Network for CIFAR-10: small MLPs slide over the image, and global average pooling answers.

Lin, Chen and Yan, "Network In Network", 2014; sizes of the authors' network for CIFAR-10. Each
convolution is followed by two of 1x1, which are the dense layers of an MLP at every position, and the
last of those has a map for every class, whose average is the class's logit (section 3.2).
"""

from __future__ import annotations

from torch import Tensor, nn


def _mlpconv(maps_in: int, kernel: int, maps: tuple[int, int, int]) -> list[nn.Module]:
    """A convolution that keeps the size and the two layers of the MLP behind it, each with ReLU."""
    first, second, third = maps
    return [
        nn.Conv2d(maps_in, first, kernel, padding=kernel // 2),
        nn.ReLU(),
        nn.Conv2d(first, second, 1),
        nn.ReLU(),
        nn.Conv2d(second, third, 1),
        nn.ReLU(),
    ]


class NetworkInNetwork(nn.Module):
    """10 classes: (N, 3, H, W), 32 x 32 in the paper, to logits (N, 10).

    The maps before `pool` are (N, 10, H / 4, W / 4), rounded up as the authors' poolings do: the
    confidence map of each class.
    """

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.mlpconv1 = nn.Sequential(*_mlpconv(3, 5, (192, 160, 96)))
        self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.drop1 = nn.Dropout()
        self.mlpconv2 = nn.Sequential(*_mlpconv(96, 5, (192, 192, 192)))
        self.pool2 = nn.AvgPool2d(3, 2, ceil_mode=True)
        self.drop2 = nn.Dropout()
        self.mlpconv3 = nn.Sequential(*_mlpconv(192, 3, (192, 192, classes)))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()

    def forward(self, x: Tensor) -> Tensor:
        x = self.drop1(self.pool1(self.mlpconv1(x)))  # (N, 96, H / 2, W / 2)
        x = self.drop2(self.pool2(self.mlpconv2(x)))  # (N, 192, H / 4, W / 4)
        logits: Tensor = self.flatten(self.pool(self.mlpconv3(x)))  # (N, classes)
        return logits
