"""Probabilities and what is said of them: heatmaps and the classes at a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segviz.core import resample
from segviz.core.requests import Prediction

Array = npt.NDArray[np.float32]


def softmax(logits: Array) -> Array:
    """Probabilities over axis 0 of logits (classes, ...)."""
    shifted = np.exp(logits - logits.max(axis=0, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=0, keepdims=True), dtype=np.float32)


def class_probability(logits: Array, index: int) -> Array:
    """The softmax of class `index` on the grid (rows, columns), without keeping the other classes'."""
    highest = logits.max(axis=0)
    total = np.zeros_like(highest)
    for plane in logits:
        total += np.exp(plane - highest)
    return np.asarray(np.exp(logits[index] - highest) / total, dtype=np.float32)


def heatmap(prediction: Prediction, index: int) -> npt.NDArray[np.uint8]:
    """Probability of class `index` at every pixel (H, W), 255 for 1: softmax on the grid, then upsampled."""
    grid = class_probability(prediction.logits, index)
    height, width = prediction.labels.shape
    wide = resample.upsample(grid, prediction.lattice, prediction.upsampling, height, width)
    return np.rint(np.clip(wide, 0, 1) * 255).astype(np.uint8)


def peak(prediction: Prediction, index: int) -> tuple[float, tuple[float, float]]:
    """The largest probability of class `index` on the grid and where it is, (x, y) in image pixels."""
    grid = class_probability(prediction.logits, index)
    row, column = np.unravel_index(int(grid.argmax()), grid.shape)
    return float(grid.max()), prediction.lattice.position_of(int(row), int(column))


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of the most probable classes at a pixel."""

    index: int
    name: str
    probability: float


def ranking(prediction: Prediction, x: float, y: float, count: int = 5) -> tuple[Ranked, ...]:
    """The `count` best classes at the pixel (x, y).

    Ordered as the labels are (by upsampled logits); the probability is the heatmap's value there.
    """
    at = resample.sample(prediction.logits, prediction.lattice, prediction.upsampling, x, y)
    best = np.argsort(-at, kind="stable")[:count]
    near = _probabilities_near(prediction, x, y)
    return tuple(Ranked(int(i), prediction.classes[i], float(near[i])) for i in best)


def _probabilities_near(prediction: Prediction, x: float, y: float) -> Array:
    """All classes' upsampled probabilities at one pixel, from the few units that it mixes."""
    lattice, how = prediction.lattice, prediction.upsampling
    law_y, law_x = lattice.laws
    ys = resample.axis_taps(how, law_y, lattice.rows, np.array([y]))
    xs = resample.axis_taps(how, law_x, lattice.columns, np.array([x]))
    patch = softmax(prediction.logits[:, ys.units[0]][:, :, xs.units[0]])
    return np.asarray(np.clip(patch @ xs.weights[0] @ ys.weights[0], 0, 1), dtype=np.float32)
