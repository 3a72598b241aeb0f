"""Ink on paper: white strokes on black, as the pages of digits have them, and how they are painted in a view."""

from __future__ import annotations

from math import ceil, floor

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from segviz.core.field import Box
from segviz.gui.widgets.projection import Projection

PAPER, INK = QColor(0, 0, 0), QColor(255, 255, 255)
FORMAT = QImage.Format.Format_RGB32  # what both the pen and the screen are quickest with


class Ink:
    """A drawing of `image`'s size. It is a layer of a view, so that the screen shows strokes as they are made."""

    def __init__(self, image: QImage) -> None:
        """`image` is taken over as it is, in colours of the paper and the ink."""
        self.image = image.convertToFormat(FORMAT)

    @classmethod
    def blank(cls, width: int, height: int) -> Ink:
        image = QImage(width, height, FORMAT)
        image.fill(PAPER)
        return cls(image)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.image.width(), self.image.height()

    def line(self, start: QPointF, end: QPointF, width: float, erase: bool = False) -> Box:
        """A line with round ends, a dot where both are one; returns what it may have touched. In pixel edges."""
        painter = QPainter(self.image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = PAPER if erase else INK
        if start == end:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(start, width / 2, width / 2)
        else:
            painter.setPen(QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(start, end)
        painter.end()
        around = QRectF(start, end).normalized()
        half = width / 2 + 1
        return Box(
            floor(around.left() - half),
            floor(around.top() - half),
            ceil(around.right() + half),
            ceil(around.bottom() + half),
        )

    def clear(self) -> None:
        self.image.fill(PAPER)

    def resized(self, width: int, height: int) -> QImage:
        """The drawing on paper of another size, in the same corner; what does not fit is cut off."""
        other = QImage(width, height, FORMAT)
        other.fill(PAPER)
        painter = QPainter(other)
        painter.drawImage(0, 0, self.image)
        painter.end()
        return other

    def piece(self, rect: QRect) -> QImage:
        """A part of the drawing, in a byte a pixel, to be put back by `put`."""
        return self.image.copy(rect).convertToFormat(QImage.Format.Format_Grayscale8)

    def put(self, corner: QPoint, piece: QImage) -> None:
        painter = QPainter(self.image)
        painter.drawImage(corner, piece)
        painter.end()

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, projection.zoom < 1)
        painter.translate(projection.left, projection.top)
        painter.scale(projection.zoom, projection.zoom)
        painter.drawImage(0, 0, self.image)
        painter.restore()
