"""The race of sliding window against fully convolutional network: settings, clocks, table, plot, stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from segviz.core.planning import plan_race
from segviz.gui import gestures, kinds, race_words, tables, theme
from segviz.gui.names import sentence
from segviz.gui.panels.base import Area
from segviz.gui.panels.header import HeaderLine
from segviz.gui.panels.race_film import film
from segviz.gui.panels.race_plot import RacePlot
from segviz.gui.panels.race_stage import RaceStage
from segviz.gui.panels.race_table import ResultTable, StridePill
from segviz.gui.race_words import Side
from segviz.gui.scene import Kind, Scene, Tab
from segviz.gui.widgets.elided import ElidedLabel

if TYPE_CHECKING:
    from segviz.core.races import RaceResult, RaceUpdate
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

NOTES = 30  # height that the notes below the table get at least, before `theme.px`: two lines, the rest as tooltip
FRAME = 33  # ms: the window's box moves at most 30 times a second
FILMED = 40  # frames of the animated GIF
Curves = dict[Side, list[tuple[float, float]]]  # (seconds, outputs)
KEPT = 240  # points of each side's curve
Item = TypeVar("Item")
EXPLANATION = (
    "The sliding window classifies a crop at every position of the grid; the fully convolutional network "
    "answers the same grid at once. Same image, same device, warm-up outside the clock."
)


class Bench(QWidget):
    """What stands side by side in the panel, the plot last: it is there only where there is room for it."""

    def __init__(self, plot: QWidget) -> None:
        super().__init__()
        self.row = QHBoxLayout(self)
        self._plot, self._wanted = plot, False

    def show_plot(self, wanted: bool) -> None:
        self._wanted = wanted
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return self.row.minimumSize() - QSize(0 if self._plot.isHidden() else self._plot_width(), 0)

    def _plot_width(self) -> int:
        return self._plot.minimumWidth() + self.row.spacing()

    def _fit(self) -> None:
        room = self.width() - self.minimumSizeHint().width()
        self._plot.setVisible(self._wanted and room >= self._plot_width())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()


class Notes(QLabel):
    """Words in the room that is left: a wrapped label asks for the height that it needs, over what stands above."""

    def hasHeightForWidth(self) -> bool:
        return False


class RacePanel:
    """Starts a race, shows it while it runs, and says what came out."""

    id = Tab.RACE.value
    title = "Race"
    area = Area.WORKBENCH

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self._painted: Scene | None = None
        self._points: Curves = {side: [] for side in Side}
        self._frames: list[RaceUpdate] = []
        self.plot = RacePlot()
        self.widget = Bench(self.plot)
        self.widget.setObjectName("panel-race")
        theme.set_surface(self.widget, "panel")
        self.race_stage = RaceStage()
        self.stage: QWidget | None = self.race_stage
        self.header: QWidget | None = None
        self._next = QTimer(self.widget)
        self._next.setSingleShot(True)
        self._next.setInterval(FRAME)
        self._next.timeout.connect(self._paint)
        self.start = QPushButton("Start the race")
        self.stride = StridePill(self._choose_stride)
        self.progress = QLabel()
        self.table = ResultTable()
        self.notes = Notes()
        self._facts = QGridLayout()
        self.fact_labels: dict[str, ElidedLabel] = {}
        self._arrange()
        self._connect()

    # --------------------------------------------------------------------------------- making

    def _arrange(self) -> None:
        row = self.widget.row
        row.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        row.setSpacing(theme.L)
        row.addLayout(self._settings())
        row.addLayout(self._results(), 5)
        self._facts.setHorizontalSpacing(theme.M)
        self._facts.setVerticalSpacing(theme.XS)
        self._facts.setColumnStretch(1, 1)
        beside = QVBoxLayout()
        beside.addLayout(self._facts)
        beside.addStretch(1)
        row.addLayout(beside, 4)
        row.addWidget(self.plot, 3)
        self.widget.show_plot(False)
        stage = self.race_stage.footer
        self._copy = stage.button("copy", "Copy the race as a picture", self._copy_picture)
        self._save = stage.button("download", "Save the race as PNG", self._save_picture)
        self._drawing = QPushButton("SVG")
        self._drawing.setToolTip("Save the plot as SVG")
        self._drawing.setAccessibleName("Save the plot as SVG")
        self._drawing.clicked.connect(self._save_drawing)
        stage.add(self._drawing)
        self._film = QPushButton("GIF")
        self._film.setToolTip("Save the race as an animated GIF")
        self._film.setAccessibleName("Save the race as an animated GIF")
        self._film.clicked.connect(self._save_film)
        stage.add(self._film)

    def _settings(self) -> QVBoxLayout:
        theme.set_kind(self.start, "primary")
        self.start.setAccessibleName("Start or stop the race")
        theme.set_role(self.progress, "caption")
        self.progress.setWordWrap(True)
        column = QVBoxLayout()
        column.setSpacing(theme.XS)
        self.start.setMinimumWidth(theme.px(168))
        for part in (self.start, self.stride, self.progress):
            column.addWidget(part)
        column.addStretch(1)
        return column

    def _results(self) -> QVBoxLayout:
        self.notes.setWordWrap(True)
        theme.set_role(self.notes, "caption")
        line = HeaderLine()
        line.row.setContentsMargins(0, 0, 0, 0)
        line.add(self.notes, 1)
        self._copy_table = line.button("copy", "Copy the results as a table", self._copy_results)
        self._save_table = line.button("download", "Save the results as CSV", self._save_results)
        self.notes.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.notes.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored)
        self.notes.setMinimumHeight(theme.px(NOTES))
        line.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        for button in (self._copy_table, self._save_table):  # their room is kept: the words beside wrap alike
            kept = button.sizePolicy()
            kept.setRetainSizeWhenHidden(True)
            button.setSizePolicy(kept)
            line.row.setAlignment(button, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(theme.XS)
        column.addWidget(self.table)
        column.addWidget(line, 1)
        return column

    def _connect(self) -> None:
        self.start.clicked.connect(self._start_or_stop)
        self.race_stage.difference_wanted.connect(lambda _: self._paint(force=True))

    # ------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene = new
        self._collect(new)
        self._show_settings(new)
        if old is None or old.race is not new.race or old.race_updates is not new.race_updates:
            self._show_numbers(new)
        if new.race_updates and self._next.isActive():
            return  # painted when the frame is due
        self._paint()
        if new.race_updates:
            self._next.start()

    def _collect(self, scene: Scene) -> None:
        """Points of the curves and frames of the film, from the updates as they pass."""
        if not scene.race_updates:
            if scene.race is None:
                self._points = {side: [] for side in Side}
                self._frames = []
            return
        for update in scene.race_updates:
            points = self._points[Side(update.side)]
            if points and update.seconds < points[-1][0]:
                self._points = {side: [] for side in Side}  # another race has begun
                self._frames = []
                points = self._points[Side(update.side)]
            if not points or points[-1][0] != update.seconds:
                points.append((update.seconds, float(update.partial.progress.done)))
                self._frames.append(update)
                self._points[Side(update.side)] = thinned(points, KEPT)
                self._frames = thinned(self._frames, KEPT)

    def _paint(self, force: bool = False) -> None:
        """Bring the stage up to the newest scene; nothing where it already is."""
        scene = self._scene
        if scene is None or (scene is self._painted and not force):
            return
        painted, self._painted = self._painted, scene
        if not self.wants_stage(scene):
            return
        stage = self.race_stage
        if painted is None or painted.picture is not scene.picture or not self.wants_stage(painted):
            stage.show_picture(scene)
        if scene.race is not None:
            stage.show_result(scene.race, scene, stage.difference.isChecked())
        else:
            stage.show_running(scene)

    def _show_settings(self, scene: Scene) -> None:
        running = scene.job(Kind.RACE)
        self.start.setText("Stop" if running else "Start the race")
        missing = race_words.missing(scene)
        self.start.setToolTip("Stop the race (Esc)" if running else missing or EXPLANATION)
        self.start.setEnabled(running is not None or not missing)
        self.stride.show_stride(scene.state.grid_stride, gestures.own_stride(scene.network))
        self.stride.setEnabled(running is None)
        older = race_words.outdated(scene.race, plan_race(scene.state)) if scene.race is not None else ""
        text = missing
        if running is not None:
            text = race_words.progress(running.progress, scene.race_updates)
        elif older and not missing:
            text = f"These results are of another {older}: race again for what is chosen now."
        theme.set_role(self.progress, "warn" if older and running is None else "caption")
        self.progress.setText(text)

    def _show_numbers(self, scene: Scene) -> None:
        result = scene.race
        there = result is not None or bool(scene.race_updates)
        for part in (self._copy_table, self._save_table):
            part.setVisible(there)
        # The table is there before the race, so that nothing jumps when it starts.
        rows = race_words.table(result) if result is not None else race_words.running_table(scene.race_updates)
        self.table.show_rows(rows)
        notes = _remarks(result) if result is not None else EXPLANATION
        self.notes.setText(notes)
        self.notes.setToolTip(notes)
        self._show_facts(result)
        for way_out in (self._copy_table, self._save_table, self._copy, self._save, self._film, self._drawing):
            way_out.setEnabled(result is not None)
        self._show_plot(result)

    def _show_plot(self, result: RaceResult | None) -> None:
        started = {side: [(0.0, 0.0), *found] if found else [] for side, found in self._points.items()}
        points = started if result is None else _completed(self._points, result)
        self.widget.show_plot(any(points.values()))
        self.plot.set_points(points, result.by_stride if result is not None else ())

    def _show_facts(self, result: RaceResult | None) -> None:
        facts = race_words.facts(result) if result is not None else ()
        for row, fact in enumerate(facts):
            if fact.name not in self.fact_labels:
                caption, value = QLabel(fact.name), ElidedLabel()
                theme.set_role(caption, "dim")
                value.setAccessibleName(fact.name)
                self._facts.addWidget(caption, row, 0)
                self._facts.addWidget(value, row, 1)
                caption.setToolTip(fact.hint)
                self.fact_labels[fact.name] = value
            label = self.fact_labels[fact.name]
            theme.set_role(label, fact.mark)
            label.setFont(theme.numbers())
            label.setText(fact.text)
            label.setAccessibleDescription(f"{fact.text}. {fact.hint}")
        there = {fact.name for fact in facts}
        for row, (name, value) in enumerate(self.fact_labels.items()):
            item = self._facts.itemAtPosition(row, 0)
            for part in (item.widget() if item is not None else None, value):
                if part is not None:
                    part.setVisible(name in there)

    def hover(self, point: tuple[float, float] | None) -> None:
        """Nothing: the race takes the canvas's place."""

    def wants_stage(self, scene: Scene) -> bool:
        return scene.picture is not None and bool(scene.race_updates or scene.race or scene.job(Kind.RACE))

    # ------------------------------------------------------------------------------ gestures

    def _start_or_stop(self) -> None:
        if self._scene is not None and self._scene.job(Kind.RACE) is not None:
            self._commands.stop(Kind.RACE)
        else:
            self._commands.race()

    def _choose_stride(self, step: int) -> None:
        if self._scene is not None:
            self._session.update(**gestures.grid_stride(self._scene, step))

    # -------------------------------------------------------------------------------- leaving

    def _copy_picture(self) -> None:
        self._commands.copy_image(self.race_stage.picture())

    def _save_picture(self) -> None:
        self._commands.save_image(self.race_stage.picture(), "race")

    def _save_drawing(self) -> None:
        from segviz.core import export

        drawing = self.plot.svg()
        self._commands.save_with(
            "race.svg", kinds.SVG, lambda path: export.replace_file(path, lambda part: part.write_bytes(drawing))
        )

    def _save_film(self) -> None:
        scene, updates = self._scene, thinned(self._frames, FILMED)  # of now: another race may begin meanwhile
        if scene is not None:
            self._commands.save_film("race.gif", lambda: film(self.race_stage, scene, updates))

    def _copy_results(self) -> None:
        if self._scene is not None and self._scene.race is not None:
            self._commands.copy_table(tables.race_rows(self._scene.race))

    def _save_results(self) -> None:
        if self._scene is not None and self._scene.race is not None:
            self._commands.save_table(tables.race_rows(self._scene.race), "race")


def thinned(items: list[Item], most: int) -> list[Item]:
    """At most `most` items: every second one but the newest goes until there are so few."""
    while len(items) > max(2, most):
        items = [*items[:-1:2], items[-1]]
    return items


def _remarks(result: RaceResult) -> str:
    """What was extrapolated, and what the engine noted."""
    sampled = [(side, race_words.lane_of(result, side)) for side in Side]
    parts = [
        f"{race_words.SHORT_TITLES[side]}: {race_words.measured(lane)}." for side, lane in sampled if lane.extrapolated
    ]
    why = () if result.exact else (f"Not equal: {race_words.short_reason(result)}.",)
    return " ".join((*why, *(f"{sentence(note)}." for note in result.notes), *parts))


def _completed(
    points: dict[Side, list[tuple[float, float]]], result: RaceResult
) -> dict[Side, list[tuple[float, float]]]:
    """The curves with their starts, and with the ends of the sides that were measured whole."""
    out = {}
    for side in Side:
        lane = race_words.lane_of(result, side)
        end = [] if lane.extrapolated and points[side] else [(lane.seconds, float(lane.outputs))]
        out[side] = [(0.0, 0.0), *points[side], *end]
    return out
