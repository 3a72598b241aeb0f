"""Feature maps: order, levels, clicks that pin, linked crosses."""

from __future__ import annotations

import csv
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from segviz.core import palettes
from segviz.core.choices import ColourMap, MapOrder, MapPage, MapScale
from segviz.core.frames import Frame
from segviz.core.maps import MapStatistics
from segviz.core.session import Unit
from segviz.gui.panels import tiles
from segviz.gui.panels.feature_maps import FeatureMapsPanel
from segviz.gui.panels.feature_maps_grid import MapsPage
from segviz.gui.widgets.painted import text_width
from tests.gui import scenes

SIZE = (1390, 300)


@pytest.fixture
def one(shown):
    return shown(FeatureMapsPanel, scenes.full(), SIZE)


def maps(one) -> MapsPage:
    return one.panel.pages[MapPage.MAPS]


def press(qtbot, grid, index: int, fx: float, fy: float) -> None:
    rect = grid.tile_rect(index)
    place = QPoint(rect.left() + int(fx * rect.width()), rect.top() + int(fy * rect.height()))
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_a_click_pins_the_unit_under_the_mouse(qtbot, one):
    press(qtbot, maps(one).grid, 7, 0.75, 0.25)
    unit = one.state.unit
    assert unit.channel == 7
    assert abs(unit.row - 0.25 * 42) <= 1
    assert abs(unit.column - 0.75 * 58) <= 1
    frame, geometry = one.scene.network.frame, one.scene.network.geometry
    assert one.state.cursor == frame.to_image(*geometry.position_of("c3", unit.row, unit.column))
    assert maps(one).grid.selected == 7


def test_a_click_in_a_sorted_grid_pins_the_channel_that_is_shown_there(qtbot, one):
    one.session.update(map_order=MapOrder.MAXIMUM)
    first = int(np.argmax(one.scene.features.values.max((1, 2))))
    press(qtbot, maps(one).grid, 0, 0.5, 0.5)
    assert one.state.unit.channel == first


def test_old_maps_stay_but_do_not_pin(qtbot, shown):
    one = shown(FeatureMapsPanel, scenes.everything()["stale features"], SIZE)
    assert "c1: computing…" in maps(one).what.text()
    assert maps(one).grid.isVisibleTo(one.panel.widget)
    press(qtbot, maps(one).grid, 3, 0.5, 0.5)
    assert one.changes == []


def test_the_cross_is_at_the_pinned_unit_and_follows_the_mouse(one):
    assert maps(one).grid._mark == pytest.approx(((20.5) / 58, 10.5 / 42))
    one.panel.hover((90.0, 60.0))
    row, column = one.scene.network.geometry.cell_at("c3", 90.0, 60.0)
    assert maps(one).grid._mark == pytest.approx(((column + 0.5) / 58, (row + 0.5) / 42))
    one.panel.hover(None)
    assert maps(one).grid._mark == pytest.approx(((20.5) / 58, 10.5 / 42))


def test_the_value_under_the_mouse_is_said(one):
    maps(one).grid.hovered.emit(5, 0.5, 0.5)
    number = f"{one.scene.features.values[5, 21, 29]:.3f}".replace("-", "−")
    assert maps(one).value.text() == f"map 5 · row 21, column 29 · {number}"
    maps(one).grid.left.emit()
    assert maps(one).value.text() == ""
    assert one.commands.names() == ["point_at", "point_at"]
    network = one.scene.network
    where = network.frame.to_image(*network.geometry.position_of("c3", 21, 29))
    assert [arguments for _, arguments in one.commands.asked] == [(where,), (None,)]


def test_choices_change_the_state_and_show_it(one):
    maps(one).sort.choose(MapOrder.CURSOR)
    maps(one).normalise.choose(MapScale.SIGNED)
    assert (one.state.map_order, one.state.map_scale) == (MapOrder.CURSOR, MapScale.SIGNED)
    assert (maps(one).sort.value, maps(one).normalise.value) == ("Response at cursor", "Signed about zero")
    values = one.scene.features.values[:, 10, 20]
    assert maps(one)._order[0] == int(values.argmax())


