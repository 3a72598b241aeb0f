"""A line whose text counts once it is entered, and that goes back on Escape."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QToolButton

from segviz.gui import theme
from segviz.gui.widgets import tooltips
from segviz.gui.widgets.heading import flat_button


def reset_button(name: str) -> QToolButton:
    """Brings `name` back as it was at first."""
    return flat_button("arrow-back-up", f"{name} as the network brings it")


class EntryLine(QLineEdit):
    """`entered(text)` fires on Return and when the line is left, if the text is another than the one shown.

    A text that is not taken stays, marked by `refuse`, until it is changed; Escape brings back what was shown.
    """

    entered = Signal(str)
    mended = Signal()  # what was refused is being changed
    reset = Signal()  # of a text that is marked as changed

    def __init__(self, name: str, hint: str, placeholder: str = "") -> None:
        super().__init__()
        self.back = reset_button(name)
        self.back.setParent(self)
        self.back.setCursor(Qt.CursorShape.ArrowCursor)
        theme.set_kind(self.back, "inside")
        self.back.clicked.connect(self.reset)
        self.back.hide()
        self._shown, self._hint = "", hint
        self.setAcceptDrops(False)  # a file that is dropped here is for the window
        self.setAccessibleName(name)
        self.setAccessibleDescription(hint)
        self.setPlaceholderText(placeholder)
        self.setToolTip(hint)
        self.editingFinished.connect(self._finished)
        self.textEdited.connect(lambda _: self._mend())

    def show_value(self, text: str) -> None:
        """Show `text`; silent, and not while a person is typing another."""
        typing = self.hasFocus() and self.text() != self._shown
        if text != self._shown or not typing:
            self._mend()
            self._shown = text
            self.setText(text)
            self.setCursorPosition(0)
        self.setToolTip(tooltips.plain("\n".join(part for part in (text, self._hint) if part)))

    def mark_changed(self, changed: bool) -> None:
        """Offer to bring back what was there at first, or not."""
        self.back.setVisible(changed)
        self._place_button()

    def _place_button(self) -> None:
        side = self.height()
        self.back.setGeometry(self.width() - side, 0, side, side)
        self.setTextMargins(0, 0, 0 if self.back.isHidden() else side - theme.px(theme.S), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_button()

    def refuse(self) -> None:
        """Mark the text as one that is not taken."""
        theme.set_kind(self, "refused")

    def _finished(self) -> None:
        if self.text() != self._shown:
            self.entered.emit(self.text())

    def _mend(self) -> None:
        if self.property("kind") == "refused":
            theme.set_kind(self, "")
            self.mended.emit()

    def _restore(self) -> None:
        self._mend()
        self.setText(self._shown)

    def event(self, event: QEvent) -> bool:
        """Escape is the window's shortcut; here it takes back first."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
            and self.text() != self._shown
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text() != self._shown:
            self._restore()
            return
        super().keyPressEvent(event)
