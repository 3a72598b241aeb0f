"""The desk of the training laboratory: starts, pauses, goes on, makes way for a race, ends cleanly; a fake process."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from segviz.core.choices import TrainingPage
from segviz.core.learning import TrainingProgress, TrainRequest
from segviz.core.races import RaceRequest
from segviz.core.session import Session, State
from segviz.gui import run_files, training_words
from segviz.gui.desk import Desk
from segviz.gui.runs import Phase
from segviz.gui.scene import Kind
from segviz.gui.training_desk import TrainingDesk
from segviz.worker.messages import Answered
from tests.gui import scenes
from tests.gui.fakes import FakeJobs

QUICK = TrainRequest("digits-fcn", quick=True)


class Laboratory:
    """A desk with two fake processes: `jobs` inspects, `trainer` trains; `made` counts how often that was started."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(Session(State(image="/pictures/page.png", model="lenet5")))
        self.jobs, self.trainer, self.made = FakeJobs(), FakeJobs(), 0
        self.desk.training.use(self._make)
        self.desk.start(self.jobs)
        self.folder = folder

    def close(self) -> None:
        if not self.jobs.closed:
            self.desk.close(0)

    def _make(self) -> FakeJobs:
        self.made += 1
        self.trainer = FakeJobs()
        return self.trainer

    @property
    def training(self):
        return self.desk.scene.training

    @property
    def request(self) -> TrainRequest:
        return self.trainer.history[-1]

    def step(self, step: int, **changes) -> None:
        self.trainer.update(TrainRequest, replace(scenes.learning(1)[0], step=step, **changes))

    def start(self, request: TrainRequest = QUICK, step: int = 0) -> None:
        self.desk.training.start(request)
        if step:
            self.step(step)

    def open(self, qtbot) -> None:
        """Have the picture opened: a race while it is being opened would be dropped."""
        qtbot.waitUntil(lambda: bool(self.jobs.opened))
        self.jobs.open()

    def leave_checkpoint(self) -> None:
        Path(self.request.checkpoint).write_bytes(b"of the trainer")


@pytest.fixture
def lab(qapp, tmp_path, monkeypatch) -> Iterator[Laboratory]:
    monkeypatch.setattr(run_files, "folder", lambda: tmp_path / "training")
    one = Laboratory(tmp_path / "training")
    yield one
    one.close()


def test_no_process_is_started_before_training_is_asked_for(lab):
    assert lab.made == 0
    lab.start()
    assert (lab.made, lab.trainer.started) == (1, True)
    assert lab.training.phase is Phase.STARTING
    assert lab.desk.session.state.training_page is TrainingPage.CURVES


def test_the_form_shows_what_a_run_was_asked_for_without_its_files(lab):
    lab.start(scenes.train_request(kept=0.1))
    assert lab.request.checkpoint is not None
    assert lab.desk.session.state.train == scenes.train_request(kept=0.1).chosen


def test_a_run_tells_how_far_it_is_and_what_came_out(lab):
    lab.start(step=20)
    lab.step(40, mean_iou=0.5, tested_at=40)
    lab.trainer.update(TrainRequest, scenes.samples(40))
    run = lab.training.run
    assert lab.training.phase is Phase.RUNNING
    assert [point.step for point in run.points] == [20, 40]
    assert run.samples.step == 40
    lab.leave_checkpoint()
    said = []
    lab.desk.said.connect(said.append)
    lab.trainer.answer(TrainRequest, scenes.trained())
    assert said[0].startswith("digits-fcn, quick: Trained: mean IoU 0.684")  # also heard in another tab
    assert lab.training.phase is Phase.IDLE
    assert lab.training.run.result.mean_iou == 0.684
    assert list(lab.folder.iterdir()) == []  # nothing is left to go on with


def test_to_go_on_is_to_ask_the_same_with_its_checkpoint(lab):
    lab.start(step=30)
    asked = lab.request
    assert asked.checkpoint is not None
    lab.desk.training.pause()
    assert lab.trainer.cancelled == [TrainRequest]
    assert lab.training.phase is Phase.PAUSING
    lab.leave_checkpoint()
    lab.trainer.end(TrainRequest)
    assert lab.training.phase is Phase.PAUSED
    lab.desk.training.go_on()
    assert lab.request == asked
    lab.step(30)  # the step of the checkpoint is told again
    lab.step(31)
    assert [point.step for point in lab.training.run.points] == [30, 31]


def test_one_key_pauses_and_goes_on(lab):
    lab.desk.training.toggle()  # nothing to pause
    lab.start(step=30)
    lab.desk.training.toggle()
    lab.trainer.end(TrainRequest)
    assert lab.training.phase is Phase.PAUSED
    lab.desk.training.toggle()
    assert lab.training.phase is Phase.STARTING


