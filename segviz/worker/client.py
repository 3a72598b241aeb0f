"""The window's side of the engine: ask, be told, cancel. Knows neither torch nor Qt.

One thread of the client, the keeper, owns the process and everything that is known of it; the
methods of `Client` only put notes on its desk, so that no caller ever waits for the engine.
"""

from __future__ import annotations

import atexit
import itertools
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from segviz.core.errors import shorten
from segviz.core.refusals import doing
from segviz.worker.messages import (
    Answered,
    Asked,
    Cancelled,
    EngineDied,
    EngineReady,
    EngineStarting,
    Event,
    Refused,
    Updated,
)
from segviz.worker.wire import Ask, Quit, Stop, Unable

if TYPE_CHECKING:
    from segviz.worker.process import EngineProcess
    from segviz.worker.shared import Parcel

PATIENCE = 2.0  # seconds that a cancelled ask may take to stop before its process is killed
PATIENCE_REPLACED = 8.0  # the same for one that a newer ask replaced: a new process would not be quicker
LAST_WORD = 0.5  # seconds before the end of all patience at which a stuck engine is killed over the keeper's head
MOST_DEATHS = 3  # without an answer between them, within
DEATHS_WITHIN = 30.0  # seconds; then the engine stays off until the next ask
ENGINE = "segviz.engine.run:Engine"

Listener = Callable[[Event], None]


@dataclass(slots=True)
class _Job:
    ticket: int
    request: Asked
    stop_by: float | None = None  # asked to stop; killed at this time


class Client:
    """An engine in a process of its own, that starts again whenever it ends.

    `listener` hears every event, always on the client's own thread and never two at once; it must
    be quick and must not raise. Every ask that was accepted ends in exactly one of Answered,
    Refused, Cancelled or EngineDied. Of each kind (type of request) the newest ask wins; what is
    left runs in the order asked. An ask that had ended before it heard of its cancelling ends as it did:
    Answered or Refused; what cannot be done on stopping is Refused, too.

    All methods may be called from any thread and return at once, except `close`.
    """

    def __init__(
        self,
        listener: Listener,
        runner: str = ENGINE,
        threads: int | None = None,
        patience: float = PATIENCE,
        patience_replaced: float = PATIENCE_REPLACED,
    ) -> None:
        self._keeper = _Keeper(listener, runner, threads, patience, patience_replaced)
        self._thread: threading.Thread | None = None
        self._tickets = itertools.count(1)
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Start the process, so that it is ready when the first ask comes; an ask starts it too."""
        self._post(self._keeper.start)

    def ask(self, request: Asked) -> int:
        """Have `request` done; returns its ticket. An older ask of its kind is cancelled."""
        with self._lock:
            job = _Job(next(self._tickets), request)
            self._post_locked(partial(self._keeper.ask, job))
        return job.ticket

    def cancel(self, kind: type | None = None) -> None:
        """Cancel all asks, or those of one kind; what does not stop when asked is killed."""
        self._post(partial(self._keeper.cancel, kind))

    def close(self, grace: float = 0.5, patience: float = 2.5) -> None:
        """End everything: cancel, ask the process to end, kill it after `grace` seconds.

        Waits for all of it, `patience` seconds at most if that is longer than `grace`.
        """
        with self._lock:
            if self._closed:
                return
            if self._thread is not None:
                self._post_locked(partial(self._keeper.close, grace))
            self._closed = True
        atexit.unregister(self.close)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(max(grace, patience - LAST_WORD))
            if self._thread.is_alive():  # it reads a message whose writer is stuck
                self._keeper.kill_from_outside()
                self._thread.join(LAST_WORD)
        if self._thread is None or not self._thread.is_alive():  # else the keeper still listens to its bell
            self._keeper.desk.close()

    @property
    def pid(self) -> int | None:
        """The engine's process, None while there is none."""
        return self._keeper.pid

    @property
    def alive(self) -> bool:
        return self._keeper.pid is not None

    def _post(self, note: Callable[[], None]) -> None:
        with self._lock:
            self._post_locked(note)

    def _post_locked(self, note: Callable[[], None]) -> None:
        if self._closed:
            raise RuntimeError("this client was closed; make a new one")
        if self._thread is None:
            # A daemon, so that a forgotten close() cannot hang the end of Python; atexit then closes.
            self._thread = threading.Thread(target=self._keeper.keep, name="segviz engine keeper", daemon=True)
            atexit.register(self.close)
            self._thread.start()
        self._keeper.desk.put(note)


