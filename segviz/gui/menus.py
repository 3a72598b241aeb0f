"""Menus made from the table of actions, and the lists that only the running program knows: files, networks, panels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSize, Qt, QTimer
from PySide6.QtGui import QAction, QIcon, QImageReader, QKeyEvent, QKeySequence, QPainter, QPixmap
from PySide6.QtWidgets import QMenu

from segviz.core import assets, catalogue, places
from segviz.core.choices import Task
from segviz.core.errors import clean, shorten
from segviz.core.formats import MODEL_SUFFIXES
from segviz.core.specs import of_file, same_network
from segviz.gui import settings
from segviz.gui.action import Action
from segviz.gui.actions import ACTIONS, MENUS, tooltip
from segviz.gui.names import image_title, sample_title, specs
from segviz.gui.widgets import tooltips

if TYPE_CHECKING:
    from segviz.core.entries import Entry
    from segviz.gui.window import MainWindow

THUMBNAIL = 40


class Menus(QObject):
    """The window's QActions, by the id of their Action, and its menu bar."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.actions: dict[str, QAction] = {action.id: self._make(action) for action in ACTIONS}
        self.menus: dict[str, QMenu] = {}
        for title in MENUS:
            self.menus[title] = window.menuBar().addMenu(f"&{title}")
            self.menus[title].setToolTipsVisible(True)
        self._extra("File", "Open sample", lambda menu: fill_samples(menu, window))
        self._extra("File", "Open recent", lambda menu: fill_recent(menu, window))
        self._extra("Network", "Use network", lambda menu: fill_networks(menu, window))
        for action in ACTIONS:
            menu = self._menu(action.menu)
            if action.separator:
                menu.addSeparator()
            menu.addAction(self.actions[action.id])
        self.menus["File"].insertAction(self.menus["Open sample"].menuAction(), self.actions["open"])

    def _make(self, action: Action) -> QAction:
        # Qt would give these keys to the action while a menu is open, too: the window takes them itself.
        keys = "\t" + " ".join(action.keys) if action.canvas else ""
        made = QAction(action.text + keys, self._window)
        made.setObjectName(action.id)
        made.setToolTip(tooltip(action))
        made.setStatusTip(action.tip)
        made.setCheckable(action.checked is not None)
        made.triggered.connect(lambda _=False: self._window.do(action.id))
        if not action.canvas:
            made.setShortcuts([QKeySequence(key) for key in action.keys])
            self._window.addAction(made)  # works while the menu bar is hidden
        return made

    def canvas_action(self, event: QKeyEvent) -> str | None:
        """The id of the action that has this key on the canvas only."""
        pressed = QKeySequence(event.keyCombination().key()).toString()
        if event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            return None
        return next((action.id for action in ACTIONS if action.canvas and pressed in action.keys), None)

    def _menu(self, path: str) -> QMenu:
        """The menu of a path ("View/Palette"), made when it is first asked for."""
        name = path.rpartition("/")[2]
        if name not in self.menus:
            self.menus[name] = self._menu(path.rpartition("/")[0]).addMenu(name)
            self.menus[name].setToolTipsVisible(True)
        return self.menus[name]

    def _extra(self, parent: str, title: str, fill: Callable[[QMenu], None]) -> None:
        menu = self.menus[parent].addMenu(title)
        menu.setToolTipsVisible(True)
        menu.aboutToShow.connect(lambda: fill(menu))
        self.menus[title] = menu

    def refresh(self) -> None:
        """Check and enable what the scene says."""
        scene = self._window.desk.scene
        for action in ACTIONS:
            made = self.actions[action.id]
            if action.enabled is not None:
                made.setEnabled(action.enabled(scene))
            if action.lacks is not None:
                why = action.lacks(scene)
                made.setEnabled(not why)
                made.setToolTip(why or tooltip(action))
            if action.checked is not None:
                made.setChecked(action.checked(self._window))


def plain(text: str, longest: int = 60) -> str:
    """A file's name as a menu entry: cut, cleaned, and without mnemonics."""
    return shorten(clean(text), longest).replace("&", "&&")


def section(menu: QMenu, title: str) -> None:
    """A heading in a menu; the style would paint Qt's own as a mere line."""
    menu.addSeparator()
    menu.addAction(title.upper()).setEnabled(False)


def fill_samples(menu: QMenu, window: MainWindow) -> None:
    """The shipped images, their thumbnails added one an event-loop turn."""
    if menu.actions():
        return
    for path in assets.sample_images():
        entry = menu.addAction(plain(sample_title(path)))
        entry.setData(str(path))
        entry.setToolTip(path.name)
        entry.triggered.connect(lambda _=False, p=path: window.files.show_image(p))
        entry.setIcon(_framed(QPixmap()))
    _Thumbnails(menu)


class _Thumbnails(QObject):
    """Gives a menu's entries their pictures without holding up the window."""

    def __init__(self, menu: QMenu) -> None:
        super().__init__(menu)
        self._waiting = list(menu.actions())
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._next)
        self._timer.start(0)

    def _next(self) -> None:
        if not self._waiting:
            self._timer.stop()
            return
        entry = self._waiting.pop(0)
        entry.setIcon(_framed(thumbnail(Path(entry.data()), THUMBNAIL)))


