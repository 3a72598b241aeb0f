"""What units see and what pixels reach, in the window: by clicks, keys and drags, from integers alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QMouseEvent

from segviz.core import field_paths, regions
from segviz.core.choices import Palette
from segviz.core.contributions import Contribution, ContributionAnswer, ContributionRequest
from segviz.core.field import Box
from segviz.core.occlusion import OcclusionRequest
from segviz.core.planning import plan_description, setup_of
from segviz.core.regions import projective
from segviz.core.requests import DescribeRequest
from segviz.core.session import State, Unit
from segviz.core.sight import Sight
from segviz.gui import exports, film, gestures, plan, sighting, theme, words
from segviz.gui.overlays import Overlays, label_table
from segviz.gui.panels.sight_cards import WAITING, PathCard, counted
from segviz.gui.pictures import to_array
from segviz.gui.scene import Kind, Scene, pinned
from segviz.gui.sight_layers import CHANGED, COMPUTING, MOST_BOXES, OLD, path_marks
from tests.gui import render_states, scenes
from tests.gui.conftest import PAGE


def click(one, x: float, y: float) -> None:
    view = one.window.canvas.view
    one.qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place(one, x, y))
    one.turn()


def place(one, x: float, y: float) -> QPoint:
    return one.window.canvas.view.projection.to_view(x, y).toPoint()


def hover(one, x: float, y: float) -> None:
    view, at = one.window.canvas.view, one.window.canvas.view.projection.to_view(x, y)
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, view.mapToGlobal(at), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QGuiApplication.sendEvent(view, event)


def press(one, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    one.qtbot.keyClick(one.window, key, modifier)
    one.turn()


def layers(one):
    return one.window.canvas._overlays.sight


# ------------------------------------------------------------------------------------ the click


def test_a_click_draws_the_box_without_asking_the_engine(bench):
    one = bench()
    one.desk.session.update(layer="s4")
    one.bring_up()
    asked = len(one.jobs.history)
    for x, y in ((40, 30), (90, 70), (3, 2)):
        click(one, x, y)
        marks = one.window.canvas._overlays.unit.marks
        unit = one.state.unit
        assert marks.field == one.scene.network.geometry.field("s4", unit.row, unit.column).box
    assert len(one.jobs.history) == asked


def test_all_that_is_answered_by_integers_asks_nobody(bench):
    one = bench(State(image=PAGE, model="lenet5", sight=Sight(filmstrip=True, projective=True)))
    one.desk.session.update(layer="s4")
    one.bring_up()
    asked = len(one.jobs.history)
    click(one, 61, 42)
    assert layers(one).chain.boxes
    assert layers(one).reach.marks is not None
    assert len(one.window.sight.film.tiles) == 4
    assert len(one.jobs.history) == asked


# ------------------------------------------------------------------------------------ filmstrip


def test_the_filmstrip_goes_from_the_first_layer_to_the_unit(bench):
    one = bench()
    one.desk.session.update(layer="output")
    click(one, 61, 42)
    assert not one.window.sight.strip.isVisible()
    press(one, Qt.Key.Key_T)
    assert one.state.sight.filmstrip
    assert one.window.sight.strip.isVisible()
    tiles = one.window.sight.film.tiles
    assert [tile.title for tile in tiles] == ["c1", "s2", "c3", "s4", "output"]
    assert [tile.captions[0] for tile in tiles] == ["5 px", "6 px", "14 px", "16 px", "32 px"]  # oracles: LeNet-5
    grids = [one.scene.network.geometry.grid(tile.title) for tile in tiles]
    assert [tile.captions[1] for tile in tiles] == [words.shape(grid) for grid in grids]  # as in the layer table
    found = sighting.stills(one.scene, 20)
    assert [(still.rows, still.columns) for still in found] == [(28, 28), (14, 14), (10, 10), (5, 5), (1, 1)]


@pytest.mark.parametrize("place", [(490, 330), (485, 341), (0, 0), (1279, 959), (2, 700)])
def test_the_pinned_pixel_is_in_every_tile(place: tuple[int, int]):
    """Near a border too, where a part of what the unit needs is missing, so that the pixel is not in the middle."""
    full = scenes.deep_full(features=None)
    scene = replace(full, state=replace(full.state, layer="fc"))
    found = sighting.stills(replace(scene, state=replace(scene.state, **gestures.pin(scene, *place))), 20)
    assert len(found) > 3
    for still in found:
        assert still.field.left <= place[0] < still.field.right, still
        assert still.field.top <= place[1] < still.field.bottom, still


def test_without_a_cursor_the_tiles_are_about_the_unit():
    full = scenes.deep_full(features=None)
    scene = replace(full, state=replace(full.state, layer="fc", unit=Unit(17, 0, 79), cursor=None))
    found = sighting.stills(scene, 20)
    assert [(still.row, still.column) for still in found] == [(0, 316), (0, 316), (0, 158), (0, 79)]


def test_tiles_follow_the_pixel_within_the_cell_of_a_unit(bench):
    one = bench(State(image=PAGE, model="lenet5", sight=Sight(filmstrip=True)))
    one.desk.session.update(layer="output")
    click(one, 59, 40)
    unit, boxes, tiles = one.state.unit, layers(one).chain.boxes, one.window.sight._stills
    click(one, 61, 41)
    assert (one.state.unit.row, one.state.unit.column) == (unit.row, unit.column)
    assert layers(one).chain.boxes[0] != boxes[0]
    assert one.window.sight._stills[0].field != tiles[0].field


def test_boxes_and_tiles_of_a_click_are_walked_once(bench, monkeypatch):
    one = bench(State(image=PAGE, model="lenet5", sight=Sight(filmstrip=True)))
    one.desk.session.update(layer="output")
    click(one, 59, 40)
    walked, real = [], regions.in_sight
    chosen, stills = [], sighting.stills
    monkeypatch.setattr("segviz.gui.scene.in_sight", lambda *asked: walked.append(asked) or real(*asked))
    for name in ("film.stills", "sighting.stills"):
        monkeypatch.setattr(f"segviz.gui.{name}", lambda *asked: chosen.append(asked) or stills(*asked))
    click(one, 75, 60)
    unit = one.state.unit
    assert walked == [(one.scene.network.geometry, "output", unit.row, unit.column)]
    assert len(chosen) == 1
    assert layers(one).chain.boxes == tuple(still.field for still in one.window.sight._stills[:-1])


def test_boxes_on_the_image_are_those_of_the_tiles_however_many_there_is_room_for(bench):
    one = bench(State(image=PAGE, model="lenet5", sight=Sight(filmstrip=True)))
    one.desk.session.update(layer="output")
    click(one, 59, 40)
    film, shown = one.window.sight.film, set()
    for wide in (1000, 320, 240, 1000):
        film.resize(wide, film.height())
        one.turn()
        boxes = layers(one).chain.boxes
        assert len(boxes) == len(film.tiles) - 1
        assert boxes == tuple(still.field for still in one.window.sight._stills[:-1])
        shown.add(len(boxes))
    assert len(shown) > 1
    press(one, Qt.Key.Key_T)
    assert layers(one).chain.boxes == ()
    press(one, Qt.Key.Key_T)
    assert len(layers(one).chain.boxes) == len(film.tiles) - 1


def test_the_picture_that_is_copied_has_the_boxes_of_the_canvas(bench):
    one = bench(State(image=PAGE, model="lenet5", sight=Sight(filmstrip=True)))
    one.desk.session.update(layer="output")
    click(one, 59, 40)
    canvas = one.window.canvas
    one.window.sight.film.resize(240, one.window.sight.film.height())
    one.turn()
    assert 0 < len(canvas.chain) < MOST_BOXES - 1
    pictures = [
        to_array(exports.whole_view(one.scene, 1.0, canvas.view.ground, chain)) for chain in (canvas.chain, None, ())
    ]
    copied = to_array(copied_view(one))
    assert [np.array_equal(picture, copied) for picture in pictures] == [True, False, False]


def copied_view(one) -> QImage:
    QGuiApplication.clipboard().clear()
    one.window.do("copy")
    one.qtbot.waitUntil(lambda: not QGuiApplication.clipboard().image().isNull())
    return QGuiApplication.clipboard().image()


def test_paths_of_a_click_are_walked_once(bench, monkeypatch):
    one = bench(State(image=PAGE, model="lenet5"))
    one.desk.session.update(layer="output")
    walked, real = [], field_paths.paths
    monkeypatch.setattr(field_paths, "paths", lambda *asked: walked.append(asked) or real(*asked))
    click(one, 75, 60)
    assert len(walked) == 1


@pytest.mark.parametrize(("border", "said"), [(0, "padding"), (44, "the image mirrored")])
def test_what_a_tile_shows_outside_the_image_is_what_the_network_sees(look, border, said):
    """Of a sky that is brighter than the tile's surface, the mirrored one is seen, and padding shows none."""
    whole = render_states.castle()
    network = replace(whole.network, entry=replace(whole.network.entry, border=border))
    scene = replace(whole, network=network, state=replace(whole.state, unit=Unit(17, 0, 0)))
    stills, tiles = film.tiles_of(scene, 4, 64, theme.DARK)
    share = words.share(stills[-1].field.outside(scene.picture.width, scene.picture.height))
    assert f"Hatched: {share}, {said}. Click" in tiles[-1].hint
    assert "Hatched" not in tiles[0].hint  # its field lies inside
    assert bool(np.median(to_array(tiles[-1].image)[:20, :20]) > 90) is (border > 0)


