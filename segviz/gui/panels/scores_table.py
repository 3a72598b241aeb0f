"""The scores of every class as a table that can be sorted by any column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from segviz.gui import theme, words
from segviz.gui.score_words import score

if TYPE_CHECKING:
    from segviz.core.metrics import ClassScore

COLUMNS = ("Class", "Pixels", "Accuracy", "IoU")
HINTS = (
    "In the order of the classes; click a heading to sort by it",
    "Pixels of the class in the ground truth",
    "Share of the class's pixels that have it as their label",
    "Pixels that truth and labels share, of all that either has",
)
ROW = 22  # height, before `theme.px`
NAME = 90  # width that a name gets at least


class _Item(QTableWidgetItem):
    """A text that is sorted by its value; no value comes last, whichever the order."""

    def __init__(self, text: str, value: float) -> None:
        super().__init__(text)
        self.value = value

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return self.value < other.value if isinstance(other, _Item) else False


class ClassTable(QTableWidget):
    """One row a class that truth or labels have."""

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setTabKeyNavigation(False)  # Tab leaves; arrows walk
        self._colours: list[QColor] = []
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setFrameShape(QTableWidget.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)
        self.setAccessibleName("Scores of every class")
        head = self.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        head.setHighlightSections(False)
        head.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        for at, title in enumerate(COLUMNS):
            item = QTableWidgetItem(title)
            item.setTextAlignment(_side(at))
            item.setToolTip(HINTS[at])
            self.setHorizontalHeaderItem(at, item)
        self.setSortingEnabled(True)
        self._measure()

    def show_scores(self, found: tuple[ClassScore, ...], names: tuple[str, ...], colours: list[str]) -> None:
        """Show `found`; `names` and `colours` (#rrggbb, '' for what is never painted) are by class index."""
        self.setSortingEnabled(False)
        self.setRowCount(len(found))
        for row, one in enumerate(found):
            values = (one.index, one.pixels, _number(one.accuracy), one.iou)
            texts = (names[one.index], words.count(one.pixels), score(one.accuracy), score(one.iou))
            for column, (text, value) in enumerate(zip(texts, values, strict=True)):
                item = _Item(text, value)
                item.setTextAlignment(_side(column))
                self.setItem(row, column, item)
                if column == 0:
                    item.setToolTip(f"{names[one.index]} (class {one.index})")
                    item.setData(Qt.ItemDataRole.UserRole, colours[one.index] if one.index < len(colours) else "")
        self.setSortingEnabled(True)
        self._measure()  # with the arrow of the sorted column, which takes room

    def _measure(self) -> None:
        """Rows as high as the type, figures that stand below one another, swatches in their colours."""
        tall = theme.px(ROW)
        self.verticalHeader().setDefaultSectionSize(tall)
        self.horizontalHeader().setFixedHeight(tall)
        for row in range(self.rowCount()):
            name, *numbers = (item for at in range(len(COLUMNS)) if (item := self.item(row, at)) is not None)
            name.setIcon(_square(str(name.data(Qt.ItemDataRole.UserRole)), theme.tokens(self.palette())))
            for number in numbers:
                number.setFont(theme.numbers())
        head = self.horizontalHeader()
        wide = sum(max(self.sizeHintForColumn(at), head.sectionSizeHint(at)) for at in range(1, len(COLUMNS)))
        self.setMinimumWidth(wide + theme.px(NAME) + self.verticalScrollBar().sizeHint().width())

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES and hasattr(self, "_colours"):
            self._measure()


def _number(value: float | None) -> float:
    return -1.0 if value is None else value


def _side(column: int) -> Qt.AlignmentFlag:
    return (Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter


def _square(colour: str, t: theme.Tokens) -> QIcon:
    """A swatch; empty for a class that is never painted."""
    pixmap = QPixmap(theme.px(10), theme.px(10))
    pixmap.fill(QColor(colour) if colour else t.color("line"))
    return QIcon(pixmap)
