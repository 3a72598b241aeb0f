"""One class's heatmap as a plane of indices, not finer than a screen needs. Loads numpy."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from segviz.core import resample, scores
from segviz.core.requests import Prediction

HEAT_PIXELS = 4_000_000  # a larger image's heatmap is computed for every second, third, ... pixel


def heat_step(prediction: Prediction) -> int:
    """The side, in image pixels, of a cell of `heat_plane`."""
    return max(1, ceil(sqrt(prediction.labels.size / HEAT_PIXELS)))


def heat_plane(prediction: Prediction, index: int) -> npt.NDArray[np.uint8]:
    """Probability of a class, 255 for 1, at every pixel, or at the centres of blocks of a very large image."""
    step = heat_step(prediction)
    if step == 1:
        return scores.heatmap(prediction, index)
    height, width = (ceil(size / step) for size in prediction.labels.shape)
    coarse = prediction.lattice.resized((1 / step, 1 / step))
    grid = scores.class_probability(prediction.logits, index)
    wide = resample.upsample(grid, coarse, prediction.upsampling, height, width)
    return np.rint(np.clip(wide, 0, 1) * 255).astype(np.uint8)
