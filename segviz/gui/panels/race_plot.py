"""Outputs done over time, one curve a side. pyqtgraph is loaded when there is first something to plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QBuffer, QEvent
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from segviz.gui import theme
from segviz.gui.race_words import Side

if TYPE_CHECKING:
    from pyqtgraph import PlotWidget

Points = Mapping[Side, Sequence[tuple[float, float]]]  # (seconds, outputs)
TONES: dict[Side, str] = {Side.SLIDING_WINDOW: "warn", Side.ONE_BY_ONE: "bad", Side.FULLY_CONVOLUTIONAL: "accent"}


class RacePlot(QWidget):
    """The curves; nothing until `set_points` is called with some."""

    def __init__(self) -> None:
        super().__init__()
        self._points: Points = {}
        self._plot: PlotWidget | None = None
        self._curves: dict[Side, Any] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.setMinimumWidth(theme.px(200))
        self.setAccessibleName("Outputs over time")
        self.setToolTip("Outputs done over seconds; a steep line is a fast side")

    def set_points(self, points: Points) -> None:
        """Show these curves; a side without points has none."""
        self._points = points
        if any(points.values()) and self._plot is None:
            self._build()
        for side, curve in self._curves.items():
            found = points.get(side, ())
            curve.setData([seconds for seconds, _ in found], [outputs for _, outputs in found])
            curve.setVisible(bool(found))

    def _build(self) -> None:
        import pyqtgraph

        self._plot = pyqtgraph.PlotWidget(background=None)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.setLabel("bottom", "seconds")
        self._plot.setLabel("left", "outputs")
        for axis in ("bottom", "left"):
            self._plot.getAxis(axis).enableAutoSIPrefix(False)
            self._plot.getAxis(axis).setTickDensity(0.6)
        for side in Side:
            self._curves[side] = self._plot.plot([], [])
        self.layout().addWidget(self._plot)
        self._paint()

    def svg(self) -> bytes:
        """The plot as a drawing; empty before there is one."""
        if self._plot is None:
            return b""
        from PySide6.QtSvg import QSvgGenerator

        buffer = QBuffer()
        drawing = QSvgGenerator()  # pyqtgraph's own exporter stumbles over curves of two points
        drawing.setOutputDevice(buffer)
        drawing.setSize(self._plot.size())
        drawing.setViewBox(self._plot.rect())
        drawing.setResolution(self._plot.logicalDpiX())  # or the axes, which are recorded, shrink beside the curves
        drawing.setTitle("Outputs over seconds")
        painter = QPainter(drawing)
        painter.fillRect(self._plot.rect(), theme.tokens(self.palette()).color("panel"))
        self._plot.render(painter)
        painter.end()
        return buffer.data().data()

    def _paint(self) -> None:
        """The theme's colours and type."""
        if self._plot is None:
            return
        import pyqtgraph

        t = theme.tokens(self.palette())
        self._plot.setBackground(t.panel)
        for name in ("bottom", "left"):
            axis = self._plot.getAxis(name)
            axis.setPen(pyqtgraph.mkPen(t.line))
            axis.setTextPen(pyqtgraph.mkPen(t.dim))
            axis.setTickFont(theme.caption())
            axis.label.setFont(theme.caption())
        for side, curve in self._curves.items():
            curve.setPen(pyqtgraph.mkPen(t.color(TONES[side]), width=2 * theme.text_factor()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self._paint()
