"""The layers of the laboratory's views: labels, heatmaps and differences over a photograph. Loads numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from segviz.core import catalogue, palettes, scores
from segviz.core.frames import Lattice
from segviz.core.images import Picture
from segviz.core.session import State
from segviz.gui.widgets.image_view import Layer
from segviz.gui.widgets.photo import PhotoLayer, photo_of
from segviz.gui.widgets.plane import Place, PlaneLayer, argb, cells_of

Labels = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.floating[Any]]
Bytes = npt.NDArray[np.uint8]
LEAST = 0.55  # opacity of labels that are to be compared


class Planes:
    """A photograph and one map over it, for one view."""

    def __init__(self) -> None:
        self._photo: PhotoLayer | None = None
        self._picture: Picture | None = None
        self.map = PlaneLayer(contour=1)
        self.heat = PlaneLayer()

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (self._photo, self.map, self.heat) if self._photo is not None else ()

    def set_picture(self, picture: Picture | None, photo: PhotoLayer | None) -> None:
        """The photograph, of which all views share one layer."""
        self._picture, self._photo = picture, photo

    def set_labels(
        self,
        labels: Labels,
        where: Lattice | None,
        classes: Sequence[str],
        state: State,
        ignored: int | None = None,
        confidence: Bytes | None = None,
    ) -> None:
        """Class indices at a lattice, or at the pixels; -1 and `ignored` are not painted.

        With the `confidence` of each (255 for 1), those below the State's minimum are not, either.
        """
        count = max(len(classes), int(labels.max(initial=0)) + 1)
        hollow = catalogue.background(classes)
        table = palettes.label_table(count, state.palette, state.hidden, state.solo, hollow)
        self.map.set_table(argb(np.concatenate([np.zeros((1, 4), np.uint8), table])))
        known = labels.astype(np.int32) + 1
        if ignored is not None and ignored >= len(classes):
            known = np.where(labels == ignored, 0, known)
        self.map.set_plane(known.astype(np.uint16), _place(where), confidence)
        self.map.set_minimum(round(state.minimum * 255) if confidence is not None else 0)
        self.map.opacity = max(state.opacity, LEAST)
        self.heat.set_plane(None)

    def set_heat(self, shares: Floats, where: Lattice | None, state: State) -> None:
        """Probabilities 0 to 1, their alpha rising with them."""
        self.heat.set_table(argb(palettes.heat_table(state.colour_map)))
        self.heat.set_plane(np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8), _place(where))
        self.heat.opacity = max(state.heat_opacity, LEAST)
        self.map.set_plane(None)

    def set_marked(self, marked: npt.NDArray[np.bool_], where: Lattice | None, colour: tuple[int, int, int]) -> None:
        """Places of one kind in one colour."""
        self.map.set_table(argb(np.array([[0, 0, 0, 0], [*colour, 255]], np.uint8)))
        self.map.set_plane(marked.astype(np.uint8), _place(where))
        self.map.opacity = 0.8


def _place(where: Lattice | None) -> Place:
    return cells_of(where) if where is not None else Place()


def confidence_of(logits: npt.NDArray[np.float32]) -> Bytes:
    """The probability of the label of every unit of logits (classes, rows, columns), 255 for 1."""
    return np.rint(255 / scores.Normaliser.of(logits).total).astype(np.uint8)


def photo(picture: Picture | None) -> PhotoLayer | None:
    return photo_of(picture.pixels) if picture is not None else None
