"""Where the energy of a gradient lies: ellipses, the least area that holds most of it, pictures to look at."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from segviz.core.effective import SHARES, Ellipse

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

OF_A_PIXEL = 1 / 12  # second moment of a square of side 1 about its centre, along each axis
LEAST_AXIS = 0.5  # half axis in pixels: an ellipse is no smaller than a pixel
SMOOTHED = 1 / 40  # of the shorter side: how wide a glow is smoothed, once on each side
STRONGEST = 99.5  # per cent of the values of a back-projection that a picture of it tells apart


def energy(projection: Floats) -> Floats:
    """Of a gradient (C, H, W) the magnitude summed over its channels (H, W)."""
    return np.asarray(np.abs(projection).sum(0), dtype=np.float32)


def ellipses(values: Floats, left: float = 0, top: float = 0) -> tuple[Ellipse, ...]:
    """The ellipses that hold `SHARES` of an energy (H, W) whose first pixel is at (left, top); () where all is zero.

    Their common shape is that of the second moments; how large each must be is counted, pixel by pixel, so that
    nothing is said about the form of the energy.
    """
    total = float(values.sum(dtype=np.float64))
    if total <= 0:
        return ()
    parts = values.astype(np.float64) / total
    y, x = np.mgrid[: values.shape[0], : values.shape[1]].astype(np.float64)
    center = float((parts * x).sum()), float((parts * y).sum())
    x, y = x - center[0], y - center[1]
    moments = np.array([[(parts * a * b).sum() for b in (x, y)] for a in (x, y)]) + OF_A_PIXEL * np.eye(2)
    inverse = np.linalg.inv(moments)
    far = inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y**2
    order = np.argsort(far, axis=None)
    held, far = np.cumsum(parts.ravel()[order]), far.ravel()[order]
    place = left + center[0], top + center[1]
    found = []
    for share in SHARES:
        at = min(int(np.searchsorted(held, share)), held.size - 1)
        found.append(Ellipse(share, place, _no_smaller(moments * far[at])))
    return tuple(found)


def _no_smaller(moments: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """(xx, xy, yy) with half axes of at least half a pixel."""
    squares, axes = np.linalg.eigh(moments)
    kept = axes * np.maximum(squares, LEAST_AXIS**2) @ axes.T
    return float(kept[0, 0]), float(kept[0, 1]), float(kept[1, 1])


def spread(values: Floats, share: float = SHARES[-1]) -> float | None:
    """The least part of the pixels that holds `share` of the energy, 0 to 1; None where there is none."""
    total = float(values.sum(dtype=np.float64))
    if total <= 0:
        return None
    held = np.cumsum(np.sort(values, axis=None)[::-1], dtype=np.float64)
    return (int(np.searchsorted(held, share * total)) + 1) / values.size


def glow(values: Floats) -> Bytes:
    """An energy (H, W) to be looked at: smoothed, since gradients flicker from pixel to pixel; its maximum is 255."""
    radius = round(SMOOTHED * min(values.shape))
    smooth = values.astype(np.float64)
    for axis in (0, 1):
        for _ in range(3):  # three boxes are nearly a Gaussian
            smooth = _boxed(smooth, radius, axis)
    top = smooth.max()
    return np.rint(255 * smooth / top if top > 0 else smooth).astype(np.uint8)


def _boxed(values: npt.NDArray[np.float64], radius: int, axis: int) -> npt.NDArray[np.float64]:
    """The mean over 2 radius + 1 neighbours along an axis, of zeros beyond the border."""
    pads: list[tuple[int, int]] = [(0, 0), (0, 0)]
    pads[axis] = (radius + 1, radius)
    sums = np.cumsum(np.pad(values, pads), axis)
    width, count = 2 * radius + 1, values.shape[axis]
    ends = (np.take(sums, range(first, first + count), axis) for first in (width, 0))
    high, low = ends
    return np.asarray(np.maximum(high - low, 0) / width)


def picture(projection: Floats) -> Bytes:
    """A back-projection (3 or 1, H, W) as a picture (H, W, 3): zero is grey, the strongest half per cent is clipped."""
    top = float(np.percentile(np.abs(projection), STRONGEST)) or float(np.abs(projection).max())
    levels: npt.NDArray[Any] = 127.5 + 127.5 * np.clip(projection / top if top > 0 else projection, -1, 1)
    return np.ascontiguousarray(np.broadcast_to(np.rint(levels), (3, *projection.shape[1:])).transpose(1, 2, 0)).astype(
        np.uint8
    )
