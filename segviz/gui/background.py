"""Writing files beside the window's thread, so that a large export never holds it up."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from segviz.core.errors import SegvizError

Then = Callable[[SegvizError | OSError | None], None]


class _Carrier(QObject):
    """Takes the end of work from other threads. Has no parent: it must outlive their last word."""

    done = Signal(object, object)


class Background:
    """Runs pieces of work, each in a thread of its own; their ends are told in the thread that made this."""

    def __init__(self) -> None:
        self._carrier = _Carrier()
        self._carrier.done.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._threads: list[threading.Thread] = []
        self._closed = False

    @property
    def busy(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def run(self, work: Callable[[], object], then: Then) -> None:
        """Do `work`, then call `then` with the SegvizError or OSError that ended it, or None.

        Any other exception is a bug and reaches `threading.excepthook`.
        """
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._work, args=(work, then), name="segviz file")
        self._threads.append(thread)
        thread.start()

    def _work(self, work: Callable[[], object], then: Then) -> None:
        error: SegvizError | OSError | None = None
        try:
            work()
        except (SegvizError, OSError) as failure:
            error = failure
        self._carrier.done.emit(then, error)

    def _tell(self, then: Then, error: SegvizError | OSError | None) -> None:
        if not self._closed:
            then(error)

    def close(self) -> None:
        """Finish what was begun, since files are written whole or not at all; nothing is told any more."""
        self._closed = True
        for thread in self._threads:
            thread.join()
