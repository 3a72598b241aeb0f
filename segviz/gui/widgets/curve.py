"""A small plot: one curve of scores 0 to 1 over a few named steps, and a level to compare it with. Loads no numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from segviz.gui import theme
from segviz.gui.widgets.matrix import drawn
from segviz.gui.widgets.painted import Painted, elided, text_width

TICKS = (0.0, 0.5, 1.0)
DOT = 3.0  # radius


@dataclass(frozen=True, slots=True)
class Curve:
    """`points` are (step, score), None where there is no score; `level` is a score of its own with its name."""

    across: str = ""
    points: tuple[tuple[str, float | None], ...] = ()
    level: tuple[str, float] | None = None


class CurvePlot(Painted):
    """Paints a `Curve`, its steps evenly apart."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._curve = name, Curve()
        self.setAccessibleName(name)

    def set_curve(self, curve: Curve) -> None:
        """Show a curve; silent."""
        if curve != self._curve:
            self._curve = curve
            self.setAccessibleDescription(spoken(curve))
            self.setToolTip(spoken(curve))
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.px(240), theme.px(150))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(160), theme.px(90))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._paint(painter, QRectF(self.rect()))

    def svg(self) -> bytes:
        """The plot as a drawing."""
        return drawn(self.rect(), self._name, self.colours(), self._paint)

    def _paint(self, painter: QPainter, rect: QRectF) -> None:
        curve, t = self._curve, self.colours()
        if not curve.points:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.caption())
        line = QFontMetrics(theme.caption()).height()
        left = text_width("0.5", theme.caption()) + theme.px(theme.S)
        area = rect.adjusted(left, line / 2 + 1, -theme.px(theme.S), -2 * line - theme.px(theme.XS))
        self._axes(painter, area, t)
        if curve.level is not None:
            self._level(painter, area, curve.level, t)
        self._line(painter, area, t)

    def _axes(self, painter: QPainter, area: QRectF, t: theme.Tokens) -> None:
        line = QFontMetrics(theme.caption()).height()
        for tick in TICKS:
            y = _y(area, tick)
            painter.setPen(QPen(t.color("line"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(t.color("dim"))
            place = QRectF(0, y - line / 2, area.left() - theme.px(theme.XS), line)
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{tick:g}")
        free = area.left()
        for (name, _), x in zip(self._curve.points, _xs(area, len(self._curve.points)), strict=True):
            wide = text_width(name, theme.caption())
            if x - wide / 2 >= free - theme.px(theme.S):
                painter.drawText(
                    QRectF(x - wide, area.bottom() + 1, 2 * wide, line), Qt.AlignmentFlag.AlignCenter, name
                )
                free = x + wide / 2 + theme.px(theme.S)
        below = QRectF(0, area.bottom() + 1 + line, area.right(), line)
        text = elided(self._curve.across, theme.caption(), below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, text)

    def _level(self, painter: QPainter, area: QRectF, level: tuple[str, float], t: theme.Tokens) -> None:
        name, score = level
        y, line = _y(area, score), QFontMetrics(theme.caption()).height()
        painter.setPen(QPen(t.color("warn"), 1.5, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        above = score < 0.5
        place = QRectF(area.left() + theme.px(theme.XS), y - line - 1 if above else y + 1, area.width(), line)
        painter.setPen(t.color("warn"))
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft, f"{name} {score:.3f}")

    def _line(self, painter: QPainter, area: QRectF, t: theme.Tokens) -> None:
        xs = _xs(area, len(self._curve.points))
        points = [
            QPointF(x, _y(area, score))
            for x, (_, score) in zip(xs, self._curve.points, strict=True)
            if score is not None
        ]
        painter.setPen(QPen(t.color("accent"), 2 * theme.text_factor()))
        painter.drawPolyline(points)
        painter.setBrush(t.color("accent"))
        painter.setPen(Qt.PenStyle.NoPen)
        for point in points:
            painter.drawEllipse(point, theme.px(DOT), theme.px(DOT))


def spoken(curve: Curve) -> str:
    """The curve in words."""
    points = ", ".join(f"{name}: {'none' if score is None else f'{score:.3f}'}" for name, score in curve.points)
    level = f"; {curve.level[0]} {curve.level[1]:.3f}" if curve.level is not None else ""
    return f"{curve.across}: {points}{level}" if points else ""


def _y(area: QRectF, score: float) -> float:
    return area.bottom() - max(0.0, min(1.0, score)) * area.height()


def _xs(area: QRectF, count: int) -> Sequence[float]:
    step = area.width() / max(1, count)
    return [area.left() + (at + 0.5) * step for at in range(count)]
