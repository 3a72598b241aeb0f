"""What each input map adds to one output, the largest first, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from segviz.core.choices import ColourMap
from segviz.gui import theme, words

if TYPE_CHECKING:
    from segviz.core.convolutions import Share

SUMS = ("Map", "Its sum", "Bias + sums")
TERMS = ("Map", "Input", "× Weight", "= Product", "Bias + sum so far")  # where a filter has one weight a map
SO_FAR = "The bias and all rows down to this one: the first row begins at the bias, the last is the output"
HINTS = {
    "Map": "Input map; click a row to see its patch, weights and products",
    "Its sum": "Sum of its products, patch times weights",
    "Bias + sums": SO_FAR,
    "Input": "What the map says at this place",
    "× Weight": "The filter's weight for the map",
    "= Product": "What the map adds to the output, the largest first",
    "Bias + sum so far": SO_FAR,
}
ROW = 22  # height, before `theme.px`
LEAST, MAP = 240, 44  # width of the table and of its first column, before `theme.px`
LAST = 98  # of the column of sums
NUMBER, POWER = 64, 94  # room of a number beside its bar, and of one with a power of ten, before `theme.px`
THICK = 8  # of a bar, before `theme.px`
NEGATIVE, POSITIVE = 42, 213  # levels of the signed colours that show on dark and light ground

Index = QModelIndex | QPersistentModelIndex
Terms = Mapping[int, tuple[float, float]]  # of a channel: what it says, and its weight


class _Shares(QAbstractTableModel):
    """The rows; thousands of them cost nothing, since only what is seen is asked for.

    With `terms` each row has the two numbers that its product is made of.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.shares: tuple[Share, ...] = ()
        self.terms: Terms = {}
        self.first_map = 0
        self.room = NUMBER  # of a number, before `theme.px`

    @property
    def columns(self) -> tuple[str, ...]:
        return TERMS if self.terms else SUMS

    def set_shares(self, shares: Sequence[Share], first_map: int, terms: Terms) -> None:
        self.beginResetModel()
        self.shares, self.first_map, self.terms = tuple(shares), first_map, terms
        numbers = (number for share in shares for number in (*terms.get(share.channel, ()), share.value, share.so_far))
        self.room = POWER if any(words.has_power(number) for number in numbers) else NUMBER
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.shares)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        share = self.shares[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            numbers = (*self.terms.get(share.channel, ()), share.value, share.so_far)
            return (str(share.channel + self.first_map), *map(words.value, numbers))[index.column()]
        if role == FRACTION:
            return share.value / (abs(self.shares[0].value) or 1.0) if self.has_bar(index.column()) else None
        if role == ROOM:
            return self.room
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return theme.numbers() if role == Qt.ItemDataRole.FontRole else None

    def has_bar(self, column: int) -> bool:
        """Whether it is the column of what a map adds."""
        return column == len(self.columns) - 2

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        found = {
            Qt.ItemDataRole.DisplayRole: self.columns[section],
            Qt.ItemDataRole.ToolTipRole: HINTS[self.columns[section]],
            Qt.ItemDataRole.TextAlignmentRole: Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
        }
        return found.get(Qt.ItemDataRole(role))


FRACTION = Qt.ItemDataRole.UserRole  # what a map adds, -1 to 1 of the most that one adds
ROOM = FRACTION + 1  # of a number, before `theme.px`


class _Bars(QStyledItemDelegate):
    """A bar from zero to what the map adds, beside its number: red above zero, blue below it, as maps are coloured."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        fraction = index.data(FRACTION)
        area: QRect = option.rect
        room = area.adjusted(theme.px(theme.S), 0, -theme.px(index.data(ROOM)), 0)
        if fraction is None or room.width() < theme.px(theme.XL):
            return
        from segviz.core import palettes

        t, half = theme.tokens(), room.width() / 2
        zero, middle, thick = room.left() + half, room.center().y() + 0.5, theme.px(THICK)
        painter.fillRect(QRectF(zero, area.top() + 2, 1, area.height() - 4), t.color("dim"))
        bar = QRectF(zero, middle - thick / 2, half * fraction, thick).normalized()
        painter.fillRect(bar, QColor(*palettes.colour_map(ColourMap.DIVERGING)[POSITIVE if fraction > 0 else NEGATIVE]))


class ShareTable(QTableView):
    """One row an input map. `chosen` carries the number of the map that the person chose."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setTabKeyNavigation(False)  # Tab leaves; arrows walk
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
        head.setHighlightSections(False)
        head.setMinimumSectionSize(theme.px(MAP))
        self.setItemDelegate(_Bars(self))
        self._measure()

    @property
    def shares(self) -> tuple[Share, ...]:
        return self._shares.shares

    @property
    def wanted_height(self) -> int:
        """So tall that every row is seen."""
        return theme.px(ROW) * (len(self.shares) + 1) + theme.px(theme.XS)

    @property
    def has_terms(self) -> bool:
        """Whether each row has the two numbers that its product is made of."""
        return bool(self._shares.terms)

    def show_shares(self, shares: Sequence[Share], first_map: int, channel: int, terms: Terms | None = None) -> None:
        """Show these, map number `channel` of the kernel chosen; silent. `terms`: input and weight of each channel."""
        terms, held = terms or {}, self._shares
        if (tuple(shares), first_map, terms) != (held.shares, held.first_map, held.terms):
            held.set_shares(shares, first_map, terms)
            self._measure()
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
        tall, head, held = theme.px(ROW), self.horizontalHeader(), self._shares
        self.verticalHeader().setDefaultSectionSize(tall)
        head.setFixedHeight(tall)
        for column in range(len(held.columns)):
            bar = held.has_bar(column)
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch if bar else QHeaderView.ResizeMode.Fixed)
            if not bar:
                head.resizeSection(column, self._room(column))
        self.setMinimumWidth(theme.px(LEAST))

    def _room(self, column: int) -> int:
        """Width of a column without bars: its numbers fit, and its title."""
        least = MAP if not column else LAST if column == len(self._shares.columns) - 1 else self._shares.room
        return max(theme.px(least), self.horizontalHeader().sectionSizeHint(column))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self._measure()
