"""Tiles in a row, each with lines below it; one is chosen by a click or by the keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from segviz.gui import theme
from segviz.gui.widgets.mark_layers import ACCENT
from segviz.gui.widgets.marks import draw_box
from segviz.gui.widgets.painted import Painted, elided, focus_ring

SIDE = 60  # of a tile's picture, before `theme.px`
LINES = 3  # below it: a name and two numbers
SMALLEST = 3  # screen pixels of what is outlined in a tile
GAP = 16  # between two tiles: an arrow stands in it


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture that is `SIDE` wide or high at most, its name, and numbers in lines of their own.

    `inner` is the part of the picture, in shares of it, that the tile before shows; it is outlined.
    """

    image: QImage
    title: str
    captions: tuple[str, ...]
    hint: str
    inner: QRectF | None = None


class Filmstrip(Painted):
    """`clicked` carries the index of a tile. `resized` says that there may be room for more tiles, or for fewer."""

    clicked = Signal(int)
    resized = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles: tuple[Tile, ...] = ()
        self._current = -1
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Filmstrip of the layers")
        self.setMouseTracking(True)

    @property
    def tiles(self) -> tuple[Tile, ...]:
        return self._tiles

    @property
    def room(self) -> int:
        """How many tiles fit beside each other."""
        return max(1, (self.width() + theme.px(GAP)) // (theme.px(SIDE) + theme.px(GAP)))

    def set_tiles(self, tiles: Sequence[Tile]) -> None:
        """Show these tiles, the last as the chosen one; silent."""
        self._tiles = tuple(tiles)
        self._current = len(self._tiles) - 1
        self.setAccessibleDescription(", ".join(" ".join((tile.title, *tile.captions)) for tile in self._tiles))
        self.update()

    def sizeHint(self) -> QSize:
        line = QFontMetrics(theme.numbers(theme.CAPTION)).height()
        return QSize(theme.px(480), theme.px(SIDE) + LINES * line + theme.px(theme.S))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(SIDE), self.sizeHint().height())

    def tile_rect(self, index: int) -> QRectF:
        """Where the picture of a tile is, with its lines below."""
        step, wide = theme.px(SIDE) + theme.px(GAP), len(self._tiles)
        left = max(0, (self.width() - (wide * step - theme.px(GAP))) // 2)
        return QRectF(left + index * step, 0, theme.px(SIDE), self.height())

    def tile_at(self, point: QPointF) -> int:
        """The tile at a place of the widget, -1 beside all."""
        return next((at for at in range(len(self._tiles)) if self.tile_rect(at).contains(point)), -1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for at in range(len(self._tiles)):
            self._paint_tile(painter, at)

    def _paint_tile(self, painter: QPainter, at: int) -> None:
        t, tile, rect, side = self.colours(), self._tiles[at], self.tile_rect(at), theme.px(SIDE)
        last = at == len(self._tiles) - 1
        size = tile.image.deviceIndependentSize().scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
        picture = QRectF(0, 0, size.width(), size.height())
        picture.moveCenter(QPointF(rect.center().x(), rect.top() + side / 2))
        painter.drawImage(picture, tile.image)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(t.color("accent" if last else "line"), 2 if last else 1))
        painter.drawRect(picture.adjusted(0.5, 0.5, -0.5, -0.5))
        draw_inner(painter, picture, tile.inner, theme.text_factor())
        font = theme.numbers(theme.CAPTION)
        line, room = QFontMetrics(font).height(), side + theme.px(GAP) - theme.px(theme.XS)
        for row, (text, ink) in enumerate(((tile.title, "text"), *((caption, "dim") for caption in tile.captions))):
            painter.setFont(font)
            painter.setPen(t.color("accent" if last and row == 0 else ink))
            place = QRectF(0, rect.top() + side + theme.px(theme.XS) + row * line, room, line)
            place.moveLeft(rect.center().x() - room / 2)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, elided(text, font, room))
        if not last:
            self._paint_arrow(painter, QPointF(rect.right() + theme.px(GAP) / 2, rect.top() + side / 2))
        if at == self._current and self.hasFocus():
            focus_ring(painter, rect, t)

    def _paint_arrow(self, painter: QPainter, middle: QPointF) -> None:
        arm = theme.px(3)
        painter.setPen(QPen(self.colours().color("dim"), 1.5 * theme.text_factor()))
        tip = middle + QPointF(arm / 2, 0)
        painter.drawPolyline([tip + QPointF(-arm, -arm), tip, tip + QPointF(-arm, arm)])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            at = self.tile_at(QPointF(event.pos()))
            if at >= 0:
                QToolTip.showText(event.globalPos(), self._tiles[at].hint, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self.tile_at(event.position()) >= 0
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        at = self.tile_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and at >= 0:
            self.clicked.emit(at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}
        if event.key() in steps and self._tiles:
            self._current = max(0, min(len(self._tiles) - 1, self._current + steps[Qt.Key(event.key())]))
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._current >= 0:
            self.clicked.emit(self._current)
        else:
            super().keyPressEvent(event)


def draw_inner(painter: QPainter, picture: QRectF, inner: QRectF | None, thick: float) -> None:
    """Outline the part `inner`, in shares, of a tile that fills `picture`; nothing where there is none."""
    if inner is None:
        return
    part = QRectF(
        picture.left() + inner.left() * picture.width(),
        picture.top() + inner.top() * picture.height(),
        max(SMALLEST, inner.width() * picture.width()),
        max(SMALLEST, inner.height() * picture.height()),
    )
    painter.save()
    painter.setClipRect(picture)
    draw_box(painter, part, ACCENT, thick)
    painter.restore()
