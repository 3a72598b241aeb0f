"""The engine and the disk seen from the GUI thread."""

from __future__ import annotations

import gc
import os
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QCoreApplication

from segviz.core import images
from segviz.core.errors import SegvizError
from segviz.core.requests import DescribeRequest, FeatureRequest, SegmentRequest, Setup
from segviz.gui.jobs import Jobs, PictureOpened, PictureRefused
from segviz.worker.client import Client
from segviz.worker.messages import Answered, Cancelled, EngineReady, EngineStarting, Updated

LONGEST = 60_000  # ms; only a failing test waits so long
FAKE = partial(Client, runner="tests.worker.fake:FakeEngine", patience=0.2)


class Inbox:
    """What a Jobs delivered, and in which thread."""

    def __init__(self, qtbot, jobs: Jobs) -> None:
        self._qtbot = qtbot
        self.events: list[object] = []
        self.threads: set[threading.Thread] = set()
        jobs.told.connect(self._take)

    def _take(self, event: object) -> None:
        self.events.append(event)
        self.threads.add(threading.current_thread())

    def a(self, kind: type) -> object:
        """The first event of a kind, waited for."""
        self._qtbot.waitUntil(lambda: any(isinstance(event, kind) for event in self.events), timeout=LONGEST)
        return next(event for event in self.events if isinstance(event, kind))


@pytest.fixture
def jobs(qtbot):
    jobs = Jobs(connect=FAKE)
    yield jobs
    jobs.close()


@pytest.fixture
def inbox(qtbot, jobs) -> Inbox:
    return Inbox(qtbot, jobs)


def picture(path: Path, shade: int) -> str:
    Image.fromarray(np.full((4, 6, 3), shade, np.uint8)).save(path)
    return str(path)


def test_events_of_the_engine_arrive_in_the_gui_thread(jobs, inbox) -> None:
    jobs.start()
    ticket = jobs.ask(FeatureRequest(Setup("quick"), "conv1"))
    answered = inbox.a(Answered)
    assert answered.ticket == ticket
    assert answered.answer.values.shape == (1, 2, 3)
    assert [type(event) for event in inbox.events] == [EngineStarting, EngineReady, Updated, Answered]
    assert inbox.threads == {threading.main_thread()}
    assert jobs.engine_pid == inbox.a(EngineReady).pid


def test_nothing_runs_before_it_is_started(jobs, inbox) -> None:
    assert jobs.engine_pid is None
    assert inbox.events == []


def test_cancelling_a_kind(jobs, inbox) -> None:
    ticket = jobs.ask(SegmentRequest(Setup("endless")))
    inbox.a(Updated)
    jobs.cancel(SegmentRequest)
    assert inbox.a(Cancelled).ticket == ticket


def test_a_picture_arrives_with_its_path(jobs, inbox, tmp_path) -> None:
    path = picture(tmp_path / "a.png", 7)
    jobs.open_picture(path)
    opened = inbox.a(PictureOpened)
    assert opened.path == path
    assert opened.picture.pixels.shape == (4, 6, 3)
    assert (opened.picture.pixels == 7).all()
    assert inbox.threads == {threading.main_thread()}


