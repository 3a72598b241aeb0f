"""The inspector: what is under the mouse, the unit, the legend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt

from segviz.core import scores
from segviz.core.choices import View
from segviz.core.field import Box
from segviz.core.session import Unit
from segviz.gui import settings, theme
from segviz.gui.panels.glow_card import COPIED
from segviz.gui.panels.inspector import InspectorPanel, entries_of
from segviz.gui.panels.legend import Entry, Part, listed
from segviz.gui.panels.pixels import crop, seen
from segviz.gui.pictures import to_array
from segviz.gui.widgets.tray import Tray
from tests.gui import scenes
from tests.gui.panels.conftest import click

SIZE = (280, 900)


@pytest.fixture
def one(shown):
    return shown(InspectorPanel, scenes.full(), SIZE)


def test_hovering_shows_pixel_colour_and_classes(one):
    one.panel.hover((60.2, 39.8))
    pixel = one.scene.picture.pixels[40, 60]
    assert one.panel._where.text() == "60, 40   #{:02x}{:02x}{:02x}".format(*(int(v) for v in pixel))
    ranked = scores.ranking(one.scene.prediction, 60.2, 39.8)
    assert [(bar.key, bar.value) for bar in one.panel.bars.bars] == [(r.index, f"{r.probability:.2f}") for r in ranked]


def test_away_from_the_image_the_pinned_position_counts(one):
    one.panel.hover((60.0, 40.0))
    one.panel.hover(None)
    assert one.panel._where_from.text() == "Pinned"
    assert one.panel._where.text().startswith("47, 27 ")
    best = scores.ranking(one.scene.prediction, 47.0, 27.0)[0]
    assert one.panel.bars.bars[0].key == best.index


def test_a_prediction_of_another_image_says_nothing_of_this_one(one):
    one.show(replace(one.scene, state=replace(one.state, image="/pictures/other.png")))
    assert one.panel.bars.bars == ()


def test_a_prediction_of_another_size_says_nothing_of_this_picture(one):
    """A file that was read again and has changed under its name: what is not painted is not named."""
    one.show(replace(one.scene, picture=scenes.picture(60, 60)))
    one.panel.hover((20, 20))
    assert one.panel._ranking.currentWidget() is one.panel._bars_note


def test_the_unit_card_gives_the_field_of_lenet(one):
    """c3 of LeNet-5: field 14, stride 2, so unit (10, 20) sees 40..54 by 20..34."""
    place, facts = one.panel.unit.place, one.panel.unit.facts
    assert place.value("Layer") == "c3, map 4"
    assert place.value("Cell") == "row 10, column 20"
    assert place.value("Field").replace("\u202f", " ") == "14 × 14 px"
    assert place.value("Box") == "40, 20, 54, 34"
    assert facts.value("Centre") == "46.5, 26.5"
    assert facts.value("Outside").replace("\u202f", " ") == "0 %"
    value = one.scene.features.values[4, 10, 20]
    assert facts.value("Value") == f"{value:.3f}".replace("-", "−")


def test_a_unit_of_the_last_layer_names_its_class(shown):
    scene = scenes.full()
    network = replace(scene.network, classes=tuple("abcdefghij"))
    state = replace(scene.state, layer="output", unit=Unit(4, 5, 5))
    one = shown(InspectorPanel, replace(scene, network=network, features=None, state=state), SIZE)
    assert one.panel.unit.place.value("Layer") == "output, map 4 · e"


def test_the_unit_folds_to_one_line_and_stays_folded(qtbot, shown):
    one = shown(InspectorPanel, scenes.full(), SIZE)
    card = one.panel.unit
    tall = card.sizeHint().height()
    qtbot.mouseClick(card.fold, Qt.MouseButton.LeftButton)
    try:
        assert not card._body.isVisibleTo(one.panel.widget)
        assert card.summary.text() == "c3, map 4"
        assert card.sizeHint().height() < tall - 100
        again = shown(InspectorPanel, scenes.full(), SIZE).panel.unit
        assert again.summary.isVisibleTo(again)
        assert not again._body.isVisibleTo(again)
    finally:
        settings.set_folded("unit", False)


def test_nothing_of_the_unit_is_left_out_in_a_narrow_dock(shown):
    scene = scenes.deep_full()
    one = shown(InspectorPanel, replace(scene, state=replace(scene.state, unit=Unit(17, 3, 77))), (248, 900))
    for facts in (one.panel.unit.place, one.panel.unit.facts):
        for label in facts._values.values():
            assert label.shown_text() == label.text()


def test_the_value_waits_for_the_layers_maps(one):
    one.show(replace(one.scene, features=None))
    assert one.panel.unit.facts.value("Value") == "–"


def test_without_a_unit_the_card_says_how_to_pin_one(one):
    one.show(replace(one.scene, state=replace(one.state, unit=None, cursor=None)))
    assert one.panel.unit._hint.isVisibleTo(one.panel.widget)
    assert not one.panel.unit._body.isVisibleTo(one.panel.widget)


def test_the_crop_can_be_copied_and_saved(qtbot, one):
    qtbot.mouseClick(one.panel.unit._copy, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(one.panel.unit._save, Qt.MouseButton.LeftButton)
    assert one.commands.names() == ["copy_image", "save_image"]
    image = one.commands.asked[0][1][0]
    assert (image.width(), image.height()) == (512, 512)
    assert one.commands.asked[1][1][1] == "unit-c3-4-10-20"


def test_a_crop_shows_its_pixels_and_leaves_the_outside_clear():
    pixels = scenes.picture().pixels
    inside = crop(pixels, Box(20, 10, 30, 20), 10)
    assert (to_array(inside) == pixels[10:20, 20:30]).all()
    corner = crop(pixels, Box(-5, -5, 5, 5), 10)
    assert corner.pixelColor(2, 7).alpha() == 0
    assert corner.pixelColor(7, 7).alpha() == 255
    assert (to_array(corner)[5:, 5:] == pixels[:5, :5]).all()


def test_outside_the_image_shines_what_is_mirrored_and_padding_shows_nothing():
    """A white stripe one pixel inside the image's left edge stands one pixel outside of it, too, and dimmer."""
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:, 8:12] = 255
    box, plain = Box(-20, 0, 20, 40), {}
    for mirrors in (False, True):
        plain[mirrors] = to_array(seen(pixels, box, 40, theme.DARK, mirrors)).mean(2)
    assert np.array_equal(plain[False][:, 20:], pixels[:, :20].mean(2))
    assert np.array_equal(plain[True][:, 20:], pixels[:, :20].mean(2))
    stripe, around = plain[True][:, 9:13].mean(), plain[True][:, 14:18].mean()  # as far from the pixel at the edge
    assert around + 60 < stripe < 255
    assert abs(plain[False][:, 9:13].mean() - plain[False][:, 1:5].mean()) < 1  # lines alone, once in eight pixels


