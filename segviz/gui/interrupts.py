"""Ctrl+C in the terminal and a polite kill close the window as its close button does.

Python runs the handler of a signal between two of its own instructions, and there are none while Qt
waits for events. So the system's byte per signal goes into a socket that Qt waits for as well; the
window is then closed from the event loop, never from the middle of whatever was going on.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QSocketNotifier

ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # those of them that this system has


class Interrupts(QObject):
    """Calls `end` in the window's thread when one of the signals comes, from `install` until `remove`.

    A signal that the program was started to ignore (`nohup`, a shell's `&`) stays ignored. To be used in
    the main thread, which alone may set handlers.
    """

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__()
        self._end = end
        self._before: dict[int, Any] = {}
        self._wakeup_before = -1
        self._sockets: tuple[socket.socket, socket.socket] | None = None
        self._notifier: QSocketNotifier | None = None

    def install(self) -> None:
        """Begin to listen."""
        theirs, ours = self._sockets = socket.socketpair()
        for end in self._sockets:
            end.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._notifier = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._heard)
        for number in (getattr(signal, name) for name in ENDING if hasattr(signal, name)):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, lambda *_: None)  # without one the byte does not come

    def remove(self) -> None:
        """Give back what was there before."""
        if self._sockets is None or self._notifier is None:
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
        signal.set_wakeup_fd(self._wakeup_before)
        self._notifier.setEnabled(False)
        for end in self._sockets:
            end.close()
        self._sockets = self._notifier = None

    def _heard(self) -> None:
        if self._sockets is None:
            return
        numbers = self._sockets[1].recv(64)
        if any(number in self._before for number in numbers):
            self._end()
