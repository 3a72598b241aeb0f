"""Scores on a lattice of units carried to pixels, aligned by the units' positions.

Every upsampling is separable: along each axis a pixel mixes a few units with weights that follow
from the unit positions (`start + unit * stride`), never from stretching a grid over the image.
The engine (labels) and the window (heatmaps, the values under the cursor) use the same tables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segviz.core.choices import Upsampling
from segviz.core.frames import Lattice
from segviz.core.steps import Law

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AxisTaps:
    """For each of n positions the units it mixes (n, k) and their weights (n, k)."""

    units: npt.NDArray[np.intp]
    weights: Array


def _nearest(u: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    return np.ceil(u - 0.5)[:, None], np.ones((len(u), 1))  # ties go to the lower unit


def _bilinear(u: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    low = np.floor(u)
    share = u - low
    return np.stack([low, low + 1], 1), np.stack([1 - share, share], 1)


def _bicubic(u: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Keys 1981 with a = -0.75, as torch and OpenCV use it."""
    low = np.floor(u)
    a = -0.75
    near = u - low

    def inner(t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return ((a + 2) * t - (a + 3)) * t * t + 1

    def outer(t: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a

    weights = np.stack([outer(near + 1), inner(near), inner(1 - near), outer(2 - near)], 1)
    return low[:, None] + np.arange(-1, 3), weights


Kernel = Callable[[npt.NDArray[np.float64]], tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]

# Fractional unit of each position -> (units, weights). A transposed convolution with a bilinear
# kernel (2f, stride f) is bilinear interpolation inside; outside the grid it has nothing to add.
UPSAMPLINGS: dict[Upsampling, Kernel] = {
    Upsampling.NEAREST: _nearest,
    Upsampling.BILINEAR: _bilinear,
    Upsampling.BICUBIC: _bicubic,
    Upsampling.TRANSPOSED: _bilinear,
}


def axis_taps(how: Upsampling, law: Law, size: int, positions: npt.NDArray[np.float64]) -> AxisTaps:
    """The taps of `positions` (pixels) on an axis of `size` units that sit at `law`."""
    units, weights = UPSAMPLINGS[how]((positions - law.start) / law.stride)
    if how is Upsampling.TRANSPOSED:
        weights = np.where((units < 0) | (units >= size), 0.0, weights)
    return AxisTaps(np.clip(units, 0, size - 1).astype(np.intp), weights.astype(np.float32))


def upsample(plane: Array, lattice: Lattice, how: Upsampling, height: int, width: int) -> Array:
    """One map (rows, columns) of scores at every pixel of (height, width)."""
    law_y, law_x = lattice.laws
    ys = axis_taps(how, law_y, lattice.rows, np.arange(height, dtype=np.float64))
    xs = axis_taps(how, law_x, lattice.columns, np.arange(width, dtype=np.float64))
    wide = np.zeros((lattice.rows, width), np.float32)
    for units, weights in zip(xs.units.T, xs.weights.T, strict=True):
        wide += plane[:, units] * weights
    tall = np.zeros((height, width), np.float32)
    for units, weights in zip(ys.units.T, ys.weights.T, strict=True):
        tall += wide[units] * weights[:, None]
    return tall
