"""The engine's process: takes asks from a pipe, runs them, sends back updates and answers.

The main thread computes. A second thread reads the pipe: it hears at once when an ask is to be
stopped, and when the window's process is gone, however that ended, it ends this one.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Hashable
from contextlib import closing
from multiprocessing.connection import Connection
from typing import Any, Protocol

from segviz.core import folders
from segviz.core.errors import SegvizError
from segviz.core.references import load
from segviz.core.refusals import refusal
from segviz.core.requests import Answer, Update
from segviz.core.trust import UntrustedError
from segviz.worker.messages import Answered, Asked, Cancelled, EngineReady, Refused, Updated
from segviz.worker.shared import Shelf
from segviz.worker.wire import Ask, Quit, Stop, Taken, Unable

UPDATES_PER_SECOND = 20
LONGEST_LOG = 1_000_000  # bytes; a longer one is begun anew
LOWEST_PRIORITY = 19
IDLE_PRIORITY_CLASS = 0x40  # Windows
PR_SET_PDEATHSIG = 1  # Linux


class Runner(Protocol):
    """What computes. Closing the generator stops the run and leaves everything as it was before."""

    @property
    def device_text(self) -> str: ...

    def run(self, request: Asked) -> Generator[Update, None, Answer]: ...


def main(connection: Connection, runner: str, prefix: str) -> None:
    """Serve until the other side asks to quit or is gone; does not return.

    `runner` is 'module:class', imported here; `prefix` begins the names of shared memory blocks.
    """
    _step_back()
    _log_crashes()
    Server(connection, Shelf(prefix)).serve(runner)
    # Not through the interpreter's end: libraries of drivers take seconds there, and some crash.
    os._exit(0)


# -------------------------------------------------------------------------------- this process


def _step_back() -> None:
    """The lowest priority, so that windows stay quick; Ctrl+C in the terminal is for the window's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        kernel.SetPriorityClass(ctypes.c_void_p(kernel.GetCurrentProcess()), IDLE_PRIORITY_CLASS)
        return
    os.nice(LOWEST_PRIORITY)
    if sys.platform == "linux":
        # The reading thread sees the parent's end too, but not while a library holds the interpreter's lock.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _log_crashes() -> None:
    """Let a crash of a library leave its stack in 'engine.log' of the user's log folder."""
    try:
        folders.logs().mkdir(parents=True, exist_ok=True)
        path = folders.logs() / "engine.log"
        mode = "w" if path.exists() and path.stat().st_size > LONGEST_LOG else "a"
        file = path.open(mode, encoding="utf-8")
    except OSError:
        return  # no log is no reason not to start
    file.write(f"engine {os.getpid()} started {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
    file.flush()
    faulthandler.enable(file)  # keeps the file open


# -------------------------------------------------------------------------------------- serving


class Server:
    """Takes asks one after another; the reading thread answers what cannot wait."""

    def __init__(self, connection: Connection, shelf: Shelf) -> None:
        self._connection = connection
        self._shelf = shelf
        self._asks: queue.SimpleQueue[Ask | None] = queue.SimpleQueue()
        self._stopped: set[int] = set()  # tickets; small, since tickets leave it when their ask ends
        self._quitting = threading.Event()

    def serve(self, runner: str) -> None:
        """Build the runner and let it run asks until told to quit."""
        threading.Thread(target=self._read, name="segviz asks", daemon=True).start()
        try:
            engine = load(runner)()
            ready = EngineReady(os.getpid(), engine.device_text)
        except Exception as error:  # noqa: BLE001  the edge of the process: whatever it is, a person must hear of it
            self._send(Unable(_unable(error), traceback.format_exc()))
            return
        self._send(ready)
        while (ask := self._asks.get()) is not None:
            self._send(self._result(engine, ask))
            self._stopped.discard(ask.ticket)

    def _read(self) -> None:
        handlers: dict[type, Callable[[Any], None]] = {
            Ask: self._asks.put,
            Stop: lambda stop: self._stopped.add(stop.ticket),
            Taken: lambda taken: self._shelf.release(taken.block),
            Quit: self._quit,
        }
        while True:
            try:
                message = self._connection.recv()
            except (EOFError, OSError):  # nobody is left who could want anything
                self._shelf.clear()
                os._exit(1)
            handlers[type(message)](message)

    def _quit(self, _: Quit) -> None:
        self._quitting.set()
        self._asks.put(None)

    def _result(self, engine: Runner, ask: Ask) -> Answered | Refused | Cancelled:
        try:
            return self._run(engine, ask)
        except Exception as error:  # noqa: BLE001  the edge of the process: the engine lives on after any failure
            told = refusal(error, ask.request)
            key = error.key if isinstance(error, UntrustedError) else ""
            return Refused(ask.ticket, ask.request, str(told), told.details, key)

    def _run(self, engine: Runner, ask: Ask) -> Answered | Cancelled:
        cancelled = Cancelled(ask.ticket, ask.request)
        if self._is_stopped(ask):
            return cancelled
        run = _Run(engine.run(ask.request))
        throttle = Throttle()
        with closing(run.updates):
            for update in run.updates:
                if self._is_stopped(ask):
                    return cancelled
                for due in throttle.add(update):
                    self._send(Updated(ask.ticket, ask.request, due))
        for last in throttle.rest():
            self._send(Updated(ask.ticket, ask.request, last))
        return Answered(ask.ticket, ask.request, run.answer)

    def _is_stopped(self, ask: Ask) -> bool:
        return ask.ticket in self._stopped or self._quitting.is_set()

    def _send(self, message: Any) -> None:
        """Send; an answer that cannot be pickled or is too large becomes a refusal."""
        try:
            parcel = self._shelf.pack(message)
        except Exception as error:  # any object's own pickling code may run here
            if not isinstance(message, Answered | Updated):
                raise
            told = refusal(error, message.request)
            parcel = self._shelf.pack(Refused(message.ticket, message.request, str(told), told.details))
        try:
            self._connection.send(parcel)
        except OSError:
            self._shelf.clear()
            os._exit(1)


class _Run:
    """A generator whose returned value is kept: `updates` to iterate over, then `answer`."""

    def __init__(self, steps: Generator[Update, None, Answer]) -> None:
        self.updates = self._follow(steps)
        self.answer: Answer

    def _follow(self, steps: Generator[Update, None, Answer]) -> Generator[Update, None, None]:
        self.answer = yield from steps


class Throttle:
    """Lets the first update through at once, then the newest of each kind, at most 20 a second in all."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = -1.0
        self._waiting: dict[Hashable, Update] = {}

    def add(self, update: Update) -> list[Update]:
        """What is due now that `update` came: one update or none."""
        self._waiting[type(update), getattr(update, "side", None)] = update
        now = self._clock()
        if now < self._next:
            return []
        self._next = now + 1 / UPDATES_PER_SECOND
        return [self._waiting.pop(next(iter(self._waiting)))]  # who waited longest; the sides of a race take turns

    def rest(self) -> list[Update]:
        """What has not been let through at the end."""
        rest = list(self._waiting.values())
        self._waiting.clear()
        return rest


# --------------------------------------------------------------------------------- in words


def _unable(error: Exception) -> str:
    if isinstance(error, SegvizError):
        return str(error)
    if isinstance(error, ImportError):
        return f"the engine cannot start: {error}; install segviz again"
    return f"the engine cannot start: {type(error).__name__}: {error}"