def test_a_broken_file_is_refused_with_a_message(jobs, inbox, tmp_path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG but no more")
    jobs.open_picture(str(path))
    refused = inbox.a(PictureRefused)
    assert refused.path == str(path)
    assert "broken.png" in refused.message


def test_only_the_newest_picture_is_delivered(jobs, inbox, tmp_path, monkeypatch) -> None:
    slow, skipped, newest = (picture(tmp_path / f"{name}.png", 9) for name in ("slow", "skipped", "newest"))
    reading, go_on, read = threading.Event(), threading.Event(), []
    open_picture = images.open_picture

    def gated(path: str) -> images.Picture:
        read.append(path)
        if path == slow:
            reading.set()
            assert go_on.wait(60)
        return open_picture(path)

    monkeypatch.setattr(images, "open_picture", gated)
    jobs.open_picture(slow)
    assert reading.wait(60)
    jobs.open_picture(skipped)
    jobs.open_picture(newest)
    go_on.set()
    assert inbox.a(PictureOpened).path == newest
    assert read == [slow, newest]


def test_the_same_picture_again_is_read_again(jobs, inbox, qtbot, tmp_path) -> None:
    path = picture(tmp_path / "a.png", 7)
    for shade in (7, 8, 9):
        inbox.events.clear()
        picture(tmp_path / "a.png", shade)
        jobs.open_picture(path)
        assert inbox.a(PictureOpened).picture.pixels[0, 0, 0] == shade


@pytest.mark.skipif(os.name != "posix", reason="process ids as POSIX has them")
def test_closing_while_both_work_leaves_no_thread_and_no_process(qtbot, tmp_path, monkeypatch) -> None:
    before = set(threading.enumerate())
    reading, go_on = threading.Event(), threading.Event()

    open_picture = images.open_picture

    def gated(path: str) -> images.Picture:
        reading.set()
        assert go_on.wait(60)
        return open_picture(path)

    monkeypatch.setattr(images, "open_picture", gated)
    jobs = Jobs(connect=FAKE)
    inbox = Inbox(qtbot, jobs)
    jobs.ask(SegmentRequest(Setup("deaf")))
    inbox.a(Updated)
    jobs.open_picture(picture(tmp_path / "a.png", 1))
    assert reading.wait(60)
    pid = jobs.engine_pid
    go_on.set()
    jobs.close()
    jobs.close()
    heard = list(inbox.events)
    QCoreApplication.sendPostedEvents()  # delivers what is still queued
    assert inbox.events == heard
    assert set(threading.enumerate()) <= before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_engine_and_picture_share_one_patience(qtbot, tmp_path, monkeypatch) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def stuck(path: str) -> images.Picture:
        reading.set()
        assert go_on.wait(60)
        raise SegvizError("too late")

    monkeypatch.setattr(images, "open_picture", stuck)
    jobs = Jobs(connect=FAKE)
    jobs.open_picture(picture(tmp_path / "a.png", 1))
    assert reading.wait(60)
    given: list[float] = []

    def slow_end(patience: float) -> None:
        given.append(patience)
        time.sleep(0.3)

    waits = jobs._pictures.close
    monkeypatch.setattr(jobs._client, "close", slow_end)
    monkeypatch.setattr(jobs._pictures, "close", lambda patience: (given.append(patience), waits(patience)))
    jobs.close(patience=0.5)
    assert given[0] == 0.5
    assert 0 < given[1] <= 0.2
    left = jobs._pictures._thread
    assert left is not None
    del jobs  # the thread that was left behind says its last word to nobody, and without harm
    gc.collect()
    go_on.set()
    left.join()


def test_events_on_their_way_do_not_outlive_a_deleted_jobs(qtbot, tmp_path) -> None:
    """The emitter outlives its workers, whatever happens to the Jobs that made it."""
    heard = []
    for _ in range(5):
        jobs = Jobs(connect=FAKE)
        jobs.told.connect(heard.append)
        jobs.open_picture(picture(tmp_path / "a.png", 1))
        jobs.close()
        del jobs
        QCoreApplication.sendPostedEvents()
    assert heard == []


def test_the_real_engine_on_loan_behaves_like_a_client_of_ones_own(qtbot, shared_engine) -> None:
    jobs = Jobs(connect=shared_engine.lend)
    inbox = Inbox(qtbot, jobs)
    jobs.start()
    assert inbox.a(EngineReady).pid == jobs.engine_pid
    ticket = jobs.ask(DescribeRequest(Setup("mtcnn_pnet")))
    assert inbox.a(Answered).ticket == ticket
    assert inbox.threads == {threading.main_thread()}
    jobs.close()
    assert shared_engine.client.alive