def test_what_a_glowing_unit_sees_is_mirrored_where_its_network_sees_it_so(shown):
    beyond, whole = Box(-5, -4, 9, 10), scenes.full()  # of the network's input
    for border in (0, 10):
        network = replace(whole.network, entry=replace(whole.network.entry, border=border))
        scene = scenes.glowing(replace(whole, network=network))
        found = replace(scene.effective, crop=beyond)
        card = shown(InspectorPanel, replace(scene, effective=found), SIZE).panel.glow
        wanted = seen(scene.picture.pixels, found.box, COPIED, card.saw.colours(), mirrors=border > 0)
        assert np.array_equal(to_array(card.saw.picture()), to_array(wanted))


def test_a_crop_keeps_the_fields_aspect():
    wide = crop(scenes.picture().pixels, Box(0, 0, 40, 10), 80)
    assert (wide.width(), wide.height()) == (80, 20)
    nothing = crop(scenes.picture().pixels, Box(500, 500, 510, 510), 8)
    assert nothing.pixelColor(4, 4).alpha() == 0


# ------------------------------------------------------------------------------------- legend


def test_a_click_on_a_name_shows_its_heatmap(qtbot, one):
    click(qtbot, one.panel.legend.viewport(), one.panel.legend.place(4, Part.NAME))
    assert (one.state.view, one.state.shown_class) == (View.HEATMAP, 4)
    assert next(entry for entry in entries_of(one.scene) if entry.current).index == 4


def test_the_eye_hides_and_shows(qtbot, one):
    for hidden in ({3}, set()):
        click(qtbot, one.panel.legend.viewport(), one.panel.legend.place(3, Part.EYE))
        assert one.state.hidden == hidden
        entry = next(entry for entry in entries_of(one.scene) if entry.index == 3)
        assert entry.visible is not bool(hidden)


def test_solo_shows_one_class_alone(qtbot, one):
    click(qtbot, one.panel.legend.viewport(), one.panel.legend.place(2, Part.SOLO))
    assert one.state.solo == 2
    assert [entry.index for entry in entries_of(one.scene) if entry.visible] == [2]
    click(qtbot, one.panel.legend.viewport(), one.panel.legend.place(2, Part.SOLO))
    assert one.state.solo is None