def test_a_tile_leads_to_its_layer_and_its_unit(bench):
    one = bench()
    one.desk.session.update(layer="output")
    click(one, 61, 42)
    press(one, Qt.Key.Key_T)
    film, still = one.window.sight.film, sighting.stills(one.scene, 20)[2]
    one.qtbot.mouseClick(film, Qt.MouseButton.LeftButton, pos=film.tile_rect(2).center().toPoint())
    one.turn()
    assert one.state.layer == "c3"
    assert (one.state.unit.row, one.state.unit.column) == (still.row, still.column)
    assert pinned(one.scene).field == still.field
    assert [tile.title for tile in film.tiles] == ["c1", "s2", "c3"]


@pytest.mark.parametrize(
    ("names", "titles"),
    [
        ("backbone.stem backbone.blocks.0 backbone.blocks.1", "stem blocks.0 blocks.1"),
        ("a.b.conv1 a.b.conv2", "conv1 conv2"),
        ("backbone.blocks.0 score", "blocks.0 score"),
        ("a.conv b.conv", "a.conv b.conv"),
        ("net.blocks.0 net.blocks.1", "blocks.0 blocks.1"),
        ("net.blocks net.blocks.1", "blocks blocks.1"),
        ("c1", "c1"),
        ("", ""),
    ],
)
def test_tiles_are_named_without_what_all_names_share(names: str, titles: str):
    stills = [sighting.Still(name, 0, 0, 1, 1, (0, 0), Box(0, 0, 1, 1)) for name in names.split()]
    assert film.titles(stills) == tuple(titles.split())


