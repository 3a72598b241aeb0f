"""The feature maps of the selected layer: all of them, in step with the cursor, a click away from their units."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from segviz.core import planning
from segviz.core.choices import ColourMap, MapOrder, MapScale
from segviz.core.regions import to_shares
from segviz.gui import gestures, kinds, tables, theme, unit_words, words
from segviz.gui.panels.header import ChoicePill, HeaderLine
from segviz.gui.panels.map_images import DIVERGING, map_image
from segviz.gui.panels.sheet import Paint, Sheet, contact_sheet, copy_sheet, save_sheet
from segviz.gui.panels.work_note import WorkNote, held_up, told, without_layer
from segviz.gui.scene import Kind, Scene
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.thumb_grid import TILE, ThumbGrid

if TYPE_CHECKING:
    from segviz.core.requests import FeatureMaps
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

LEAST = ((1, 44), (16, 72), (inf, TILE))  # least width of a tile, for maps of so many units at most along a side
FEW = 8  # maps that may fill the height


class MapsPage:
    """A tile for every map. Tiles are made when they are seen; statistics when they are asked for."""

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._commands = commands
        self._scene: Scene | None = None
        self._features: FeatureMaps | None = None
        self._order: list[int] = []
        self._hover_cell: tuple[int, int] | None = None
        self._hover_map: int | None = None
        self.widget = QWidget()
        self.grid = ThumbGrid("Feature maps")
        self.grid.clicked.connect(self._clicked)
        self.grid.walked.connect(self._walked)
        self.grid.hovered.connect(self._hovered)
        self.grid.left.connect(self._left)
        self.grid.menu_wanted.connect(lambda index, at: self.menu_of(index).popup(at))
        self.note = WorkNote()
        self.what = ElidedLabel()
        self.value = ElidedLabel()
        self.value.hide()
        theme.set_role(self.what, "caption")
        theme.set_role(self.value, "caption")
        self.scale_bar = ColourBar()
        self.sort = ChoicePill("Sort", "Order of the maps", MapOrder, lambda v: session.update(map_order=v))
        self.normalise = ChoicePill(
            "Normalise", "Values that black and white stand for", MapScale, lambda v: session.update(map_scale=v)
        )
        self.header: QWidget = self._make_header()
        layout = QVBoxLayout(self.widget)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.note)
        layout.addWidget(self.grid, 1)
        layout.addStretch(0)
        self.note.setContentsMargins(theme.M, theme.S, theme.M, theme.S)

    def _make_header(self) -> HeaderLine:
        line = HeaderLine()
        line.add(self.what, 2)
        line.add(self.value, 3)
        for part in (self.scale_bar, self.sort, self.normalise):
            line.add(part)
        self.copy = line.button(
            "copy", "Copy all maps as one picture", lambda: copy_sheet(self._commands, self.sheet())
        )
        saves = {
            "All maps as PNG…": lambda: save_sheet(self._commands, self.sheet(), self._name()),
            "The framed map as PNG…": self._save_framed,
            "Statistics as CSV…": self._save_statistics,
            "Values as NPZ…": self._save_values,
        }
        self.save = line.menu("download", "Save the maps: PNG, CSV or NPZ", saves)
        line.favour(self.what)
        return line

    # ------------------------------------------------------------------------------- showing

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene = new
        fresh = self._features is not new.features
        if fresh:
            self._take(new.features)
        first = old is None or fresh
        if first or old is None or _scaled(old) != _scaled(new):
            self._show_scale()
        if first or self._order_differs(old, new):
            self._sort()
            self._fill()
        elif old is not None and old.state.map_scale is not new.state.map_scale:
            self._fill()
        self._show_unit()
        if old is not None and old.state.map_order is not new.state.map_order:
            self.grid.to_first()  # it is the first ones that another order is chosen for
        self._show_words(new)

    def _take(self, features: FeatureMaps | None) -> None:
        self._features, self._hover_cell = features, None
        self._tell_value(None)

    def _order_differs(self, old: Scene | None, new: Scene) -> bool:
        if old is None or old.state.map_order is not new.state.map_order:
            return True
        return new.state.map_order is MapOrder.CURSOR and _cell(old) != _cell(new)

    def _sort(self) -> None:
        if self._features is None or self._scene is None:
            self._order = []
            return
        from segviz.gui.panels import tiles

        how = self._scene.state.map_order
        self._order = tiles.order(self._features.statistics, how, _cell(self._scene))

    def _fill(self) -> None:
        if self._features is None:
            self.grid.set_tiles(0, 1.0, lambda index: QImage())
            return
        _, rows, columns = self._features.values.shape
        self.grid.set_tiles(len(self._order), columns / rows, self._tile, self._caption)
        named = bool(self._class(0))  # names of classes need their room
        self.grid.set_least(TILE if named else next(least for most, least in LEAST if max(rows, columns) <= most))
        self.grid.set_filling(len(self._order) <= FEW)

    def _tile(self, index: int) -> QImage:
        return self._map_image(self._order[index])

    def _map_image(self, channel: int) -> QImage:
        assert self._features is not None
        assert self._scene is not None
        return map_image(self._features.statistics, channel, self._scene.state.map_scale)

    def _caption(self, index: int) -> str:
        channel = self._order[index]
        assert self._features is not None
        remark = self._features.statistics.remarks[channel]
        return f"{self._named(channel)} · {remark}" if remark else self._named(channel)

    def _named(self, channel: int) -> str:
        """The map's number, and its class where the layer scores the classes."""
        return unit_words.captioned(channel, self._class(channel))

    def _class(self, channel: int) -> str:
        features, network = self._features, self._scene.network if self._scene is not None else None
        if features is None or network is None or features.request.setup.model != network.request.setup.model:
            return ""
        return unit_words.class_of_map(network, features.layer, channel)

    def _show_scale(self) -> None:
        """The bar says which values the levels stand for; per map they differ: those of the map under the mouse.

        With the mouse elsewhere it is the map that is looked at.
        """
        scene, statistics = self._scene, self._features.statistics if self._features is not None else None
        self.scale_bar.setVisible(statistics is not None)
        if scene is None or statistics is None:
            return
        from segviz.core import palettes
        from segviz.gui.widgets.plane import rgb

        scale = scene.state.map_scale
        table = palettes.colour_map(ColourMap.DIVERGING if scale in DIVERGING else ColourMap.GREY)
        self.scale_bar.set_colours(rgb(table))
        own = scale is MapScale.MAP and statistics.values[0].size > 1
        channel = self._hover_map if self._hover_map is not None else self._framed()
        if own and channel is None:
            self.scale_bar.set_title("")
            self.scale_bar.set_range("lowest", "highest")
            return
        self.scale_bar.set_title(f"map {channel}" if own else "")
        low, high = statistics.levels((channel or 0) if own else 0, scale)
        self.scale_bar.set_range(words.value(low), words.value(high))

    def _show_unit(self) -> None:
        scene = self._scene
        channel = scene.state.looked_at if scene is not None and scene.shown_features is not None else None
        self.grid.set_selected(self._order.index(channel) if channel in self._order else None)
        self._show_mark()

    def _show_mark(self) -> None:
        features = self._scene.shown_features if self._scene is not None else None
        cell = self._hover_cell or (_cell(self._scene) if self._scene is not None else None)
        if features is None or cell is None or features.values[0].size == 1:  # one unit is seen without a cross
            self.grid.set_mark(None)
            return
        _, rows, columns = features.values.shape
        self.grid.set_mark(to_shares(cell[1], cell[0], rows, columns))

    def _show_words(self, scene: Scene) -> None:
        features = self._features
        self.sort.show_choice(scene.state.map_order)
        self.normalise.show_choice(scene.state.map_scale)
        job = scene.job(Kind.FEATURES)
        stale = features is not scene.shown_features
        text = ""
        if features is not None:
            maps, rows, columns = features.values.shape
            coming = f"{scene.state.layer}: computing… · " if stale and job and scene.state.layer else ""
            # the last parts go where there is no room: tiles show how many maps there are, and not how large
            text = f"{coming}{features.layer} · {words.shape((rows, columns))} · {words.many(maps, 'map')}"
            text += self._silence() + _padded(scene)
        self.what.setText(text)
        self.note.show_work(_advice(scene, job is not None), job)
        self.note.setVisible(features is None)
        self.grid.setVisible(features is not None)
        self.grid.setEnabled(not stale)
        for part in (self.sort, self.normalise, self.copy, self.save):
            part.setVisible(features is not None)
        self.save.menu().actions()[1].setEnabled(self._framed() is not None)

    def _silence(self) -> str:
        """How many maps say nothing."""
        assert self._features is not None
        statistics = self._features.statistics
        counts = {"dead": statistics.dead, "constant": statistics.constant}
        return "".join(f" · {words.count(number)} {word}" for word, number in counts.items() if number)

    def hover(self, point: tuple[float, float] | None) -> None:
        """The cross follows the mouse on the image, in every map."""
        self._hover_cell = gestures.cell_at(self._scene, point) if self._scene is not None else None
        self._show_mark()

    # ------------------------------------------------------------------------------ gestures

    def _unit_at(self, index: int, fx: float, fy: float) -> tuple[int, int, int] | None:
        """(channel, row, column) under a point of a tile."""
        if self._features is None or index >= len(self._order):
            return None
        _, rows, columns = self._features.values.shape
        return self._order[index], min(rows - 1, int(fy * rows)), min(columns - 1, int(fx * columns))

    def _clicked(self, index: int, fx: float, fy: float) -> None:
        unit = self._unit_at(index, fx, fy)
        scene = self._scene
        if unit is None or scene is None or scene.shown_features is None:
            return
        changes = gestures.pin_in_map(scene, *unit)
        if changes:
            self._session.update(**changes)

    def _walked(self, index: int) -> None:
        """The arrow keys: the map is looked at, and a pinned unit goes over to it."""
        scene = self._scene
        if scene is not None and scene.shown_features is not None and index < len(self._order):
            self._session.update(**gestures.look_at_map(scene, self._order[index]))

    def _hovered(self, index: int, fx: float, fy: float) -> None:
        unit = self._unit_at(index, fx, fy)
        self._tell_value(unit)
        scene = self._scene
        if unit is not None and scene is not None and scene.shown_features is not None:
            self._commands.point_at(gestures.pin_in_map(scene, *unit).get("cursor"))

    def _left(self) -> None:
        self._tell_value(None)
        self._commands.point_at(None)

    def _tell_value(self, unit: tuple[int, int, int] | None) -> None:
        there = unit is not None and self._features is not None
        self.value.setVisible(there)
        self.what.setVisible(not there)  # both want the room that there is
        hovered = unit[0] if unit is not None else None
        if hovered != self._hover_map:
            self._hover_map = hovered
            self._show_scale()
        if unit is None or self._features is None:
            self.value.setText("")
            return
        channel, row, column = unit
        number = words.value(float(self._features.values[channel, row, column]))
        self.value.setText(f"map {self._named(channel)} · row {row}, column {column} · {number}")

    # -------------------------------------------------------------------------------- leaving

    def sheet(self) -> Paint | None:
        """Paints all maps as one picture, as they are shown now, in any thread; None without maps."""
        if self._features is None or self._scene is None or not self._order:
            return None
        statistics, scale, order = self._features.statistics, self._scene.state.map_scale, self._order
        _, rows, columns = statistics.values.shape
        colours = theme.tokens(self.widget.palette())
        what = Sheet(self.what.text(), len(order), columns / rows, max(rows, columns))
        captions = [self._caption(index) for index in range(len(order))]
        return lambda: contact_sheet(
            what, lambda index: map_image(statistics, order[index], scale), captions.__getitem__, colours
        )

    def menu_of(self, index: int) -> QMenu:
        """All that can be done with the map of a tile."""
        assert self._features is not None
        channel, layer = self._order[index], self._features.layer
        menu = QMenu(self.grid)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        image = self._map_image(channel)
        menu.addAction("Copy the map").triggered.connect(lambda: self._commands.copy_image(image))
        menu.addAction("Save the map…").triggered.connect(
            lambda: self._commands.save_image(image, f"{layer}-map-{channel}")
        )
        menu.addSeparator()
        strongest = menu.addAction("Pin its strongest unit")
        strongest.setEnabled(self._scene is not None and self._scene.shown_features is not None)
        strongest.triggered.connect(lambda: self._pin_strongest(channel))
        return menu

    def _pin_strongest(self, channel: int) -> None:
        if self._scene is None or self._features is None or self._scene.shown_features is not self._features:
            return
        plane = self._features.values[channel]
        row, column = divmod(int(plane.argmax()), plane.shape[1])
        self._session.update(**gestures.pin_in_map(self._scene, channel, row, column))

    def _framed(self) -> int | None:
        """The map that is looked at, or the only one."""
        features, scene = self._features, self._scene
        if features is None or scene is None:
            return None
        if len(features.values) == 1:
            return 0
        channel = scene.state.looked_at
        return channel if channel is not None and channel < len(features.values) else None

    def _name(self) -> str:
        return f"feature-maps-{self._features.layer}" if self._features is not None else "feature-maps"

    def _save_framed(self) -> None:
        channel = self._framed()
        if channel is not None and self._features is not None:
            self._commands.save_image(self._map_image(channel), f"{self._features.layer}-map-{channel}")

    def _save_statistics(self) -> None:
        """Worked out where they are written: deviations look at all values."""
        if self._features is None:
            return
        from segviz.core import export

        statistics, cell = self._features.statistics, self._pinned_cell()
        names = [self._class(channel) for channel in range(len(statistics.values))]
        self._commands.save_with(
            f"{self._name()}.csv",
            kinds.CSV,
            lambda path: export.save_table(path, tables.map_rows(statistics, names.__getitem__, cell)),
        )

    def _pinned_cell(self) -> tuple[int, int] | None:
        """The cell of the pinned unit, where the maps that are shown have it."""
        scene, features = self._scene, self._features
        cell = _cell(scene) if scene is not None and scene.shown_features is not None else None
        inside = (
            cell is not None
            and features is not None
            and all(at < size for at, size in zip(cell, features.values.shape[1:], strict=True))
        )
        return cell if inside else None

    def _save_values(self) -> None:
        """The arrays, with the places of their units where the network is there that made them."""
        features, scene = self._features, self._scene
        if features is None or scene is None:
            return
        from segviz.core import export

        values, lattice, network = features.values, None, scene.network
        if network is not None and scene.shown_features is features:
            _, rows, columns = values.shape
            lattice = network.frame.lattice(rows, columns, *network.geometry.laws(features.layer))
        self._commands.save_with(
            f"{self._name()}.npz", kinds.NPZ, lambda path: export.save_arrays(path, values, lattice)
        )


