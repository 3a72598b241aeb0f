"""What is said above and over the canvas: what went wrong or would help, how far the work is, how to leave a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from segviz.gui.advice import advice
from segviz.gui.banner import Banner
from segviz.gui.scene import Message, Scene
from segviz.gui.widgets.tag import Tag
from segviz.gui.workline import WorkLine

if TYPE_CHECKING:
    from segviz.gui.window import MainWindow

WAY_OUT = "F5 or Esc leaves the presenter's view, Ctrl+K finds everything"
READ_IN = 6000  # ms


class Notices:
    """The banner, and what lies over `centre`. What a person does with them ends in the window."""

    def __init__(self, window: MainWindow, centre: QWidget) -> None:
        self._window = window
        self._read: set[str] = set()  # hints that were dismissed
        self.hint: Message | None = None  # what helps in this scene, until it is dismissed
        self.banner = Banner()
        self.banner.dismissed.connect(self.dismiss)
        self.banner.taken.connect(window.do)
        self.banner.details.connect(window.dialogs.details)
        self.work = WorkLine(centre)
        self.work.stopped.connect(window.desk.stop)
        self.way_out = Tag(centre)

    def show_message(self, scene: Scene) -> None:
        """What went wrong, else what helps, unless it was read."""
        hint = advice(scene)
        self.hint = hint if hint is not None and hint.text not in self._read else None
        self.banner.show_message(scene.message or self.hint)

    def dismiss(self) -> None:
        """The person has read what stands above the canvas."""
        desk = self._window.desk
        if desk.scene.message is not None:
            desk.dismiss()
        elif self.hint is not None:
            self._read.add(self.hint.text)
            self.show_message(desk.scene)

    def show_work(self) -> None:
        """How far the work is, over the canvas, while nothing else says it."""
        self.work.show_scene(self._window.desk.scene, self._window.presenting)

    def show_way_out(self) -> None:
        """Say for a moment how the presenter's view ends, for there is no menu in it."""
        self.way_out.say(WAY_OUT if self._window.presenting else "")
        if self._window.presenting:
            QTimer.singleShot(READ_IN, self._window, lambda: self.way_out.say(""))
