"""The page of filters: slices beside the maps that they make, by real events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from segviz.core.choices import FilterScale, MapPage
from segviz.core.filters import FilterKind
from segviz.core.session import Unit
from segviz.gui.panels import filter_words
from segviz.gui.panels.feature_maps import FeatureMapsPanel
from segviz.gui.panels.feature_maps_filters import FiltersPage
from segviz.gui.panels.map_images import Pair, filter_image, slice_image
from tests.gui import scenes

SIZE = (1390, 300)
PLAIN = {"\u202f": " "}


def page(one) -> FiltersPage:
    return one.panel.pages[MapPage.FILTERS]


def said(text: str) -> str:
    return text.translate(str.maketrans(PLAIN))


def at(grid, index: int, fx: float, fy: float) -> QPoint:
    rect = grid.tile_rect(index)
    return QPoint(rect.left() + int(fx * rect.width()), rect.top() + int(fy * rect.height()))


@pytest.fixture
def sliced(shown):
    """c3 of LeNet-5: the filter of map 4 has six slices of 5 x 5."""
    return shown(FeatureMapsPanel, scenes.filters(scenes.full(), scenes.a_filter(channel=4)), SIZE)


@pytest.fixture
def pictured(shown):
    """A layer that reads the colours of the image: sixteen filters, each a picture."""
    return shown(FeatureMapsPanel, scenes.filters(scenes.full(), scenes.a_filter(channel=4, planes=3)), SIZE)


def test_the_buttons_turn_the_pages(qtbot, shown):
    one = shown(FeatureMapsPanel, scenes.full(), SIZE)
    for wanted in (MapPage.FILTERS, MapPage.MAPS):
        qtbot.mouseClick(one.panel.buttons[wanted], Qt.MouseButton.LeftButton)
        assert one.state.map_page is wanted
        assert one.panel.pages[wanted].widget.isVisible()
        assert [button.isChecked() for button in one.panel.buttons.values()] == [p is wanted for p in one.panel.pages]


def test_a_filter_is_described_with_all_that_it_reads(sliced):
    assert said(page(sliced).what.text()) == "c3 · filter 4 of 16 · 6 × 5 × 5 · bias 0.120"
    grouped = replace(
        scenes.a_filter(3, channel=4), groups=2, first=6, inputs=3, stride=(2, 2), dilation=(1, 2), bias=None,
        kind=FilterKind.TRANSPOSED,
    )  # fmt: skip
    assert said(filter_words.described("up", grouped)) == (
        "up · transposed convolution · filter 4 of 16 · 3 × 5 × 5 · group of maps 6 to 8, one of 2 · stride 2"
        " · dilation 2 × 1"
    )
    depthwise = replace(scenes.a_filter(1, channel=4), groups=16, first=4, inputs=1)
    assert "5 × 5, reads map 4 alone" in said(filter_words.described("dw", depthwise))
    cut = replace(scenes.a_filter(), inputs=70_000)
    assert "the first 6 slices" in filter_words.described("fc", cut)


def test_the_weight_under_the_mouse_is_said(qtbot, sliced):
    grid = page(sliced).grid
    qtbot.mouseMove(grid.viewport(), at(grid, 3, 0.5, 0.3))
    weight = sliced.scene.filters.filter.slices[3, 1, 2]
    assert page(sliced).value.text() == f"for map 3 · row 1, column 2 · {weight:.3f}".replace("-", "−")
    assert not page(sliced).what.isVisible()
    qtbot.mouseMove(grid.viewport(), QPoint(grid.viewport().width() - 2, 2))
    assert page(sliced).value.text() == ""
    assert page(sliced).what.isVisible()


def test_colours_are_symmetric_about_zero_and_the_bar_has_their_numbers(sliced):
    found = sliced.scene.filters.filter
    own = float(np.abs(found.slices).max())
    assert page(sliced).scale_bar._low == f"−{own:.3f}"
    assert page(sliced).scale_bar._high == f"{own:.3f}"
    page(sliced).scale.choose(FilterScale.LAYER)
    assert sliced.state.filter_scale is FilterScale.LAYER
    assert page(sliced).scale_bar._high == f"{found.reach:.3f}"
    image = slice_image(np.array([[-1.0, 0.0, 1.0]], np.float32), 1.0)
    low, middle, high = (image.pixelColor(x, 0) for x in range(3))
    assert low.blue() > low.red() + 60
    assert high.red() > high.blue() + 60
    assert abs(middle.red() - middle.blue()) < 12
    coloured = filter_image(np.array([[[1.0]], [[0.0]], [[-1.0]]], np.float32), 1.0).pixelColor(0, 0)
    assert (coloured.red(), coloured.green(), coloured.blue()) == (255, 128, 0)


def test_keys_in_the_maps_choose_whose_filter_is_shown(qtbot, sliced):
    """The unit goes over to the map; without one, the map alone is looked at."""
    maps = page(sliced).maps
    qtbot.keyClick(maps, Qt.Key.Key_Down)
    assert sliced.state.unit == Unit(5, 10, 20)
    assert maps.selected == 5
    sliced.session.update(unit=None, cursor=None)
    qtbot.keyClick(maps, Qt.Key.Key_Down)
    assert (sliced.state.unit, sliced.state.map_channel, sliced.state.looked_at) == (None, 6, 6)


def test_a_click_in_the_map_of_a_filter_pins_its_unit_and_one_in_the_filter_chooses_it(qtbot, pictured):
    grid, pair = page(pictured).grid, page(pictured)._pair
    assert not page(pictured).maps.isVisible()
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=at(grid, 2, *pair.from_map(0.75, 0.25)))
    unit = pictured.state.unit
    assert unit.channel == 2
    assert abs(unit.row - 0.25 * 42) <= 1
    assert abs(unit.column - 0.75 * 58) <= 1
    qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=at(grid, 3, 0.1, 0.5))
    assert pictured.state.unit == Unit(3, unit.row, unit.column)
    assert grid.selected == 3


def test_a_filter_in_colours_says_three_weights(qtbot, pictured):
    grid, pair = page(pictured).grid, page(pictured)._pair
    grid.verticalScrollBar().setValue(0)
    qtbot.mouseMove(grid.viewport(), at(grid, 1, 0.5 * pair.filter / pair.width, 0.5))
    red, green, blue = (f"{w:.3f}".replace("-", "−") for w in pictured.scene.filters.filter.pictures[1, :, 2, 2])
    assert page(pictured).value.text() == f"filter 1 · row 2, column 2 · red {red}, green {green}, blue {blue}"


def test_the_mouse_on_the_image_is_a_cross_in_every_map(pictured):
    pictured.panel.hover((90.0, 60.0))
    row, column = pictured.scene.network.geometry.cell_at("c3", 90.0, 60.0)
    expected = page(pictured)._pair.from_map((column + 0.5) / 58, (row + 0.5) / 42)
    assert page(pictured).grid._mark == pytest.approx(expected)


@pytest.mark.parametrize(("width", "map_width"), [(1.0, 1.5), (0.4, 1.0), (3.0, 0.2)])
def test_a_pair_knows_where_its_parts_are(width, map_width):
    pair = Pair(width, map_width)
    for fx, fy in ((0.01, 0.0), (0.5, 0.25), (0.99, 0.9)):
        there = pair.from_map(fx, fy)
        assert pair.of_map(*there) == pytest.approx((fx, fy), abs=1e-9)
        assert pair.of_filter(*there) is None
    assert pair.of_map(width / pair.width / 2, 0.5) is None
    assert pair.of_filter(width / pair.width / 2, 0.5) == pytest.approx((0.5, 0.5))
    assert Pair(width, 0.0).of_map(0.5, 0.5) is None


def test_a_layer_without_weights_says_so_and_leads_to_the_one_with(qtbot, shown):
    scene = scenes.filters(scenes.full(), None, "c3 has no weights: Tanh computes without any", "c1")
    one = shown(FeatureMapsPanel, scene, SIZE)
    assert page(one).note.said() == "c3 has no weights: Tanh computes without any."
    assert not page(one).grid.isVisible()
    qtbot.mouseClick(page(one).maker, Qt.MouseButton.LeftButton)
    assert one.state.layer == "c1"
    network, unit = one.scene.network, one.state.unit
    assert (unit.row, unit.column) == network.geometry.cell_at("c1", *network.frame.to_network(*one.state.cursor))


def test_filters_of_another_layer_are_taken_off(sliced):
    sliced.session.update(layer="c1", unit=None, cursor=None)
    assert page(sliced).filter is None
    assert not page(sliced).grid.isVisible()


def test_filters_leave_as_picture_and_table(qtbot, sliced, pictured):
    qtbot.mouseClick(page(sliced).copy, Qt.MouseButton.LeftButton)
    for action in page(sliced).save.menu().actions():
        action.trigger()
    assert sliced.commands.names() == ["copy_made", "save_with", "save_table"]
    assert sliced.commands.asked[1][1][0] == "filter-4-c3.png"
    rows = sliced.commands.asked[2][1][0]
    assert rows[0][:4] == ["filter", "map", "r0c0", "r0c1"]
    assert [row[:2] for row in rows[1:]] == [[4, index] for index in range(6)]
    assert rows[3][2:] == sliced.scene.filters.filter.slices[2].ravel().tolist()
    table = filter_words.rows(pictured.scene.filters.filter)
    assert len(table) == 1 + 16 * 3
    assert [row[1] for row in table[1:4]] == ["red", "green", "blue"]
    assert page(pictured).sheet()().width() > 200
