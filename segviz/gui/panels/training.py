"""The training laboratory: choose a recipe, start, watch it learn, pause and go on, open what came out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from segviz.core.choices import TrainingPage
from segviz.core.errors import SegvizError
from segviz.gui import gestures, kinds, theme, training_words
from segviz.gui.names import sentence
from segviz.gui.panels.base import Area
from segviz.gui.panels.header import HeaderLine
from segviz.gui.panels.training_form import TrainingForm
from segviz.gui.panels.training_stage import TrainingStage, primary
from segviz.gui.runs import ACTIVE, ENDING, HALTED, Phase, Run, Training
from segviz.gui.scene import Scene, Tab
from segviz.gui.widgets.clock import Clock
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.core.learning import TrainingResult
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

MAIN = {  # what the primary button does in each phase
    Phase.IDLE: ("Start", "Train by the recipe with what is chosen beside; the process starts with the first run"),
    Phase.STARTING: ("Pause", "Stop after this step, with a checkpoint"),
    Phase.RUNNING: ("Pause", "Stop after this step, with a checkpoint; going on gives the same numbers"),
    Phase.PAUSING: ("Pausing…", "The step under way comes to its end"),
    Phase.STOPPING: ("Stopping…", "The step under way comes to its end"),
    Phase.FINISHING: ("Testing…", "What was learned until now is tested, and its weights can be opened then"),
    Phase.PAUSED: ("Go on", "Go on from the checkpoint; the numbers are those of a run without a pause"),
    Phase.WAITING: ("Go on", "It goes on by itself once the race has ended, whose clocks must run alone"),
    Phase.STOPPED: ("Stopped", "What was learned until now is tested once the race has ended"),
}
STOP = (
    "End this run for good: what it has learned is tested and its weights can be opened and saved; its checkpoint goes"
)
WIDE = 204  # of the column of buttons, before `theme.px`
WEIGHTS = "Weights (*.safetensors)"


class Clocks(QWidget):
    """Numbers side by side: as many as fit uncut, the most telling first; the legend of the curves has them, too."""

    def __init__(self, clocks: tuple[Clock, ...]) -> None:
        super().__init__()
        self._clocks = clocks
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.M)
        for clock in clocks:
            row.addWidget(clock)
        row.addStretch(1)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._clocks[0].sizeHint().width(), self._clocks[0].sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    def fit(self) -> None:
        """Hide those that there is no room for."""
        room = self.width()
        for clock in self._clocks:
            room -= clock.sizeHint().width()
            clock.setVisible(clock is self._clocks[0] or room >= 0)
            room -= theme.px(theme.M)


class TrainingPanel:
    """Controls and results in the workbench; curves, samples and maps on the stage."""

    id = Tab.TRAINING.value
    title = "Training"
    area = Area.WORKBENCH

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session, self._commands = session, commands
        self._training = Training()
        self._page = TrainingPage.IMAGE
        self._shown: object = None
        self.widget = QWidget()
        self.widget.setObjectName("panel-training")
        theme.set_surface(self.widget, "panel")
        self.training_stage = TrainingStage()
        self.stage: QWidget | None = self.training_stage
        self.form = TrainingForm()
        self.main = primary(QPushButton())
        self._returns = False  # the keyboard, to `main` as soon as it can be pressed again
        self.again = QPushButton("Start anew")
        self.again.setToolTip("Begin another run with what is chosen; the paused one can go on later")
        self.stop = QPushButton("Stop")
        self.stop.setToolTip(STOP)
        self.progress = WrappedLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress of training")
        self.left = QPushButton()
        theme.set_kind(self.left, "link")
        self.left_at = ElidedLabel()
        theme.set_role(self.left_at, "caption")
        self.forget = flat_button("x", "Forget this unfinished run")
        self.clocks = {name: Clock(name) for name in ("loss", "mean IoU", "held out", "accuracy")}
        self.numbers = Clocks(tuple(self.clocks.values()))
        self.result = WrappedLabel()
        self.open = QPushButton("Open this network")
        self.open.setToolTip("Show the network with the weights that were just trained in the window")
        self.save = QPushButton("Save as…")
        self.save.setToolTip("Save the weights as a safetensors file")
        self.save.setAccessibleName("Save weights as")
        self.header: QWidget | None = self._make_header()
        self._arrange()
        self._connect()
        self._show_words()

    # --------------------------------------------------------------------------------- making

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        self.page = Segmented([(page, page.title, page.hint) for page in TrainingPage], "What is shown above")
        line.add(self.page)
        line.row.addStretch(1)
        self.copy = line.button("copy", "Copy what is shown above as a picture", self._copy)
        self.picture = line.button("download", "Save what is shown above as PNG", self._save_picture)
        self.svg = QPushButton("SVG")
        self.svg.setToolTip("Save the curves of the loss and of the score as SVG")
        self.csv = QPushButton("CSV")
        self.csv.setToolTip("Save the curves of all runs as a table")
        for button in (self.svg, self.csv):
            button.setAccessibleName(button.toolTip())
            line.add(button)
        return line

    def _arrange(self) -> None:
        theme.set_role(self.progress, "caption")
        theme.set_role(self.result, "dim")
        row = QHBoxLayout()
        row.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        row.setSpacing(theme.L)
        controls = QWidget()
        controls.setLayout(self._controls())
        controls.setFixedWidth(theme.px(WIDE))
        row.addWidget(controls)
        middle = QVBoxLayout()
        middle.addWidget(self.form)
        middle.addStretch(1)
        row.addLayout(middle, 5)
        row.addLayout(self._results(), 3)
        column = QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        assert self.header is not None
        column.addWidget(self.header)
        column.addLayout(row, 1)

    def _controls(self) -> QVBoxLayout:
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.XS)
        buttons.addWidget(self.again)
        buttons.addWidget(self.stop)
        unfinished = QHBoxLayout()
        unfinished.setSpacing(0)
        unfinished.addWidget(self.left)
        unfinished.addWidget(self.forget)
        unfinished.addStretch(1)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addWidget(self.main)
        column.addLayout(buttons)
        column.addWidget(self.bar)
        column.addWidget(self.progress)
        column.addLayout(unfinished)
        column.addWidget(self.left_at)
        column.addStretch(1)
        return column

    def _results(self) -> QVBoxLayout:
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.S)
        buttons.addWidget(self.open)
        buttons.addWidget(self.save)
        buttons.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(theme.XS)
        column.addWidget(self.numbers)
        column.addLayout(buttons)
        column.addWidget(self.result, 1)
        self.result.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.result.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        return column

    def _connect(self) -> None:
        self.main.clicked.connect(self._start_or_pause)
        self.again.clicked.connect(lambda: self._commands.training.start(self._session.state.train))
        self.stop.clicked.connect(lambda: self._commands.training.stop())
        self.left.clicked.connect(lambda: self._commands.training.resume(self._training.left[0]))
        self.forget.clicked.connect(lambda: self._commands.training.forget(self._training.left[0]))
        self.page.changed.connect(lambda page: self._session.update(training_page=page))
        self.form.classes_wanted.connect(lambda: self._session.update(training_page=TrainingPage.CLASSES))
        self.form.changed.connect(lambda request: self._session.update(train=request))
        self.training_stage.dropped.connect(lambda number: self._commands.training.drop(number))
        self.training_stage.classes.changed.connect(self._reweigh)
        self.training_stage.weight_map.weighting.connect(lambda w_0, sigma: self._session.update(w_0=w_0, sigma=sigma))
        self.svg.clicked.connect(self._save_drawings)
        self.csv.clicked.connect(lambda: self._commands.save_table(self._rows(), "training"))
        self.open.clicked.connect(lambda: self._open(self._training.run))
        self.save.clicked.connect(lambda: self._save_weights(self._training.run))
        self.training_stage.opened.connect(lambda number: self._open(self._training.of(number)))
        self.training_stage.saved.connect(lambda number: self._save_weights(self._training.of(number)))

    # ------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        shown = new.state.training_page, new.state.w_0, new.state.sigma, new.state.train
        if old is not None and old.training is new.training and shown == self._shown:
            return
        self._shown, self._page = shown, new.state.training_page
        self._training = new.training
        self.form.show_request(new.state.train)
        self._show_words()
        self._show_stage()

    def _show_stage(self) -> None:
        if self._page is not TrainingPage.IMAGE:
            self.training_stage.weight_map.show_weighting(self._session.state.w_0, self._session.state.sigma)
            self.training_stage.show_training(self._training, self._page, self.form.request)

    def _show_words(self) -> None:
        training = self._training
        text, tip = MAIN[training.phase]
        self.main.setText(text)
        self.main.setToolTip(tip)
        self._enable_main(training.phase is not Phase.PAUSING and training.phase not in ENDING)
        self.again.setVisible(training.phase in HALTED)
        self.stop.setVisible(training.phase in ACTIVE | HALTED)
        self.progress.say(training_words.progress(training))
        self._show_bar(training)
        self._show_left(training)
        self._show_run(training.run)
        self.page.set_value(self._page)
        there = self._page is not TrainingPage.IMAGE
        for part in (self.copy, self.picture):
            part.setEnabled(there)
        for button in (self.svg, self.csv):
            button.setEnabled(any(run.points for run in training.runs))
        self.svg.setVisible(self._page is not TrainingPage.WEIGHT_MAP)

    def _enable_main(self, enabled: bool) -> None:
        """The keyboard waits where it is: it never goes on to the button beside it, which ends the run."""
        if self.main.hasFocus() and not enabled:
            self.main.clearFocus()
            self._returns = True
        self.main.setEnabled(enabled)
        if enabled and self._returns:
            self._returns = False
            if self.widget.window().focusWidget() is None:
                self.main.setFocus()

    def _show_bar(self, training: Training) -> None:
        at = training.run.newest if training.run is not None else None
        self.bar.setRange(0, at.steps if at is not None else 1)
        self.bar.setValue(at.step if at is not None else 0)
        self.bar.setVisible(training.phase in ACTIVE | HALTED)

    def _show_left(self, training: Training) -> None:
        """Offer the newest run that an earlier window left, while none is under way here."""
        shown = bool(training.left) and training.phase not in ACTIVE
        for part in (self.left, self.forget, self.left_at):
            part.setVisible(shown)
        if shown:
            self.left.setText(training_words.going_on(training.left[0]))
            self.left_at.setText(training_words.left_at(training.left[0]))
            self.left.setToolTip(training_words.about(training.left[0]))

    def _show_run(self, run: Run | None) -> None:
        at = run.newest if run is not None else None
        numbers = {
            "loss": at and f"{at.loss:.3g}",
            "accuracy": at and training_words.share(at.accuracy),
            "held out": at and at.held_out is not None and training_words.share(at.held_out),
            "mean IoU": at and at.mean_iou is not None and f"{at.mean_iou:.3f}",
        }
        for name, clock in self.clocks.items():
            clock.set_number(numbers[name] or "–")
        self.numbers.setVisible(run is not None)
        self.numbers.fit()
        over = run is not None and self._training.phase not in ACTIVE
        resting = self._training.phase in HALTED  # said beside the buttons
        ended = training_words.ended(run) if run is not None and over else ""
        self.result.say(sentence(run.trouble) if run is not None and resting else ended)
        theme.set_role(self.result, "bad" if run is not None and over and run.trouble else "dim")
        there = run is not None and run.result is not None and run.result.out is not None
        for button in (self.open, self.save):
            button.setVisible(there)

    def hover(self, point: tuple[float, float] | None) -> None:
        """Nothing: training does not depend on the image."""

    def wants_stage(self, scene: Scene) -> bool:
        return scene.state.training_page is not TrainingPage.IMAGE and scene.state.tab == self.id

    # ------------------------------------------------------------------------------ gestures

    def _start_or_pause(self) -> None:
        if self._training.phase is Phase.IDLE:
            self._commands.training.start(self._session.state.train)
        elif self._training.phase in HALTED:
            self._commands.training.go_on()
        else:
            self._commands.training.pause()

    def _reweigh(self, weights: tuple[float, ...] | None) -> None:
        self._session.update(train=replace(self._session.state.train, class_weights=weights))

    def _open(self, run: Run | None) -> None:
        if run is None or run.result is None or run.result.out is None:
            return
        try:
            changes = gestures.use_network(self._session.state, network_of(run.result))
        except SegvizError as error:
            self.result.say(str(error))
            return
        self._commands.training.keep(run)
        self._session.update(**changes, training_page=TrainingPage.IMAGE)

    # -------------------------------------------------------------------------------- leaving

    def _save_weights(self, run: Run | None) -> None:
        if run is not None and run.result is not None and run.result.out is not None:
            source = Path(run.result.out)
            self._commands.save_with(f"{run.request.recipe}.safetensors", WEIGHTS, lambda place: _copy(source, place))

    def _copy(self) -> None:
        self._commands.copy_image(self.training_stage.picture())

    def _save_picture(self) -> None:
        self._commands.save_image(self.training_stage.picture(), f"training-{self._page.value}")

    def _save_drawings(self) -> None:
        """The plot of the loss; that of the score lies beside it."""
        from segviz.core import export

        loss, score = self.training_stage.loss.svg(), self.training_stage.score.svg()

        def write(place: Path) -> None:
            export.replace_file(place, lambda part: part.write_bytes(loss))
            beside = place.with_name(f"{place.stem}-score{place.suffix}")
            export.replace_file(beside, lambda part: part.write_bytes(score))

        self._commands.save_with("training.svg", kinds.SVG, write)

    def _rows(self) -> list[list[object]]:
        return training_words.curve_rows(self._training.runs)


def network_of(result: TrainingResult) -> str:
    """The model spec of the network that was trained: the file of its weights, and whose they are."""
    from segviz.core.specs import of_file, parse

    assert result.out is not None
    spec = parse(of_file(result.out))
    return str(spec.with_option("arch", result.network) if result.network else spec)


def _copy(source: Path, place: Path) -> None:
    from segviz.core import export

    export.replace_file(place, lambda part: shutil.copyfile(source, part))
