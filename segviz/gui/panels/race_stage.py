"""The race at full size: two linked views with clocks, the factor growing between them, one sentence below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from segviz.core.planning import plan_race
from segviz.core.races import RaceResult, RaceUpdate
from segviz.gui import race_words, theme, words
from segviz.gui.panels.header import HeaderLine
from segviz.gui.race_words import SHORT_TITLES, TITLES, Side
from segviz.gui.scene import Scene
from segviz.gui.widgets.clock import Clock
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.image_view import ImageView
from segviz.gui.widgets.painted import text_width

if TYPE_CHECKING:
    from segviz.core.races import Lane
    from segviz.gui.panels.race_planes import LanePlanes


BESIDE = 820  # width from which on the sentence stands beside the buttons, before `theme.px`


class LaneView(QWidget):
    """One side: its picture, and under it time, speed and cost."""

    def __init__(self, side: Side) -> None:
        super().__init__()
        # Both sides are equally wide whatever their clocks say, or the linked views could not agree.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.title = ElidedLabel(TITLES[side])
        self._side, self._instead = side, ""
        theme.set_role(self.title, "title")
        self.view = ImageView(TITLES[side])
        self.time = Clock("time")
        self.rate = Clock("outputs / s")
        self.outputs = Clock("outputs")
        self.macs = Clock("MACs")
        self.planes: LanePlanes | None = None
        clocks = QHBoxLayout()
        clocks.setSpacing(theme.M)
        for clock in (self.time, self.rate, self.outputs, self.macs):
            clocks.addWidget(clock)
        clocks.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addWidget(self.title)
        column.addWidget(self.view, 1)
        column.addLayout(clocks)

    def minimumSizeHint(self) -> QSize:
        """The picture and its clock; the other numbers go as the room gets narrow (`_show_clocks`)."""
        return QSize(max(self.view.minimumSizeHint().width(), self.time.sizeHint().width()), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_title()
        self._show_clocks()

    def _show_clocks(self) -> None:
        """As many numbers as fit uncut, the most telling first; the table below has them all."""
        room = self.width()
        for clock in (self.time, self.rate, self.macs, self.outputs):
            room -= clock.sizeHint().width()
            clock.setVisible(clock is self.time or room >= 0)
            room -= theme.M

    def layers(self) -> LanePlanes:
        """The layers of this side, made when there is first something to show: they load numpy."""
        if self.planes is None:
            from segviz.gui.panels.race_planes import LanePlanes

            self.planes = LanePlanes()
        return self.planes

    def show_side(self, side: Side, instead: str = "") -> None:
        """Say which side this is, or what its view shows `instead`."""
        self._side, self._instead = side, instead
        self._show_title()

    def _show_title(self) -> None:
        """The title in full, or its short form where it would be cut."""
        whole, short = self._instead or TITLES[self._side], self._instead.partition(" ")[0] or SHORT_TITLES[self._side]
        self.title.setText(whole if text_width(whole, theme.title()) <= self.width() else short)

    def show_running(self, update: RaceUpdate) -> None:
        """The clock and the speed so far."""
        done = update.partial.progress.done
        self.time.set_seconds(update.seconds, "accent")
        self.rate.set_number(words.short_count(done / update.seconds) if update.seconds > 0 else "–")
        self.outputs.set_number(words.count(done))
        self.outputs.setToolTip(f"of {words.count(update.partial.progress.total)}")
        self._show_clocks()

    def show_lane(self, lane: Lane) -> None:
        """The final numbers; what was extrapolated is said to be."""
        self.time.set_caption("time, extrapolated" if lane.extrapolated else "time")
        self.time.set_seconds(lane.seconds)
        self.rate.set_number(words.short_count(race_words.rate(lane)))
        self.outputs.set_number(words.count(lane.outputs))
        self.outputs.setToolTip(race_words.measured(lane))
        self.macs.set_number(words.short_count(lane.macs))
        self._show_clocks()

    def clear(self) -> None:
        self.time.set_caption("time")
        self.time.set_seconds(None)
        for clock in (self.rate, self.outputs, self.macs):
            clock.set_number("–")
        self._show_clocks()


class RaceStage(QWidget):
    """Both sides, with linked zoom. `difference_wanted` fires when the person asks for the difference map."""

    difference_wanted = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("stage-race")
        self.setAccessibleName("Race")
        theme.set_surface(self, "panel")
        self.slow = LaneView(Side.SLIDING_WINDOW)
        self.fast = LaneView(Side.FULLY_CONVOLUTIONAL)
        self.factor = QLabel()
        self.faster = QLabel("faster")
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.difference = QPushButton("Difference")
        self.scale_bar = ColourBar()
        self.footer = HeaderLine()
        self.lanes = QWidget()
        self._linking = False
        self._arrange()
        for here, there in ((self.slow.view, self.fast.view), (self.fast.view, self.slow.view)):
            here.view_changed.connect(lambda here=here, there=there: self._link(here, there))
        self.difference.toggled.connect(self.difference_wanted)

    def _arrange(self) -> None:
        theme.set_surface(self.lanes, "panel")
        row = QHBoxLayout(self.lanes)
        row.setContentsMargins(theme.M, theme.M, theme.M, theme.S)
        row.setSpacing(theme.M)
        row.addWidget(self.slow, 1)
        row.addWidget(self._between())
        row.addWidget(self.fast, 1)
        theme.set_role(self.sentence, "title")
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.difference.setCheckable(True)
        self.difference.setToolTip("Show where the probabilities of both sides differ")
        self._buttons_begin = QWidget()  # takes the room before the buttons while the sentence is above them
        self._verdict = QVBoxLayout()
        self._verdict.setContentsMargins(theme.M, 0, theme.M, 0)
        self.footer.add(self.sentence, 1)
        self.footer.add(self._buttons_begin, 1)
        self._buttons_begin.hide()
        self.footer.add(self.scale_bar)
        self.footer.add(self.difference)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.lanes, 1)
        column.addLayout(self._verdict)
        column.addWidget(self.footer)
        self.scale_bar.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The sentence stands before the buttons where there is room for both, else above them."""
        super().resizeEvent(event)
        above = event.size().width() < theme.px(BESIDE)
        if above == (self._verdict.count() > 0):
            return
        self._buttons_begin.setVisible(above)
        if above:
            self.footer.remove(self.sentence)
            self._verdict.addWidget(self.sentence)
        else:
            self._verdict.removeWidget(self.sentence)
            self.footer.insert(0, self.sentence, 1)

    def _between(self) -> QWidget:
        middle = QWidget()
        middle.setMinimumWidth(theme.px(68))  # a factor of five figures, or in presenter's type, takes more
        theme.set_role(self.factor, "numbers")
        self.factor.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.factor.setAccessibleName("Times faster")
        self.faster.setAlignment(Qt.AlignmentFlag.AlignCenter)
        theme.set_role(self.faster, "caption")
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addStretch(1)
        column.addWidget(self.factor)
        column.addWidget(self.faster)
        column.addStretch(1)
        return middle

    def _link(self, here: ImageView, there: ImageView) -> None:
        """What one view shows, the other shows."""
        if self._linking:
            return
        self._linking = True
        if here.fitted:
            there.fit()
        else:
            there.view_transform = here.view_transform
        self._linking = False

    # ------------------------------------------------------------------------------- showing

    def show_picture(self, scene: Scene) -> None:
        """The photograph under both maps."""
        size = (scene.picture.width, scene.picture.height) if scene.picture is not None else None
        for lane in (self.slow, self.fast):
            if size is None:
                lane.view.set_content(None, ())
                continue
            lane.layers().set_picture(scene.picture)
            lane.view.set_content(size, lane.layers().layers)

    def show_running(self, scene: Scene) -> None:
        """A race under way: the newest of each side."""
        by_side = {Side(update.side): update for update in scene.race_updates}
        side = Side.ONE_BY_ONE if Side.ONE_BY_ONE in by_side else Side.SLIDING_WINDOW
        self.slow.show_side(side)
        self.fast.show_side(Side.FULLY_CONVOLUTIONAL)
        for lane, update in ((self.slow, by_side.get(side)), (self.fast, by_side.get(Side.FULLY_CONVOLUTIONAL))):
            if update is None:
                lane.clear()
                lane.layers().clear()
            else:
                lane.show_running(update)
                classes = scene.network.classes if scene.network is not None else ()
                lane.layers().set_partial(update.partial, classes, scene.state)
            lane.view.update()
        ratio = race_words.running_factor(scene.race_updates)
        self._show_factor(ratio)
        self.sentence.setText("Racing…" if by_side else "Warming up…")
        self._offer_difference(False)

    def show_result(self, result: RaceResult, scene: Scene, difference: bool) -> None:
        """The race that was run; with `difference` the right view shows where the probabilities differ."""
        self.slow.show_side(Side.SLIDING_WINDOW)
        self.slow.show_lane(result.sliding_window)
        self.fast.show_lane(result.fully_convolutional)
        self.slow.layers().set_labels(result.sliding_labels, result.sliding_confidence, result, scene.state)
        if difference:
            self.fast.layers().set_difference(result, scene.state)
            self._show_scale(result, scene)
        else:
            self.fast.layers().set_labels(result.dense_labels, result.dense_confidence, result, scene.state)
        self.fast.show_side(Side.FULLY_CONVOLUTIONAL, "Difference of probabilities" if difference else "")
        for lane in (self.slow, self.fast):
            lane.view.update()
        self._show_factor(result.speedup if result.fully_convolutional.seconds > 0 else None)
        sentence = race_words.sentence(result)
        older = race_words.outdated(result, plan_race(scene.state))
        self.sentence.setText(f"Older result: {sentence}" if older else sentence[:1].upper() + sentence[1:])
        self.sentence.setToolTip(result.reason)
        self._offer_difference(True)
        self.scale_bar.setVisible(difference)

    def _show_factor(self, ratio: float | None) -> None:
        self.factor.setText("" if ratio is None else words.factor(ratio))
        self.faster.setText("" if ratio is None else "faster")

    def _offer_difference(self, there: bool) -> None:
        self.difference.setEnabled(there)
        if not there:
            self.scale_bar.hide()

    def _show_scale(self, result: RaceResult, scene: Scene) -> None:
        from segviz.core import palettes
        from segviz.gui.widgets.plane import rgb

        table = palettes.colour_map(scene.state.colour_map)
        self.scale_bar.set_colours(rgb(table))
        self.scale_bar.set_title("difference")
        self.scale_bar.set_range("0", words.exponent(result.max_abs_difference))

    def picture(self) -> QImage:
        """Both sides with their clocks and the sentence, as they are on the screen."""
        return self.grab().toImage()
