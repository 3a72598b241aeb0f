"""The ellipses that hold the energy of an effective field, as a layer of an image view."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter, QPen

from segviz.core.effective import Ellipse
from segviz.gui import theme
from segviz.gui.widgets.labels import Label, Labels, Rank
from segviz.gui.widgets.marks import LIGHT, UNDER, chip_size
from segviz.gui.widgets.projection import Projection

RING_DASHES = (6.0, 4.0)  # of all ellipses but the first, before `theme.px`
NAMED = 34  # half an axis from which on there is room to say what an ellipse holds, before `theme.px`


@dataclass(frozen=True, slots=True)
class Ring:
    """One ellipse in image pixels with what is said beside it."""

    ellipse: Ellipse
    text: str


class RingLayer:
    """Ellipses about one centre, dark under light as all marks are."""

    def __init__(self, labels: Labels) -> None:
        self.rings: tuple[Ring, ...] = ()
        self._labels = labels

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        for number, ring in enumerate(self.rings):
            _draw_ellipse(painter, projection, ring.ellipse, dashed=number > 0)
        for ring in self.rings:
            if ring.ellipse.half_axes[1] * projection.zoom >= theme.px(NAMED):
                places = _places(projection, ring.ellipse, chip_size(ring.text))
                self._labels.add(Label(ring.text, QRectF(), places, Rank.RING))


def _draw_ellipse(painter: QPainter, projection: Projection, ellipse: Ellipse, dashed: bool) -> None:
    longer, shorter = (half * projection.zoom for half in ellipse.half_axes)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.translate(projection.to_view(*ellipse.center))
    painter.rotate(ellipse.angle)
    for ink, width in ((UNDER, 3.0 * theme.text_factor()), (LIGHT, 1.5 * theme.text_factor())):
        pen = QPen(ink, width)
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if dashed:
            pen.setDashPattern([theme.px(dash) / width for dash in RING_DASHES])  # Qt counts in widths of the pen
        painter.setPen(pen)
        painter.drawEllipse(QPointF(0, 0), longer, shorter)
    painter.restore()


def _places(projection: Projection, ellipse: Ellipse, size: QSizeF) -> tuple[QRectF, ...]:
    """Where the label of an ellipse may stand: on its line, at its lowest point, at its sides, at its highest point."""
    (x, y), (xx, xy, yy) = ellipse.center, ellipse.moments
    down, across = (xy / sqrt(yy), sqrt(yy)), (sqrt(xx), xy / sqrt(xx))
    found = []
    for sign, (dx, dy) in ((1, down), (1, across), (-1, across), (-1, down)):
        place = QRectF(QPointF(), size)
        place.moveCenter(projection.to_view(x + sign * dx, y + sign * dy))
        found.append(place)
    return tuple(found)
