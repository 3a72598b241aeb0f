"""A label that wraps everywhere: names without spaces break behind their signs, so that none is cut off."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

LONGEST = 14  # letters that stay together
BREAK = "\u200b"  # zero-width space


class WrappedLabel(QLabel):
    """Plain text in as many lines as it needs; `said()` is the text as it was given."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._said = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.say(text)

    def say(self, text: str) -> None:
        self._said = text
        self.setText(breakable(text))
        self.setAccessibleName(text)

    def said(self) -> str:
        return self._said


def breakable(text: str) -> str:
    """`text` with places to break in each of its long words: behind what separates names, else anywhere."""
    return re.sub(rf"\S{{{LONGEST + 1},}}", lambda word: _broken(word[0]), text)


def _broken(word: str) -> str:
    parts = re.findall(r"[^/\\._:=,?&-]*[/\\._:=,?&-]?", word)
    short = (part[at : at + LONGEST] for part in parts for at in range(0, len(part), LONGEST))
    return BREAK.join(short)
