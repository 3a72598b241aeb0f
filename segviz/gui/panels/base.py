"""What a panel is. A panel has a widget and one method that shows a scene; it knows no other panel."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from segviz.gui.scene import Kind, Scene

if TYPE_CHECKING:
    from PySide6.QtGui import QImage
    from PySide6.QtWidgets import QWidget

    from segviz.core.learning import TrainRequest
    from segviz.gui.filming import Frames
    from segviz.gui.runs import Left, Run

SaveFunction = Callable[[Path], object]  # writes a file at the path that the person chose


class Area(StrEnum):
    LEFT = "left"
    RIGHT = "right"
    WORKBENCH = "workbench"


class Panel(Protocol):
    """One part of the window.

    `stage` is a widget that takes the canvas's place while `wants_stage` is true and the panel's
    tab is in front (the race needs room); most panels have none. `header` is the line above a
    workbench panel's content; it stands in `widget` unless the window moves it beside its tabs.
    """

    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def area(self) -> Area: ...
    @property
    def widget(self) -> QWidget: ...
    @property
    def stage(self) -> QWidget | None: ...
    @property
    def header(self) -> QWidget | None: ...

    def show(self, old: Scene | None, new: Scene) -> None:
        """Repaint what differs between the scenes; `old` is None the first time. Changes no State."""

    def hover(self, point: tuple[float, float] | None) -> None:
        """The mouse is over this pixel of the image, or has left it."""

    def wants_stage(self, scene: Scene) -> bool:
        """Whether the panel wants the canvas's place in this scene."""


class TrainingCommands(Protocol):
    """What the training laboratory may start."""

    def start(self, request: TrainRequest) -> None:
        """Begin a run from its first step."""

    def pause(self) -> None:
        """Stop with a checkpoint."""

    def go_on(self) -> None:
        """Go on with the paused run."""

    def stop(self) -> None:
        """End the newest run for good."""

    def drop(self, number: int) -> None:
        """Take a run out of the curves."""

    def resume(self, left: Left) -> None:
        """Go on with what an earlier window left unfinished."""

    def forget(self, left: Left) -> None:
        """Nobody wants to go on with that."""

    def keep(self, run: Run) -> None:
        """The weights of a run are in use."""


class Commands(Protocol):
    """What a panel may start besides changing the State through its session; the desk does it."""

    @property
    def training(self) -> TrainingCommands: ...

    def run(self) -> None:
        """Ask for everything that the State describes again."""

    def stop(self, kind: Kind | None = None) -> None:
        """Stop work of one kind, or all."""

    def retry(self) -> None:
        """What was stopped or failed is asked for again, where it is still wanted."""

    def race(self) -> None:
        """Start the race on the current image and network."""

    def point_at(self, point: tuple[float, float] | None) -> None:
        """The mouse is over this pixel of the image in the panel, or has left it: all other views follow."""

    def do(self, identifier: str) -> None:
        """Carry out the action of that id."""

    def copy_image(self, image: QImage | None) -> None:
        """Put a picture on the clipboard, and say so; without one nothing happens."""

    def copy_made(self, make: Callable[[], QImage]) -> None:
        """Put a picture on the clipboard that takes long to paint: `make()` does so beside the window's thread."""

    def copy_table(self, rows: list[list[object]]) -> None:
        """Put rows on the clipboard, as a spreadsheet takes them, and say so."""

    def save_image(self, image: QImage | None, name: str) -> None:
        """Ask where, and save a picture as PNG, `name` to begin with; without a picture nothing happens."""

    def save_table(self, rows: list[list[object]], name: str) -> None:
        """Ask where, and save rows as CSV."""

    def save_with(self, name: str, kinds: str, write: SaveFunction) -> None:
        """Ask where (`kinds` is a dialog filter, 'SVG (*.svg)'), and let `write(path)` write it."""

    def save_painted(self, name: str, kinds: str, paint: Callable[[], SaveFunction]) -> None:
        """Ask where, let `paint()` paint in the window's thread once that is known, and write what it returns.

        For what widgets paint: a slow picture does not hold up the dialog, and costs nothing where it is cancelled.
        """

    def save_film(self, name: str, frames: Callable[[], Frames]) -> None:
        """Ask where, and save the pictures of `frames()` as an animated GIF.

        For frames that only the window's thread can paint: they are begun once the place is known, and
        taken one an event-loop turn.
        """
