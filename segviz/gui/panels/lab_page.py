"""What a page of a laboratory is: settings beside the choice of pages, and a stage."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QBoxLayout, QWidget

from segviz.core.choices import Choice
from segviz.gui import theme
from segviz.gui.panels.header import ChoicePill
from segviz.gui.widgets.pill import Pill

if TYPE_CHECKING:
    from segviz.gui.filming import Frames
    from segviz.gui.scene import Scene

Change = Callable[..., None]  # changes fields of the laboratory in the State
Rows = list[list[object]]


BESIDE = 600  # width of a stage from which on its parts stand side by side, before `theme.px`


def stand(parts: QBoxLayout, width: int) -> bool:
    """Let the parts of a stage stand side by side, or one above the other where it is narrow; whether side by side."""
    beside = width >= theme.px(BESIDE)
    parts.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
    return beside


class LabPage(Protocol):
    """One page. `settings` stands in the workbench, `stage` takes the canvas's place while there is something on it.

    `drawn`: whether the stage is a drawing, which SVG can hold, and no photograph.
    """

    drawn: bool
    settings: QWidget
    stage: QWidget

    def show(self, scene: Scene) -> None:
        """Bring settings and stage up to the scene; silent."""

    def missing(self, scene: Scene) -> str:
        """What a person must do before there is anything on the stage; '' where there is."""

    def what(self, scene: Scene) -> str:
        """What is shown, for the header."""

    def hover(self, point: tuple[float, float] | None) -> None:
        """The mouse is over this pixel of the image, or has left it."""

    def picture(self) -> QImage:
        """The stage, to be copied or saved."""

    def svg(self) -> bytes:
        """The stage as a drawing; empty where it is a photograph."""

    def rows(self) -> Rows:
        """The numbers as a table; empty where there are none."""

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        """A file's name and what paints the frames of it; None where nothing moves."""


class NumberPill(Pill):
    """A drop-down of a few numbers; `chosen(number)` is called for the person's choice alone."""

    def __init__(
        self, caption: str, name: str, numbers: tuple[int, ...], chosen: Callable[[int], None], write: str = "{}"
    ) -> None:
        super().__init__(caption, name)
        self._write = write
        self._chosen = chosen
        self.offer(numbers)

    def offer(self, numbers: tuple[int, ...]) -> None:
        """The numbers to choose from."""
        self.menu().clear()
        for number in numbers:
            action = self.menu().addAction(self._write.format(number))
            action.triggered.connect(lambda _, n=number: self._chosen(n))

    def show_number(self, number: int) -> None:
        """Show `number`; silent."""
        self.set_value(self._write.format(number))


def choice_pill(caption: str, name: str, values: type[Choice], field: str, change: Change) -> ChoicePill:
    """A drop-down that changes one field of the laboratory."""
    return ChoicePill(caption, name, values, lambda value: change(**{field: value}))