@pytest.mark.parametrize(
    ("wide", "said"), [(39, "39 px"), (39.25, "39.2 px"), (1884.5, "1,884 px"), (11037.75, "11,038 px")]
)
def test_a_field_is_told_as_short_as_a_tile_is_wide(wide, said):
    assert film.size_text(sighting.Still("c1", 0, 0, 1, 1, (0, 0), Box(0, 0, wide, wide))) == said


def test_the_filmstrip_has_the_short_names(bench, monkeypatch):
    monkeypatch.setattr(film, "titles", lambda found: tuple(f"t{at}" for at in range(len(found))))
    one = bench(State(image=PAGE, model="lenet5", sight=Sight(filmstrip=True)))
    click(one, 61, 42)
    assert [tile.title for tile in one.window.sight.film.tiles] == ["t0", "t1", "t2", "t3", "t4"]


def test_keys_choose_a_tile(bench):
    one = bench()
    one.desk.session.update(layer="output")
    click(one, 61, 42)
    press(one, Qt.Key.Key_T)
    film = one.window.sight.film
    film.setFocus()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Return):
        one.qtbot.keyClick(film, key)
    one.turn()
    assert one.state.layer == "s2"


def test_without_a_unit_the_filmstrip_says_how_to_get_one(bench):
    one = bench()
    press(one, Qt.Key.Key_T)
    assert one.window.sight.note.isVisible()
    assert one.window.sight.note.text().startswith("Click in the image")
    assert not one.window.sight.film.isVisible()


@pytest.mark.parametrize("layer", ["head", "fc", "blocks.2", "blocks.0", "stem", "blocks.1.dw"])
def test_a_filmstrip_is_never_longer_than_there_is_room(layer: str):
    network = scenes.deep()
    state = State(image=PAGE, model="deep", layer=layer, unit=Unit(0, 5, 5))
    for most in range(1, 15):
        found = sighting.stills(Scene(state, network=network), most)
        assert 1 <= len(found) <= max(sighting.FEWEST, most)
        assert found[-1].layer == layer
        assert found[-1].rows == found[-1].columns == 1
        widths = [still.field.width for still in found]
        assert widths == sorted(widths)  # in a network without skips every layer sees as much as those before


