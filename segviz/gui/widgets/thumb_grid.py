"""A grid of images that stays fluid with thousands of them: only what is visible is made and painted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from segviz.gui import theme
from segviz.gui.widgets.marks import draw_cross
from segviz.gui.widgets.painted import elided, focus_ring, text_width

GAP = 6  # between tiles, before `theme.px`
TILE = 104  # least width of a tile, unless it is told otherwise
LARGEST = 288  # of a tile that fills the height
MEASURED = 40  # so many captions are measured to give them room
KEPT = 3  # screens of scaled tiles that are kept

Tile = Callable[[int], QImage]
Caption = Callable[[int], str]


def _number(index: int) -> str:
    return str(index)


class Layout(NamedTuple):
    """How tiles lie: the gap between them, from one to the next across (`pitch`) and down (`row`), and their size."""

    gap: int
    columns: int
    pitch: int
    cell: QSize
    row: int


class ThumbGrid(QAbstractScrollArea):
    """Tiles of equal shape in rows. Positions inside a tile are fractions (fx, fy) from its top left corner.

    `clicked` and `hovered` carry (index, fx, fy); Enter clicks too, at the mark. The arrow keys walk: `walked`
    carries the tile that they have come to.
    """

    walked = Signal(int)
    clicked = Signal(int, float, float)
    hovered = Signal(int, float, float)
    left = Signal()
    menu_wanted = Signal(int, QPoint)  # the tile that was clicked with the right button, and where on the screen

    def __init__(self, name: str = "Tiles", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._count, self._aspect = 0, 1.0
        self._tile: Tile = lambda index: QImage()
        self._caption: Caption = _number
        self._selected: int | None = None
        self._mark: tuple[float, float] | None = None
        self._smooth = self._fills = False
        self._least = TILE  # width of a tile, before `theme.px`
        self._follows = False  # the selected tile stays in view until the person scrolls
        self._widest: int | None = None  # caption, once it is asked for
        self._laid: Layout | None = None
        self._laid_for: object = None
        self._row = 0  # height of a row when it was last measured
        self._kept: OrderedDict[int, QPixmap] = OrderedDict()
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.verticalScrollBar().actionTriggered.connect(self._scrolled)

    # ---------------------------------------------------------------------------------- content

    def set_tiles(self, count: int, aspect: float, tile: Tile, caption: Caption = _number) -> None:
        """Show `count` tiles of `aspect` width / height; `tile(index)` makes one when it is seen. Silent."""
        self._count, self._aspect = count, max(0.05, min(20.0, aspect))
        self._tile, self._caption = tile, caption
        if self._selected is not None and self._selected >= count:
            self._selected = None
        self.setAccessibleDescription(f"{count} tile{'' if count == 1 else 's'}")
        self.refresh()
        self._measure()

    def refresh(self) -> None:
        """Make the visible tiles again: their pixels have changed."""
        self._kept.clear()
        self._widest = self._laid = None
        self.viewport().update()

    def set_filling(self, fills: bool) -> None:
        """Let tiles grow until whole rows fill the height: for few tiles that deserve to be large."""
        if fills != self._fills:
            self._fills = fills
            self.refresh()
            self._measure()

    def set_least(self, width: int) -> None:
        """The least width of a tile, before `theme.px`: small for pictures of few pixels."""
        if width != self._least:
            self._least = width
            self.refresh()
            self._measure()

    def set_smooth(self, smooth: bool) -> None:
        """Interpolate magnified tiles; off by default, since a unit should be seen as one."""
        if smooth != self._smooth:
            self._smooth = smooth
            self.refresh()

    @property
    def selected(self) -> int | None:
        return self._selected

    def set_selected(self, index: int | None, reveal: bool = True) -> None:
        """Frame tile `index` and scroll it into view; silent."""
        if index == self._selected:
            return
        self._selected = index
        self._follows = index is not None and reveal
        if index is not None and reveal:
            self.reveal(index)
        self.viewport().update()

    def set_mark(self, at: tuple[float, float] | None) -> None:
        """A cross at this fractional position of every tile: the cursor of the other views."""
        if at != self._mark:
            self._mark = at
            self.viewport().update()

    def reveal(self, index: int) -> None:
        """Scroll tile `index` into view, by whole rows: none is left cut at the top."""
        bar, tall = self.verticalScrollBar(), self._row_height()
        row, rows = index // self.columns, self._whole_rows()
        first = -(-bar.value() // tall)
        if row < first:
            bar.setValue(row * tall)
        elif row >= bar.value() // tall + rows:
            bar.setValue((row - rows + 1) * tall)

    def to_first(self) -> None:
        """Scroll to the first tiles, wherever the selected one is."""
        self._follows = False
        self.verticalScrollBar().setValue(0)

    def _whole_rows(self) -> int:
        """How many rows find room, at least one."""
        return max(1, (self.viewport().height() - theme.px(GAP)) // self._row_height())

    def _scrolled(self, _: int) -> None:
        self._follows = False

    # ---------------------------------------------------------------------------------- geometry

    @property
    def columns(self) -> int:
        return self._layout().columns

    def _layout(self) -> Layout:
        """How the tiles lie, worked out when that has changed: it is asked for by every tile."""
        key = (self.viewport().size().toTuple(), theme.px(1000))
        if self._laid is None or self._laid_for != key:
            self._laid, self._laid_for = self._lay_out(), key
        return self._laid

    def _lay_out(self) -> Layout:
        """Tiles share the width, but do not grow beyond a third more; what columns leave free is for captions."""
        gap, least, wide = theme.px(GAP), theme.px(self._least), self.viewport().width() - theme.px(GAP)
        filling = self._filling_width()
        columns = max(1, min(wide // (max(least, filling) + gap), max(1, self._count)))
        share, most = wide // columns, max(least * 4 // 3, filling)
        if share > most + gap:
            share = min(share, max(most, self._widest_caption()) + gap)
        pitch = max(gap + 8, share)
        width = max(8, min(pitch - gap, filling or least * 4 // 3))
        cell = QSize(width, max(8, round(width / self._aspect)))
        return Layout(gap, columns, pitch, cell, cell.height() + self._caption_height() + gap)

    def _filling_width(self) -> int:
        """The width of tiles whose rows fill the height, at most `LARGEST`; 0 where they need not."""
        if not self._fills or not self._count:
            return 0
        gap, least = theme.px(GAP), theme.px(self._least)
        below = self._caption_height() + gap
        width, height = self.viewport().width() - gap, self.viewport().height() - gap
        fitting = max(1, int(height // (least / self._aspect + below)))
        best = int((height // fitting - below) * self._aspect)
        for rows in range(1, fitting + 1):  # larger where all of them find room at once
            tall, share = height // rows - below, width // -(-self._count // rows) - gap
            best = max(best, min(int(tall * self._aspect), share))
        return max(0, min(best, theme.px(LARGEST)))

    @property
    def tile_pixels(self) -> QSize:
        """The size of a tile in pixels of the screen: what is drawn as large is not scaled."""
        return self._layout().cell * self.devicePixelRatioF()

    def _widest_caption(self) -> int:
        """Of few tiles; many fill the width anyway."""
        if self._widest is None:
            font = theme.numbers(theme.CAPTION)
            few = self._count if self._count <= MEASURED else 0
            self._widest = max((text_width(self._caption(index), font) + 2 for index in range(few)), default=0)
        return self._widest

    def _row_height(self) -> int:
        return self._layout().row

    def _caption_height(self) -> int:
        return QFontMetrics(theme.numbers(theme.CAPTION)).height() + theme.px(2)

    def tile_rect(self, index: int) -> QRect:
        """Where tile `index` is on the viewport."""
        laid = self._layout()
        row, column = divmod(index, laid.columns)
        corner = QPoint(laid.gap + column * laid.pitch, laid.gap + row * laid.row)
        return QRect(corner - QPoint(0, self.verticalScrollBar().value()), laid.cell)

    def tile_at(self, point: QPointF) -> tuple[int, float, float] | None:
        """The tile at a point of the viewport with the fractional position inside it."""
        gap, columns, pitch, cell, tall = self._layout()
        x, y = point.x() - gap, point.y() - gap + self.verticalScrollBar().value()
        column, row = int(x // pitch), int(y // tall)
        fx = (x - column * pitch) / cell.width()
        fy = (y - row * tall) / cell.height()
        index = row * columns + column
        if not (0 <= column < columns and 0 <= index < self._count and 0 <= fx < 1 and 0 <= fy < 1):
            return None
        return index, fx, fy

    def _visible(self) -> range:
        bar, tall = self.verticalScrollBar().value(), self._row_height()
        first = max(0, (bar - self._layout().gap) // tall) * self.columns
        last = ((bar + self.viewport().height()) // tall + 1) * self.columns
        return range(min(first, self._count), min(last, self._count))

    def _measure(self) -> None:
        """The range to scroll in; the row that was first stays first, and the last can be seen whole."""
        rows, tall, seen = -(-self._count // self.columns), self._row_height(), self.viewport().height()
        bar = self.verticalScrollBar()
        first = bar.value() / self._row if self._row else 0
        self._row = tall
        bar.setPageStep(seen)
        bar.setSingleStep(max(8, tall // 3))
        beyond = max(0, rows * tall + theme.px(GAP) - seen)
        bar.setRange(0, max(0, rows - self._whole_rows()) * tall if seen > tall else beyond)
        bar.setValue(round(first * tall))
        if self._follows and self._selected is not None:
            self.reveal(self._selected)
        self.viewport().update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(TILE) * 6, theme.px(200))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(self._least) + theme.px(24), theme.px(90))

    # ----------------------------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        t = theme.tokens(self.palette())
        painter.fillRect(event.rect(), t.color("panel"))
        visible = self._visible()
        font = theme.numbers(theme.CAPTION)
        painter.setFont(font)
        painter.setOpacity(1.0 if self.isEnabled() else theme.FADED)
        for index in visible:
            rect = self.tile_rect(index)
            painter.drawPixmap(rect, self._pixmap(index, rect.size()))
            if self._mark is not None:
                at = QPointF(rect.left() + self._mark[0] * rect.width(), rect.top() + self._mark[1] * rect.height())
                painter.save()
                painter.setClipRect(rect)
                draw_cross(painter, at, theme.px(5), t.color("accent"))
                painter.restore()
            self._paint_caption(painter, index, rect, t, font)
        if self.hasFocus():  # also where no map is chosen, or the chosen one is scrolled away
            focus_ring(painter, QRectF(self.viewport().rect()), t)
        self._forget(len(visible) * KEPT)

    def _paint_caption(self, painter: QPainter, index: int, rect: QRect, t: theme.Tokens, font: QFont) -> None:
        chosen, laid = index == self._selected, self._layout()
        painter.setPen(t.color("text" if chosen else "dim"))
        room = laid.pitch - laid.gap
        below = QRectF(rect.left(), rect.bottom() + theme.px(2), room, laid.row - laid.cell.height() - laid.gap)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, elided(self._caption(index), font, room))
        if chosen:
            frame = QRectF(rect).adjusted(-2, -2, 2, 2)
            painter.setPen(QPen(t.color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(frame)

    def _pixmap(self, index: int, size: QSize) -> QPixmap:
        ratio = self.devicePixelRatioF()
        wanted = size * ratio
        kept = self._kept.get(index)
        if kept is not None and kept.size() == wanted:
            self._kept.move_to_end(index)
            return kept
        image = self._tile(index)
        if image.isNull():
            made = QPixmap(wanted)
            made.fill(theme.tokens(self.palette()).color("raised"))
        else:
            smaller = image.width() > wanted.width() or self._smooth
            how = Qt.TransformationMode.SmoothTransformation if smaller else Qt.TransformationMode.FastTransformation
            made = QPixmap.fromImage(image.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, how))
        made.setDevicePixelRatio(ratio)
        self._kept[index] = made
        return made

    def _forget(self, most: int) -> None:
        while len(self._kept) > max(most, 32):
            self._kept.popitem(last=False)

    # ------------------------------------------------------------------------------------- events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self.refresh()
            self._measure()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.tile_at(event.position())
        if found is None:
            self.left.emit()
        else:
            self.hovered.emit(*found)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.tile_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and found is not None:
            self.set_selected(found[0], reveal=False)
            self.clicked.emit(*found)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the tile under the mouse, or of the selected one where it is asked for by a key."""
        found = self.tile_at(QPointF(event.pos()))
        if event.reason() is QContextMenuEvent.Reason.Keyboard and self._selected is not None:
            self.menu_wanted.emit(self._selected, self.viewport().mapToGlobal(self.tile_rect(self._selected).center()))
        elif found is not None:
            self.menu_wanted.emit(found[0], event.globalPos())

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            found = self.tile_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self._caption(found[0]) if found else "", self)
            return True
        if event.type() == QEvent.Type.Leave:
            self.left.emit()
        return super().viewportEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = self.columns * max(1, self.viewport().height() // self._row_height())
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self.columns,
            Qt.Key.Key_Down: self.columns,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -self._count,
            Qt.Key.Key_End: self._count,
            Qt.Key.Key_Return: 0,
            Qt.Key.Key_Enter: 0,
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self._count:
            super().keyPressEvent(event)
            return
        start = self._selected if self._selected is not None else 0
        index = max(0, min(self._count - 1, start + step))
        self.set_selected(index)
        if step:
            self.walked.emit(index)
        else:
            self.clicked.emit(index, *(self._mark or (0.5, 0.5)))
