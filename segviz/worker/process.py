"""One engine process as its parent sees it: started, spoken to, killed. Used by one thread alone."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import suppress
from typing import Any

from segviz.worker import entry, shared
from segviz.worker.wire import Taken

LONGEST_END = 1.0  # seconds that a killed process may take to be gone


class EngineProcess:
    """A running engine.

    Spawned, not forked: a fork of a process with threads and a window system is not safe. Python
    imports the main module again in the child, under another name, so that what starts segviz must
    import nothing heavy at its top.
    """

    def __init__(self, runner: str, threads: int | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._prefix = shared.prefix_for_this_process()
        self._serial = 0  # of the newest block that was announced
        self.connection, theirs = context.Pipe()
        self._process = context.Process(
            target=entry.begin,
            args=(theirs, runner, self._prefix, threads),
            name="segviz engine",
            daemon=True,
        )
        try:
            self._process.start()
        except Exception:  # an OSError; a RuntimeError where a program starts segviz without a main guard
            self.connection.close()
            raise
        finally:
            theirs.close()  # else the end of the child would not be the end of the pipe
        self.pid: int = self._process.pid or 0
        self.sentinel = self._process.sentinel
        self.killed = False

    def send(self, message: Any) -> bool:
        """Whether the message went out; if not, the process is dying and `receive` will tell.

        Never blocks for long: only asks of a few hundred bytes travel this way, one at a time.
        """
        try:
            self.connection.send(message)
        except OSError:
            return False
        return True

    def pending(self) -> bool:
        """Whether `receive` has something to return or to raise."""
        try:
            return self.connection.poll()
        except OSError:
            return True

    def receive(self) -> shared.Parcel:
        """The next parcel. Raises EOFError when the process is gone and all that it sent was read."""
        try:
            parcel: shared.Parcel = self.connection.recv()
        except OSError as error:  # it died in the middle of a message
            raise EOFError from error
        if parcel.block is not None:
            self._serial = shared.serial_of(parcel.block)
        return parcel

    def open(self, parcel: shared.Parcel) -> Any:
        """What is in the parcel. Raises OSError or MemoryError when it cannot be brought over."""
        try:
            return shared.unpack(parcel)
        finally:
            if parcel.block is not None:
                self.send(Taken(parcel.block))

    def kill(self) -> None:
        self.killed = True
        self._process.kill()

    def finish(self) -> int | None:
        """Kill it if it still lives, wait, and tidy up after it; the exit status, None if it cannot end."""
        self._process.join(0 if self.killed else LONGEST_END)
        if self._process.exitcode is None:
            self._process.kill()
            self._process.join(LONGEST_END)
        status = self._process.exitcode
        with suppress(EOFError):
            while self.pending():
                parcel = self.receive()
                if parcel.block is not None:
                    shared.discard(parcel.block)
        self.connection.close()
        shared.discard(shared.block_name(self._prefix, self._serial + 1))
        if status is not None:
            self._process.close()
        return status


def how_it_ended(status: int | None) -> str:
    """An exit status in words."""
    if status is None:
        return "it does not end"
    if status >= 0:
        return f"exit status {status}"
    if -status == getattr(signal, "SIGKILL", None):
        return "killed by signal 9, as systems do when memory runs out"
    return f"killed by signal {-status}"
