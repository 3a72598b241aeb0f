"""The application: sets up Qt, opens the window, ends cleanly. With a screenshot it settles, saves a picture, ends."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from segviz import __version__
from segviz.core import assets
from segviz.core.choices import Device, Theme
from segviz.core.errors import SegvizError
from segviz.core.session import Session, State
from segviz.gui import gestures, pictures, settings, theme
from segviz.gui.files import read_session
from segviz.gui.interrupts import Interrupts
from segviz.gui.log import Log
from segviz.gui.partners import Worker
from segviz.gui.window import MainWindow

SETTLE_LIMIT = 240.0  # seconds that a screenshot waits for the engine at most
LOOK_EVERY = 100  # ms between looks whether the window has settled
CALM = 3  # looks in a row that must find it settled: a panel may ask for more once it has painted


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """What the command line says of the window. Without image, network and session it opens on `gestures.FIRST`."""

    image: str | None = None
    model: str | None = None
    session: Path | None = None
    screenshot: Path | None = None
    size: tuple[int, int] | None = None
    theme: Theme | None = None
    device: Device = Device.AUTO


def main(options: LaunchOptions) -> int:
    """Run the window until it is closed; returns the exit status.

    Raises SegvizError for a network that is not in the catalogue or a session file that cannot be
    read: the command line says so before a window appears.
    """
    state, remark = first_state(options)
    app = make_application()
    theme.apply(app, options.theme or settings.theme())
    window = MainWindow(Session(state), make_jobs, remembers=options.screenshot is None, make_trainer=make_trainer)
    log = Log(lambda text, details: window.desk.say(text, details))
    log.install()
    if options.screenshot is None:
        log.watch()
    if options.image is not None:  # by a change, so that an image which cannot be opened takes back what it brought
        window.desk.session.update(**gestures.use_image(state, options.image))
        window.scoring.look(options.image)
    if remark is not None:
        window.desk.say(str(remark), remark.details)
    if options.size is not None:
        window.setMinimumSize(1, 1)
        window.resize(*options.size)
    elif options.screenshot is None:
        window.layouts.place()
    shot = Screenshot(window, options.screenshot) if options.screenshot is not None else None
    interrupts = Interrupts(shot.stop if shot is not None else app.closeAllWindows)  # an open dialog is closed first
    interrupts.install()
    window.closed.connect(lambda: app.exit())  # also out of the loop of a dialog that is opened by what was pressed
    window.show()
    status = app.exec()
    interrupts.remove()
    log.remove()
    if window.files.background.busy:  # a save that takes too long: its thread would keep the program, unseen, alive
        os._exit(status)
    if shot is not None:
        sys.stderr.write(f"segviz: {shot.trouble}\n" if shot.trouble else "")
        return 1 if shot.trouble else 0
    return status


def make_application() -> QApplication:
    """The one QApplication, with name and icon."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("segviz")
    app.setApplicationDisplayName("segviz")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("segviz")
    app.setWindowIcon(QIcon(str(assets.icon("segviz"))))
    return app


def make_jobs() -> Worker:
    """The engine's client; its module is loaded after the first paint."""
    from segviz.gui.jobs import Jobs

    return Jobs()


def make_trainer() -> Worker:
    """The training process's client."""
    from segviz.gui.jobs import Jobs, trainer

    return Jobs(connect=trainer)


def first_state(options: LaunchOptions) -> tuple[State, SegvizError | None]:
    """The State that the command line describes but for its image, and what of its session file cannot be shown.

    A network beside a session file replaces the file's.
    """
    state, remark = read_session(options.session) if options.session is not None else (State(), None)
    first = Session(state)
    if options.model is None and options.image is None and options.session is None:
        first.update(**gestures.use_network(first.state, gestures.FIRST))
    if options.model is not None:
        aim = replace(first.state, image=options.image or first.state.image)  # its sample only where there is no image
        changes = gestures.use_network(aim, options.model)
        first.update(**changes | ({"image": first.state.image} if options.image else {}))
    if options.device is not Device.AUTO:
        first.update(device=options.device)
    return first.state, remark


class Screenshot(QObject):
    """Waits until the window has nothing left to do, saves its picture and closes it."""

    def __init__(self, window: MainWindow, path: Path) -> None:
        super().__init__(window)
        self._window, self._path = window, path
        self._calm = 0
        self.trouble = ""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        window.filled.connect(lambda: self._timer.start(LOOK_EVERY))
        QTimer.singleShot(round(SETTLE_LIMIT * 1000), self, self._give_up)

    def _look(self) -> None:
        desk = self._window.desk
        waits_for_engine = desk.session.state.model and desk.scene.network is None and desk.scene.message is None
        self._calm = self._calm + 1 if desk.idle and not waits_for_engine else 0
        if self._calm >= CALM:
            self._save()

    def _save(self) -> None:
        self._timer.stop()
        message = self._window.desk.scene.message
        if message is not None:
            self.trouble = message.text
        try:
            pictures.save_png(self._window.grab().toImage(), self._path)
        except SegvizError as error:
            self.trouble = str(error)
        self._window.close()

    def stop(self) -> None:
        """End without a picture: somebody does not want to wait for it."""
        self._timer.stop()
        self.trouble = "stopped before there was a picture"
        self._window.close()

    def _give_up(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self.trouble = f"the engine was not done after {SETTLE_LIMIT:.0f} s, so there is no picture"
            self._window.close()
