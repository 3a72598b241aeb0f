"""Probabilities and what is said of them: heatmaps and the classes at a pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from segviz.core import resample
from segviz.core.choices import Method
from segviz.core.requests import Prediction

ROWS_AT_ONCE = 256  # of a label map, so that counting needs little memory
CLASSES_AT_ONCE = 32  # of a softmax over a thousand, so that it needs little memory
Array = npt.NDArray[np.float32]


def softmax(logits: Array) -> Array:
    """Probabilities over axis 0 of logits (classes, ...)."""
    shifted = np.exp(logits - logits.max(axis=0, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=0, keepdims=True), dtype=np.float32)


def class_probability(logits: Array, index: int) -> Array:
    """The softmax of class `index` on the grid (rows, columns), without keeping the other classes'."""
    return Normaliser.of(logits).probability(logits[index])


@dataclass(frozen=True, eq=False)
class Normaliser:
    """Highest logit and sum of exponentials at every unit: any class's softmax follows without the others'."""

    highest: Array
    total: Array

    @classmethod
    def of(cls, logits: Array) -> Normaliser:
        highest = logits.max(axis=0)
        total = np.zeros_like(highest)
        for at in range(0, len(logits), CLASSES_AT_ONCE):
            total += np.exp(logits[at : at + CLASSES_AT_ONCE] - highest).sum(axis=0)
        return cls(highest, total)

    def probability(self, logits: Array) -> Array:
        """The softmax of some classes' logits, (rows, columns) or (classes, rows, columns)."""
        return np.asarray(np.exp(logits - self.highest) / self.total, dtype=np.float32)

    def peaks(self, logits: Array) -> Array:
        """The largest probability of each class on the grid (classes,), of the logits that this is `of`."""
        parts = [logits[at : at + CLASSES_AT_ONCE] for at in range(0, len(logits), CLASSES_AT_ONCE)]
        return np.concatenate([self.probability(part).max(axis=(1, 2)) for part in parts])


def heatmap(prediction: Prediction, index: int) -> npt.NDArray[np.uint8]:
    """Probability of class `index` at every pixel (H, W), 255 for 1: softmax on the grid, then upsampled."""
    grid = class_probability(prediction.logits, index)
    height, width = prediction.labels.shape
    wide = resample.upsample(grid, prediction.lattice, prediction.upsampling, height, width)
    return np.rint(np.clip(wide, 0, 1) * 255).astype(np.uint8)


def peak(prediction: Prediction, index: int) -> tuple[float, tuple[float, float]]:
    """The largest probability of class `index` on the grid and where it is, (x, y) in image pixels.

    Where the unit sits in the padding beyond the image, the nearest pixel is named.
    """
    grid = class_probability(prediction.logits, index)
    row, column = np.unravel_index(int(grid.argmax()), grid.shape)
    x, y = prediction.lattice.position_of(int(row), int(column))
    height, width = prediction.labels.shape
    return float(grid.max()), (min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0))


def levels(labels: npt.NDArray[Any], confidence: npt.NDArray[np.uint8], classes: int) -> npt.NDArray[np.int64]:
    """How many pixels have each label with each confidence, (classes, 256), of label maps (H, W)."""
    counts = np.zeros(classes * 256, np.int64)
    for row in range(0, len(labels), ROWS_AT_ONCE):
        block = np.s_[row : row + ROWS_AT_ONCE]
        both = labels[block].astype(np.int32) * 256 + confidence[block]
        counts += np.bincount(both.ravel(), minlength=classes * 256)
    return counts.reshape(classes, 256)


def shares(counts: npt.NDArray[np.int64], minimum: float = 0.0) -> tuple[tuple[int, float], ...]:
    """(class index, share of the pixels) of every class that labels any, largest first.

    `counts` are `levels`; labels less sure than `minimum` do not count. Shares are of all pixels.
    """
    sure = counts[:, round(minimum * 255) :].sum(axis=1)
    total = max(1, int(counts.sum()))
    order = np.argsort(-sure, kind="stable")
    return tuple((int(index), float(sure[index]) / total) for index in order if sure[index])


def foremost(by_share: list[int], peaks: Array, count: int) -> list[int]:
    """The classes worth a picture: those with the largest share of the image, and those with the highest peak.

    `by_share` are the classes that label anything, the largest first, `peaks` the largest probability of every
    class. A class that is nowhere the label can still peak high (a small thing among large ones), so the two
    orders take turns; the `count` that are chosen come by their peaks.
    """
    by_peak = [int(i) for i in np.argsort(-peaks, kind="stable")]
    chosen: list[int] = []
    for pair in zip(by_share + by_peak, by_peak, strict=False):
        for index in pair:
            if index not in chosen and len(chosen) < count:
                chosen.append(index)
    return sorted(chosen, key=lambda index: (-float(peaks[index]), index))


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of the most probable classes at a pixel."""

    index: int
    name: str
    probability: float


def ranking(prediction: Prediction, x: float, y: float, count: int = 5) -> tuple[Ranked, ...]:
    """The `count` best classes of the pixel at (x, y).

    The label that is painted comes first (it is the best by upsampled logits, or of the surest field
    that covers the pixel), then the others by probability, which is the heatmap's value there. Where
    fields are labelled as wholes, the label has the probability of the unit whose field it is; a refined one
    has what the refinement gave it.
    """
    height, width = prediction.labels.shape
    row, column = min(max(round(y), 0), height - 1), min(max(round(x), 0), width - 1)
    label = int(prediction.labels[row, column])
    near = _probabilities_at(prediction, row, column)
    if prediction.method is Method.DIRECT or prediction.request.refinement is not None:
        near[label] = prediction.confidence[row, column] / 255
    others = [int(index) for index in np.argsort(-near, kind="stable")[: count + 1] if index != label]
    return tuple(Ranked(i, prediction.classes[i], float(near[i])) for i in [label, *others][:count])


def _probabilities_at(prediction: Prediction, y: int, x: int) -> Array:
    """All classes' upsampled probabilities at one pixel, from the few units that it mixes."""
    lattice, how = prediction.lattice, prediction.upsampling
    law_y, law_x = lattice.laws
    ys = resample.axis_taps(how, law_y, lattice.rows, np.array([y]))
    xs = resample.axis_taps(how, law_x, lattice.columns, np.array([x]))
    patch = softmax(prediction.logits[:, ys.units[0]][:, :, xs.units[0]])
    return np.asarray(np.clip(patch @ xs.weights[0] @ ys.weights[0], 0, 1), dtype=np.float32)
