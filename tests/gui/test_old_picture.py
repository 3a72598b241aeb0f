"""A picture that another network made stays as it was, and is said to be old; old messages go."""

from __future__ import annotations

import pytest

from segviz.core.choices import View
from segviz.core.races import RaceRequest
from segviz.core.requests import DescribeRequest, PartialLabels, Progress, SegmentRequest
from segviz.core.session import State
from segviz.gui.canvas import old_picture
from segviz.gui.toolbar import scale_text
from tests.gui import scenes

RNET = {"model": "mtcnn_rnet", "view": View.HEATMAP, "minimum": 0.8}


@pytest.fixture
def window(bench):
    return bench(State(image=scenes.PAGE, model="lenet5", view=View.LABELS, minimum=0.25))


def pixel(window) -> tuple[int, ...]:
    return window.window.canvas.render_image().pixelColor(100, 80).getRgb()


def test_the_old_picture_stays_in_its_old_view_behind_a_veil(window):
    canvas, inspector = window.window.canvas, window.panel("inspector")
    shares = [entry.share for entry in inspector._entries]
    before = pixel(window)
    window.desk.session.update(**RNET)
    window.turn()
    assert canvas.strip.views.value is View.LABELS
    assert canvas.strip.minimum.value == pytest.approx(0.25)
    assert canvas._overlays.view is View.LABELS
    assert [entry.share for entry in inspector._entries] == shares
    assert canvas.tag.isVisible()
    assert canvas.tag.text() == "LeNet-5's result, until MTCNN R-Net has answered"
    assert pixel(window) != before
    assert not inspector.legend.isEnabled()
    assert not inspector.bars.bars  # no probabilities of the old network under the new one's name


def test_what_a_person_changes_meanwhile_is_seen_on_it(window):
    window.desk.session.update(**RNET)
    window.turn()
    window.desk.session.update(view=View.IMAGE)
    window.turn()
    assert window.window.canvas._overlays.view is View.IMAGE
    assert window.scene.before.minimum == pytest.approx(0.25)


def test_the_answer_takes_the_veil_away(window):
    window.desk.session.update(**RNET)
    window.bring_up()
    assert window.scene.before is None
    assert not window.window.canvas.tag.isVisible()
    assert window.window.canvas.strip.views.value is View.HEATMAP


def test_back_to_the_old_network_needs_no_answer(window):
    before = pixel(window)
    window.desk.session.update(**RNET)
    window.turn()
    window.desk.session.update(model="lenet5", view=View.LABELS, minimum=0.25)
    window.turn()
    assert window.scene.before is None
    assert pixel(window) == before


def test_the_same_network_viewed_otherwise_is_not_taken_for_another(window):
    window.desk.session.update(model="lenet5?mean=40")
    window.turn()
    assert old_picture(window.scene) == "LeNet-5's result as it was viewed before"
    assert (window.state.layer, window.state.view) == (window.scene.before.layer, window.scene.before.view)


def test_stopped_it_says_that_the_network_has_not_answered(window):
    window.desk.session.update(**RNET)
    window.turn()
    window.desk.stop()
    window.turn()
    assert old_picture(window.scene) == "LeNet-5's result; MTCNN R-Net has not answered"


def test_the_first_cells_of_a_sliding_window_replace_it(window):
    window.desk.session.update(**RNET)
    window.turn()
    window.jobs.answer(DescribeRequest)
    window.turn()
    found = scenes.race_updates()[0].partial
    partial = PartialLabels(found.labels, found.lattice, found.box, Progress(1, 425, "windows"))
    window.jobs.update(SegmentRequest, partial)
    window.turn()
    assert window.scene.prediction is None
    assert not window.window.canvas.tag.isVisible()
    window.desk.session.update(model="lenet5")
    window.turn()
    window.jobs.answer(DescribeRequest)
    window.turn()
    assert window.jobs.pending(SegmentRequest)  # what was taken off is asked for anew


def test_the_scale_is_no_longer_the_old_networks(window):
    assert scale_text(window.scene) == "Auto, 100 %"
    window.desk.session.update(**RNET)
    assert scale_text(window.scene) == "Automatic"


def test_a_message_goes_with_the_network_that_it_was_about(window):
    window.desk.race()
    window.jobs.refuse(RaceRequest, "the network answers per pixel already")
    window.turn()
    assert window.window.notices.banner.isVisible()
    window.desk.session.update(tab="heatmaps")
    window.turn()
    assert window.window.notices.banner.isVisible()
    window.desk.session.update(**RNET)
    window.turn()
    assert window.scene.message is None


def test_a_dead_engine_is_not_starting_again_once_it_has_answered(window):
    window.desk.race()
    window.jobs.die(RaceRequest, "the engine stopped while racing; it is starting again")
    window.turn()
    assert "starting again" in window.scene.message.text
    window.desk.session.update(tab="feature-maps", layer="c1")
    window.bring_up()
    assert window.scene.message.text == "the engine stopped while racing. Choose Run > Race (Ctrl+R) to race again."


def test_that_it_died_while_idle_is_over_once_it_answers(window):
    window.jobs.die()
    window.turn()
    assert window.scene.message is not None
    window.desk.session.update(tab="feature-maps", layer="c1")
    window.bring_up()
    assert window.scene.message is None
