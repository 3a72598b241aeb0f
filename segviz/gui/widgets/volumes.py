"""How a volume is drawn: a box in oblique projection, three faces in one tone. The same small and large."""

from __future__ import annotations

from math import log2

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPolygonF

from segviz.core.volume_layout import BACK_X, BACK_Y
from segviz.gui import theme

LEAST = 2.0  # no side is thinner
MOST_CHANNELS = 1280
OCTAVES_SHOWN = 7.0  # a map 2**7 times smaller than the image is as flat as a glyph gets
FRONT, TOP, SIDE = 0.20, 0.10, 0.32  # how strongly the faces are filled


def volume_size(channels: int, side: float, largest: float) -> tuple[float, float]:
    """(width, height), in 0 to 1 of the glyph's room, of a layer of `channels` maps of `side` units.

    `largest` is the side of the image: its glyph fills the height.
    """
    wide = log2(max(1, channels)) / log2(MOST_CHANNELS)
    tall = 1 - max(0.0, log2(max(1.0, largest) / max(1.0, side))) / OCTAVES_SHOWN
    return min(1.0, wide * wide), max(0.0, min(1.0, tall))


def paint_volume(painter: QPainter, room: QRectF, size: tuple[float, float], t: theme.Tokens) -> None:
    """Paint a glyph at the left of `room`, centred in its height."""
    height = max(LEAST + 2, size[1] * room.height()) / (1 + BACK_Y)
    back = QPointF(height * BACK_X, -height * BACK_Y)
    depth = max(LEAST, size[0] * (room.width() - room.height() / (1 + BACK_Y) * BACK_X))
    front = QRectF(room.left() + 0.5, room.center().y() - (height + back.y()) / 2, depth, height)
    paint_box(painter, front, back, t, "accent")


def paint_box(painter: QPainter, front: QRectF, back: QPointF, t: theme.Tokens, tone: str, strong: float = 1.0) -> None:
    """A box whose `front` faces the person and whose rear edge lies `back` from it, in the colour `tone`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    edge = QPen(t.color(tone, 0.85), 1)
    edge.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(edge)
    for face, fill in ((front_face(front), FRONT), (top_face(front, back), TOP), (right_face(front, back), SIDE)):
        painter.setBrush(t.color(tone, min(1.0, fill * strong)))
        painter.drawPolygon(face)
    painter.restore()


def front_face(front: QRectF) -> QPolygonF:
    return QPolygonF([front.topLeft(), front.topRight(), front.bottomRight(), front.bottomLeft()])


def top_face(front: QRectF, back: QPointF) -> QPolygonF:
    return QPolygonF([front.topLeft(), front.topRight(), front.topRight() + back, front.topLeft() + back])


def right_face(front: QRectF, back: QPointF) -> QPolygonF:
    return QPolygonF([front.topRight(), front.topRight() + back, front.bottomRight() + back, front.bottomRight()])
