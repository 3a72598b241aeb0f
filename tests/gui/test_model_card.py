"""The model card in the window: its tab, and what a change of preprocessing sets in motion."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QLineEdit, QMainWindow

from segviz.core.catalogue import entry
from segviz.core.choices import Method, View
from segviz.core.requests import DescribeRequest, ExamineRequest, FeatureRequest, SegmentRequest
from segviz.core.session import State
from segviz.gui.command_palette import entries
from segviz.gui.layout import VERSION
from segviz.gui.panels.base import Area
from segviz.gui.scene import Kind
from tests.gui import scenes
from tests.gui.conftest import PAGE

LEFT = Qt.DockWidgetArea.LeftDockWidgetArea


def enter(one, option: str, text: str) -> None:
    line = one.panel("card").form.boxes[option].line
    line.setText(text)
    one.qtbot.keyClick(line, Qt.Key.Key_Return)
    one.turn()


def describe(one) -> None:
    """LeNet-5 answers as its spec wants it to be viewed."""
    request = one.jobs.asked[one.jobs.ticket(DescribeRequest)]
    answer = replace(
        scenes.lenet(), request=request, entry=entry(request.setup.model), brought=entry("lenet5"), title="LeNet-5"
    )
    one.jobs.answer(DescribeRequest, answer)
    one.turn()


@pytest.fixture
def card(bench):
    """A window with LeNet-5 at work, its card in front."""
    one = bench(State(image=PAGE, model="lenet5", layer="c3", method=Method.COARSE, view=View.HEATMAP, shown_class=7))
    one.window.do("model-card")
    one.turn()
    return one


def test_the_card_is_a_tab_beside_the_network(bench):
    one = bench()
    bench_of = one.window.benches[Area.LEFT]
    assert [bench_of.bar.tabText(at) for at in range(bench_of.bar.count())] == ["Network", "Model card"]
    assert bench_of.currentWidget() is one.panel("network").widget
    assert not one.window.benches[Area.RIGHT].bar.isVisible()  # one panel needs no tab
    assert "card" not in one.window._shown
    one.qtbot.mouseClick(bench_of.bar, Qt.MouseButton.LeftButton, pos=bench_of.bar.tabRect(1).center())
    assert one.window._shown["card"] is one.scene
    assert one.panel("card").header.isVisible()
    assert not one.panel("network").header.isVisible()


def test_keys_and_the_palette_bring_it_also_where_its_dock_is_closed(bench):
    one = bench()
    one.window.docks[Area.LEFT].close()
    one.qtbot.keyClick(one.window, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
    assert one.panel("card").widget.isVisible()
    found = {found.text: found.do for found in entries(one.window) if found.kind == "Panel"}
    assert list(found) == ["Network", "Model card", "Inspector"]
    found["Network"]()
    assert one.panel("network").widget.isVisible()
    assert not one.panel("card").widget.isVisible()


def test_a_layout_that_was_kept_before_there_was_a_card_still_comes_back(qtbot, look, bench):
    """Qt keeps docks by their names, whatever lies in them: these are the names of the first version."""
    one = bench()
    docks = {dock.objectName() for dock in one.window.docks.values()}
    assert (VERSION, docks) == (1, {"dock-network", "dock-inspector", "dock-workbench"})
    plain = QMainWindow()
    qtbot.addWidget(plain)
    for name, area in (("dock-network", Qt.DockWidgetArea.RightDockWidgetArea), ("dock-inspector", LEFT)):
        dock = QDockWidget(plain)
        dock.setObjectName(name)
        plain.addDockWidget(area, dock)
    assert one.window.restoreState(plain.saveState(VERSION), VERSION)
    assert one.window.dockWidgetArea(one.window.docks[Area.RIGHT]) == LEFT
    assert one.panel("network").widget.isVisible()


def test_a_change_is_seen_at_once_and_keeps_layer_class_method_and_view(card):
    asked = len(card.jobs.history)
    enter(card, "mean", "40")
    assert card.state.model == "lenet5?mean=40"
    kept = (card.state.layer, card.state.method, card.state.view, card.state.shown_class)
    assert kept == ("c3", Method.COARSE, View.HEATMAP, 7)
    assert card.window.toolbar.network.value == "LeNet-5"
    assert card.panel("card").form.boxes["mean"].line.text() == "40"
    describe(card)
    card.bring_up()
    assert {type(request) for request in card.jobs.history[asked:]} >= {DescribeRequest, SegmentRequest}
    anew = [request for request in card.jobs.history[asked:] if not isinstance(request, ExamineRequest)]
    assert {request.setup.model for request in anew} == {"lenet5?mean=40"}  # what it can do is the same
    assert card.scene.prediction.request.setup.model == "lenet5?mean=40"
    assert card.state.layer == "c3"


def test_what_the_engine_refuses_is_taken_back_on_the_card_too(card):
    before = card.state
    enter(card, "input", "1x64x64")
    assert card.state.model == "lenet5?input=1x64x64"
    card.jobs.refuse(DescribeRequest, "LeNet-5 does not take 1x64x64")
    card.turn()
    assert card.state == before
    assert card.scene.message.about is Kind.DESCRIPTION
    assert card.panel("card").form.boxes["input"].line.text().replace("\u202f", "") == "1×32×32"


def test_a_change_on_the_command_line_or_in_a_session_is_marked_and_reset(bench):
    one = bench(State(image=PAGE, model="lenet5?mean=40&minimum=0.2", layer="c3", minimum=0.2), prompt=False)
    one.turn()
    one.jobs.open()
    one.turn()
    describe(one)
    one.bring_up()
    one.window.do("model-card")
    one.turn()
    form = one.panel("card").form
    assert {option for option, box in form.boxes.items() if box.changed} == {"mean", "minimum"}
    one.qtbot.mouseClick(form.all, Qt.MouseButton.LeftButton)
    one.turn()
    assert (one.state.model, one.state.minimum, one.state.layer) == ("lenet5", 0.8, "c3")


def test_feature_maps_of_the_old_preprocessing_are_not_taken_for_the_new(card):
    assert card.scene.shown_features is not None
    enter(card, "std", "20")
    assert card.scene.shown_features is None
    describe(card)
    assert card.jobs.pending(FeatureRequest)


def test_escape_in_a_field_takes_back_what_was_typed_and_stops_nothing(card):
    card.window.activateWindow()
    line = card.panel("card").form.boxes["std"].line
    line.setFocus()
    card.qtbot.keyClicks(line, "9")
    card.qtbot.keyClick(line, Qt.Key.Key_Escape)
    assert line.text() == "255"
    assert isinstance(card.window.focusWidget(), QLineEdit)
    assert card.state.model == "lenet5"
