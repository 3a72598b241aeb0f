"""The laboratory at full size: curves and samples, the table of class weights, U-Net's weight map."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from segviz.core.choices import TrainingPage
from segviz.core.learning import TrainingSamples, TrainRequest
from segviz.gui import theme, training_words, words
from segviz.gui.panels.training_classes import ClassWeights
from segviz.gui.panels.training_plot import Curve, TrainingPlot, colour_of
from segviz.gui.panels.training_weights import WeightMapView
from segviz.gui.runs import Run, Training
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.painted import Painted
from segviz.gui.widgets.sample_sheet import SampleSheet
from segviz.gui.workbench import Pages

NOTHING_YET = "The samples appear here once the network has answered them for the first time."
IDLE = "No run yet. Choose a recipe below and press Start: curves and samples appear here as the network learns."


class Dash(Painted):
    """The colour of a run's curves."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.setFixedSize(theme.px(16), theme.px(theme.CONTROL))

    def sizeHint(self) -> QSize:
        return QSize(theme.px(16), theme.px(theme.CONTROL))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        tall = theme.px(3)
        line = QRectF(0, (self.height() - tall) / 2, self.width(), tall)
        painter.fillRect(line, colour_of(self._number, self.colours().dark))


class RunRow(QWidget):
    """A run in the legend: its colour, name and newest numbers; shown or not; its weights; taken out."""

    toggled = Signal()
    dropped = Signal(int)
    opened = Signal(int)
    saved = Signal(int)

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.number = run.number
        self.name = ElidedLabel(run.name)
        self.numbers = ElidedLabel()
        theme.set_role(self.numbers, "caption")
        self.eye: QToolButton = flat_button("eye", f"Show the curves of {run.name}")
        self.eye.setCheckable(True)
        self.eye.setChecked(True)
        self.eye.toggled.connect(self._toggle)
        self.gone: QToolButton = flat_button("x", f"Take {run.name} out of the curves")
        self.gone.clicked.connect(lambda: self.dropped.emit(self.number))
        self.open = flat_button("photo", f"Open the network that {run.name} has trained")
        self.open.clicked.connect(lambda: self.opened.emit(self.number))
        self.save = flat_button("download", f"Save the weights of {run.name}")
        self.save.clicked.connect(lambda: self.saved.emit(self.number))
        row = QHBoxLayout()
        row.setSpacing(theme.XS)
        row.addWidget(Dash(run.number))
        row.addWidget(self.name, 1)
        for button in (self.open, self.save, self.eye, self.gone):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.numbers)
        for label in (self.name, self.numbers):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def _toggle(self, shown: bool) -> None:
        theme.set_icon(self.eye, "eye" if shown else "eye-off")
        self.toggled.emit()

    def show_run(self, run: Run, current: bool) -> None:
        at = run.newest
        parts = [] if at is None else [f"step {words.count(at.step)}", f"loss {at.loss:.3g}"]
        if at is not None and at.mean_iou is not None:
            parts.append(f"mean IoU {at.mean_iou:.3f}")
        elif at is not None and at.held_out is not None:
            parts.append(f"held out {training_words.share(at.held_out)}")
        self.numbers.setText(" · ".join(parts))
        self.gone.setVisible(not current)
        for button in (self.open, self.save):
            button.setVisible(run.result is not None and run.result.out is not None)


