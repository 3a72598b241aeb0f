"""Ctrl+K: everything by its name, without leaving the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segviz.core import assets, catalogue
from segviz.core.choices import View
from segviz.gui import theme
from segviz.gui.actions import ACTIONS, Action
from segviz.gui.menus import specs

if TYPE_CHECKING:
    from segviz.gui.window import MainWindow

MOST = 60  # rows shown: more are found by typing more
PAGE = 8
PASSED_ON = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be found."""

    kind: str
    text: str
    key: str
    do: Callable[[], None]


def entries(window: MainWindow) -> Iterator[Entry]:
    """All there is: actions, panels, sample images, networks, and the classes of the present network."""
    for action in ACTIONS:
        key = action.keys[0] if action.keys else ""
        yield Entry(_place(action), action.text.rstrip("…"), key, lambda a=action: window.do(a.id))  # type: ignore[misc]
    for text, show in window.places():
        yield Entry("Panel", text, "", show)
    for path in assets.sample_images():
        yield Entry("Image", path.stem, "", lambda p=path: window.files.show_image(p))  # type: ignore[misc]
    for entry in catalogue.ENTRIES:
        for spec, title in specs(entry):
            yield Entry("Network", title, spec, lambda s=spec: window.files.show_network(s))  # type: ignore[misc]
    network = window.desk.scene.network
    session = window.desk.session
    for index, name in enumerate(network.classes if network else ()):
        yield Entry("Class", name, "", lambda i=index: session.update(shown_class=i, view=View.HEATMAP))  # type: ignore[misc]


def _place(action: Action) -> str:
    return action.menu.rpartition("/")[2]


def score(words: str, entry: Entry) -> int | None:
    """How well `words` name the entry, lower is better; None where they do not.

    All words must occur; the beginning of the name counts most, then the beginning of a word.
    """
    name = entry.text.lower()
    whole = f"{name} {entry.kind.lower()} {entry.key.lower()}"
    parts = words.lower().split()
    if not all(part in whole for part in parts):
        return None
    if not parts or name == words.lower():
        return 0
    first = parts[0]
    if name.startswith(first):
        return 1
    return 2 if f" {first}" in f" {whole.replace('-', ' ')}" else 3


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
        self.list.itemClicked.connect(lambda _: self._do())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.S, theme.S, theme.S, theme.S)
        layout.setSpacing(theme.S)
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.resize(theme.px(560), theme.px(420))
        self.move(window.mapToGlobal(QPoint((window.width() - self.width()) // 2, theme.px(72))))
        self._find("")
        self.line.setFocus()

    def _find(self, words: str) -> None:
        rated = [(score(words, entry), at) for at, entry in enumerate(self._entries)]
        self.list.clear()
        for _, at in sorted((rate, at) for rate, at in rated if rate is not None)[:MOST]:
            entry = self._entries[at]
            item = QListWidgetItem()
            item.setData(Qt.ItemDataRole.UserRole, entry)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.text}, {entry.kind}")
            row = _row(entry)
            item.setSizeHint(row.sizeHint())
            self.list.addItem(item)
            self.list.setItemWidget(item, row)
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


def _row(entry: Entry) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(theme.S, theme.XS, theme.S, theme.XS)
    name, kind, key = QLabel(entry.text), QLabel(entry.kind), QLabel(entry.key)
    for label in (name, kind, key):
        label.setTextFormat(Qt.TextFormat.PlainText)
    theme.set_role(kind, "caption")
    theme.set_role(key, "caption")
    key.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    layout.addWidget(name, 1)
    layout.addWidget(kind)
    layout.addSpacing(theme.M)
    layout.addWidget(key)
    key.setMinimumWidth(theme.px(84))
    return row
