"""The layers of one side of the race: photograph, map so far, the window's box. Loads numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from segviz.core import catalogue, palettes
from segviz.core.frames import Lattice
from segviz.core.images import Picture
from segviz.core.races import RaceResult
from segviz.core.requests import PartialLabels
from segviz.core.session import State
from segviz.gui.widgets.image_view import Layer
from segviz.gui.widgets.mark_layers import BoxLayer
from segviz.gui.widgets.photo import PhotoLayer, photo_of
from segviz.gui.widgets.plane import Argb, PlaneLayer, argb, cells_of

Labels = npt.NDArray[np.int16]
Confidence = npt.NDArray[np.uint8] | None


class LanePlanes:
    """What one view shows. Cells that have not been computed are transparent."""

    def __init__(self) -> None:
        self._photo: PhotoLayer | None = None
        self._picture: Picture | None = None
        self.map = PlaneLayer()
        self.window = BoxLayer()

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (self._photo, self.map, self.window) if self._photo is not None else ()

    def set_picture(self, picture: Picture | None) -> None:
        if picture is not self._picture:
            self._picture = picture
            self._photo = photo_of(picture.pixels) if picture is not None else None

    def clear(self) -> None:
        self.map.set_plane(None)
        self.window.box = None

    def set_partial(self, partial: PartialLabels, classes: Sequence[str], state: State) -> None:
        """A map that is still filling, and where the window is."""
        self._set_labels(partial.labels, partial.confidence, partial.lattice, classes, state)
        self.window.box = partial.box

    def set_labels(self, labels: Labels, confidence: Confidence, result: RaceResult, state: State) -> None:
        """One side's map of a race that is over."""
        self._set_labels(labels, confidence, result.lattice, result.classes, state)
        self.window.box = None

    def _set_labels(
        self, labels: Labels, confidence: Confidence, lattice: Lattice, classes: Sequence[str], state: State
    ) -> None:
        self.map.set_table(label_colours(classes, int(labels.max(initial=0)) + 1, state))
        self.map.set_plane(shifted(labels), cells_of(lattice), confidence)
        self.map.set_minimum(round(state.minimum * 255))
        self.map.opacity = max(state.opacity, 0.3)

    def set_difference(self, result: RaceResult, state: State) -> None:
        """Where the probabilities differ, from none to the largest difference."""
        levels = difference_levels(result.difference)
        colours = palettes.colour_map(state.colour_map)
        opaque = np.concatenate([colours, np.full((256, 1), 255, np.uint8)], 1)
        self.map.set_table(argb(np.concatenate([np.zeros((1, 4), np.uint8), opaque])))
        self.map.set_plane(levels, cells_of(result.lattice))
        self.map.opacity = 0.85
        self.window.box = None


def shifted(labels: npt.NDArray[np.int16]) -> npt.NDArray[np.uint16]:
    """Labels as indices of `label_colours`: 0 where nothing was computed, class + 1 elsewhere."""
    return (labels.astype(np.int32) + 1).astype(np.uint16)


def label_colours(classes: Sequence[str], count: int, state: State) -> Argb:
    """Transparent, then the colours of at least `count` classes; as on the canvas, not all of them are painted."""
    count = max(count, len(classes))
    hollow = catalogue.background(classes)
    colours = palettes.label_table(count, state.palette, state.hidden, state.solo, hollow)
    return argb(np.concatenate([np.zeros((1, 4), np.uint8), colours]))


def difference_levels(difference: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    """0 where nothing was measured, else 1 (equal) to 256 (the largest difference)."""
    known = np.isfinite(difference)
    highest = float(difference[known].max()) if known.any() else 0.0
    scaled = np.where(known, difference, 0) * (255 / highest if highest > 0 else 0)
    return np.where(known, np.rint(scaled) + 1, 0).astype(np.uint16)
