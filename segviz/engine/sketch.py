"""What a run has found so far: labels of the units that are known, and how sure each is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from segviz.core.field import Box
from segviz.core.frames import Lattice
from segviz.core.requests import PartialLabels, Progress

Floats = npt.NDArray[np.float32]


class Sketch:
    """Labels of a grid (rows, columns), -1 where there is none yet, and the probability of each, 255 for 1."""

    def __init__(self, rows: int, columns: int) -> None:
        self.labels = np.full((rows, columns), -1, np.int16)
        self.confidence = np.zeros((rows, columns), np.uint8)

    @classmethod
    def of(cls, logits: Floats) -> Sketch:
        """The whole of logits (classes, rows, columns)."""
        whole = cls(*logits.shape[1:])
        whole.enter(np.s_[:], logits)
        return whole

    def enter(self, place: Any, logits: Floats) -> None:
        """Enter the logits (classes, ...) of the units at `place`, an index of the grid."""
        top = logits.max(axis=0)
        self.labels[place] = logits.argmax(axis=0)
        self.confidence[place] = np.rint(np.nan_to_num(255 / np.exp(logits - top).sum(axis=0)))

    def enter_flat(self, first: int, end: int, logits: Floats) -> None:
        """The same for the units first..end of the grid, counted row by row; logits (classes, N)."""
        rows, columns = np.divmod(np.arange(first, end), self.labels.shape[1])
        self.enter((rows, columns), logits)

    def so_far(self, lattice: Lattice, box: Box | None, progress: Progress) -> PartialLabels:
        """A copy to show."""
        return PartialLabels(self.labels.copy(), lattice, box, progress, self.confidence.copy())
