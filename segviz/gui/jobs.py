"""The engine's client and the loading of pictures, as signals in the GUI thread."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal

from segviz.core.errors import SegvizError
from segviz.worker.client import LAST_WORD, Client, Listener
from segviz.worker.messages import Asked

if TYPE_CHECKING:
    from segviz.core.images import Picture

TRAINER = "segviz.training.run:Trainer"
LONGEST_STEP = 60.0  # seconds after which a paused step is given up; the checkpoint before it stays
STEP = 1.5  # seconds of it for which a closing window waits
PATIENCE = 2.0  # seconds that closing may take: for the engine, and for a picture that is being decoded


@dataclass(frozen=True, eq=False)
class PictureOpened:
    """The file at `path`, as it was asked for, was read."""

    path: str
    picture: Picture


@dataclass(frozen=True, slots=True)
class PictureRefused:
    """The file at `path` cannot be shown; `message` is for people."""

    path: str
    message: str
    details: str


class _Carrier(QObject):
    """Takes events from other threads. Has no parent: it must live until the last thread let go of it.

    A thread holds it by its method `tell`; the signal's own `emit` would not keep it.
    """

    passed = Signal(object)

    def tell(self, event: object) -> None:
        self.passed.emit(event)


@dataclass(frozen=True, slots=True)
class _Read:
    """An event of the picture thread with the number of the call that it answers."""

    serial: int
    event: PictureOpened | PictureRefused


class _PictureLoader:
    """Reads one file at a time in a thread that lives only while there is something to read; the newest wins."""

    def __init__(self, tell: Callable[[object], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._serial = 0
        self._wanted: tuple[int, str] | None = None
        self._thread: threading.Thread | None = None

    def open(self, path: str) -> None:
        with self._lock:
            self._serial += 1
            self._wanted = self._serial, path
            if self._thread is None:
                # A daemon: a file that takes minutes to decode must not keep a closed application alive.
                self._thread = threading.Thread(target=self._work, name="segviz picture", daemon=True)
                self._thread.start()

    def is_newest(self, serial: int) -> bool:
        return serial == self._serial

    def close(self, patience: float) -> None:
        with self._lock:
            self._wanted, thread = None, self._thread
        if thread is not None:
            thread.join(patience)

    def _work(self) -> None:
        while (wanted := self._next()) is not None:
            serial, path = wanted
            self._tell(_Read(serial, _opened(path)))

    def _next(self) -> tuple[int, str] | None:
        """What to read next; None ends the thread."""
        with self._lock:
            wanted, self._wanted = self._wanted, None
            if wanted is None:
                self._thread = None
            return wanted


def _opened(path: str) -> PictureOpened | PictureRefused:
    from segviz.core.images import open_picture  # here, not above: numpy and Pillow load in this thread

    try:
        return PictureOpened(path, open_picture(path))
    except SegvizError as error:
        return PictureRefused(path, str(error), error.details)


class _TrainingClient(Client):
    """A step and the checkpoint behind it may take longer than what the engine is given to stop."""

    def close(self, grace: float = STEP, patience: float = STEP) -> None:
        super().close(max(grace, patience - LAST_WORD), patience)


def trainer(listener: Listener) -> Client:
    """The client of a process that trains, beside the one that inspects: it takes half of the processors."""
    share = max(1, (os.cpu_count() or 1) // 2)
    return _TrainingClient(listener, TRAINER, threads=share, patience=LONGEST_STEP, patience_replaced=LONGEST_STEP)


class Jobs(QObject):
    """What the window asks of its engine and of the disk, and what comes back.

    `told` delivers what `segviz.worker.messages` lists, and PictureOpened or PictureRefused, always
    in the GUI thread. A picture that is not the newest wanted is not delivered. Until `start` no
    process runs. `close` ends everything within its patience; nothing is delivered after it.
    `connect` makes the client that will call the given listener from its own thread.
    """

    told = Signal(object)

    def __init__(self, parent: QObject | None = None, connect: Callable[[Listener], Client] = Client) -> None:
        super().__init__(parent)
        self._carrier = _Carrier()
        self._carrier.passed.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._client = connect(self._carrier.tell)
        self._pictures = _PictureLoader(self._carrier.tell)
        self._closed = False

    def start(self) -> None:
        """Start the engine; to be called when the first frame is on the screen."""
        self._client.start()

    def ask(self, request: Asked) -> int:
        """Have `request` done; returns the ticket that its events carry. An older ask of its kind is cancelled."""
        return self._client.ask(request)

    def cancel(self, kind: type | None = None) -> None:
        """Cancel asks of one kind (type of request), or all."""
        self._client.cancel(kind)

    def open_picture(self, path: str) -> None:
        """Read an image file in the background; an older one that is not there yet is forgotten."""
        self._pictures.open(path)

    @property
    def engine_pid(self) -> int | None:
        """The engine's process, None while there is none."""
        return self._client.pid

    def close(self, patience: float = PATIENCE) -> None:
        """End the engine, whatever it does, and forget pictures on their way, within `patience` seconds."""
        if self._closed:
            return
        self._closed = True
        until = time.monotonic() + patience
        self._client.close(patience=patience)
        self._pictures.close(max(0.0, until - time.monotonic()))

    def _deliver(self, event: object) -> None:
        if self._closed:
            return
        if isinstance(event, _Read):
            if not self._pictures.is_newest(event.serial):
                return
            event = event.event
        self.told.emit(event)