def test_a_tile_outlines_the_field_of_the_one_before():
    full = scenes.deep_full(features=None)
    scene = replace(full, state=replace(full.state, layer="fc", cursor=(490.0, 330.0)))
    found = sighting.stills(replace(scene, state=replace(scene.state, **gestures.pin(scene, 490, 330))), 20)
    assert film.inner_of(found, 0) is None
    for at in range(1, len(found)):
        part, outer, inner = film.inner_of(found, at), found[at].field, found[at - 1].field
        assert outer.left + part.left() * outer.width == pytest.approx(inner.left)
        assert part.height() * outer.height == pytest.approx(inner.height)
    assert film.inner_of(found[::-1], 1) is None  # behind a skip a tile may see less than the one before


def test_of_a_network_with_levels_each_has_one_still_and_neighbours_differ():
    """A U-Net: down through three strides and up again, the last layer of each, however much room there is."""
    strides = [1, 1, 2, 2, 4, 4, 8, 8, 4, 4, 2, 2, 1, 1]
    sizes = [3, 5, 6, 14, 16, 32, 36, 68, 68, 84, 84, 92, 92, 100]
    rows = [
        replace(scenes.lenet().layers[0], name=f"l{at}", stride=(stride, stride), size=(size, size))
        for at, (stride, size) in enumerate(zip(strides, sizes, strict=True))
    ]
    for most in (9, 14, 30):
        kept = [int(row.name[1:]) for row in sighting._thinned(rows, most)]
        assert {0, 1, 3, 5, 7, 9, 11, 13} <= set(kept)
        others = set(kept) - {0, 1, 3, 5, 7, 9, 11, 13}
        assert not others & {2, 6, 8, 10, 12}  # as wide as what stands beside them
    assert len(sighting._thinned(rows, 5)) == 5


# ----------------------------------------------------------------------------- projective field


def test_the_projective_field_follows_the_mouse(bench):
    one = bench()
    one.desk.session.update(layer="c1", sight=Sight(projective=True))
    one.turn()
    assert layers(one).reach.marks is None  # nothing is pinned, and the mouse is elsewhere
    hover(one, 60, 40)
    marks = layers(one).reach.marks
    assert (marks.rows, marks.columns) == (5, 5)  # units of a 5x5 convolution that one pixel reaches
    x, y = (round(at) for at in one.window.canvas.view.projection.to_pixel(place(one, 60, 40).toPointF()))
    assert marks.pixel == Box(x, y, x + 1, y + 1)
    assert marks.text == "5\u202f×\u202f5 units of c1 reached"
    hover(one, 1, 1)
    assert (layers(one).reach.marks.rows, layers(one).reach.marks.columns) == (2, 2)
    one.window.canvas.view.left.emit()
    assert layers(one).reach.marks is None


def test_units_of_the_projective_field_are_those_whose_fields_hold_the_pixel(bench):
    one = bench()
    one.desk.session.update(layer="s4")
    click(one, 61, 42)
    press(one, Qt.Key.Key_J)
    geometry, (x, y) = one.scene.network.geometry, (round(at) for at in one.state.cursor)
    found = sighting.influence(one.scene, None).region
    rows, columns = geometry.grid("s4")
    seen = {
        (row, column)
        for row in range(rows)
        for column in range(columns)
        for box in [geometry.field("s4", row, column).box]
        if box.left <= x < box.right and box.top <= y < box.bottom
    }
    inside = {(r, c) for r in range(found.y.lo, found.y.hi + 1) for c in range(found.x.lo, found.x.hi + 1)}
    assert inside == seen
    press(one, Qt.Key.Key_J)
    assert layers(one).reach.marks is None


# ---------------------------------------------------------------------------------- occlusion


@pytest.fixture
def occluding(bench):
    """A window with a square of 32 pixels at (40, 20), and what it changes."""
    one = bench(State(image=PAGE, model="lenet5", sight=Sight(square=(40.0, 20.0))))
    assert one.scene.occlusion is not None
    return one


def asked(one) -> list[OcclusionRequest]:
    return [request for request in one.jobs.asked.values() if isinstance(request, OcclusionRequest)]


def card(one):
    return one.panel("inspector").sight[1]


def test_the_key_brings_the_square_to_what_is_pinned_and_takes_it_away(bench):
    one = bench()
    click(one, 61, 42)
    x, y = one.state.cursor
    press(one, Qt.Key.Key_Q)
    left, top = one.state.sight.square
    assert (abs(left + 16 - x), abs(top + 16 - y)) <= (1, 1)
    assert asked(one) == [OcclusionRequest(scenes.setup(), left, top, 32)]
    assert one.window.action("occlude").isChecked()
    press(one, Qt.Key.Key_Q)
    assert one.state.sight.square is None
    assert layers(one).square.box is None
    assert not card(one).isVisible()


