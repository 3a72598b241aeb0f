"""Panels with a session behind them: what a gesture changes comes back as the next scene."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtWidgets import QApplication, QWidget

from segviz.core.session import Session, State
from segviz.gui.scene import Scene


class Recorder:
    """Commands that only remember what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *arguments: self.asked.append((name, arguments))

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]


class Shown:
    """A panel with its scene; `session.update` brings the panel the next scene, as the desk does."""

    def __init__(self, make: Callable[[Session, Recorder], Any], scene: Scene, size: tuple[int, int]) -> None:
        self.session = Session(scene.state)
        self.commands = Recorder()
        self.panel = make(self.session, self.commands)
        self.scene = scene
        self.changes: list[State] = []
        self.ends = self.session.listen(self._changed)
        self.panel.widget.resize(*size)
        self.panel.widget.show()
        self.panel.show(None, scene)
        QApplication.processEvents()

    def _changed(self, old: State, new: State) -> None:
        self.changes.append(new)
        self.show(replace(self.scene, state=new))

    def show(self, scene: Scene) -> None:
        """The next scene, as it is."""
        old, self.scene = self.scene, scene
        self.panel.show(old, scene)
        QApplication.processEvents()

    @property
    def state(self) -> State:
        return self.session.state


@pytest.fixture
def shown(qtbot, look) -> Iterator[Callable[..., Shown]]:
    """Makes shown panels, and sees that nothing of them is left behind."""
    before = set(QApplication.topLevelWidgets())
    made: list[Shown] = []

    def make(panel: Callable[[Session, Recorder], Any], scene: Scene, size: tuple[int, int] = (300, 600)) -> Shown:
        one = Shown(panel, scene, size)
        made.append(one)
        return one

    yield make
    for one in made:
        one.ends()
        for part in (one.panel.widget, one.panel.stage):
            if part is not None:
                part.close()
                part.deleteLater()
    made.clear()
    QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
    QApplication.processEvents()
    left = [widget for widget in set(QApplication.topLevelWidgets()) - before if not is_menu(widget)]
    assert not left, f"left behind: {left}; give every widget a parent or close it"


def is_menu(widget: QWidget) -> bool:
    """Menus die with their buttons a little later."""
    return widget.inherits("QMenu")


def click(qtbot, widget: QWidget, place: QRectF) -> None:
    qtbot.mouseClick(
        widget, Qt.MouseButton.LeftButton, pos=QPoint(round(place.center().x()), round(place.center().y()))
    )
