"""Digits as they might also have been written: moved, larger or smaller, turned a little; and windows without one."""

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


NEAREST_MISS, FARTHEST_MISS = 12.0, 26.0  # pixels from a window's centre to that of a digit it is not about
EMPTY = 0.3  # share of windows with nothing in them at all


def between_digits(images: Tensor, chance: torch.Generator) -> Tensor:
    """Windows (N, C, H, W) that a sliding window meets between digits: parts of two neighbours, or bare paper.

    Each is made of one of `images` and the one before it, pushed apart in opposite directions.
    """
    count = len(images)
    draws = torch.rand(3, count, generator=chance)
    distance = NEAREST_MISS + draws[0] * (FARTHEST_MISS - NEAREST_MISS)
    direction = draws[1] * 2 * math.pi
    shift_x, shift_y = direction.cos() * distance, direction.sin() * distance
    parts = _moved(images, shift_x, shift_y).maximum(_moved(images.roll(1, 0), -shift_x, -shift_y))
    return parts * (draws[2] >= EMPTY).view(-1, 1, 1, 1)


def _moved(images: Tensor, shift_x: Tensor, shift_y: Tensor) -> Tensor:
    """`images` (N, C, H, W) moved by so many pixels each; zeros come in from outside."""
    _, _, height, width = images.shape
    one, none = torch.ones_like(shift_x), torch.zeros_like(shift_x)
    rows = torch.stack(
        (
            torch.stack((one, none, shift_x * 2 / width), 1),
            torch.stack((none, one, shift_y * 2 / height), 1),
        ),
        1,
    )
    return F.grid_sample(images, F.affine_grid(rows, list(images.shape), align_corners=False), align_corners=False)
