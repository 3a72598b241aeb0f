"""Nothing but convolutions that never shrink a map: what lecture T21 warns of, small enough to be taught.

Every layer adds two pixels to the receptive field, at the full size of the image. Without padding, so that a
unit on the whole image equals the network on the unit's own patch (T27, T28).
"""

from __future__ import annotations

from torch import Tensor, nn

LAYERS = 10


class OnlyConv(nn.Module):
    """11 classes: (N, 1, H, W) to logits (N, 11, H - 20, W - 20), of the middle of the image.

    Ten convolutions of 3 x 3 with `maps` channels, then the scores of each unit; the receptive field is 21 pixels.
    """

    def __init__(self, classes: int = 11, maps: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(LAYERS):
            layers += [nn.Conv2d(maps if index else 1, maps, 3), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.score = nn.Conv2d(maps, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.score(self.layers(x))
        return logits
