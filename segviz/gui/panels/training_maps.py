"""Maps of cells as arrays and as layers of a view: distances, weights, values. Loads numpy and scipy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segviz.core import images, instances, masks, palettes, weight_maps
from segviz.core.choices import ColourMap, Palette
from segviz.core.errors import SegvizError, named
from segviz.gui.widgets.photo import PhotoLayer, photo_of
from segviz.gui.widgets.plane import rgb

if TYPE_CHECKING:
    from segviz.gui.widgets.ink import Ink

Instances = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float32]
COLOURS = ColourMap.VIRIDIS
HALF = 128  # grey from which on ink is cell
MOST_PIXELS = 4_000_000  # of a mask whose distances are computed
KINDS = 250  # colours before they begin again


def ink_of(ink: Ink | None) -> npt.NDArray[np.bool_]:
    """Where a drawing has ink, bool (H, W)."""
    assert ink is not None
    image = ink.image
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return rows[:, : image.width(), 1] >= HALF


def mask_of(path: str) -> Instances:
    """The instance map (H, W) in a mask file. Raises SegvizError for what is none or too large."""
    height, width = images.probe(path)  # by its header, before it is decoded
    if height * width > MOST_PIXELS:
        raise SegvizError(
            f"{named(Path(path))}: a mask of {height * width:,} pixels; up to {MOST_PIXELS:,} are weighed here: "
            "cut a part out"
        )
    mask = masks.open_mask(path)
    return np.where(mask < 0, 0, mask)  # what is transparent, or a colour of no class, is no cell


@dataclass(frozen=True, eq=False)
class Maps:
    """The cells of a map, the distances to them and w(x), with the layers that show them: made beside the window.

    `known` are d1 and d2, which no slider changes; `longest` is the largest finite one in pixels, the end of the
    scale of both. `top` is the largest weight, the end of its scale.
    """

    cells_map: Instances
    known: tuple[Floats, Floats]
    longest: float
    weights: Floats
    top: float
    layers: Mapping[str, PhotoLayer]  # of cells, nearest, second and weights

    @classmethod
    def of(cls, source: Instances | npt.NDArray[np.bool_], w_0: float, sigma: float) -> Maps:
        """Of an instance map, or of a mask of two values, whose connected parts are the cells."""
        two_values = source.dtype == bool or len(np.unique(source[source != 0])) == 1
        found: Instances = instances.parts(source != 0) if two_values else np.asarray(source)
        known = weight_maps.distances(found)
        finite = [d[np.isfinite(d)] for d in known]
        longest = max((float(d.max()) for d in finite if d.size), default=0.0)
        named_layers = zip(("nearest", "second"), known, strict=True)
        layers = {"cells": _cells(found)} | {name: _painted(d, longest) for name, d in named_layers}
        return cls(found, known, longest, known[0], 0.0, layers).weighed(w_0, sigma)

    def weighed(self, w_0: float, sigma: float) -> Maps:
        """The same cells with w(x) of these parameters, the class balance that of this very map."""
        weights = weight_maps.weight_map(self.cells_map, w_0, sigma, known=self.known).weights
        top = float(weights.max())
        return replace(self, weights=weights, top=top, layers={**self.layers, "weights": _painted(weights, top)})

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.cells_map.shape[1], self.cells_map.shape[0]

    @property
    def colours(self) -> list[int]:
        return rgb(palettes.colour_map(COLOURS))

    def said_at(self, x: int, y: int) -> str:
        """The values at a pixel; '' outside."""
        width, height = self.size
        if not (0 <= x < width and 0 <= y < height):
            return ""
        d1, d2 = (_pixels(float(d[y, x])) for d in self.known)
        return f"w {float(self.weights[y, x]):.3f} · d1 {d1} · d2 {d2} · {x}, {y}"


def _cells(cells_map: Instances) -> PhotoLayer:
    """Each cell in a colour of its own, background black."""
    table = np.zeros((KINDS + 1, 3), np.uint8)
    table[1:] = palettes.class_colours(Palette.GLASBEY, KINDS)
    ranks = instances.ranked(cells_map)
    return photo_of(table[np.where(ranks > 0, (ranks - 1) % KINDS + 1, 0)])


def _painted(values: Floats, top: float) -> PhotoLayer:
    """Values from 0 to `top` in colours; infinite ones as the largest."""
    levels = np.rint(np.clip(values / max(top, 1e-12), 0, 1) * 255).astype(np.uint8)
    return photo_of(palettes.colour_map(COLOURS)[levels])


def _pixels(distance: float) -> str:
    return f"{distance:.1f} px" if np.isfinite(distance) else "none"
