"""Small maps as coloured cells, side by side: numbers where all fit, one cursor through all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isnan, nan
from typing import TYPE_CHECKING, Any, NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from segviz.gui import theme, words
from segviz.gui.drawings import as_svg
from segviz.gui.widgets.cell_numbers import fitting
from segviz.gui.widgets.hatched_cells import hatch_cell, number_ground
from segviz.gui.widgets.marks import draw_box, draw_cross
from segviz.gui.widgets.painted import Painted, elided, focus_ring, ink_on, text_width

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

GAP = 10  # between tiles, before `theme.px`
BESIDE = 0.46  # of the main map's side, that what stands beside it has
ROOM = 22  # side of a cell from which on its number is written, before `theme.px`
POINTED = 8  # side of a cell from which on it can be pointed at, before `theme.px`
POINT = "point at a cell"  # for its number, where cells have none
DOT = 3.0  # radius of the mark of a cell, before `theme.px`
LEAST = 48  # side of a main map, before `theme.px`


@dataclass(frozen=True, eq=False)
class Matrix:
    """One map (rows, columns) and its colours: an image of a pixel a value. `name` stands above a small one.

    `marks` are cells (row, column) with a dot, `frame` (row, column, rows, columns) is a box around some. `padding`
    (rows, columns) says which cells stand outside the map: they are hatched, whatever their colour.
    """

    name: str
    values: npt.NDArray[Any]
    image: QImage
    marks: tuple[tuple[int, int], ...] = ()
    frame: tuple[int, int, int, int] | None = None
    whole: bool = False  # numbers are counts
    padding: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class MatrixTile:
    """A map with its title and what is said below it; `beside` are small ones, as a kernel.

    `short` is said in place of `note` where that has no room. `linked`: whether it shows the place of the cursor,
    which is a share of its height and width.
    """

    title: str
    main: Matrix
    beside: tuple[Matrix, ...] = ()
    note: str = ""
    chosen: bool = False
    linked: bool = True
    short: str = ""


class Spot(NamedTuple):
    """A cell under the mouse: the tile, 0 for its main map or 1, 2... for those beside, row and column."""

    tile: int
    part: int
    row: int
    column: int


class MatrixBoard(Painted):
    """Tiles in rows, as large as they fit. Arrow keys move the cursor by a cell of the finest main map.

    `hovered` and `clicked` carry a `Spot` and the share (fy, fx) of the map; `left` says that the mouse is gone.
    """

    hovered = Signal(object, float, float)
    clicked = Signal(object, float, float)
    left = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiles: tuple[MatrixTile, ...] = ()
        self._mark: tuple[float, float] | None = None
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # ---------------------------------------------------------------------------------- content

    @property
    def tiles(self) -> tuple[MatrixTile, ...]:
        return self._tiles

    def set_tiles(self, tiles: Sequence[MatrixTile]) -> None:
        """Show these tiles; silent."""
        self._tiles = tuple(tiles)
        self.setAccessibleDescription(", ".join(f"{tile.title} {tile.note}".strip() for tile in tiles))
        self.update()

    @property
    def mark(self) -> tuple[float, float] | None:
        return self._mark

    def set_mark(self, at: tuple[float, float] | None) -> None:
        """A cross at this share (fy, fx) of every linked main map: where the mouse is in one of them; silent."""
        if at != self._mark:
            self._mark = at
            self.update()

    # --------------------------------------------------------------------------------- geometry

    def sizeHint(self) -> QSize:
        return QSize(theme.px(640), theme.px(400))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(240), theme.px(150))

    def rects(self, tile: int, size: QSizeF | None = None) -> list[QRectF]:
        """Where the main map and those beside it are."""
        room = size or QSizeF(self.size())
        columns, side = self._layout(room)
        pitch, tall = self._pitch(room, columns), self._height(side)
        row, column = divmod(tile, columns)
        rows = ceil(len(self._tiles) / columns)
        spare = max(0.0, room.height() - 2 * theme.px(GAP) - rows * tall + theme.px(GAP)) / 2
        left = theme.px(GAP) + column * pitch
        top = theme.px(GAP) + spare + row * tall + self._line(theme.body())
        found = [_fitted(QRectF(left, top, side, side), self._tiles[tile].main)]
        line = self._line(theme.caption())
        small, at = side * BESIDE, top
        for matrix in self._tiles[tile].beside:
            each = QRectF(left + side + theme.px(theme.S), at + line, small, max(8.0, side / 2 - line))
            found.append(_fitted(each, matrix))
            at += side / 2
        return found

    def _layout(self, room: QSizeF) -> tuple[int, float]:
        """How many tiles stand in a row, and the side of a main map: as large as can be."""
        count = max(1, len(self._tiles))
        best = (1, 0.0)
        for columns in range(1, count + 1):
            rows = ceil(count / columns)
            wide = (room.width() - theme.px(GAP)) / columns - theme.px(GAP)
            if self._has_beside:
                wide = (wide - theme.px(theme.S)) / (1 + BESIDE)
            tall = (room.height() - theme.px(GAP)) / rows - (self._height(0))
            side = min(wide, tall)
            if side > best[1]:
                best = columns, side
        return best[0], max(float(theme.px(LEAST)), best[1])

    @property
    def _has_beside(self) -> bool:
        return any(tile.beside for tile in self._tiles)

    def _pitch(self, room: QSizeF, columns: int) -> float:
        return (room.width() - theme.px(GAP)) / columns

    def _height(self, side: float) -> float:
        return side + self._line(theme.body()) + self._line(theme.caption()) + theme.px(GAP)

    def _line(self, font: Any) -> float:
        return QFontMetrics(font).height() + theme.px(2)

    def spot_at(self, point: QPointF) -> tuple[Spot, float, float] | None:
        """The cell under a point of the board, and the share (fy, fx) of its map."""
        for index, tile in enumerate(self._tiles):
            for part, (rect, matrix) in enumerate(zip(self.rects(index), (tile.main, *tile.beside), strict=True)):
                if rect.contains(point) and rect.width() > 0:
                    fy, fx = (point.y() - rect.top()) / rect.height(), (point.x() - rect.left()) / rect.width()
                    rows, columns = matrix.values.shape
                    row, column = min(rows - 1, int(fy * rows)), min(columns - 1, int(fx * columns))
                    return Spot(index, part, row, column), fy, fx
        return None

    # ---------------------------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.colours().color("surround"))
        self.paint(painter, QSizeF(self.size()), asks=True)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), self.colours(), 1)

    def paint(self, painter: QPainter, size: QSizeF, drawn: bool = False, asks: bool = False) -> None:
        """All tiles into `size`; with `drawn` each cell is a rectangle of its own, as a drawing wants it.

        `asks`: with the word that numbers which do not fit are told to who points at a cell.
        """
        t = self.colours()
        for index, tile in enumerate(self._tiles):
            rects = self.rects(index, size)
            self._paint_words(painter, tile, rects[0], size, t, _asks(rects[0], tile.main) if asks else "")
            for part, (rect, matrix) in enumerate(zip(rects, (tile.main, *tile.beside), strict=True)):
                _paint_cells(painter, rect, matrix, t, drawn)
                if part:
                    self._paint_name(painter, matrix.name, rect, t)
            if tile.linked and self._mark is not None:
                fy, fx = self._mark
                at = QPointF(rects[0].left() + fx * rects[0].width(), rects[0].top() + fy * rects[0].height())
                draw_cross(painter, at, theme.px(6), t.color("accent"))

    def _paint_words(
        self, painter: QPainter, tile: MatrixTile, rect: QRectF, size: QSizeF, t: theme.Tokens, ask: str
    ) -> None:
        columns, side = self._layout(size)
        room = self._pitch(size, columns) - theme.px(GAP)
        line, below = self._line(theme.body()), self._line(theme.caption())
        font = theme.body(strong=tile.chosen)
        painter.setFont(font)
        painter.setPen(t.color("accent" if tile.chosen else "text"))
        top = rect.top() - line
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(rect.left(), top, room, line), flags, elided(tile.title, font, room))
        font = theme.numbers(theme.CAPTION)
        painter.setFont(font)
        painter.setPen(t.color("dim"))
        under = QRectF(rect.left(), rect.top() + side if tile.beside else rect.bottom(), room, below)
        painter.drawText(under, flags, elided(_fitting_note(tile, ask, font, room), font, room))

    def _paint_name(self, painter: QPainter, name: str, rect: QRectF, t: theme.Tokens) -> None:
        font, line = theme.caption(), self._line(theme.caption())
        painter.setFont(font)
        painter.setPen(t.color("dim"))
        room = max(rect.width(), text_width(name, font) * 0.8)
        painter.drawText(QPointF(rect.left(), rect.top() - line * 0.25), elided(name, font, room + theme.px(theme.XL)))

    def picture(self, scale: float = 2.0) -> QImage:
        """The board as a picture, at `scale` times its size on the screen."""
        return picture_of((self,), scale)

    def svg(self) -> bytes:
        """The board as a drawing."""
        return drawing_of((self,))

    # ------------------------------------------------------------------------------------ events

    def event(self, event: QEvent) -> bool:
        """A tool tip has the number of the cell that is pointed at, which a cell may have no room for."""
        if event.type() != QEvent.Type.ToolTip:
            return super().event(event)
        assert isinstance(event, QHelpEvent)
        QToolTip.showText(event.globalPos(), self.told_at(QPointF(event.pos())), self)
        return True

    def told_at(self, point: QPointF) -> str:
        """The number under a point of the board with the name of its map; '' where there is none."""
        found = self.spot_at(point)
        if found is None:
            return ""
        spot = found[0]
        tile = self._tiles[spot.tile]
        matrix = (tile.main, *tile.beside)[spot.part]
        number = float(matrix.values[spot.row, spot.column])
        if isnan(number):
            return ""
        text = f"{number:.0f}" if matrix.whole else words.whole(number)
        return f"{matrix.name if spot.part else tile.title}: {text}"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.spot_at(event.position())
        if found is None:
            self.left.emit()
        else:
            self.hovered.emit(*found)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        found = self.spot_at(event.position())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit(*found)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}
        step = steps.get(Qt.Key(event.key()))
        linked = [index for index, tile in enumerate(self._tiles) if tile.linked]
        if step is None or not linked:
            super().keyPressEvent(event)
            return
        finest = max(linked, key=lambda index: self._tiles[index].main.values.size)
        rows, columns = self._tiles[finest].main.values.shape
        fy, fx = self._mark or (0.5, 0.5)
        row = max(0, min(rows - 1, int(fy * rows) + step[0]))
        column = max(0, min(columns - 1, int(fx * columns) + step[1]))
        self.hovered.emit(Spot(finest, 0, row, column), (row + 0.5) / rows, (column + 0.5) / columns)


def picture_of(boards: Sequence[MatrixBoard], scale: float = 2.0) -> QImage:
    """Boards that stand side by side as one picture."""
    width = sum(board.width() for board in boards)
    image = QImage(QSize(width, boards[0].height()) * scale, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.scale(scale, scale)
    _paint_all(painter, boards, False)
    painter.end()
    return image


def drawing_of(boards: Sequence[MatrixBoard]) -> bytes:
    """Boards that stand side by side as one drawing."""
    size = QSize(sum(board.width() for board in boards), boards[0].height())
    return as_svg(size, boards[0].accessibleName(), lambda painter: _paint_all(painter, boards, True))


def _paint_all(painter: QPainter, boards: Sequence[MatrixBoard], drawn: bool) -> None:
    for board in boards:
        painter.fillRect(board.rect(), board.colours().color("surround"))
        board.paint(painter, QSizeF(board.size()), drawn)
        painter.translate(board.width(), 0)


def _fitted(room: QRectF, matrix: Matrix) -> QRectF:
    """A rectangle of square cells in `room`, at its left top."""
    rows, columns = matrix.values.shape
    cell = min(room.width() / columns, room.height() / rows)
    return QRectF(room.left(), room.top(), cell * columns, cell * rows)


def _paint_cells(painter: QPainter, rect: QRectF, matrix: Matrix, t: theme.Tokens, drawn: bool) -> None:
    rows, columns = matrix.values.shape
    cell = rect.width() / columns
    if drawn:
        for row in range(rows):
            for column in range(columns):
                colour = matrix.image.pixelColor(column, row)
                if colour.alpha():
                    at = QRectF(rect.left() + column * cell, rect.top() + row * cell, cell, cell)
                    painter.fillRect(at, colour)
    else:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(rect, matrix.image)
    for at in _padded(rect, matrix, cell):
        hatch_cell(painter, at, t)
    painter.setPen(QPen(t.color("line"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect)
    _paint_numbers(painter, rect, matrix, cell, t)
    for row, column in matrix.marks:
        _dot(painter, QPointF(rect.left() + (column + 0.5) * cell, rect.top() + (row + 0.5) * cell), cell)
    if matrix.frame is not None:
        row, column, tall, wide = matrix.frame
        box = QRectF(rect.left() + column * cell, rect.top() + row * cell, wide * cell, tall * cell)
        draw_box(painter, box, t.color("accent"))


def _padded(rect: QRectF, matrix: Matrix, cell: float) -> list[QRectF]:
    """Where the cells of padding are."""
    if matrix.padding is None:
        return []
    places = zip(*(axis.tolist() for axis in matrix.padding.nonzero()), strict=True)
    return [QRectF(rect.left() + column * cell, rect.top() + row * cell, cell, cell) for row, column in places]


def _written(matrix: Matrix, cell: float) -> tuple[list[list[str]], QFont] | None:
    """The texts of a map's numbers and their font where all of them can be read in cells of this side."""
    if cell < theme.px(ROOM):
        return None
    rows = matrix.values.tolist()
    clear = {
        (y, x) for y, row in enumerate(rows) for x, _ in enumerate(row) if not matrix.image.pixelColor(x, y).alpha()
    }
    shown = [[nan if (y, x) in clear else number for x, number in enumerate(row)] for y, row in enumerate(rows)]
    return fitting(shown, matrix.whole, cell - 2)


