"""What all self-painted widgets share: following theme and size, the focus ring, eliding."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QWidget

from segviz.gui import theme


class Painted(QWidget):
    """A widget that paints itself; measures itself again when the theme or the type size changes."""

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self.updateGeometry()
            self.update()

    def colours(self) -> theme.Tokens:
        return theme.tokens(self.palette())


def focus_ring(painter: QPainter, rect: QRectF, tokens: theme.Tokens, thick: float = 2) -> None:
    """A ring in the accent colour just inside `rect`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(tokens.color("accent"), thick))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(thick / 2, thick / 2, -thick / 2, -thick / 2), theme.RADIUS, theme.RADIUS)
    painter.restore()


def elided(text: str, font: QFont, width: float) -> str:
    """`text` with its middle left out so that it fits `width` pixels."""
    return QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideMiddle, max(0, int(width)))


def text_width(text: str, font: QFont) -> int:
    return QFontMetrics(font).horizontalAdvance(text)


def ink_on(ground: QColor) -> QColor:
    """Black or white, whichever is read better on `ground`."""
    light = 0.299 * ground.red() + 0.587 * ground.green() + 0.114 * ground.blue()
    return QColor("#101216") if light > 130 else QColor("#f5f6f8")
