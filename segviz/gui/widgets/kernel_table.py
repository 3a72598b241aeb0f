"""A small grid of numbers to type into: a kernel edited by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem, QWidget

from segviz.gui import theme

CELL, ROW = 44, 20  # width and height of a cell, before `theme.px`
Rows = tuple[tuple[float, ...], ...]


class KernelTable(QTableWidget):
    """Rows of numbers. `edited` fires with all of them for what the person typed; what is no number goes back."""

    edited = Signal(object)

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

    def _changed(self, item: QTableWidgetItem) -> None:
        row, column = item.row(), item.column()
        try:
            number = float(item.text().replace(",", "."))
        except ValueError:
            number = float("nan")
        if not isfinite(number) or abs(number) > self._largest:
            with QSignalBlocker(self):
                item.setText(_text(self._rows[row][column]))
            return
        rows = [list(numbers) for numbers in self._rows]
        rows[row][column] = number
        self._rows = tuple(tuple(numbers) for numbers in rows)
        self.edited.emit(self._rows)


def _text(number: float) -> str:
    """Three figures, without the zero before the point: a cell is narrow."""
    text = f"{number:.3g}"
    return text.replace("0.", ".", 1) if 0 < abs(number) < 1 else text
