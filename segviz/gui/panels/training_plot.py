"""Curves of training runs: a score over the steps, one colour a run, the newest on top.

pyqtgraph is loaded when there is first something to plot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log10
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from segviz.core.choices import Choice
from segviz.gui import theme
from segviz.gui.drawings import plot_svg
from segviz.gui.runs import Run
from segviz.gui.widgets.axes import paint_axes
from segviz.gui.widgets.segmented import Segmented

if TYPE_CHECKING:
    from pyqtgraph import PlotWidget

Points = list[tuple[float, float]]  # (step, value)
# Okabe-Ito's, a darker and a lighter form of each, so that a line is told from either panel.
DARK = ("#4da3ff", "#f0b429", "#5cc98f", "#e58fc0", "#ff7b72", "#b9a4ff")
LIGHT = ("#0b63ce", "#b36b00", "#17734a", "#a83279", "#c0262d", "#5b3fc4")


class Curve(Choice):
    """What is plotted over the steps."""

    LOSS = "loss", "Loss", "of the images that are learned from, mean of the last steps"
    ACCURACY = "accuracy", "Accuracy", "share named rightly: thin of what is learned from, thick of what is held out"
    MEAN_IOU = "mean-iou", "Mean IoU", "of held-out images, never trained on"


def _losses(run: Run) -> Points:
    return [(at.step, at.loss) for at in run.points]


def _accuracies(run: Run) -> Points:
    return [(at.step, at.accuracy) for at in run.points]


def _tested(name: str) -> Callable[[Run], Points]:
    def points(run: Run) -> Points:
        """Each test once, at the step that it was taken at."""
        found = {at.tested_at or at.step: getattr(at, name) for at in run.points if getattr(at, name) is not None}
        return sorted(found.items())

    return points


# Of each curve: the thin line and the thick one.
LINES: dict[Curve, tuple[Callable[[Run], Points], Callable[[Run], Points]]] = {
    Curve.LOSS: (lambda run: [], _losses),
    Curve.ACCURACY: (_accuracies, _tested("held_out")),
    Curve.MEAN_IOU: (lambda run: [], _tested("mean_iou")),
}


def colour_of(number: int, dark: bool) -> QColor:
    """The colour of run `number`, from 1 on."""
    colours = DARK if dark else LIGHT
    return QColor(colours[(number - 1) % len(colours)])


class TrainingPlot(QWidget):
    """One plot with the choice of its curve; nothing until there are points."""

    def __init__(self, first: Curve, choices: Sequence[Curve]) -> None:
        super().__init__()
        self._runs: tuple[Run, ...] = ()
        self._plot: PlotWidget | None = None
        self._items: dict[int, tuple[Any, Any]] = {}  # thin and thick line of a run's number
        self.choice = Segmented([(one, one.title, one.hint) for one in choices], "What is plotted over the steps")
        self.choice.set_value(first)
        self.choice.changed.connect(lambda _: self._show())
        self.log = QCheckBox("Logarithmic")
        self.log.setToolTip("Plot the loss on a logarithmic scale: equal factors are equally far apart")
        self.log.toggled.connect(lambda _: self._show())
        row = QHBoxLayout()
        row.setSpacing(theme.S)
        row.addWidget(self.choice)
        row.addWidget(self.log)
        row.addStretch(1)
        self.log.setVisible(Curve.LOSS in choices)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        room = QWidget()  # there before its plot
        self._room = QVBoxLayout(room)
        self._room.setContentsMargins(0, theme.S, 0, 0)
        column.addWidget(room, 1)
        self.setAccessibleName(f"Plot of training: {first.title}")

    @property
    def curve(self) -> Curve:
        chosen = self.choice.value
        assert isinstance(chosen, Curve)
        return chosen

    def set_runs(self, runs: tuple[Run, ...]) -> None:
        """Show the curves of these runs."""
        self._runs = runs
        if self._plot is None and any(run.points for run in runs):
            self._build()
        self._show()

    def _show(self) -> None:
        if self._plot is None:
            return
        logarithmic = self.log.isChecked() and self.curve is Curve.LOSS
        self._drop_gone()
        for run in self._runs:
            if run.number not in self._items:
                self._items[run.number] = self._plot.plot([], []), self._plot.plot([], [])
                self._paint()
            for item, points in zip(self._items[run.number], LINES[self.curve], strict=True):
                found = [(x, y) for x, y in points(run) if y == y and (y > 0 or not logarithmic)]
                ys = [log10(y) if logarithmic else y for _, y in found]
                item.setData([x for x, _ in found], ys, symbol="o" if len(found) == 1 else None)
        self._plot.getAxis("left").setLogMode(logarithmic)
        self._plot.setLabel("bottom", "step")
        self._plot.setLabel("left", self.curve.title.lower() if self.curve is not Curve.MEAN_IOU else "mean IoU")

    def _drop_gone(self) -> None:
        assert self._plot is not None
        for number in self._items.keys() - {run.number for run in self._runs}:
            for item in self._items.pop(number):
                self._plot.removeItem(item)

    def _build(self) -> None:
        import pyqtgraph

        self._plot = pyqtgraph.PlotWidget(background=None)
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setMouseEnabled(x=False, y=False)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        for axis in ("bottom", "left"):
            self._plot.getAxis(axis).enableAutoSIPrefix(False)
            self._plot.getAxis(axis).setTickDensity(0.6)
        self._plot.getPlotItem().layout.setContentsMargins(0, theme.px(theme.S), theme.px(theme.S), 0)
        self._plot.getAxis("left").setWidth(theme.px(56))  # two plots below each other have one edge
        self._room.addWidget(self._plot)
        self._paint()

    def _paint(self) -> None:
        """The theme's colours and type."""
        if self._plot is None:
            return
        import pyqtgraph

        t = theme.tokens(self.palette())
        paint_axes(self._plot, t)
        for number, (thin, thick) in self._items.items():
            colour = colour_of(number, t.dark)
            faint = QColor(colour)
            faint.setAlphaF(0.45)
            thin.setPen(pyqtgraph.mkPen(faint, width=theme.text_factor()))
            thick.setPen(pyqtgraph.mkPen(colour, width=2 * theme.text_factor()))
            for item in (thin, thick):
                item.setSymbolBrush(colour)
                item.setSymbolPen(None)
                item.setZValue(number)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self._paint()

    # ------------------------------------------------------------------------------ leaving

    def picture(self) -> QImage | None:
        """The plot as it is on the screen, twice as sharp; None before there is one."""
        if self._plot is None:
            return None
        image = QImage(self._plot.size() * 2, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(2)
        image.fill(theme.tokens(self.palette()).color("panel"))
        self._plot.render(image)
        return image

    def svg(self) -> bytes:
        """The plot as a drawing; empty before there is one."""
        if self._plot is None:
            return b""
        return plot_svg(self._plot, f"{self.curve.title} over steps: {', '.join(run.name for run in self._runs)}")
