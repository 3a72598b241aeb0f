"""Feature maps: order, levels, clicks that pin, linked crosses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from segviz.core import palettes
from segviz.core.choices import ColourMap, MapOrder, MapScale
from segviz.core.field import Frame
from segviz.core.maps import MapStatistics
from segviz.core.session import Unit
from segviz.gui.panels import tiles
from segviz.gui.panels.feature_maps import FeatureMapsPanel
from tests.gui import scenes

SIZE = (1390, 300)


@pytest.fixture
def one(shown):
    return shown(FeatureMapsPanel, scenes.full(), SIZE)


def press(qtbot, grid, index: int, fx: float, fy: float) -> None:
    rect = grid.tile_rect(index)
    place = QPoint(rect.left() + int(fx * rect.width()), rect.top() + int(fy * rect.height()))
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_click_pins_the_unit_under_the_mouse(qtbot, one):
    press(qtbot, one.panel.grid, 7, 0.75, 0.25)
    unit = one.state.unit
    assert unit.channel == 7
    assert abs(unit.row - 0.25 * 42) <= 1
    assert abs(unit.column - 0.75 * 58) <= 1
    frame, geometry = one.scene.network.frame, one.scene.network.geometry
    assert one.state.cursor == frame.to_image(*geometry.position_of("c3", unit.row, unit.column))
    assert one.panel.grid.selected == 7


def test_a_click_in_a_sorted_grid_pins_the_channel_that_is_shown_there(qtbot, one):
    one.session.update(map_order=MapOrder.MAXIMUM)
    first = int(np.argmax(one.scene.features.values.max((1, 2))))
    press(qtbot, one.panel.grid, 0, 0.5, 0.5)
    assert one.state.unit.channel == first


def test_old_maps_stay_but_do_not_pin(qtbot, shown):
    one = shown(FeatureMapsPanel, scenes.everything()["stale features"], SIZE)
    assert "c1: computing…" in one.panel.what.text()
    assert one.panel.grid.isVisibleTo(one.panel.widget)
    press(qtbot, one.panel.grid, 3, 0.5, 0.5)
    assert one.changes == []


def test_the_cross_is_at_the_pinned_unit_and_follows_the_mouse(one):
    assert one.panel.grid._mark == pytest.approx(((20.5) / 58, 10.5 / 42))
    one.panel.hover((90.0, 60.0))
    row, column = one.scene.network.geometry.cell_at("c3", 90.0, 60.0)
    assert one.panel.grid._mark == pytest.approx(((column + 0.5) / 58, (row + 0.5) / 42))
    one.panel.hover(None)
    assert one.panel.grid._mark == pytest.approx(((20.5) / 58, 10.5 / 42))


def test_the_value_under_the_mouse_is_said(one):
    one.panel.grid.hovered.emit(5, 0.5, 0.5)
    number = f"{one.scene.features.values[5, 21, 29]:.3f}".replace("-", "−")
    assert one.panel.value.text() == f"map 5 · row 21, column 29 · {number}"
    one.panel.grid.left.emit()
    assert one.panel.value.text() == ""
    assert one.commands.names() == ["point_at", "point_at"]
    network = one.scene.network
    where = network.frame.to_image(*network.geometry.position_of("c3", 21, 29))
    assert [arguments for _, arguments in one.commands.asked] == [(where,), (None,)]


def test_choices_change_the_state_and_show_it(one):
    one.panel.sort.choose(MapOrder.CURSOR)
    one.panel.normalise.choose(MapScale.SIGNED)
    assert (one.state.map_order, one.state.map_scale) == (MapOrder.CURSOR, MapScale.SIGNED)
    assert (one.panel.sort.value, one.panel.normalise.value) == ("Response at cursor", "Signed about zero")
    values = one.scene.features.values[:, 10, 20]
    assert one.panel._order[0] == int(values.argmax())


def test_response_at_cursor_sorts_anew_when_the_unit_moves(one):
    one.session.update(map_order=MapOrder.CURSOR)
    one.session.update(unit=Unit(4, 30, 5), cursor=(16.5, 66.5))
    assert one.panel._order[0] == int(one.scene.features.values[:, 30, 5].argmax())


def test_dead_maps_are_marked(one):
    assert one.panel._caption(2) == "2 · dead"
    assert one.panel._caption(3) == "3"


def test_maps_of_the_last_layer_name_their_classes(shown):
    scene = scenes.deep_full()
    features = scenes.features(scene.network, "fc", "deep", scenes.BIG)
    one = shown(FeatureMapsPanel, replace(scene, features=features, state=replace(scene.state, layer="fc")), SIZE)
    assert one.panel._caption(483) == "483 class 483, a very long name, with synonyms, that goes on"
    assert one.panel._caption(2) == "2 class 2 · dead"
    one.panel.grid.hovered.emit(484, 0.5, 0.5)
    assert one.panel.value.text().startswith("map 484 class 484 · row ")


def test_the_title_counts(one):
    single = replace(one.scene.features, values=one.scene.features.values[:1])
    one.show(replace(one.scene, features=single))
    assert one.panel.what.text().replace("\u202f", " ") == "c3 · 1 map of 58 × 42"
    one.show(scenes.full())
    assert one.panel.what.text().replace("\u202f", " ") == "c3 · 16 maps of 58 × 42"


def test_only_visible_tiles_are_made(shown, monkeypatch):
    scene = scenes.deep_full()
    values = np.zeros((1280, 15, 20), np.float32)
    many = replace(scene, features=replace(scene.features, values=values))
    made = []
    monkeypatch.setattr(FeatureMapsPanel, "_tile", lambda self, index: made.append(index) or self._map_image(index))
    one = shown(FeatureMapsPanel, many, (1390, 190))
    one.panel.widget.grab()
    assert 0 < len(set(made)) < 80


def test_leaving_as_one_picture(qtbot, one):
    qtbot.mouseClick(one.panel.copy, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(one.panel.save, Qt.MouseButton.LeftButton)
    assert one.commands.names() == ["copy_image", "save_image"]
    assert one.commands.asked[1][1][1] == "feature-maps-c3"
    assert one.commands.asked[0][1][0].width() > 200


def test_a_silent_layer_is_neither_blue_nor_red(shown):
    """Both signs about zero: a layer that says nothing at all has the colour of zero."""
    scene = scenes.full()
    silent = replace(scene.features, values=np.zeros_like(scene.features.values))
    scene = replace(scene, features=silent, state=replace(scene.state, map_scale=MapScale.SIGNED))
    tile = shown(FeatureMapsPanel, scene, SIZE).panel._tile(0)
    colour = tile.pixelColor(3, 3)
    assert (colour.red(), colour.green(), colour.blue()) == tuple(palettes.colour_map(ColourMap.DIVERGING)[128])


# ------------------------------------------------------------------------------------- arrays


def test_orders_put_the_strongest_first_and_keep_ties():
    values = np.array([[[0, 1]], [[5, 0]], [[0, 1]], [[2, 2]]], np.float32)
    statistics = MapStatistics(values)
    orders = {how: tiles.order(values, statistics, how, (0, 1)) for how in MapOrder}
    assert orders == {
        MapOrder.INDEX: [0, 1, 2, 3],
        MapOrder.MEAN: [1, 3, 0, 2],
        MapOrder.MAXIMUM: [1, 3, 0, 2],
        MapOrder.SPARSITY: [0, 1, 2, 3],
        MapOrder.CURSOR: [3, 0, 2, 1],
    }
    assert tiles.order(values, statistics, MapOrder.CURSOR, None) == [0, 1, 2, 3]
    assert tiles.order(values, statistics, MapOrder.CURSOR, (7, 7)) == [0, 1, 2, 3]


def test_maps_that_reach_beyond_the_image_say_that_the_input_was_padded(one):
    assert "padded" not in one.panel.what.text()
    network = one.scene.network
    frame = Frame((240, 320), (240, 320), (256, 320))
    padded = replace(network, frame=frame, entry=replace(network.entry, multiple=32))
    one.show(replace(one.scene, network=padded))
    assert one.panel.what.text().endswith(" · input padded to 320 × 256, multiples of 32")
