"""A small legend on one line: swatches with names, as many as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from segviz.gui import theme
from segviz.gui.widgets.painted import Painted, elided, text_width

LONGEST = 110  # width of a name, before `theme.px`


class Swatches(Painted):
    """(name, #rrggbb) pairs, right-aligned; those that do not fit are in the tooltip alone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[tuple[str, str], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_entries(self, entries: Sequence[tuple[str, str]]) -> None:
        """Show these classes, the most important first; silent."""
        if tuple(entries) != self._entries:
            self._entries = tuple(entries)
            names = ", ".join(name for name, _ in entries)
            self.setToolTip(names)
            self.setAccessibleName(f"Legend: {names}" if names else "Legend")
            self.updateGeometry()
            self.update()

    def _width(self, name: str) -> int:
        return theme.px(10 + 5 + 10) + min(theme.px(LONGEST), text_width(name, theme.caption()) + 1)

    def sizeHint(self) -> QSize:
        return QSize(sum(self._width(name) for name, _ in self._entries), theme.px(theme.CONTROL))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, theme.px(theme.CONTROL))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.caption())
        t = self.colours()
        shown, used = [], 0
        for name, colour in self._entries:
            used += self._width(name)
            if used > self.width():
                used -= self._width(name)
                break
            shown.append((name, colour))
        x, side = self.width() - used, theme.px(10)
        for name, colour in shown:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colour))
            x += theme.px(10)
            painter.drawRoundedRect(QRectF(x, (self.height() - side) / 2, side, side), 2, 2)
            x += side + theme.px(5)
            room = self._width(name) - theme.px(25)
            painter.setPen(t.color("text"))
            text = elided(name, theme.caption(), room + 1)
            painter.drawText(QRectF(x, 0, room + 1, self.height()), Qt.AlignmentFlag.AlignVCenter, text)
            x += room
