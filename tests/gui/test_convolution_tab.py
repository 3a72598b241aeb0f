"""The convolution tab in the window: what is asked of the engine, when, and whose place its stage takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segviz.core.convolution_lab import ConvolutionLab, Page, Source
from segviz.core.session import State, Unit
from segviz.core.shifting import ShiftRequest
from segviz.core.sizes import SizesRequest
from segviz.core.unit_sums import SumRequest
from segviz.gui import plan
from segviz.gui.scene import Kind
from tests.gui import convolution_scenes
from tests.gui.conftest import PAGE

LABS = (SumRequest, ShiftRequest, SizesRequest)


def asked(one, kind):
    return [request for request in one.jobs.history if isinstance(request, kind)]


def test_the_tab_asks_for_the_pinned_unit_and_takes_the_canvas(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", unit=Unit(4, 10, 20), cursor=(47.0, 27.0)))
    assert not any(asked(one, kind) for kind in LABS)
    QTest.keyClick(one.window, Qt.Key.Key_5, Qt.KeyboardModifier.ControlModifier)
    one.bring_up()
    assert one.state.tab == "convolution"
    assert [(request.layer, request.unit) for request in asked(one, SumRequest)] == [("c3", (4, 10, 20))]
    panel = one.panel("convolution")
    assert one.window.centre.currentWidget() is panel.stage
    panel.frame.image.click()
    one.turn()
    assert one.window.centre.currentWidget() is one.window.canvas
    one.window.desk.session.update(unit=Unit(5, 11, 20))
    one.bring_up()
    assert [request.unit for request in asked(one, SumRequest)] == [(4, 10, 20), (5, 11, 20)]


def test_each_page_asks_for_its_own(bench):
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="convolution"))
    buttons = one.panel("convolution").frame.buttons
    before = len(one.jobs.history)
    for page, kind in ((Page.SHIFT, ShiftRequest), (Page.HEAD, SizesRequest), (Page.MATRIX, None)):
        QTest.mouseClick(buttons[page], Qt.MouseButton.LeftButton)
        one.bring_up()
        new, before = one.jobs.history[before:], len(one.jobs.history)
        assert [type(request) for request in new] == ([kind] if kind else [])
        assert one.window.centre.currentWidget() is one.panel("convolution").stage
    assert asked(one, SizesRequest)[0].size == (96, 128)


def test_numbers_of_another_shift_or_size_are_not_shown_under_new_controls():
    shift, head = convolution_scenes.laboratory(Page.SHIFT), convolution_scenes.laboratory(Page.HEAD)
    assert shift.shown_shift is shift.shift
    assert head.shown_sizes is head.sizes

    def chosen(scene, **changes):
        lab = replace(scene.state.convolution_lab, **changes)
        return replace(scene, state=replace(scene.state, convolution_lab=lab))

    assert chosen(shift, dx=8).shown_shift is None
    assert chosen(shift, dy=8).shown_shift is None
    assert chosen(head, feed=500).shown_sizes is None
    drawn = replace(shift, state=replace(shift.state, revision=shift.state.revision + 1))
    assert drawn.shown_shift is shift.shift  # while one draws, the map of a moment ago stays


@pytest.mark.parametrize(("page", "name", "kind", "busy"), [
    (Page.PRODUCTS, "sums", Kind.SUMS, "Computing c3…"),
    (Page.SHIFT, "shift", Kind.SHIFT, "Shifting the image…"),
    (Page.HEAD, "sizes", Kind.SIZES, "Feeding the network…"),
])  # fmt: skip
def test_what_is_wanted_is_being_computed_until_it_is_stopped(bench, page, name, kind, busy):
    """Also in the moment before it is asked for, when no work is under way yet."""
    scene = replace(convolution_scenes.laboratory(page), **{name: None}, jobs=())
    one = bench(State(image=PAGE, model="lenet5", layer="c3"))
    panel = one.panel("convolution")
    panel.show(None, scene)
    assert panel.frame.note.said() == busy
    state = State(image=PAGE, model="lenet5", layer="c3", tab="convolution", convolution_lab=ConvolutionLab(page))
    one.window.desk.session.replace(state)
    one.turn()
    assert panel.frame.note.said() == busy
    one.desk.stop(kind)
    one.turn()
    assert "Run > Run again (F9)" in panel.frame.note.said()
    one.desk.retry()
    one.turn()
    assert panel.frame.note.said() == busy


def test_the_image_needs_no_engine(bench):
    lab = ConvolutionLab(source=Source.IMAGE)
    one = bench(State(image=PAGE, model="", tab="convolution", convolution_lab=lab))
    assert not any(asked(one, kind) for kind in LABS)
    assert one.window.centre.currentWidget() is one.panel("convolution").stage


def test_zero_insertion_is_in_the_upsampling_tab(bench):
    lab = ConvolutionLab(Page.SLIDING)
    one = bench(State(image=PAGE, model="lenet5", layer="c3", tab="convolution", convolution_lab=lab))
    QTest.mouseClick(one.panel("convolution").pages[Page.SLIDING].zeros, Qt.MouseButton.LeftButton)
    one.turn()
    assert (one.state.tab, one.state.upsampling_lab.page.value) == ("upsampling", "insertion")


def test_answers_about_another_image_or_network_go_off_the_screen():
    scene = convolution_scenes.laboratory()
    assert plan.foreign(scene, scene.state) == {}
    gone = plan.foreign(scene, replace(scene.state, image="/other.png"))
    assert {"sums", "shift"} <= gone.keys()
    assert replace(scene, state=replace(scene.state, model="other")).shown_sizes is None
    assert replace(scene, state=replace(scene.state, layer="c1")).shown_sums is None
    assert {Kind.SUMS, Kind.SHIFT} <= set(plan.LONG)
