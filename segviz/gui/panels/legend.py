"""The legend: classes with colour, share, eye and solo, as a list that does not mind 1,000 of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QHelpEvent,
    QIcon,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QListView, QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QToolTip

from segviz.gui import theme, words
from segviz.gui.widgets.following import focus_with_rows
from segviz.gui.widgets.painted import elided, focus_ring, text_width

ROW, LOW = 24, 20  # height of a class, and where they just find room then, before `theme.px`
LEAST = 3  # rows that are always seen
ALL_UP_TO = 40  # so many classes are all shown, also those that are nowhere
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Entry:
    """One class of the legend. `colour` is #rrggbb, '' for the background, which is never painted."""

    index: int
    name: str
    share: float
    colour: str
    visible: bool
    solo: bool
    current: bool  # its heatmap is shown

    @property
    def spoken(self) -> str:
        state = "shown alone" if self.solo else "shown" if self.visible else "hidden"
        return f"{self.name}, {words.share(self.share)} of the image, {state}"


def listed(entries: Sequence[Entry], search: str) -> list[Entry]:
    """What the list shows: classes that are somewhere, largest share first; all that match a search.

    The background, which is never painted, comes last.
    """
    ordered = sorted(entries, key=lambda entry: (not entry.colour, -entry.share, entry.index))
    wanted = search.strip().lower()
    if wanted:
        return [entry for entry in ordered if wanted in entry.name.lower()]
    if len(ordered) <= ALL_UP_TO:
        return ordered
    return [entry for entry in ordered if entry.share > 0 or entry.solo or entry.current or not entry.visible]


class LegendModel(QAbstractListModel):
    """The listed entries, in their order."""

    ENTRY = Qt.ItemDataRole.UserRole + 1
    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []

    def set_entries(self, entries: list[Entry]) -> None:
        """Replace the entries; a change of eyes alone keeps rows and scroll position."""
        if [e.index for e in entries] == [e.index for e in self._entries]:
            self._entries = entries
            if entries:
                self.dataChanged.emit(self.index(0), self.index(len(entries) - 1))
            return
        self.beginResetModel()
        self._entries = entries
        self.endResetModel()
        self.resized.emit()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self._entries[index.row()]
        return {
            Qt.ItemDataRole.DisplayRole: entry.name,
            Qt.ItemDataRole.AccessibleTextRole: entry.spoken,
            self.ENTRY: entry,
        }.get(role)

    def row_of(self, index: int) -> int:
        return next((row for row, entry in enumerate(self._entries) if entry.index == index), -1)


class Part(StrEnum):
    """What of a row the mouse is on."""

    NAME = "Show where this class is probable (Return)"
    EYE = "Show or hide this class's labels (Space)"
    SOLO = "Show this class's labels alone (Shift+Space)"


class LegendDelegate(QStyledItemDelegate):
    """Paints an `Entry`: swatch, name, share, solo, eye."""

    def __init__(self, view: LegendView) -> None:
        super().__init__(view)
        self._view = view
        self._icons: dict[tuple[str, str, int], QIcon] = {}

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.px(160), self._view.row)

    def place(self, rect: QRectF, part: Part) -> QRectF:
        """Where the eye or the solo sign of a row stands."""
        side = theme.px(22)
        from_right = {Part.EYE: theme.px(6), Part.SOLO: theme.px(6) + side}.get(part)
        if from_right is None:
            return rect
        return QRectF(rect.right() - from_right - side, rect.top(), side, rect.height())

    def part_at(self, rect: QRectF, at: QPoint) -> Part:
        for part in (Part.EYE, Part.SOLO):
            if self.place(rect, part).contains(at.x(), at.y()):
                return part
        return Part.NAME

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry = index.data(LegendModel.ENTRY)
        if not isinstance(entry, Entry):
            return
        t = theme.tokens(self._view.palette())
        rect = QRectF(option.rect)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self._view.isEnabled() else theme.FADED)
        if entry.current or hovered:
            painter.fillRect(rect, t.color("raised", 1.0 if entry.current else 0.55))
        if entry.current:
            painter.fillRect(QRectF(rect.left(), rect.top(), theme.px(3), rect.height()), t.color("accent"))
        self._swatch(painter, rect, entry, t)
        self._texts(painter, rect, entry, t)
        if entry.colour:
            self._icon(painter, self.place(rect, Part.EYE), "eye" if entry.visible else "eye-off", entry.visible, t)
            self._icon(painter, self.place(rect, Part.SOLO), "focus", entry.solo, t)
        if option.state & QStyle.StateFlag.State_HasFocus and self._view.hasFocus():
            focus_ring(painter, rect, t)
        painter.restore()

    def _swatch(self, painter: QPainter, rect: QRectF, entry: Entry, t: theme.Tokens) -> None:
        side = theme.px(12)
        box = QRectF(rect.left() + theme.px(theme.M), rect.center().y() - side / 2, side, side)
        filled = entry.visible and bool(entry.colour)
        colour = QColor(entry.colour) if entry.colour else t.color("dim")
        painter.setPen(QPen(t.color("line") if filled else colour, 1.5))
        painter.setBrush(colour if filled else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 2, 2)

    def _texts(self, painter: QPainter, rect: QRectF, entry: Entry, t: theme.Tokens) -> None:
        left = rect.left() + theme.px(theme.M + 12 + theme.S)
        right = self.place(rect, Part.SOLO).left() - theme.px(2)
        share = words.share(entry.share)
        painter.setFont(theme.numbers())
        painter.setPen(t.color("dim"))
        painter.drawText(QRectF(left, rect.top(), right - left, rect.height()), _RIGHT, share)
        room = right - left - text_width(share, theme.numbers()) - theme.px(theme.S)
        painter.setFont(theme.body())
        painter.setPen(t.color("text" if entry.visible or not entry.colour else "dim"))
        painter.drawText(QRectF(left, rect.top(), room, rect.height()), _LEFT, elided(entry.name, theme.body(), room))

    def _icon(self, painter: QPainter, place: QRectF, name: str, strong: bool, t: theme.Tokens) -> None:
        key = (name + ("+" if strong else "-"), t.name, theme.px(theme.ICON))
        if key not in self._icons:
            self._icons[key] = theme.icon(name, "text" if strong else "dim")
        side = theme.px(16)
        box = QRectF(0, 0, side, side)
        box.moveCenter(place.center())
        self._icons[key].paint(painter, box.toRect())


