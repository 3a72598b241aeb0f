"""A number in figures of equal width, so that it stands still while it changes."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from segviz.gui import theme
from segviz.gui.widgets.painted import Painted, elided, text_width


class Figure(Painted):
    """One line of text in tabular figures. `widest` keeps room for the widest text to come."""

    def __init__(
        self,
        widest: str = "",
        size: float = theme.BODY,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._text, self._widest, self._size, self._align = "", widest, size, align
        self._tone = "text"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        return self._text

    def set_text(self, text: str, tone: str = "text") -> None:
        """Show `text` in the colour of the token `tone`."""
        if (text, tone) != (self._text, self._tone):
            self._text, self._tone = text, tone
            self.setAccessibleName(text)
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        font = theme.numbers(self._size)
        wide = max(text_width(self._text, font), text_width(self._widest, font))
        return QSize(wide + 1, QFontMetrics(font).height())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        font = theme.numbers(self._size)
        painter.setFont(font)
        painter.setPen(self.colours().color(self._tone))
        shown = elided(self._text, font, self.width())
        painter.drawText(QRectF(self.rect()), self._align | Qt.AlignmentFlag.AlignVCenter, shown)
