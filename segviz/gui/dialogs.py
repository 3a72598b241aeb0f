"""The few dialogs: export, shortcuts, details of a message, the log, about. None of them runs a loop of its own."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl, qVersion
from PySide6.QtGui import QDesktopServices, QGuiApplication, QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QTabWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segviz import __version__
from segviz.core import assets, folders
from segviz.gui import log, theme
from segviz.gui.action import Action
from segviz.gui.actions import ACTIONS, MENUS
from segviz.gui.names import sentence
from segviz.gui.scene import Message, Scene
from segviz.gui.widgets.segmented import Segmented

if TYPE_CHECKING:
    from segviz.gui.exports import Export
    from segviz.gui.window import MainWindow

SCALES = (0.5, 1.0, 2.0, 3.0, 4.0)
LONGEST_LOG = 200_000  # characters of the log that are shown: its end


class PlainDialog(QDialog):
    """A dialog that frees itself, with a heading and a close button."""

    def __init__(self, parent: QWidget, title: str, size: tuple[int, int]) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        theme.set_surface(self, "panel")
        self.resize(theme.px(size[0]), theme.px(size[1]))
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(theme.L, theme.L, theme.L, theme.L)
        self.body.setSpacing(theme.M)
        heading = QLabel(title)
        theme.set_role(heading, "title")
        self.body.addWidget(heading)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.buttons.rejected.connect(self.reject)

    def finish(self) -> None:
        """Put the buttons below what was added; without the platform's icons, which do not know the theme."""
        for button in self.buttons.buttons():
            button.setIcon(QIcon())
        self.body.addWidget(self.buttons)


def plain_text(text: str, name: str) -> QPlainTextEdit:
    """`text` to read and to copy, never as HTML."""
    shown = QPlainTextEdit(text)
    shown.setReadOnly(True)
    shown.setAccessibleName(name)
    shown.setTabChangesFocus(True)
    return shown


class DetailsDialog(PlainDialog):
    """The long form of a message, for a report."""

    def __init__(self, message: Message, parent: QWidget) -> None:
        super().__init__(parent, "Details", (720, 460))
        text = QLabel(sentence(message.text))
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        self.body.addWidget(text)
        whole = f"segviz {__version__}\n{message.text}\n\n{message.details}"
        self.body.addWidget(plain_text(message.details, "Details of the message"), 1)
        copy = QPushButton("Copy")
        copy.setToolTip("Put message and details on the clipboard")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(whole))
        self.buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        self.finish()


