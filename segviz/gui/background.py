"""Work beside the window's thread, so that a large export or a large mask never holds it up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from segviz.core.errors import SegvizError

WORKER = "segviz beside the window"  # the name of each thread
LAST_WORD = 0.7  # seconds before the end of all patience at which work is told to stop
Then = Callable[[SegvizError | OSError | None], None]
Item = TypeVar("Item")


class Interrupted(Exception):
    """The window is closing and waits no longer for this work."""


class _Worker(threading.Thread):
    """A thread with one piece of work, which may look whether it is to stop."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__(target=work, name=WORKER)
        self.stopped = threading.Event()


def interruptible(items: Iterable[Item]) -> Iterator[Item]:
    """`items` one by one; raises Interrupted between two of them once the work in this thread is to stop.

    For the pieces of what takes long: frames of an animation, layers of a picture. In any other
    thread than a Background's they simply pass.
    """
    thread = threading.current_thread()
    for item in items:
        if isinstance(thread, _Worker) and thread.stopped.is_set():
            raise Interrupted
        yield item


class _Carrier(QObject):
    """Takes the end of work from other threads. Has no parent: it must outlive their last word."""

    done = Signal(object, object)


class Background:
    """Runs pieces of work, each in a thread of its own; their ends are told in the thread that made this."""

    def __init__(self) -> None:
        self._carrier = _Carrier()
        self._carrier.done.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._threads: list[_Worker] = []
        self._closed = False

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def run(self, work: Callable[[], object], then: Then) -> None:
        """Do `work`, then call `then` with the SegvizError or OSError that ended it, or None.

        Whatever else ends it becomes a SegvizError: what waits for `then` must not wait for ever. That memory was
        refused is all there is to say then; any other exception is a bug and reaches `threading.excepthook`, too.
        """
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = _Worker(lambda: self._work(work, then))
        self._threads.append(thread)
        thread.start()

    def _work(self, work: Callable[[], object], then: Then) -> None:
        error: SegvizError | OSError | None = None
        try:
            work()
        except (SegvizError, OSError) as failure:
            error = failure
        except Interrupted:
            return
        except Exception as failure:
            from segviz.core.refusals import lacks_memory, refusal  # here, not above: after the first paint

            self._carrier.done.emit(then, refusal(failure))
            if not lacks_memory(failure):
                raise
            return
        self._carrier.done.emit(then, error)

    def _tell(self, then: Then, error: SegvizError | OSError | None) -> None:
        if not self._closed:
            then(error)

    def close(self, patience: float) -> bool:
        """Let what was begun come to its end, at most `patience` seconds; nothing is told any more.

        Returns whether all of it has ended. What has not is told to stop, and may be left behind:
        files are written whole or not at all, so that at worst an old one stays.
        """
        self._closed = True
        until = time.monotonic() + patience
        self._join(until - LAST_WORD)
        for thread in self._threads:
            thread.stopped.set()
        self._join(until)
        return not self.busy

    def close_at_once(self) -> None:
        """Tell nothing any more, and wait for nothing: for work that writes no file."""
        self._closed = True

    def _join(self, until: float) -> None:
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
