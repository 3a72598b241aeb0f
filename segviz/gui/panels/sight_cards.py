"""Parts of the inspector about what units see: a row of switches, the paths of a network with skips, the square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from segviz.gui import theme, unit_words, words
from segviz.gui.actions import find, tooltip
from segviz.gui.scene import Scene
from segviz.gui.sighting import Occluded, occluded, occlusion_comes, paths, shares, square_key
from segviz.gui.widgets.bars import Bar, BarRows
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import flat_button, heading

if TYPE_CHECKING:
    from segviz.gui.panels.base import Commands
    from segviz.gui.sighting import Path

SWITCHES = {"field-paths": "paths", "filmstrip": "filmstrip", "projective": "projective", "occlude": "square"}
DEEDS = ("card-copy", "card-save")
MOST_PATHS = 8
WAITING = "Computing what changes here…"
SUM = "What each path adds to the score of the class: a logit, of which the network's upsampling is the sum"


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
        key = (scene.network, scene.picture, scene.depths, scene.state.layer, scene.state.unit, scene.state.sight.paths)
        if key == self._shown:
            return
        self._shown = key
        found = paths(scene) if scene.state.sight.paths else ()
        self.setVisible(bool(found))
        if not found:
            return
        from segviz.gui.sight_layers import path_colours  # loads numpy, which is there with a picture

        colours, added = path_colours(len(found)), shares(scene, found)
        lengths = [abs(share) for share in added] or [path.box.width for path in found]
        values = [_signed(share) for share in added] or [_size(path) for path in found]
        most = max(*lengths, 1e-9)
        self.bars.set_rows(min(MOST_PATHS, len(found)))
        self.bars.set_bars(
            [
                Bar(path.name, length / most, value, at, colour)
                for at, (path, length, value, colour) in enumerate(zip(found, lengths, values, colours, strict=True))
            ]
        )
        self.what.setText(_what(scene, added))
        self.what.setToolTip(SUM if added else "How wide the field of each path is")
        head: list[object] = ["path", "stride", "left", "top", "right", "bottom", *(["score"] if added else [])]
        self._rows = [head]
        for at, path in enumerate(found):
            self._rows.append([path.name, path.stride, *path.box, *added[at : at + 1]])


def _what(scene: Scene, added: Sequence[float]) -> str:
    """What the bars of the paths are: the shares of a class's score, which sum to it, or the sizes of their fields."""
    unit, network = scene.state.unit, scene.network
    if not added or unit is None or network is None:
        return "How wide each field is, in image pixels"
    name = unit_words.class_of_map(network, network.geometry.last, unit.channel)
    return f"Score of {unit_words.quoted(name)}: {words.value(sum(added))}, the sum of"


def _signed(number: float) -> str:
    return f"+{words.value(number)}" if number > 0 else words.value(number)


def _size(path: Path) -> str:
    wide, high = words.length(path.box.width), words.length(path.box.height)
    return wide if wide == high else words.size(path.box.width, path.box.height)


class SquareCard(QWidget):
    """The grey square: how large it is, what it does to the class below it, how many outputs it changes."""

    def __init__(self, commands: Commands) -> None:
        super().__init__()
        self._key: object = None
        self._found: Occluded | None = None
        self.side = QLabel()
        theme.set_role(self.side, "dim")
        self.effect = ElidedLabel()
        self.effect.setAccessibleName("What the square does to the class below it")
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
        self.effect.setText(effect(found))
        self.effect.setToolTip(f"{effect(found)}\nThe most probable class of the output below the square's centre")
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
    """How many outputs change; '' before there is an answer."""
    answer = found.answer
    if answer is None:
        return ""
    changed, all_of_them = int(answer.changed.sum()), int(answer.change.size)
    told = f"{words.count(changed)} of {words.many(all_of_them, 'output')} change, all inside the dashed box"
    return f"{told}; a score by {words.value(float(answer.change.max()))} at most" if changed else told
