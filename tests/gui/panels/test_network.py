"""The network panel: rows, selection by mouse and keyboard, folding, filter, stepping."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QApplication

from segviz.core import scores
from segviz.core.catalogue import entry
from segviz.core.requests import ConvertedLayer
from segviz.core.session import State, Unit
from segviz.gui import gestures, theme
from segviz.gui.panels.network import NetworkPanel
from segviz.gui.panels.network_paint import ROW
from segviz.gui.panels.network_rows import layer_seconds, mark_of, rows_of
from segviz.gui.scene import Scene
from tests.gui import scenes


def index_of(tree, name: str) -> QModelIndex:
    def search(parent: QModelIndex) -> QModelIndex:
        for row in range(tree.model().rowCount(parent)):
            index = tree.model().index(row, 0, parent)
            if index.data(ROW).name == name:
                return index
            found = search(index)
            if found.isValid():
                return found
        return QModelIndex()

    return search(QModelIndex())


def names(tree) -> list[str]:
    return [tree.model().index(row, 0).data(ROW).name for row in range(tree.model().rowCount())]


def press(qtbot, tree, name: str) -> None:
    rect = tree.visualRect(index_of(tree, name))
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())


def test_a_click_selects_the_layer_and_the_unit_under_the_cursor(qtbot, shown):
    one = shown(NetworkPanel, scenes.full())
    press(qtbot, one.panel.tree, "output")
    geometry = one.scene.network.geometry
    assert one.state.layer == "output"
    best = scores.ranking(one.scene.prediction, 47.0, 27.0, 1)[0].index  # the class that answered there, not map 4
    assert best != 4
    assert one.state.unit == Unit(best, *geometry.cell_at("output", 47.0, 27.0))
    assert one.state.cursor == (47.0, 27.0)
    assert len(one.changes) == 1


def test_arrow_keys_walk_the_layers(qtbot, shown):
    one = shown(NetworkPanel, scenes.full())
    qtbot.keyClick(one.panel.tree, Qt.Key.Key_Down)
    assert one.state.layer == "s4"
    qtbot.keyClick(one.panel.tree, Qt.Key.Key_Up)
    qtbot.keyClick(one.panel.tree, Qt.Key.Key_Up)
    assert one.state.layer == "s2"


def test_the_input_is_shown_but_no_layer(qtbot, shown):
    one = shown(NetworkPanel, scenes.full())
    press(qtbot, one.panel.tree, "input")
    assert one.changes == []


def test_the_scene_moves_the_selection_silently(shown):
    one = shown(NetworkPanel, scenes.full())
    one.show(replace(one.scene, state=replace(one.state, layer="f6")))
    assert one.panel.tree.currentIndex().data(ROW).name == "f6"
    assert one.changes == []


def test_blocks_are_folded_and_their_list_is_not_a_row(qtbot, shown):
    one = shown(NetworkPanel, scenes.deep_full())
    tree = one.panel.tree
    assert names(tree) == ["input", "stem", "blocks.0", "blocks.1", "blocks.2", "head", "fc"]
    block = index_of(tree, "blocks.1")
    assert tree.model().rowCount(block) == 3
    assert not tree.isExpanded(block)
    place = tree.itemDelegate().triangle(tree.visualRect(block), block).center().toPoint()
    qtbot.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert tree.isExpanded(block)
    assert one.changes == []
    press(qtbot, tree, "blocks.1.dw")
    assert one.state.layer == "blocks.1.dw"


def test_a_folded_layer_is_unfolded_when_it_becomes_current(shown):
    one = shown(NetworkPanel, scenes.deep_full())
    one.show(replace(one.scene, state=replace(one.state, layer="blocks.0.dw")))
    tree = one.panel.tree
    assert tree.currentIndex().data(ROW).name == "blocks.0.dw"
    assert tree.visualRect(tree.currentIndex()).height() > 0


def test_return_folds_and_unfolds(qtbot, shown):
    one = shown(NetworkPanel, scenes.deep_full())
    tree = one.panel.tree
    for unfolded in (True, False):
        qtbot.keyClick(tree, Qt.Key.Key_Return)
        assert tree.isExpanded(tree.currentIndex()) is unfolded


def test_the_filter_finds_leaves_and_keeps_the_current_layer(qtbot, shown):
    one = shown(NetworkPanel, scenes.deep_full())
    qtbot.keyClicks(one.panel._filter, "expand")
    assert names(one.panel.tree) == ["blocks.1", "blocks.2"]
    assert one.state.layer == "blocks.2"
    one.panel._filter.clear()
    assert len(names(one.panel.tree)) == 7
    assert one.changes == []


def test_the_header_counts_parameters(shown):
    one = shown(NetworkPanel, scenes.deep_full())
    # the image is twice as large as the input: the table has the network's own pixels, and says so
    assert one.panel._size.text().replace("\u202f", " ") == "4.65 M parameters, fields in network px"
    plain = shown(NetworkPanel, scenes.full())
    assert plain.panel._size.text().replace("\u202f", " ") == "61.7 k parameters"


def test_the_layers_can_leave_as_a_table(qtbot, shown):
    one = shown(NetworkPanel, scenes.full())
    qtbot.mouseClick(one.panel._copy, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(one.panel._save, Qt.MouseButton.LeftButton)
    assert one.commands.names() == ["copy_table", "save_table"]
    rows = one.commands.asked[0][1][0]
    assert rows[0][0] == "name"
    assert {row[0]: row[3] for row in rows}["c5"] == 48_120


def test_rows_say_the_numbers_of_the_lecture():
    """LeNet-5's fields and strides, oracles.md: C1 5/1, S2 6/2, C3 14/2, S4 16/4, C5 and output 32/4."""
    rows = {row.name: row for row in rows_of(scenes.lenet())}
    assert [(rows[name].field, rows[name].stride) for name in ("c1", "s2", "c3", "s4", "c5", "output")] == [
        ("5", "/1"), ("6", "/2"), ("14", "/2"), ("16", "/4"), ("32", "/4"), ("32", "/4"),
    ]  # fmt: skip
    assert rows["c5"].shape.replace("\u202f", " ") == "120 × 17 × 25"
    assert rows["c5"].converted == "dense 400 to 120 → convolution 5x5, 16 to 120"
    assert "48,120" in rows["c5"].tooltip
    assert rows["c1"].converted == ""