def test_what_changes_is_outlined_inside_the_dashed_box(occluding):
    one = occluding
    found = layers(one)
    answer, square = one.scene.occlusion, found.square
    assert square.box == Box(40, 20, 72, 52)
    assert found.changed._plane.sum() == answer.changed.sum() > 0
    for row, column in zip(*answer.changed.nonzero(), strict=True):
        cell = answer.lattice.cell_box(int(row), int(column))
        assert square.possible.left <= cell.left
        assert square.possible.top <= cell.top
        assert cell.right <= square.possible.right
        assert cell.bottom <= square.possible.bottom
    assert card(one).effect.said() == "“3” 0.81 → 0.12, now “7”"
    assert (
        f"{answer.changed.sum()} of 425 outputs (17\u202f×\u202f25) change, none outside the dashed box;"
        in card(one).counted.text()
    )


def test_the_outline_of_what_changes_shows_where_that_is_all_that_can(occluding):
    """On any ground, black digits too: the dashed box of what can change lies outside of it, not on it."""
    view, found = occluding.window.canvas.view, layers(occluding)
    rows, columns = found.changed._plane.nonzero()
    lattice = occluding.scene.occlusion.lattice
    first, last = lattice.cell_box(rows.min(), columns.min()), lattice.cell_box(rows.max(), columns.max())
    outline = view.projection.rect(Box(first.left, first.top, last.right, last.bottom))
    assert outline == view.projection.rect(found.square.possible)
    picture, middle = view.grab().toImage(), outline.center().toPoint()
    edges = {
        "left": [(round(outline.left()) + at, middle.y()) for at in range(3)],
        "right": [(round(outline.right()) - at, middle.y()) for at in range(1, 4)],
        "bottom": [(middle.x(), round(outline.bottom()) - at) for at in range(1, 4)],
    }
    for edge, places in edges.items():
        assert any(picture.pixelColor(x, y).getRgb()[:3] == CHANGED for x, y in places), edge


def test_dragging_asks_for_the_newest_square_when_the_answer_has_come(occluding):
    one = occluding
    view, left = one.window.canvas.view, Qt.MouseButton.LeftButton
    one.qtbot.mousePress(view, left, pos=place(one, 50, 30))
    for x, y in ((60, 30), (65, 47), (70, 55)):
        one.qtbot.mouseMove(view, place(one, x, y))
        one.turn()
    one.qtbot.mouseRelease(view, left, pos=place(one, 70, 55))
    one.turn()
    assert one.state.sight.square == (60.0, 45.0)
    assert one.state.unit is None  # a drag is no click
    assert layers(one).square.box == Box(60, 45, 92, 77)
    assert len(asked(one)) == 1
    assert asked(one)[0] != OcclusionRequest(scenes.setup(), 60, 45, 32)
    one.jobs.answer(OcclusionRequest)
    one.turn()
    assert asked(one) == [OcclusionRequest(scenes.setup(), 60, 45, 32)]
    assert one.jobs.cancelled == []


def test_while_the_next_square_is_computed_the_old_changes_fade(occluding):
    one = occluding
    assert (layers(one).square.note, layers(one).strength.opacity) == ("", 1.0)
    one.desk.session.update(**sighting.drag_square(one.scene, 60, 45))
    one.turn()
    assert (layers(one).square.note, layers(one).strength.opacity) == (COMPUTING, OLD)
    assert card(one).counted.text() == WAITING
    one.bring_up()
    assert (layers(one).square.note, layers(one).strength.opacity) == ("", 1.0)
    assert card(one).counted.text().endswith("at most")


def test_changes_that_geometry_says_cannot_be_are_counted_and_told(occluding):
    one = occluding
    answer = one.scene.occlusion
    change = answer.change.copy()
    change[0, :3] = 9 * answer.least
    assert not answer.changed[0, :3].any()  # outside the dashed box
    found = sighting.occluded(replace(one.scene, occlusion=replace(answer, change=change)))
    assert found.outside == 3
    assert (
        f"{answer.changed.sum() + 3} of 425 outputs (17\u202f×\u202f25) change, 3 of them outside the dashed box"
        in counted(found)
    )


def test_changes_of_another_place_say_so_when_no_answer_comes(occluding):
    one = occluding
    before = one.scene.occlusion
    one.desk.session.update(**sighting.drag_square(one.scene, 60, 45))
    one.turn()
    one.window.do("stop")
    one.turn()
    assert one.scene.occlusion is before
    assert card(one).counted.text().startswith("Of another place or size of the square: ")
    assert "dashed" not in card(one).counted.text()
    assert (layers(one).square.note, layers(one).strength.opacity) == ("", OLD)


