"""The handle of a dock: a thin bar to drag it by, with a button to close it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QEnterEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QDockWidget, QWidget

from segviz.gui import theme

HEIGHT = 12


class Grip(QWidget):
    """The panels have headings of their own, so this is six dots and, under the mouse, a small cross."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self._dock = dock
        self._inside = False
        self.setMouseTracking(True)
        self.setToolTip(f"Drag to move {dock.windowTitle()}; the cross closes it, the View menu brings it back")
        self.setAccessibleName(f"Handle of {dock.windowTitle()}")

    def sizeHint(self) -> QSize:
        return QSize(40, theme.px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _cross(self) -> QRectF:
        side = self.height()
        return QRectF(self.width() - side - theme.XS, 0, side, side)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._inside = True
        self.update()

    def leaveEvent(self, event: object) -> None:
        self._inside = False
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press on the cross closes; elsewhere it is the dock's, to be dragged."""
        if self._cross().contains(event.position()):
            self._dock.close()
            event.accept()
        else:
            event.ignore()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.ignore()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t = theme.tokens(self.palette())
        painter.fillRect(self.rect(), t.color("panel"))
        middle = QRectF(self.rect()).center()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(t.color("dim" if self._inside else "line"))
        for step in range(-2, 3):
            painter.drawEllipse(middle + QPointF(step * theme.px(6), 0), 1.2, 1.2)
        if self._inside:
            painter.setPen(QPen(t.color("text"), 1.2))
            inner = self._cross().adjusted(3, 3, -3, -3)
            painter.drawLine(inner.topLeft(), inner.bottomRight())
            painter.drawLine(inner.topRight(), inner.bottomLeft())
