"""Label maps, and the coarsest way to one: every unit's label for its whole receptive field (lecture T20)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segviz.core.requests import Progress
from segviz.core.scores import softmax

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Labels (H, W) as uint8, or uint16 above 256 classes, and the probability of each, 255 for 1."""

    labels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    confidence: npt.NDArray[np.uint8]


def blank(classes: int, height: int, width: int) -> LabelMap:
    confidence = np.zeros((height, width), np.uint8)
    if classes <= 256:
        return LabelMap(np.zeros((height, width), np.uint8), confidence)
    return LabelMap(np.zeros((height, width), np.uint16), confidence)


Edges = list[tuple[int, int]]


def direct(logits: Floats, rows: Edges, columns: Edges, height: int, width: int) -> Generator[Progress, None, LabelMap]:
    """Every unit's label given to its whole receptive field (lecture T20); where fields overlap, the surest wins.

    The surest by its probability, before that is rounded to a confidence; of equals the lower index.
    `rows` are (top, bottom) of the fields of each row of the grid, `columns` (left, right) of each
    column, in pixels clipped to (height, width).
    """
    out = blank(len(logits), height, width)
    flat = logits.reshape(len(logits), -1)
    winner = flat.argmax(axis=0)
    chances = np.take_along_axis(softmax(flat), winner[None], axis=0)[0]
    confidence = np.rint(chances * 255).astype(np.uint8)
    order = np.lexsort((-np.arange(len(chances)), chances))  # who is painted last is seen
    for number, unit in enumerate(order.tolist()):
        row, column = divmod(unit, len(columns))
        place = np.s_[slice(*rows[row]), slice(*columns[column])]
        out.labels[place] = winner[unit]
        out.confidence[place] = confidence[unit]
        if number % 4096 == 0:
            yield Progress(number, len(order), "units")
    return out
