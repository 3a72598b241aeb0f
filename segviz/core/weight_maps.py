"""U-Net's weight of every pixel: rare classes count more, and gaps between cells most of all.

Ronneberger, Fischer and Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", 2015, equation 2:

    w(x) = w_c(x) + w_0 exp(-(d_1(x) + d_2(x))^2 / (2 sigma^2))

w_c balances how frequent the classes are; d_1 and d_2 are the distances to the nearest and the second nearest
cell. Cells come as an instance map, (H, W) of whole numbers: 0 is background, any other number is one instance.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from segviz.core.errors import SegvizError, UsageError
from segviz.core.instances import Instances, ranked
from segviz.core.metrics import IGNORED

Floats = npt.NDArray[np.float32]

W_0, SIGMA = 10.0, 5.0  # of the paper; sigma in pixels


class Weighting(Enum):
    """Which weights the pixels of a segmentation loss get."""

    NONE = "none"
    CLASSES = "classes"  # w_c alone
    BORDERS = "borders"  # all of w(x)


@dataclass(frozen=True, eq=False)
class WeightMap:
    """w(x) and what it is made of, each float32 (H, W).

    `nearest` and `second` are d_1 and d_2 in pixels, infinite where there is no such instance. `balance` is
    w_c. `extra` is the second term of w, which belongs to the background: 0 in instances, as in figure 3d of
    the paper.
    """

    nearest: Floats
    second: Floats
    balance: Floats
    extra: Floats

    @property
    def weights(self) -> Floats:
        """w(x)."""
        return self.balance + self.extra


def weight_map(
    instances: Instances,
    w_0: float = W_0,
    sigma: float = SIGMA,
    class_weights: Sequence[float] | None = None,
    known: tuple[Floats, Floats] | None = None,
) -> WeightMap:
    """The weight map of an instance map (H, W), with its parts.

    `class_weights` are those of background and instances; None balances the two in this very map. `known` are its
    `distances`, where they have been computed.
    Raises SegvizError where `instances` is no map, UsageError for a negative `w_0` or a `sigma` that is not
    positive.
    """
    nearest, second = known or distances(instances)
    labels = (instances != 0).astype(np.uint8)
    if class_weights is None:
        class_weights = balancing(np.bincount(labels.ravel(), minlength=2))
    extra = _gaps(instances, nearest + second, w_0, sigma)
    return WeightMap(nearest, second, balance(labels, class_weights), extra)


def _gaps(instances: Instances, total: Floats, w_0: float, sigma: float) -> Floats:
    """The second term of w, which belongs to the background."""
    return np.where(instances != 0, np.float32(0), gap_weight(total, w_0, sigma))


def weigh(
    labels: npt.NDArray[np.integer[Any]],
    instances: Instances,
    weighting: Weighting,
    class_weights: Sequence[float],
    w_0: float = W_0,
    sigma: float = SIGMA,
) -> Floats | None:
    """The weight of every pixel in a loss, float32 (H, W), of any number of classes; None: all alike.

    `instances` are those of any class. A pixel whose label is `metrics.IGNORED` has none.
    """
    if weighting is Weighting.NONE:
        return None
    weights = balance(labels, class_weights)
    if weighting is Weighting.CLASSES:
        return weights
    nearest, second = distances(instances)
    return np.where(weights > 0, weights + _gaps(instances, nearest + second, w_0, sigma), np.float32(0))


def gap_weight(total: npt.NDArray[np.floating[Any]], w_0: float = W_0, sigma: float = SIGMA) -> Floats:
    """w_0 exp(-total^2 / (2 sigma^2)) of total = d_1 + d_2 in pixels; 0 where that is infinite."""
    if not (math.isfinite(w_0) and w_0 >= 0):
        raise UsageError(f"w_0 is {w_0:g}; it is 0 or more (the paper's is {W_0:g})")
    if not (math.isfinite(sigma) and sigma > 0):
        raise UsageError(f"sigma is {sigma:g} pixels; it is more than 0 (the paper's is {SIGMA:g})")
    return np.asarray(w_0 * np.exp(-0.5 * np.square(total / sigma)), np.float32)


def balancing(counts: Iterable[float]) -> tuple[float, ...]:
    """Weights of classes with `counts` pixels each, so that all classes weigh the same and a pixel 1 on average.

    Shares of pixels do as well. A class without pixels counts as the rarest that is there.
    """
    found = [float(count) for count in counts]
    present = [count for count in found if count]
    if not present:
        return (1.0,) * len(found)
    return tuple(sum(present) / (len(present) * (count or min(present))) for count in found)


def balance(labels: npt.NDArray[np.integer[Any]], class_weights: Sequence[float]) -> Floats:
    """w_c: each pixel's class weight, float32 (H, W); 0 where `labels` is `metrics.IGNORED` and that is no class.

    Raises SegvizError for a label without a weight.
    """
    table = np.zeros(max(len(class_weights), IGNORED + 1), np.float32)
    table[: len(class_weights)] = class_weights
    wrong = labels[(labels < 0) | (labels >= len(class_weights)) & (labels != IGNORED)]
    if wrong.size:
        raise SegvizError(f"label {int(wrong.flat[0])} has no weight; there are {len(class_weights)} class weights")
    return np.asarray(table[labels], np.float32)


# -------------------------------------------------------------------------------------- distances


def distances(instances: Instances) -> tuple[Floats, Floats]:
    """d_1 and d_2 of every pixel: how far, in pixels, the nearest pixels of two different instances are.

    float32 (H, W). Inside an instance d_1 is 0 and d_2 leads to another one. With fewer than two
    instances d_2 is infinite, with none d_1 too. Raises SegvizError where `instances` is not of two dimensions.
    """
    if instances.ndim != 2:
        raise SegvizError(f"an instance map has 2 dimensions, not {instances.ndim}: give one number for every pixel")
    ranks = ranked(instances)
    second = np.full(instances.shape, np.inf, np.float32)
    if not ranks.any():
        return second.copy(), second
    nearest, place = ndimage.distance_transform_edt(ranks == 0, return_indices=True)
    owner = ranks[tuple(place)]
    # Two instances differ in a binary digit of their numbers at least. So the nearest one other than the owner is
    # the nearest of those that differ in some digit: for K instances 2 log2 K distance maps instead of K.
    for digit in range(int(ranks.max()).bit_length()):
        for value in (0, 1):
            sites = (ranks > 0) & (ranks >> digit & 1 == value)
            if sites.any():
                asking = owner >> digit & 1 != value
                found = ndimage.distance_transform_edt(~sites)
                second[asking] = np.minimum(second[asking], found[asking])
    return nearest.astype(np.float32), second