@pytest.mark.parametrize("paused", [False, True])
def test_what_is_stopped_for_good_is_tested_and_leaves_its_weights_and_no_checkpoint(lab, paused):
    lab.start(step=30)
    asked = lab.request
    if paused:
        lab.desk.training.pause()
        lab.leave_checkpoint()
        lab.trainer.end(TrainRequest)
    lab.desk.training.stop()
    if not paused:
        assert lab.training.phase is Phase.STOPPING
        lab.leave_checkpoint()  # written as it stops
        lab.trainer.end(TrainRequest)
    assert lab.training.phase is Phase.FINISHING
    assert lab.request == replace(asked, finish=True)
    lab.desk.training.pause()  # there is nothing to pause
    assert lab.training.phase is Phase.FINISHING
    lab.trainer.answer(TrainRequest, replace(scenes.trained(), steps=30))
    assert lab.training.phase is Phase.IDLE
    assert lab.training.run.step == 30
    assert training_words.ended(lab.training.run).startswith("Stopped at step 30 of 200 · mean IoU 0.684")
    assert list(lab.folder.iterdir()) == []


def test_a_run_that_is_stopped_twice_is_not_tested(lab):
    lab.start(step=30)
    lab.desk.training.stop()
    lab.leave_checkpoint()
    lab.trainer.end(TrainRequest)
    lab.desk.training.stop()
    lab.trainer.end(TrainRequest)
    assert lab.training.phase is Phase.IDLE
    assert lab.training.run.result is None
    assert list(lab.folder.iterdir()) == []


def test_a_run_that_ends_while_it_is_told_to_pause_is_done(lab):
    """Its weights were being written; its checkpoint is gone by the time that it is heard of."""
    lab.start(step=200)
    lab.desk.training.pause()
    lab.trainer.answer(TrainRequest, scenes.trained())
    assert lab.training.phase is Phase.IDLE
    assert training_words.ended(lab.training.run).startswith("Trained: mean IoU 0.684")
    assert list(lab.folder.iterdir()) == []


def test_a_run_that_ends_while_it_makes_way_lets_the_race_begin(lab):
    lab.start(step=200)
    lab.desk.race()
    lab.trainer.answer(TrainRequest, scenes.trained())
    assert lab.training.run.result is not None
    assert lab.training.phase is Phase.IDLE
    assert lab.jobs.pending(RaceRequest)


@pytest.mark.parametrize("stop", [TrainingDesk.pause, TrainingDesk.stop])
def test_a_checkpoint_that_cannot_be_written_is_said_and_the_one_before_it_stays(lab, stop):
    lab.start(TrainRequest("fcn-scenes"), step=1000)
    lab.trainer.update(TrainRequest, scenes.samples(1000))
    lab.leave_checkpoint()
    os.utime(lab.request.checkpoint, (1.0, 1.0))
    lab.step(1240)
    stop(lab.desk.training)
    lab.trainer.refuse(TrainRequest, "fcn-scenes.checkpoint: cannot be saved (No space left on device)")
    assert lab.desk.scene.message.text.endswith("(No space left on device)")
    assert lab.training.phase is Phase.PAUSED
    assert Path(lab.request.checkpoint).is_file()
    lab.close()
    assert run_files.left()[0].step == 1000


def test_nothing_goes_on_after_a_race_that_was_refused_before_it(lab, qtbot):
    lab.open(qtbot)
    lab.start(step=30)
    lab.leave_checkpoint()
    lab.desk.race()
    lab.trainer.refuse(TrainRequest, "digits-fcn.checkpoint: cannot be saved")
    assert lab.training.phase is Phase.PAUSED
    lab.jobs.answer(RaceRequest)
    qtbot.waitUntil(lambda: not lab.desk._tell.isActive())
    assert lab.training.phase is Phase.PAUSED


def test_a_step_that_was_given_up_counts_as_its_checkpoint(lab):
    """After a minute its process is killed, which writes nothing."""
    lab.start(step=1000)
    lab.trainer.update(TrainRequest, scenes.samples(1000))
    lab.leave_checkpoint()
    os.utime(lab.request.checkpoint, (1.0, 1.0))
    lab.step(1240)
    lab.desk.training.pause()
    lab.trainer.end(TrainRequest)
    lab.close()
    assert run_files.left()[0].step == 1000


