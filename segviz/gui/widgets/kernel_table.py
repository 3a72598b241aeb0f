"""A small grid of numbers to type into: a kernel edited by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHeaderView,
    QLabel,
    QSizePolicy,
    QStyle,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segviz.gui import theme, words
from segviz.gui.widgets.elided import ElidedLabel

CELL, ROW = 44, 20  # width and height of a cell, before `theme.px`
GRID = QStyle.StyleHint.SH_Table_GridLineColor
Rows = tuple[tuple[float, ...], ...]


class KernelTable(QTableWidget):
    """Rows of numbers. `edited` fires with all of them for what the person typed.

    What is no number goes back, and `refused` fires with a sentence that says what is taken.
    """

    edited = Signal(object)
    refused = Signal(str)

    def __init__(self, name: str, largest: float, parent: QWidget | None = None) -> None:
        """`largest`: the absolute value up to which a number is taken."""
        super().__init__(parent)
        self._rows: Rows = ()
        self._largest = largest
        self.setAccessibleName(name)
        self.setToolTip(f"{name}: type a number into a cell")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        self.setTabKeyNavigation(False)  # Tab leaves; arrows walk
        self.setCornerButtonEnabled(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.itemChanged.connect(self._changed)

    @property
    def rows(self) -> Rows:
        return self._rows

    def set_rows(self, rows: Sequence[Sequence[float]]) -> None:
        """Show these numbers; silent."""
        taken = tuple(tuple(float(number) for number in row) for row in rows)
        if taken == self._rows:
            return
        self._rows = taken
        with QSignalBlocker(self):
            self.setRowCount(len(taken))
            self.setColumnCount(len(taken[0]) if taken else 0)
            for row, numbers in enumerate(taken):
                for column, number in enumerate(numbers):
                    item = QTableWidgetItem(_text(number))
                    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                    self.setItem(row, column, item)
            self._measure()

    def _measure(self) -> None:
        for header, size in ((self.horizontalHeader(), CELL), (self.verticalHeader(), ROW)):
            header.setMinimumSectionSize(theme.px(size) if size == CELL else theme.px(16))
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setDefaultSectionSize(theme.px(size))
        self.setFont(theme.numbers(theme.CAPTION))
        self.setFixedWidth(self.sizeHint().width())
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        bar = theme.px(12)
        return QSize(self.columnCount() * theme.px(CELL) + bar, self.rowCount() * theme.px(ROW) + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(CELL), theme.px(ROW) * 3)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The grid has lines at the right of cells and below them: those of its left and top are drawn besides."""
        super().paintEvent(event)
        painter = QPainter(self.viewport())
        painter.setPen(QColor.fromRgba(self.style().styleHint(GRID, self._option(), self) & 0xFFFFFFFF))
        right, bottom = self.horizontalHeader().length() - 1, self.verticalHeader().length() - 1
        painter.drawLine(0, 0, right, 0)
        painter.drawLine(0, 0, 0, bottom)

    def _option(self) -> QStyleOptionViewItem:
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        return option

    def _changed(self, item: QTableWidgetItem) -> None:
        row, column = item.row(), item.column()
        try:
            number = float(item.text().replace(",", "."))
        except ValueError:
            number = float("nan")
        if not isfinite(number) or abs(number) > self._largest:
            typed = item.text()
            with QSignalBlocker(self):
                item.setText(_text(self._rows[row][column]))
            most = words.count(round(self._largest))
            self.refused.emit(f"“{typed}” is no weight: a number from −{most} to {most}")
            return
        rows = [list(numbers) for numbers in self._rows]
        rows[row][column] = number
        self._rows = tuple(tuple(numbers) for numbers in rows)
        self.edited.emit(self._rows)


class Refusal(ElidedLabel):
    """What a table of numbers did not take, in place of what a page says: until it takes one, or another cell is gone
    to."""

    def __init__(self, table: KernelTable) -> None:
        super().__init__()
        self._instead: QWidget | None = None
        theme.set_role(self, "bad")
        self.hide()
        table.refused.connect(self.say)
        table.edited.connect(lambda _: self.say(""))
        table.currentCellChanged.connect(lambda *_: self.say(""))

    def stand_for(self, label: QWidget) -> None:
        """Take the place of `label` while there is something to say."""
        self._instead = label

    def say(self, text: str) -> None:
        self.setText(text)
        self.setVisible(bool(text))
        if self._instead is not None:
            self._instead.setVisible(not text)


def captioned(table: KernelTable) -> QWidget:
    """The table below its name."""
    whole, caption = QWidget(), QLabel(table.accessibleName())
    theme.set_role(caption, "caption")
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(theme.XS)
    column.addWidget(caption)
    column.addWidget(table, 1)
    return whole


def _text(number: float) -> str:
    """Three figures, without the zero before the point: a cell is narrow."""
    text = f"{number:.3g}"
    return text.replace("0.", ".", 1) if 0 < abs(number) < 1 else text
