"""The filters of the selected layer: what multiplies the maps below, beside the map that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from segviz.core import planning
from segviz.core.choices import ColourMap, FilterScale, MapScale
from segviz.core.regions import to_shares
from segviz.gui import gestures, theme, words
from segviz.gui.panels import filter_words
from segviz.gui.panels.header import ChoicePill, HeaderLine
from segviz.gui.panels.map_images import Pair, filter_image, map_image, paired, slice_image
from segviz.gui.panels.sheet import Paint, Sheet, contact_sheet, copy_sheet, save_sheet
from segviz.gui.panels.work_note import held_up, told, without_layer
from segviz.gui.scene import Kind, Scene
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.thumb_grid import ThumbGrid
from segviz.gui.widgets.wrapped import WrappedLabel

if TYPE_CHECKING:
    from segviz.core.filters import Filter, FilterAnswer
    from segviz.core.requests import FeatureMaps
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

SLICE, PICTURE = 44, 72  # least widths of tiles: of a slice, and of a filter as a whole
BESIDE = 152  # width of the maps beside the slices, before `theme.px`


class FiltersPage:
    """Filters that are one picture each stand beside their maps; of others, the slices of the one looked at do."""

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self._answer: FilterAnswer | None = None
        self._features: FeatureMaps | None = None
        self._pair = Pair(1.0, 0.0)
        self._hover_cell: tuple[int, int] | None = None
        self.maps = ThumbGrid("Maps that the filters make")
        self.grid = ThumbGrid("Filters")
        self.what, self.value = ElidedLabel(), ElidedLabel()
        self.scale_bar = ColourBar()
        self.scale = ChoicePill(
            "Scale", "Weights that the ends of the colours stand for", FilterScale, self._choose_scale
        )
        self.note = WrappedLabel()
        self.maker = QPushButton()
        self.header: QWidget = self._make_header()
        self.widget = self._arrange()
        self._connect()

    # --------------------------------------------------------------------------------- making

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        line.add(self.what, 3)
        line.add(self.value, 2)
        for part in (self.what, self.value):
            theme.set_role(part, "caption")
        self.value.hide()
        line.add(self.scale_bar)
        line.add(self.scale)
        self.copy = line.button(
            "copy", "Copy the filters as one picture", lambda: copy_sheet(self._commands, self.sheet())
        )
        saves = {
            "Filters as PNG…": lambda: save_sheet(self._commands, self.sheet(), self._name()),
            "Weights as CSV…": self._save_table,
        }
        self.save = line.menu("download", "Save the filters: PNG or CSV", saves)
        line.favour(self.what)
        return line

    def _arrange(self) -> QWidget:
        theme.set_role(self.note, "dim")
        theme.set_kind(self.maker, "link")
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.note.setContentsMargins(theme.XS + 1, 0, 0, 0)  # as a button pads its words
        self.maps.setFixedWidth(theme.px(BESIDE))
        whole, self.refused = QWidget(), QWidget()
        said = QVBoxLayout(self.refused)
        said.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        said.addWidget(self.note)
        said.addWidget(self.maker, 0, Qt.AlignmentFlag.AlignLeft)
        said.addStretch(1)
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for part, stretch in ((self.refused, 1), (self.maps, 0), (self.grid, 1)):
            row.addWidget(part, stretch)
        return whole

    def _connect(self) -> None:
        self.maker.clicked.connect(self._to_maker)
        self.maps.clicked.connect(self._pin)
        self.maps.walked.connect(self._look_at)
        self.maps.hovered.connect(self._point_at)
        self.maps.left.connect(self._left)
        self.grid.clicked.connect(self._clicked)
        self.grid.walked.connect(self._walked)
        self.grid.hovered.connect(self._hovered)
        self.grid.left.connect(self._left)

    # -------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene = new
        answer, features = new.shown_filters, new.shown_features
        fresh = old is None or answer is not self._answer or features is not self._features
        if features is not self._features:
            self._take(features)
        self._answer = answer
        restyled = old is not None and (old.state.map_scale, old.state.filter_scale) != (
            new.state.map_scale,
            new.state.filter_scale,
        )
        if fresh:
            self._fill()
        elif restyled:
            self.maps.refresh()
            self.grid.refresh()
        self._show_selected()
        self._show_mark()
        self._show_scale()
        self._show_words(new)

    def _take(self, features: FeatureMaps | None) -> None:
        self._features, self._hover_cell = features, None

    @property
    def filter(self) -> Filter | None:
        return self._answer.filter if self._answer is not None else None

    @property
    def _pictured(self) -> bool:
        """Whether all filters of the layer are shown, each as one picture."""
        return self.filter is not None and self.filter.pictures is not None

    def _fill(self) -> None:
        found, features = self.filter, self._features
        if found is None:
            self.grid.set_tiles(0, 1.0, lambda index: QImage())
            self.maps.set_tiles(0, 1.0, lambda index: QImage())
            return
        rows, columns = found.size
        aspect = features.values.shape[2] / features.values.shape[1] if features is not None else 0.0
        self._pair = Pair(columns / rows, aspect if self._pictured else 0.0)
        if self._pictured:
            self.grid.set_tiles(found.channels, self._pair.width, self._picture, self._named)
        else:
            self.grid.set_tiles(len(found.slices), columns / rows, self._slice, self._slice_name)
        self.grid.set_least(round(PICTURE * max(1.0, min(3.0, self._pair.width))) if self._pictured else SLICE)
        self.grid.set_filling(len(found.slices if found.pictures is None else found.pictures) <= FEW)
        self.maps.set_tiles(found.channels, aspect or 1.0, self._map, self._named)

    def _named(self, channel: int) -> str:
        return str(channel)

    def _slice_name(self, index: int) -> str:
        return str(self.filter.first + index) if self.filter is not None else ""

    def _map(self, channel: int) -> QImage:
        return _map_of(self._features, channel, self._scene.state.map_scale) if self._scene is not None else QImage()

    def _slice(self, index: int) -> QImage:
        assert self.filter is not None
        return slice_image(self.filter.slices[index], self._reach())

    def _picture(self, channel: int) -> QImage:
        return self._painter()(channel)

    def _painter(self) -> Callable[[int], QImage]:
        """Paints a filter beside its map, as they are shown now, in any thread."""
        found, features, scene, pair, size = self.filter, self._features, self._scene, self._pair, self.grid.tile_pixels
        assert found is not None
        assert scene is not None
        assert found.pictures is not None
        planes, ground = found.pictures, theme.tokens(self.widget.palette()).color("panel")

        def paint(channel: int) -> QImage:
            made = _map_of(features, channel, scene.state.map_scale) if pair.map else None
            weights = filter_image(planes[channel], _reach_of(found, scene.state.filter_scale, channel))
            return paired(weights, made, pair, size, ground)

        return paint

    def _reach(self) -> float:
        """The weight at the ends of the colours, of the filter that is looked at."""
        found, scene = self.filter, self._scene
        if found is None or scene is None:
            return 0.0
        return _reach_of(found, scene.state.filter_scale, found.channel)

    # --------------------------------------------------------------- what stands around the tiles

    def _show_selected(self) -> None:
        found, scene = self.filter, self._scene
        looked_at = scene.state.looked_at if scene is not None else None
        chosen = found.channel if found is not None and looked_at is None else looked_at
        inside = found is not None and chosen is not None and chosen < found.channels
        self.maps.set_selected(chosen if inside else None)
        self.grid.set_selected(chosen if inside and self._pictured else None)

    def _show_mark(self) -> None:
        unit = self._scene.state.unit if self._scene is not None else None
        cell = self._hover_cell or ((unit.row, unit.column) if unit is not None else None)
        if self._features is None or cell is None or self._features.values[0].size == 1:
            self.maps.set_mark(None)
            self.grid.set_mark(None)
            return
        _, rows, columns = self._features.values.shape
        mark = to_shares(cell[1], cell[0], rows, columns)
        self.maps.set_mark(mark)
        self.grid.set_mark(self._pair.from_map(*mark) if self._pair.map else None)

    def _show_scale(self) -> None:
        found = self.filter
        self.scale_bar.setVisible(found is not None)
        if found is None:
            return
        from segviz.core import palettes
        from segviz.gui.widgets.plane import rgb

        coloured = found.pictures is not None and found.pictures.shape[1] > 1
        self.scale_bar.set_colours(rgb(palettes.colour_map(ColourMap.GREY if coloured else ColourMap.DIVERGING)))
        self.scale_bar.set_title("red, green, blue" if coloured else "weight")
        reach = self._reach()
        self.scale_bar.set_range(words.value(-reach), words.value(reach))

    def _show_words(self, scene: Scene) -> None:
        answer, found = self._answer, self.filter
        self.scale.show_choice(scene.state.filter_scale)
        self.what.setText(filter_words.described(answer.layer, found) if answer is not None and found else "")
        self.note.say(_advice(scene, answer))
        maker = answer.maker if answer is not None else ""
        self.maker.setText(f"Show the filters of {maker}")
        layer = answer.layer if answer is not None else ""
        within = maker.startswith(f"{layer}.")
        of = f"the last layer with filters inside {layer}" if within else f"whose filters made what {layer} was given"
        self.maker.setToolTip(f"Select {maker}, {of}")
        self.grid.setVisible(found is not None)
        self.maps.setVisible(found is not None and not self._pictured)
        self._keep_focus(answer)
        self.maker.setVisible(bool(maker))
        self.refused.setVisible(found is None)
        for part in (self.scale, self.copy, self.save):
            part.setVisible(found is not None)
        if found is None:
            self._say_value("")

    def _keep_focus(self, answer: FilterAnswer | None) -> None:
        """Keep the keyboard on this page where its link goes: on the page while it waits, then on what the link found.

        Qt would hand it on to whatever comes next in the window.
        """
        waiting = self.refused.hasFocus()
        if self.maker.hasFocus() and not (answer is not None and answer.maker):
            self.refused.setFocus()
        if answer is not None and (waiting or self.refused.hasFocus()):
            self.maker.show()
            (self.grid if answer.filter is not None else self.maker).setFocus()

    def hover(self, point: tuple[float, float] | None) -> None:
        """The cross follows the mouse on the image, in every map."""
        self._hover_cell = gestures.cell_at(self._scene, point) if self._scene is not None else None
        self._show_mark()

    # ------------------------------------------------------------------------------- gestures

    def _choose_scale(self, value: object) -> None:
        self._session.update(filter_scale=value)

    def _look_at(self, channel: int) -> None:
        if self._scene is not None:
            self._session.update(**gestures.look_at_map(self._scene, channel))

    def _walked(self, index: int) -> None:
        if self._pictured:
            self._look_at(index)

    def _clicked(self, index: int, fx: float, fy: float) -> None:
        if not self._pictured:
            return
        at = self._pair.of_map(fx, fy)
        if at is not None:
            self._pin(index, *at)
        else:
            self._look_at(index)

    def _pin(self, channel: int, fx: float, fy: float) -> None:
        """A point of a map: its unit, or the map alone where there are no values of it."""
        if self._scene is None:
            return
        unit = self._unit_at(channel, fx, fy)
        changes = gestures.pin_in_map(self._scene, *unit) if unit is not None else {}
        self._session.update(**(changes or gestures.look_at_map(self._scene, channel)))

    def _unit_at(self, channel: int, fx: float, fy: float) -> tuple[int, int, int] | None:
        if self._features is None or channel >= len(self._features.values):
            return None
        _, rows, columns = self._features.values.shape
        return channel, min(rows - 1, int(fy * rows)), min(columns - 1, int(fx * columns))

    def _hovered(self, index: int, fx: float, fy: float) -> None:
        found = self.filter
        if found is None:
            return
        over = self._pair.of_map(fx, fy) if self._pictured else None
        if over is not None:
            self._point_at(index, *over)
            return
        at = self._pair.of_filter(fx, fy) if self._pictured else (fx, fy)
        self._commands.point_at(None)
        self._say_value("" if at is None else filter_words.weight(found, index, *at))

    def _point_at(self, channel: int, fx: float, fy: float) -> None:
        unit, scene = self._unit_at(channel, fx, fy), self._scene
        if unit is None or scene is None or self._features is None:
            return
        number = words.value(float(self._features.values[unit]))
        self._say_value(f"map {channel} · row {unit[1]}, column {unit[2]} · {number}")
        self._commands.point_at(gestures.pin_in_map(scene, *unit).get("cursor"))

    def _left(self) -> None:
        self._say_value("")
        self._commands.point_at(None)

    def _say_value(self, text: str) -> None:
        self.value.setVisible(bool(text))
        self.what.setVisible(not text)  # both want the room that there is
        self.value.setText(text)

    def _to_maker(self) -> None:
        if self._scene is not None and self._answer is not None and self._answer.maker:
            self._session.update(**gestures.select_layer(self._scene, self._answer.maker))

    # -------------------------------------------------------------------------------- leaving

    def sheet(self) -> Paint | None:
        """Paints what the grid shows as one picture, as it is now; None without filters."""
        found = self.filter
        if found is None:
            return None
        rows, columns = found.size
        colours = theme.tokens(self.widget.palette())
        if found.pictures is None:
            what = Sheet(self.what.text(), len(found.slices), columns / rows, max(rows, columns))
            slices, reach = found.slices, self._reach()
            names = [self._slice_name(index) for index in range(len(slices))]
            return lambda: contact_sheet(
                what, lambda index: slice_image(slices[index], reach), names.__getitem__, colours
            )
        what = Sheet(self.what.text(), found.channels, self._pair.width, SHEET)
        paint = self._painter()
        return lambda: contact_sheet(what, paint, str, colours)

    def _name(self) -> str:
        found = self.filter
        which = f"-{found.channel}" if found is not None and found.pictures is None else "s"
        return f"filter{which}-{self._answer.layer if self._answer is not None else ''}"

    def _save_table(self) -> None:
        if self.filter is not None:
            self._commands.save_table(filter_words.rows(self.filter), self._name())


FEW = 24  # filters or slices that may fill the height of the page
SHEET = 160  # pixels of the longer side of a filter beside its map, in a picture of all


def _advice(scene: Scene, answer: FilterAnswer | None) -> str:
    if answer is not None:
        return f"{answer.refusal}." if answer.refusal else ""
    if scene.job(Kind.FILTERS) is not None:
        return told(scene, Kind.FILTERS, f"Reading the filters of {scene.state.layer}…")
    if scene.state.layer is None or scene.network is None:
        return without_layer(scene, Kind.FILTERS, "Choose a layer in the Network panel to see its filters.")
    if not scene.waits_for(planning.plan_filter(scene.state)):
        return f"The filters of {scene.state.layer} have not been read: Run > Run again (F9)."
    return held_up(scene, Kind.FILTERS) or "The filters appear here once the engine has read them."


def _map_of(features: FeatureMaps | None, channel: int, scale: MapScale) -> QImage:
    """The map that a filter makes; nothing where there is none."""
    if features is None or channel >= len(features.values):
        return QImage()
    return map_image(features.statistics, channel, scale)


def _reach_of(found: Filter, scale: FilterScale, channel: int) -> float:
    """The weight at the ends of the colours of the filter of `channel`."""
    if scale is FilterScale.LAYER:
        return found.reach
    return filter_words.reach(found.slices if found.pictures is None else found.pictures[channel])
