"""A few words on a plate over the top of another widget; the mouse goes through it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtWidgets import QWidget

from segviz.gui import theme
from segviz.gui.widgets.elided import ElidedLabel


class Tag(ElidedLabel):
    """Lies in the middle of the upper edge of `below`; hidden while it says nothing."""

    def __init__(self, below: QWidget) -> None:
        super().__init__("", below)
        theme.set_kind(self, "tag")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        below.installEventFilter(self)
        self.hide()

    def say(self, text: str) -> None:
        """Show `text`, or nothing."""
        self.setText(text)
        self.setVisible(bool(text))
        self._follow()

    def place(self) -> QRectF:
        """Where it lies on `below`; empty while it says nothing."""
        return QRectF() if self.isHidden() else QRectF(self.geometry())

    def _follow(self) -> None:
        below = self.parentWidget()
        if self.isHidden() or below is None:
            return
        edge = theme.px(theme.M)
        width = min(self.sizeHint().width(), below.width() - 2 * edge)
        self.setGeometry((below.width() - width) // 2, edge, width, self.sizeHint().height())
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._follow()
        return super().eventFilter(watched, event)
