"""Digits as they might also have been written: moved, larger or smaller, turned a little."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far each image is changed at most, drawn evenly and anew whenever it is shown."""

    shift: float = 0.0  # pixels, along each axis
    smallest: float = 1.0  # scale of the ink
    largest: float = 1.0
    turn: float = 0.0  # degrees, to either side

    def __call__(self, images: Tensor, chance: torch.Generator) -> Tensor:
        """`images` (N, C, H, W), each moved, scaled and turned about its centre; zeros come in from outside."""
        count, _, height, width = images.shape
        draws = torch.rand(4, count, generator=chance)
        scale = self.smallest + draws[0] * (self.largest - self.smallest)
        angle = (draws[1] * 2 - 1) * math.radians(self.turn)
        shift_x = (draws[2] * 2 - 1) * self.shift * 2 / width  # in half widths, the unit of affine_grid
        shift_y = (draws[3] * 2 - 1) * self.shift * 2 / height
        cos, sin = angle.cos() / scale, angle.sin() / scale
        rows = torch.stack((torch.stack((cos, -sin, shift_x), 1), torch.stack((sin, cos, shift_y), 1)), 1)
        grid = F.affine_grid(rows, list(images.shape), align_corners=False)  # (N, H, W, 2)
        return F.grid_sample(images, grid, align_corners=False)
