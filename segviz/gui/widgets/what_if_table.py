"""A table of windows that can be changed, and what follows from them: what moves is said beside what it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from segviz.gui import theme
from segviz.gui.widgets.painted import elided, focus_ring

Index = QModelIndex | QPersistentModelIndex
NONE = Qt.KeyboardModifier.NoModifier
UNKNOWN = "–"  # a value that nobody can tell
CELL = Qt.ItemDataRole.UserRole + 1
NAME = 88  # width of the first column at least, before `theme.px`


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: what it is in the real network, and what it would be, '' where that is the same.

    `tone` is the colour of a refusal and of the name of the layer that refuses; `edits` says whether a person can
    change it, `word` what they may type besides numbers. `tip` is said in place of the line's.
    """

    was: str
    now: str = ""
    edits: bool = False
    tone: str = ""
    word: str = ""
    tip: str = ""

    @property
    def text(self) -> str:
        return f"{self.was} → {self.now}" if self.now else self.was

    @property
    def value(self) -> str:
        return self.now or self.was


@dataclass(frozen=True, slots=True)
class Line:
    """One row, or a refusal, which is one cell over the whole width. `name` is the layer that it is about."""

    name: str
    cells: tuple[Cell, ...]
    tip: str = ""


class _Lines(QAbstractTableModel):
    """The lines as Qt asks for them. `typed` carries row, column and what a person has typed."""

    typed = Signal(int, int, str)

    def __init__(self, heads: Sequence[tuple[str, str]], parent: QWidget) -> None:
        super().__init__(parent)
        self._heads = heads
        self.lines: tuple[Line, ...] = ()

    def show(self, lines: tuple[Line, ...]) -> None:
        if [line.name for line in lines] != [line.name for line in self.lines] or _spans(lines) != _spans(self.lines):
            self.beginResetModel()
            self.lines = lines
            self.endResetModel()
        elif lines:
            self.lines = lines
            self.dataChanged.emit(self.index(0, 0), self.index(len(lines) - 1, len(self._heads) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as Qt has it
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._heads)

    def cell(self, index: Index) -> Cell:
        cells = self.lines[index.row()].cells
        return cells[index.column()] if index.column() < len(cells) else Cell("")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        cell = self.cell(index)
        values = {
            Qt.ItemDataRole.DisplayRole: cell.text,
            Qt.ItemDataRole.EditRole: cell.value,
            Qt.ItemDataRole.ToolTipRole: self._tip(index, cell),
            CELL: cell,
        }
        return values.get(role)

    def _tip(self, index: Index, cell: Cell) -> str:
        """What a value was has no room in a narrow table: it is said here."""
        tip = cell.tip or self.lines[index.row()].tip
        head = " ".join(self._heads[index.column()][0].split())
        return f"{tip}\n{head}: {cell.text}" if index.column() and cell.now else tip

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        self.typed.emit(index.row(), index.column(), str(value))
        return True

    def headerData(self, section: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way is not Qt.Orientation.Horizontal:
            return None
        texts: dict[int, int] = {Qt.ItemDataRole.DisplayRole: 0, Qt.ItemDataRole.ToolTipRole: 1}
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _side(section)
        return self._heads[section][texts[role]] if role in texts else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return plain | Qt.ItemFlag.ItemIsEditable if self.cell(index).edits else plain


def _spans(lines: tuple[Line, ...]) -> list[int]:
    return [at for at, line in enumerate(lines) if len(line.cells) == 1]


class _Painter(QStyledItemDelegate):
    """Paints a cell: what it was dim, what it would be in the accent's colour; what can be changed on a field."""

    def __init__(self, table: QTableView) -> None:
        super().__init__(table)
        self._table = table

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        line = QLineEdit(parent)
        line.setFrame(False)
        line.setFont(theme.numbers())
        word = index.data(CELL).word
        line.setAccessibleName("A number, or width × height" + (f", or “{word}”" if word else ""))
        return line

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        cell = index.data(CELL)
        t = theme.tokens(option.widget.palette())
        rect = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if cell.tone:
            painter.fillRect(rect, t.color(cell.tone, 0.12))
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, t.color("raised", 0.6))
        if cell.edits:
            self._field(painter, rect, option.state, t)
        elif option.state & QStyle.StateFlag.State_HasFocus:
            focus_ring(painter, rect.adjusted(2, 2, -2, -2), t, 1)
        room = rect.adjusted(theme.px(theme.S), 0, -theme.px(theme.S), 0)
        font = theme.body() if index.column() == 0 else theme.numbers()
        painter.setFont(font)
        if cell.tone or index.column() == 0:
            sentence = self._table.columnSpan(index.row(), 0) > 1
            painter.setPen(t.color(cell.tone or ("accent" if cell.now else "text")))
            painter.drawText(room, _side(0), self._fitting(cell, font, room.width(), sentence))
        else:
            self._value(painter, room, cell, t)
        painter.restore()

    def _fitting(self, cell: Cell, font: QFont, width: float, sentence: bool) -> str:
        """Names of layers differ in their ends and are cut at a dot, sentences are read from their beginnings."""
        metrics = QFontMetrics(font)
        if sentence:
            return metrics.elidedText(cell.was, Qt.TextElideMode.ElideRight, int(width))
        fitting = (text for text in _shorter(cell.was) if metrics.horizontalAdvance(text) <= width)
        return next(fitting, metrics.elidedText(cell.was, Qt.TextElideMode.ElideLeft, int(width)))

    def _field(self, painter: QPainter, rect: QRectF, state: QStyle.StateFlag, t: theme.Tokens) -> None:
        focused = bool(state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(t.color("accent") if focused else Qt.PenStyle.NoPen)
        painter.setBrush(t.color("panel" if state & QStyle.StateFlag.State_Selected else "raised"))
        painter.drawRoundedRect(rect.adjusted(2.5, 2.5, -2.5, -2.5), theme.RADIUS, theme.RADIUS)

    def _value(self, painter: QPainter, room: QRectF, cell: Cell, t: theme.Tokens) -> None:
        """Right-aligned, so that numbers stand below each other; half of a number would be taken for another."""
        metrics = QFontMetrics(painter.font())
        new = elided(cell.value, painter.font(), room.width())
        painter.setPen(t.color({"": "text", UNKNOWN: "dim"}.get(cell.now, "accent")))
        painter.drawText(room, _side(1), new)
        spare = room.width() - metrics.horizontalAdvance(new) - theme.px(theme.XS)
        if cell.now:
            painter.setPen(t.color("dim"))
            before = next((text for text in (f"{cell.was} →", "→") if metrics.horizontalAdvance(text) <= spare), "")
            painter.drawText(
                room.adjusted(0, 0, -metrics.horizontalAdvance(new) - theme.px(theme.XS), 0), _side(1), before
            )


class WhatIfTable(QTableView):
    """`typed` carries a layer, a column and a text; `stepped` a layer, a column and +1 or -1 (plus and minus keys).

    `chosen` carries the layer of the row that a person goes to, `withdrawn` one whose windows are to be as they were.
    """

    typed = Signal(str, int, str)
    stepped = Signal(str, int, int)
    chosen = Signal(str)
    withdrawn = Signal(str)

    def __init__(self, heads: Sequence[tuple[str, str]], name: str) -> None:
        super().__init__()
        self.setTabKeyNavigation(False)  # Tab leaves; arrows walk
        self._lines = _Lines(heads, self)
        self._silent = False
        self.setModel(self._lines)
        self.setItemDelegate(_Painter(self))
        self.setAccessibleName(name)
        self.setShowGrid(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
            | QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self._lines.typed.connect(lambda row, column, text: self.typed.emit(self.lines[row].name, column, text))
        self._measure()

    @property
    def lines(self) -> tuple[Line, ...]:
        return self._lines.lines

    def show_lines(self, lines: Sequence[Line], selected: str | None) -> None:
        """Show these lines, the row of a layer selected; silent. Where a person is stays in view."""
        self._silent = True
        here, scrolled, at = self.currentIndex(), self.verticalScrollBar().value(), self.currentIndex().row()
        spot = (self.lines[here.row()].name, here.column()) if here.isValid() else ("", 0)
        self._lines.show(tuple(lines))
        self.clearSpans()
        for sentence in _spans(self.lines):
            self.setSpan(sentence, 0, 1, self._lines.columnCount())
        wanted = selected or spot[0]
        row = next((at for at, line in enumerate(self.lines) if line.name == wanted), None)
        if row is not None and (not self.currentIndex().isValid() or self.currentIndex().row() != row):
            self.setCurrentIndex(self._lines.index(row, spot[1]))
        self._measure()
        if wanted == spot[0] and row is not None:  # refusals are rows: what a person edits stays below the mouse
            self.updateGeometries()
            self.verticalScrollBar().setValue(scrolled + self.rowHeight(row) * (row - at))
        self._silent = False

    def row_of(self, layer: str) -> int:
        """The row of a layer."""
        return next(at for at, line in enumerate(self.lines) if line.name == layer)

    def cell_rect(self, layer: str, column: int) -> QRect:
        """Where a cell is in the viewport."""
        return self.visualRect(self._lines.index(self.row_of(layer), column))

    def _measure(self) -> None:
        """Rows and columns as their texts need them; what is left goes to the names, what lacks comes from the past.

        Nothing scrolls sideways while the new values fit: where both do not, what a value was is left to its tooltip.
        """
        self.verticalHeader().setDefaultSectionSize(theme.px(theme.CONTROL))
        head, room = self.horizontalHeader(), self.viewport().width()
        head.setFont(theme.caption())
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        plain = [line for line in self.lines if len(line.cells) > 1]
        names, body = [line.name for line in plain], QFontMetrics(theme.body())
        around = theme.px(2 * theme.S) + 1
        told = max((body.horizontalAdvance(text) for text in distinct(names)), default=0) + around
        whole = max((body.horizontalAdvance(name) for name in names), default=0) + around
        least = max(theme.px(NAME), told)
        others = range(1, self._lines.columnCount())
        wide = [self._needed(column, [line.cells[column].text for line in plain]) for column in others]
        short = [self._needed(column, [line.cells[column].value for line in plain]) for column in others]
        for column, size in zip(others, shrunk(wide, short, room - least), strict=True):
            head.resizeSection(column, size)
        left = room - sum(head.sectionSize(column) for column in others)
        head.resizeSection(0, max(least, min(whole, left)))

    def _needed(self, column: int, texts: Sequence[str]) -> int:
        """The width of a column of values whose head and `texts` are whole."""
        metrics = QFontMetrics(theme.numbers())
        widest = max((metrics.horizontalAdvance(text) for text in texts), default=0)
        return max(widest + theme.px(2 * theme.S + 3), self.horizontalHeader().sectionSizeHint(column))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES and hasattr(self, "_lines"):
            self._measure()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        if current.isValid() and not self._silent and current.row() != previous.row():
            self.chosen.emit(self.lines[current.row()].name)

    def event(self, event: QEvent) -> bool:
        """Figures begin a number, and a letter a word, whatever they are the keys of elsewhere in the window."""
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            here, plain = self.currentIndex(), event.modifiers() in (NONE, Qt.KeyboardModifier.KeypadModifier)
            cell, typed = self._lines.cell(here) if here.isValid() else Cell(""), event.text().lower()
            if plain and typed and cell.edits and (typed.isdigit() or typed == cell.word[:1]):
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        here = self.currentIndex()
        steps = {"+": 1, "-": -1, "−": -1}
        if here.isValid() and event.text() in steps and self._lines.cell(here).edits:
            self.stepped.emit(self.lines[here.row()].name, here.column(), steps[event.text()])
        elif here.isValid() and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.withdrawn.emit(self.lines[here.row()].name)
        elif event.text() in ("[", "]"):
            event.ignore()
        else:
            super().keyPressEvent(event)


def shrunk(wide: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """The widths `wide`, narrowed so that all have `room`, none below `least`: as few of them as can be."""
    found, lacks = list(wide), sum(wide) - room
    for at in sorted(range(len(wide)), key=lambda at: least[at] - wide[at]):
        taken = max(0, min(lacks, wide[at] - least[at]))
        found[at] -= taken
        lacks -= taken
    return found


def distinct(names: Sequence[str]) -> list[str]:
    """Each name as short as tells it from the others: 'a.b.conv1' and 'a.c.conv1' as '…b.conv1' and '…c.conv1'."""
    often = Counter(text for name in names for text in _shorter(name))
    return [next(text for text in reversed(_shorter(name)) if often[text] == 1 or text == name) for name in names]


def _shorter(name: str) -> list[str]:
    """A name, and its ends from one dot after another, of at least two parts, as they are shown in its place."""
    parts = name.split(".")
    return [name] + ["…" + ".".join(parts[at:]) for at in range(1, len(parts) - 1)]


def _side(column: int) -> Qt.AlignmentFlag:
    return (Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter
