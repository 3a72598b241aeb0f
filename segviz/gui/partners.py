"""What the desk needs of others, so that tests can stand in for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from segviz.worker.messages import Asked

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from segviz.gui.filming import Frames
    from segviz.gui.panels.base import SaveFunction


class Worker(Protocol):
    """Of `segviz.gui.jobs.Jobs`: work is asked for, events come back."""

    told: Any  # Signal(object)

    def start(self) -> None: ...
    def ask(self, request: Asked) -> int: ...
    def cancel(self, kind: type | None = None) -> None: ...
    def open_picture(self, path: str) -> None: ...
    def close(self, patience: float = ...) -> None: ...


class Saver(Protocol):
    """Of `segviz.gui.files.Files`: what leaves the window."""

    def copy_image(self, image: QImage) -> str: ...
    def copy_made(self, make: Callable[[], QImage]) -> None: ...
    def copy_table(self, rows: list[list[object]]) -> str: ...
    def save_with(self, name: str, kinds: str, write: SaveFunction) -> None: ...
    def save_painted(self, name: str, kinds: str, paint: Callable[[], SaveFunction]) -> None: ...
    def save_film(self, name: str, frames: Callable[[], Frames]) -> None: ...
