"""A pen for a view: it paints into Ink as it moves, and says afterwards what it painted over."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QColor, QCursor, QImage, QPainter, QPen, QPixmap

from segviz.gui.widgets.image_view import Touch
from segviz.gui.widgets.ink import Ink

ERASER = 2.5  # how much wider than the pen
LIGHTEST = 0.25  # share of the width that a pen without pressure keeps
LEAST, MOST = 5, 96  # screen pixels of the cursor's ring


class Pen(QObject):
    """Takes presses on the paper while `ink` is there and it is not `resting`. A click makes a dot."""

    painted = Signal(object)  # Box: what may have changed
    lifted = Signal(object, object, bool)  # QImage: the drawing before; QRect: what changed; whether it was erased

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ink: Ink | None = None
        self.width = 10.0  # of a stroke with full pressure, in pixels of the drawing
        self.erases = self.resting = False
        self._before: QImage | None = None
        self._rubs = False  # the present stroke erases
        self._last = QPointF()
        self._area = QRect()
        self._rings: dict[int, QCursor] = {}

    @property
    def down(self) -> bool:
        """Whether a stroke is being made."""
        return self._before is not None

    def takes(self, touch: Touch) -> bool:
        if self.ink is None or (self.resting and not touch.eraser):
            return False
        width, height = self.ink.size
        return 0 <= touch.x < width and 0 <= touch.y < height

    def begin(self, touch: Touch) -> None:
        assert self.ink is not None
        self._before, self._area = self.ink.image.copy(), QRect()
        self._rubs = self.erases or touch.eraser
        self._last = QPointF(touch.x, touch.y)
        self.move(touch)

    def move(self, touch: Touch) -> None:
        if self.ink is None or self._before is None:
            return
        width = self.width * (ERASER if self._rubs else 1.0) * (LIGHTEST + (1 - LIGHTEST) * touch.pressure)
        here = QPointF(touch.x, touch.y)
        box = self.ink.line(self._last, here, width, self._rubs)
        self._last = here
        left, top, right, bottom = (int(edge) for edge in box)
        self._area = self._area.united(QRect(left, top, right - left, bottom - top)).intersected(self.ink.image.rect())
        self.painted.emit(box)

    def end(self) -> bool:
        before, self._before = self._before, None
        if before is not None and not self._area.isEmpty():
            self.lifted.emit(before, self._area, self._rubs)
        return True

    def drop(self, ink: Ink | None) -> None:
        """Go on with another drawing; a stroke on the one before ends as it is."""
        self.end()
        self.ink = ink

    def cursor(self, zoom: float) -> QCursor:
        """A ring as wide as the stroke, where a cursor can be."""
        wide = round(max(LEAST, min(MOST, self.width * (ERASER if self.erases else 1.0) * zoom)))
        if wide not in self._rings:
            self._rings = {wide: _ring(wide)}
        return self._rings[wide]


def _ring(wide: int) -> QCursor:
    """A light ring on a dark one, which shows on ink and on paper."""
    pixmap = QPixmap(wide + 6, wide + 6)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = QPointF(pixmap.width() / 2, pixmap.height() / 2)
    for colour, thick in ((QColor(0, 0, 0, 220), 3.0), (QColor(255, 255, 255), 1.2)):
        painter.setPen(QPen(colour, thick))
        painter.drawEllipse(middle, wide / 2, wide / 2)
    painter.end()
    return QCursor(pixmap)
