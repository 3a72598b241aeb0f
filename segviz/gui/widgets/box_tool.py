"""A box on an image that is dragged by its inside."""

from __future__ import annotations

from math import hypot

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QCursor

from segviz.core.field import Box
from segviz.gui.widgets.image_view import Touch

REACH = 6  # screen pixels around the box that take it, too: a small one must not be hard to catch
STILL = 3  # screen pixels that a click may move


class BoxTool(QObject):
    """Takes presses in `box` (image pixels). `moved` says where its left top corner is wanted, in pixel edges."""

    moved = Signal(float, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.box: Box | None = None
        self._first: Touch | None = None
        self._offset = (0.0, 0.0)
        self._drags = False

    def takes(self, touch: Touch) -> bool:
        box, reach = self.box, REACH / touch.zoom
        return box is not None and (
            box.left - reach <= touch.x < box.right + reach and box.top - reach <= touch.y < box.bottom + reach
        )

    def begin(self, touch: Touch) -> None:
        assert self.box is not None
        self._first, self._drags = touch, False
        self._offset = touch.x - self.box.left, touch.y - self.box.top

    def move(self, touch: Touch) -> None:
        first = self._first
        assert first is not None
        self._drags = self._drags or hypot(touch.x - first.x, touch.y - first.y) * touch.zoom > STILL
        if self._drags:
            self.moved.emit(touch.x - self._offset[0], touch.y - self._offset[1])

    def end(self) -> bool:
        self._first = None
        return self._drags

    def cursor(self, zoom: float) -> QCursor:
        return QCursor(Qt.CursorShape.SizeAllCursor)
