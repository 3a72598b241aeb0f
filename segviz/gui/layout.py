"""How the window stands: on the screen, its docks, presenting. What is shown in it is not its concern."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QMargins, QRect, QSize, Qt

from segviz.gui import settings, theme
from segviz.gui.panels.base import Area

if TYPE_CHECKING:
    from segviz.gui.window import MainWindow

VERSION = 1  # raise it when docks change, so that an older layout is not restored onto them
SIZE = QSize(1440, 900)
SMALLEST = QSize(1024, 640)
SHARE = 0.92  # of the screen that a first window takes at most
FRAME = QMargins(4, 32, 4, 4)  # what the system is expected to put around a window that is not shown yet
FULL = Qt.WindowState.WindowFullScreen


def first_place(available: QRect) -> QRect | None:
    """Where a first window stands without its frame, centred; None on a screen so small that it takes all."""
    room = QSize(round(available.width() * SHARE), round(available.height() * SHARE)).shrunkBy(FRAME)
    if room.width() < SMALLEST.width() or room.height() < SMALLEST.height():
        return None
    frame = QRect(available.topLeft(), room.boundedTo(SIZE).grownBy(FRAME))
    frame.moveCenter(available.center())
    return frame.marginsRemoved(FRAME)


def kept_inside(window: QRect, available: QRect, frame: QMargins = FRAME) -> QRect:
    """`window`, its frame around it, made no larger than `available` and moved into it."""
    whole = window.marginsAdded(frame)
    whole.setSize(whole.size().boundedTo(available.size()))
    left = max(available.left(), min(whole.left(), available.right() + 1 - whole.width()))
    top = max(available.top(), min(whole.top(), available.bottom() + 1 - whole.height()))
    whole.moveTo(left, top)
    return whole.marginsRemoved(frame)


class Layout:
    """Places one window and its parts; `remembers`: from the last window, and for the next."""

    def __init__(self, window: MainWindow, remembers: bool) -> None:
        """To be made when toolbar and docks are there."""
        self._window, self._remembers = window, remembers
        self._before_presenting: tuple[QByteArray, Qt.WindowState] | None = None
        self._placed = False
        self._first = window.saveState(VERSION)
        stored = settings.settings().value("layout") if remembers else None
        self.restored = isinstance(stored, QByteArray) and window.restoreState(stored, VERSION)

    # ------------------------------------------------------------------------------ screen

    def place(self, available: QRect | None = None) -> None:
        """Put the window where the last one was, else in the middle, all of it on the screen.

        `available` is the part of the screen that windows may have; None: that of the window's screen.
        """
        window = self._window
        self._placed = True
        geometry = settings.settings().value("geometry") if self._remembers else None
        restored = isinstance(geometry, QByteArray) and window.restoreGeometry(geometry)
        room = available if available is not None else window.screen().availableGeometry()
        window.setMinimumSize(SMALLEST.boundedTo(room.size().shrunkBy(FRAME)))
        wanted = window.geometry() if restored else first_place(room)
        if wanted is None:
            window.setWindowState(Qt.WindowState.WindowMaximized)
        elif not window.windowState() & (Qt.WindowState.WindowMaximized | FULL):
            window.setGeometry(kept_inside(wanted, room))

    def keep_on_screen(self) -> None:
        """Once the frame is known: a frame thicker than expected must not push the window off the screen."""
        window = self._window
        if not self._placed or window.windowState() & (Qt.WindowState.WindowMaximized | FULL):
            return
        inside, outside = window.geometry(), window.frameGeometry()
        frame = QMargins(
            inside.left() - outside.left(),
            inside.top() - outside.top(),
            outside.right() - inside.right(),
            outside.bottom() - inside.bottom(),
        )
        wanted = kept_inside(inside, window.screen().availableGeometry(), frame)
        if wanted != inside:
            window.setGeometry(wanted)

    # ------------------------------------------------------------------------------ docks

    def size_docks(self) -> None:
        """Docks as wide as in the picture of the aim; on a small window the canvas takes precedence."""
        window = self._window
        sides = [window.docks[Area.LEFT], window.docks[Area.RIGHT]]
        share = min(1.0, window.width() / SIZE.width())
        window.resizeDocks(sides, [round(theme.px(300) * share), theme.px(272)], Qt.Orientation.Horizontal)
        tall = round(theme.px(236) * min(1.0, window.height() / SIZE.height()))
        window.resizeDocks([window.docks[Area.WORKBENCH]], [tall], Qt.Orientation.Vertical)

    def reset(self) -> None:
        """Every panel where it was at first."""
        self.set_presenting(False)
        self._window.restoreState(self._first, VERSION)
        self.size_docks()

    def save(self) -> None:
        """Remember all of it for the next window."""
        if not self._remembers:
            return
        self.set_presenting(False)
        stored = settings.settings()
        stored.setValue("geometry", self._window.saveGeometry())
        stored.setValue("layout", self._window.saveState(VERSION))

    # ------------------------------------------------------------------------------ presenting

    def set_full_screen(self, on: bool) -> None:
        state = self._window.windowState()
        self._window.setWindowState(state | FULL if on else state & ~FULL)

    @property
    def presenting(self) -> bool:
        return self._before_presenting is not None

    def set_presenting(self, on: bool) -> None:
        """Large type and nothing but the canvas on the whole screen, or back to what was before."""
        if on == self.presenting:
            return
        window, before = self._window, self._before_presenting
        if on:
            self._before_presenting = window.saveState(VERSION), window.windowState()
        look = theme.look()
        if look is not None:
            look.set_factor(theme.PRESENTER if on else 1.0)
        for part in (window.menuBar(), window.toolbar, window.statusBar(), *window.docks.values()):
            part.setVisible(not on)
        if before is None:
            self.set_full_screen(True)
        else:
            window.setWindowState(before[1])
            window.restoreState(before[0], VERSION)
            self._before_presenting = None
        window.notices.show_work()
        window.notices.show_way_out()