def test_another_order_is_seen_from_its_first_maps_on(shown):
    """Wherever the framed map stands in it; it was framed, and in view, before."""
    scene = scenes.full()
    values = np.random.default_rng(0).normal(size=(300, *scene.features.values.shape[1:])).astype(np.float32)
    values[299] -= 100  # the last by its mean
    features = replace(scene.features, statistics=MapStatistics.of(values))
    one = shown(FeatureMapsPanel, replace(scene, features=features), SIZE)
    bar = maps(one).grid.verticalScrollBar()
    one.session.update(unit=replace(scene.state.unit, channel=299))
    assert bar.value() > 0
    one.session.update(map_order=MapOrder.MEAN)
    assert maps(one)._order[-1] == 299
    assert bar.value() == 0
    one.panel.widget.resize(SIZE[0] - 40, SIZE[1])
    QApplication.processEvents()
    assert bar.value() == 0


def test_response_at_cursor_sorts_anew_when_the_unit_moves(one):
    one.session.update(map_order=MapOrder.CURSOR)
    one.session.update(unit=Unit(4, 30, 5), cursor=(16.5, 66.5))
    assert maps(one)._order[0] == int(one.scene.features.values[:, 30, 5].argmax())


def test_dead_maps_are_marked(one):
    assert maps(one)._caption(2) == "2 · dead"
    assert maps(one)._caption(3) == "3"


def test_maps_of_the_last_layer_name_their_classes(shown):
    scene = scenes.deep_full()
    features = scenes.features(scene.network, "fc", "deep", scenes.BIG)
    one = shown(FeatureMapsPanel, replace(scene, features=features, state=replace(scene.state, layer="fc")), SIZE)
    assert maps(one)._caption(483) == "483 class 483, a very long name, with synonyms, that goes on"
    assert maps(one)._caption(2) == "2 class 2 · dead"
    maps(one).grid.hovered.emit(484, 0.5, 0.5)
    assert maps(one).value.text().startswith("map 484 class 484 · row ")


def test_a_narrow_title_keeps_the_grid_and_its_tooltip_has_all(one):
    """'c3 · 16 maps' said of a map neither how large it is nor what could not be counted in the tiles."""
    what = maps(one).what
    for text, kept in (("c3 · 42 × 58", True), ("c3 · 42", False)):
        what.setFixedWidth(text_width(text.replace(" × ", "\u202f×\u202f"), what.font()) + 4)
        what.resize(what.minimumSize().width(), what.height())
        assert (what.shown_text().replace("\u202f", " ") == "c3 · 42 × 58") is kept
        assert what.toolTip().replace("\u202f", " ").endswith("42 × 58 · 16 maps · 1 dead")


def test_the_title_counts(one):
    single = replace(one.scene.features, statistics=MapStatistics.of(one.scene.features.values[:1]))
    one.show(replace(one.scene, features=single))
    assert maps(one).what.text().replace("\u202f", " ") == "c3 · 42 × 58 · 1 map"
    assert maps(one).scale_bar._title == "map 0"
    assert maps(one).grid.tile_rect(0).height() > 180  # alone it may be large
    one.show(scenes.full())
    assert maps(one).what.text().replace("\u202f", " ") == "c3 · 42 × 58 · 16 maps · 1 dead"


def test_only_visible_tiles_are_made(shown, monkeypatch):
    scene = scenes.deep_full()
    values = np.zeros((1280, 15, 20), np.float32)
    many = replace(scene, features=replace(scene.features, statistics=MapStatistics.of(values)))
    made = []
    monkeypatch.setattr(MapsPage, "_tile", lambda self, index: made.append(index) or self._map_image(index))
    one = shown(FeatureMapsPanel, many, (1390, 190))
    one.panel.widget.grab()
    assert 0 < len(set(made)) < 80


class Watched(np.ndarray):
    """Maps that remember how much of them is looked at together; to raise while something is painted would crash."""

    looked: ClassVar[list[tuple[int, ...]]] = []

    def __array_ufunc__(self, ufunc, method, *inputs, **others):
        return getattr(ufunc, method)(*plain(inputs), **others)

    def __array_function__(self, function, kinds, arguments, others):
        return function(*plain(arguments), **others)


