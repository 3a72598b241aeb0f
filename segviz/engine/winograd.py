"""Convolutions of 3x3 by Winograd's minimal filtering F(4x4, 3x3): 36 products a tile in place of 144.

Lavin and Gray 2016, section 4.1. Weights are transformed once, in float64; tiles of 4x4 outputs are
transformed, multiplied by them as one batch of matrices, and transformed back. Relative error about
1e-5 a layer, where the direct way has 1e-6: an option, off where exactness is the lesson.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

FEWEST = 128  # input channels: with fewer the transforms cost what the products save
TILES = 256  # at once, or one row of them: enough to read the weights for, few enough to stay in the cache

_B = (
    (4.0, 0.0, -5.0, 0.0, 1.0, 0.0),
    (0.0, -4.0, -4.0, 1.0, 1.0, 0.0),
    (0.0, 4.0, -4.0, -1.0, 1.0, 0.0),
    (0.0, -2.0, -1.0, 2.0, 1.0, 0.0),
    (0.0, 2.0, -1.0, -2.0, 1.0, 0.0),
    (0.0, 4.0, 0.0, -5.0, 0.0, 1.0),
)
_G = (
    (1 / 4, 0.0, 0.0),
    (-1 / 6, -1 / 6, -1 / 6),
    (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6),
    (1 / 24, -1 / 12, 1 / 6),
    (0.0, 0.0, 1.0),
)
_A = (
    (1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
    (0.0, 1.0, -1.0, 2.0, -2.0, 0.0),
    (0.0, 1.0, 1.0, 4.0, 4.0, 0.0),
    (0.0, 1.0, -1.0, 8.0, -8.0, 1.0),
)


def suits(weight: Tensor, stride: tuple[int, int], dilation: tuple[int, int], groups: int) -> bool:
    """Whether a convolution gains: 3x3, stride 1, whole, and enough channels."""
    return (
        weight.shape[2:] == (3, 3)
        and stride == dilation == (1, 1)
        and groups == 1
        and int(weight.shape[1]) >= FEWEST
        and weight.dtype is torch.float32
    )


def transformed(weight: Tensor) -> Tensor:
    """Weights (outputs, inputs, 3, 3) as 36 matrices (36, inputs, outputs)."""
    g = torch.tensor(_G, dtype=torch.float64, device=weight.device)
    spread = g @ weight.double() @ g.t()  # (outputs, inputs, 6, 6)
    return spread.permute(2, 3, 1, 0).reshape(36, weight.shape[1], weight.shape[0]).to(weight.dtype).contiguous()


def convolve(maps: Tensor, spread: Tensor, bias: Tensor | None, padding: tuple[int, int] = (0, 0)) -> Tensor:
    """Maps (1, C, H, W), with zeros (y, x) around them, through `transformed` weights: (1, outputs, rows, columns)."""
    height, width = (int(side) + 2 * zeros - 2 for side, zeros in zip(maps.shape[2:], padding, strict=True))
    down, across = -(-height // 4), -(-width // 4)
    zeros_y, zeros_x = padding
    pads = (zeros_x, zeros_x + 4 * across - width, zeros_y, zeros_y + 4 * down - height)
    last = (nn.functional.pad(maps, pads) if any(pads) else maps).permute(0, 2, 3, 1)[0].contiguous()  # (H, W, C)
    out = maps.new_empty((1, 4 * down, 4 * across, int(spread.shape[2])))
    rows = max(1, min(down, TILES // across))
    room = _Room(last, spread, rows * across)
    for first in range(0, down, rows):
        count = min(rows, down - first)
        part = last[4 * first : 4 * (first + count) + 2]
        made = room.tiles_of(part.unfold(0, 6, 4).unfold(1, 6, 4)).permute(
            2, 0, 3, 1, 4
        )  # (rows, 4, across, 4, outputs)
        place = out[0, 4 * first : 4 * (first + count)].view(made.shape)
        place.copy_(made) if bias is None else torch.add(made, bias, out=place)
    return out[:, :height, :width].permute(0, 3, 1, 2)


class _Room:
    """Memory for one block of tiles, used again for the next: fresh memory costs more than the sums done in it."""

    def __init__(self, maps: Tensor, spread: Tensor, tiles: int) -> None:
        self.spread, (_, self.channels, self.outputs) = spread, spread.shape
        b, a = (torch.tensor(m, dtype=maps.dtype, device=maps.device) for m in (_B, _A))
        self.there, self.back = torch.kron(b, b), torch.kron(a, a)  # (36, 36), (16, 36)
        # One tile more than there are: rows a power of two apart would all fall on the same lines of the cache.
        self.laid, self.moved = maps.new_zeros((2, 36 * (tiles + 1) * self.channels))
        self.products = maps.new_empty(36 * (tiles + 1) * self.outputs)
        self.made = maps.new_empty(16 * (tiles + 1) * self.outputs)

    def tiles_of(self, tiles: Tensor) -> Tensor:
        """Tiles (rows, across, C, 6, 6) to their outputs (4, 4, rows, across, outputs)."""
        rows, across = tiles.shape[:2]
        count = rows * across
        laid, moved, products, made = (
            room[: each * (count + 1) * channels].view(each, count + 1, channels)
            for room, each, channels in (
                (self.laid, 36, self.channels),
                (self.moved, 36, self.channels),
                (self.products, 36, self.outputs),
                (self.made, 16, self.outputs),
            )
        )
        laid[:, :count].view(6, 6, rows, across, self.channels).copy_(tiles.permute(3, 4, 0, 1, 2))
        torch.mm(self.there, laid.flatten(1), out=moved.flatten(1))
        torch.bmm(moved, self.spread, out=products)
        torch.mm(self.back, products.flatten(1), out=made.flatten(1))
        return made[:, :count].view(4, 4, rows, across, self.outputs)
