"""SegNet: the convolutions of VGG16 forwards and backwards, with max-unpooling at the places of the maxima.

Badrinarayanan, Kendall and Cipolla, "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
Segmentation", 2017, figure 2; unpooling by recorded switches after Zeiler and Fergus, 2014, and Noh et
al., "Learning Deconvolution Network for Semantic Segmentation", 2015. Poolings in ceil mode, as the
authors have them, so that images of any size come back at their own.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F

Blocks = tuple[tuple[int, ...], ...]  # of each block the maps that it takes, then those of its convolutions

BLOCKS: Blocks = ((3, 64, 64), (64, 128, 128), (128, 256, 256, 256), (256, 512, 512, 512), (512, 512, 512, 512))


class Unpool(nn.Module):
    """Each maximum back at the place where it was found, zeros elsewhere: (N, C, h, w) to (N, C, *size)."""

    def forward(self, x: Tensor, switches: Tensor, size: tuple[int, int]) -> Tensor:
        return F.max_unpool2d(x, switches, [2, 2], output_size=size)


def _convolutions(widths: tuple[int, ...]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for below, maps in pairwise(widths):
        layers += [nn.Conv2d(below, maps, 3, padding=1), nn.BatchNorm2d(maps), nn.ReLU()]
    return layers


class SegNet(nn.Module):
    """11 classes: (N, 3, H, W), 360 x 480 in the paper, to logits (N, 11, H, W).

    `blocks` are those of the paper, or fewer and thinner ones; the first number is that of the image's channels.
    """

    def __init__(self, classes: int = 11, blocks: Blocks = BLOCKS) -> None:
        super().__init__()
        self.encoder = nn.ModuleList(nn.Sequential(*_convolutions(widths)) for widths in blocks)
        self.pool = nn.ModuleList(nn.MaxPool2d(2, ceil_mode=True, return_indices=True) for _ in blocks)
        self.unpool = nn.ModuleList(Unpool() for _ in blocks)
        rising = [widths[::-1] for widths in blocks[::-1]]
        decoder = [_convolutions(widths) for widths in rising[:-1]]
        last = _convolutions(rising[-1][:-1])
        self.decoder = nn.ModuleList(nn.Sequential(*layers) for layers in [*decoder, last])
        self.output = nn.Conv2d(blocks[0][1], classes, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        recorded: list[tuple[Tensor, tuple[int, int]]] = []
        for encoder, pool in zip(self.encoder, self.pool, strict=True):
            x = encoder(x)
            size = (x.shape[2], x.shape[3])
            x, switches = pool(x)
            recorded.append((switches, size))
        for unpool, decoder in zip(self.unpool, self.decoder, strict=True):
            x = decoder(unpool(x, *recorded.pop()))
        logits: Tensor = self.output(x)
        return logits


segnet_digits = partial(SegNet, blocks=((1, 16, 16), (16, 32, 32), (32, 48, 48)))
