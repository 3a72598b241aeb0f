"""How well a label map agrees with the truth: the four scores of the FCN paper, from one table of counts.

Long, Shelhamer and Darrell 2015 (arXiv 1411.4038, section 5): with n_ij the pixels of class i that
were labelled j and t_i all pixels of class i. A class that neither truth nor prediction contains
counts in no mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from segviz.core.errors import SegvizError

IGNORED = 255  # the label of pixels that do not count, as in the PASCAL VOC masks
ROWS_AT_ONCE = 128  # of a label map, so that counting needs little memory and never holds up another thread

Labels = npt.NDArray[np.integer]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class: its share of true pixels found (None where the truth has none), its IoU, its true pixels."""

    index: int
    accuracy: float | None
    iou: float
    pixels: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """Agreement of a prediction with the truth, each score 0 to 1. `per_class` lists the classes present."""

    pixel_accuracy: float
    mean_accuracy: float
    mean_iou: float
    frequency_weighted_iou: float
    per_class: tuple[ClassScore, ...]


@dataclass(frozen=True, eq=False)
class Confusion:
    """The table n_ij of the classes that truth or prediction have, out of any number: `counts` (k, k).

    `classes` are their indices in rising order, `names` what they are called.
    """

    counts: Counts
    classes: tuple[int, ...]
    names: tuple[str, ...]

    @cached_property
    def scores(self) -> Scores:
        """The four scores; raises SegvizError where no pixel counts."""
        return scores(self.counts, self.classes)

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Of each true class (row) the share that was labelled as each (k, k); rows without pixels are zero."""
        true = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.counts / np.maximum(true, 1))


def counted(truth: Labels, predicted: Labels, names: Sequence[str]) -> Confusion:
    """The confusion of a label map with the truth, both (H, W); pixels whose truth is below 0 do not count.

    Labels are indices of `names`, however many these are: only classes that are there get a row. `matching.matched`
    brings a mask into that form.
    Raises SegvizError for maps of different sizes.
    """
    if truth.shape != predicted.shape:
        raise SegvizError(
            f"the ground truth is {_size(truth)} and the label map {_size(predicted)}: give a mask of the image's size"
        )
    blocks = [np.s_[row : row + ROWS_AT_ONCE] for row in range(0, len(truth), ROWS_AT_ONCE)]
    seen = np.zeros(len(names), np.int64)
    for block in blocks:
        for labels in _counting(truth[block], predicted[block]):
            seen += np.bincount(labels, minlength=len(names))
    classes = np.flatnonzero(seen)
    size = len(classes)
    place = np.zeros(len(names), np.int32)
    place[classes] = np.arange(size)
    counts = np.zeros(size * size, np.int64)
    for block in blocks:
        true, found = _counting(truth[block], predicted[block])
        counts += np.bincount(place[true] * size + place[found], minlength=size * size)
    return Confusion(counts.reshape(size, size), tuple(classes.tolist()), tuple(names[int(i)] for i in classes))


def pairs(truth: Labels, predicted: Labels, confusion: Confusion) -> npt.NDArray[np.unsignedinteger]:
    """Which cell of `confusion` each pixel is counted in (H, W): 1 + row * k + column, 0 where it does not count.

    So an error map, or the pixels of one cell, are a lookup table.
    """
    size = len(confusion.classes)
    place = np.zeros(max(confusion.classes, default=0) + 1, np.int32)
    place[list(confusion.classes)] = np.arange(size)
    out = np.zeros(truth.shape, np.uint16 if size * size < 1 << 16 else np.uint32)
    for row in range(0, len(truth), ROWS_AT_ONCE):
        block = np.s_[row : row + ROWS_AT_ONCE]
        counts = truth[block] >= 0
        true, found = _counting(truth[block], predicted[block])
        out[block][counts] = (1 + place[true] * size + place[found]).ravel()
    return out


def _counting(truth: Labels, predicted: Labels) -> tuple[Labels, Labels]:
    """The labels of the pixels that count, in a row."""
    counts = truth >= 0
    return (truth.ravel(), predicted.ravel()) if counts.all() else (truth[counts], predicted[counts])


def added(first: Confusion, second: Confusion) -> Confusion:
    """The confusion of two sets of images together, whose classes mean the same."""
    names = dict(zip(first.classes + second.classes, first.names + second.names, strict=True))
    classes = tuple(sorted(names))
    counts = np.zeros((len(classes), len(classes)), np.int64)
    for part in (first, second):
        at = [classes.index(index) for index in part.classes]
        counts[np.ix_(at, at)] += part.counts
    return Confusion(counts, classes, tuple(names[index] for index in classes))


def scores(counts: Counts, classes: Sequence[int] | None = None) -> Scores:
    """The four scores of a table of counts n_ij; tables of several images may be added first.

    `classes` are the indices that the rows stand for; None: 0, 1, 2, ... Raises SegvizError for a
    table without any pixel, which has no score.
    """
    right = np.diag(counts).astype(np.float64)
    true, found = counts.sum(axis=1).astype(np.float64), counts.sum(axis=0).astype(np.float64)
    union = true + found - right
    if not counts.any():
        raise SegvizError("the ground truth marks no pixel: there is nothing to score")
    in_truth, present = true > 0, union > 0
    accuracy, iou = right[in_truth] / true[in_truth], right[present] / union[present]
    shares = true[present] / true.sum()
    return Scores(
        pixel_accuracy=float(right.sum() / true.sum()),
        mean_accuracy=float(accuracy.mean()),
        mean_iou=float(iou.mean()),
        frequency_weighted_iou=float((shares * iou).sum()),
        per_class=tuple(
            ClassScore(
                int(i) if classes is None else classes[int(i)],
                float(right[i] / true[i]) if true[i] else None,
                float(right[i] / union[i]),
                int(true[i]),
            )
            for i in np.flatnonzero(present)
        ),
    )


def _size(labels: Labels) -> str:
    return "x".join(str(n) for n in reversed(labels.shape))
