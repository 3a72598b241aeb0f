"""The desk asks in order, drops what is stale, keeps what was good, and says what failed."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from segviz.core import catalogue
from segviz.core.choices import Method, Upsampling, View
from segviz.core.field import Box
from segviz.core.races import RaceRequest
from segviz.core.requests import (
    DescribeRequest,
    FeatureRequest,
    PartialLabels,
    Progress,
    SegmentRequest,
)
from segviz.core.session import NETWORK_DEFAULTS, Session, State, Unit
from segviz.gui import desk as desk_module
from segviz.gui import gestures, plan
from segviz.gui.desk import Desk
from segviz.gui.scene import EngineStatus, Kind
from tests.gui import scenes
from tests.gui.fakes import FakeJobs

PAGE, OTHER = "/pictures/page.png", "/pictures/other.png"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "DEBOUNCE", 5)


@pytest.fixture
def jobs(qapp) -> FakeJobs:
    return FakeJobs()


@pytest.fixture
def desk(qapp, jobs, request):
    """A desk whose State names page and LeNet-5, its engine started."""
    made = Desk(Session(State(image=PAGE, model="lenet5")))
    made.start(jobs)
    yield made
    made.close()


def turn(qtbot, desk: Desk) -> None:
    """Let the desk plan and tell."""
    qtbot.waitUntil(lambda: not desk._asking.isActive() and not desk._tell.isActive())


def bring_up(qtbot, desk: Desk, jobs: FakeJobs) -> None:
    """Answer everything that is asked, until all is there."""
    turn(qtbot, desk)
    jobs.open()
    for kind in (DescribeRequest, SegmentRequest, FeatureRequest):
        turn(qtbot, desk)
        jobs.answer(kind)
    turn(qtbot, desk)
    assert desk.idle


def test_asks_one_after_the_other_and_ends_complete(qtbot, desk, jobs):
    turn(qtbot, desk)
    assert jobs.opened == [PAGE]
    assert not jobs.history  # nothing is asked about an image that may not open
    jobs.open()
    turn(qtbot, desk)
    assert [type(r) for r in jobs.history] == [DescribeRequest]
    jobs.answer(DescribeRequest)
    turn(qtbot, desk)
    assert [type(r) for r in jobs.history] == [DescribeRequest, SegmentRequest, FeatureRequest]
    assert desk.scene.engine is EngineStatus.BUSY
    jobs.answer(SegmentRequest)
    jobs.answer(FeatureRequest)
    turn(qtbot, desk)
    scene = desk.scene
    assert scene.picture is not None
    assert scene.prediction is not None
    assert scene.jobs == ()
    assert scene.engine is EngineStatus.READY
    assert scene.state.layer == "output"  # the last layer, as none was chosen
    assert scene.features.layer == "output"


def test_tells_once_a_turn(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    told = []
    desk.shown.connect(lambda old, new: told.append((old, new)))
    before = desk.scene
    desk.session.update(opacity=0.1)
    desk.session.update(opacity=0.2)
    desk.session.update(minimum=0.5)
    turn(qtbot, desk)
    assert len(told) == 1
    assert told[0][0] is before
    assert (told[0][1].state.opacity, told[0][1].state.minimum) == (0.2, 0.5)


def test_what_only_concerns_painting_asks_nothing(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    asked = len(jobs.history)
    desk.session.update(opacity=0.2, shown_class=3, hidden=frozenset({1}))
    turn(qtbot, desk)
    assert len(jobs.history) == asked


def test_another_method_keeps_the_old_prediction_until_the_new_one(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    old = desk.scene.prediction
    desk.session.update(method=Method.COARSE)
    turn(qtbot, desk)
    assert desk.scene.prediction is old
    assert jobs.asked[jobs.ticket(SegmentRequest)].method is Method.COARSE
    jobs.answer(SegmentRequest)
    assert desk.scene.prediction is not old


def test_stale_answers_are_dropped(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    shown = desk.scene.prediction
    desk.session.update(upsampling=Upsampling.NEAREST)
    turn(qtbot, desk)
    first = jobs.ticket(SegmentRequest)
    desk.session.update(upsampling=Upsampling.BICUBIC)
    turn(qtbot, desk)
    newest = jobs.ticket(SegmentRequest)
    assert newest != first
    late = jobs.asked.pop(newest)
    jobs.answer(SegmentRequest)  # the first one comes after all
    assert desk.scene.prediction is shown
    jobs.asked[newest] = late
    jobs.answer(SegmentRequest)
    assert desk.scene.prediction.request.upsampling is Upsampling.BICUBIC


def test_back_to_what_is_there_cancels_and_asks_nothing(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    desk.session.update(method=Method.COARSE)
    turn(qtbot, desk)
    asked = len(jobs.history)
    desk.session.update(method=Method.AUTO)
    turn(qtbot, desk)
    assert len(jobs.history) == asked
    assert jobs.cancelled == [SegmentRequest]
    assert desk.scene.jobs == ()


def test_a_slider_is_asked_once_it_rests(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    asked = len(jobs.history)
    for scale in (0.3, 0.4, 0.5):
        desk.session.update(scale=scale)
    turn(qtbot, desk)
    assert [request.setup.scale for request in jobs.history[asked:]] == [0.5]


def test_feature_maps_only_while_they_are_looked_at_or_a_unit_is_pinned(qtbot, desk, jobs):
    desk.session.update(tab="heatmaps")
    turn(qtbot, desk)
    jobs.open()
    turn(qtbot, desk)
    jobs.answer(DescribeRequest)
    turn(qtbot, desk)
    assert not jobs.pending(FeatureRequest)
    desk.session.update(unit=Unit(0, 1, 1), cursor=(10.0, 10.0))
    turn(qtbot, desk)
    assert jobs.pending(FeatureRequest)


def test_a_broken_image_gives_one_message_and_the_old_state(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    desk.session.update(unit=Unit(0, 2, 2), cursor=(20.0, 20.0))
    turn(qtbot, desk)
    before, scene = desk.session.state, desk.scene
    asked = len(jobs.history)
    desk.session.update(image=OTHER)
    turn(qtbot, desk)
    jobs.refuse_picture(OTHER, "other.png: not an image")
    turn(qtbot, desk)
    assert desk.scene.message.text == "other.png: not an image"
    assert desk.scene.message.about is Kind.IMAGE
    assert desk.session.state.image == before.image
    assert desk.scene.picture is scene.picture
    assert desk.scene.prediction is scene.prediction
    assert len(jobs.history) == asked
    assert jobs.opened == [PAGE, OTHER]


def test_a_broken_first_image_leaves_the_window_empty_and_asks_no_more(qtbot, desk, jobs):
    turn(qtbot, desk)
    jobs.refuse_picture(PAGE)
    turn(qtbot, desk)
    assert desk.session.state.image is None
    assert jobs.opened == [PAGE]


def test_a_refused_network_leaves_the_last_one(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    network = desk.scene.network
    desk.session.update(layer="c3", method=Method.COARSE)
    turn(qtbot, desk)
    jobs.answer(SegmentRequest)
    jobs.answer(FeatureRequest)
    desk.session.update(model="mtcnn_onet")
    turn(qtbot, desk)
    jobs.refuse(DescribeRequest, "onet.safetensors: no tensor 'conv1.weight'")
    turn(qtbot, desk)
    assert desk.session.state.model == "lenet5"
    assert desk.scene.network is network
    assert desk.scene.message.text.startswith("onet.safetensors")
    assert desk.scene.message.details == "traceback"
    assert desk.scene.jobs == ()


def test_a_refused_network_takes_its_view_and_minimum_along(qtbot, desk, jobs):
    """LeNet-5 wants a minimum and labels; ImageNet's thousand classes a heatmap."""
    bring_up(qtbot, desk, jobs)
    desk.session.update(view=View.LABELS, minimum=0.35)
    turn(qtbot, desk)
    before = desk.session.state
    desk.session.update(**gestures.use_network(before, "efficientnet_lite0"))
    turn(qtbot, desk)
    assert (desk.session.state.view, desk.session.state.minimum) == (View.HEATMAP, 0.0)
    jobs.refuse(DescribeRequest, "efficientnet_lite0.safetensors: damaged")
    turn(qtbot, desk)
    assert desk.session.state == before