class LegendView(QListView):
    """The list. `shown`, `toggled`, `soloed` and `copied` (a name) say what the person wants of a class."""

    shown = Signal(int)
    toggled = Signal(int)
    soloed = Signal(int)
    copied = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.classes = LegendModel()
        self.classes.setParent(self)
        self.setModel(self.classes)
        self.classes.resized.connect(self.updateGeometry)
        focus_with_rows(self)
        self._delegate = LegendDelegate(self)
        self.setItemDelegate(self._delegate)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.setAccessibleName("Classes")
        self.setAccessibleDescription("Return: heatmap, Space: show or hide, Shift+Space: alone, Ctrl+C: copy the name")
        self._signals = {Part.NAME: self.shown, Part.EYE: self.toggled, Part.SOLO: self.soloed}

    def place(self, index: int, part: Part) -> QRectF:
        """Where a class's eye, solo sign or name is, in the viewport."""
        return self._delegate.place(QRectF(self.visualRect(self.classes.index(self.classes.row_of(index)))), part)

    def _act(self, entry: object, part: Part) -> None:
        if isinstance(entry, Entry) and (entry.colour or part is Part.NAME):
            self._signals[part].emit(entry.index)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        super().mouseReleaseEvent(event)
        if event.button() is Qt.MouseButton.LeftButton and index.isValid():
            part = self._delegate.part_at(QRectF(self.visualRect(index)), event.position().toPoint())
            self._act(index.data(LegendModel.ENTRY), part)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_Return: Part.NAME, Qt.Key.Key_Enter: Part.NAME, Qt.Key.Key_Space: Part.EYE}
        part = keys.get(Qt.Key(event.key()))
        entry = self.currentIndex().data(LegendModel.ENTRY)
        if isinstance(entry, Entry) and event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit(entry.name)
            return
        if part is None or not self.currentIndex().isValid():
            super().keyPressEvent(event)
            return
        if part is Part.EYE and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            part = Part.SOLO
        self._act(entry, part)

    def sizeHint(self) -> QSize:
        return QSize(theme.px(240), self._tall(self.classes.rowCount()))

    def minimumSizeHint(self) -> QSize:
        """A few rows; what is around the list scrolls where even these find no room."""
        return QSize(theme.px(160), self._tall(max(1, min(LEAST, self.classes.rowCount()))))

    @property
    def row(self) -> int:
        """The height of a class: a little less where all are seen then, and none is cut."""
        rows = max(1, self.classes.rowCount())
        fitting = (self.viewport().height() - 1) // rows
        return fitting if theme.px(LOW) <= fitting < theme.px(ROW) else theme.px(ROW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def _tall(self, rows: int) -> int:
        return rows * theme.px(ROW) + 2

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the class under the mouse, or of the current one where it is asked for by a key."""
        by_key = event.reason() is QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if by_key else self.indexAt(event.pos())
        menu = self.menu_of(index.data(LegendModel.ENTRY))
        if menu is not None:
            at = self.visualRect(index).bottomLeft() if by_key else event.pos()
            menu.popup(self.viewport().mapToGlobal(at))

    def menu_of(self, entry: object) -> QMenu | None:
        """All that can be done with a class; None beside the classes."""
        if not isinstance(entry, Entry):
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show heatmap").triggered.connect(lambda: self._act(entry, Part.NAME))
        if entry.colour:
            eye = "Hide" if entry.visible else "Show"
            menu.addAction(eye).triggered.connect(lambda: self._act(entry, Part.EYE))
            solo = "Show all again" if entry.solo else "Show alone"
            menu.addAction(solo).triggered.connect(lambda: self._act(entry, Part.SOLO))
        menu.addSeparator()
        menu.addAction("Copy name").triggered.connect(lambda: self.copied.emit(entry.name))
        return menu

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self.indexAt(event.pos())
            entry = index.data(LegendModel.ENTRY)
            if isinstance(entry, Entry):
                part = self._delegate.part_at(QRectF(self.visualRect(index)), event.pos())
                text = f"{entry.name} (class {entry.index}), {words.share(entry.share)} of the image\n{part.value}"
                QToolTip.showText(event.globalPos(), text, self)
            else:
                QToolTip.hideText()
            return True
        return super().viewportEvent(event)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