def test_channels_last_are_said_in_the_order_of_all_others():
    network = scenes.lenet()
    assert rows_of(scenes.channels_last(network, "c3")) == rows_of(network)


@pytest.mark.parametrize(
    ("before", "after", "mark"),
    [
        ("dense 400 to 120", "convolution 5x5, 16 to 120", "dense → 5×5 conv"),
        ("global average pooling", "nothing", "left out"),
        ("global average pooling", "average of 7x7, stride 1", "→ 7×7 average"),
        ("BatchNorm1d", "BatchNorm2d", "→ BatchNorm2d"),
    ],
)
def test_conversions_are_marked_in_two_words(before, after, mark):
    assert mark_of(ConvertedLayer("layer", before, after)) == mark


def test_time_shares_sum_to_one_and_blocks_hold_their_leaves():
    network = scenes.deep()
    seconds = layer_seconds(network, scenes.deep_full().prediction)
    rows = rows_of(network, layer_seconds(network, replace_model(scenes.deep_full().prediction, network)))
    top = [row.time for row in rows if row.parent is None and row.time is not None]
    assert sum(top) == pytest.approx(1.0)
    assert set(seconds) == {layer.name for layer in network.layers if layer.leaf}


def replace_model(prediction, network):
    request = replace(prediction.request, setup=replace(prediction.request.setup, model=network.request.setup.model))
    return replace(prediction, request=request)


def test_another_networks_times_are_not_shown():
    assert layer_seconds(scenes.deep(), scenes.full().prediction) == {}


# ------------------------------------------------------------------------------------ [ and ]


def at(scene: Scene, layer: str | None) -> Scene:
    return replace(scene, state=replace(scene.state, layer=layer))


