"""The race's table of results, and the choice of grid stride."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from segviz.gui import theme
from segviz.gui.gestures import GRID_STEPS
from segviz.gui.panels.race_plot import TONES
from segviz.gui.race_words import COLUMNS, Side
from segviz.gui.widgets.pill import Pill

HINTS = (
    "",
    "Seconds for all outputs; ≈ marks what was extrapolated from a sample",
    "Positions of the grid",
    "Outputs a second",
    "Multiplications and additions (MACs) for all outputs",
    "Windows computed together",
    "Times slower than the fully convolutional network",
)

ROW = 22  # height, before `theme.px`
OWN = "the network's own"
HINT = "Step of the window in network pixels, in the race and in the sliding window; a larger one means fewer outputs"


def _cell(column: int) -> QTableWidgetItem:
    cell = QTableWidgetItem("")
    cell.setTextAlignment(_side(column))
    return cell


class ResultTable(QTableWidget):
    """One row a side, its colour that of its curve in the plot."""

    def __init__(self) -> None:
        super().__init__(len(Side), len(COLUMNS))
        self.setTabKeyNavigation(False)  # Tab leaves; arrows walk
        self._cells = [[_cell(at) for at in range(len(COLUMNS))] for _ in Side]
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setAccessibleName("Results of the race")
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        head = self.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setMinimumSectionSize(theme.px(44))
        head.setHighlightSections(False)
        for at, title in enumerate(COLUMNS):
            heading = QTableWidgetItem(title)
            heading.setTextAlignment(_side(at))
            heading.setToolTip(HINTS[at])
            self.setHorizontalHeaderItem(at, heading)
            for row in range(len(Side)):
                self.setItem(row, at, self._cells[row][at])
        self._measure()

    def show_rows(self, rows: Sequence[Sequence[str]]) -> None:
        """Show texts, one sequence a side in `COLUMNS`."""
        for row, texts in enumerate(rows):
            for at, text in enumerate(texts):
                self._cells[row][at].setText(text)
        columns = (max(self.sizeHintForColumn(at), self._heading_width(at)) for at in range(len(COLUMNS)))
        self.setMinimumWidth(sum(columns) + theme.px(theme.S))

    def _heading_width(self, column: int) -> int:
        return self.horizontalHeader().sectionSizeHint(column)

    def _measure(self) -> None:
        """Rows as high as the type, figures that stand below one another, the curves' colours."""
        t = theme.tokens(self.palette())
        tall = theme.px(ROW)
        for row, side in enumerate(Side):
            self.setRowHeight(row, tall)
            self._cells[row][0].setIcon(_square(t.color(TONES[side])))
            for cell in self._cells[row][1:]:
                cell.setFont(theme.numbers())
        self.horizontalHeader().setFixedHeight(tall)
        self.setFixedHeight(tall * (len(Side) + 1) + 2)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES and self.item(len(Side) - 1, len(COLUMNS) - 1) is not None:
            self._measure()


class StridePill(Pill):
    """The grid's stride: multiples of the network's own, the only steps that both sides can take."""

    def __init__(self, chosen: Callable[[int], None]) -> None:
        super().__init__("Grid stride")
        self._chosen = chosen
        self._offer(None)

    def _offer(self, own: int | None) -> None:
        """Steps of `own`; where the network has no whole one, that alone."""
        self._own = own
        self.menu().clear()
        for step in GRID_STEPS if own is not None else GRID_STEPS[:1]:
            pixels = f"{step * own} px" if own is not None else ""
            text = ", ".join(part for part in (pixels, OWN if step == 1 else "") if part)
            self.menu().addAction(text).triggered.connect(lambda _, s=step: self._chosen(s))

    def show_stride(self, stride: int | None, own: int | None) -> None:
        """Show `stride` in network pixels, None: the network's `own`; silent."""
        if own != self._own:
            self._offer(own)
        shown = stride or own
        self.set_value(f"{shown} px" if shown else OWN, HINT)


def _side(column: int) -> Qt.AlignmentFlag:
    return (Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter


def _square(color: QColor) -> QIcon:
    pixmap = QPixmap(theme.px(10), theme.px(10))
    pixmap.fill(color)
    return QIcon(pixmap)