class LogDialog(PlainDialog):
    """The end of the log file, and where it lies."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Log", (820, 520))
        place = QLabel(str(log.log_file()))
        place.setTextFormat(Qt.TextFormat.PlainText)
        place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        theme.set_role(place, "dim")
        self.body.addWidget(place)
        self.body.addWidget(plain_text(_end_of(log.log_file()), "Log"), 1)
        show = QPushButton("Open folder")
        folder = QUrl.fromLocalFile(str(folders.logs()))
        show.clicked.connect(lambda: QDesktopServices.openUrl(folder))
        self.buttons.addButton(show, QDialogButtonBox.ButtonRole.ActionRole)
        self.finish()


def _end_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[-LONGEST_LOG:] or "Nothing has been noted."
    except OSError:
        return "Nothing has been noted."


MOUSE = (  # what the mouse does on the picture
    ("Wheel", "Zoom about the mouse"),
    ("Drag", "Move the picture"),
    ("Click", "Pin the unit there"),
    ("Right click", "What can be done with the picture, a map, a layer or a class"),
)


class ShortcutSheet(PlainDialog):
    """Every key on one page, from the table of actions, and what the mouse does."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "Keyboard shortcuts", (840, 680))
        page = QWidget()
        theme.set_surface(page, "panel")
        beside = QHBoxLayout(page)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(theme.XL)
        sides = [QGridLayout(), QGridLayout()]  # each with rows of its own: none stretches the other's
        for grid in sides:
            grid.setHorizontalSpacing(theme.XL)
            grid.setVerticalSpacing(theme.XS)
            grid.setColumnStretch(1, 1)
            beside.addLayout(grid, 1)
        for menu in MENUS:
            keyed = [action for action in ACTIONS if action.keys and action.menu.partition("/")[0] == menu]
            rows = [("  or  ".join(action.keys), _what(action)) for action in keyed]
            _add_section(min(sides, key=QGridLayout.rowCount), menu, rows)
        _add_section(min(sides, key=QGridLayout.rowCount), "Mouse", MOUSE)
        for grid in sides:
            grid.setRowStretch(grid.rowCount(), 1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(page)
        self.body.addWidget(area, 1)
        self.finish()


def _what(action: Action) -> str:
    return action.text.rstrip("…") + ("  (on the canvas)" if action.canvas else "")


def _add_section(grid: QGridLayout, title: str, rows: Sequence[tuple[str, str]]) -> None:
    """A heading and a row for each key and what it does; nothing without rows."""
    if not rows:
        return
    at = grid.rowCount()
    heading = QLabel(title.upper())
    theme.set_role(heading, "heading")
    heading.setContentsMargins(0, theme.S, 0, 0)
    grid.addWidget(heading, at, 0, 1, 2)
    for row, (key, what) in enumerate(rows, at + 1):
        keys, words = QLabel(key), QLabel(what)
        keys.setFont(theme.body(strong=True))
        words.setWordWrap(True)
        grid.addWidget(keys, row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(words, row, 1)


class AboutDialog(PlainDialog):
    """Version, libraries, and from whom everything comes that is shipped."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, "About segviz", (980, 580))
        text = QLabel(
            f"segviz {__version__}: see how an image classifier becomes a semantic segmentation network.\n"
            f"Python {platform.python_version()}, Qt {qVersion()}, {platform.system()} {platform.machine()}. "
            "The code is under the MIT licence."
        )
        text.setTextFormat(Qt.TextFormat.PlainText)
        text.setWordWrap(True)
        self.body.addWidget(text)
        tabs = QTabWidget()
        tabs.setDocumentMode(True)
        tabs.addTab(self._sources(), "Networks, images, data")
        tabs.addTab(self._libraries(), "Libraries")
        tabs.addTab(self._licence(), "Licence text")
        self.tabs = tabs
        self.body.addWidget(tabs, 1)
        self.finish()

    def _sources(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setHeaderLabels(["File", "What", "Licence", "From"])
        tree.setRootIsDecorated(False)
        tree.setAlternatingRowColors(False)
        tree.setAccessibleName("What is shipped, and from whom")
        for source in assets.sources():
            row = QTreeWidgetItem([source.file, source.what, source.licence, source.origin])
            row.setData(0, Qt.ItemDataRole.UserRole, source.licence_file)
            for column in range(4):
                row.setToolTip(column, row.text(column))
            tree.addTopLevelItem(row)
        _widen(tree)
        tree.itemActivated.connect(self._show_licence)
        tree.itemDoubleClicked.connect(self._show_licence)
        tree.setToolTip("Return or a double click shows the licence's text")
        return tree

    def _libraries(self) -> QTreeWidget:
        from importlib import metadata

        tree = QTreeWidget()
        tree.setHeaderLabels(["Library", "Version", "Licence"])
        tree.setRootIsDecorated(False)
        tree.setAccessibleName("Libraries")
        names = ("PySide6-Essentials", "torch", "numpy", "pyqtgraph", "pillow", "safetensors", "scipy", "platformdirs")
        for name in names:
            try:
                found = metadata.metadata(name)
            except metadata.PackageNotFoundError:
                continue
            key = "License-Expression" if "License-Expression" in found else "License"
            licence = found[key].partition("\n")[0] if key in found else ""
            tree.addTopLevelItem(QTreeWidgetItem([name, found["Version"], licence]))
        _widen(tree)
        return tree

    def _licence(self) -> QWidget:
        self._text = plain_text("Choose an entry of the first tab with Return or a double click.", "Licence text")
        return self._text

    def _show_licence(self, row: QTreeWidgetItem) -> None:
        file = row.data(0, Qt.ItemDataRole.UserRole)
        try:
            text = assets.licence_text(file) if file else f"{row.text(0)}: {row.text(2)}, from {row.text(3)}"
        except OSError:
            text = f"{row.text(2)}: its text is missing here"
        self._text.setPlainText(text)
        self.tabs.setCurrentWidget(self._text)


def _widen(tree: QTreeWidget) -> None:
    """Columns as wide as their longest text, scrolled sideways where they do not fit: nothing is cut off."""
    tree.setTextElideMode(Qt.TextElideMode.ElideNone)
    tree.header().setStretchLastSection(False)
    tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)


class ExportDialog(PlainDialog):
    """What can leave, with what is missing for the rest."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window, "Export", (560, 620))
        from segviz.gui.exports import EXPORTS

        self._window = window
        self.list = QListWidget()
        self.list.setAccessibleName("What to export")
        for export in EXPORTS:
            self._add(export, window.desk.scene)
        self.list.setCurrentRow(0)
        self.list.currentItemChanged.connect(self._chosen)
        self.list.itemDoubleClicked.connect(lambda _: self._save())  # Return goes to the button
        self.body.addWidget(self.list, 1)
        self.body.addWidget(self._scale_row())
        self.said = QLabel()
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self.body.addWidget(self.said)
        window.desk.said.connect(self._saved)
        window.desk.shown.connect(self._failed)
        self.save = QPushButton("Save…")
        theme.set_kind(self.save, "primary")
        self.save.setDefault(True)
        self.save.clicked.connect(self._save)
        self.buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        self.finish()
        self._chosen(self.list.currentItem())

    def _scale_row(self) -> QWidget:
        tip = "Pixels of the picture for each pixel of the image"
        self.scale = Segmented([(scale, f"{scale:g} ×", tip) for scale in SCALES], "Scale of the picture")
        self.scale.set_value(1.0)
        self.scale_row = QWidget()
        row = QHBoxLayout(self.scale_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.M)
        label = QLabel("Size of the picture")
        label.setToolTip(tip)
        row.addWidget(label)
        row.addWidget(self.scale)
        self.size_label = QLabel()
        self.size_label.setWordWrap(True)
        theme.set_role(self.size_label, "caption")
        row.addWidget(self.size_label, 1)
        self.scale.changed.connect(lambda _: self._show_size())
        self._show_size()
        policy = self.scale_row.sizePolicy()
        policy.setRetainSizeWhenHidden(True)  # the list keeps its height
        self.scale_row.setSizePolicy(policy)
        return self.scale_row

    def _show_size(self) -> None:
        from segviz.gui.exports import view_size

        picture = self._window.desk.scene.picture
        self.size_label.setText(view_size(picture, float(str(self.scale.value))) if picture is not None else "")

    def _add(self, export: Export, scene: Scene) -> None:
        """A row of two lines: what it is, and what is in it or what is missing for it."""
        ready = export.ready(scene)
        item = QListWidgetItem()
        item.setData(Qt.ItemDataRole.UserRole, export)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, export.text)
        if not ready:
            item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEnabled)
        row = QWidget()
        lines = QVBoxLayout(row)
        lines.setContentsMargins(theme.S, theme.XS, theme.S, theme.XS)
        lines.setSpacing(0)
        name, hint = QLabel(export.text), QLabel(export.hint if ready else export.missing)
        theme.set_role(name, "" if ready else "dim")
        theme.set_role(hint, "caption")
        lines.addWidget(name)
        lines.addWidget(hint)
        item.setSizeHint(row.sizeHint())
        self.list.addItem(item)
        self.list.setItemWidget(item, row)

    def _chosen(self, item: QListWidgetItem | None) -> None:
        export: Export | None = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        self.scale_row.setVisible(export is not None and export.scaled)
        self.save.setEnabled(export is not None and export.ready(self._window.desk.scene))

    def _save(self) -> None:
        item = self.list.currentItem()
        export: Export = item.data(Qt.ItemDataRole.UserRole)
        if not self.save.isEnabled():
            return
        self.said.clear()
        self._window.export(export, float(str(self.scale.value)))

    def _saved(self, text: str) -> None:
        theme.set_role(self.said, "ok")
        self.said.setText(text)

    def _failed(self, old: Scene | None, new: Scene) -> None:
        """A message that has come since: the dialog lies over the line that has it."""
        if new.message is not None and (old is None or new.message is not old.message):
            theme.set_role(self.said, "warn")
            self.said.setText(sentence(new.message.text))