class TrainingStage(QWidget):
    """The pages. `dropped`, `opened` and `saved` carry the number of a run: to leave the curves, its weights."""

    dropped = Signal(int)
    opened = Signal(int)
    saved = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        theme.set_surface(self, "panel")
        self.loss = TrainingPlot(Curve.LOSS, (Curve.LOSS,))
        self.score = TrainingPlot(Curve.ACCURACY, (Curve.ACCURACY, Curve.MEAN_IOU))
        self.sheet = SampleSheet("What the network answers on samples that stay the same")
        self.bars = {name: ColourBar() for name in ("weights", "gradient")}
        self.at_step = ElidedLabel()
        theme.set_role(self.at_step, "title")
        self.note = QLabel(IDLE)
        self.note.setWordWrap(True)
        theme.set_role(self.note, "dim")
        self.classes = ClassWeights()
        self.weight_map = WeightMapView()
        self.rows: dict[int, RunRow] = {}
        self._legend = QVBoxLayout()
        self._legend.setSpacing(0)
        self._training = Training()
        self._samples: TrainingSamples | None = None
        self.pages = Pages()
        for page in (self._curves(), self.classes, self.weight_map):
            self.pages.addWidget(page)
        self._places = {TrainingPage.CURVES: 0, TrainingPage.CLASSES: 1, TrainingPage.WEIGHT_MAP: 2}
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        column.addWidget(self.pages)

    def _curves(self) -> QWidget:
        page = QWidget()
        left, right = QVBoxLayout(), QVBoxLayout()
        for column in (left, right):
            column.setSpacing(theme.XS)
        left.addWidget(self.loss, 1)
        left.addWidget(self.score, 1)
        left.addLayout(self._legend)
        right.addWidget(self.at_step)
        right.addWidget(self.note)
        right.addWidget(self.sheet, 1)
        for bar in self.bars.values():
            right.addWidget(bar)
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.L)
        for column in (left, right):  # about half the stage, whatever is in it
            half = QWidget()
            half.setLayout(column)
            column.setContentsMargins(0, 0, 0, 0)
            half.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            row.addWidget(half, 6 if column is left else 5)
        for part in (self.loss, self.score, self.sheet):
            part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        return page

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.px(400), theme.px(240))

    # ------------------------------------------------------------------------------- showing

    def show_training(self, training: Training, page: TrainingPage, request: TrainRequest) -> None:
        """Show a page and the runs of `training`; `request` is what the next run will be asked for."""
        runs_differ = training.runs is not self._training.runs
        self._training = training
        if runs_differ:
            self._show_rows(training)
            self._show_plots()
            self._show_samples(training)
        asked = request.recipe, request.data  # others may have other classes
        same = (run.samples for run in reversed(training.runs) if (run.request.recipe, run.request.data) == asked)
        self.classes.show_weights(next(same, None), request.class_weights)
        self.pages.setCurrentIndex(self._places.get(page, 0))
        self.weight_map.set_seen(page is TrainingPage.WEIGHT_MAP)

    def _show_rows(self, training: Training) -> None:
        for number in self.rows.keys() - {run.number for run in training.runs}:
            row = self.rows.pop(number)
            self._legend.removeWidget(row)
            row.deleteLater()
        for run in training.runs:
            if run.number not in self.rows:
                row = self.rows[run.number] = RunRow(run)
                row.toggled.connect(self._show_plots)
                row.dropped.connect(self.dropped)
                row.opened.connect(self.opened)
                row.saved.connect(self.saved)
                self._legend.addWidget(row)
            self.rows[run.number].show_run(run, run is training.run)

    def _show_plots(self) -> None:
        runs = tuple(run for run in self._training.runs if self.rows[run.number].eye.isChecked())
        for plot in (self.loss, self.score):
            plot.set_runs(runs)
        measures_iou = any(at.mean_iou is not None for run in runs for at in run.points[-1:])
        self.score.choice.button(Curve.MEAN_IOU).setEnabled(measures_iou)

    def _show_samples(self, training: Training) -> None:
        run = training.run
        samples = run.samples if run is not None else None
        self.note.setText(IDLE if run is None else NOTHING_YET)
        self.note.setVisible(samples is None)
        self.sheet.setVisible(samples is not None)
        self.at_step.setVisible(samples is not None)
        for name, bar in self.bars.items():
            bar.setVisible(samples is not None and getattr(samples, name) is not None)
        if samples is None or samples is self._samples:
            return
        from segviz.gui.panels import training_samples

        self._samples = samples
        self.at_step.setText(f"Samples after step {words.count(samples.step)}")
        training_samples.show(self.sheet, samples)
        for name, bar in self.bars.items():
            if getattr(samples, name) is not None:
                training_samples.show_scale(bar, samples, name)

    # ------------------------------------------------------------------------------- leaving

    def picture(self) -> QImage:
        """The page as it is on the screen, twice as sharp."""
        page = self.pages.currentWidget()
        assert page is not None
        image = QImage(page.size() * 2, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(2)
        image.fill(theme.tokens(self.palette()).color("panel"))
        page.render(image)
        return image


def primary(button: QPushButton) -> QPushButton:
    theme.set_kind(button, "primary")
    button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