def test_what_a_square_changes_lies_on_the_bare_photograph(occluding):
    one = occluding
    overlays = one.window.canvas._overlays
    assert overlays.labels not in overlays.layers
    press(one, Qt.Key.Key_Q)
    assert overlays.labels in overlays.layers


def test_what_the_square_can_change_is_not_worked_out_anew_for_every_scene(occluding, monkeypatch):
    one, asked = occluding, []
    monkeypatch.setattr(sighting, "projective", lambda *what: asked.append(what) or projective(*what))
    one.desk.session.update(opacity=0.3)
    one.turn()
    one.desk.session.update(opacity=0.4)
    one.turn()
    assert asked == []
    one.desk.session.update(**sighting.drag_square(one.scene, 60, 40))
    one.turn()
    assert asked
    assert layers(one).square.box == one.window.sight.square.box == Box(60, 40, 92, 72)


def test_it_grows_about_its_centre_and_stays_in_the_image(occluding):
    one = occluding
    press(one, Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier)
    assert (one.state.sight.side, one.state.sight.square) == (48, (32.0, 12.0))
    for _ in range(3):
        one.window.do("occlude-larger")
    assert (one.state.sight.side, one.state.sight.square) == (128, (0.0, 0.0))  # as wide as the image, and cut below
    for _ in range(20):
        one.window.do("occlude-smaller")
    assert one.state.sight.side == sighting.SIDES[0]


@pytest.mark.parametrize(
    ("height", "width", "side"), [(1, 1, 32), (96, 128, 32), (480, 640, 32), (768, 1024, 48), (4000, 6000, 256)]
)
def test_at_first_it_is_as_large_as_can_be_seen_in_the_whole_image(height, width, side):
    assert sighting.first_side(height, width) == side


def test_its_first_size_follows_the_image_until_somebody_chooses_one():
    state, cards = State(image=PAGE, model="lenet5"), []
    for height, width in ((800, 1200), (96, 128)):
        scene = Scene(state=state, picture=scenes.picture(height, width), network=scenes.lenet(height, width))
        state = replace(state, **sighting.toggle_square(scene))
        cards.append((state.sight.side, state.sight.chosen))
        state = replace(state, **sighting.toggle_square(replace(scene, state=state)))
    assert cards == [(48, False), (32, False)]
    state = replace(state, **sighting.toggle_square(replace(scene, state=state)))
    state = replace(state, **sighting.resize_square(replace(scene, state=state), 1))
    assert (state.sight.side, state.sight.chosen) == (48, True)
    state = replace(state, **sighting.toggle_square(replace(scene, state=state)))
    state = replace(state, **sighting.toggle_square(replace(scene, state=state)))
    assert (state.sight.side, state.sight.square is None) == (48, False)


def test_what_cannot_be_occluded_takes_the_square_away_and_says_why(bench):
    one = bench(State(image=PAGE, model="lenet5", sight=Sight(square=(40.0, 20.0))), prompt=False)
    one.turn()
    one.jobs.open()
    one.turn()
    one.jobs.answer(scenes.DescribeRequest)
    one.turn()
    one.jobs.refuse(OcclusionRequest, "no room for it")
    one.turn()
    assert one.state.sight.square is None
    assert (one.scene.message.text, one.scene.message.about) == ("no room for it", Kind.OCCLUSION)


def test_escape_takes_the_square_before_the_unit(occluding):
    one = occluding
    click(one, 100, 80)
    one.bring_up()
    press(one, Qt.Key.Key_Escape)
    assert one.state.sight.square is None
    assert one.state.unit is not None


def test_the_answer_of_another_network_is_not_shown(occluding):
    one = occluding
    one.desk.session.update(model="lenet5?mean=40")
    one.turn()
    found = sighting.occluded(one.scene)
    assert found is None or found.answer is None


# ------------------------------------------------------------------------------- paths, padding


def test_every_path_has_a_box_a_name_and_a_colour():
    scene = render_states.paths()
    overlays = Overlays()
    overlays.show(None, scene)
    marks = overlays.sight.paths.marks
    assert [mark.text for mark in marks] == ["score_fr /32", "score_pool4 /16", "score_pool3 /8"]
    assert len({mark.colour for mark in marks}) == 3
    assert marks[0].box == pinned(scene).field  # the coarsest sees what the unit sees
    off = replace(scene, state=replace(scene.state, sight=Sight(paths=False)))
    assert path_marks(off) == ()