def _fitting_note(tile: MatrixTile, ask: str, font: QFont, room: float) -> str:
    """The most that can be said below a map, in the end its shortest note, which may be too long, too."""
    shortest = tile.short or tile.note
    asking, briefly = (" · ".join(part for part in (said, ask) if part) for said in (tile.note, shortest))
    return next((text for text in (asking, tile.note, briefly) if text_width(text, font) <= room), shortest)


def _asks(rect: QRectF, matrix: Matrix) -> str:
    """What is to be done for numbers that are not written, in cells that can be pointed at; else ''."""
    cell = rect.width() / matrix.values.shape[1]
    return POINT if cell >= theme.px(POINTED) and _written(matrix, cell) is None else ""


def _paint_numbers(painter: QPainter, rect: QRectF, matrix: Matrix, cell: float, t: theme.Tokens) -> None:
    found = _written(matrix, cell)
    if found is None:
        return
    texts, font = found
    painter.setFont(font)
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            if text:
                at = QRectF(rect.left() + column * cell, rect.top() + row * cell, cell, cell)
                if matrix.padding is not None and matrix.padding[row, column]:
                    number_ground(painter, at, text, font, t)
                    painter.setPen(t.color("text"))
                else:
                    painter.setPen(ink_on(matrix.image.pixelColor(column, row)))
                painter.drawText(at, Qt.AlignmentFlag.AlignCenter, text)


def _dot(painter: QPainter, at: QPointF, cell: float) -> None:
    """A dot that shows on any ground, in the corner of a cell that has room for a number besides."""
    radius = min(float(theme.px(DOT)), cell / 3)
    if cell >= theme.px(ROOM):
        at = at + QPointF(cell / 2 - 2 * radius, radius * 2 - cell / 2)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor("#101216"), 1.5))
    painter.setBrush(QColor("#ffffff"))
    painter.drawEllipse(at, radius, radius)
    painter.restore()
