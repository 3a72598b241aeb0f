"""Scores near the boundaries of regions, where networks are worst: the trimap of Kohli, Ladicky and Torr 2009.

Only pixels in a band about the boundaries of the truth count; how the score rises with the width of
the band says how much of the error lies at the edges (International Journal of Computer Vision 82,
section 5.3; plotted as mean IoU over the width by DeepLab, arXiv 1606.00915, figure 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segviz.core.metrics import Labels

WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # of the band on each side of a boundary, in pixels
ROWS_AT_ONCE = 128

Far = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Band:
    """The score of the `pixels` that lie within `width` pixels of a boundary; None where there is none."""

    width: int
    pixels: int
    pixel_accuracy: float | None
    mean_iou: float | None


def boundary(labels: Labels) -> npt.NDArray[np.bool_]:
    """The pixels of a label map (H, W) on both sides of every boundary: one of the four neighbours differs."""
    out = np.zeros(labels.shape, dtype=bool)
    down, across = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    out[1:] |= down
    out[:-1] |= down
    out[:, 1:] |= across
    out[:, :-1] |= across
    return out


def square_distance(to: npt.NDArray[np.bool_], limit: int) -> Far:
    """The squared Euclidean distance (H, W) of every pixel to the nearest of the pixels `to`, exact up to `limit`².

    `limit` is at most 120 pixels; what lies further away has some number above `limit`².
    """
    beyond = limit + 1
    columns = np.arange(to.shape[1], dtype=np.int32)
    along = np.empty(to.shape, np.int16)  # squared distance within the row
    for top in range(0, len(to), ROWS_AT_ONCE):
        rows = to[top : top + ROWS_AT_ONCE]
        left = np.maximum.accumulate(np.where(rows, columns, -2 * beyond), axis=1)
        right = np.minimum.accumulate(np.where(rows, columns, columns[-1:] + 2 * beyond)[:, ::-1], axis=1)[:, ::-1]
        near = np.minimum(np.minimum(columns - left, right - columns), beyond)
        along[top : top + ROWS_AT_ONCE] = near * near
    out = along.copy()
    for step in range(1, min(limit, len(to) - 1) + 1):
        np.minimum(out[step:], along[:-step] + np.int16(step * step), out=out[step:])
        np.minimum(out[:-step], along[step:] + np.int16(step * step), out=out[:-step])
    return out


def trimap(truth: Labels, predicted: Labels, classes: int, widths: Sequence[int] = WIDTHS) -> tuple[Band, ...]:
    """The scores of the pixels within each of `widths` pixels of a boundary of the truth (H, W).

    A band of width 1 has the pixels that touch a boundary, on both of its sides; one of width w also
    those at most w - 1 pixels from them, centre to centre. Pixels whose truth is below 0 make a
    boundary, as the unlabelled borders of PASCAL VOC do, but do not count. `widths` rise.
    """
    limit = max(widths) - 1
    far = square_distance(boundary(truth), limit)
    inner = np.array([(width - 1) ** 2 for width in widths])
    shape = (len(widths) + 1, classes)
    right, true, found = (np.zeros(shape, np.int64) for _ in range(3))
    for top in range(0, len(truth), ROWS_AT_ONCE):
        rows = np.s_[top : top + ROWS_AT_ONCE]
        near = (truth[rows] >= 0) & (far[rows] <= limit * limit)
        real, said = truth[rows][near].astype(np.int64), predicted[rows][near].astype(np.int64)
        band = np.searchsorted(inner, far[rows][near]) * classes
        for counts, labels in ((true, band + real), (found, band + said), (right, (band + real)[real == said])):
            counts += np.bincount(labels, minlength=counts.size).reshape(shape)
    sums = (table.cumsum(axis=0) for table in (right, true, found))
    return tuple(_band(width, *tables) for width, *tables in zip(widths, *sums, strict=False))


def _band(width: int, right: Labels, true: Labels, found: Labels) -> Band:
    pixels, union = int(true.sum()), true + found - right
    if not pixels:
        return Band(width, 0, None, None)
    there = union > 0
    return Band(width, pixels, float(right.sum() / pixels), float((right[there] / union[there]).mean()))
