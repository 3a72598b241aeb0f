"""Maps of cells as arrays and as layers of a view: distances, weights, values. Loads numpy and scipy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from segviz.core import instances, masks, palettes, weight_maps
from segviz.core.choices import ColourMap, Palette
from segviz.core.errors import SegvizError
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
    mask = masks.open_mask(path)
    if mask.size > MOST_PIXELS:
        raise SegvizError(f"a mask of {mask.size:,} pixels; up to {MOST_PIXELS:,} are weighed here: cut a part out")
    return np.where(mask < 0, 0, mask)  # what is transparent, or a colour of no class, is no cell


@dataclass(eq=False)
class Maps:
    """The cells of a map and the distances to them; `weigh` makes w(x) of them."""

    cells_map: Instances
    known: tuple[Floats, Floats]  # d1 and d2, which no slider changes
    found: weight_maps.WeightMap = field(init=False)

    @classmethod
    def of(cls, source: Instances | npt.NDArray[np.bool_]) -> Maps:
        """Of an instance map, or of a mask of two values, whose connected parts are the cells."""
        found: Instances = source if source.dtype != bool else instances.parts(source)
        if found.dtype != bool and len(np.unique(found[found != 0])) == 1 and source.dtype != bool:
            found = instances.parts(found != 0)
        return cls(found, weight_maps.distances(found))

    def weigh(self, w_0: float, sigma: float) -> None:
        """w(x) with these parameters, the class balance that of this very map."""
        self.found = weight_maps.weight_map(self.cells_map, w_0, sigma, known=self.known)

    @property
    def weights(self) -> Floats:
        return self.found.weights

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.cells_map.shape[1], self.cells_map.shape[0]

    @property
    def longest(self) -> float:
        """The longest finite distance in pixels: the end of the scale of both maps."""
        finite = [d[np.isfinite(d)] for d in self.known]
        return max((float(d.max()) for d in finite if d.size), default=0.0)

    @property
    def top(self) -> float:
        """The largest weight: the end of its scale."""
        return float(self.weights.max())

    @property
    def colours(self) -> list[int]:
        return rgb(palettes.colour_map(COLOURS))

    # ------------------------------------------------------------------------------- layers

    def cells(self) -> tuple[PhotoLayer, ...]:
        """Each cell in a colour of its own, background black."""
        table = np.zeros((KINDS + 1, 3), np.uint8)
        table[1:] = palettes.class_colours(Palette.GLASBEY, KINDS)
        numbered = np.unique(self.cells_map, return_inverse=True)[1].reshape(self.cells_map.shape)
        if self.cells_map.size and self.cells_map.min() != 0:
            numbered = numbered + 1
        kinds = np.where(numbered > 0, (numbered - 1) % KINDS + 1, 0)
        return (photo_of(table[kinds]),)

    def distances(self, name: str) -> tuple[PhotoLayer, ...]:
        return self._painted(self.known[name == "second"], self.longest)

    def painted_weights(self) -> tuple[PhotoLayer, ...]:
        return self._painted(self.weights, self.top)

    def _painted(self, values: Floats, top: float) -> tuple[PhotoLayer, ...]:
        """Values from 0 to `top` in colours; infinite ones as the largest."""
        levels = np.rint(np.clip(values / max(top, 1e-12), 0, 1) * 255).astype(np.uint8)
        return (photo_of(palettes.colour_map(COLOURS)[levels]),)

    def said_at(self, x: int, y: int) -> str:
        """The values at a pixel; '' outside."""
        width, height = self.size
        if not (0 <= x < width and 0 <= y < height):
            return ""
        d1, d2 = (_pixels(float(d[y, x])) for d in self.known)
        return f"w {float(self.weights[y, x]):.3f} · d1 {d1} · d2 {d2} · {x}, {y}"


def _pixels(distance: float) -> str:
    return f"{distance:.1f} px" if np.isfinite(distance) else "none"
