"""What leaves the desk: pictures, tables, films, to the clipboard or to files that a person names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segviz.gui import kinds, pictures
from segviz.gui.partners import Saver

if TYPE_CHECKING:
    from PySide6.QtGui import QImage

    from segviz.gui.filming import Frames
    from segviz.gui.panels.base import SaveFunction


class Outlet(QObject):
    """Hands what panels want saved to a `Saver`; without one nothing leaves."""

    wanted = Signal(str)  # the id of an action that a panel offers
    said = Signal(str)  # a remark that nobody needs to act on ("Copied"), for the status bar

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._saver: Saver | None = None

    def use(self, saver: Saver) -> None:
        """Let `saver` ask where to save, and save."""
        self._saver = saver

    def do(self, identifier: str) -> None:
        self.wanted.emit(identifier)

    def copy_image(self, image: QImage | None) -> None:
        if self._saver is not None and image is not None:
            self.said.emit(self._saver.copy_image(image))

    def copy_made(self, make: Callable[[], QImage]) -> None:
        if self._saver is not None:
            self._saver.copy_made(make)

    def copy_table(self, rows: list[list[object]]) -> None:
        if self._saver is not None:
            self.said.emit(self._saver.copy_table(rows))

    def save_image(self, image: QImage | None, name: str) -> None:
        if image is not None:
            self.save_with(name, kinds.PNG, lambda path: pictures.save_png(image, path))

    def save_table(self, rows: list[list[object]], name: str) -> None:
        from segviz.core import export

        self.save_with(name, kinds.CSV, lambda path: export.save_table(path, rows))

    def save_with(self, name: str, kinds: str, write: SaveFunction) -> None:
        if self._saver is not None:
            self._saver.save_with(name, kinds, write)

    def save_painted(self, name: str, kinds: str, paint: Callable[[], SaveFunction]) -> None:
        if self._saver is not None:
            self._saver.save_painted(name, kinds, paint)

    def save_film(self, name: str, frames: Callable[[], Frames]) -> None:
        if self._saver is not None:
            self._saver.save_film(name, frames)
