"""One engine process, without the client that keeps it alive."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.shared_memory import SharedMemory

import pytest

from segviz.core.requests import FeatureRequest, Setup
from segviz.worker import shared
from segviz.worker.messages import EngineReady, Updated
from segviz.worker.process import EngineProcess, how_it_ended
from segviz.worker.wire import Ask, Quit
from tests.worker.listening import LONGEST

shows_blocks = pytest.mark.skipif(not shared.MEMORY_FILES.is_dir(), reason="blocks of memory are files on Linux alone")


@pytest.fixture
def process() -> Iterator[EngineProcess]:
    process = EngineProcess("tests.worker.fake:FakeEngine", None)
    yield process
    with suppress(ValueError):  # the test has finished it
        process.finish()


def next_of(process: EngineProcess, kind: type) -> object:
    while True:
        message = process.open(process.receive())
        if isinstance(message, kind):
            return message


def blocks_of(process: EngineProcess) -> list[str]:
    return [path.name for path in shared.MEMORY_FILES.glob(f"{process._prefix}_*")]


def test_the_end_of_the_pipe_is_the_end_of_the_engine_even_while_it_computes(process) -> None:
    """Where the system does not tell children of their parent's death, this is what does."""
    process.send(Ask(1, FeatureRequest(Setup("deaf"), "")))
    next_of(process, Updated)
    process.connection.close()
    assert wait([process.sentinel], LONGEST)
    process._process.join(LONGEST)
    assert process._process.exitcode == 1


@shows_blocks
def test_an_engine_without_anybody_to_answer_leaves_no_block(process) -> None:
    process.send(Ask(1, FeatureRequest(Setup("large"), "")))
    next_of(process, EngineReady)
    assert process.connection.poll(LONGEST)
    assert blocks_of(process)
    process.connection.close()
    assert wait([process.sentinel], LONGEST)
    assert blocks_of(process) == []


@shows_blocks
def test_what_a_killed_engine_had_sent_is_tidied_up(process) -> None:
    process.send(Ask(1, FeatureRequest(Setup("large"), "")))
    next_of(process, EngineReady)
    assert process.connection.poll(LONGEST)
    assert blocks_of(process)
    process.kill()
    process.finish()
    assert blocks_of(process) == []


@shows_blocks
def test_a_block_that_a_killed_engine_had_made_but_not_announced_is_tidied_up(process) -> None:
    next_of(process, EngineReady)
    begun = SharedMemory(shared.block_name(process._prefix, 1), create=True, size=10)
    begun.close()
    process.kill()
    process.finish()
    assert blocks_of(process) == []


def test_asked_to_quit_it_ends_well(process) -> None:
    next_of(process, EngineReady)
    assert process.send(Quit())
    assert wait([process.sentinel], LONGEST)
    assert process.finish() == 0
    assert not process.send(Quit())


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (3, "exit status 3"),
        (-11, "killed by signal 11"),
        (None, "it does not end"),
        pytest.param(
            -9,
            "killed by signal 9, as systems do when memory runs out",
            marks=pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here"),
        ),
    ],
)
def test_an_end_in_words(status, words) -> None:
    assert how_it_ended(status) == words
