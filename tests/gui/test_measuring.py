"""A unit whose field is not known: the window asks gradients, and shows what they say."""

from __future__ import annotations

from dataclasses import replace

from segviz.core.field import Box, Status
from segviz.core.measured import By, MeasureRequest
from segviz.core.planning import plan_measure
from segviz.core.requests import DescribeRequest
from segviz.core.session import Unit
from segviz.gui import unit_words
from segviz.gui.scene import pinned
from tests.gui import scenes

REASON = "the operation 'odd' has no rule"


def unknown_lenet(request):
    return replace(scenes.lost(scenes.lenet(), "c3", REASON), request=request)


def opened(bench):
    one = bench(prompt=False)
    one.turn()
    one.jobs.open()
    one.turn()
    one.jobs.answer(DescribeRequest, unknown_lenet(next(r for r in one.jobs.asked.values())))
    one.turn()
    return one


def answer(request, box, refusal=""):
    return scenes.measured(scenes.lenet(), request, box, refusal)


def test_only_a_field_that_is_not_known_is_measured(bench):
    one = opened(bench)
    one.desk.session.update(layer="c1", unit=Unit(0, 4, 4))
    one.turn()
    assert not one.jobs.pending(MeasureRequest)
    one.desk.session.update(layer="c3", unit=Unit(0, 4, 5))
    one.turn()
    assert one.jobs.pending(MeasureRequest)
    assert pinned(one.scene).status is Status.UNKNOWN
    assert unit_words.field_size(pinned(one.scene), one.scene.network) == "not known"


def test_what_gradients_say_is_shown_as_the_least_that_it_is(bench):
    one = opened(bench)
    one.desk.session.update(layer="c3", unit=Unit(0, 4, 5))
    one.turn()
    request = plan_measure(one.state)
    assert (request.layer, request.row, request.column) == ("c3", 4, 5)
    one.jobs.answer(MeasureRequest, answer(request, Box(10, 8, 22, 21)))
    one.turn()
    unit, network = pinned(one.scene), one.scene.network
    assert unit.status is Status.MEASURED
    assert unit.field == network.frame.box_to_image(Box(10, 8, 22, 21))
    assert unit_words.field_size(unit, network).startswith("at least ")
    assert "field at least" in unit_words.chip(unit, network)
    assert unit_words.remark(unit, network) == f"Sees at least this field, measured: {By.BOTH}, since {REASON}"
    card = one.panel("inspector").unit
    assert card.status.text() == unit_words.remark(unit, network)
    assert not one.jobs.pending(MeasureRequest)
    one.desk.session.update(unit=Unit(0, 4, 6))
    one.turn()
    assert pinned(one.scene).status is Status.UNKNOWN  # what was measured is of another unit
    assert one.jobs.pending(MeasureRequest)


def test_what_cannot_be_measured_is_said_beside_the_field(bench):
    one = opened(bench)
    one.desk.session.update(layer="c3", unit=Unit(0, 4, 5))
    one.turn()
    one.jobs.answer(MeasureRequest, answer(plan_measure(one.state), None, "it is cut off from the image"))
    one.turn()
    remark = unit_words.remark(pinned(one.scene), one.scene.network)
    assert remark == f"Field not known: {REASON}; it is cut off from the image"
    assert one.scene.message is None
    assert not one.jobs.pending(MeasureRequest)


def test_another_image_takes_it_off(bench):
    one = opened(bench)
    one.desk.session.update(layer="c3", unit=Unit(0, 4, 5))
    one.turn()
    one.jobs.answer(MeasureRequest, answer(plan_measure(one.state), Box(10, 8, 22, 21)))
    one.turn()
    one.desk.session.update(image="/pictures/other.png")
    one.turn()
    one.jobs.open()
    one.turn()
    assert one.scene.measured is None


def test_another_unit_takes_the_place_of_the_one_that_is_being_measured(bench):
    """A pass through a stranger's modules is left between two layers."""
    one = opened(bench)
    for column in (5, 6, 7):
        one.desk.session.update(layer="c3", unit=Unit(0, 4, column))
        one.turn()
    asked = [request for request in one.jobs.history if isinstance(request, MeasureRequest)]
    assert [request.column for request in asked] == [5, 6, 7]
    one.jobs.answer(MeasureRequest, answer(asked[-1], Box(10, 8, 22, 21)))
    one.turn()
    assert pinned(one.scene).status is Status.MEASURED


def test_what_is_drawn_moves_fields_where_the_image_decides(bench):
    """The network is described, and its field measured, anew for every drawing; for others nothing is asked."""
    for decides in ("", "its code takes a number"):
        one = opened(bench)
        found = replace(one.scene.network, decides=decides)
        one.desk._show(network=found)
        one.desk.session.update(layer="c3", unit=Unit(0, 4, 5))
        one.turn()
        one.jobs.answer(MeasureRequest, answer(one.jobs.asked[one.jobs.ticket(MeasureRequest)], Box(10, 8, 22, 21)))
        one.turn()
        assert pinned(one.scene).status is Status.MEASURED
        count = len(one.jobs.history)
        one.desk.show_drawn(replace(one.scene.picture), 1)
        one.turn()
        asked = one.jobs.history[count:]
        moved = [request for request in asked if isinstance(request, DescribeRequest | MeasureRequest)]
        assert [request.setup.revision for request in moved] == ([1, 1] if decides else [])
        assert pinned(one.scene).status is (Status.UNKNOWN if decides else Status.MEASURED)
        for request in moved[:1]:
            one.jobs.answer(DescribeRequest, replace(found, request=request))
            one.turn()
        assert not one.jobs.pending(DescribeRequest)  # until something else is drawn


def test_a_drawing_that_the_network_refuses_leaves_it_open(bench):
    """It is the drawing that is refused: the network of before is not chosen again."""
    one = bench()
    before = one.state.model
    one.desk.session.update(model="nin-digits")
    one.bring_up()
    one.desk._show(network=replace(one.scene.network, decides="its code takes a number"))
    one.desk.show_drawn(replace(one.scene.picture), 1)
    one.turn()
    one.jobs.refuse(DescribeRequest, "no maximum of an empty map")
    one.turn()
    assert one.state.model == "nin-digits" != before
    assert one.scene.message.text == "no maximum of an empty map"