def _cell(scene: Scene) -> tuple[int, int] | None:
    unit = scene.state.unit
    return (unit.row, unit.column) if unit is not None else None


def _scaled(scene: Scene) -> tuple[MapScale, int | None]:
    """What the scale bar depends on."""
    return scene.state.map_scale, scene.state.looked_at


def _advice(scene: Scene, computing: bool) -> str:
    if computing:
        return told(scene, Kind.FEATURES, f"Computing the feature maps of {scene.state.layer}…")
    if scene.state.layer is None or scene.network is None:
        return without_layer(scene, Kind.FEATURES, "Choose a layer in the Network panel to see its feature maps.")
    if scene.picture is None:
        return "Open an image to see what the layer makes of it."
    if not scene.waits_for(planning.plan_features(scene.state)):
        return f"The maps of {scene.state.layer} have not been computed: Run > Run again (F9)."
    return held_up(scene, Kind.FEATURES) or "The feature maps appear here once the engine has run."


def _padded(scene: Scene) -> str:
    """Why maps reach beyond the image: ' · input padded to 256 x 320, multiples of 32'; '' where they do not."""
    network = scene.known
    if network is None or network.frame.inner == network.frame.outer:
        return ""
    if network.entry.mirrors:
        return f" · image mirrored at its border, to {words.shape(network.frame.outer)}"
    if network.entry.multiple == 1:
        return ""
    return f" · input padded to {words.shape(network.frame.outer)}, multiples of {network.entry.multiple}"