def gone_on(lab: Laboratory) -> Laboratory:
    """Another window that goes on with what this one left at step 1240, and has not heard of it yet."""
    lab.start(TrainRequest("fcn-scenes"), step=1240)
    lab.trainer.close = lambda patience: lab.leave_checkpoint()  # written as it ends
    lab.close()
    other = Laboratory(lab.folder)
    other.desk.training.look()
    other.desk.training.resume(other.training.left[0])
    return other


@pytest.mark.parametrize("died", [False, True])
def test_what_goes_on_and_is_stopped_before_it_was_heard_of_is_tested(lab, died):
    other = gone_on(lab)
    if died:
        other.trainer.die(TrainRequest)
        assert other.training.phase is Phase.PAUSED
        other.desk.training.stop()
    else:
        other.desk.training.stop()
        other.trainer.end(TrainRequest)
    assert other.training.phase is Phase.FINISHING
    assert other.request.finish
    assert Path(other.request.checkpoint).is_file()
    other.close()


def test_a_test_that_is_refused_can_be_done_without(lab):
    other = gone_on(lab)
    other.desk.training.stop()
    other.trainer.end(TrainRequest)
    other.trainer.refuse(TrainRequest, "fcn-scenes.checkpoint: the recipe has changed since it was left")
    assert other.training.phase is Phase.PAUSED
    other.desk.training.stop()
    assert other.training.phase is Phase.IDLE
    assert list(lab.folder.iterdir()) == []
    other.close()


def test_a_test_that_was_refused_says_nothing_of_what_is_learned_after_it(lab):
    other = gone_on(lab)
    other.desk.training.stop()
    other.trainer.end(TrainRequest)
    other.trainer.refuse(TrainRequest, "not enough memory for training")
    other.desk.training.go_on()
    other.desk.training.pause()
    other.trainer.end(TrainRequest)
    other.desk.training.stop()
    assert other.training.phase is Phase.FINISHING
    other.close()


@pytest.mark.parametrize("paused", [False, True])
def test_what_is_stopped_beside_a_race_is_tested_after_it(lab, qtbot, paused):
    lab.open(qtbot)
    lab.start(TrainRequest("fcn-scenes"), step=100)
    if paused:
        lab.desk.training.pause()
    lab.desk.race()
    lab.leave_checkpoint()
    lab.trainer.end(TrainRequest)
    asks = len(lab.trainer.history)
    lab.desk.training.stop()
    assert lab.training.phase is Phase.STOPPED
    lab.desk.training.toggle()  # it does not go on
    assert lab.training.phase is Phase.STOPPED
    assert len(lab.trainer.history) == asks, "a test began beside the race"
    lab.jobs.answer(RaceRequest)
    qtbot.waitUntil(lambda: len(lab.trainer.history) == asks + 1)
    assert lab.training.phase is Phase.FINISHING
    assert lab.request.finish
    lab.trainer.answer(TrainRequest, replace(scenes.trained(), steps=100))
    assert training_words.ended(lab.training.run).startswith("Stopped at step 100 of 200 · mean IoU")


def test_what_is_stopped_twice_beside_a_race_is_not_tested(lab, qtbot):
    lab.open(qtbot)
    lab.start(step=30)
    lab.desk.race()
    lab.leave_checkpoint()
    lab.trainer.end(TrainRequest)
    lab.desk.training.stop()
    lab.desk.training.stop()
    assert lab.training.phase is Phase.IDLE
    assert list(lab.folder.iterdir()) == []


def test_a_run_that_ends_as_the_window_closes_leaves_nothing_to_go_on_with(lab):
    lab.start(step=200)
    lab.leave_checkpoint()
    lab.desk.training._write()
    lab.trainer.close = lambda patience: Path(lab.request.checkpoint).unlink()  # its weights are there
    lab.close()
    assert list(lab.folder.iterdir()) == []


def test_a_run_that_is_stopped_before_its_first_step_leaves_nothing(lab):
    lab.start()
    lab.desk.training.stop()
    lab.leave_checkpoint()
    lab.trainer.end(TrainRequest)
    assert lab.training.phase is Phase.IDLE
    assert list(lab.folder.iterdir()) == []


def test_a_race_waits_for_the_test_of_a_stopped_run(lab):
    lab.start(step=30)
    lab.desk.training.stop()
    lab.leave_checkpoint()
    lab.trainer.end(TrainRequest)
    lab.desk.race()
    assert lab.training.phase is Phase.FINISHING
    assert not lab.jobs.pending(RaceRequest)
    lab.trainer.answer(TrainRequest, scenes.trained())
    assert lab.jobs.pending(RaceRequest)


