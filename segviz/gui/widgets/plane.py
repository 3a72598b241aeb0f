"""A plane of indices over an image: labels, a heatmap, the cells of a running sliding window.

A plane is painted through a lookup table at the resolution of the screen, for the part that is
seen: the cost is the screen's, not the image's, and contours are one pixel wide at every zoom.
Nothing in the paint path is a float per pixel; opacity belongs to the layer and computes nothing.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage, QPainter

from segviz.core.frames import Lattice
from segviz.gui.widgets.projection import Projection

Argb = npt.NDArray[np.uint32]
Plane = npt.NDArray[np.integer[Any]]


def argb(table: npt.NDArray[np.uint8]) -> Argb:
    """RGBA colours, uint8 (n, 4), as Qt's premultiplied ARGB, uint32 (n,)."""
    r, g, b, a = (table[:, k].astype(np.uint32) for k in range(4))
    r, g, b = ((channel * a + 127) // 255 for channel in (r, g, b))
    return np.asarray(a << 24 | r << 16 | g << 8 | b, dtype=np.uint32)


def rgb(table: npt.NDArray[np.uint8]) -> list[int]:
    """Colours, uint8 (n, 3), as the 0xRRGGBB that a `ColourBar` takes."""
    r, g, b = (table[:, k].astype(np.uint32) for k in range(3))
    packed: list[int] = (r << 16 | g << 8 | b).tolist()
    return packed


class Place(NamedTuple):
    """Where a plane lies: the left top edge of its first cell and the size of a cell, in image pixels."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0


def cells_of(lattice: Lattice) -> Place:
    """Where the cells of a lattice lie: one stride wide, each about its unit's position."""
    first = lattice.cell_box(0, 0)
    return Place(first.left, first.top, *lattice.stride)


class PlaneLayer:
    """Paints `table[plane]`, transparent where `mask` is below `minimum`.

    `opacity` counts for the fill; contours between indices, `contour` pixels wide, are drawn at full strength on top.
    """

    def __init__(self, contour: int = 0) -> None:
        self.opacity = 1.0
        self.hidden = False
        self.samplings = 0  # how often screen pixels were computed: for tests and the benchmark
        self._contour = contour
        self._plane: Plane | None = None
        self._place = Place()
        self._table: Argb = np.zeros(1, np.uint32)
        self._mask: Plane | None = None
        self._minimum = 0
        self._key: object = None
        self._images: tuple[QImage, ...] = ()
        self._at = (0, 0)

    def set_plane(self, plane: Plane | None, place: Place | None = None, mask: Plane | None = None) -> None:
        """Paint another plane of indices (rows, columns); `mask` is uint8 of the same shape. None: nothing."""
        self._plane, self._place, self._mask = plane, place or Place(), mask
        self._key = None

    def set_table(self, table: Argb) -> None:
        """The premultiplied colour of every index."""
        self._table = table
        self._key = None

    def set_minimum(self, minimum: int) -> None:
        """Paint nothing where the mask is below this, 0 to 255."""
        if minimum != self._minimum:
            self._minimum = minimum
            self._key = None

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        if self._plane is None or self.hidden or self.opacity <= 0:
            return
        ratio = painter.device().devicePixelRatioF()
        key = (projection, area.toAlignedRect().getRect(), ratio)
        if key != self._key:
            self._images = self._sampled(self._plane, projection, area, ratio)
            self._key = key
        for image, opacity in zip(self._images, (self.opacity, 1.0), strict=False):
            painter.save()
            painter.setOpacity(opacity)
            painter.drawImage(QPointF(self._at[0] / ratio, self._at[1] / ratio), image)
            painter.restore()

    def _sampled(self, plane: Plane, projection: Projection, area: QRectF, ratio: float) -> tuple[QImage, ...]:
        """The fill and, where wanted, the contours of the visible part, at screen resolution."""
        self.samplings += 1
        place = self._place
        x, columns = _taps(projection.left, projection.zoom, place.left, place.width, plane.shape[1], area, ratio, "x")
        y, rows = _taps(projection.top, projection.zoom, place.top, place.height, plane.shape[0], area, ratio, "y")
        if not len(columns) or not len(rows):
            return ()
        self._at = (x, y)
        indices = _pick(plane, rows, columns)
        fill = self._table.take(indices)
        if self._mask is not None and self._minimum > 0:
            fill[_pick(self._mask, rows, columns) < self._minimum] = 0
        layers = [fill]
        if self._contour:
            # Of the indices too: of a thousand classes some share a colour. Of the fill, for the mask's border.
            lines = edges(indices) | edges(fill)
            for _ in range(1, self._contour):
                lines |= edges(lines)
            layers.append(fill * lines)
        return tuple(_image(layer, ratio) for layer in layers)


def edges(colours: Plane | npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which pixels differ from one of their four neighbours."""
    out = np.zeros(colours.shape, dtype=bool)
    down, right = colours[1:] != colours[:-1], colours[:, 1:] != colours[:, :-1]
    out[1:] |= down
    out[:-1] |= down
    out[:, 1:] |= right
    out[:, :-1] |= right
    return out


def _pick(plane: Plane, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Plane:
    """`plane[rows][:, columns]` for rising indices, without touching what lies outside them."""
    seen = plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.asarray(seen[rows - rows[0]][:, columns - columns[0]])  # twelve times as fast as `take` on a large plane


def _taps(
    corner: float, zoom: float, start: float, step: float, count: int, area: QRectF, ratio: float, axis: str
) -> tuple[int, npt.NDArray[np.intp]]:
    """The first device pixel of the plane's visible part along one axis, and the cell under each from there on."""
    low, high = (area.left(), area.right()) if axis == "x" else (area.top(), area.bottom())
    first = floor(max(low, corner + start * zoom) * ratio)
    last = ceil(min(high, corner + (start + count * step) * zoom) * ratio)
    centres = (np.arange(first, max(first, last)) + 0.5) / ratio
    cells = np.floor(((centres - corner) / zoom - start) / step).astype(np.intp)
    inside = (cells >= 0) & (cells < count)
    skipped = int(inside.argmax()) if inside.any() else 0
    return first + skipped, cells[inside]


def _image(pixels: Argb, ratio: float) -> QImage:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()
    image.setDevicePixelRatio(ratio)
    return image
