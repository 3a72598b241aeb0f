"""Rows of name, probability bar and value: the classes at the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from segviz.gui import theme
from segviz.gui.widgets.painted import Painted, elided, focus_ring, text_width

SHORTEST = 64  # length of a bar of probability 1 that long names leave, before `theme.px`
ROW = 22  # height of a row, before `theme.px`


class Bar(NamedTuple):
    """One row. `fraction` is the length of the bar, 0 to 1; `value` the text behind it.

    `key` is what `clicked` emits; `colour` is #rrggbb, empty for the accent.
    """

    name: str
    fraction: float
    value: str
    key: int = -1
    colour: str = ""


class BarRows(Painted):
    """Bars below one another. Keeps room for `rows` rows, so that a live list does not jump."""

    clicked = Signal(int)

    def __init__(self, rows: int = 5, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bars: tuple[Bar, ...] = ()
        self._rows = rows
        self._current = -1
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Probabilities")

    @property
    def bars(self) -> tuple[Bar, ...]:
        return self._bars

    def set_bars(self, bars: Sequence[Bar]) -> None:
        """Show these rows; silent."""
        bars = tuple(bars)
        if bars == self._bars:
            return
        self._bars = bars
        self._current = min(self._current, len(bars) - 1)
        self.setAccessibleDescription(", ".join(f"{bar.name} {bar.value}" for bar in bars))
        self.updateGeometry()
        self.update()

    def set_rows(self, rows: int) -> None:
        """Keep room for `rows` rows."""
        if rows != self._rows:
            self._rows = rows
            self.updateGeometry()

    def row_at(self, y: float) -> int:
        """The row at height `y` of the widget, -1 below the last."""
        row = int(y // theme.px(ROW))
        return row if 0 <= row < len(self._bars) else -1

    def sizeHint(self) -> QSize:
        return QSize(theme.px(240), theme.px(ROW) * max(self._rows, len(self._bars)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(140), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        t = self.colours()
        name_width, value_width = self._columns()
        height, gap, thick = theme.px(ROW), theme.px(theme.S), theme.px(8)
        left = name_width + gap
        length = max(0, self.width() - left - value_width - gap)
        for row, bar in enumerate(self._bars):
            top = row * height
            painter.setFont(theme.body())
            painter.setPen(t.color("text"))
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
            shown = elided(bar.name, theme.body(), name_width)
            painter.drawText(QRectF(0, top, name_width + 1, height), flags, shown)
            painter.setFont(theme.numbers())
            flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
            painter.drawText(QRectF(0, top, self.width(), height), flags, bar.value)
            painter.setPen(Qt.PenStyle.NoPen)
            track = QRectF(left, top + (height - thick) / 2, length, thick)
            painter.setBrush(t.color("raised"))
            painter.drawRoundedRect(track, 2, 2)
            track.setWidth(max(1.0, length * max(0.0, min(1.0, bar.fraction))))
            painter.setBrush(t.color("accent") if not bar.colour else bar.colour)
            painter.setPen(t.color("dim") if bar.colour else Qt.PenStyle.NoPen)  # pale colours show on light ground
            painter.drawRoundedRect(track, min(2.0, track.width() / 2), 2)
            if row == self._current and self.hasFocus():
                focus_ring(painter, QRectF(0, top, self.width(), height), t)

    def _columns(self) -> tuple[int, int]:
        """Widths of names and values: names take what they need, as long as the bars can still be told apart."""
        names = max((text_width(bar.name, theme.body()) + 1 for bar in self._bars), default=0)
        values = max((text_width(bar.value, theme.numbers()) for bar in self._bars), default=0)
        values = max(values, text_width("0.00", theme.numbers()))
        most = self.width() - values - 2 * theme.px(theme.S) - theme.px(SHORTEST)
        return max(min(theme.px(76), most), min(names, most)), values

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = self.row_at(event.pos().y())
            if row >= 0:
                QToolTip.showText(event.globalPos(), f"{self._bars[row].name}: {self._bars[row].value}", self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(QPointF(event.position()).y())
        if event.button() == Qt.MouseButton.LeftButton and row >= 0:
            self.clicked.emit(self._bars[row].key)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._current = max(0, self._current) if self._bars else -1
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if event.key() in steps and self._bars:
            self._current = max(0, min(len(self._bars) - 1, self._current + steps[Qt.Key(event.key())]))
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._current >= 0:
            self.clicked.emit(self._bars[self._current].key)
        else:
            super().keyPressEvent(event)
