"""VGG11, 13, 16 and 19: blocks of 3x3 convolutions between poolings, three dense layers.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", 2015,
table 1, columns A, B, D and E; names of layers and tensors as in torchvision.
"""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

CONVOLUTIONS = {  # of the five blocks, by the number of layers with weights
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
MAPS = (64, 128, 256, 512, 512)  # of every convolution of a block
LAST_SIDE = 7  # rows and columns of the map that the first dense layer flattens


def _features(depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    maps_in = 3
    for count, maps in zip(CONVOLUTIONS[depth], MAPS, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(maps_in, maps, 3, padding=1), nn.ReLU()]
            maps_in = maps
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class VGG(nn.Module):
    """1,000 classes: (N, 3, 224, 224), scaled by ImageNet's mean and deviation, to logits (N, 1000).

    `depth` is a key of CONVOLUTIONS. `avgpool` changes nothing at the native size; it lets other sizes
    fit the dense layers.
    """

    def __init__(self, depth: int, classes: int = 1000) -> None:
        super().__init__()
        self.features = _features(depth)
        self.avgpool = nn.AdaptiveAvgPool2d(LAST_SIDE)
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Linear(MAPS[-1] * LAST_SIDE**2, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.avgpool(self.features(x))  # (N, 512, 7, 7)
        logits: Tensor = self.classifier(self.flatten(x))  # (N, classes)
        return logits


vgg11, vgg13, vgg16, vgg19 = (partial(VGG, depth) for depth in CONVOLUTIONS)
