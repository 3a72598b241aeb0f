"""A runner without torch whose behaviour is chosen by the name of the model, for tests of the process around it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np

from segviz.core.errors import SegvizError
from segviz.core.field import Box
from segviz.core.frames import Lattice
from segviz.core.maps import MapStatistics
from segviz.core.requests import Answer, FeatureMaps, FeatureRequest, PartialLabels, Progress, Request, Update

Steps = Generator[Update, None, Answer]
PAUSE = 0.002  # what a unit of pretended work takes


def maps(request: Request, layer: str, values: np.ndarray) -> FeatureMaps:
    """An answer; `layer` carries text back to the test."""
    asked = request if isinstance(request, FeatureRequest) else FeatureRequest(request.setup, "none")
    return FeatureMaps(asked, layer, MapStatistics.of(values), 0.0)


def quick(request: Request) -> Steps:
    """One update, then an answer."""
    yield Progress(1, 2, "steps")
    return maps(request, f"pid {os.getpid()}", np.arange(6, dtype=np.float32).reshape(1, 2, 3))


def endless(request: Request) -> Steps:
    """Works until stopped, and listens."""
    for step in count(1):
        yield Progress(step, 0, "steps")
        time.sleep(PAUSE)
    raise AssertionError


def tidy(request: Request) -> Steps:
    """As endless, but leaves a file behind that says that it could restore what it changed."""
    try:
        yield from endless(request)
    finally:
        Path(str(request.setup.image)).write_text("restored", encoding="utf-8")
    raise AssertionError


def deaf(request: Request) -> Steps:
    """Never comes back to look whether it should stop."""
    yield Progress(1, 2, "steps")
    while True:
        time.sleep(PAUSE)


def stubborn(request: Request) -> Steps:
    """Does not look whether it should stop, and finishes when the file at `image` is there."""
    yield Progress(1, 2, "steps")
    while not Path(str(request.setup.image)).exists():
        time.sleep(PAUSE)
    return maps(request, "stubborn", np.zeros((1, 1, 1), np.float32))


def hog(request: Request) -> Steps:
    """Deaf, inside a library that holds the interpreter's lock: no other thread of the process runs."""
    yield Progress(1, 2, "steps")
    sys.setswitchinterval(600)  # nor between these two
    ctypes.PyDLL(None).write(1, b"hog\n", 4)
    ctypes.PyDLL(None).sleep(600)
    raise AssertionError


def full(request: Request) -> Steps:
    """Cannot write down where it is when it is stopped."""
    try:
        yield from endless(request)
    except GeneratorExit as stop:
        raise SegvizError("run.checkpoint: cannot be saved (No space left on device)") from stop
    raise AssertionError


def stumble(request: Request) -> Steps:
    """Ends the process without a word."""
    yield Progress(1, 2, "steps")
    os._exit(3)


def crash(request: Request) -> Steps:
    """Ends it as a broken library would."""
    yield Progress(1, 2, "steps")
    os.kill(os.getpid(), signal.SIGABRT)
    raise AssertionError


def refuse(request: Request) -> Steps:
    yield Progress(1, 2, "steps")
    raise SegvizError("picture.png: 3 x 3 pixels are too few; the network needs 32 x 32", "the details")


def stray(request: Request) -> Steps:
    """A bug of ours."""
    yield Progress(1, 2, "steps")
    return {}["no such layer"]


def hungry(request: Request) -> Steps:
    """What torch raises when memory is refused."""
    yield Progress(1, 2, "steps")
    raise RuntimeError(
        "[enforce fail at alloc_cpu.cpp:121] . DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 8000000000 bytes. Error code 12 (Cannot allocate memory)"
    )


def large(request: Request) -> Steps:
    """40 MB of answer and 4 MB of update, in order and in slices."""
    labels = np.full((2000, 1000), -1, np.int16)
    yield PartialLabels(labels, Lattice(2000, 1000, (0, 0), (1, 1)), Box(0, 0, 1, 1), Progress(1, 2))
    return maps(request, "large", np.arange(20_000_000, dtype=np.float32).reshape(10, 2000, 1000)[:, ::2])


def unspeakable(request: Request) -> Steps:
    """An answer that cannot be pickled."""
    yield Progress(1, 2, "steps")
    return replace(maps(request, "none", np.zeros((1, 1, 1), np.float32)), notes=(lambda: None,))  # type: ignore[arg-type]


def burst(request: Request) -> Steps:
    """Two thousand updates at once."""
    for step in range(1, 2001):
        yield Progress(step, 2000, "steps")
    return maps(request, "burst", np.zeros((1, 1, 1), np.float32))


def confess(request: Request) -> Steps:
    """What this process is like."""
    yield Progress(1, 2, "steps")
    loaded = ",".join(sorted(name for name in sys.modules if "." not in name))
    nice = os.nice(0) if hasattr(os, "nice") else None
    sigint = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    text = f"{nice}|{sigint}|{os.environ.get('OMP_NUM_THREADS')}|{sys.stdin.read()!r}|{loaded}"
    return maps(request, text, np.zeros((1, 1, 1), np.float32))


BEHAVIOURS: dict[str, Callable[[Request], Steps]] = {
    f.__name__: f
    for f in (
        quick, endless, tidy, deaf, stubborn, hog, full, stumble, crash,
        refuse, stray, hungry, large, unspeakable, burst, confess,
    )
}  # fmt: skip


class FakeEngine:
    device_text = "Pretence, 1 thread"

    def run(self, request: Request) -> Steps:
        return BEHAVIOURS[request.setup.model](request)


class Unbuildable:
    """An engine whose libraries are broken."""

    def __init__(self) -> None:
        raise ImportError("No module named 'torch'")


class Stillborn:
    """An engine that dies while it loads."""

    def __init__(self) -> None:
        os._exit(7)
