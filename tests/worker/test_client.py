"""Asking an engine in another process: it answers, is replaced, stopped, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from segviz.core.races import RaceRequest
from segviz.core.requests import DescribeRequest, FeatureRequest, SegmentRequest, Setup
from segviz.worker import client as client_module
from segviz.worker import shared
from segviz.worker.client import Client
from segviz.worker.messages import Answered, Cancelled, EngineDied, EngineReady, EngineStarting, Refused, Updated
from tests.worker.listening import ENDS, LONGEST, Heard

posix = pytest.mark.skipif(os.name != "posix", reason="signals and process ids as POSIX has them")


def features(model: str, layer: str = "") -> FeatureRequest:
    return FeatureRequest(Setup(model), layer)


def segment(model: str, image: str | None = None) -> SegmentRequest:
    return SegmentRequest(Setup(model, image))


def alive(client: Client, heard: Heard) -> int:
    """The process of an engine that works."""
    return int(heard.end(client.ask(features("quick"))).answer.layer.removeprefix("pid "))


def is_gone(pid: int) -> bool:
    """Whether there is no such process, not even one that ended and waits to be buried."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def blocks() -> set[str]:
    return {path.name for path in shared.MEMORY_FILES.glob(f"segviz_{os.getpid():x}_*")}


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


# ------------------------------------------------------------------------------------- answering


def test_an_ask_is_answered_with_its_request_after_its_updates(make_client) -> None:
    client, heard = make_client()
    request = features("quick", "conv1")
    ticket = client.ask(request)
    answered = heard.end(ticket)
    assert isinstance(answered, Answered)
    assert answered.request == request == answered.answer.request
    np.testing.assert_array_equal(answered.answer.values, np.arange(6, dtype=np.float32).reshape(1, 2, 3))
    assert answered.answer.layer == f"pid {client.pid}"
    assert client.pid != os.getpid()
    assert [type(event) for event in heard.events] == [EngineStarting, EngineReady, Updated, Answered]
    starting, ready = heard.events[:2]
    assert starting.pid == ready.pid == client.pid
    assert ready.device == "Pretence, 1 thread"


def test_start_makes_the_engine_ready_before_the_first_ask(make_client) -> None:
    client, heard = make_client()
    assert not client.alive
    client.start()
    client.start()
    ready = heard.a(EngineReady)
    assert client.alive
    heard.end(client.ask(features("quick")))
    assert client.pid == ready.pid
    assert [type(event) for event in heard.events].count(EngineStarting) == 1


def test_large_answers_and_updates_arrive_whole_and_read_only(client_and_heard) -> None:
    client, heard = client_and_heard
    ticket = client.ask(features("large"))
    values = heard.end(ticket).answer.values
    assert values.shape == (10, 1000, 1000)
    assert values[0, 1, 0] == 2000
    assert values[9, 999, 999] == 9 * 2_000_000 + 1998 * 1000 + 999
    assert not values.flags.writeable
    labels = heard.a(Updated, ticket).update.labels
    assert labels.shape == (2000, 1000)
    assert (labels == -1).all()
    assert blocks() == set()


def test_updates_are_thinned_out_and_the_last_is_never_lost(client_and_heard) -> None:
    client, heard = client_and_heard
    ticket = client.ask(features("burst"))
    heard.end(ticket)
    done = [event.update.done for event in heard.of(ticket) if isinstance(event, Updated)]
    assert done[0] == 1
    assert done[-1] == 2000
    assert done == sorted(done)
    assert len(done) < 500  # far fewer than were made, however slow this machine is


def test_kinds_do_not_replace_one_another_and_run_in_order(client_and_heard) -> None:
    client, heard = client_and_heard
    requests = [DescribeRequest(Setup("quick")), segment("quick"), features("quick"), RaceRequest(Setup("quick"))]
    tickets = [client.ask(request) for request in requests]
    assert all(isinstance(heard.end(ticket), Answered) for ticket in tickets)
    assert [event.ticket for event in heard.events if isinstance(event, Answered)] == sorted(tickets) == tickets


def test_the_engine_works_on_at_the_lowest_priority_and_without_qt(make_client) -> None:
    client, heard = make_client(threads=1)
    nice, ignores, threads, stdin, loaded = heard.end(client.ask(features("confess"))).answer.layer.split("|")
    assert nice == ("19" if os.name == "posix" else "None")
    assert (ignores, threads, stdin) == ("True", "1", "''")
    assert not {"PySide6", "pyqtgraph", "torch", "pytest"} & set(loaded.split(","))


