"""The tab of feature maps in the window: what is asked of the engine, when, and what a click in a map shows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from segviz.core.choices import FilterScale, MapPage
from segviz.core.field import Box
from segviz.core.filters import FilterAnswer, FilterRequest
from segviz.core.planning import plan_description, plan_filter
from segviz.core.requests import DescribeRequest, FeatureRequest, SegmentRequest, Setup
from segviz.core.session import Session, State, Unit
from segviz.core.session_file import from_json, to_json
from segviz.gui import plan
from segviz.gui.scene import Kind, pinned
from tests.gui import scenes
from tests.gui.conftest import PAGE


def filters_asked(one) -> list[FilterRequest]:
    return [request for request in one.jobs.history if isinstance(request, FilterRequest)]


def test_filters_are_asked_for_on_their_page_one_map_at_a_time(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3"))
    assert filters_asked(one) == []
    panel = one.panel("feature-maps")
    one.qtbot.mouseClick(panel.buttons[MapPage.FILTERS], Qt.MouseButton.LeftButton)
    one.turn()
    assert filters_asked(one) == [FilterRequest(Setup("lenet5"), "c3", 0)]  # of no image
    one.jobs.answer(FilterRequest)
    one.turn()
    page = panel.pages[MapPage.FILTERS]
    assert page.grid.isVisible()
    one.qtbot.keyClick(page.maps, Qt.Key.Key_Down)
    one.turn()
    assert filters_asked(one)[1:] == [FilterRequest(Setup("lenet5"), "c3", 1)]
    assert page.grid.isVisible()  # the one before stays until the answer has come
    one.jobs.answer(FilterRequest)
    one.turn()
    one.desk.session.update(map_page=MapPage.MAPS, map_channel=3)
    one.turn()
    assert len(filters_asked(one)) == 2


def test_the_link_into_a_block_keeps_the_keyboard_in_the_tab(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3"))
    one.desk.session.update(map_page=MapPage.FILTERS)
    one.turn()
    page = one.panel("feature-maps").pages[MapPage.FILTERS]
    wanted = filters_asked(one)[-1]
    one.jobs.answer(FilterRequest, FilterAnswer(wanted, "c3", None, 0.0, "c3 is a block of 2 layers", "c1"))
    one.turn()
    page.maker.setFocus()
    assert page.maker.hasFocus()
    one.qtbot.keyClick(page.maker, Qt.Key.Key_Space)
    one.turn()
    assert one.state.layer == "c1"
    assert page.widget.isAncestorOf(QApplication.focusWidget()), "while it waits for the filters"
    one.jobs.answer(FilterRequest)
    one.turn()
    assert page.grid.hasFocus()


def test_nobody_asks_for_filters_of_a_layer_that_there_is_not():
    scene = scenes.filters(scenes.full(), scenes.a_filter())
    described = plan_description(scene.state)
    assert plan.wanted(scene, False, described)[Kind.FILTERS] == plan_filter(scene.state)
    gone = replace(scene, state=replace(scene.state, layer="gone"))
    assert plan.wanted(gone, False, described)[Kind.FILTERS] is None
    other = replace(scene, state=replace(scene.state, tab="heatmaps"))
    assert plan.wanted(other, False, described)[Kind.FILTERS] is None


def test_the_map_looked_at_is_the_pinned_units():
    state = State(model="lenet5", layer="c3", map_channel=7)
    assert plan_filter(state) == FilterRequest(Setup("lenet5"), "c3", 7)
    assert plan_filter(replace(state, unit=Unit(2, 0, 0))) == FilterRequest(Setup("lenet5"), "c3", 2)
    assert plan_filter(replace(state, map_channel=None)) == FilterRequest(Setup("lenet5"), "c3", 0)
    assert plan_filter(replace(state, layer=None)) is None


def test_what_is_looked_at_is_kept_in_sessions_and_goes_with_its_layer():
    state = State(model="lenet5", layer="c3", map_page=MapPage.FILTERS, map_channel=7, filter_scale=FilterScale.LAYER)
    assert from_json(to_json(state)) == (state, ())
    bad = to_json(state).replace('"map_channel": 7', '"map_channel": -7').replace('"filters"', '"shelf"')
    read, remarks = from_json(bad)
    assert (read.map_channel, read.map_page) == (None, MapPage.MAPS)
    assert len(remarks) == 2
    session = Session(state)
    session.update(layer="c1")
    assert (session.state.map_channel, session.state.map_page) == (None, MapPage.FILTERS)
    session.update(map_channel=2)
    session.update(model="efficientnet_lite0")
    assert session.state.map_channel is None


@pytest.fixture
def deep(bench):
    """A network with strides and padding, on an image twice as large as its input; its maps of blocks.1.dw."""
    one = bench(State(image=scenes.BIG, model="efficientnet_lite0", layer="blocks.1.dw"), prompt=False)
    network = scenes.deep()
    one.turn()
    one.jobs.open(picture=scenes.picture(960, 1280))
    one.turn()
    answers = {
        DescribeRequest: network,
        SegmentRequest: scenes.prediction(network, "efficientnet_lite0", scenes.BIG),
        FeatureRequest: scenes.features(network, "blocks.1.dw", "efficientnet_lite0", scenes.BIG),
    }
    for kind, answer in answers.items():
        wanted = one.jobs.asked[one.jobs.ticket(kind)]
        one.jobs.answer(kind, replace(answer, request=wanted))
        one.turn()
    return one


@pytest.mark.parametrize(("row", "column"), [(60, 90), (0, 0), (119, 159)])
def test_a_click_in_a_map_shows_the_box_of_what_its_unit_saw(deep, row, column):
    """By hand, in network pixels: blocks.1.dw (3, stride 2, padding 1) over blocks.0.dw (3, padding 1) over the stem
    (3, stride 2, padding 1) sees 4 u - 5 to 4 u + 5, eleven pixels; the image has two for each of them."""
    view = deep.window.canvas.view
    bare = view.render_image()
    grid = deep.panel("feature-maps").pages[MapPage.MAPS].grid
    tile = grid.tile_rect(3)
    place = QPoint(
        tile.left() + int((column + 0.5) / 160 * tile.width()), tile.top() + int((row + 0.5) / 120 * tile.height())
    )
    deep.qtbot.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    deep.turn()
    unit = deep.state.unit
    assert unit.channel == 3
    assert abs(unit.row - row) <= 1  # a tile has fewer pixels than the map has units
    assert abs(unit.column - column) <= 1
    x, y = 8 * unit.column, 8 * unit.row
    box = Box(x - 10, y - 10, x + 12, y + 12)
    assert pinned(deep.scene).field == box
    shown = view.render_image()

    def painted(x: float, y: float) -> bool:
        """Whether a line crosses the image at these pixel edges."""
        near = [(int(x) + dx, int(y) + dy) for dx in (-1, 0) for dy in (-1, 0)]
        inside = [(x, y) for x, y in near if 0 <= x < 1280 and 0 <= y < 960]
        return any(shown.pixelColor(*at) != bare.pixelColor(*at) for at in inside)

    (middle_x, middle_y), edges = box.center, []
    edges += [(x, middle_y + 3) for x in (box.left, box.right) if 0 < x < 1280]
    edges += [(middle_x + 3, y) for y in (box.top, box.bottom) if 0 < y < 960]
    assert len(edges) >= 2
    assert all(painted(*edge) for edge in edges)
    assert not painted(box.right + 5 if box.right < 1270 else box.left - 5, middle_y + 3)