def plain(arrays):
    Watched.looked += [part.shape for part in arrays if isinstance(part, Watched)]
    return [part.view(np.ndarray) if isinstance(part, Watched) else part for part in arrays]


@pytest.mark.parametrize("order", MapOrder)
@pytest.mark.parametrize("scale", MapScale)
def test_no_page_looks_at_all_values_of_a_layer(shown, monkeypatch, order, scale):
    scene = scenes.full()
    known = scene.features.statistics
    watched = replace(scene.features, statistics=replace(known, values=known.values.view(Watched)))
    one = shown(FeatureMapsPanel, scene, SIZE)
    monkeypatch.setattr(Watched, "looked", [])
    for page in (MapPage.MAPS, MapPage.FILTERS):
        state = replace(scene.state, map_order=order, map_scale=scale, map_page=page)
        one.show(replace(scene, state=state, features=watched))
        one.panel.widget.grab()
    assert maps(one).what.text().endswith("1 dead")
    assert Watched.looked
    assert max(len(shape) for shape in Watched.looked) == 2, "values of a whole layer in the thread of the window"


def test_leaving_as_one_picture(qtbot, one, tmp_path):
    qtbot.mouseClick(maps(one).copy, Qt.MouseButton.LeftButton)
    for action in maps(one).save.menu().actions():
        assert action.isEnabled()
        action.trigger()
    assert one.commands.names() == ["copy_made", "save_with", "save_image", "save_with", "save_with"]
    copied, saved, framed, *_ = (arguments for _, arguments in one.commands.asked)
    assert (saved[0], framed[1]) == ("feature-maps-c3.png", "c3-map-4")
    before = maps(one).sheet()()
    one.show(replace(one.scene, features=None))  # what was asked for is painted, whatever is shown by then
    assert copied[0]() == before
    assert before.width() > 200
    saved[2](tmp_path / saved[0])
    assert QImage(str(tmp_path / saved[0])).size() == before.size()
    assert one.commands.asked[2][1][0].size().toTuple() == (58, 42)


def test_the_statistics_are_a_table(one, tmp_path):
    maps(one)._save_statistics()
    name, _, write = one.commands.asked[0][1]
    assert name == "feature-maps-c3.csv"
    write(tmp_path / name)
    rows, values = list(csv.reader((tmp_path / name).read_text("utf-8-sig").splitlines())), one.scene.features.values
    assert rows[0][:4] == ["map", "class", "lowest", "highest"]
    told = dict(zip(rows[0], rows[6], strict=True))
    assert (told["map"], told["row"], told["column"]) == ("5", "10", "20")
    assert float(told["mean"]) == pytest.approx(float(values[5].mean()), abs=1e-6)
    assert float(told["deviation"]) == pytest.approx(float(values[5].std()), abs=1e-5)
    assert float(told["response"]) == pytest.approx(float(values[5, 10, 20]))
    assert (rows[3][0], rows[3][7]) == ("2", "dead")


def test_the_values_leave_with_the_places_of_their_units(one, tmp_path):
    maps(one)._save_values()
    name, _, write = one.commands.asked[0][1]
    assert name == "feature-maps-c3.npz"
    write(tmp_path / name)
    with np.load(tmp_path / name) as saved:
        assert np.array_equal(saved["maps"], one.scene.features.values)
        x, y = saved["start"] + saved["stride"] * (20, 10)
    network = one.scene.network
    assert (x, y) == pytest.approx(network.frame.to_image(*network.geometry.position_of("c3", 10, 20)))


def test_keys_walk_the_maps_and_enter_pins(qtbot, one):
    one.session.update(unit=None, cursor=None)
    grid = maps(one).grid
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    qtbot.keyClick(grid, Qt.Key.Key_Right)
    assert (one.state.map_channel, one.state.unit) == (2, None)
    assert grid.selected == 2
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert one.state.unit == Unit(2, 21, 29)  # in the middle, where no cross is
    one.session.update(unit=Unit(2, 7, 8))
    qtbot.keyClick(grid, Qt.Key.Key_Left)
    assert one.state.unit == Unit(1, 7, 8)


