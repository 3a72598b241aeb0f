"""A click before the network or its labels are there ends as a click after it does."""

from __future__ import annotations

from PySide6.QtCore import Qt

from segviz.core.choices import Method
from segviz.core.requests import DescribeRequest, SegmentRequest
from segviz.core.session import State, Unit
from segviz.gui import gestures
from tests.gui.conftest import PAGE

PLACE = 100, 40  # of the test page: its label is not the first class


def click(one) -> None:
    view = one.window.canvas.view
    one.qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=view.projection.to_view(*PLACE).toPoint())
    one.turn()


def opened(bench, state: State | None = None):
    """A window with its image, while the network is still being read."""
    one = bench(state, prompt=False)
    one.turn()
    one.jobs.open()
    one.turn()
    assert one.jobs.pending(DescribeRequest)
    return one


def later(bench) -> Unit:
    """What a click pins when all is there."""
    one = bench()
    click(one)
    assert one.state.unit.channel == one.scene.prediction.labels[PLACE[1], PLACE[0]] > 0
    return one.state.unit


def test_a_click_while_the_network_is_read_pins_the_class_at_the_pixel(bench):
    one = opened(bench)
    click(one)
    assert one.state.unit is None
    one.bring_up()
    assert one.state.unit == later(bench)


def test_a_click_before_the_labels_pins_the_class_at_the_pixel(bench):
    one = opened(bench)
    one.jobs.answer(DescribeRequest)
    one.turn()
    click(one)
    assert one.state.unit.channel == 0
    one.bring_up()
    assert one.state.unit == later(bench)


def test_a_map_that_was_chosen_meanwhile_stays(bench):
    one = opened(bench)
    one.jobs.answer(DescribeRequest)
    one.turn()
    click(one)
    one.desk.session.update(**gestures.look_at_map(one.scene, 7))
    one.bring_up()
    assert one.state.unit.channel == 7


def test_the_unit_of_a_session_keeps_its_map(bench):
    unit = Unit(0, 6, 21)
    one = opened(bench, State(image=PAGE, model="lenet5", layer="output", unit=unit, cursor=PLACE))
    one.bring_up()
    assert one.scene.prediction.labels[PLACE[1], PLACE[0]] > 0
    assert one.state.unit.channel == 0


def test_labels_that_come_anew_leave_the_pinned_map(bench):
    one = bench()
    click(one)
    one.desk.session.update(**gestures.look_at_map(one.scene, 0))
    one.desk.session.update(method=Method.COARSE)
    one.turn()
    assert one.jobs.pending(SegmentRequest)
    one.bring_up()
    assert one.state.unit.channel == 0