def _framed(picture: QPixmap) -> QIcon:
    """A thumbnail in the middle of a square: all rows are alike, also while their pictures are still read."""
    square = QPixmap(THUMBNAIL, THUMBNAIL)
    square.fill(Qt.GlobalColor.transparent)
    painter = QPainter(square)
    painter.drawPixmap((THUMBNAIL - picture.width()) // 2, (THUMBNAIL - picture.height()) // 2, picture)
    painter.end()
    return QIcon(square)


def thumbnail(path: Path, size: int) -> QPixmap:
    """The picture of a shipped image, `size` pixels at its longer side; empty where it cannot be read."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    whole = reader.size()
    if whole.isValid():
        reader.setScaledSize(whole.scaled(QSize(size, size), Qt.AspectRatioMode.KeepAspectRatio))
    return QPixmap.fromImage(reader.read())


def fill_recent(menu: QMenu, window: MainWindow) -> None:
    menu.clear()
    for path in settings.recent():
        entry = menu.addAction(plain(image_title(path)))
        entry.setToolTip(tooltips.plain(clean(path)))
        entry.setEnabled(places.is_file(path))
        entry.triggered.connect(lambda _=False, p=path: window.files.open_path(Path(p)))
    if not menu.actions():
        menu.addAction("Nothing opened yet").setEnabled(False)
        return
    menu.addSeparator()
    menu.addAction("Forget these").triggered.connect(lambda: settings.clear_recent())


def fill_networks(menu: QMenu, window: MainWindow) -> None:
    """The catalogue: what is trained by task, then the networks with random weights."""
    for inside in menu.findChildren(QMenu):
        inside.deleteLater()  # `clear` leaves them
    menu.clear()
    current = window.desk.session.state.model
    menu.addActions([window.menus.actions["open-network"], window.menus.actions["network-by-name"]])
    _own_networks(menu, window)
    for task in Task:
        section(menu, task.title)
        _families(menu, [entry for entry in catalogue.ENTRIES if entry.task is task and entry.trained], window)
    menu.addSeparator()
    others = [entry for entry in catalogue.ENTRIES if not entry.trained]
    inside = _submenu(menu, "Random weights: for speed and geometry", others, current)
    _families(inside, others, window)


def _families(menu: QMenu, entries: Sequence[Entry], window: MainWindow) -> None:
    """The networks in order, those that one file of the program builds together in a menu of their own."""
    current = window.desk.session.state.model
    families: dict[str, list[Entry]] = {}
    for entry in entries:
        families.setdefault(entry.builder.partition(":")[0], []).append(entry)
    for family in families.values():
        found = [(entry, *named) for entry in family for named in specs(entry)]
        place = (
            menu if len(found) == 1 else _submenu(menu, family_title([title for *_, title in found]), family, current)
        )
        for entry, spec, title in found:
            made = place.addAction(title)
            made.setToolTip(f"{entry.summary}\n{entry.parameters:,} parameters; {entry.licence}")
            made.setCheckable(True)
            made.setChecked(same_network(spec, current))
            made.triggered.connect(lambda _=False, s=spec: window.files.show_network(s))


def _submenu(menu: QMenu, title: str, entries: Sequence[Entry], current: str) -> QMenu:
    """A menu of several networks, marked where the current one is among them."""
    made = menu.addMenu(title)
    made.setToolTipsVisible(True)
    held = any(same_network(spec, current) for entry in entries for spec, _ in specs(entry))
    made.menuAction().setCheckable(True)
    made.menuAction().setChecked(held)
    return made


def family_title(titles: Sequence[str]) -> str:
    """What the names of several networks begin with: 'VGG16' and 'VGG without padding' are 'VGG'."""
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*titles, strict=False))
    return "".join(letters[0] for letters in alike).rstrip(" -,(0123456789") or titles[0]


def _own_networks(menu: QMenu, window: MainWindow) -> None:
    """Files of networks that were opened lately."""
    paths = [path for path in settings.recent() if path.lower().endswith(MODEL_SUFFIXES)]
    if paths:
        section(menu, "Opened lately")
    for path in paths:
        made = menu.addAction(plain(Path(path).name))
        made.setToolTip(tooltips.plain(clean(path)))
        made.setEnabled(places.is_file(path))
        made.triggered.connect(lambda _=False, p=path: window.files.show_network(of_file(p)))


def fill_images(menu: QMenu, window: MainWindow) -> None:
    """Open, samples and recent files: the list below the toolbar's image."""
    if menu.actions():
        return
    menu.addAction(window.menus.actions["open"])
    menu.addAction(window.menus.actions["paste"])
    recent = menu.addMenu("Recent")
    recent.setToolTipsVisible(True)
    recent.aboutToShow.connect(lambda: fill_recent(recent, window))
    section(menu, "Samples")
    samples = QMenu(menu)
    fill_samples(samples, window)
    for entry in samples.actions():
        menu.addAction(entry)


def fill_choice(menu: QMenu, window: MainWindow, prefix: str) -> None:
    """The actions whose ids begin with `prefix`: one choice's values."""
    if not menu.actions():
        menu.setToolTipsVisible(True)
        menu.addActions([made for name, made in window.menus.actions.items() if name.startswith(prefix)])