# -------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("refuse", "picture.png: 3 x 3 pixels are too few; the network needs 32 x 32"),
        ("stray", "an internal error while computing feature maps (KeyError): please report the details"),
        ("hungry", "not enough memory for computing feature maps (8.0 GB wanted): "
                   "choose a smaller scale or a smaller image"),
        ("unspeakable", "an internal error while computing feature maps (AttributeError): please report the details"),
    ],
)  # fmt: skip
def test_a_failure_is_told_and_the_same_engine_works_on(client_and_heard, model, message) -> None:
    client, heard = client_and_heard
    refused = heard.end(client.ask(features(model)))
    assert isinstance(refused, Refused)
    assert refused.message == message
    assert refused.details
    pid = client.pid
    assert isinstance(heard.end(client.ask(features("quick"))), Answered)
    assert client.pid == pid


@pytest.mark.parametrize(
    ("model", "how"),
    [("stumble", "exit status 3"), pytest.param("crash", "killed by signal 6", marks=posix)],
)
def test_a_crash_is_told_and_a_new_engine_takes_the_next_ask(client_and_heard, model, how) -> None:
    client, heard = client_and_heard
    first = alive(client, heard)
    request = features(model)
    ticket = client.ask(request)
    died = heard.end(ticket)
    assert died == EngineDied(
        ticket,
        request,
        f"the engine stopped unexpectedly ({how}) while computing feature maps; it is starting again",
    )
    assert isinstance(heard.end(client.ask(features("quick"))), Answered)
    assert client.pid != first
    assert is_gone(first)


@posix
def test_killed_by_hand_in_the_middle_only_what_ran_is_lost(client_and_heard) -> None:
    client, heard = client_and_heard
    running = client.ask(segment("endless"))
    heard.a(Updated, running)
    waiting = [client.ask(features("quick")), client.ask(DescribeRequest(Setup("quick")))]
    os.kill(client.pid, signal.SIGKILL)
    died = heard.end(running)
    assert isinstance(died, EngineDied)
    assert "killed by signal 9" in died.message
    assert "while segmenting" in died.message
    assert all(isinstance(heard.end(ticket), Answered) for ticket in waiting)


@posix
def test_killed_while_idle_it_comes_back_by_itself(client_and_heard) -> None:
    client, heard = client_and_heard
    first = alive(client, heard)
    os.kill(first, signal.SIGKILL)
    died = heard.a(EngineDied)
    assert (died.ticket, died.request) == (0, None)
    heard.wait(lambda event: isinstance(event, EngineReady) and event.pid != first)


def test_one_that_dies_again_and_again_stays_off_until_the_next_ask(make_client) -> None:
    client, heard = make_client("tests.worker.fake:Stillborn")
    ticket = client.ask(features("quick"))
    died = heard.end(ticket)
    assert died.message == "the engine stopped unexpectedly (exit status 7) while idle; it stays off until the next run"
    assert [type(event) for event in heard.events].count(EngineStarting) == client_module.MOST_DEATHS
    assert not client.alive
    before = list(heard.events)
    client.ask(features("quick"))
    heard.wait(lambda event: isinstance(event, EngineStarting) and event not in before)


def test_an_answer_between_deaths_lets_it_start_again(client_and_heard) -> None:
    client, heard = client_and_heard
    for _ in range(client_module.MOST_DEATHS + 1):
        assert "starting again" in heard.end(client.ask(features("stumble"))).message
        assert isinstance(heard.end(client.ask(features("quick"))), Answered)


def test_an_engine_that_cannot_be_built_refuses_with_the_reason(make_client) -> None:
    client, heard = make_client("tests.worker.fake:Unbuildable")
    for _ in range(2):
        refused = heard.end(client.ask(features("quick")))
        assert isinstance(refused, Refused)
        assert refused.message == "the engine cannot start: No module named 'torch'; install segviz again"
        assert "ImportError" in refused.details
        assert not client.alive
    assert [type(event) for event in heard.events].count(EngineStarting) == 2