def test_b_hides_the_boxes_that_are_shown_and_says_so(bench):
    one = bench()
    said = []
    one.desk.said.connect(said.append)
    press(one, Qt.Key.Key_B)
    assert not one.state.sight.paths
    assert not one.window.action("field-paths").isChecked()
    click(one, 61, 42)
    press(one, Qt.Key.Key_B)
    assert one.window.action("field-paths").isChecked()
    assert [text.partition(":")[0] for text in said] == [
        "Boxes of the paths are hidden", "One path alone leads to this unit"
    ]  # fmt: skip


@pytest.mark.parametrize("palette", [Palette.AUTO, Palette.OKABE_ITO, Palette.VOC])
def test_a_path_has_one_colour_everywhere_and_no_classes(look, palette: Palette):
    scene = render_states.paths()
    scene = replace(scene, state=replace(scene.state, palette=palette))
    lines = path_marks(scene)
    assert [bar.colour for bar in shown_by(scene).bars.bars] == [marks.colour for marks in lines]
    classes = {"#" + bytes(row[:3].tolist()).hex() for row in label_table(scene)}
    assert not classes & {marks.colour for marks in lines}
    assert len({marks.colour for marks in lines}) == len({marks.dashes for marks in lines}) == len(lines) == 3


def added(scene: Scene, bias: float = 0.0) -> Scene:
    """The scene with what its paths add."""
    wanted = sighting.contributions_wanted(scene)
    assert wanted is not None
    return replace(scene, contributions=scenes.contributions(wanted, scene.network, bias))


def shown_by(scene: Scene) -> PathCard:
    card = PathCard(scene)  # it asks nothing of its commands before a button is pressed
    card.show_scene(scene)
    return card


def test_where_scores_are_added_each_path_says_what_it_adds(look):
    scene = render_states.paths()
    assert sighting.contributions(scene) == ()  # nobody has taken the score apart yet
    known = added(scene)
    assert sighting.contributions(known) == tuple(scenes.SCORES.values())
    card = shown_by(known)
    assert [(bar.name, bar.value) for bar in card.bars.bars] == [
        ("score_fr", "+3.500"), ("score_pool4", "\N{MINUS SIGN}1.250"), ("score_pool3", "+0.500"),
    ]  # fmt: skip
    assert [bar.fraction for bar in card.bars.bars] == pytest.approx([1, 1.25 / 3.5, 0.5 / 3.5])
    assert card.what.text() == "Score of a: 2.750, the sum of"
    assert card._rows[0][-1] == "score"
    assert [row[-1] for row in card._rows[1:]] == [3.5, -1.25, 0.5]


def test_a_bias_behind_the_sum_is_a_row_of_its_own(look):
    card = shown_by(added(render_states.paths(), bias=0.75))
    assert [bar.name for bar in card.bars.bars] == [*scenes.SCORES, "bias"]
    assert card.what.text() == "Score of a: 3.500, the sum of"
    assert card._rows[-1] == ["bias", "", "", "", "", "", 0.75]


def test_summands_in_which_paths_have_met_have_their_own_names(look):
    """A sum of the finest scores and of all the others: no box is what the second of them is made of."""
    known = added(render_states.paths())
    index = dict(known.network.geometry.layers)
    parts = (
        Contribution("upscore", index["upscore_pool3"], 2.0),
        Contribution("score_pool3", index["score_pool3"], 1.0),
    )
    met = replace(known, contributions=replace(known.contributions, parts=parts, logit=3.0))
    assert sighting.contributions(met) == ()
    card = shown_by(met)
    assert [(bar.name, bar.value) for bar in card.bars.bars] == [("upscore", "+2.000"), ("score_pool3", "+1.000")]
    assert [row[0] for row in card._rows[1:]] == [*scenes.SCORES, "upscore", "score_pool3"]


