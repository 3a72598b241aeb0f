"""Parts of the inspector about what units see: a row of switches, the paths of a network with skips, the square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from segviz.gui import theme, unit_words, words
from segviz.gui.actions import find, tooltip
from segviz.gui.path_parts import COMING, path_parts
from segviz.gui.scene import Scene
from segviz.gui.sighting import (
    Occluded,
    contributions_wanted,
    occluded,
    occlusion_comes,
    paths,
    square_key,
)
from segviz.gui.widgets.bars import BarRows
from segviz.gui.widgets.heading import flat_button, heading
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.core.contributions import ContributionAnswer
    from segviz.gui.panels.base import Commands
    from segviz.gui.sighting import Path

SWITCHES = {"field-paths": "paths", "filmstrip": "filmstrip", "projective": "projective", "occlude": "square"}
DEEDS = ("card-copy", "card-save")
MOST_PATHS = 8
WAITING = "Computing what changes here…"
SUM = "What each path adds to the score of the class, a logit: with the bias behind them it is their sum"
WIDTHS = "How wide each field is, in image pixels"
PARTS = "What each summand of the score adds to it: a logit. Several paths have met in one of them before"


class SightRow(QWidget):
    """Buttons for what else can be seen of a field; those of `SWITCHES` are down while it is."""

    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(heading("Field"))
        row.addStretch(1)
        for identifier in (*SWITCHES, *DEEDS):
            action = find(identifier)
            button = flat_button(action.icon, tooltip(action))
            button.setAccessibleName(action.text.rstrip("…"))
            button.setCheckable(identifier in SWITCHES)
            button.clicked.connect(lambda _=False, wanted=identifier: commands.do(wanted))
            row.addWidget(button)
            self.buttons[identifier] = button

    def show_scene(self, scene: Scene) -> None:
        """Follow the scene; silent. Without a unit, and while nothing of it is shown, the classes have the room."""
        sight = scene.state.sight
        self.setVisible(scene.state.unit is not None or sight.projective or sight.square is not None)
        for identifier, button in self.buttons.items():
            enabled = find(identifier).enabled
            button.setEnabled(enabled is None or enabled(scene))
            if identifier in SWITCHES:
                button.setChecked(getattr(sight, SWITCHES[identifier]) not in (None, False))


class PathCard(QWidget):
    """The paths to the pinned unit and what each adds to its score, where that is a sum, else how large its field is.

    Hidden where there is one path alone.
    """

    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self._commands = commands
        self._rows: list[list[object]] = []
        self._shown: object = None
        self.bars = BarRows(1)
        self.bars.setAccessibleName("Paths to the unit")
        self.copy = flat_button("copy", "Copy the paths as a table")
        self.copy.clicked.connect(lambda: self._commands.copy_table(self._rows))
        self.save = flat_button("download", "Save the paths as CSV")
        self.save.clicked.connect(lambda: self._commands.save_table(self._rows, "paths"))
        self.what = QLabel()
        self.what.setWordWrap(True)
        self.what.setTextFormat(Qt.TextFormat.PlainText)
        theme.set_role(self.what, "caption")
        head = QHBoxLayout()
        head.setSpacing(0)
        head.addWidget(heading("Paths"))
        head.addStretch(1)
        head.addWidget(self.copy)
        head.addWidget(self.save)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.XS)
        column.setSpacing(theme.XS)
        column.addLayout(head)
        column.addWidget(self.what)
        column.addWidget(self.bars)
        self.hide()

    def show_scene(self, scene: Scene) -> None:
        """Follow the scene; silent."""
        wanted = contributions_wanted(scene)
        coming = scene.shown_contributions is None and scene.waits_for(wanted)
        state, answer = scene.state, scene.contributions
        key = (scene.network, scene.picture, answer, coming, state.layer, state.unit, state.sight.paths, state.palette)
        if key == self._shown:
            return
        self._shown = key
        found = paths(scene) if state.sight.paths else ()
        self.setVisible(bool(found))
        if found:
            self._fill(scene, found, coming)

    def _fill(self, scene: Scene, found: Sequence[Path], coming: bool) -> None:
        parts, answer = path_parts(scene, found, theme.tokens(self.palette()).dim, coming), scene.shown_contributions
        values = parts.values
        self.bars.set_rows(min(MOST_PATHS, len(parts.bars)))
        self.bars.set_bars(list(parts.bars))
        self.what.setText(_what(scene, answer if values else None, coming))
        refusal = f"{WIDTHS}. {answer.refusal}" if answer is not None and answer.refusal else WIDTHS
        self.what.setToolTip((SUM if parts.matched else PARTS) if values else refusal)
        self._rows = _table(found, [bar.name for bar in parts.bars], values, parts.matched)


def _table(found: Sequence[Path], names: Sequence[str], values: Sequence[float], matched: bool) -> list[list[object]]:
    """The paths with their boxes and, where it is known, what each adds; below them what else the score is made of."""
    rows: list[list[object]] = [["path", "stride", "left", "top", "right", "bottom", *(["score"] if values else [])]]
    for at, path in enumerate(found):
        rows.append([path.name, path.stride, *path.box, *(([values[at]] if matched else [""]) if values else [])])
    first = len(found) if matched else 0
    for name, value in list(zip(names, values, strict=False))[first:]:
        rows.append([name, "", "", "", "", "", value])
    return rows


def _what(scene: Scene, answer: ContributionAnswer | None, coming: bool) -> str:
    """What the bars of the paths are: parts of a class's score, which sum to it, or the sizes of their fields."""
    unit, network = scene.state.unit, scene.network
    if (answer is None and not coming) or unit is None or network is None:
        return WIDTHS
    name = unit_words.quoted(network.classes[unit.channel + network.entry.sigmoid])
    return f"Score of {name}: {COMING if answer is None else words.value(answer.logit)}, the sum of"