@pytest.mark.parametrize("error", [OSError(11, "Resource temporarily unavailable"), RuntimeError("\n  too\n  early")])
def test_a_process_that_cannot_be_started_is_told_and_tried_again(make_client, monkeypatch, error) -> None:
    client, heard = make_client()
    with monkeypatch.context() as patch:
        patch.setattr(BaseProcess, "start", lambda process: raises(error))
        for _ in range(2):
            refused = heard.end(client.ask(features("quick")))
            assert isinstance(refused, Refused)
            assert refused.message.startswith("the engine's process cannot be started: ")
            assert refused.message.endswith(("unavailable", "too early"))
            assert type(error).__name__ in refused.details
    assert isinstance(heard.end(client.ask(features("quick"))), Answered)


def raises(error: Exception) -> None:
    raise error


# ------------------------------------------------------------------------ newest wins, cancelling


def test_a_waiting_ask_gives_way_to_a_newer_one_of_its_kind(client_and_heard) -> None:
    client, heard = client_and_heard
    running = client.ask(segment("endless"))
    heard.a(Updated, running)
    older, newer = client.ask(features("quick")), client.ask(features("quick"))
    assert heard.end(older) == Cancelled(older, features("quick"))
    client.cancel(SegmentRequest)
    assert isinstance(heard.end(running), Cancelled)
    assert isinstance(heard.end(newer), Answered)


def test_a_running_ask_stops_for_a_newer_one_of_its_kind_in_the_same_process(make_client) -> None:
    client, heard = make_client()
    older = client.ask(features("endless"))
    pid = heard.a(Updated, older) and client.pid
    newer = client.ask(features("quick"))
    assert isinstance(heard.end(older), Cancelled)
    assert heard.end(newer).answer.layer == f"pid {pid}"


def test_cancelling_lets_the_run_restore_what_it_changed(make_client, tmp_path) -> None:
    client, heard = make_client()
    note = tmp_path / "note"
    ticket = client.ask(segment("tidy", str(note)))
    heard.a(Updated, ticket)
    client.cancel()
    assert isinstance(heard.end(ticket), Cancelled)
    assert note.read_text(encoding="utf-8") == "restored"
    pid = client.pid
    assert heard.end(client.ask(features("quick"))).answer.layer == f"pid {pid}"


def test_cancelling_one_kind_leaves_the_others(client_and_heard) -> None:
    client, heard = client_and_heard
    running = client.ask(segment("endless"))
    heard.a(Updated, running)
    waiting, other = client.ask(features("quick")), client.ask(RaceRequest(Setup("quick")))
    client.cancel(FeatureRequest)
    assert isinstance(heard.end(waiting), Cancelled)
    client.cancel(SegmentRequest)
    assert isinstance(heard.end(other), Answered)


def test_nothing_is_told_of_a_run_after_it_was_cancelled(make_client) -> None:
    client, heard = make_client()
    ticket = client.ask(features("endless"))
    heard.a(Updated, ticket)
    client.cancel()
    heard.end(ticket)
    last = heard.end(client.ask(segment("quick")))
    kinds = [type(event) for event in heard.of(ticket)]
    assert kinds.count(Cancelled) == 1
    assert kinds.index(Cancelled) == len(kinds) - 1
    assert isinstance(last, Answered)


def test_an_answer_that_is_there_before_the_cancelling_is_heard_counts(make_client, tmp_path) -> None:
    """Weights that are being written when somebody stops the run are written, and must not be lost."""
    client, heard = make_client(patience=LONGEST)
    go_on = tmp_path / "go on"
    ticket = client.ask(segment("stubborn", str(go_on)))
    heard.a(Updated, ticket)
    client.cancel()
    go_on.touch()
    assert isinstance(heard.end(ticket), Answered)
    assert client.pid == alive(client, heard)


def test_what_cannot_be_left_behind_on_stopping_is_told(client_and_heard) -> None:
    client, heard = client_and_heard
    ticket = client.ask(segment("full"))
    heard.a(Updated, ticket)
    client.cancel()
    refused = heard.end(ticket)
    assert isinstance(refused, Refused)
    assert refused.message == "run.checkpoint: cannot be saved (No space left on device)"


def test_a_process_that_dies_by_itself_while_it_stops_is_mourned(make_client, tmp_path) -> None:
    """Nobody knows whether it left what it should have."""
    client, heard = make_client(patience=LONGEST)
    ticket = client.ask(segment("stubborn", str(tmp_path / "never")))
    heard.a(Updated, ticket)
    client.cancel()
    os.kill(client.pid, signal.SIGTERM)
    died = heard.end(ticket)
    assert isinstance(died, EngineDied)
    assert died.message.startswith("the engine stopped unexpectedly")
    assert isinstance(heard.end(client.ask(features("quick"))), Answered)


