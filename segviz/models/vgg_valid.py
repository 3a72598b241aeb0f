"""A small network in the manner of VGG that pads nothing: dense and sliding window give the same numbers.

Blocks of two 3x3 convolutions and a pooling, then three dense layers, after Simonyan and Zisserman, "Very
Deep Convolutional Networks for Large-Scale Image Recognition", 2015. VGG itself pads every convolution
with zeros, which a window has at its border and the inside of an image has not (lecture T19).
"""

from __future__ import annotations

from torch import Tensor, nn

MAPS = (32, 64, 128)  # of both convolutions of a block
LAST_SIDE = 4  # rows and columns of the last map on the native input: 60, 28, 12, 4
HIDDEN = 256


def _block(maps_in: int, maps: int) -> list[nn.Module]:
    return [nn.Conv2d(maps_in, maps, 3), nn.ReLU(), nn.Conv2d(maps, maps, 3), nn.ReLU(), nn.MaxPool2d(2)]


class VGGValid(nn.Module):
    """10 classes: (N, 3, 60, 60) to logits (N, 10). Every unit of the last layer sees 60 x 60 pixels, stride 8."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        widths = (3, *MAPS)
        self.features = nn.Sequential(
            *(layer for below, maps in zip(widths, MAPS, strict=False) for layer in _block(below, maps))
        )
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Linear(MAPS[-1] * LAST_SIDE**2, HIDDEN),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(HIDDEN, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.flatten(self.features(x)))  # features: (N, 128, 4, 4)
        return logits
