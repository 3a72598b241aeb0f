"""A table of shares as a heat image with names at its sides: a confusion matrix. Loads no numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from segviz.gui import theme
from segviz.gui.drawings import as_svg
from segviz.gui.widgets.painted import Painted, elided, focus_ring, ink_on, text_width

LONGEST = 96  # width of the names of rows, before `theme.px`
WIDEST = 110  # of a cell
TALLEST = 30  # of a cell, unless it is wider than that
UPRIGHT = 260  # height of the whole from which names of columns that are too long stand upright, before `theme.px`
LOW = 14  # height of a cell from which its number is written, before `theme.px`
LEAST = 0.005  # share below which a cell has no number: it would be 0.00
READABLE = 10  # height of a row, or width of a column, from which it gets its name

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Table:
    """Shares 0 to 1 of each row that fall into each column, and what rows and columns are called."""

    shares: tuple[tuple[float, ...], ...] = ()
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return len(self.names)


class Matrix(Painted):
    """Shows a `Table`. `pointed` tells the cell (row, column) under the mouse or the keyboard's mark, None: none;
    `chosen` the cell that was clicked, or on which Return or Space was pressed.
    """

    pointed = Signal(object)
    chosen = Signal(int, int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = Table()
        self._colours: tuple[int, ...] = (0,)
        self._selected: Cell | None = None
        self._mark: Cell | None = None  # where mouse or arrow keys are
        self.setAccessibleName(name)
        self.setAccessibleDescription("Arrow keys go from cell to cell, Return shows its pixels on the image")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    def set_table(self, table: Table) -> None:
        """Show these shares; silent."""
        if table != self._table:
            self._table, self._mark = table, None
            self.update()

    def set_colours(self, colours: Sequence[int]) -> None:
        """0xRRGGBB of the shares from 0 to 1."""
        self._colours = tuple(colours)
        self.update()

    @property
    def mark(self) -> Cell | None:
        """The cell that mouse or arrow keys are on, or `set_mark` has named."""
        return self._mark

    def set_mark(self, cell: Cell | None) -> None:
        """Mark a cell; silent."""
        if cell != self._mark:
            self._mark = cell
            self.update()

    def set_selected(self, cell: Cell | None) -> None:
        """The cell that is framed; silent."""
        if cell != self._selected:
            self._selected = cell
            self.update()

    # ----------------------------------------------------------------------------------- places

    def grid(self) -> QRectF:
        """Where the cells are."""
        return _grid(QRectF(self.rect()), self._table)

    def cell_at(self, at: QPointF) -> Cell | None:
        grid, size = self.grid(), self._table.size
        if not size or not grid.contains(at):
            return None
        row = int((at.y() - grid.top()) / grid.height() * size)
        column = int((at.x() - grid.left()) / grid.width() * size)
        return min(row, size - 1), min(column, size - 1)

    def place(self, cell: Cell) -> QRectF:
        """Where a cell is."""
        return _place(self.grid(), self._table.size, cell)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(300), theme.px(160))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(200), theme.px(90))

    # ------------------------------------------------------------------------------------ events

    def _point(self, cell: Cell | None) -> None:
        if cell != self._mark:
            self._mark = cell
            self.pointed.emit(cell)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self.cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._point(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if event.button() is Qt.MouseButton.LeftButton and cell is not None:
            self._point(cell)
            self.chosen.emit(*cell)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        size = self._table.size
        if step is not None and size:
            row, column = self._mark or self._selected or (-step[0] if step[0] < 0 else 0, 0)
            if self._mark is not None or self._selected is not None:
                row, column = row + step[0], column + step[1]
            self._point((max(0, min(size - 1, row)), max(0, min(size - 1, column))))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._mark is not None:
            self.chosen.emit(*self._mark)
        else:
            super().keyPressEvent(event)

    # ---------------------------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint(painter, QRectF(self.rect()))
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), self.colours())

    def _paint(self, painter: QPainter, rect: QRectF) -> None:
        table, t = self._table, self.colours()
        if not table.size:
            return
        grid = _grid(rect, table)
        for row, shares in enumerate(table.shares):
            for column, share in enumerate(shares):
                place = _place(grid, table.size, (row, column))
                painter.fillRect(place, QColor(self._colours[round(share * (len(self._colours) - 1))]))
        _numbers(painter, grid, table, self._colours)
        _names(painter, rect, grid, table, t)
        for cell, colour in ((self._mark, "text"), (self._selected, "accent")):
            if cell is not None and max(cell) < table.size:
                _frame(painter, _place(grid, table.size, cell), t, colour)

    def picture(self) -> QImage:
        """The matrix as it is shown, at twice its size."""
        image = QImage(self.size() * 2, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(2)
        image.fill(self.colours().color("panel"))
        painter = QPainter(image)
        self._paint(painter, QRectF(self.rect()))
        painter.end()
        return image

    def svg(self) -> bytes:
        """The matrix as a drawing."""
        return drawn(self.rect(), self.accessibleName(), self.colours(), self._paint)


_STEPS = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}


def drawn(rect: QRect, title: str, t: theme.Tokens, paint: Callable[[QPainter, QRectF], object]) -> bytes:
    """What `paint(painter, rect)` paints on a panel, as SVG."""

    def painted(painter: QPainter) -> None:
        painter.fillRect(rect, t.color("panel"))
        paint(painter, QRectF(rect))

    return as_svg(rect.size(), title, painted)


def _grid(rect: QRectF, table: Table) -> QRectF:
    """The cells between the names: rows at the left, columns below the caption line at the top."""
    if not table.size:
        return QRectF()
    longest = min(theme.px(LONGEST), _widest(table))
    left = longest + theme.px(theme.S)
    wide = min(theme.px(WIDEST) * table.size, rect.width() - left - theme.px(2))
    line = longest if _upright(rect, table, wide) else QFontMetrics(theme.caption()).height()
    top = line + theme.px(theme.XS)
    tall = min(max(theme.px(TALLEST) * table.size, wide), rect.height() - top - theme.px(2))
    return QRectF(rect.left() + left, rect.top() + top, max(1.0, wide), max(1.0, tall))


def _widest(table: Table) -> int:
    return max(text_width(name, theme.caption()) for name in table.names)


def _upright(rect: QRectF, table: Table, wide: float) -> bool:
    """Whether the names of columns stand upright: they are wider than a column, and there is height for them."""
    return rect.height() >= theme.px(UPRIGHT) and _widest(table) > wide / table.size - 2


def _place(grid: QRectF, size: int, cell: Cell) -> QRectF:
    """A cell on whole pixels, so that no seams show."""
    xs, ys = ([round(low + length * k / size) for k in (at, at + 1)] for low, length, at in (
        (grid.left(), grid.width(), cell[1]), (grid.top(), grid.height(), cell[0])))  # fmt: skip
    return QRectF(xs[0], ys[0], max(1, xs[1] - xs[0]), max(1, ys[1] - ys[0]))


def _numbers(painter: QPainter, grid: QRectF, table: Table, colours: Sequence[int]) -> None:
    """The shares in their cells, where all of them are readable."""
    font = theme.numbers(theme.CAPTION)
    wide, tall = grid.width() / table.size, grid.height() / table.size
    room = wide - theme.px(theme.XS)
    if room < text_width(".00", font) or tall < theme.px(LOW):
        return
    short = room < text_width("0.00", font)
    painter.setFont(font)
    for row, shares in enumerate(table.shares):
        for column, share in enumerate(shares):
            if share >= LEAST:
                painter.setPen(ink_on(QColor(colours[round(share * (len(colours) - 1))])))
                place = _place(grid, table.size, (row, column))
                text = f"{share:.2f}"
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text.removeprefix("0") if short else text)


def _names(painter: QPainter, rect: QRectF, grid: QRectF, table: Table, t: theme.Tokens) -> None:
    painter.setFont(theme.caption())
    painter.setPen(t.color("dim"))
    tall, wide = grid.height() / table.size, grid.width() / table.size
    middle = Qt.AlignmentFlag.AlignVCenter
    if tall >= theme.px(READABLE):
        room = grid.left() - rect.left() - theme.px(theme.XS)
        for row, name in enumerate(table.names):
            place = QRectF(rect.left(), grid.top() + row * tall, room, tall)
            painter.drawText(place, middle | Qt.AlignmentFlag.AlignRight, elided(name, theme.caption(), room))
    if wide >= theme.px(READABLE):
        above, upright = grid.top() - rect.top(), _upright(rect, table, grid.width())
        for column, name in enumerate(table.names):
            place = QRectF(grid.left() + column * wide, rect.top(), wide, above)
            if upright:
                _write_upright(painter, place, name)
            else:
                text = elided(name, theme.caption(), wide - 2)
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, "" if text == "…" else text)


def _write_upright(painter: QPainter, place: QRectF, name: str) -> None:
    """From the bottom of `place` upwards."""
    room = place.height() - theme.px(theme.XS)
    painter.save()
    painter.translate(place.left(), place.bottom() - theme.px(theme.XS))
    painter.rotate(-90)
    flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    painter.drawText(QRectF(0, 0, room, place.width()), flags, elided(name, theme.caption(), room))
    painter.restore()


def _frame(painter: QPainter, place: QRectF, t: theme.Tokens, colour: str) -> None:
    """Twice, dark under light, so that it shows on any colour."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for tone, width in (
        (QColor(0, 0, 0), 3.0),
        (t.color(colour) if t.dark or colour == "accent" else QColor("white"), 1.5),
    ):
        painter.setPen(QPen(tone, width))
        painter.drawRect(place)