def test_a_race_waits_until_training_has_paused_and_training_goes_on_after_it(lab, qtbot):
    lab.open(qtbot)
    lab.start(step=30)
    lab.desk.race()
    assert not lab.jobs.pending(RaceRequest), "the race began beside a step of training"
    assert lab.training.phase is Phase.PAUSING
    lab.leave_checkpoint()
    lab.trainer.end(TrainRequest)
    assert lab.jobs.pending(RaceRequest)
    assert lab.training.phase is Phase.WAITING
    asks = len(lab.trainer.history)
    qtbot.waitUntil(lambda: not lab.desk._tell.isActive())
    assert len(lab.trainer.history) == asks, "training went on while the race ran"
    lab.jobs.answer(RaceRequest)
    qtbot.waitUntil(lambda: len(lab.trainer.history) == asks + 1)
    assert lab.training.phase is Phase.STARTING


def test_a_race_that_is_stopped_lets_training_go_on_too(lab, qtbot):
    lab.start(step=30)
    lab.desk.race()
    lab.trainer.end(TrainRequest)
    lab.desk.stop(Kind.RACE)
    qtbot.waitUntil(lambda: lab.training.phase is Phase.STARTING)


def test_training_that_is_started_beside_a_race_waits_for_its_end(lab, qtbot):
    lab.open(qtbot)
    lab.desk.race()
    lab.desk.training.start(scenes.train_request())
    assert lab.training.phase is Phase.WAITING
    lab.desk.training.toggle()  # no way around it
    assert lab.training.phase is Phase.WAITING
    lab.jobs.answer(RaceRequest)
    qtbot.waitUntil(lambda: lab.training.phase is Phase.STARTING)


def test_what_a_person_had_paused_stays_paused_after_a_race(lab, qtbot):
    lab.open(qtbot)
    lab.start(step=30)
    lab.desk.training.pause()
    lab.desk.race()
    lab.leave_checkpoint()
    lab.trainer.end(TrainRequest)
    assert lab.jobs.pending(RaceRequest)
    assert lab.training.phase is Phase.PAUSED
    lab.jobs.answer(RaceRequest)
    qtbot.waitUntil(lambda: not lab.desk._tell.isActive())
    assert lab.training.phase is Phase.PAUSED


def test_a_race_needs_no_training(lab):
    lab.desk.race()
    assert lab.jobs.pending(RaceRequest)
    assert lab.made == 0


def test_closing_asks_the_run_to_stop_and_another_window_offers_to_go_on(lab):
    lab.start(step=1240)
    asked = lab.request
    lab.trainer.close = lambda patience: lab.leave_checkpoint()  # written as it ends
    lab.close()
    assert lab.trainer.cancelled == [None]
    other = Laboratory(lab.folder)
    other.desk.training.look()
    (left,) = other.training.left
    assert (left.step, left.request) == (1240, asked)
    other.desk.training.resume(left)
    assert other.request == asked
    assert other.training.left == ()
    other.close()


def test_after_a_crash_a_run_is_offered_from_its_newest_checkpoint(lab):
    """The trainer leaves one with every samples; what was told after them is lost."""
    lab.start(step=1000)
    lab.trainer.update(TrainRequest, scenes.samples(1000))
    lab.leave_checkpoint()
    os.utime(lab.request.checkpoint, (1.0, 1.0))  # long before the end
    lab.step(1240)
    lab.close()
    assert run_files.left()[0].step == 1000


def test_what_another_window_trains_is_not_offered(lab):
    lab.start(step=10)
    lab.leave_checkpoint()
    lab.desk.training._write()
    assert run_files.left() == ()


def test_an_unfinished_run_can_be_forgotten(lab):
    lab.start(step=10)
    lab.leave_checkpoint()
    lab.close()
    other = Laboratory(lab.folder)
    other.desk.training.look()
    other.desk.training.forget(other.training.left[0])
    assert other.training.left == ()
    assert run_files.left() == ()
    other.close()


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "segviz training"}', "\0", '{"format": "x", "step": 1}'])
def test_a_broken_record_is_left_out(lab, text):
    lab.folder.mkdir()
    (lab.folder / "a.json").write_text(text)
    (lab.folder / "a.checkpoint").write_bytes(b"")
    assert run_files.left() == ()


def test_a_record_of_another_version_is_read_as_far_as_it_is_known(lab):
    lab.start(replace(QUICK, class_weights=(1.0, 2.0)), step=5)
    lab.leave_checkpoint()
    lab.close()
    (record,) = lab.folder.glob("*.json")
    data = json.loads(record.read_text())
    data["request"]["of_tomorrow"] = 1
    record.write_text(json.dumps(data))
    assert run_files.left()[0].request.class_weights == (1.0, 2.0)