@pytest.mark.parametrize("entry", catalogue.ENTRIES, ids=lambda entry: entry.name)
def test_all_that_a_choice_of_network_sets_goes_back_with_it(entry):
    changes = gestures.use_network(State(image=PAGE, model="mtcnn_pnet"), entry.name)
    assert {name for name in changes if name != "image"} <= set(plan.NETWORK_FIELDS)
    assert set(NETWORK_DEFAULTS) < set(plan.NETWORK_FIELDS) <= {field.name for field in fields(State)}


def test_a_refused_prediction_is_not_asked_again_until_run(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    old = desk.scene.prediction
    desk.session.update(method=Method.SLIDING_WINDOW)
    turn(qtbot, desk)
    jobs.refuse(SegmentRequest, "not enough memory")
    desk.session.update(opacity=0.3)
    turn(qtbot, desk)
    assert desk.scene.prediction is old
    assert desk.scene.message.about is Kind.PREDICTION
    assert not jobs.pending(SegmentRequest)
    desk.run()
    turn(qtbot, desk)
    jobs.open()
    turn(qtbot, desk)
    jobs.answer(DescribeRequest)
    turn(qtbot, desk)
    jobs.answer(SegmentRequest)
    assert desk.scene.message is None  # it works again


def test_a_dead_engine_is_said_and_the_next_run_works(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    desk.session.update(method=Method.SLIDING_WINDOW)
    turn(qtbot, desk)
    jobs.die(SegmentRequest)
    turn(qtbot, desk)
    assert "Run > Run again (F9)" in desk.scene.message.text
    assert desk.scene.engine is EngineStatus.READY
    assert desk.scene.prediction is not None
    assert not jobs.pending(SegmentRequest)
    desk.run()
    turn(qtbot, desk)
    jobs.open()
    turn(qtbot, desk)
    jobs.answer(DescribeRequest)
    turn(qtbot, desk)
    jobs.answer(SegmentRequest)
    assert desk.scene.prediction.request.method is Method.SLIDING_WINDOW
    assert desk.scene.message is None


def test_stop_answers_at_once_and_keeps_the_last_result(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    old = desk.scene.prediction
    desk.session.update(method=Method.SLIDING_WINDOW)
    turn(qtbot, desk)
    jobs.update(SegmentRequest, partial(3))
    assert desk.scene.partial is not None
    desk.stop()
    assert desk.scene.jobs == ()
    assert desk.scene.partial is None
    assert desk.scene.prediction is old
    turn(qtbot, desk)
    assert jobs.cancelled == [SegmentRequest]
    asked = len(jobs.history)
    jobs.answer(SegmentRequest)  # too late
    turn(qtbot, desk)
    assert desk.scene.prediction is old
    assert len(jobs.history) == asked


def partial(done: int) -> PartialLabels:
    whole = scenes.race_updates(done)[0].partial
    return PartialLabels(whole.labels, whole.lattice, Box(0, 0, 32, 32), Progress(done, 425, "windows"))


def test_another_image_takes_old_answers_off_the_screen(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    desk.race()
    jobs.answer(RaceRequest)
    assert desk.scene.race is not None
    desk.session.update(image=OTHER)
    turn(qtbot, desk)
    assert desk.scene.prediction is not None  # the old picture is still there, too
    assert desk.scene.features is not None
    jobs.open()
    assert desk.scene.features is None
    assert desk.scene.race is None
    assert desk.scene.picture.path == OTHER
    assert desk.scene.prediction is None
    turn(qtbot, desk)
    assert jobs.pending(DescribeRequest)


def test_a_race_runs_on_command_and_ends_with_another_image(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    assert not any(isinstance(request, RaceRequest) for request in jobs.history)
    desk.race()
    for update in scenes.race_updates(100):
        jobs.update(RaceRequest, update)
    assert {update.side for update in desk.scene.race_updates} == {"sliding_window", "fully_convolutional"}
    newer = scenes.race_updates(200)[0]
    jobs.update(RaceRequest, newer)
    assert len(desk.scene.race_updates) == 2
    assert newer in desk.scene.race_updates
    desk.session.update(image=OTHER)
    turn(qtbot, desk)
    assert RaceRequest in jobs.cancelled
    assert desk.scene.job(Kind.RACE) is None


def test_the_pinned_unit_follows_the_cursor_when_the_scale_changes(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    desk.session.update(layer="c3", unit=Unit(5, 6, 11), cursor=(47.0, 27.0))
    turn(qtbot, desk)
    desk.session.update(scale=0.5)
    turn(qtbot, desk)
    half = scenes.lenet(48, 64)
    jobs.answer(DescribeRequest, scenes.replace(half, frame=scenes.Frame((96, 128), (48, 64), (48, 64))))
    unit = desk.session.state.unit
    x, y = half.geometry.position_of("c3", unit.row, unit.column)
    assert abs(x - 23.25) <= 1  # stride 2 on an image of half the size
    assert abs(y - 13.25) <= 1
    assert unit.channel == 5


def test_closing_ends_the_engine_and_hears_nothing_more(qtbot, jobs):
    session = Session(State(image=PAGE, model="lenet5"))
    desk = Desk(session)
    desk.start(jobs)
    desk.close()
    scene = desk.scene
    session.update(opacity=0.2)
    assert jobs.closed
    assert desk.scene is scene


def test_without_an_image_the_network_is_described_all_the_same(qtbot, jobs):
    desk = Desk(Session(State(model="lenet5")))
    desk.start(jobs)
    turn(qtbot, desk)
    assert jobs.opened == []
    jobs.answer(DescribeRequest)
    turn(qtbot, desk)
    assert [type(request) for request in jobs.history] == [DescribeRequest]
    assert desk.idle
    desk.close()


def test_a_refused_first_image_takes_the_network_along_that_came_with_it(qtbot, jobs):
    desk = Desk(Session(State()))
    desk.start(jobs)
    turn(qtbot, desk)
    desk.session.update(opacity=0.2)
    before = desk.session.state
    desk.session.update(**gestures.use_image(before, "/pictures/broken.png"))
    assert desk.session.state.model
    turn(qtbot, desk)
    jobs.refuse_picture("/pictures/broken.png", "broken.png: not an image")
    turn(qtbot, desk)
    assert desk.session.state == before
    assert desk.scene.message.text == "broken.png: not an image"
    assert desk.idle
    desk.close()


def test_two_refused_images_in_a_row_lead_back_to_the_last_good_one(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    desk.session.update(unit=Unit(0, 2, 2), cursor=(20.0, 20.0))
    turn(qtbot, desk)
    before = desk.session.state
    desk.session.update(image=OTHER)
    turn(qtbot, desk)
    desk.session.update(image="/pictures/third.png")
    desk.session.update(opacity=0.1)  # chosen meanwhile: stays
    turn(qtbot, desk)
    jobs.refuse_picture("/pictures/third.png")
    turn(qtbot, desk)
    assert desk.session.state == replace(before, opacity=0.1)


def test_an_image_that_is_gone_when_everything_runs_again_changes_nothing(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    desk.session.update(image=OTHER)
    turn(qtbot, desk)
    jobs.open()
    turn(qtbot, desk)
    before = desk.session.state
    desk.run()
    jobs.refuse_picture(OTHER)
    turn(qtbot, desk)
    assert desk.session.state == before


def test_a_race_that_died_says_how_to_race_again(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    desk.race()
    jobs.die(RaceRequest)
    assert "Run > Race (Ctrl+R)" in desk.scene.message.text


def test_another_image_lets_go_of_the_unit(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    desk.session.update(unit=Unit(0, 2, 2), cursor=(20.0, 20.0))
    turn(qtbot, desk)
    desk.session.update(image=OTHER)
    turn(qtbot, desk)
    jobs.open()
    turn(qtbot, desk)
    jobs.answer(DescribeRequest)
    turn(qtbot, desk)
    assert desk.session.state.unit is None
    assert desk.session.state.cursor is None


def test_a_refused_method_goes_back_and_is_refused_anew_when_it_is_chosen_again(qtbot, desk, jobs):
    bring_up(qtbot, desk, jobs)
    for _ in range(2):
        desk.session.update(method=Method.SHIFT_AND_STITCH)
        turn(qtbot, desk)
        jobs.refuse(SegmentRequest, "not enough memory")
        turn(qtbot, desk)
        assert desk.session.state.method is Method.AUTO
        assert desk.scene.message.text == "not enough memory"
        assert desk.scene.prediction.request.method is desk.session.state.method
        assert desk.idle
        desk.dismiss()


def test_without_a_picture_panels_are_told_why_none_comes(qtbot, desk, jobs):
    turn(qtbot, desk)
    jobs.open()
    turn(qtbot, desk)
    jobs.answer(DescribeRequest)
    turn(qtbot, desk)
    jobs.refuse(SegmentRequest, "the image is too large")
    turn(qtbot, desk)
    assert desk.scene.unanswered == "The image is too large."
    desk.dismiss()
    assert desk.scene.unanswered  # panels still have no picture
    desk.session.update(upsampling=Upsampling.NEAREST)
    turn(qtbot, desk)
    assert desk.scene.unanswered == ""
    desk.stop()
    assert desk.scene.unanswered == "Stopped: choose Run > Run again (F9)."
    desk.session.update(model="mtcnn_onet")
    assert desk.scene.unanswered == ""
