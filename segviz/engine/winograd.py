"""Convolutions of 3x3 by Winograd's minimal filtering F(4x4, 3x3): 36 products a tile in place of 144.

Lavin and Gray 2016, section 4.1. Weights are transformed once, in float64; tiles of 4x4 outputs are
transformed, multiplied by them as one batch of matrices, and transformed back. Relative error about
1e-5 a layer, where the direct way has 1e-6: an option, off where exactness is the lesson.
"""

from __future__ import annotations

import torch
from torch import Tensor

FEWEST = 128  # input channels: with fewer the transforms cost what the products save
ROWS = 8  # of tiles at once, so that they stay in the cache

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


def convolve(maps: Tensor, spread: Tensor, bias: Tensor | None) -> Tensor:
    """Maps (1, C, H, W), padded already, through `transformed` weights: (1, outputs, H - 2, W - 2)."""
    height, width = int(maps.shape[2]) - 2, int(maps.shape[3]) - 2
    channels, outputs = int(spread.shape[1]), int(spread.shape[2])
    down, across = -(-height // 4), -(-width // 4)
    last = torch.nn.functional.pad(maps, (0, 4 * across - width, 0, 4 * down - height)).permute(0, 2, 3, 1)[0]
    last = last.contiguous()  # (H, W, C)
    b, a = (torch.tensor(m, dtype=maps.dtype, device=maps.device) for m in (_B, _A))
    there, back = torch.kron(b, b), torch.kron(a, a)  # (36, 36), (16, 36)
    out = maps.new_empty((4 * down, 4 * across, outputs))
    for first in range(0, down, ROWS):
        rows = min(ROWS, down - first)
        part = last[4 * first : 4 * (first + rows) + 2]
        tiles = part.unfold(0, 6, 4).unfold(1, 6, 4)  # (rows, across, C, 6, 6)
        flat = tiles.permute(3, 4, 0, 1, 2).reshape(36, rows * across * channels)
        products = torch.bmm((there @ flat).view(36, rows * across, channels), spread)
        made = (back @ products.view(36, -1)).view(4, 4, rows, across, outputs)
        out[4 * first : 4 * (first + rows)] = made.permute(2, 0, 3, 1, 4).reshape(4 * rows, 4 * across, outputs)
    if bias is not None:
        out += bias
    return out[:height, :width].permute(2, 0, 1)[None]
