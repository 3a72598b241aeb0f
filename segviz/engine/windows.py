"""The straightforward way: a window of the network's native size at every grid position (lecture T15).

Done fairly: windows go through the network in batches, its dense layers stay dense (one matrix
product a batch), and convolutions run channels last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError
from segviz.engine.graph import first_tensor

BATCH_ELEMENTS = 2**24  # a batch's largest map should stay in the cache's neighbourhood
LARGEST_BATCH = 1024


@dataclass(frozen=True)
class Windows:
    """The grid of windows of `size` (h, w), `stride` apart, on an image (1, C, H, W); row by row.

    `origin` is where that image lies in the network's input: (top, left).
    """

    image: Tensor
    size: tuple[int, int]
    stride: int
    origin: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if self.rows < 1 or self.columns < 1:
            height, width = self.image.shape[2:]
            raise SegvizError(
                f"the image is {height}x{width} for the network, smaller than its window of "
                f"{self.size[0]}x{self.size[1]}: raise the scale"
            )

    @property
    def rows(self) -> int:
        return (int(self.image.shape[2]) - self.size[0]) // self.stride + 1

    @property
    def columns(self) -> int:
        return (int(self.image.shape[3]) - self.size[1]) // self.stride + 1

    def __len__(self) -> int:
        return self.rows * self.columns

    def corner(self, index: int) -> tuple[int, int]:
        """Top and left of window `index` in network pixels."""
        row, column = divmod(index, self.columns)
        return self.origin[0] + row * self.stride, self.origin[1] + column * self.stride

    def batch(self, first: int, end: int) -> Tensor:
        """Windows first..end as (N, C, h, w), copied out of the image."""
        (h, w), channels = self.size, int(self.image.shape[1])
        out = self.image.new_empty((end - first, channels, h, w))
        views = self.image[0].unfold(1, h, self.stride).unfold(2, w, self.stride)  # (C, rows, columns, h, w)
        at = first
        while at < end:
            row, column = divmod(at, self.columns)
            count = min(end - at, self.columns - column)
            out[at - first : at - first + count] = views[:, row, column : column + count].transpose(0, 1)
            at += count
        return out.contiguous(memory_format=torch.channels_last)


def batch_size(largest_map: int) -> int:
    """A batch that suits a network whose largest feature map has `largest_map` elements for one window."""
    fitting = BATCH_ELEMENTS // max(1, largest_map)
    return min(LARGEST_BATCH, 1 << max(0, fitting.bit_length() - 1))


def classify_one(network: nn.Module, windows: Windows, top: int, left: int) -> Tensor:
    """Logits (1, classes) of the window whose corner is there, in network pixels."""
    height, width = windows.size
    crop = windows.image[:, :, top : top + height, left : left + width]
    with torch.inference_mode():
        return first_tensor(network(crop.contiguous(memory_format=torch.channels_last))).flatten(1)


def classify(network: nn.Module, windows: Windows, batch: int) -> Iterator[Tensor]:
    """Logits (N, classes) of the windows, batch by batch, in the order of the grid."""
    for first in range(0, len(windows), batch):
        with torch.inference_mode():
            logits = first_tensor(network(windows.batch(first, min(first + batch, len(windows))))).flatten(1)
        yield logits  # outside: the mode would stay on in the caller for as long as this one waits
