"""A line to search or filter a list with."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QToolButton

from segviz.gui import theme


class SearchLine(QLineEdit):
    """Escape clears it, and is nobody else's while there is something to clear; so does the cross at its end."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__()
        self.setAcceptDrops(False)  # a file that is dropped here is for the window
        self.setPlaceholderText(name)
        self.setAccessibleName(name)
        self.setToolTip(hint)
        self.cross = QToolButton(self)
        self.cross.setCursor(Qt.CursorShape.ArrowCursor)
        self.cross.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.cross.setToolTip("Clear  (Esc)")
        self.cross.setAccessibleName("Clear")
        theme.set_kind(self.cross, "inside")
        theme.set_icon(self.cross, "x")
        self.cross.clicked.connect(self.clear)
        self.textChanged.connect(lambda text: self.cross.setVisible(bool(text)))
        self.cross.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = self.height()
        self.cross.setGeometry(self.width() - side, 0, side, side)
        self.setTextMargins(0, 0, side - theme.px(theme.S), 0)

    def event(self, event: QEvent) -> bool:
        """Escape is the window's shortcut; here it clears first."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
            and self.text()
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)
