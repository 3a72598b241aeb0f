"""A larger image: where the dense head stops it, and the surgery that makes the head slide (T16, T17)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QImage, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from segviz.core import planning
from segviz.core.convolution_lab import FEEDS, Rounding
from segviz.gui import theme, words
from segviz.gui.identity import Same
from segviz.gui.panels.lab_page import BESIDE, Change, NumberPill, Rows, choice_pill
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.player import Player
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.core.requests import ConvertedLayer
    from segviz.core.sizes import SizeRow, SizesAnswer
    from segviz.gui.filming import Frames
    from segviz.gui.scene import Scene

COLUMNS = ("Layer", "Kind", "Own size", "Image fed", "Convolutional")
HINTS = (
    "Layers in the order in which they run",
    "As the layer is called in its framework",
    "Output on the network's own input size",
    "Output of the network as published on the image that is fed",
    "Output of its fully convolutional form on the image that is fed",
)
ROW = 22  # height, before `theme.px`
CHOOSE = "Choose a network: it is fed with a larger image here."


class HeadPage:
    """A table of shapes, the layer that stops marked; below, the surgery step by step."""

    drawn = False

    def __init__(self, change: Change) -> None:
        self._answer: SizesAnswer | None = None
        self._steps: tuple[ConvertedLayer, ...] = ()
        self._key: object = None
        self.feed = NumberPill("Image", "Size that is fed", FEEDS, lambda n: change(feed=n), "{0} × {0}")
        self.rounding = choice_pill(
            "Pooling", "How poolings round their number of windows", Rounding, "rounding", change
        )
        self.player = Player("steps of the surgery")
        self.player.moved.connect(lambda _: self._tell_step())
        self.said, self.step = ElidedLabel(), WrappedLabel()
        self.note = WrappedLabel()
        self.said.setFont(theme.numbers())
        theme.set_role(self.note, "caption")
        self.settings = self._make_settings()
        self.table = ShapeTable()
        self.stage = QWidget()
        self.stage.setAccessibleName("Dense head")
        theme.set_surface(self.stage, "panel")
        column = QVBoxLayout(self.stage)
        column.setContentsMargins(theme.M, theme.M, theme.M, theme.M)
        column.addWidget(self.table)

    def _make_settings(self) -> QWidget:
        whole = QWidget()
        line = QHBoxLayout()
        line.setSpacing(theme.S)
        for part in (self.feed, self.rounding):
            line.addWidget(part)
        line.addStretch(1)
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.S)
        column.addLayout(line)
        column.addWidget(self.player)
        for label in (self.said, self.step, self.note):
            column.addWidget(label)
        column.addStretch(1)
        return whole

    # -------------------------------------------------------------------------------- showing

    def show(self, scene: Scene) -> None:
        lab, answer, network = scene.state.convolution_lab, scene.shown_sizes, scene.known
        self.rounding.show_choice(lab.rounding)
        self._show_feed(lab.feed, answer)
        steps = network.conversion if network is not None else ()
        if answer is None:
            self._answer, self._key = None, None
            self.table.show_shapes((), "")
            for label in (self.said, self.step, self.note):
                label.setText("")
            return
        key = (Same(answer), lab.rounding, steps)
        if key == self._key:
            return
        if steps != self._steps or self._answer is None:
            self.player.set_count(len(steps))
        self._answer, self._key, self._steps = answer, key, steps
        self.player.setEnabled(bool(steps))
        self.said.setText(_said(answer, lab.rounding))
        self.note.say(_grids(answer))
        self._tell_step()

    def _show_feed(self, feed: int, answer: SizesAnswer | None) -> None:
        if feed:
            self.feed.show_number(feed)
            return
        size = f", {words.size(*answer.request.size[::-1])}" if answer is not None else ""
        self.feed.set_value(f"as it is{size}")

    def _tell_step(self) -> None:
        """The step of the surgery that the player is at, its layer chosen in the table."""
        answer = self._answer
        if answer is None:
            return
        step = self._steps[self.player.position] if self._steps else None
        self.step.say(surgery(step) if step is not None else _no_surgery(answer))
        self.table.show_shapes(answer.rows, step.layer if step is not None else "")

    def missing(self, scene: Scene) -> str:
        if not scene.state.model or scene.known is None:
            return CHOOSE
        if scene.shown_sizes is not None:
            return ""
        waits = scene.waits_for(planning.plan_sizes(scene.state, scene.known.frame.outer))
        return "Feeding the network…" if waits else "It has not been computed: Run > Run again (F9)."

    def what(self, scene: Scene) -> str:
        answer, network = scene.shown_sizes, scene.known
        if answer is None or network is None:
            return ""
        own, fed = answer.native[:0:-1], answer.request.size[::-1]
        return f"{network.title}: its own input {words.size(*own)}, fed with {words.size(*fed)}"

    def hover(self, point: tuple[float, float] | None) -> None:
        """Nothing: shapes have no place in the image."""

    # --------------------------------------------------------------------------------- leaving

    def picture(self) -> QImage:
        return self.stage.grab().toImage()

    def svg(self) -> bytes:
        return b""

    def rows(self) -> Rows:
        """The table, what stops in its last column."""
        if self._answer is None:
            return []
        rows: Rows = [[*COLUMNS, "Stops"]]
        rows += [[*_texts(row), row.breaks] for row in self._answer.rows]
        return rows

    def film(self) -> tuple[str, Callable[[], Frames]] | None:
        return None


class ShapeTable(QTableWidget):
    """One row a layer."""

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setTabKeyNavigation(False)  # Tab leaves; arrows walk
        self._shown: tuple[tuple[SizeRow, ...], str] = ((), "")
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setFrameShape(QTableWidget.Shape.NoFrame)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)
        self.setAccessibleName("Shapes of every layer")
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        for at, title in enumerate(COLUMNS):
            item = QTableWidgetItem(title)
            item.setTextAlignment(_side(at))
            item.setToolTip(HINTS[at])
            self.setHorizontalHeaderItem(at, item)
        self._measure()

    def show_shapes(self, rows: tuple[SizeRow, ...], marked: str) -> None:
        """Show these, the layer `marked` standing out; the view goes to it, else to where the image stops."""
        if (rows, marked) == self._shown:
            return
        self._shown = rows, marked
        t = theme.tokens(self.palette())
        self.setRowCount(len(rows))
        for at, row in enumerate(rows):
            for column, text in enumerate(_texts(row)):
                item = QTableWidgetItem(text)
                item.setTextAlignment(_side(column))
                item.setFont(theme.body(strong=True) if row.layer == marked and not column else theme.numbers())
                told = text if column else f"{text}, {words.layer_type(row.type)}"
                item.setToolTip(row.breaks if column == STOPS else told)
                if row.layer == marked:
                    item.setBackground(t.color("raised"))
                if column == STOPS and row.breaks:
                    item.setForeground(t.color("bad"))
                elif row.layer == marked and not column:
                    item.setForeground(t.color("accent"))
                self.setItem(at, column, item)
        self._scroll()

    def _scroll(self) -> None:
        """Bring the marked layer into sight, else where the image stops: again when there is a size to do it in."""
        rows, marked = self._shown
        to = next((at for at, row in enumerate(rows) if row.layer == marked or (row.breaks and not marked)), None)
        if to is not None:
            self.scrollTo(self.model().index(to, 0), QAbstractItemView.ScrollHint.PositionAtCenter)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._divide()
        self._scroll()

    def _divide(self) -> None:
        """Equal columns; where it is narrow shapes take what they need, names the rest, and kinds are left out."""
        narrow, head, mode = self.width() < theme.px(BESIDE), self.horizontalHeader(), QHeaderView.ResizeMode
        self.setColumnHidden(KIND, narrow)
        head.setSectionResizeMode(mode.ResizeToContents if narrow else mode.Stretch)
        head.setSectionResizeMode(0, mode.Stretch)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._scroll()

    def _measure(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.px(ROW))
        self.horizontalHeader().setFixedHeight(theme.px(ROW))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES and hasattr(self, "_shown"):
            self._measure()
            (rows, marked), self._shown = self._shown, ((), "")
            self.show_shapes(rows, marked)


KIND, STOPS = 1, 3  # the columns of the kind and of the image that is fed


def _side(column: int) -> Qt.AlignmentFlag:
    return (Qt.AlignmentFlag.AlignRight if column > 1 else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter


def _texts(row: SizeRow) -> tuple[str, ...]:
    larger = "✕ stops" if row.breaks else words.shape(row.larger) if row.larger is not None else "–"
    converted = words.shape(row.converted) if row.converted is not None else "–"
    return row.layer, words.layer_type(row.type), words.shape(row.native), larger, converted


def _said(answer: SizesAnswer, rounding: Rounding) -> str:
    """Whether and where the network stops, and the grid that its convolutional form makes instead."""
    grid = answer.ceil if rounding is Rounding.CEIL else answer.floor
    made = f" · made convolutional: {words.shape(grid)} answers" if grid is not None else ""
    broken = answer.broken
    if broken is not None:
        return f"It stops at {broken.layer}: {broken.breaks}{made}"
    if answer.squeezes:
        return f"It does not stop: {answer.squeezes} squeezes any map to one size, and one answer is left{made}"
    if answer.request.size == answer.native[1:]:
        return f"This is its own size: take a larger image to see whether it stops{made}"
    return f"It runs on any such size{made}"


def _grids(answer: SizesAnswer) -> str:
    """Both ways of rounding, and which the network itself has."""
    if answer.floor is None or answer.ceil is None or answer.published == "none":
        return "Maps up to the head grow with the image; features can be taken there in any case."
    floor, ceil = (words.shape(grid) for grid in (answer.floor, answer.ceil))
    return (
        f"Poolings that round down make {floor}, that round up {ceil}; this network rounds "
        f"{_ROUNDS[answer.published]}. Maps up to the head grow with the image."
    )


_ROUNDS = {"floor": "down", "ceil": "up", "both": "some up and some down"}


def surgery(step: ConvertedLayer) -> str:
    """One step with its numbers: 'c5: dense 400 to 120 becomes convolution 5x5, 16 to 120. ...'"""
    if step.after == "nothing":
        return f"{step.layer}: {step.before} is left out, for maps stay maps."
    told = f"{step.layer}: {step.before} becomes {step.after}."
    dense = re.fullmatch(r"dense (\d+) to (\d+)", step.before)
    made = re.fullmatch(r"convolution (\d+)x(\d+), (\d+) to (\d+)", step.after)
    if dense is None or made is None:
        return told
    inputs, outputs = (int(number) for number in dense.groups())
    rows, columns, deep, _ = (int(number) for number in made.groups())
    return (
        f"{told} The {words.count(inputs * outputs)} weights stay as they are: each of {words.count(outputs)} rows of "
        f"{words.count(inputs)} is read as a filter of {words.shape((deep, rows, columns))}."
    )


def _no_surgery(answer: SizesAnswer) -> str:
    return f"No surgery: {answer.refusal}." if answer.refusal else "No surgery is needed: it is convolutional already."
