"""How good a coarse answer can be: the truth itself, made coarse, scored against the truth.

Long, Shelhamer and Darrell 2015 (arXiv 1411.4038, section 4.2) give the mean IoU that is left of
PASCAL VOC's own masks when they are downsampled by 128, 64, ..., 4 and brought back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segviz.core.metrics import Labels

FACTORS = (4, 8, 16, 32, 64, 128)
COUNTED_AT_ONCE = 1 << 20  # entries of a table of cells and classes


@dataclass(frozen=True, slots=True)
class Bound:
    """The mean IoU that is left when the truth is downsampled by `factor`."""

    factor: int
    mean_iou: float


def bounds(truth: Labels, classes: int, factors: Sequence[int] = FACTORS) -> tuple[Bound, ...]:
    """The mean IoU of the truth (H, W) with one label in each cell of `factor` x `factor` pixels.

    A cell has the label that most of its pixels have (the lowest of equals): no other map of such cells has
    more pixels right, though one that favours rare classes may have a higher mean IoU.
    Pixels whose truth is below 0 neither vote nor count. () where none counts.
    """
    seen = np.zeros(classes + 1, np.int64)
    for row in truth:
        seen += np.bincount(row + 1, minlength=classes + 1)
    present = np.flatnonzero(seen[1:])
    if not present.size:
        return ()
    place = np.zeros(classes + 1, np.int64)  # label + 1 -> place among those present; 0: does not count
    place[present + 1] = np.arange(1, len(present) + 1)
    return tuple(Bound(factor, _left(truth, place, len(present), factor)) for factor in factors)


def _left(truth: Labels, place: Labels, count: int, factor: int) -> float:
    """The mean IoU of one factor. No map is brought back: cells know how many pixels of each class they have."""
    height, width = truth.shape
    across = -(-width // factor)
    high = max(1, COUNTED_AT_ONCE // (across * (count + 1)))  # rows of cells
    columns = np.arange(width) // factor
    right, found, true = (np.zeros(count, np.int64) for _ in range(3))
    for top in range(0, height, high * factor):
        rows = truth[top : top + high * factor]
        cells = (np.arange(len(rows)) // factor * across)[:, None] + columns
        size = -(-len(rows) // factor) * across
        votes = np.bincount((cells * (count + 1) + place[rows + 1]).ravel(), minlength=size * (count + 1))
        votes = votes.reshape(size, count + 1)[:, 1:]  # (cells, classes)
        chosen = votes.argmax(axis=1)
        right += np.bincount(chosen, votes.max(axis=1), count).astype(np.int64)
        found += np.bincount(chosen, votes.sum(axis=1), count).astype(np.int64)
        true += votes.sum(axis=0)
    return float((right / (true + found - right)).mean())