class SquareCard(QWidget):
    """The grey square: how large it is, what it does to the class below it, how many outputs it changes."""

    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self._key: object = None
        self._found: Occluded | None = None
        self.side = QLabel()
        theme.set_role(self.side, "dim")
        self.effect = WrappedLabel()
        self.counted = QLabel()
        self.counted.setWordWrap(True)
        theme.set_role(self.counted, "dim")
        head = QHBoxLayout()
        head.setSpacing(0)
        head.addWidget(heading("Grey square"))
        head.addSpacing(theme.S)
        head.addWidget(self.side)
        head.addStretch(1)
        for identifier, icon in (("occlude-smaller", "minus"), ("occlude-larger", "plus"), ("occlude", "x")):
            name = "Take the square away  (Q)" if identifier == "occlude" else tooltip(find(identifier))
            button = flat_button(icon, name)
            button.clicked.connect(lambda _=False, wanted=identifier: commands.do(wanted))
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, theme.XS)
        column.setSpacing(theme.XS)
        column.addLayout(head)
        column.addWidget(self.effect)
        column.addWidget(self.counted)
        self.hide()

    def show_scene(self, scene: Scene) -> None:
        """Follow the scene; silent."""
        key = square_key(scene)
        if key != self._key:
            self._key, self._found = key, occluded(scene)
        found = self._found
        self.setVisible(found is not None)
        if found is None:
            return
        self.side.setText(f"{scene.state.sight.side} px")
        self.effect.setFont(theme.numbers())
        self.effect.say(effect(found))
        self.effect.setToolTip("The most probable class of the output below the square's centre")
        self.effect.setEnabled(found.fresh)
        self.counted.setText(WAITING if occlusion_comes(scene, found) else counted(found))
        self.counted.setAlignment(Qt.AlignmentFlag.AlignTop)


def effect(found: Occluded) -> str:
    """'castle 0.81 → 0.12, now palace'; '–' before there is an answer."""
    answer = found.answer
    if answer is None:
        return "–"
    label, instead = unit_words.quoted(answer.label[1]), unit_words.quoted(answer.instead[1])
    told = f"{label} {words.probability(answer.before)} → {words.probability(answer.under)}"
    return told if answer.label[0] == answer.instead[0] else f"{told}, now {instead}"


def counted(found: Occluded) -> str:
    """How many outputs change, and how many where none can; '' before there is an answer."""
    answer = found.answer
    if answer is None:
        return ""
    changed, all_of_them = int(answer.changed.sum()), int(answer.change.size)
    grid = words.shape(answer.change.shape)
    told = f"{words.count(changed)} of {words.many(all_of_them, 'output')} ({grid})"
    if not found.fresh:
        return f"Of another place or size of the square: {told} change. Run > Run again (F9) computes this one"
    outside = f"{words.count(found.outside)} of them" if found.outside else "none"
    told += f" change, {outside} outside the dashed box" if changed else " change"
    return f"{told}; a score by {words.value(float(answer.change.max()))} at most" if changed else told
