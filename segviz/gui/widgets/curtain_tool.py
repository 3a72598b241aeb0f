"""The handle of a curtain over an image, dragged sideways."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QCursor

from segviz.gui import theme
from segviz.gui.widgets.image_view import Touch

CATCH = 7  # screen pixels to either side of the curtain's end that take it


class CurtainTool(QObject):
    """Takes presses at the curtain's end. `moved` says where it is wanted, in shares of the image's width."""

    moved = Signal(float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.at: float | None = None  # image pixels; None: there is no curtain
        self.width = 1

    def takes(self, touch: Touch) -> bool:
        return self.at is not None and abs(touch.x - self.at) * touch.zoom <= theme.px(CATCH)

    def begin(self, touch: Touch) -> None:
        """The press itself moves nothing."""

    def move(self, touch: Touch) -> None:
        self.moved.emit(min(1.0, max(0.0, touch.x / self.width)))

    def end(self) -> bool:
        return True  # a press here is never a click on a pixel

    def cursor(self, zoom: float) -> QCursor:
        return QCursor(Qt.CursorShape.SplitHCursor)
