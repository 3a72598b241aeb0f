"""Skips faded in and out: weighted sums of the scores of an FCN's depths, their labels, what these are worth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from segviz.core import upsamplers
from segviz.core.depths import Depths
from segviz.core.frames import Lattice
from segviz.core.masks import Mask
from segviz.core.matching import match, matched
from segviz.core.metrics import Scores, counted
from segviz.core.scores import class_probability

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer[Any]]
AT_ONCE = 1 << 21  # scores of a strip: 8 MiB, and as much again while they are added up


def faded(depths: Depths, weights: Sequence[float]) -> Iterator[Floats]:
    """Scores of the weighted sum, in strips (classes, rows, columns) from the top; all weights 1: the network's answer.

    Of no more than AT_ONCE scores each, or as many as one row of units of the coarse maps makes: whole they would be
    classes times pixels.
    """
    total = np.zeros_like(depths.maps[0])
    for weight, found in zip(weights, depths.maps, strict=True):
        if weight:
            total += np.float32(weight) * found
    rows, columns = depths.lattice.rows, depths.lattice.columns
    high = max(1, AT_ONCE // max(1, len(total) * columns * depths.stride)) * depths.stride
    for top in range(0, rows, high):
        corner, size = (depths.corner[0] + top, depths.corner[1]), (min(high, rows - top), columns)
        yield np.asarray(upsamplers.transposed_maps(total, depths.kernel, depths.stride, corner, size), np.float32)


def labels(depths: Depths, weights: Sequence[float]) -> Labels:
    """The label map (rows, columns) of the weighted sum."""
    return np.concatenate([strip.argmax(0).astype(np.int32) for strip in faded(depths, weights)])


def probability(depths: Depths, weights: Sequence[float], index: int) -> Floats:
    """The softmax of class `index` (rows, columns) in the weighted sum."""
    return np.concatenate([class_probability(strip, index) for strip in faded(depths, weights)])


def labels_at(found: Labels, lattice: Lattice, height: int, width: int) -> Labels:
    """A label map on a lattice, at each pixel of an image: that of the nearest unit, of the lower one of two."""
    picks = []
    for law, size, side in zip(lattice.laws, found.shape, (height, width), strict=True):
        unit = (np.arange(side) - law.start) / law.stride
        picks.append(np.clip(np.ceil(unit - 0.5), 0, size - 1).astype(np.intp))
    return np.asarray(found[picks[0]][:, picks[1]])


def score(found: Labels, lattice: Lattice, truth: Mask, classes: Sequence[str], ignored: int | None = None) -> Scores:
    """What the label map `found` is worth against the mask of the image, whose label `ignored` does not count.

    Raises SegvizError for a label that is no class, and for a mask that marks no pixel.
    """
    matching = match(classes, truth.names)
    wanted = matched(truth, matching, ignored)
    return counted(wanted, labels_at(found, lattice, *wanted.shape), matching.names).scores
