"""What each input map adds to one output, the largest first, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from segviz.gui import theme, words

if TYPE_CHECKING:
    from segviz.core.convolutions import Share

COLUMNS = ("Map", "Its sum", "Bias + sums")
HINTS = (
    "Input map; click a row to see its patch, weights and products",
    "Sum of its products, patch times weights",
    "The bias and the sums of all rows down to this one: the first row begins at the bias, the last is the output",
)
ROW = 22  # height, before `theme.px`
WIDE, MAP = 240, 44  # of the table and of its first column, before `theme.px`

Index = QModelIndex | QPersistentModelIndex


class _Shares(QAbstractTableModel):
    """The rows; thousands of them cost nothing, since only what is seen is asked for."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.shares: tuple[Share, ...] = ()
        self.first_map = 0

    def set_shares(self, shares: Sequence[Share], first_map: int) -> None:
        self.beginResetModel()
        self.shares, self.first_map = tuple(shares), first_map
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.shares)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        share = self.shares[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            texts = (str(share.channel + self.first_map), words.value(share.value), words.value(share.so_far))
            return texts[index.column()]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return theme.numbers() if role == Qt.ItemDataRole.FontRole else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        found = {
            Qt.ItemDataRole.DisplayRole: COLUMNS[section],
            Qt.ItemDataRole.ToolTipRole: HINTS[section],
            Qt.ItemDataRole.TextAlignmentRole: Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
        }
        return found.get(Qt.ItemDataRole(role))


class ShareTable(QTableView):
    """One row an input map. `chosen` carries the number of the map that the person chose."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._shares = _Shares(self)
        self.setModel(self._shares)
        self.setAccessibleName("What each input map adds to the output")
        self.setShowGrid(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        head = self.horizontalHeader()
        head.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Fixed)
        head.setHighlightSections(False)
        self._measure()

    @property
    def shares(self) -> tuple[Share, ...]:
        return self._shares.shares

    def show_shares(self, shares: Sequence[Share], first_map: int, channel: int) -> None:
        """Show these, map number `channel` of the kernel chosen; silent."""
        if tuple(shares) != self._shares.shares or first_map != self._shares.first_map:
            self._shares.set_shares(shares, first_map)
        row = next((at for at, share in enumerate(shares) if share.channel == channel), 0)
        model = self.selectionModel()
        model.blockSignals(True)
        self.selectRow(row)
        model.blockSignals(False)
        self.viewport().update()

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Arrow keys choose, as the mouse does."""
        super().currentChanged(current, previous)
        if current.isValid() and not self.selectionModel().signalsBlocked() and current.row() != previous.row():
            self.chosen.emit(self._shares.shares[current.row()].channel + self._shares.first_map)

    def _measure(self) -> None:
        tall = theme.px(ROW)
        self.verticalHeader().setDefaultSectionSize(tall)
        self.horizontalHeader().setFixedHeight(tall)
        self.horizontalHeader().resizeSection(0, theme.px(MAP))
        self.setFixedWidth(theme.px(WIDE))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self._measure()
