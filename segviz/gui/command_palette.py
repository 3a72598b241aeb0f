"""Ctrl+K: everything by its name, without leaving the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
)

from segviz.core import assets, catalogue
from segviz.gui import theme
from segviz.gui.actions import ACTIONS
from segviz.gui.names import sample_title, specs

if TYPE_CHECKING:
    from segviz.gui.window import MainWindow

MOST = 60  # rows shown: more are found by typing more
PAGE = 8
PASSED_ON = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
CLASS, NETWORK = "Class", "Network"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be found. `place` says where else it is: a menu, a file, a spec."""

    kind: str
    text: str
    key: str
    do: Callable[[], None]
    place: str = ""
    searched: str = field(init=False)

    def __post_init__(self) -> None:
        parts = (self.text, self.kind, self.place, self.key)
        object.__setattr__(self, "searched", " ".join(parts).lower())


def entries(window: MainWindow) -> Iterator[Entry]:
    """All there is: actions, panels, sample images, networks, and the classes of the present network."""
    for action in ACTIONS:
        key = action.keys[0] if action.keys else ""
        place = action.menu.replace("/", " > ")
        yield Entry("Action", action.text.rstrip("…"), key, lambda a=action: window.do(a.id), place)  # type: ignore[misc]
    for text, show in window.places():
        yield Entry("Panel", text, "", show)
    for path in assets.sample_images():
        text = sample_title(path)
        yield Entry("Image", text, "", lambda p=path: window.files.show_image(p), path.name)  # type: ignore[misc]
    for entry in catalogue.ENTRIES:
        for spec, title in specs(entry):
            place = spec if entry.trained else f"{spec}, random weights"
            yield Entry(NETWORK, title, "", lambda s=spec: window.files.show_network(s), place)  # type: ignore[misc]
    network = window.desk.scene.network
    for index, name in enumerate(network.classes if network else ()):
        yield Entry(CLASS, name, "", lambda i=index: window.show_class(i))  # type: ignore[misc]


def score(words: str, entry: Entry) -> int | None:
    """How well `words` name the entry, lower is better; None where they do not.

    All words must occur; the beginning of the name counts most, then the beginning of a word. A
    class, of which there may be a thousand, comes after what else begins with the words.
    """
    words = words.strip().lower()
    parts = words.split()
    if not all(part in entry.searched for part in parts):
        return None
    name = entry.text.lower()
    spec = entry.place.lower() if entry.kind == NETWORK else name  # places of others are menus and files of many
    if not parts or words in (name, spec):
        rank = 0
    elif name.startswith(parts[0]):
        rank = 1
    elif any(word.startswith(parts[0]) for word in name.replace("-", " ").split()):
        rank = 2
    else:
        rank = 3 if parts[0] in name else 4
    return 2 * rank + (5 if entry.kind == CLASS else 0)


class CommandPalette(QDialog):
    """A line to type in and the list of what it finds; Return does the marked one."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowFlags(Qt.WindowType.Popup)
        self.setAccessibleName("Find an action")
        theme.set_surface(self, "panel")
        self._entries = list(entries(window))
        self.line = QLineEdit()
        self.line.setPlaceholderText("Find an action, image, network or class")
        self.line.setAccessibleName("Name of what to find")
        self.line.textChanged.connect(self._find)
        self.line.installEventFilter(self)
        self.list = QListWidget()
        self.list.setAccessibleName("What was found")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setItemDelegate(_Rows(self.list))
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemClicked.connect(lambda _: self._do())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.S, theme.S, theme.S, theme.S)
        layout.setSpacing(theme.S)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.resize(theme.px(640), theme.px(440))
        self.move(window.mapToGlobal(QPoint((window.width() - self.width()) // 2, theme.px(72))))
        self._find("")
        self.line.setFocus()

    def _find(self, words: str) -> None:
        rated = [(score(words, entry), at) for at, entry in enumerate(self._entries)]
        self.list.clear()
        for _, at in sorted((rate, at) for rate, at in rated if rate is not None)[:MOST]:
            entry = self._entries[at]
            item = QListWidgetItem(entry.text)
            item.setData(Qt.ItemDataRole.UserRole, entry)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.text}, {entry.kind}")
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def found(self) -> list[Entry]:
        return [self.list.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.list.count())]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.line and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            if event.key() in PASSED_ON:
                self._move(event.key())
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._do()
                return True
        return super().eventFilter(watched, event)

    def _move(self, key: int) -> None:
        step = {PASSED_ON[0]: -1, PASSED_ON[1]: 1, PASSED_ON[2]: -PAGE, PASSED_ON[3]: PAGE}[Qt.Key(key)]
        self.list.setCurrentRow(max(0, min(self.list.count() - 1, self.list.currentRow() + step)))

    def _do(self) -> None:
        item = self.list.currentItem()
        if item is None:
            return
        entry = item.data(Qt.ItemDataRole.UserRole)
        self.accept()
        entry.do()


class _Rows(QStyledItemDelegate):
    """Paints an entry: its kind in a column of its own, its name, where else it is, its key. Widgets would be slow."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(theme.px(200), theme.px(theme.CONTROL))

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        entry: Entry = index.data(Qt.ItemDataRole.UserRole)
        area: QRect = option.rect
        t = theme.tokens()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, t.color("raised"))
        inside = area.adjusted(theme.px(theme.S), 0, -theme.px(theme.S), 0)
        left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
        painter.setFont(theme.caption())
        painter.setPen(t.color("accent" if entry.kind != CLASS else "dim"))
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | left, entry.kind)
        painter.setPen(t.color("dim"))
        end = "   ".join(part for part in (entry.place, entry.key) if part)
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | right, end)
        used = painter.fontMetrics().horizontalAdvance(end)
        painter.setFont(theme.body())
        painter.setPen(t.color("text"))
        name = inside.adjusted(theme.px(64), 0, -used - theme.px(theme.M), 0)
        text = painter.fontMetrics().elidedText(entry.text, Qt.TextElideMode.ElideRight, name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | left, text)
