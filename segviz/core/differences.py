"""How two results of one image differ: where their labels do, and by how much their probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segviz.core.matching import plain
from segviz.core.requests import Prediction
from segviz.core.scores import CLASSES_AT_ONCE, ROWS_AT_ONCE, Normaliser

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Difference:
    """`agreement` is the share of pixels with one label; `maximum` and `mean` are of the absolute difference of
    probabilities over all units and classes of the grid, None where `reason` says why they are not compared."""

    agreement: float
    maximum: float | None
    mean: float | None
    reason: str = ""


def differing(one: Prediction, other: Prediction) -> npt.NDArray[np.bool_]:
    """Where labels (H, W) differ: by their names, since two networks may number the same classes differently."""
    number = {plain(name): index for index, name in reversed(list(enumerate(one.classes)))}
    names = np.array([number.get(plain(name), -1) for name in other.classes], np.int32)
    if one.classes == other.classes:
        names = np.arange(len(one.classes), dtype=np.int32)  # also where two of them have one name
    out = np.empty(one.labels.shape, bool)
    for row in range(0, len(out), ROWS_AT_ONCE):
        block = np.s_[row : row + ROWS_AT_ONCE]
        out[block] = names[other.labels[block]] != one.labels[block]
    return out


def difference(one: Prediction, other: Prediction) -> Difference:
    """Of two predictions of one image."""
    agreement = 1 - float(differing(one, other).mean())
    reason = not_comparable(one, other)
    if reason:
        return Difference(agreement, None, None, reason)
    maximum, total = 0.0, 0.0
    for part in _apart(one, other):
        maximum, total = max(maximum, float(part.max())), total + float(part.sum(dtype=np.float64))
    return Difference(agreement, maximum, total / one.logits.size)


def largest(one: Prediction, other: Prediction) -> Floats:
    """The largest difference of the probabilities of any class at each unit of the grid (rows, columns), 0 to 1.

    Of two that can be compared so (`not_comparable`).
    """
    out = np.zeros(one.logits.shape[1:], np.float32)
    for part in _apart(one, other):
        np.maximum(out, part.max(axis=0), out=out)
    return out


def _apart(one: Prediction, other: Prediction) -> Iterator[Floats]:
    """The absolute differences of probabilities (classes, rows, columns), some classes at once."""
    normals = Normaliser.of(one.logits), Normaliser.of(other.logits)
    for at in range(0, len(one.logits), CLASSES_AT_ONCE):
        part = np.s_[at : at + CLASSES_AT_ONCE]
        first, second = (n.probability(p.logits[part]) for n, p in zip(normals, (one, other), strict=True))
        yield np.abs(first - second)


def not_comparable(one: Prediction, other: Prediction) -> str:
    """Why probabilities of the two cannot be told apart unit by unit; '' where they can."""
    if one.classes != other.classes:
        return "the classes are others"
    if not one.logits.size or not other.logits.size:
        return "the scores were too large to keep"
    if one.lattice != other.lattice:
        return "the grids are others"
    return ""
