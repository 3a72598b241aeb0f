"""Heatmaps: which classes, what is painted, what a click does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt

from segviz.core import export, palettes, resample, scores
from segviz.core.cams import levels
from segviz.core.choices import Area, ColourMap, Heat, View
from segviz.core.planning import plan_cams, plan_description
from segviz.gui import cam_planes, plan, words
from segviz.gui.panels import tiles
from segviz.gui.panels.heatmaps import HeatmapsPanel
from segviz.gui.scene import Kind
from tests.gui import scenes


@pytest.fixture
def one(shown):
    return shown(HeatmapsPanel, scenes.full(), (1390, 190))


def test_captions_give_the_maximum_on_the_grid(one):
    prediction = one.scene.prediction
    for index, which in enumerate(one.panel._classes):
        maximum, _ = scores.peak(prediction, which)
        assert one.panel._tiles.caption(index) == f"{prediction.classes[which]}  {maximum:.2f}"
    assert one.panel._tiles.peaks == sorted(one.panel._tiles.peaks, reverse=True)


def test_a_click_shows_the_class_on_the_canvas(qtbot, one):
    place = one.panel.grid.tile_rect(2).center()
    qtbot.mouseClick(one.panel.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert (one.state.view, one.state.shown_class) == (View.HEATMAP, one.panel._classes[2])
    assert one.panel.grid.selected == 2


def test_nothing_is_framed_while_labels_are_shown(one):
    assert one.panel.grid.selected is None


def test_of_a_thousand_classes_twelve_are_shown(shown):
    one = shown(HeatmapsPanel, scenes.deep_full(), (1390, 190))
    prediction = one.scene.prediction
    assert len(one.panel._classes) == 12
    assert prediction.shares[0][0] in one.panel._classes
    assert one.panel._classes[0] == int(scores.softmax(prediction.logits).max((1, 2)).argmax())


def test_a_tile_is_the_heatmap_over_the_dimmed_photograph(one):
    image = one.panel._tile(0)
    assert (image.width(), image.height()) == (128, 96)
    prediction = one.scene.prediction
    grid = scores.class_probability(prediction.logits, one.panel._classes[0])
    wide = resample.upsample(grid, prediction.lattice, prediction.upsampling, 96, 128)
    row, column = np.unravel_index(int(wide.argmax()), wide.shape)
    level = round(float(np.clip(wide[row, column], 0, 1)) * 255)
    red, green, blue, alpha = (int(v) for v in palettes.heat_table(ColourMap.MAGMA)[level])
    grey = float(one.scene.picture.pixels[row, column].mean()) * export.DIMMED
    wanted = [round(c * alpha / 255 + grey * (1 - alpha / 255)) for c in (red, green, blue)]
    colour = image.pixelColor(int(column), int(row))
    assert np.abs(np.array([colour.red(), colour.green(), colour.blue()]) - wanted).max() <= 1


def test_tiles_fill_the_height(shown):
    one = shown(HeatmapsPanel, scenes.deep_full(), (1390, 300))
    grid = one.panel.grid
    assert grid.tile_rect(0).width() > 130
    assert grid.viewport().rect().contains(grid.tile_rect(11))
    assert grid.viewport().height() - grid.tile_rect(11).bottom() < 40


def test_colours_follow_the_state(one):
    before = one.panel._tile(0)
    one.panel.colours.choose(ColourMap.VIRIDIS)
    assert one.state.colour_map is ColourMap.VIRIDIS
    assert one.panel._tile(0) != before


def test_the_cross_follows_the_mouse(one):
    one.panel.hover((63.5, 47.5))
    assert one.panel.grid._mark == (0.5, 0.5)
    one.panel.hover(None)
    assert one.panel.grid._mark == pytest.approx((47.5 / 128, 27.5 / 96))


def test_a_prediction_for_another_picture_does_not_use_this_one(shown):
    scene = replace(scenes.full(), picture=scenes.picture(10, 10))
    one = shown(HeatmapsPanel, scene, (1390, 190))
    assert one.panel._tile(0).height() == 96


def test_leaving_as_one_picture(qtbot, one):
    qtbot.mouseClick(one.panel.copy, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(one.panel.save, Qt.MouseButton.LeftButton)
    assert one.commands.names() == ["copy_made", "save_with"]


def test_shrinking_keeps_the_whole_picture_and_its_mean():
    pixels = scenes.picture(960, 1280).pixels
    small = tiles.shrunk(pixels, 288)
    assert small.shape == (240, 320, 3)
    assert np.abs(small.mean((0, 1)) - pixels.mean((0, 1))).max() < 1
    assert tiles.shrunk(pixels[:1, :1], 288).shape == (1, 1, 3)


@pytest.mark.parametrize(("height", "width"), [(695, 1151), (2590, 2591), (4000, 5999), (960, 1280)])
def test_the_shrunk_photograph_reaches_to_the_far_edge_as_the_heat_does(height, width):
    """A step of brightness 3/4 down and across is found at 3/4 of the tile, wherever the remainder of a step lies."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[height * 3 // 4 :] = 100
    pixels[:, width * 3 // 4 :] += 100
    small = tiles.shrunk(pixels, 288).astype(float)
    assert small[0, :, 0].mean() == pytest.approx(pixels[0, :, 0].mean(), abs=100 * 0.3 / small.shape[1])
    assert small[:, 0, 0].mean() == pytest.approx(pixels[:, 0, 0].mean(), abs=100 * 0.3 / small.shape[0])


# ---------------------------------------------------------------------------- what speaks for a class


@pytest.fixture
def evidence(shown):
    return shown(HeatmapsPanel, scenes.evidence(), (1390, 190))


def test_a_choice_asks_for_what_speaks_for_classes_and_shows_it_on_the_canvas(qtbot, one):
    one.panel.heat.choose(Heat.GRAD_CAM)
    assert one.state.cams.heat is Heat.GRAD_CAM
    assert one.state.view is View.HEATMAP
    assert one.panel.note.isVisible()
    assert one.panel.signed.isVisible()
    assert plan.wanted(one.scene, False, plan_description(one.state))[Kind.CAMS] == plan_cams(one.state)


def test_captions_give_the_largest_value_or_why_there_is_none(evidence):
    answer = evidence.scene.cams
    assert evidence.panel._tiles.caption(3) == f"3  {words.value(answer.maps[3].max())}"
    assert evidence.panel._tiles.caption(9) == "9  gradient 0"
    assert evidence.panel.grid.selected == 3


def test_a_map_lies_where_the_units_of_its_layer_are(evidence):
    """Unit (2 + 3, 3 + 3) of c3 sits at 2 * unit + 6.5 pixels; a map stretched over the image would miss it."""
    tiles_of, state = evidence.panel._tiles, evidence.state
    shares = cam_planes.spread(tiles_of.answer, 3, state, (96, 128), (1.0, 1.0))
    row, column = np.unravel_index(int(shares.argmax()), shares.shape)
    y, x = (law.at(unit) for law, unit in zip(scenes.lenet().geometry.laws("c3"), (5, 6), strict=True))
    assert abs(row - y) <= 0.5
    assert abs(column - x) <= 0.5


def test_signed_maps_show_what_speaks_against(qtbot, evidence):
    plain = cam_planes.spread(evidence.panel._tiles.answer, 3, evidence.state, (96, 128), (1.0, 1.0))
    assert plain.min() == 0
    qtbot.mouseClick(evidence.panel.signed, Qt.MouseButton.LeftButton)
    assert evidence.state.cams.signed
    signed = cam_planes.spread(evidence.panel._tiles.answer, 3, evidence.state, (96, 128), (1.0, 1.0))
    assert signed.min() < 0.5 < signed.max()
    assert not evidence.panel.colours.isVisible(), "a signed map has one pair of colours"
    assert cam_planes.ends(evidence.scene.cams, 3, True) == ("−2.500", "2.500")


def test_at_the_unit_asks_again_and_says_so(qtbot, evidence):
    qtbot.mouseClick(evidence.panel.at_unit, Qt.MouseButton.LeftButton)
    wanted = plan_cams(evidence.state)
    assert (wanted.area, wanted.point) == (Area.UNIT, evidence.state.cursor)
    assert evidence.scene.shown_cams is None, "what is there is of the whole answer"
    evidence.show(replace(evidence.scene, cams=scenes.cam_answer(wanted)))
    assert "score of the pinned unit" in evidence.panel.what.text()


def test_a_class_that_has_its_map_asks_nothing_and_another_does(evidence):
    described = plan_description(evidence.state)
    have = evidence.scene.cams.request
    for index in (3, 7):
        scene = replace(evidence.scene, state=replace(evidence.state, shown_class=index))
        assert plan.wanted(scene, False, described)[Kind.CAMS] == have
    fewer = replace(evidence.scene.cams, classes=(3, 4))
    scene = replace(evidence.scene, cams=fewer, state=replace(evidence.state, shown_class=7))
    assert plan.wanted(scene, False, described)[Kind.CAMS] == replace(have, classes=(7,))


def test_nothing_is_asked_where_nobody_looks(evidence):
    state = replace(evidence.state, tab="race", view=View.LABELS)
    assert plan.wanted(replace(evidence.scene, state=state), False, plan_description(state))[Kind.CAMS] is None


def test_another_layer_shows_nothing_until_it_has_answered(evidence):
    evidence.session.update(layer="s4")
    assert evidence.panel.grid.isHidden()
    evidence.show(replace(evidence.scene, cams=scenes.cam_answer(plan_cams(evidence.state))))
    assert evidence.panel.what.text().startswith("s4 · score of the whole answer")


def test_colours_end_at_the_largest_value_that_is_shown(evidence):
    """What speaks against a class, and is left out, takes no colours from what speaks for it."""
    answer = replace(evidence.scene.cams, maps=np.array([[[-4.0, 1.0]]], np.float32))
    assert (answer.reach(0, False), answer.reach(0, True)) == (1, 4)


def test_levels_of_a_map_that_says_nothing_are_those_of_zero():
    assert levels(np.zeros((2, 2), np.float32), 0.0, True).tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert levels(np.array([[-2.0, 1.0]]), 2.0, True).tolist() == [[0.0, 0.75]]
    assert levels(np.array([[-2.0, 1.0]]), 2.0, False).tolist() == [[0.0, 0.5]]
