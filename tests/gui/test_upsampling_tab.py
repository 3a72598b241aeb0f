"""The upsampling tab in the window: what is asked of the engine, when, and whose place its stage takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from segviz.core.choices import Method
from segviz.core.depths import DepthRequest
from segviz.core.laboratory import Laboratory, Page
from segviz.core.requests import DescribeRequest, FeatureRequest
from segviz.core.session import State
from segviz.gui import plan
from segviz.gui.scene import Kind
from tests.gui import scenes
from tests.gui.conftest import PAGE


def asked(one, kind):
    return [request for request in one.jobs.history if isinstance(request, kind)]


def test_the_tab_asks_for_kernels_and_its_stage_takes_the_canvas(bench):
    one = bench()
    assert asked(one, DepthRequest) == []
    QTest.keyClick(one.window, Qt.Key.Key_4, Qt.KeyboardModifier.ControlModifier)
    one.bring_up()
    assert one.state.tab == "upsampling"
    assert [request.scores for request in asked(one, DepthRequest)] == [False]
    panel = one.panel("upsampling")
    assert one.window.centre.currentWidget() is panel.stage
    panel.frame.image.click()
    one.turn()
    assert one.window.centre.currentWidget() is one.window.canvas
    QTest.keyClick(one.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    one.turn()
    assert one.window.centre.currentWidget() is one.window.canvas


def test_the_page_of_skips_asks_for_scores_and_shows_them(bench):
    one = bench(State(image=PAGE, model="lenet5", tab="upsampling"))
    one.panel("upsampling").frame.buttons[Page.SKIPS].click()
    one.turn()
    wanted = one.jobs.asked[one.jobs.ticket(DepthRequest)]
    assert wanted.scores
    assert one.scene.job(Kind.DEPTHS) is not None
    one.jobs.answer(DepthRequest, replace(scenes.depth_answer(model="lenet5"), request=wanted))
    one.turn()
    assert one.scene.job(Kind.DEPTHS) is None
    assert one.window.centre.currentWidget() is one.panel("upsampling").stage


def test_who_leaves_the_tab_waits_for_nothing(bench):
    one = bench(
        State(image=PAGE, model="lenet5", tab="upsampling", upsampling_lab=Laboratory(Page.SKIPS)), prompt=False
    )
    one.turn()
    one.jobs.open()
    one.turn()
    while not one.jobs.pending(DepthRequest):
        one.jobs.answer(type(next(iter(one.jobs.asked.values()))))
        one.turn()
    QTest.keyClick(one.window, Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier)
    one.turn()
    assert DepthRequest in one.jobs.cancelled


def test_feature_maps_are_asked_for_where_they_are_upsampled():
    scene = scenes.laboratory()
    bare = replace(scene, state=replace(scene.state, unit=None, cursor=None))
    described = plan.planning.plan_description(bare.state)
    assert plan.wanted(bare, False, described)[Kind.FEATURES] is None
    lab = replace(bare.state.upsampling_lab, source=scenes.Source.FEATURE)
    feature = replace(bare, state=replace(bare.state, upsampling_lab=lab))
    assert isinstance(plan.wanted(feature, False, described)[Kind.FEATURES], FeatureRequest)


def test_depths_of_another_image_go_off_the_screen():
    scene = scenes.fcn()
    assert plan.foreign(scene, scene.state) == {}
    assert plan.foreign(scene, replace(scene.state, image="/other.png")) == {"depths": None}
    kernels = replace(scene, depths=scenes.depth_answer(image=None))
    assert plan.foreign(kernels, replace(scene.state, image="/other.png")) == {}
    assert kernels.shown_depths is kernels.depths
    assert replace(scene, state=replace(scene.state, model="lenet5")).shown_depths is None


def answer_as_fcn(one) -> None:
    """Describe a network that answers per pixel, as FCN-8s is."""
    one.turn()
    one.jobs.open()
    one.turn()
    asked = one.jobs.asked[one.jobs.ticket(DescribeRequest)]
    network = replace(scenes.lenet(), title="FCN-8s", request=asked, window=None)
    one.jobs.answer(DescribeRequest, network)
    one.turn()


@pytest.mark.parametrize(("page", "method"), [(Page.SHIFTS, Method.SHIFT_AND_STITCH), (Page.SHIFTS, Method.DENSE)])
def test_what_a_network_that_answers_per_pixel_cannot_do_is_not_offered(bench, page, method):
    one = bench(State(image=PAGE, model=scenes.FCN, tab="upsampling", upsampling_lab=Laboratory(page)), prompt=False)
    answer_as_fcn(one)
    button = one.panel("upsampling").pages[page].buttons[method]
    assert not button.isEnabled()
    why = f"FCN-8s answers for every pixel, '{method.value}' has nothing to add: take 'native'"
    assert button.toolTip() == why
    action = one.window.menus.actions[f"method-{method.value}"]
    assert (action.isEnabled(), action.toolTip()) == (False, why)
    assert one.window.menus.actions["method-native"].isEnabled()
    one.window.do(f"method-{method.value}")
    assert one.state.method is Method.AUTO


def test_a_classifier_does_not_answer_natively(bench):
    one = bench()
    assert one.panel("upsampling").pages[Page.SHIFTS].buttons[Method.DENSE].isEnabled()
    assert not one.window.menus.actions["method-native"].isEnabled()
    assert "classifier" in one.window.menus.actions["method-native"].toolTip()
