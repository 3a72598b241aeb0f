"""Feature maps and filters as images: grey levels, or blue and red about zero; and a filter beside its map."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter

from segviz.core.choices import ColourMap, MapScale
from segviz.gui.panels.pixels import to_image

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from segviz.core.maps import MapStatistics

    Floats = npt.NDArray[np.float32]

DIVERGING = {MapScale.SIGNED}
APART = 0.05  # between a filter and its map, in shares of their height


def map_image(statistics: MapStatistics, channel: int, scale: MapScale) -> QImage:
    """One map as grey levels, or in blue and red about zero."""
    levels = statistics.picture(channel, scale)
    return _diverging(levels) if scale in DIVERGING else to_image(levels)


def slice_image(weights: Floats, reach: float) -> QImage:
    """A slice of a filter (rows, columns), from -reach in blue over zero to reach in red."""
    from segviz.core.maps import signed_levels

    return _diverging(signed_levels(weights, reach))


def filter_image(planes: Floats, reach: float) -> QImage:
    """A whole filter (planes, rows, columns): one plane about zero, three as red, green and blue with grey for 0."""
    from segviz.core.maps import signed_levels

    if len(planes) == 1:
        return slice_image(planes[0], reach)
    return to_image(signed_levels(planes, reach).transpose(1, 2, 0).copy())


def _diverging(levels: npt.NDArray[np.uint8]) -> QImage:
    from segviz.core import palettes
    from segviz.gui.panels import tiles

    return to_image(tiles.coloured(levels, palettes.colour_map(ColourMap.DIVERGING)))


class Pair(NamedTuple):
    """A filter beside the map that it makes, both of one height: their widths in shares of it; no map: 0."""

    filter: float
    map: float

    @property
    def width(self) -> float:
        return self.filter + APART + self.map if self.map else self.filter

    def of_filter(self, fx: float, fy: float) -> tuple[float, float] | None:
        """A point of the pair inside the filter, None beside it."""
        at = fx * self.width / self.filter
        return (at, fy) if at < 1 else None

    def of_map(self, fx: float, fy: float) -> tuple[float, float] | None:
        """A point of the pair inside the map, None beside it."""
        at = (fx * self.width - self.filter - APART) / self.map if self.map else -1.0
        return (at, fy) if 0 <= at < 1 else None

    def from_map(self, fx: float, fy: float) -> tuple[float, float]:
        """Where a point of the map is in the pair."""
        return (self.filter + APART + fx * self.map) / self.width, fy


def paired(weights: QImage, values: QImage | None, pair: Pair, size: QSize, ground: QColor) -> QImage:
    """Both in one image of `size`."""
    out = QImage(size, QImage.Format.Format_RGB32)
    out.fill(ground)
    painter = QPainter(out)
    tall, zoom = size.height(), size.width() / pair.width
    painter.drawImage(QRectF(0, 0, pair.filter * zoom, tall), weights)
    if values is not None:
        place = QRectF((pair.filter + APART) * zoom, 0, pair.map * zoom, tall)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, values.width() > place.width())
        painter.drawImage(place, values)
    painter.end()
    return out
