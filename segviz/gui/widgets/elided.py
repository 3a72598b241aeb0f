"""A label that says less where there is no room; the whole text is its tooltip."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from segviz.gui.widgets import tooltips
from segviz.gui.widgets.painted import elided, text_width

PARTS = " · "  # between the parts of a text, the most important first


class ElidedLabel(QLabel):
    """A one-line label of plain text. `text()` is the whole text, whatever is painted of it.

    Where there is no room its last parts go, one after the other; the middle of the first is left out.
    """

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        self._told = ""
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:
        super().setText(text)
        self._tell()

    def minimumSizeHint(self) -> QSize:
        hint = super().minimumSizeHint()
        return QSize(min(hint.width(), QFontMetrics(self.font()).horizontalAdvance("mmm…m")), hint.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._tell()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self._tell()

    def shown_text(self) -> str:
        """What is painted."""
        return shortened(self.text(), self.font(), self.contentsRect().width())

    def _tell(self) -> None:
        """The whole text as tooltip while it is cut; a tooltip of somebody else's stays."""
        told = tooltips.plain(self.text()) if self.shown_text() != self.text() else ""
        if told or self.toolTip() == self._told:
            self.setToolTip(told)
            self._told = told

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setFont(self.font())
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.contentsRect(), self.alignment(), self.shown_text())


def shortened(text: str, font: QFont, room: float) -> str:
    """As many first parts of `text` as fit into `room`; the first without its middle where not even that does."""
    parts = text.split(PARTS)
    while len(parts) > 1 and text_width(PARTS.join(parts), font) > room:
        parts.pop()
    return elided(PARTS.join(parts), font, room)
