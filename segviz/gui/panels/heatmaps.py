"""Where the foremost classes are, or what speaks for them: one small heatmap each, over the dimmed photograph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from segviz.core import planning
from segviz.core.choices import ColourMap, Heat, View
from segviz.core.regions import from_shares, to_shares
from segviz.gui import gestures, plan, theme
from segviz.gui.names import title_of
from segviz.gui.panels.base import Area
from segviz.gui.panels.header import ChoicePill, HeaderLine
from segviz.gui.panels.sheet import Paint, Sheet, contact_sheet, copy_sheet, save_sheet
from segviz.gui.panels.work_note import told
from segviz.gui.scene import Kind, Scene, Tab
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.heading import worded_button
from segviz.gui.widgets.thumb_grid import ThumbGrid

if TYPE_CHECKING:
    from segviz.core.session import Session, State
    from segviz.gui.panels.base import Commands
    from segviz.gui.panels.heat_tiles import HeatTiles

SIGNED = "What speaks against the class, too: without the paper's ReLU"
AT_UNIT = "The class's score at the pinned unit, not of the whole answer"


class HeatmapsPanel:
    """Small multiples of the top classes; a click shows that class on the canvas."""

    id = Tab.HEATMAPS.value
    title = "Heatmaps"
    area = Area.WORKBENCH
    stage: QWidget | None = None

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self._of: tuple[object, object] = (None, None)  # the answer and the photograph that the tiles are of
        self._tiles: HeatTiles | None = None
        self.widget = QWidget()
        self.widget.setObjectName("panel-heatmaps")
        theme.set_surface(self.widget, "panel")
        self.grid = ThumbGrid("Heatmaps of the foremost classes")
        self.grid.set_smooth(True)
        self.grid.set_filling(True)
        self.grid.clicked.connect(lambda index, fx, fy: self._clicked(index))
        self.grid.walked.connect(self._clicked)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.note.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        theme.set_role(self.note, "dim")
        self.what = ElidedLabel()
        theme.set_role(self.what, "caption")
        self.scale_bar = ColourBar()
        self.grid.hovered.connect(self._hovered)
        self.grid.menu_wanted.connect(lambda index, at: self.menu_of(index).popup(at))
        self.grid.left.connect(lambda: self._commands.point_at(None))
        self.heat = ChoicePill("Shows", "What the heatmaps show", Heat, lambda heat: self._change(heat=heat))
        self.colours = ChoicePill(
            "Colours", "Colours of probabilities", ColourMap, lambda v: session.update(colour_map=v)
        )
        self.header: QWidget | None = self._make_header()
        layout = QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self.note, 1)
        layout.addWidget(self.grid, 1)

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        line.add(self.heat)
        self.signed = _toggle(line, "Signed", SIGNED, lambda on: self._change(signed=on))
        self.at_unit = _toggle(line, "At the unit", AT_UNIT, lambda on: self._change(at_unit=on))
        line.add(self.what, 1)
        line.add(self.scale_bar)
        line.add(self.colours)
        self.copy = line.button(
            "copy", "Copy all heatmaps as one picture", lambda: copy_sheet(self._commands, self.sheet())
        )
        self.save = line.button(
            "download", "Save all heatmaps as one PNG", lambda: save_sheet(self._commands, self.sheet(), "heatmaps")
        )
        return line

    # ------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene, new = new, new.seen
        old = old.seen if old is not None else None
        before = self._tiles
        self._take(old, new)
        fresh = self._tiles is not before
        if fresh:
            self._fill()
            if _names(new) != (_names(old) if old is not None else None):
                self.grid.verticalScrollBar().setValue(0)
        elif old is None or _look(old.state) != _look(new.state):
            self.grid.refresh()
        classes = self._classes
        current = new.shown_class if new.state.view is View.HEATMAP else None
        self.grid.set_selected(classes.index(current) if current in classes else None)
        self.grid.setEnabled(self._scene.before is None)
        self._show_mark(new.state.cursor)
        self._show_choices(new)
        self._show_words(new)

    @property
    def _classes(self) -> list[int]:
        return self._tiles.classes if self._tiles is not None else []

    def _take(self, old: Scene | None, new: Scene) -> None:
        """The tiles of a scene; those that are there, where what they are of is the same."""
        shown = new.shown_cams if new.state.cams.heat is not Heat.PROBABILITY else new.prediction
        of = (shown, new.picture)
        if old is not None and of == self._of:
            return
        self._of, self._tiles = of, None
        if shown is None:
            return
        from segviz.gui.panels.heat_tiles import CamTiles, ProbabilityTiles

        if shown is new.prediction and new.prediction is not None:
            own = new.picture if new.shown_prediction is not None else None
            self._tiles = ProbabilityTiles(new.prediction, own)
        elif new.shown_cams is not None and new.picture is not None:
            self._tiles = CamTiles(new.shown_cams, new.picture, (new.picture.height, new.picture.width))

    def _fill(self) -> None:
        if self._tiles is None:
            self.grid.set_tiles(0, 1.0, lambda index: QImage())
            return
        height, width = self._tiles.size
        self.grid.set_tiles(len(self._classes), width / height, self._tile, self._tiles.caption)

    def _tile(self, index: int) -> QImage:
        assert self._tiles is not None
        assert self._scene is not None
        return self._tiles.tile(index, self._scene.seen.state)

    def _show_mark(self, point: tuple[float, float] | None) -> None:
        shares = None if point is None or self._tiles is None else to_shares(*point, *self._tiles.size)
        self.grid.set_mark(shares)

    def _show_choices(self, scene: Scene) -> None:
        state = scene.state
        evidence = state.cams.heat is not Heat.PROBABILITY
        self.colours.show_choice(state.colour_map)
        self.heat.show_choice(state.cams.heat)
        for heat in Heat:
            self.heat.refuse(heat, plan.without_heat(scene, heat))
        self.signed.setChecked(state.cams.signed)
        self.at_unit.setChecked(state.cams.at_unit)
        self.signed.setVisible(evidence)
        self.at_unit.setVisible(state.cams.heat is Heat.GRAD_CAM)
        self.at_unit.setEnabled(state.cursor is not None or state.cams.at_unit)

    def _show_words(self, scene: Scene) -> None:
        shown, before = self._tiles, self._scene.before if self._scene is not None else None
        there = shown is not None
        if shown is not None:
            whose = f"{title_of(before.model)}: " if before is not None else ""
            self.what.setText(f"{whose}{shown.text}")
            colours, *ends = shown.colours(scene.state)
            self.scale_bar.set_colours(colours)
            self.scale_bar.set_range(*ends)
            self.scale_bar.set_title(shown.title)
        else:
            self.what.setText("")
        self.note.setText(_missing(scene))
        self.note.setVisible(not there)
        self.grid.setVisible(there)
        for part in (self.scale_bar, self.copy, self.save):
            part.setVisible(there)
        view = scene.state.cams
        self.colours.setVisible(there and (view.heat is Heat.PROBABILITY or not view.signed))

    def hover(self, point: tuple[float, float] | None) -> None:
        """The cross follows the mouse on the image, in every heatmap."""
        if self._scene is not None:
            self._show_mark(point or self._scene.state.cursor)

    def wants_stage(self, scene: Scene) -> bool:
        return False

    # ------------------------------------------------------------------------------ gestures

    def _change(self, **changes: Any) -> None:
        if self._scene is not None:
            self._session.update(**gestures.show_evidence(self._scene, **changes))

    def _clicked(self, index: int) -> None:
        if index < len(self._classes):
            self._session.update(view=View.HEATMAP, shown_class=self._classes[index])

    def _hovered(self, index: int, fx: float, fy: float) -> None:
        if self._tiles is not None and index < len(self._classes):
            self._commands.point_at(from_shares(fx, fy, *self._tiles.size))

    # -------------------------------------------------------------------------------- leaving

    def menu_of(self, index: int) -> QMenu:
        """All that can be done with the heatmap of a tile."""
        assert self._tiles is not None
        name, image = self._tiles.name(index), self._tile(index)
        menu = QMenu(self.grid)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show on the canvas").triggered.connect(lambda: self._clicked(index))
        menu.addSeparator()
        menu.addAction("Copy the heatmap").triggered.connect(lambda: self._commands.copy_image(image))
        menu.addAction("Save the heatmap…").triggered.connect(lambda: self._commands.save_image(image, f"{name}-map"))
        return menu

    def sheet(self) -> Paint | None:
        """Paints all heatmaps as one picture, as they are shown now; None without any."""
        if self._tiles is None or self._scene is None or not self._classes:
            return None
        from segviz.gui.panels.heat_tiles import LONGEST

        found, state, colours = self._tiles, self._scene.seen.state, theme.tokens(self.widget.palette())
        height, width = found.size
        what = Sheet(self.what.text(), len(self._classes), width / height, LONGEST)
        return lambda: contact_sheet(what, lambda index: found.tile(index, state), found.caption, colours)


def _names(scene: Scene) -> tuple[str, str | None]:
    """The network and the image of the prediction on the screen."""
    prediction = scene.prediction
    return (prediction.request.setup.model, prediction.request.setup.image) if prediction is not None else ("", None)


def _look(state: State) -> tuple[object, ...]:
    """What the colours of the tiles follow."""
    return state.colour_map, state.cams, state.upsampling


def _missing(scene: Scene) -> str:
    """What is said where there are no tiles."""
    heat = scene.state.cams.heat
    if heat is not Heat.PROBABILITY and scene.job(Kind.CAMS) is not None:
        return told(scene, Kind.CAMS, f"Computing {heat.title}…")
    if scene.job(Kind.PREDICTION) is not None:
        return told(scene, Kind.PREDICTION, "Segmenting…")
    asked = planning.plan_cams(scene.state) or planning.plan_prediction(scene.state)
    if asked is not None and not scene.waits_for(asked):
        return "They have not been computed: Run > Run again (F9)."
    return "Heatmaps appear here once the network has run on an image."


def _toggle(line: HeaderLine, text: str, tip: str, then: Callable[[bool], None]) -> QToolButton:
    button = worded_button(text, tip)
    button.setCheckable(True)
    button.clicked.connect(then)
    line.add(button)
    return button
