"""A large number that changes while one watches: the clocks of the race."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from segviz.gui import theme
from segviz.gui.widgets.painted import Painted, elided, text_width


class Clock(Painted):
    """A caption and under it a number of 20 px with a smaller unit, in figures that stand still."""

    def __init__(self, caption: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption, self._number, self._unit, self._tone = caption, "–", "", "text"
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._say()

    def set_number(self, number: str, unit: str = "", tone: str = "text") -> None:
        """Show `number` and `unit`; `tone` is a token: text, dim, accent, ok, warn, bad."""
        if (number, unit, tone) != (self._number, self._unit, self._tone):
            self._number, self._unit, self._tone = number, unit, tone
            self._say()
            self.updateGeometry()
            self.update()

    def set_seconds(self, seconds: float | None, tone: str = "text") -> None:
        """Show a time: '0.042 s', '12.3 s', '4:05 min'; None: a dash."""
        self.set_number(*clock_time(seconds), tone)

    def set_caption(self, caption: str) -> None:
        if caption != self._caption:
            self._caption = caption
            self._say()
            self.updateGeometry()
            self.update()

    @property
    def text(self) -> str:
        return f"{self._number} {self._unit}".strip()

    def _say(self) -> None:
        self.setAccessibleName(f"{self._caption}: {self.text}".lstrip(": "))

    def _heights(self) -> tuple[int, int]:
        top = QFontMetrics(theme.caption()).height() if self._caption else 0
        return top, QFontMetrics(theme.numbers(theme.NUMBERS)).height()

    def sizeHint(self) -> QSize:
        unit = text_width(self._unit, theme.body()) + theme.px(theme.XS) if self._unit else 0
        number = text_width(self._number, theme.numbers(theme.NUMBERS)) + unit
        wide = max(number, text_width(self._caption, theme.caption()), theme.px(64))
        return QSize(wide + 2, sum(self._heights()))

    def minimumSizeHint(self) -> QSize:
        """The number whole; its unit and caption may be cut."""
        return QSize(text_width(self._number, theme.numbers(theme.NUMBERS)) + 2, sum(self._heights()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        t = self.colours()
        top, _ = self._heights()
        painter.setFont(theme.caption())
        painter.setPen(t.color("dim"))
        shown = elided(self._caption, theme.caption(), self.width())
        painter.drawText(QRectF(0, 0, self.width(), top), Qt.AlignmentFlag.AlignLeft, shown)
        font = theme.numbers(theme.NUMBERS)
        baseline = top + QFontMetrics(font).ascent()
        painter.setFont(font)
        painter.setPen(t.color(self._tone))
        painter.drawText(0, baseline, self._number)
        painter.setFont(theme.body())
        painter.setPen(t.color("dim"))
        painter.drawText(text_width(self._number, font) + theme.px(theme.XS), baseline, self._unit)


def clock_time(seconds: float | None) -> tuple[str, str]:
    """A time as number and unit, with as many figures as one can read while it runs."""
    if seconds is None:
        return "–", ""
    if seconds < 10:
        return f"{seconds:.3f}", "s"
    if seconds < 60:
        return f"{seconds:.1f}", "s"
    if seconds < 3600:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}", "min"
    return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d}", "h"
