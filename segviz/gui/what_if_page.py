"""The page where windows of layers are changed: what follows is told at once, and nothing runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from segviz.core.network_picture import Part
from segviz.core.paddings import PaddingRule
from segviz.core.what_if import LARGEST, editable
from segviz.gui import picturing, theme, words
from segviz.gui.panels.network_rows import field_text
from segviz.gui.scene import Scene
from segviz.gui.what_if_rows import Outcome, Value, WhatIfRow, as_table, grid_text, read_size
from segviz.gui.widgets.heading import worded_button
from segviz.gui.widgets.what_if_table import Cell, Line, WhatIfTable
from segviz.gui.widgets.wrapped import WrappedLabel

HEADS = (
    ("Layer", "Layers in order of execution; those that change values alone are left out"),
    ("Kernel", "Rows and columns of the window: a number, or width × height; + and − change it by one"),
    ("Stride", "Units from window to window: a number, or width × height; + and − change it by one"),
    ("Dilation", "Units from sample to sample in a window: a number, or width × height; + and − change it by one"),
    (
        "Padding",
        "Units that the layer itself puts around its maps, on both sides: a number, or width × height; "
        "“same”: as many as it takes for a grid of input ÷ stride, rounded up",
    ),
    ("Grid", "Rows × columns of the output"),
    ("Field", "Side of the receptive field in pixels of the network's input"),
    ("Multiply-\nadds", "For this input"),
    ("Output\nstride", "Pixels of the network's input from unit to unit: the stride of all layers up to this one"),
)
FIRST = 1  # column of the first part of a window
FOLLOWS = "Field, grid and cost of the layers after a change are shown at once; nothing is run."


class WhatIfPage(QWidget):
    """`changed` carries changes of the State. The buttons that reset windows stand in the header of the stage."""

    changed = Signal(dict)

    def __init__(self) -> None:
        super().__init__()
        theme.set_surface(self, "panel")
        self._scene: Scene | None = None
        self._outcome: Outcome | None = None
        self.table = WhatIfTable(HEADS, "Windows of the layers, and what would follow from others")
        self.summary = WrappedLabel()
        self.summary.setContentsMargins(theme.M, theme.XS, theme.M, theme.S)
        self.reset_one = worded_button(
            "Reset layer", "The window of the selected layer as it is in the network  (Delete)"
        )
        self.reset_all = worded_button("Reset all", "All windows as they are in the network")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.summary)
        column.addWidget(self.table, 1)
        self.setFocusProxy(self.table)
        self.table.typed.connect(self._typed)
        self.table.stepped.connect(self._stepped)
        self.table.chosen.connect(lambda layer: self._ask(lambda scene: picturing.choose_layer(scene, layer)))
        self.table.withdrawn.connect(lambda layer: self._ask(lambda scene: picturing.reset_layer(scene, layer)))
        self.reset_one.clicked.connect(self._reset_current)
        self.reset_all.clicked.connect(lambda: self._ask(picturing.reset_windows))

    # --------------------------------------------------------------------------------- showing

    def show_outcome(self, scene: Scene, found: Outcome | None) -> None:
        """Show what follows; silent."""
        self._scene, self._outcome = scene, found
        lines = [line for row in found.rows for line in _lines(row)] if found is not None else []
        self.table.show_lines(lines, scene.state.layer)
        self.summary.say(summary(scene, found) if found is not None else "")
        self.reset_all.setEnabled(bool(scene.state.network_picture.edits))
        edited = {layer for layer, _ in scene.state.network_picture.edits}
        self.reset_one.setEnabled(scene.state.layer in edited)

    def rows(self) -> list[list[object]]:
        """The table for a spreadsheet."""
        return as_table(self._outcome) if self._outcome is not None else []

    # -------------------------------------------------------------------------------- gestures

    def _ask(self, gesture: Callable[[Scene], picturing.Changes]) -> None:
        changes = gesture(self._scene) if self._scene is not None else {}
        if changes:
            self.changed.emit(changes)

    def _typed(self, layer: str, column: int, text: str) -> None:
        part = tuple(Part)[column - FIRST]
        size = read_size(text, part)
        if size is None:
            limits = f"a whole number from {part.least} to {LARGEST:,}"
            word = f", or “{PaddingRule.SAME}”" if part is Part.PADDING else ""
            self.summary.say(f"“{text}” is no {part}: {limits}, or width × height{word}")
        else:
            self._ask(lambda scene: picturing.change_window(scene, layer, part, size))

    def _stepped(self, layer: str, column: int, by: int) -> None:
        part = tuple(Part)[column - FIRST]
        row = next((row for row in self._outcome.rows if row.name == layer), None) if self._outcome else None
        size = _stepped_from(row, part) if row is not None else None
        if size is not None:
            y, x = (max(part.least, side + by) for side in size)
            self._ask(lambda scene: picturing.change_window(scene, layer, part, (y, x)))

    def _reset_current(self) -> None:
        here = self.table.currentIndex()
        if here.isValid():
            layer = self.table.lines[here.row()].name
            self._ask(lambda scene: picturing.reset_layer(scene, layer))


def _stepped_from(row: WhatIfRow, part: Part) -> tuple[int, int] | None:
    """The (y, x) that + and − change by one: of a padding that is no number what it is in front of the maps."""
    size = getattr(row.window, part) if row.window is not None else None
    if isinstance(size, PaddingRule):
        return (row.pads.top, row.pads.left) if row.pads is not None else None
    return size


def _lines(row: WhatIfRow) -> list[Line]:
    """A layer's line, and what is refused below it."""
    parts = tuple(_part(row, part) for part in Part)
    values = tuple(_cell(value) for value in (row.grid, row.field, row.macs, row.stride))
    name = Cell(row.name, row.name if row.edited else "", tone="bad" if row.refusal else "")
    told = f"{row.name}  ({words.layer_type(row.type)})\nOutput: {row.output.text}"
    lines = [Line(row.name, (name, *parts, *values), told)]
    if row.refusal:
        lines.append(Line(row.name, (Cell(row.refusal, tone="bad"),), row.refusal))
    return lines


