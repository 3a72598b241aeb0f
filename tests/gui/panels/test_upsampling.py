"""The upsampling laboratory: what is on each page, what gestures change, what leaves it."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from segviz.core import fading, upsamplers
from segviz.core.choices import Method, Upsampling
from segviz.core.laboratory import Kernel, Page, Source, Way
from segviz.core.masks import Mask
from segviz.gui.panels import upsampling_maps, upsampling_shifts, upsampling_skips
from segviz.gui.panels.upsampling import UpsamplingPanel
from segviz.gui.widgets.player import Player
from tests.gui import scenes

SIZE, STAGE = (1390, 190), (900, 520)


@pytest.fixture
def lab(shown):
    """Makes a shown panel, its stage beside it."""

    def make(scene):
        one = shown(UpsamplingPanel, scene, SIZE)
        one.panel.stage.setGeometry(0, SIZE[1] + 60, *STAGE)  # below the panel, so that the mouse finds it
        one.panel.stage.show()
        QApplication.processEvents()
        return one

    return make


def page(one):
    return one.panel.pages[one.state.upsampling_lab.page]


def click(qtbot, widget, at=None):
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=at or widget.rect().center())
    QApplication.processEvents()


def over(qtbot, widget, at):
    for step in (QPoint(2, 2), QPoint()):
        qtbot.mouseMove(widget, at - step)
        QApplication.processEvents()


def cell(board, tile: int, row: int, column: int, part: int = 0) -> QPoint:
    """The middle of a cell of a tile."""
    rect = board.rects(tile)[part]
    matrix = (board.tiles[tile].main, *board.tiles[tile].beside)[part]
    rows, columns = matrix.values.shape
    x = rect.left() + (column + 0.5) * rect.width() / columns
    return QPoint(round(x), round(rect.top() + (row + 0.5) * rect.height() / rows))


def titles(one) -> list[str]:
    return [tile.title for tile in page(one).board.tiles]


# ----------------------------------------------------------------------------------------- ways


def test_the_map_stands_beside_every_way_and_the_difference(lab):
    one = lab(scenes.laboratory())
    ways = [way.title for way in Way]
    assert titles(one) == ["Map", *ways, "Bilinear − Transposed"]
    assert one.panel.wants_stage(one.scene)


def test_tiles_hold_what_the_core_computes_of_the_units_about_the_cursor(lab):
    one = lab(scenes.laboratory(factor=4))
    prediction, index = one.scene.prediction, one.scene.shown_class
    row, column = prediction.lattice.cell_at(*one.state.cursor)
    near = prediction.logits[index][row - 2 : row + 2, column - 2 : column + 2].astype(np.float64)
    values = {tile.title: tile.main.values for tile in page(one).board.tiles}
    assert np.array_equal(values["Map"], near)
    assert np.abs(values["Bicubic"] - upsamplers.interpolated(near, 4, Upsampling.BICUBIC)).max() < 1e-6
    assert np.array_equal(values["Transposed"], upsamplers.transposed(near, upsamplers.bilinear_kernel(4), 4))
    assert np.array_equal(values["Max-unpooling"], upsamplers.max_pooled(near, 4).unpooled())


@pytest.mark.parametrize("way", [Way.NEAREST, Way.NAILS, Way.BILINEAR, Way.BICUBIC])
def test_the_kernel_beside_a_way_makes_its_result(way):
    """In the interior, where no unit is missing: each of these ways is a transposed convolution with that kernel."""
    plane = np.random.default_rng(0).normal(size=(9, 9))
    near = replace(upsampling_maps.neighbourhood(scenes.laboratory()), values=plane)
    found = upsampling_maps.results(near, scenes.laboratory().state.upsampling_lab, ()).by_way[way]
    again = upsamplers.transposed(plane, found.kernel, 2)
    inside = np.s_[4:-4, 4:-4]
    assert np.abs(again[inside] - found.values[inside]).max() < 1e-6


def test_switches_are_marked_in_the_map_and_where_they_come_back(lab):
    one = lab(scenes.laboratory())
    board = page(one).board
    back = board.tiles[titles(one).index("Max-unpooling")].main
    assert set(board.tiles[0].main.marks) == set(back.marks)
    assert len(back.marks) == 4
    assert all(back.values[at] == board.tiles[0].main.values[at] for at in back.marks)


def test_the_mouse_on_a_tile_tells_every_value_and_points_at_the_image(qtbot, lab):
    one = lab(scenes.laboratory())
    board = page(one).board
    nearest = titles(one).index("Nearest")
    over(qtbot, board, cell(board, nearest, 5, 2))
    near = board.tiles[0].main.values
    assert page(one).values[None].text.replace("−", "-") == f"{near[2, 1]:.3f}"
    assert page(one).values[Way.NEAREST].text == page(one).values[None].text
    (x, y) = next(point for (point,) in (asked for name, asked in one.commands.asked if name == "point_at") if point)
    lattice = one.scene.prediction.lattice
    row, column = lattice.cell_at(x, y)
    assert one.scene.prediction.logits[one.scene.shown_class][row, column] == pytest.approx(near[2, 1])
    assert board.mark == pytest.approx((5.5 / 8, 2.5 / 8), abs=0.02)


def test_the_mouse_on_the_image_is_followed_in_every_tile(lab):
    one = lab(scenes.laboratory())
    one.panel.hover(one.state.cursor)
    assert page(one).board.mark is not None
    assert page(one).values[Way.BICUBIC].text != "–"
    one.panel.hover((0.0, 0.0))  # not in the neighbourhood
    assert page(one).board.mark is None
    assert page(one).values[Way.BICUBIC].text == "–"


def test_arrow_keys_walk_through_the_cells(lab):
    one = lab(scenes.laboratory())
    board = page(one).board
    QTest.keyClick(board, Qt.Key.Key_Right)
    first = board.mark
    QTest.keyClick(board, Qt.Key.Key_Down)
    assert board.mark == pytest.approx((first[0] + 1 / 8, first[1]))
    assert page(one).values[None].text != "–"


def test_two_clicks_compare_two_tiles(qtbot, lab):
    one = lab(scenes.laboratory())
    board = page(one).board
    for way in ("Nearest", "Bicubic"):
        click(qtbot, board, cell(board, titles(one).index(way), 3, 3))
    assert (one.state.upsampling_lab.first, one.state.upsampling_lab.second) == (Way.NEAREST, Way.BICUBIC)
    values = {tile.title: tile.main.values for tile in board.tiles}
    found = values["Nearest − Bicubic"]
    assert np.array_equal(found, values["Nearest"] - values["Bicubic"])
    assert page(one).apart.text() == f"largest {np.abs(found).max():.2g}, mean {np.abs(found).mean():.2g}"


def test_a_click_on_the_whole_map_goes_there(qtbot, lab):
    one = lab(scenes.laboratory())
    board = page(one).board
    click(qtbot, board, cell(board, 0, 4, 6, part=1))
    assert one.scene.prediction.lattice.cell_at(*one.state.cursor) == (4, 6)
    assert board.tiles[0].beside[0].frame[:2] == (2, 4)


def test_pills_choose_map_size_factor_and_kernel(lab):
    one = lab(scenes.laboratory())
    ways = page(one)
    ways.source.choose(Source.FEATURE)
    ways.kernel.choose(Kernel.UNEVEN)
    for pill, wanted in ((ways.side, "8 × 8"), (ways.factor, "× 8")):
        next(action for action in pill.menu().actions() if action.text() == wanted).trigger()
    tiles = {tile.title: tile for tile in ways.board.tiles}
    unit = one.state.unit
    features = one.scene.features.values[unit.channel]
    assert np.array_equal(
        tiles["Map"].main.values, features[unit.row - 4 : unit.row + 4, unit.column - 4 : unit.column + 4]
    )
    assert tiles["Transposed"].main.values.shape == (64, 64)
    assert tiles["Transposed"].beside[1].values.min() < tiles["Transposed"].beside[1].values.max()


def test_a_kernel_is_edited_cell_by_cell(lab):
    one = lab(scenes.laboratory(kernel=Kernel.EDITED))
    table = page(one).table
    assert (table.rowCount(), table.item(1, 1).text()) == (4, ".562")
    table.item(1, 1).setText("-3")
    assert one.state.upsampling_lab.edited[1][1] == -3
    kernel = page(one).board.tiles[titles(one).index("Transposed")].beside[0]
    assert kernel.values[1, 1] == -3
    table.item(0, 0).setText("much")
    assert table.item(0, 0).text() == ".0625"
    assert one.state.upsampling_lab.edited[0][0] == 0.0625
    assert page(one).refusal.text() == "“much” is no weight: a number from −1,000,000 to 1,000,000"
    assert not page(one).refusal.isHidden()
    table.setCurrentCell(2, 2)
    assert (page(one).refusal.isHidden(), page(one).apart.isHidden()) == (True, False)


def test_another_factor_begins_with_a_kernel_that_fits(lab):
    one = lab(scenes.laboratory(kernel=Kernel.EDITED, edited=((1.0, 2.0), (3.0, 4.0))))
    next(action for action in page(one).factor.menu().actions() if action.text() == "× 4").trigger()
    assert page(one).table.rowCount() == 8
    assert "Transposed" in titles(one)


def test_the_networks_own_kernel_is_taken_where_it_has_one(lab):
    whole = scenes.laboratory(kernel=Kernel.LEARNED)
    one = lab(whole)
    assert "Transposed" not in titles(one)
    assert "no transposed convolution" in page(one).said.text()
    answer = scenes.depth_answer(model="lenet5", image=None)
    one.show(replace(whole, depths=answer))
    kernel = page(one).board.tiles[titles(one).index("Transposed")].beside[0]
    assert np.array_equal(kernel.values, answer.kernels[0].kernels[0])
    next(action for action in page(one).factor.menu().actions() if action.text() == "× 4").trigger()
    assert "2 times and 8 times" in page(one).said.text()


def test_the_image_comes_back_in_place_of_the_laboratory(qtbot, lab):
    one = lab(scenes.laboratory())
    click(qtbot, one.panel.frame.image)
    assert not one.panel.wants_stage(one.scene)
    click(qtbot, one.panel.frame.image)
    assert one.panel.wants_stage(one.scene)


def test_buttons_turn_the_pages(qtbot, lab):
    one = lab(scenes.laboratory())
    for wanted in (Page.INSERTION, Page.DIRECT, Page.WAYS):
        click(qtbot, one.panel.frame.buttons[wanted])
        assert one.state.upsampling_lab.page is wanted
        assert one.panel.stage.currentWidget() is one.panel.pages[wanted].stage


# ------------------------------------------------------------------------------ zero insertion


def test_the_animation_does_not_begin_by_itself_and_ends_at_the_direct_result(qtbot, lab):
    one = lab(scenes.laboratory(Page.INSERTION))
    steps = page(one)
    assert not steps.player.playing
    assert steps.player.count == 64
    click(qtbot, steps.player.forth)
    assert steps.board.tiles[1].main.frame[:2] == (0, 1)
    output = steps.board.tiles[3].main.values
    assert np.isfinite(output).sum() == 2
    steps.player.go(63)
    near = upsampling_maps.neighbourhood(one.scene).values
    direct = upsamplers.transposed(near, upsamplers.bilinear_kernel(2), 2)
    assert np.abs(steps.board.tiles[3].main.values - direct).max() < 1e-12
    assert "equal to the direct way" in steps.sum.text()


def test_what_is_under_the_kernel_sums_to_the_output(lab):
    one = lab(scenes.laboratory(Page.INSERTION))
    steps = page(one)
    steps.player.go(27)
    _, zeros, kernel, output = steps.board.tiles
    row, column, tall, wide = zeros.main.frame
    under = zeros.main.values[row : row + tall, column : column + wide]
    assert (under * kernel.main.values).sum() == pytest.approx(output.main.values[3, 3])
    assert np.array_equal(kernel.beside[0].values, under * kernel.main.values)


def test_a_player_plays_to_the_end_and_stops(qtbot, look):
    player = Player("positions")
    qtbot.addWidget(player)
    player.show()
    player.set_count(4)
    player._timer.setInterval(0)
    heard: list[int] = []
    player.moved.connect(heard.append)
    qtbot.mouseClick(player.play, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: player.position == 3 and not player.playing)
    assert heard == [1, 2, 3]
    player.go(1)
    player.toggle()
    player.hide()
    assert not player.playing


def test_the_animation_leaves_as_a_film(qtbot, lab):
    one = lab(scenes.laboratory(Page.INSERTION, factor=4))
    click(qtbot, one.panel.frame.film)
    ((name, frames),) = [asked for what, asked in one.commands.asked if what == "save_film"]
    assert name == "zero-insertion.gif"
    taken = list(frames())
    assert 64 <= len(taken) <= 130
    assert len({(image.width(), image.height()) for image in taken}) == 1
    assert taken[0] != taken[-1]


# -------------------------------------------------------------------------------- skips, depths


@pytest.fixture
def truth():
    """What the network answers, with some pixels otherwise, as a mask."""
    labels = fading.labels(scenes.depth_answer().depths, (1, 1, 1))
    labels[:4] = 2
    return Mask("/truth.png", labels)


def with_truth(mask):
    scene = scenes.fcn()
    return replace(scene, state=replace(scene.state, truth=mask.path), truth=mask)


def test_three_networks_and_the_faded_one_stand_side_by_side(lab):
    one = lab(scenes.fcn())
    shown = page(one)._shown
    assert [view.title for view in shown] == [
        "As FCN-32s",
        "As FCN-16s",
        "FCN-8s",
        "Faded: pool4 100\u202f%, pool3 100\u202f%",
    ]
    depths = one.scene.depths.depths
    for view in shown:
        assert np.array_equal(view.labels, fading.labels(depths, view.weights))
    assert shown[0].changed > shown[1].changed > shown[2].changed == 0


def test_with_the_truth_each_is_scored(lab, truth):
    one = lab(with_truth(truth))
    *networks, last = page(one)._shown
    assert last.title == "Truth"
    assert np.array_equal(last.labels, truth.labels)
    depths = one.scene.depths.depths
    for view in networks:
        assert view.score == fading.score(view.labels, depths.lattice, truth, depths.classes)
    assert networks[0].score.mean_iou < networks[2].score.mean_iou < 1
    assert page(one).facts.text().startswith(f"mean IoU: As FCN-32s {networks[0].score.mean_iou:.3f}")


def test_a_slider_fades_a_skip_and_the_score_moves(qtbot, lab, truth):
    one = lab(with_truth(truth))
    before = page(one)._shown[3].score.mean_iou
    slider = page(one).sliders[1].slider
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: page(one)._shown[3].weights == (1.0, 1.0, 0.0))
    assert one.state.upsampling_lab.fades == (1.0, 0.0)
    faded, sixteen = page(one)._shown[3], page(one)._shown[1]
    assert np.array_equal(faded.labels, sixteen.labels)
    assert faded.score.mean_iou < before
    click(qtbot, page(one).whole)
    assert one.state.upsampling_lab.fades == (1.0, 1.0)


def test_a_mask_that_marks_nothing_is_a_remark_and_no_end(lab):
    one = lab(with_truth(Mask("/truth.png", np.full((96, 128), 255, np.int32))))
    assert "marks no pixel" in page(one).note.said()
    assert len(page(one)._shown) == 5


def test_views_zoom_together(lab):
    one = lab(scenes.fcn())
    first, second = (view.view for view in page(one).views.views[:2])
    first.zoom(2.0)
    assert second.view_transform == first.view_transform
    first.fit()
    assert second.fitted


def test_the_mouse_in_one_view_is_a_cross_in_all(qtbot, lab):
    one = lab(scenes.fcn())
    views = page(one).views.views
    over(qtbot, views[0].view, views[0].view.rect().center())
    assert views[3].place.at is not None
    assert one.commands.names()[-1] == "point_at"


def test_each_depth_alone_and_all_together(lab):
    one = lab(scenes.fcn(Page.DEPTHS))
    shown = page(one)._shown
    assert [view.weights for view in shown] == [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)]
    assert shown[0].title == "Deepest scores"


def test_a_network_with_one_skip_has_one_slider(lab):
    whole = scenes.fcn()
    depths = whole.depths.depths
    fewer = replace(depths, layers=depths.layers[:2], strides=(32, 16), maps=depths.maps[:2])
    one = lab(replace(whole, depths=replace(whole.depths, depths=fewer)))
    assert [slider.isEnabled() for slider in page(one).sliders] == [True, False]
    assert [view.title.partition(":")[0] for view in page(one)._shown] == ["As FCN-32s", "FCN-16s", "Faded"]


def test_without_an_fcn_the_page_says_which_to_choose(lab):
    one = lab(scenes.laboratory(Page.SKIPS))
    assert "begins with 'fcn'" in one.panel.frame.note.said()
    assert not one.panel.wants_stage(one.scene)


# ------------------------------------------------------------------------------ direct, shifts


def test_a_field_of_one_pixel_would_be_its_central_pixel(lab):
    """Both maps are of the same logits; where they differ is painted, and its share is told."""
    one = lab(scenes.laboratory(Page.DIRECT))
    fields, _, lattice = upsampling_shifts_fields(one)
    central = fading.labels_at(one.scene.prediction.logits.argmax(0), lattice, *fields.shape)
    share = float((fields != central).mean())
    assert 0 < share < 1
    assert page(one).rows() == [["what", "share"], ["differs", share]]


def upsampling_shifts_fields(one):
    from segviz.gui.panels.upsampling_shifts import whole_fields

    return whole_fields(one.scene.prediction, one.scene.network)


def test_every_pass_fills_every_fourth_unit_until_all_are_there(qtbot, lab):
    one = lab(scenes.laboratory(Page.SHIFTS, Method.DENSE))
    shifts = page(one)
    assert shifts.player.count == 16
    labels = one.scene.prediction.logits.argmax(0)
    for position in (0, 5, 15):
        shifts.player.go(position)
        plane = shifts._planes[0].map._plane.astype(int) - 1
        down, across = divmod(position, 4)
        assert np.array_equal(plane[down::4, across::4], labels[down::4, across::4])
        assert (plane >= 0).mean() == pytest.approx((position + 1) / 16, abs=0.02)
        assert np.array_equal(shifts._planes[1].map._plane.astype(int) - 1, labels[down::4, across::4])
    assert np.array_equal(plane, labels)
    one.session.update(minimum=0.5)
    assert shifts._planes[0].map._minimum == 128
    assert shifts.facts.text().startswith("pass 16 of 16")


def test_both_ways_to_the_dense_map_are_compared_once_both_have_run(qtbot, lab):
    dense = scenes.laboratory(Page.SHIFTS, Method.DENSE)
    one = lab(dense)
    assert "Run 'Shift and stitch' too" in page(one).note.said()
    other = scenes.laboratory(Page.SHIFTS, Method.SHIFT_AND_STITCH)
    moved = replace(other.prediction, logits=other.prediction.logits + np.float32(0.125))
    one.show(replace(other, prediction=moved))
    assert "differ by 0.13 at most" in page(one).note.said()
    click(qtbot, page(one).buttons[Method.DENSE])
    assert one.state.method is Method.DENSE


def test_the_passes_leave_as_a_film(lab):
    one = lab(scenes.laboratory(Page.SHIFTS, Method.DENSE))
    name, frames = page(one).film()
    taken = list(frames())
    assert (name, len(taken)) == ("shift-and-stitch.gif", 16)
    assert taken[0] != taken[-1]


# -------------------------------------------------------------------------------------- leaving


def test_what_is_shown_leaves_as_picture_drawing_and_table(qtbot, lab):
    one = lab(scenes.laboratory())
    for button in (one.panel.frame.copy, one.panel.frame.save, one.panel.frame.drawing, one.panel.frame.table):
        click(qtbot, button)
    asked = [(name, arguments) for name, arguments in one.commands.asked if name != "point_at"]
    assert [name for name, _ in asked] == ["copy_image", "save_painted", "save_painted", "save_table"]
    assert not asked[0][1][0].isNull()
    rows = asked[3][1][0]
    assert rows[0] == ["what", "row", "column", "value"]
    assert [row for row in rows if row[0] == "map"][5][1:3] == [1, 1]
    assert b"<svg" in page(one).svg()
    assert not one.panel.frame.film.isEnabled()


def test_nothing_leaves_an_empty_page(lab):
    one = lab(scenes.laboratory(Page.SKIPS))
    for button in (
        one.panel.frame.copy,
        one.panel.frame.save,
        one.panel.frame.drawing,
        one.panel.frame.table,
        one.panel.frame.film,
    ):
        assert not button.isEnabled()


def test_what_takes_longer_than_a_frame_is_faded_beside_the_window_s_thread(lab, monkeypatch, qtbot):
    threads, labels = [], fading.labels

    def watched(*arguments):
        threads.append(threading.current_thread())
        return labels(*arguments)

    monkeypatch.setattr(upsampling_skips, "QUICK", 0)
    monkeypatch.setattr(fading, "labels", watched)
    one = lab(scenes.fcn(fades=(0.5, 0.5)))
    skips = page(one)
    qtbot.waitUntil(lambda: bool(skips._shown) and not skips._busy)
    for fades in ((0.4, 0.5), (0.3, 0.5), (0.2, 0.5)):  # faster than they are computed: the newest counts
        one.panel._change(fades=fades)
        skips._paint()
    qtbot.waitUntil(lambda: "20" in skips.views.views[3].title.text() and not skips._busy)
    assert threading.main_thread() not in threads
    expected = labels(one.scene.depths.depths, (1.0, 0.2, 0.5))
    assert np.array_equal(skips._shown[3].labels, expected)


def test_fades_that_there_is_no_memory_for_are_said_and_the_page_goes_on(lab, qtbot, monkeypatch):
    def full(*_: object) -> object:
        raise MemoryError

    monkeypatch.setattr(upsampling_skips, "QUICK", 0)
    one = lab(scenes.fcn(fades=(0.5, 0.5)))
    skips = page(one)
    qtbot.waitUntil(lambda: bool(skips._shown) and not skips._busy)
    with monkeypatch.context() as patch:
        patch.setattr(skips, "_all", full)
        one.panel._change(fades=(0.4, 0.5))
        skips._paint()
        qtbot.waitUntil(lambda: not skips._busy)
        assert skips.note.text().startswith("not enough memory")
    one.panel._change(fades=(0.2, 0.5))
    qtbot.waitUntil(lambda: "20" in skips.views.views[3].title.text() and not skips._busy)
    assert not skips.note.text().startswith("not enough memory")


@pytest.mark.parametrize("which", [Page.DIRECT, Page.SHIFTS])
def test_what_is_about_classifiers_offers_no_run_of_another_network(lab, which):
    scene = scenes.laboratory(which)
    one = lab(replace(scene, network=replace(scene.network, window=None)))
    assert page(one).missing(one.scene) == upsampling_shifts.CLASSIFIER
    assert all(button.isHidden() for button in page(one).buttons.values())
