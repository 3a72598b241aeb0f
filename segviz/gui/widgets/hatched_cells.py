"""Cells of a map that are padding: hatched, with a number that can be read."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen

from segviz.gui import theme
from segviz.gui.widgets.painted import text_width

HATCH = 6  # between the lines of a cell of padding, before `theme.px`
HATCHED = 0.6  # opacity of these lines


def hatch_cell(painter: QPainter, at: QRectF, t: theme.Tokens) -> None:
    """A hatched cell: lines of its own, which meet those of its neighbours and stay lines in a drawing."""
    painter.fillRect(at, t.color("raised"))
    side, count = at.width(), max(1, round(at.width() / theme.px(HATCH)))
    steps = [side * step / count for step in range(1, 2 * count)]
    ends = [(min(along, side), max(0.0, along - side)) for along in steps]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(t.color("dim", HATCHED), 1, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
    painter.drawLines([QLineF(at.left() + a, at.top() + b, at.left() + b, at.top() + a) for a, b in ends])
    painter.restore()


def number_ground(painter: QPainter, at: QRectF, text: str, font: QFont, t: theme.Tokens) -> None:
    """A ground without lines for the number of a hatched cell."""
    wide, tall = text_width(text, font) + theme.px(4), QFontMetrics(font).capHeight() + theme.px(4)
    room = QRectF(0, 0, min(wide, at.width()), min(tall, at.height()))
    room.moveCenter(at.center())
    painter.fillRect(room, t.color("raised"))