def test_the_legend_works_from_the_keyboard(qtbot, one):
    legend = one.panel.legend
    first = one.scene.prediction.shares[0][0]
    qtbot.keyClick(legend, Qt.Key.Key_Home)
    legend.setCurrentIndex(legend.classes.index(0))
    qtbot.keyClick(legend, Qt.Key.Key_Space)
    assert one.state.hidden == {first}
    qtbot.keyClick(legend, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert one.state.solo == first
    qtbot.keyClick(legend, Qt.Key.Key_Down)
    qtbot.keyClick(legend, Qt.Key.Key_Return)
    assert one.state.shown_class == one.scene.prediction.shares[1][0]


def test_the_legend_lists_the_largest_share_first(one):
    entries = listed(entries_of(one.scene), "")
    assert [entry.index for entry in entries][: len(one.scene.prediction.shares)] == [
        index for index, _ in one.scene.prediction.shares
    ]
    assert len(entries) == 10
    assert sum(entry.share for entry in entries) == pytest.approx(1.0)


def test_of_a_thousand_classes_those_in_the_image_are_listed_and_search_finds_the_rest(qtbot, shown):
    one = shown(InspectorPanel, scenes.deep_full(), SIZE)
    assert one.panel.legend.classes.rowCount() == len(one.scene.prediction.shares)
    qtbot.keyClicks(one.panel.search, "class 99")
    found = [one.panel.legend.classes.index(row).data() for row in range(one.panel.legend.classes.rowCount())]
    assert len(found) == 11
    assert all("class 99" in name for name in found)
    one.panel.search.setText("nothing like this")
    assert one.panel.legend.classes.rowCount() == 0
    assert "nothing like this" in one.panel._legend_note.text()
    assert one.changes == []


def test_shares_follow_the_minimum(shown):
    """All labels of the scene are sure to 200 of 255."""
    one = shown(InspectorPanel, scenes.full(), SIZE)
    assert sum(entry.share for entry in entries_of(one.scene)) == pytest.approx(1.0)
    one.session.update(minimum=0.9)
    listing = one.panel.legend.classes
    assert all(listing.index(row).data(listing.ENTRY).share == 0 for row in range(listing.rowCount()))


def test_the_background_comes_last():
    entry = Entry(0, "background", 0.9, "", visible=False, solo=False, current=False)
    face = replace(entry, index=1, name="face", share=0.1, colour="#ffffff")
    assert listed([entry, face], "") == [face, entry]


def menu_of(legend, index: int) -> dict[str, object]:
    entry = legend.classes.index(legend.classes.row_of(index)).data(legend.classes.ENTRY)
    return {action.text(): action for action in legend.menu_of(entry).actions() if not action.isSeparator()}


def test_the_menu_of_a_class_does_all_that_its_row_does(one):
    legend = one.panel.legend
    assert list(menu_of(legend, 3)) == ["Show heatmap", "Hide", "Show alone", "Copy name"]
    menu_of(legend, 3)["Hide"].trigger()
    assert one.state.hidden == {3}
    menu_of(legend, 3)["Show"].trigger()
    assert one.state.hidden == set()
    menu_of(legend, 3)["Show alone"].trigger()
    assert one.state.solo == 3
    menu_of(legend, 3)["Show all again"].trigger()
    assert one.state.solo is None
    menu_of(legend, 3)["Show heatmap"].trigger()
    assert (one.state.view, one.state.shown_class) == (View.HEATMAP, 3)
    menu_of(legend, 3)["Copy name"].trigger()
    assert one.commands.asked == [("copy_table", ([["3"]],))]


def test_a_name_is_copied_from_the_keyboard(qtbot, one):
    legend = one.panel.legend
    legend.setCurrentIndex(legend.classes.index(0))
    qtbot.keyClick(legend, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert one.commands.asked == [("copy_table", ([[legend.classes.index(0).data()]],))]


def test_solo_can_be_seen_without_the_mouse(one):
    legend = one.panel.legend
    image = legend.viewport().grab().toImage()
    place = legend.place(entries_of(one.scene)[0].index, Part.SOLO).toRect()
    colours = {image.pixelColor(x, y).name() for x in range(place.left(), place.right()) for y in
               range(place.top() + 4, place.bottom() - 4)}  # fmt: skip
    assert len(colours) > 2


def test_hidden_classes_stay_listed():
    entry = Entry(5, "five", 0.0, "#ffffff", visible=False, solo=False, current=False)
    others = [replace(entry, index=index, visible=True, share=0.01 * (index % 2)) for index in range(100, 200)]
    shown_entries = listed([entry, *others], "")
    assert entry in shown_entries
    assert len(shown_entries) == 51


def test_the_background_is_never_painted(shown):
    scene = scenes.full()
    names = ("background", *scene.prediction.classes[1:])
    scene = replace(scene, prediction=replace(scene.prediction, classes=names))
    assert entries_of(scene)[0].colour == ""
    assert not entries_of(scene)[0].visible


def test_a_bar_shows_that_class(qtbot, one):
    one.panel.hover((60.0, 40.0))
    one.panel.bars.clicked.emit(one.panel.bars.bars[1].key)
    assert one.state.view is View.HEATMAP
    assert one.state.shown_class == scores.ranking(one.scene.prediction, 60.0, 40.0)[1].index


def test_a_unit_beyond_the_border_says_how_much_it_misses(shown):
    scene = scenes.deep_full()
    one = shown(InspectorPanel, replace(scene, state=replace(scene.state, unit=Unit(17, 0, 0))), SIZE)
    outside = one.panel.unit.facts.value("Outside")
    assert outside.replace("\u202f", " ") == "73 %"


def test_the_classes_can_leave_as_a_table(qtbot, shown):
    one = shown(InspectorPanel, scenes.full())
    for button in (one.panel._copy, one.panel._save):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert one.commands.names() == ["copy_table", "save_table"]
    rows = one.commands.asked[0][1][0]
    assert rows[0] == ["index", "name", "share"]
    assert sum(row[2] for row in rows[1:]) == pytest.approx(1)


def test_two_things_scroll_one_below_the_other_and_neither_in_the_other(shown):
    one = shown(InspectorPanel, scenes.full(), (280, 330))
    legend, tray = one.panel.legend, one.panel.widget.findChild(Tray)
    assert not tray.isAncestorOf(legend)
    assert legend.height() >= 3 * theme.px(20)  # also while a unit is pinned in a low dock
    top = legend.mapTo(one.panel.widget, QPoint(0, 0)).y()
    assert top + legend.height() <= one.panel.widget.height()
    assert tray.geometry().bottom() < top


def in_view(part, tray) -> bool:
    """Whether all of a widget is in the window of a tray."""
    return tray.viewport().rect().contains(QRect(part.mapTo(tray.viewport(), QPoint(0, 0)), part.size()))


def test_the_unit_that_was_clicked_is_seen_before_its_paths_in_a_low_dock(shown):
    network = scenes.skipping(scenes.HEIGHT, scenes.WIDTH)
    state = replace(scenes.full().state, model=scenes.FCN, layer="output", unit=Unit(0, 20, 30), cursor=(30, 20))
    one = shown(InspectorPanel, scenes.full(network=network, features=None, state=state), (272, 490))
    tray, unit = one.panel.widget.findChild(Tray), one.panel.unit
    for part in (unit.place, unit.crop, unit.facts):
        assert in_view(part, tray)
    _, _, paths = one.panel.sight
    assert paths.isVisibleTo(one.panel.widget)
    assert paths.geometry().top() > unit.geometry().bottom()


def test_the_square_is_scrolled_to_as_it_comes_in_a_low_dock(shown):
    one = shown(InspectorPanel, scenes.full(), (272, 420))
    tray = one.panel.widget.findChild(Tray)
    one.session.update(sight=replace(one.state.sight, square=(30.0, 30.0), side=16))
    assert in_view(one.panel.square, tray)
    tray.verticalScrollBar().setValue(0)
    one.session.update(unit=Unit(4, 11, 21))
    assert tray.verticalScrollBar().value() == 0  # once


@pytest.mark.parametrize("height", [490, 500, 510, 520])
def test_where_all_classes_just_find_room_none_is_cut(shown, height):
    nothing_pinned = scenes.full(state=replace(scenes.full().state, unit=None, cursor=None))
    legend = shown(InspectorPanel, nothing_pinned, (280, height)).panel.legend
    last = legend.visualRect(legend.classes.index(legend.classes.rowCount() - 1))
    assert last.bottom() <= legend.viewport().height()


def test_the_class_that_is_shown_is_scrolled_to(shown):
    one = shown(InspectorPanel, scenes.deep_full(), (280, 400))
    one.session.update(view=View.HEATMAP, shown_class=900)
    legend = one.panel.legend
    row = legend.visualRect(legend.classes.index(legend.classes.row_of(900)))
    assert legend.viewport().rect().contains(row.center())


def test_escape_clears_a_search(qtbot, shown):
    one = shown(InspectorPanel, scenes.deep_full(), SIZE)
    search = one.panel.search
    qtbot.keyClicks(search, "class 900")
    assert search.cross.isVisible()
    assert abs(search.cross.geometry().center().y() - search.rect().center().y()) <= 1
    qtbot.keyClick(search, Qt.Key.Key_Escape)
    assert search.text() == ""
    assert not search.cross.isVisible()
