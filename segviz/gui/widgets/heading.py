"""What heads a part of a panel: its heading, and flat buttons beside it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QToolButton

from segviz.gui import theme


def heading(text: str) -> QLabel:
    label = QLabel(text.upper())
    theme.set_role(label, "heading")
    return label


def flat_button(icon: str, name: str) -> QToolButton:
    """A button of one icon; `name` is its tooltip and accessible name."""
    button = QToolButton()
    theme.set_kind(button, "flat")
    theme.set_icon(button, icon)
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def worded_button(text: str, name: str) -> QToolButton:
    """A button of a word, as there is no icon for a kind of file; `name` is its tooltip and accessible name."""
    button = QToolButton()
    button.setText(text)
    theme.set_kind(button, "button")
    button.setToolTip(name)
    button.setAccessibleName(name)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