def _part(row: WhatIfRow, part: Part) -> Cell:
    """A part of a window, which a person can change; what is padded in rows and columns, where no number says that."""
    cell = replace(_cell(row.part(part)), edits=row.window is not None)
    if part is not Part.PADDING or row.window is None:
        return cell
    tip = ""
    if isinstance(row.window.padding, PaddingRule):
        sides = ", ".join(f"{side} {count}" for side, count in row.pads._asdict().items()) if row.pads else "not known"
        tip = f"{row.name} pads as many units as make a grid of input ÷ stride, rounded up: {sides}"
    return replace(cell, word=PaddingRule.SAME.value, tip=tip)


def _cell(value: Value) -> Cell:
    return Cell(value.was, value.now if value.moved else "")


def summary(scene: Scene, found: Outcome) -> str:
    """What the network is, and what it would be: field, grid and cost of its last layer."""
    real = scene.network
    if real is None:
        return ""
    count = len(found.edits)
    if found.refusal:
        return f"Change refused: {'; '.join(filter(None, (found.refusal.rstrip('.'), found.remedy)))}"
    last = real.geometry.last
    was, now = real.layer(last), found.network.layer(last)
    if not count or was is None or now is None:
        changeable = len(editable(real))
        return f"{real.title}: {words.many(changeable, 'layer')} can be changed. {FOLLOWS}"
    pairs = (
        ("field", field_text(was), field_text(now)),
        ("grid", grid_text(was), grid_text(now)),
        ("multiply-adds", words.short_count(real.macs), words.short_count(found.network.macs)),
    )
    told = " · ".join(f"{name} {Value(old, new).text}" for name, old, new in pairs)
    return f"{words.many(count, 'change')}: {told}"
