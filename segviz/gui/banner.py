"""One line above the canvas for what needs attention or helps: never a dialog that takes the window away."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from segviz.gui import theme
from segviz.gui.actions import find, tooltip
from segviz.gui.names import sentence
from segviz.gui.scene import Message


class Banner(QWidget):
    """Shows a Message until it is dismissed; `details` asks for the long form, `taken` for what it offers."""

    dismissed = Signal()
    details = Signal(object)
    taken = Signal(str)  # the id of the action that a message offers

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._message: Message | None = None
        self.setObjectName("banner")
        theme.set_surface(self, "raised")
        self._sign = QLabel()
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.more = QPushButton("Details…")
        theme.set_kind(self.more, "link")
        self.more.setToolTip("Show what helps to report this")
        self.more.clicked.connect(self._show_details)
        self.offer = QPushButton()
        theme.set_kind(self.offer, "link")
        self.offer.clicked.connect(self._take)
        self.close_button = QToolButton()
        self.close_button.setAccessibleName("Dismiss the message")
        self.close_button.setToolTip("Dismiss  (Esc)")
        theme.set_kind(self.close_button, "flat")
        theme.set_icon(self.close_button, "x")
        self.close_button.clicked.connect(self.dismissed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(theme.M, theme.S, theme.S, theme.S)
        layout.setSpacing(theme.S)
        for widget in (self._sign, self.text, self.offer, self.more, self.close_button):
            layout.addWidget(widget, 1 if widget is self.text else 0, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    def _show_details(self) -> None:
        if self._message is not None:
            self.details.emit(self._message)

    def _show_sign(self, icon: str) -> None:
        """An icon for what helps, the sign of warning for what went wrong."""
        if icon:
            self._sign.setPixmap(theme.icon(icon, "dim").pixmap(theme.px(theme.ICON), theme.px(theme.ICON)))
        else:
            self._sign.setText("⚠")
            theme.set_role(self._sign, "warn")

    def _take(self) -> None:
        if self._message is not None:
            self.taken.emit(self._message.offer)

    def show_message(self, message: Message | None) -> None:
        """Show `message`, or nothing."""
        self._message = message
        self.setVisible(message is not None)
        if message is not None:
            self.text.setText(sentence(message.text))
            self.more.setVisible(bool(message.details))
            self._show_sign("info-circle" if message.offer else "")
            self.offer.setVisible(bool(message.offer))
            if message.offer:
                action = find(message.offer)
                self.offer.setText(action.text.rstrip("…"))
                self.offer.setToolTip(tooltip(action))