def test_a_process_that_dies_leaves_a_run_that_can_go_on(lab):
    lab.start(step=50)
    lab.leave_checkpoint()
    lab.trainer.die(TrainRequest, "the engine stopped unexpectedly (killed by signal 9); it is starting again")
    assert lab.training.phase is Phase.PAUSED
    said = "the engine stopped unexpectedly (killed by signal 9). Go on takes its newest checkpoint."
    assert lab.training.run.trouble == lab.desk.scene.message.text == said
    lab.desk.training.go_on()
    assert lab.training.run.trouble == ""
    assert lab.training.phase is Phase.STARTING


def test_a_process_that_dies_before_a_checkpoint_says_what_is_to_be_done(lab):
    lab.start(step=50)
    lab.trainer.die(TrainRequest, "the engine stopped unexpectedly; it is starting again")
    assert lab.training.phase is Phase.IDLE
    said = "the engine stopped unexpectedly. It left no checkpoint: start it anew."
    assert lab.training.run.trouble == said


def test_the_step_of_a_run_that_went_on_and_crashed_is_that_of_its_checkpoint(lab):
    lab.start(step=1240)
    lab.trainer.close = lambda patience: lab.leave_checkpoint()
    lab.close()
    other = Laboratory(lab.folder)
    other.desk.training.look()
    other.desk.training.resume(other.training.left[0])
    os.utime(other.request.checkpoint, (1.0, 1.0))  # nothing newer comes
    other.step(1300)
    other.close()
    assert run_files.left()[0].step == 1240


def test_reading_a_record_lets_another_window_take_it_soon(lab):
    """Who lists what is left holds each lock for a moment."""
    lab.start(step=10)
    lab.leave_checkpoint()
    lab.close()
    (left,) = run_files.left()
    reading = run_files.RunFile(left.record)
    assert reading.claim()
    other = Laboratory(lab.folder)
    threading.Timer(0.05, reading.release).start()
    other.desk.training.resume(left)
    assert other.desk.scene.message is None
    assert other.request == left.request
    other.close()


def test_what_another_window_trains_cannot_be_forgotten(lab):
    lab.start(step=10)
    lab.leave_checkpoint()
    lab.close()
    (left,) = run_files.left()
    theirs = run_files.RunFile(left.record)
    assert theirs.claim()
    other = Laboratory(lab.folder)
    other.desk.training.forget(left)
    assert "another window trains it" in other.desk.scene.message.text
    assert left.record.exists()
    theirs.release()
    other.close()


def test_a_recipe_that_is_refused_says_why_and_can_be_started_again(lab):
    lab.start()
    lab.trainer.refuse(TrainRequest, "stamps: the package tuxpaint-stamps-default is not installed")
    assert lab.desk.scene.message.text.startswith("stamps:")
    assert lab.training.phase is Phase.IDLE
    lab.start()
    assert len(lab.training.runs) == 2


def test_runs_get_names_that_tell_them_apart(lab):
    for request in (QUICK, QUICK, replace(QUICK, kept=0.1, patches=False), replace(QUICK, class_weights=(1.0, 1.0))):
        lab.start(request)
        lab.trainer.answer(TrainRequest, scenes.trained())
    assert [run.name for run in lab.training.runs] == [
        "digits-fcn, quick",
        "digits-fcn, quick (2)",
        "digits-fcn, quick, whole images, 10 % of pixels",
        "digits-fcn, quick, equal weights",
    ]
    lab.desk.training.drop(lab.training.runs[0].number)
    assert [run.number for run in lab.training.runs] == [2, 3, 4]


def test_events_of_a_run_that_is_over_change_nothing(lab):
    lab.start(step=5)
    ticket = lab.trainer.ticket(TrainRequest)
    lab.trainer.answer(TrainRequest, scenes.trained())
    lab.start()
    lab.trainer.told.emit(Answered(ticket, QUICK, scenes.trained()))
    assert lab.training.phase is Phase.STARTING
    assert lab.training.run.result is None


def test_long_runs_keep_their_tests_and_their_newest_point():
    from segviz.gui.runs import POINTS, with_point

    points = ()
    for step in range(1, 4 * POINTS):
        tested = step // 500 * 500
        points = with_point(points, TrainingProgress(step, 9999, 1.0, 0.5, 0.1, mean_iou=0.1, tested_at=tested or None))
    assert len(points) <= POINTS + 1
    assert points[-1].step == 4 * POINTS - 1
    assert {point.tested_at for point in points} == {None, *range(500, 4 * POINTS, 500)}
