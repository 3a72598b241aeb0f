"""A grey square over the image, and the outputs whose scores it changes: asked for and answered.

Zeiler and Fergus 2014, section 4.2, slide a grey square over the image and watch the score of a class. Here every
output is watched: those that change lie inside the square's projective field, which geometry knows beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segviz.core.field import Box
from segviz.core.frames import Frame, Lattice
from segviz.core.regions import Region
from segviz.core.steps import Interval

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import Setup

GREY = 128  # level of the square, of 255
CHANGED = 1e-5  # of the largest score: by less scores differ too when layers are summed in another order


@dataclass(frozen=True, slots=True)
class OcclusionRequest:
    """What a grey square changes. (`x`, `y`) is its left top corner in pixel edges of the image, `side` in pixels."""

    setup: Setup
    x: float
    y: float
    side: int


@dataclass(frozen=True, eq=False)
class OcclusionAnswer:
    """Answer to OcclusionRequest, on the grid of the network's outputs.

    `change` (rows, columns) is the largest difference of logits over the classes, `least` what counts as one. `label`
    is the class that was the most probable at the output nearest to the square's centre, with its probability before
    and under the square; `instead` is the most probable class there by now.
    """

    request: OcclusionRequest
    change: np.ndarray  # float32
    least: float
    lattice: Lattice
    label: tuple[int, str]
    before: float
    under: float
    instead: tuple[int, str]
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> np.ndarray:
        """Which outputs change: bool (rows, columns)."""
        found: np.ndarray = self.change > self.least
        return found


def covered(frame: Frame, x: float, y: float, side: float) -> Region:
    """The pixels of the network's input that a square of the image covers (`Frame.square`)."""
    left, top, right, bottom = (int(edge) for edge in frame.square(x, y, side))
    return Region(Interval(top, bottom - 1), Interval(left, right - 1))


def square_box(frame: Frame, square: Region) -> Box:
    """These pixels of the network's input in image pixels."""
    (top, bottom), (left, right) = square
    return frame.box_to_image(Box(left, top, right + 1, bottom + 1))