def test_scores_are_taken_apart_by_click_of_whatever_network(bench):
    """The unit that is clicked, its class, one ask a click; while the mouse only moves nothing is asked."""
    one = bench()
    scene = render_states.paths()
    own = replace(scene.network, request=plan_description(replace(one.desk.session.state, model="mine.safetensors")))
    state = replace(one.desk.session.state, model="mine.safetensors", layer="output", unit=Unit(2, 40, 60))
    named = replace(one.scene, state=state, network=own)
    described = plan_description(state)
    wanted = plan.wanted(named, False, described)[Kind.CONTRIBUTIONS]
    assert wanted == ContributionRequest(setup_of(state), 40, 60, 2)
    for changes in ({"sight": Sight(paths=False)}, {"layer": "score_fr"}, {"unit": None}, {"image": None}):
        other = replace(named, state=replace(state, **changes))
        assert plan.wanted(other, False, plan_description(other.state)).get(Kind.CONTRIBUTIONS) is None
    refused = replace(named, contributions=ContributionAnswer(wanted, (), 0.0, 0.0, 0.0, "mine: concatenation"))
    elsewhere = replace(refused, state=replace(state, unit=Unit(2, 41, 60)))
    assert plan.wanted(elsewhere, False, described)[Kind.CONTRIBUTIONS] is None  # the network has said so
    assert "concatenation" in shown_by(refused).what.toolTip()


def test_a_click_asks_what_paths_add_and_the_mouse_asks_nothing(bench):
    """A network of the user's own, by real events: open, described, clicked, answered."""
    one = bench(State(image=PAGE, model="mine.safetensors", layer="output"), prompt=False)
    one.turn()
    one.jobs.open()
    one.turn()
    request = next(asked for asked in one.jobs.asked.values() if isinstance(asked, DescribeRequest))
    network = replace(scenes.skipping(64, 64), request=request)
    one.jobs.answer(DescribeRequest, network)
    one.turn()
    for x, y in ((60, 40), (90, 20)):
        click(one, x, y)
        unit, asked = one.state.unit, [ask for ask in one.jobs.history if isinstance(ask, ContributionRequest)]
        assert (asked[-1].row, asked[-1].column, asked[-1].index) == (unit.row, unit.column, unit.channel)
        card = one.panel("inspector").sight[2]
        assert {bar.value for bar in card.bars.bars} == {"…"}
        one.jobs.answer(ContributionRequest, scenes.contributions(asked[-1], network))
        one.turn()
        assert [bar.value for bar in card.bars.bars] == ["+3.500", "\N{MINUS SIGN}1.250", "+0.500"]
    count = len(one.jobs.history)
    hover(one, 20, 20)
    hover(one, 30, 50)
    one.turn()
    assert len(one.jobs.history) == count


def test_a_network_without_skips_has_no_paths_to_tell_apart(bench):
    one = bench()
    click(one, 61, 42)
    assert layers(one).paths.marks == ()
    assert not one.panel("inspector").sight[2].isVisible()


def test_padding_is_said_where_a_field_reaches_outside():
    scene = render_states.seen(Unit(0, 0, 0))
    overlays = Overlays()
    overlays.show(None, scene)
    unit = pinned(scene)
    # 27 network pixels about pixel 0, as padding of half a kernel leaves it: 14 of them are inside along each axis
    assert unit.outside == pytest.approx(1 - (14 / 27) ** 2)
    assert overlays.unit.marks.outside == "73\u202f% of this field is padding"
    inside = render_states.seen(Unit(0, 10, 10))
    overlays.show(scene, inside)
    assert overlays.unit.marks.outside == ""


def test_fit_brings_the_whole_field_into_view_until_the_image_is_fitted_again(bench):
    one = bench()
    view = one.window.canvas.view
    one.desk.session.update(layer="output")
    click(one, 61, 42)
    far = Box(-300, -40, 90, 400)
    one.window.canvas.fit_with(far)
    for box in (far, Box(0, 0, 128, 96)):
        assert QRectF(view.rect()).contains(view.projection.rect(box))
    one.window.resize(1100, 700)
    one.turn()
    assert QRectF(view.rect()).contains(view.projection.rect(far))
    whole = view.projection.zoom
    press(one, Qt.Key.Key_F)
    assert view.projection.zoom > 2 * whole
    press(one, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    assert QRectF(view.rect()).contains(view.projection.rect(pinned(one.scene).field))


def test_buttons_of_the_inspector_do_what_the_keys_do(bench):
    one = bench()
    row = one.panel("inspector").sight[0]
    assert not row.isVisible()  # nothing is pinned: the classes have the room
    click(one, 61, 42)
    assert row.isVisible()
    for identifier, name in (("filmstrip", "filmstrip"), ("projective", "projective"), ("field-paths", "paths")):
        before = getattr(one.state.sight, name)
        one.qtbot.mouseClick(row.buttons[identifier], Qt.MouseButton.LeftButton)
        one.turn()
        assert getattr(one.state.sight, name) is not before
        assert row.buttons[identifier].isChecked() is not before
    assert row.buttons["card-copy"].isEnabled()