def test_the_bar_has_the_numbers_of_the_map_under_the_mouse(qtbot, one):
    def ends() -> tuple[str, str, str]:
        bar = maps(one).scale_bar
        return bar._title, bar._low, bar._high

    def of(values: np.ndarray) -> tuple[str, str]:
        return tuple(f"{number:.3f}".replace("-", "−") for number in (values.min(), values.max()))

    values = one.scene.features.values
    assert ends() == ("map 4", *of(values[4]))
    grid = maps(one).grid
    qtbot.mouseMove(grid.viewport(), grid.tile_rect(6).center())
    assert ends() == ("map 6", *of(values[6]))
    grid.left.emit()
    one.session.update(unit=None, cursor=None)
    assert ends() == ("", "lowest", "highest")
    maps(one).normalise.choose(MapScale.LAYER)
    assert ends() == ("", *of(values))


def test_maps_of_one_unit_are_seen_in_the_range_of_the_layer(shown):
    """A dense layer as published: each map alone would be of one colour."""
    scene = scenes.full()
    values = np.linspace(-1, 3, 4096, dtype=np.float32)[:, None, None]
    one = shown(
        FeatureMapsPanel, replace(scene, features=replace(scene.features, statistics=MapStatistics.of(values))), SIZE
    )
    assert [maps(one)._tile(index).pixelColor(0, 0).red() for index in (0, 4095)] == [0, 255]
    assert (maps(one).scale_bar._low, maps(one).scale_bar._high) == ("−1.000", "3.000")
    assert maps(one).grid.tile_rect(0).width() < 64
    assert maps(one).grid._mark is None  # it would cover the only unit


def test_a_silent_layer_is_neither_blue_nor_red(shown):
    """Both signs about zero: a layer that says nothing at all has the colour of zero."""
    scene = scenes.full()
    silent = replace(scene.features, statistics=MapStatistics.of(np.zeros_like(scene.features.values)))
    scene = replace(scene, features=silent, state=replace(scene.state, map_scale=MapScale.SIGNED))
    tile = maps(shown(FeatureMapsPanel, scene, SIZE))._tile(0)
    colour = tile.pixelColor(3, 3)
    assert (colour.red(), colour.green(), colour.blue()) == tuple(palettes.colour_map(ColourMap.DIVERGING)[128])


# ------------------------------------------------------------------------------------- arrays


def test_orders_put_the_strongest_first_and_keep_ties():
    values = np.array([[[0, 1]], [[5, 0]], [[0, 1]], [[2, 2]]], np.float32)
    statistics = MapStatistics.of(values)
    orders = {how: tiles.order(statistics, how, (0, 1)) for how in MapOrder}
    assert orders == {
        MapOrder.INDEX: [0, 1, 2, 3],
        MapOrder.MEAN: [1, 3, 0, 2],
        MapOrder.MAXIMUM: [1, 3, 0, 2],
        MapOrder.SPARSITY: [0, 1, 2, 3],
        MapOrder.CURSOR: [3, 0, 2, 1],
    }
    assert tiles.order(statistics, MapOrder.CURSOR, None) == [0, 1, 2, 3]
    assert tiles.order(statistics, MapOrder.CURSOR, (7, 7)) == [0, 1, 2, 3]


def test_maps_that_reach_beyond_the_image_say_that_the_input_was_padded(one):
    assert "padded" not in maps(one).what.text()
    network = one.scene.network
    frame = Frame((240, 320), (240, 320), (256, 320))
    padded = replace(network, frame=frame, entry=replace(network.entry, multiple=32))
    one.show(replace(one.scene, network=padded))
    assert maps(one).what.text().endswith(" · input padded to 256\u202f×\u202f320, multiples of 32")
    mirrored = replace(padded, entry=replace(padded.entry, border=8))
    one.show(replace(one.scene, network=mirrored))
    assert maps(one).what.text().endswith(" · image mirrored at its border, to 256\u202f×\u202f320")