class _Desk:
    """Notes for the keeper, who sleeps in `multiprocessing.connection.wait` and is woken through a pipe."""

    def __init__(self) -> None:
        self.bell, self._ring = Pipe(duplex=False)
        self._notes: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._rung = threading.Lock()

    def put(self, note: Callable[[], None]) -> None:
        self._notes.put(note)
        if self._rung.acquire(blocking=False):  # at most one ring in the pipe: it cannot fill up
            self._ring.send_bytes(b"!")

    def take(self) -> list[Callable[[], None]]:
        """All notes so far; to be called when the bell is readable."""
        self.bell.recv_bytes()
        self._rung.release()
        notes = []
        with suppress(queue.Empty):
            while True:
                notes.append(self._notes.get_nowait())
        return notes

    def close(self) -> None:
        self.bell.close()
        self._ring.close()


class _Keeper:
    """Owns the process. Everything but `desk`, `pid` and `kill_from_outside` belongs to its thread."""

    def __init__(
        self, listener: Listener, runner: str, threads: int | None, patience: float, patience_replaced: float
    ) -> None:
        self.desk = _Desk()
        self.pid: int | None = None
        self._tell = listener
        self._runner, self._threads = runner, threads
        self._patience, self._patience_replaced = patience, patience_replaced
        self._process: EngineProcess | None = None
        self._ready = False
        self._waiting: list[_Job] = []
        self._running: _Job | None = None
        self._deaths: list[float] = []
        self._close_by: float | None = None
        self._done = False
        self._heeders: dict[type, Callable[[Any], None]] = {
            EngineReady: self._is_ready,
            Updated: self._updated,
            Answered: self._ended,
            Refused: self._ended,
            Cancelled: self._ended,
            Unable: self._is_unable,
        }

    # ------------------------------------------------------------------------------------ the loop

    def keep(self) -> None:
        """The thread's work, until closed."""
        from segviz.worker import shared  # here, not above: numpy must not be loaded before the first paint

        shared.sweep_strays()
        try:
            while not self._done:
                self._turn()
        finally:
            if self._process is not None:
                self._process.kill()
                self._process.finish()
                self.pid = None

    def _turn(self) -> None:
        process = self._process
        sources: list[Any] = [self.desk.bell] + ([process.connection, process.sentinel] if process else [])
        ready = wait(sources, self._time_left())
        if self.desk.bell in ready:
            for note in self.desk.take():
                note()
        if process is not None and process is self._process and len(ready) > (self.desk.bell in ready):
            self._listen(process)
        self._enforce()
        self._hand_out()

    def _deadlines(self) -> list[float]:
        running = self._running.stop_by if self._running else None
        return [time for time in (running, self._close_by) if time is not None]

    def _time_left(self) -> float | None:
        if self._process is None or self._process.killed or not self._deadlines():
            return None
        return max(0.0, min(self._deadlines()) - time.monotonic())

    def _enforce(self) -> None:
        """Kill a process that did not stop or end in time; its end is then heard like any other."""
        if self._time_left() == 0.0 and self._process is not None:
            self._process.kill()

    def _hand_out(self) -> None:
        """Give the next ask to an engine that has nothing to do."""
        if self._process is None or not self._ready or self._running or not self._waiting or self._process.killed:
            return
        job = self._waiting[0]
        if self._process.send(Ask(job.ticket, job.request)):  # else it is dying, and the next one gets it
            self._running = self._waiting.pop(0)

    # ------------------------------------------------------------------------- notes from callers

    def start(self) -> None:
        if self._process is None and self._close_by is None:
            self._spawn()

    def ask(self, job: _Job) -> None:
        self._drop_waiting(type(job.request))
        if self._running is not None and type(self._running.request) is type(job.request):
            self._stop(self._running, self._patience_replaced)
        self._waiting.append(job)
        self.start()

    def cancel(self, kind: type | None) -> None:
        self._drop_waiting(kind)
        if self._running is not None and kind in (None, type(self._running.request)):
            self._stop(self._running, self._patience)

    def close(self, grace: float) -> None:
        self.cancel(None)
        if self._process is None:
            self._done = True
            return
        self._close_by = time.monotonic() + grace
        self._process.send(Quit())

    def kill_from_outside(self) -> None:
        """For the closing thread, when this one is stuck in a read."""
        pid = self.pid
        if pid is not None:
            with suppress(OSError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def _drop_waiting(self, kind: type | None) -> None:
        dropped = [job for job in self._waiting if kind in (None, type(job.request))]
        self._waiting = [job for job in self._waiting if job not in dropped]
        for job in dropped:
            self._tell(Cancelled(job.ticket, job.request))

    def _stop(self, job: _Job, patience: float) -> None:
        deadline = time.monotonic() + patience
        if job.stop_by is None and self._process is not None:
            self._process.send(Stop(job.ticket))
        job.stop_by = deadline if job.stop_by is None else min(job.stop_by, deadline)

    # --------------------------------------------------------------------- messages of the engine

    def _listen(self, process: EngineProcess) -> None:
        try:
            while process.pending() and process is self._process:
                self._open(process, process.receive())
        except EOFError:
            self._lost(process)

    def _open(self, process: EngineProcess, parcel: Parcel) -> None:
        try:
            message = process.open(parcel)
        except (OSError, MemoryError) as error:
            self._refuse_undelivered(process, error)
            return
        self._heeders[type(message)](message)

    def _refuse_undelivered(self, process: EngineProcess, error: Exception) -> None:
        """A result was computed but not received: say so, and begin with a new process."""
        job, self._running = self._running, None
        process.kill()
        if job is not None:
            text = f"the result of {doing(job.request)} could not be received: choose a smaller scale"
            self._tell(Refused(job.ticket, job.request, text, repr(error)))

    def _is_ready(self, event: EngineReady) -> None:
        self._ready = True
        self._tell(event)

    def _updated(self, event: Updated) -> None:
        job = self._running
        if job is not None and job.ticket == event.ticket and job.stop_by is None:
            self._tell(event)

    def _ended(self, event: Answered | Refused | Cancelled) -> None:
        job = self._running
        if job is None or job.ticket != event.ticket:
            return
        self._running = None
        self._deaths.clear()
        self._tell(event)

    def _is_unable(self, trouble: Unable) -> None:
        """It will not get better by itself: tell all who wait, and try again with the next ask."""
        process, waiting = self._process, self._waiting
        self._process, self._waiting = None, []
        self._ready, self.pid = False, None
        if process is not None:
            process.kill()
            process.finish()
        if not waiting:
            self._tell(EngineDied(0, None, trouble.message))
        for job in waiting:
            self._tell(Refused(job.ticket, job.request, trouble.message, trouble.details))
        self._done = self._close_by is not None

    # ------------------------------------------------------------------------ births and deaths

    def _spawn(self) -> None:
        from segviz.worker.process import EngineProcess

        try:
            self._process = EngineProcess(self._runner, self._threads)
        except Exception as error:  # noqa: BLE001  multiprocessing raises what it likes; this thread must outlive it
            said = " ".join(f"the engine's process cannot be started: {error}".split())
            self._is_unable(Unable(shorten(said), "".join(traceback.format_exception(error))))
            return
        self.pid = self._process.pid
        self._ready = False
        self._tell(EngineStarting(self.pid))

    def _lost(self, process: EngineProcess) -> None:
        """The process ended: killed by us, told to, or by itself."""
        from segviz.worker.process import how_it_ended

        status = process.finish()
        job, self._running = self._running, None
        self._process, self._ready, self.pid = None, False, None
        if job is not None and (process.killed or self._close_by is not None):
            self._tell(Cancelled(job.ticket, job.request))
            job = None
        elif not process.killed and self._close_by is None:
            self._mourn(job, how_it_ended(status))
            return
        if self._close_by is not None:
            self._done = True
        else:
            self._spawn()

    def _mourn(self, job: _Job | None, how: str) -> None:
        """It died unasked: say so and start again, unless it keeps dying."""
        now = time.monotonic()
        self._deaths = [then for then in self._deaths if now - then < DEATHS_WITHIN] + [now]
        again = len(self._deaths) < MOST_DEATHS
        what = doing(job.request) if job else "idle"
        coming = "it is starting again" if again else "it stays off until the next run"
        text = f"the engine stopped unexpectedly ({how}) while {what}; {coming}"
        self._tell(EngineDied(job.ticket if job else 0, job.request if job else None, text))
        if again:
            self._spawn()
            return
        self._deaths.clear()
        left, self._waiting = self._waiting, []
        for other in left:
            self._tell(EngineDied(other.ticket, other.request, text))
