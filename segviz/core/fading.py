"""Skips faded in and out: weighted sums of the scores of an FCN's depths, their labels, what these are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from segviz.core import upsamplers
from segviz.core.depths import Depths
from segviz.core.frames import Lattice
from segviz.core.masks import Mask
from segviz.core.matching import match, matched
from segviz.core.metrics import Scores, counted

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.integer[Any]]


def faded(depths: Depths, weights: Sequence[float]) -> Floats:
    """Scores (classes, height, width) of the weighted sum; all weights 1: what the network answers."""
    total = np.zeros_like(depths.maps[0])
    for weight, found in zip(weights, depths.maps, strict=True):
        if weight:
            total += np.float32(weight) * found
    scores = upsamplers.transposed_maps(total, depths.kernel, depths.stride, depths.corner, depths.size)
    return np.asarray(scores[:, : depths.lattice.rows, : depths.lattice.columns], np.float32)


def labels_at(labels: Labels, lattice: Lattice, height: int, width: int) -> Labels:
    """A label map on a lattice, at each pixel of an image: that of the nearest unit, of the lower one of two."""
    picks = []
    for law, size, side in zip(lattice.laws, labels.shape, (height, width), strict=True):
        unit = (np.arange(side) - law.start) / law.stride
        picks.append(np.clip(np.ceil(unit - 0.5), 0, size - 1).astype(np.intp))
    return np.asarray(labels[picks[0]][:, picks[1]])


def score(labels: Labels, lattice: Lattice, truth: Mask, classes: Sequence[str]) -> Scores:
    """What a label map is worth against the mask of the image.

    Raises SegvizError for a label that is no class, and for a mask that marks no pixel.
    """
    matching = match(classes, truth.names)
    wanted = matched(truth, matching)
    return counted(wanted, labels_at(labels, lattice, *wanted.shape), matching.names).scores