@pytest.mark.parametrize(
    ("layer", "step", "wanted"),
    [
        ("blocks.0", 1, "blocks.1"),
        ("blocks.0", -1, "stem"),
        ("blocks.0.project", 1, "blocks.1.expand"),
        ("blocks.0.dw", -1, "stem"),
        (None, 1, "stem"),
        (None, -1, "fc"),
        ("gone", 1, "stem"),
        ("fc", 1, None),
        ("stem", -1, None),
    ],
)
def test_stepping_goes_over_blocks_or_leaves(layer, step, wanted):
    changes = gestures.next_layer(at(scenes.deep_full(), layer), step)
    assert changes.get("layer") == wanted


def test_stepping_keeps_the_cursor_and_moves_the_unit():
    scene = scenes.full()
    changes = gestures.next_layer(scene, 1)
    assert changes["unit"] == Unit(4, *scene.network.geometry.cell_at("s4", 47.0, 27.0))


def test_stepping_without_a_network_does_nothing():
    assert gestures.next_layer(Scene(State()), 1) == {}


def test_the_selected_layer_stays_in_view_when_the_type_changes(shown, look):
    """As in the presenter's view and back: rows grow and shrink while the dock is hidden."""
    scene = scenes.deep_full()
    one = shown(NetworkPanel, replace(scene, state=replace(scene.state, layer="fc")), (300, 420))
    tree = one.panel.tree
    try:
        for factor in (theme.PRESENTER, 1.0):
            one.panel.widget.hide()
            look.set_factor(factor)
            one.panel.widget.show()
            QApplication.processEvents()
            seen = tree.viewport().rect().adjusted(0, 0, 0, 1)  # scrollTo stops a pixel short
            assert seen.contains(tree.visualRect(tree.currentIndex()))
    finally:
        look.set_factor(1.0)


def untrained(scene: Scene) -> Scene:
    """The same, as if VGG16 had answered."""
    request = replace(scene.network.request, setup=replace(scene.network.request.setup, model="vgg16"))
    network = replace(scene.network, request=request, entry=entry("vgg16"), brought=entry("vgg16"))
    return replace(scene, state=replace(scene.state, model="vgg16"), network=network)


def test_random_weights_are_said_above_the_layers(shown):
    one = shown(NetworkPanel, scenes.full())
    assert one.panel._note.isHidden()
    one.show(untrained(one.scene))
    assert one.panel._note.isVisible()
    assert one.panel._note.text() == ("VGG16 has random weights: its labels mean nothing, its speed and geometry do.")


def test_the_selected_layer_stays_in_view_however_often_the_room_shrinks(shown):
    """Qt scrolls a row to one pixel below the edge: the next step must not take it for one out of view."""
    scene = scenes.deep_full()
    one = shown(NetworkPanel, replace(scene, state=replace(scene.state, layer="fc", unit=None)), size=(290, 480))
    tree = one.panel.tree
    for height in (400, 380, 350):
        one.panel.widget.resize(290, height)
        QApplication.processEvents()
        row = tree.visualRect(tree.currentIndex())
        assert row.top() >= 0
        assert row.bottom() <= tree.viewport().height()


def test_a_number_for_a_name_is_shown_with_the_kind_of_the_layer():
    """Layers of a list without names, as in `features.4` of VGG."""
    deep = scenes.deep()
    listed = {"stem": "features", "blocks.0.dw": "features.0", "blocks.0.project": "features.1", "fc": "classifier"}
    layers = tuple(
        replace(layer, name=listed[layer.name], leaf="." in listed[layer.name])
        for layer in deep.layers
        if layer.name in listed
    )
    step = ConvertedLayer("features.1", "dense 8 to 9", "convolution 2x2, 2 to 9")
    rows = {row.name: row for row in rows_of(replace(deep, layers=layers, conversion=(step,)))}
    assert (rows["features.0"].label, rows["features.1"].label) == ("0 Conv2d", "1")
    assert rows["features.1"].mark == "dense → 2×2 conv"
