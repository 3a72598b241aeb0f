"""Two plots of a race: outputs done over time, one curve a side, and the speed-up over the windows' stride.

pyqtgraph is loaded when there is first something to plot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from segviz.core.races import StrideSpeed
from segviz.gui import theme
from segviz.gui.drawings import plot_svg
from segviz.gui.race_words import Side
from segviz.gui.widgets.axes import paint_axes
from segviz.gui.widgets.segmented import Segmented

if TYPE_CHECKING:
    from pyqtgraph import PlotWidget

TIME, STRIDE = "time", "stride"
CHOICES = (
    (TIME, "Time", "Outputs done over seconds; a steep line is a fast side"),
    (STRIDE, "Stride", "How many times faster, for windows further and further apart, at the measured rate"),
)
LABELS = {TIME: ("seconds", "outputs"), STRIDE: ("stride of the windows, px", "times faster")}
Points = Mapping[Side, Sequence[tuple[float, float]]]  # (seconds, outputs)
TONES: dict[Side, str] = {Side.SLIDING_WINDOW: "warn", Side.ONE_BY_ONE: "bad", Side.FULLY_CONVOLUTIONAL: "accent"}


class RacePlot(QWidget):
    """The curves; nothing until `set_points` is called with some."""

    def __init__(self) -> None:
        super().__init__()
        self._points: Points = {}
        self._strides: Sequence[StrideSpeed] = ()
        self._plot: PlotWidget | None = None
        self._curves: dict[Side, Any] = {}
        self._factor: Any = None  # the curve of the speed-up
        self.choice = Segmented(CHOICES, "What is plotted")
        self.choice.changed.connect(lambda _: self._show())
        layout = self._column = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.choice)
        self.setMinimumWidth(theme.px(200))
        self.setAccessibleName("Plot of the race")

    def set_points(self, points: Points, strides: Sequence[StrideSpeed] = ()) -> None:
        """Show these curves; a side without points has none. `strides` are there when a race is done."""
        self._points, self._strides = points, strides
        self.choice.button(STRIDE).setEnabled(bool(strides))
        if not strides:
            self.choice.set_value(TIME)
        if any(points.values()) and self._plot is None:
            self._build()
        self._show()

    def _show(self) -> None:
        if self._plot is None:
            return
        timed = self.choice.value == TIME
        for side, curve in self._curves.items():
            found = self._points.get(side, ())
            curve.setData([seconds for seconds, _ in found], [outputs for _, outputs in found])
            curve.setVisible(timed and bool(found))
        self._factor.setData([found.stride for found in self._strides], [found.speedup for found in self._strides])
        self._factor.setVisible(not timed)
        for axis, label in zip(("bottom", "left"), LABELS[str(self.choice.value)], strict=True):
            self._plot.setLabel(axis, label)
        self._plot.getPlotItem().getViewBox().autoRange()
        self._plot.getPlotItem().enableAutoRange()

    def _build(self) -> None:
        import pyqtgraph

        self._plot = pyqtgraph.PlotWidget(background=None)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key does anything in it
        self._plot.setMouseEnabled(x=False, y=False)
        for axis in ("bottom", "left"):
            self._plot.getAxis(axis).enableAutoSIPrefix(False)
            self._plot.getAxis(axis).setTickDensity(0.6)
        for side in Side:
            self._curves[side] = self._plot.plot([], [])
        self._factor = self._plot.plot([], [], symbol="o", symbolSize=theme.px(6))
        self._column.addWidget(self._plot)
        self._paint()

    def svg(self) -> bytes:
        """The plot as a drawing; empty before there is one."""
        if self._plot is None:
            return b""
        across, up = LABELS[str(self.choice.value)]
        return plot_svg(self._plot, f"{up} over {across}".capitalize())

    def _paint(self) -> None:
        """The theme's colours and type."""
        if self._plot is None:
            return
        import pyqtgraph

        t = theme.tokens(self.palette())
        paint_axes(self._plot, t)
        for side, curve in self._curves.items():
            curve.setPen(pyqtgraph.mkPen(t.color(TONES[side]), width=2 * theme.text_factor()))
        self._factor.setPen(pyqtgraph.mkPen(t.color("accent"), width=2 * theme.text_factor()))
        self._factor.setSymbolBrush(t.color("accent"))
        self._factor.setSymbolPen(None)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self._paint()
