"""What a refinement by a conditional random field is told, and labels with and without it side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import Prediction, SegmentRequest

WIDTH, WIDTHS = 40.0, (1.0, 200.0)  # default and limits, image pixels
COLOUR, COLOURS = 20.0, (1.0, 100.0)  # levels of 255
SMOOTHNESS, SMOOTHNESSES = 5.0, (0.0, 20.0)


@dataclass(frozen=True, slots=True)
class Refinement:
    """The kernels of a dense CRF (lecture T34; Krähenbühl and Koltun 2011, equation 3).

    `width` and `colour` are the standard deviations of the appearance kernel, in image pixels and in levels
    of 255; `smoothness` is the weight of the kernel that knows positions alone.
    """

    width: float = WIDTH
    colour: float = COLOUR
    smoothness: float = SMOOTHNESS


@dataclass(frozen=True, eq=False)
class Labelling:
    """A label for every pixel with its confidence, as `Prediction` has them, and the refinement that made it."""

    refinement: Refinement | None
    labels: np.ndarray  # uint8 or uint16 (H, W)
    confidence: np.ndarray  # uint8 (H, W)
    shares: tuple[tuple[int, float], ...]
    levels: np.ndarray  # int64 (classes, 256)


def labelling(prediction: Prediction) -> Labelling:
    """The labels that are shown."""
    p = prediction
    return Labelling(p.request.refinement, p.labels, p.confidence, p.shares, p.levels)


def both(prediction: Prediction) -> tuple[Labelling, Labelling] | None:
    """The labels before and after refinement; None where a prediction has only one of them."""
    shown, twin = labelling(prediction), prediction.twin
    if twin is None:
        return None
    return (twin, shown) if twin.refinement is None else (shown, twin)


def toggled(prediction: Prediction) -> Prediction:
    """The same prediction with the labels of its twin in front. Raises ValueError where it has none."""
    twin = prediction.twin
    if twin is None:
        raise ValueError("this prediction has one labelling only")
    return replace(
        prediction,
        request=replace(prediction.request, refinement=twin.refinement),
        labels=twin.labels,
        confidence=twin.confidence,
        shares=twin.shares,
        levels=twin.levels,
        twin=labelling(prediction),
    )


def at_hand(prediction: Prediction | None, wanted: SegmentRequest) -> Prediction | None:
    """The answer to `wanted` where a prediction needs only to be toggled for it; None where it must be asked for."""
    if prediction is None or prediction.twin is None or prediction.request == wanted:
        return None
    found = toggled(prediction)
    return found if found.request == wanted else None
