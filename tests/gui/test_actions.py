"""The table of actions: complete, unambiguous, safe in an empty window; palette and sheet are made from it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QMenu

from segviz.core import catalogue, planning
from segviz.core.choices import ColourMap, Glow, Method, Palette, Theme, View
from segviz.core.session import State
from segviz.gui import actions, gestures, menus
from segviz.gui.actions import ACTIONS, MENUS
from segviz.gui.command_palette import CommandPalette, Entry, score
from segviz.gui.dialogs import ShortcutSheet
from segviz.gui.panels.base import Area
from tests.gui.conftest import PAGE


def test_ids_and_keys_are_unique():
    assert not [name for name, n in Counter(action.id for action in ACTIONS).items() if n > 1]
    keys = Counter(QKeySequence(key).toString() for action in ACTIONS for key in action.keys)
    assert not [key for key, n in keys.items() if n > 1]
    assert "" not in keys  # a key that Qt does not know


def test_every_action_says_what_it_does_and_where():
    for action in ACTIONS:
        assert action.text
        assert action.menu.partition("/")[0] in MENUS, action.id
        assert actions.tooltip(action)


@pytest.mark.parametrize("choice", [View, Method, Palette, ColourMap, Theme, Glow])
def test_every_value_of_a_choice_is_an_action(choice):
    ids = {action.id for action in ACTIONS}
    fields = {View: "view", Method: "method", Palette: "palette", ColourMap: "colour-map", Theme: "theme", Glow: "glow"}
    field = fields[choice]
    assert {f"{field}-{value.value}" for value in choice} <= ids


@pytest.fixture
def empty(bench, monkeypatch):
    one = bench(State(), prompt=False)
    monkeypatch.setattr(one.window.files, "ask_open", lambda title, kinds: None)
    monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds: None)
    return one


def test_every_action_runs_in_an_empty_window(empty):
    for action in ACTIONS:
        if action.id != "quit":
            empty.window.do(action.id)
            for dialog in empty.window.findChildren(QDialog):
                dialog.reject()
        empty.turn()
    empty.window.do("present") if empty.window.presenting else None
    assert empty.window.isVisible()


def test_disabled_without_an_image_enabled_with_it(bench):
    empty, full = bench(State(), prompt=False), bench()
    for name in ("copy", "fit", "export", "next-layer", "race", "run"):
        assert not empty.window.action(name).isEnabled(), name
        assert full.window.action(name).isEnabled(), name


@pytest.mark.parametrize(
    ("key", "field", "value"), [("H", "view", View.HEATMAP), ("I", "view", View.IMAGE), ("L", "view", View.LABELS)]
)
def test_keys_reach_the_state(bench, key, field, value):
    one = bench()
    one.desk.session.update(view=View.IMAGE if value is not View.IMAGE else View.LABELS)
    one.window.canvas.setFocus()
    one.qtbot.keyClick(one.window, key)
    assert getattr(one.state, field) is value


def test_a_letter_typed_into_a_search_field_is_not_a_shortcut(bench):
    one = bench()
    line = one.window.docks[Area.LEFT].findChild(QLineEdit)
    line.show()
    line.setFocus()
    one.qtbot.keyClick(line, Qt.Key.Key_H)
    assert line.text() == "h"
    assert one.state.view is View.LABELS


def test_choices_are_checked_while_in_force(bench):
    one = bench()
    one.window.do("method-coarse")
    one.turn()
    assert one.state.method is Method.COARSE
    assert one.window.action("method-coarse").isChecked()
    assert not one.window.action("method-auto").isChecked()


def test_the_sheet_lists_every_key(bench):
    window = bench().window
    window.do("shortcuts")
    sheet = window.findChild(ShortcutSheet)
    texts = {label.text() for label in sheet.findChildren(QLabel)}
    for action in ACTIONS:
        if action.keys:
            assert "  or  ".join(action.keys) in texts, action.id
    sheet.reject()


def palette_of(one) -> CommandPalette:
    one.qtbot.keyClick(one.window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    return one.window.findChildren(CommandPalette)[-1]


def test_the_palette_finds_actions_images_networks_and_classes_by_name(bench):
    one = bench()
    palette = palette_of(one)
    names = {(entry.kind, entry.text) for entry in palette._entries}
    assert {action.text.rstrip("…") for action in ACTIONS} <= {text for _, text in names}
    assert ("Network", "EfficientNet-Lite0") in names
    assert ("Image", "Castle of Maintenon") in names
    assert ("Class", "7") in names
    palette.reject()


def test_the_palette_and_the_menu_say_which_networks_have_random_weights(bench):
    one = bench()
    palette = palette_of(one)
    found = {entry.text: entry.place for entry in palette._entries if entry.kind == "Network"}
    assert (found["VGG16"], found["LeNet-5"]) == ("vgg16, random weights", "lenet5")
    palette.reject()
    menu = one.window.menus.menus["Use network"]
    menu.aboutToShow.emit()
    inside = next(action.menu() for action in menu.actions() if action.text().startswith("Random weights"))
    random = leaves(inside)
    trained = {text: action for text, action in leaves(menu).items() if text not in random}
    assert {entry.title for entry in catalogue.ENTRIES if not entry.trained} <= random.keys()
    assert {entry.title for entry in catalogue.ENTRIES if entry.trained} <= trained.keys()
    tip = random["VGG16"].toolTip()
    assert "Random weights" in tip
    assert "138,357,544 parameters; no weights are shipped" in tip


def leaves(menu: QMenu) -> dict[str, QAction]:
    """What can be chosen in a menu and those inside it, by its words."""
    found = {}
    for action in menu.actions():
        found |= leaves(action.menu()) if action.menu() is not None else {action.text(): action}
    return found


def test_networks_of_one_file_share_a_menu_that_is_marked_while_one_of_them_is_open(bench):
    one = bench()
    one.desk.session.update(model="fcn8s-efficientnet_lite0")
    one.turn()
    menu = one.window.menus.menus["Use network"]
    for _ in range(3):
        menu.aboutToShow.emit()
        one.turn()
    families = {action.text(): action for action in menu.actions() if action.menu() is not None}
    assert list(families) == ["MTCNN", "FCN", "U-Net (small)", "Random weights: for speed and geometry"]
    assert [name for name, action in families.items() if action.isChecked()] == ["FCN"]
    assert [text for text, action in leaves(menu).items() if action.isChecked()] == ["FCN-8s (EfficientNet-Lite0)"]
    assert sum(not action.isSeparator() for action in menu.actions()) <= 14  # all of it is seen at once
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    inside = families["Random weights: for speed and geometry"].menu()
    assert len(menu.findChildren(QMenu)) == len(families) + len(inside.findChildren(QMenu))  # older ones are gone


def test_rows_of_the_image_menu_stay_while_their_pictures_are_read(bench):
    one = bench()
    menu = one.window.menus.menus["Open sample"]
    menu.aboutToShow.emit()
    before = [menu.actionGeometry(action) for action in menu.actions()]
    assert all(not action.icon().isNull() for action in menu.actions())
    one.qtbot.waitUntil(lambda: not menu.findChild(menus._Thumbnails)._waiting)
    assert [menu.actionGeometry(action) for action in menu.actions()] == before


def test_captions_that_tell_a_choice_stay_longest(bench):
    one = bench()
    bar = one.window.toolbar
    bar.network.set_value("FCN-8s (EfficientNet-Lite0)")
    order = (bar.upsampling, bar.method, bar.scale, bar.device, bar.network, bar.image)
    counts = []
    for width in (2000, 1280, 1150, 1024):
        one.window.resize(width, 800)
        one.turn()
        bar.network.set_value("FCN-8s (EfficientNet-Lite0)")
        bar._show_captions()
        shown = [pill._captioned for pill in order]
        assert shown == sorted(shown, reverse=True), width
        counts.append(sum(shown))
    assert counts[0] == 6
    assert counts == sorted(counts, reverse=True)
    assert counts[1] >= 3  # at 1280 pixels the three that nobody could guess


def test_escape_brings_the_image_back_before_it_lets_go_of_what_lies_on_it(bench):
    one = bench(State(image=PAGE, model="lenet5", tab="convolution", layer="c3"))
    one.desk.session.update(**gestures.pin(one.scene, 47, 27))
    one.bring_up()
    assert one.window.stages.covers
    one.qtbot.keyClick(one.window, Qt.Key.Key_Escape)
    one.turn()
    assert not one.window.stages.covers
    assert one.state.convolution_lab.image
    assert one.state.unit is not None
    one.qtbot.keyClick(one.window, Qt.Key.Key_Escape)
    one.turn()
    assert one.state.unit is None


def test_the_palette_brings_a_panel_to_the_front(bench):
    one = bench()
    one.window.docks[Area.WORKBENCH].close()
    palette = palette_of(one)
    one.qtbot.keyClicks(palette.line, "heatmaps")
    assert palette.found()[0].kind == "Action"
    one.qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    one.turn()
    assert one.state.tab == "heatmaps"
    assert one.window.docks[Area.WORKBENCH].isVisible()


def test_the_palette_is_used_by_keyboard_alone(bench):
    one = bench()
    palette = palette_of(one)
    one.qtbot.keyClicks(palette.line, "grey colour")
    assert [entry.text for entry in palette.found()] == ["Grey"]
    one.qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert one.state.colour_map is ColourMap.GREY
    palette = palette_of(one)
    one.qtbot.keyClicks(palette.line, "network")
    first = palette.found()
    one.qtbot.keyClick(palette.line, Qt.Key.Key_Down)
    assert palette.list.currentRow() == 1
    assert first[1] is palette.list.currentItem().data(Qt.ItemDataRole.UserRole)
    one.qtbot.keyClick(palette.line, Qt.Key.Key_Escape)
    assert not palette.isVisible()


def test_a_name_that_begins_with_the_words_comes_first():
    def entry(text: str) -> Entry:
        return Entry("Image", text, "", lambda: None)

    assert score("cast", entry("castle")) < score("cast", entry("forecast"))
    assert score("castle", entry("castle")) < score("castle", entry("castle gate"))
    assert score("xyz", entry("castle")) is None
    exact, longer = (Entry("Network", title, "", lambda: None, spec) for title, spec in (
        ("FCN-8s (EfficientNet-Lite0)", "fcn8s"), ("FCN8s-like on digit pages", "fcn8s-digits"),
    ))  # fmt: skip
    assert score("fcn8s", exact) < score("fcn8s", longer)
    menu = Entry("Action", "Fit image and field", "", lambda: None, "View")
    assert score("view", entry("view of a castle")) < score("view", menu)


def test_images_and_networks_come_before_classes_of_that_name():
    image, network, named = (Entry(kind, text, "", lambda: None) for kind, text in (
        ("Image", "European honey bee"), ("Network", "BeeNet"), ("Class", "bee"),
    ))  # fmt: skip
    assert score("bee", network) < score("bee", image) < score("bee", named)
    assert score("bee", named) < score("bee", Entry("Class", "bee eater", "", lambda: None))


def test_bee_and_return_open_the_photograph_although_a_class_is_called_so(bench):
    one = bench()
    classes = ("bee", "bee eater", *(f"class {i}" for i in range(998)))
    one.desk._show(network=replace(one.scene.network, classes=classes))
    palette = palette_of(one)
    one.qtbot.keyClicks(palette.line, "bee")
    assert [(entry.kind, entry.text) for entry in palette.found()[:2]] == [
        ("Image", "European honey bee"),
        ("Class", "bee"),
    ]
    one.qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert one.state.image.endswith("european-honey-bee.jpg")


def test_a_class_without_a_result_says_what_is_needed(bench):
    one = bench(State(model="lenet5"))
    said = []
    one.desk.said.connect(said.append)
    palette = palette_of(one)
    one.qtbot.keyClicks(palette.line, "7 class")
    one.qtbot.keyClick(palette.line, Qt.Key.Key_Return)
    assert (one.state.shown_class, one.state.view) == (7, View.HEATMAP)
    assert said == ["The heatmap of a class needs an image: open one first"]


@pytest.mark.parametrize(
    ("view", "opacity", "minimum"),
    [(View.LABELS, "opacity", "minimum"), (View.HEATMAP, "heat_opacity", "heat_minimum")],
)
def test_opacity_and_minimum_go_by_ten_per_cent_and_stay_within_bounds(bench, view, opacity, minimum):
    one = bench(State(image=PAGE, model="lenet5", view=view, opacity=0.5, heat_opacity=0.5))
    for key in ("O", "M"):
        one.qtbot.keyClick(one.window, key)
    assert (getattr(one.state, opacity), getattr(one.state, minimum)) == (0.6, 0.1)
    for _ in range(12):
        one.qtbot.keyClick(one.window, "O", Qt.KeyboardModifier.ShiftModifier)
    assert getattr(one.state, opacity) == 0.0


def test_the_grid_stride_is_not_said_to_be_the_races_alone():
    """It is that of the sliding window, too."""
    state = State(image="/a.png", model="lenet5", method=Method.SLIDING_WINDOW, grid_stride=8)
    assert planning.plan_prediction(state).grid_stride == planning.plan_race(state).grid_stride == 8
    for action in (action for action in ACTIONS if action.id.startswith("grid-stride-")):
        assert action.menu == "Run/Grid stride"
        assert "race" in action.tip
        assert "sliding window" in action.tip


def test_scales_tabs_and_grid_strides_are_actions(bench):
    one = bench()
    one.window.do("scale-50")
    one.turn()
    assert one.state.scale == 0.5
    assert one.window.action("scale-50").isChecked()
    one.window.do("scale-auto")
    one.window.do("grid-stride-4")
    assert (one.state.scale, one.state.grid_stride) == (None, 16)  # LeNet-5's own stride is 4
    one.window.do("grid-stride-1")
    assert one.state.grid_stride is None
    one.window.docks[Area.WORKBENCH].close()
    one.qtbot.keyClick(one.window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    one.turn()
    assert one.state.tab == "race"
    assert one.window.docks[Area.WORKBENCH].isVisible()


def test_arrow_keys_in_an_open_menu_are_the_menus(bench):
    one = bench()
    one.desk.session.update(layer="s4")
    one.window._pin(64, 48)
    one.turn()
    before = one.state
    one.window.canvas.view.setFocus()
    first, second = one.window.menus.menus["File"], one.window.menus.menus["Edit"]
    one.window.menuBar().setActiveAction(first.menuAction())
    first.popup(one.window.mapToGlobal(one.window.rect().topLeft()))
    one.qtbot.waitUntil(first.isVisible)
    # As the system delivers it: to the window, so that shortcuts have their chance before the menu.
    QTest.keyClick(one.window.windowHandle(), Qt.Key.Key_Right)
    one.turn()
    assert one.state == before
    first.close()
    second.close()