@pytest.mark.parametrize("model", ["deaf", pytest.param("hog", marks=posix)])
def test_what_does_not_listen_is_killed_and_the_engine_starts_again(client_and_heard, model) -> None:
    client, heard = client_and_heard
    ticket = client.ask(features(model))
    heard.a(Updated, ticket)
    first = client.pid
    waiting = client.ask(segment("quick"))
    client.cancel(FeatureRequest)
    assert isinstance(heard.end(ticket), Cancelled)
    assert isinstance(heard.end(waiting), Answered)
    assert client.pid != first
    assert is_gone(first)
    assert not [event for event in heard.events if isinstance(event, EngineDied)]


def test_a_deaf_one_gives_way_to_a_newer_ask_too(client_and_heard) -> None:
    client, heard = client_and_heard
    older = client.ask(features("deaf"))
    heard.a(Updated, older)
    newer = client.ask(features("quick"))
    assert isinstance(heard.end(older), Cancelled)
    assert isinstance(heard.end(newer), Answered)


def test_every_ask_of_a_crowd_ends_exactly_once(make_client) -> None:
    client, heard = make_client(patience=0.2, patience_replaced=0.4)
    kinds = [FeatureRequest, SegmentRequest, RaceRequest]
    models = ["quick", "refuse", "endless", "stumble", "burst"]
    tickets, lock = [], threading.Lock()

    def crowd(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(15):
            kind = kinds[random.integers(3)]
            setup = Setup(models[random.integers(5)])
            ticket = client.ask(kind(setup, "x") if kind is FeatureRequest else kind(setup))
            with lock:
                tickets.append(ticket)
            if random.random() < 0.3:
                client.cancel(kind)

    crowds = [threading.Thread(target=crowd, args=(seed,)) for seed in range(3)]
    for thread in crowds:
        thread.start()
    for thread in crowds:
        thread.join()
    client.cancel()
    ends = {ticket: heard.end(ticket) for ticket in tickets}
    client.close()
    assert len(set(tickets)) == len(tickets) == 45
    for ticket in ends:
        assert len([event for event in heard.of(ticket) if isinstance(event, ENDS)]) == 1
    assert blocks() == set()


def test_a_result_that_cannot_be_received_is_refused_and_the_engine_begins_anew(client_and_heard, monkeypatch) -> None:
    client, heard = client_and_heard
    first = alive(client, heard)

    def no_room(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(shared, "_copies", no_room)
        refused = heard.end(client.ask(features("large")))
    assert isinstance(refused, Refused)
    assert refused.message == "the result of computing feature maps could not be received: choose a smaller scale"
    assert isinstance(heard.end(client.ask(features("large"))), Answered)
    assert client.pid != first
    assert blocks() == set()


# --------------------------------------------------------------------------------------- closing


@pytest.mark.parametrize("model", ["endless", "deaf", "large", pytest.param("hog", marks=posix)])
def test_closing_while_it_runs_leaves_nothing_behind(make_client, model) -> None:
    before = threads()
    client, heard = make_client()
    running, waiting = client.ask(features(model)), client.ask(segment("quick"))
    heard.a(Updated, running)
    pid = client.pid
    client.close()
    assert is_gone(pid)
    assert not client.alive
    assert threads() <= before
    assert blocks() == set()
    assert isinstance(heard.end(running), Cancelled | Answered)
    assert isinstance(heard.end(waiting), Cancelled | Answered)


def test_closing_takes_less_than_three_seconds_even_if_it_does_not_listen(make_client) -> None:
    client, heard = make_client()
    heard.a(Updated, client.ask(features("deaf")))
    begun = time.monotonic()
    client.close()
    assert time.monotonic() - begun < 3  # the promise itself: half a second of grace, then a kill


def test_an_idle_engine_ends_when_asked(make_client) -> None:
    client, heard = make_client()
    client.start()
    pid = heard.a(EngineReady).pid
    client.close(grace=LONGEST)  # it would take so long if it had to be killed
    assert is_gone(pid)
    client.close()


def test_closing_before_anything_was_started(make_client) -> None:
    client, heard = make_client()
    client.close()
    assert heard.events == []
    with pytest.raises(RuntimeError, match="closed"):
        client.ask(features("quick"))


def test_closing_while_it_starts(make_client) -> None:
    client, heard = make_client()
    ticket = client.ask(features("quick"))
    pid = heard.a(EngineStarting).pid
    client.close(grace=0)
    assert is_gone(pid)
    assert isinstance(heard.end(ticket), Cancelled)


@posix
def test_a_stopped_process_can_be_closed(make_client) -> None:
    client, heard = make_client()
    heard.a(Updated, client.ask(features("endless")))
    pid = client.pid
    os.kill(pid, signal.SIGSTOP)
    client.close()
    assert is_gone(pid)


def test_callers_never_wait_for_a_process_that_does_not_read(make_client) -> None:
    """Megabytes of asks go to an engine that takes none of them; only the newest is left in the end."""
    client, heard = make_client(patience=0.2, patience_replaced=0.2)
    heard.a(Updated, client.ask(features("deaf")))
    tickets = [client.ask(segment("quick", "x" * 10_000)) for _ in range(200)]
    assert all(isinstance(heard.end(ticket), Cancelled) for ticket in tickets[:-1])
    client.cancel(FeatureRequest)
    assert isinstance(heard.end(tickets[-1]), Answered)


# ------------------------------------------------------------------- in a program of its own

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from segviz.core.requests import FeatureRequest, Setup
from segviz.worker.client import Client
from segviz.worker.messages import Updated
from tests.worker.listening import Heard

def main():
    heard = Heard()
    client = Client(heard, "tests.worker.fake:FakeEngine")
    heard.a(Updated, client.ask(FeatureRequest(Setup({model!r}), "")))
    print(client.pid, flush=True)
    {then}

if __name__ == "__main__":
    main()
"""


def program(tmp_path: Path, model: str, then: str) -> subprocess.Popen[str]:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM.format(model=model, then=then), encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return line.strip()


@posix
@pytest.mark.parametrize("model", ["endless", "deaf", "hog"])
def test_a_murdered_parent_takes_its_engine_along(tmp_path, model) -> None:
    process = program(tmp_path, model, "sys.stdin.read()")
    # The hog says that it computes, before or after its parent has told the number of its process.
    lines = [first_line(process) for _ in range(2 if model == "hog" else 1)]
    pid = int(next(line for line in lines if line != "hog"))
    try:
        process.kill()
        # Engine and resource tracker hold the same output: it ends when the last of the family is gone.
        rest, _ = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
        if not is_gone(pid):  # a zombie, perhaps: nobody but the system's first process may bury it
            os.kill(pid, signal.SIGKILL)
    assert (process.returncode, rest) == (-signal.SIGKILL, "")


@posix
def test_a_program_that_forgets_to_close_ends_all_the_same(tmp_path) -> None:
    process = program(tmp_path, "deaf", "pass")
    pid = int(first_line(process))
    out, err = process.communicate(timeout=LONGEST)
    assert (process.returncode, out, err) == (0, "", "")
    assert is_gone(pid)


def test_a_program_without_a_main_guard_is_answered_all_the_same(tmp_path) -> None:
    """Its engine runs the whole program first, and there a second engine cannot be started."""
    guarded = PROGRAM.replace('if __name__ == "__main__":\n    main()', "main()")
    guarded = guarded.replace("heard.a(Updated, ", "end = heard.end(").replace(
        "print(client.pid", "print(type(end).__name__"
    )
    path = tmp_path / "program.py"
    path.write_text(guarded.format(model="quick", then="client.close()"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=LONGEST, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["Refused", "Answered"]


def test_importing_the_client_loads_nothing_heavy() -> None:
    script = "import sys, segviz.worker.client; print([m for m in ('numpy', 'torch', 'PySide6') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_a_listener_may_close_the_client() -> None:
    before = threads()
    closed = threading.Event()

    def listen(event) -> None:
        if isinstance(event, Answered):
            client.close()
            closed.set()

    client = Client(listen, "tests.worker.fake:FakeEngine")
    client.ask(features("quick"))
    assert closed.wait(LONGEST)
    assert client._thread is not None
    client._thread.join(LONGEST)  # a thread that ends with an exception fails this test
    assert not client.alive
    assert threads() <= before


def test_the_listener_is_called_by_one_thread_alone() -> None:
    callers: set[str] = set()
    heard = Heard()

    def listen(event) -> None:
        callers.add(threading.current_thread().name)
        heard(event)

    client = Client(listen, "tests.worker.fake:FakeEngine")
    try:
        heard.end(client.ask(features("quick")))
        client.cancel()
    finally:
        client.close()
    assert callers == {"segviz engine keeper"}
