"""What an action is, and how one is made of a gesture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segviz.gui import gestures
from segviz.gui.scene import Scene

if TYPE_CHECKING:
    from segviz.gui.window import MainWindow

Do = Callable[["MainWindow"], None]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. `menu` is a path ("View/Palette"); an action of the canvas takes its keys only there.

    `checked` makes it checkable; `enabled` says whether it makes sense in a scene: it may be called
    all the same, and then does nothing. `lacks` says so in words, which the menu shows: '' where it makes sense.
    """

    id: str
    text: str
    menu: str
    do: Do
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    checked: Callable[[MainWindow], bool] | None = None
    enabled: Callable[[Scene], bool] | None = None
    lacks: Callable[[Scene], str] | None = None
    canvas: bool = False
    separator: bool = False  # a line above it in the menu


def gesture(changes_of: Callable[..., gestures.Changes], *arguments: Any) -> Do:
    """An action that changes the State as `changes_of(scene, *arguments)` says."""

    def do(window: MainWindow) -> None:
        changes = changes_of(window.desk.scene, *arguments)
        if changes:
            window.desk.session.update(**changes)

    return do
