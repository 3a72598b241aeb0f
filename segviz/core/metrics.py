"""How well a label map agrees with the truth: the four scores of the FCN paper, from one table of counts.

Long, Shelhamer and Darrell 2015 (arXiv 1411.4038, section 5): with n_ij the pixels of class i that
were labelled j and t_i all pixels of class i. A class that neither truth nor prediction contains
counts in no mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segviz.core.errors import SegvizError

IGNORED = 255  # the label of pixels that do not count, as in the PASCAL VOC masks

Labels = npt.NDArray[np.integer]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class: its share of true pixels found (None where the truth has none) and its IoU."""

    index: int
    accuracy: float | None
    iou: float


@dataclass(frozen=True, slots=True)
class Scores:
    """Agreement of a prediction with the truth, each score 0 to 1. `per_class` lists the classes present."""

    pixel_accuracy: float
    mean_accuracy: float
    mean_iou: float
    frequency_weighted_iou: float
    per_class: tuple[ClassScore, ...]


def confusion(truth: Labels, predicted: Labels, classes: int, ignored: int | None = IGNORED) -> Counts:
    """The table n_ij (classes, classes): pixels of true class i that were labelled j.

    `truth` and `predicted` are label maps of one shape. Pixels whose truth is `ignored` are left
    out, unless the network has a class of that number. Raises SegvizError for maps of different
    sizes and for labels that are no class.
    """
    if truth.shape != predicted.shape:
        raise SegvizError(
            f"the ground truth is {_size(truth)} and the label map {_size(predicted)}: give a mask of the image's size"
        )
    true, found = truth.astype(np.int64).ravel(), predicted.astype(np.int64).ravel()
    if ignored is not None and ignored >= classes:
        true, found = true[true != ignored], found[true != ignored]
    for labels, what in ((true, "ground truth"), (found, "label map")):
        if labels.size and not 0 <= labels.min() <= labels.max() < classes:
            wrong = int(labels.max()) if labels.max() >= classes else int(labels.min())
            raise SegvizError(f"the {what} has the label {wrong}, but the network's classes are 0 to {classes - 1}")
    return np.bincount(true * classes + found, minlength=classes * classes).reshape(classes, classes)


def scores(counts: Counts) -> Scores:
    """The four scores of a table of counts n_ij; tables of several images may be added first.

    Raises SegvizError for a table without any pixel, which has no score.
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
            ClassScore(int(i), float(right[i] / true[i]) if true[i] else None, float(right[i] / union[i]))
            for i in np.flatnonzero(present)
        ),
    )


def compare(truth: Labels, predicted: Labels, classes: int) -> Scores:
    """The scores of one label map against its ground truth.

    A mask of a two-class network that holds nothing but 0 and 255 is read as black and white: 255
    is the second class, not a pixel to ignore.
    """
    if classes == 2 and truth.size and set(np.unique(truth)) <= {0, IGNORED}:
        truth = (truth == IGNORED).astype(np.uint8)
    return scores(confusion(truth, predicted, classes))


def _size(labels: Labels) -> str:
    return "x".join(str(n) for n in reversed(labels.shape))
