"""Code that is not ours as a generator: a network's own forward pass, or torch's way back through it.

Neither can be left half-way from outside. So it runs in a thread of its own, which waits wherever it is told to pause
until somebody wants the next step. One of the two threads runs at a time: nothing needs a lock. What torch keeps for
each thread (gradients on or off, modes that replace functions) is to be set inside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from threading import Semaphore, Thread
from typing import Generic, TypeVar

Answer = TypeVar("Answer")
Pause = Callable[[], None]
LEAST = 0.005  # seconds of a step: to go from one thread to the other costs a tenth of a millisecond


class Stopped(BaseException):
    """Nobody wants the rest: no code of a stranger's may catch this as an error of its own."""


class _Work(Generic[Answer]):
    def __init__(self, work: Callable[[Pause], Answer]) -> None:
        self._work = work
        self._wanted, self._there = Semaphore(0), Semaphore(0)
        self._thread = Thread(target=self._run, name="in steps", daemon=True)
        self._stopped = False
        self._since = 0.0  # when this step began
        self.answers: list[Answer] = []
        self.errors: list[BaseException] = []

    @property
    def ended(self) -> bool:
        return bool(self.answers or self.errors)

    def _run(self) -> None:
        try:
            self.answers.append(self._work(self._pause))
        except BaseException as error:  # noqa: BLE001  it is raised where the steps are taken
            self.errors.append(error)
        self._there.release()

    def _pause(self) -> None:
        if not self._stopped:
            if time.perf_counter() - self._since < LEAST:
                return
            self._there.release()
            self._wanted.acquire()
        if self._stopped:
            raise Stopped

    def go_on(self) -> None:
        """To the next pause that is worth it, or to the end."""
        self._since = time.perf_counter()
        if self._thread.ident is None:
            self._thread.start()
        else:
            self._wanted.release()
        self._there.acquire()

    def end(self) -> None:
        """Wait until the work has tidied up behind itself."""
        self._stopped = True
        self._wanted.release()
        self._thread.join()


def in_steps(work: Callable[[Pause], Answer]) -> Generator[None, None, Answer]:
    """`work`, which is given what it pauses with: each pause is a step, those that come at once are passed over.

    Closed, it is left at a pause by an exception.
    """
    under_way = _Work(work)
    try:
        under_way.go_on()
        while not under_way.ended:
            yield
            under_way.go_on()
    finally:
        under_way.end()
    if under_way.errors:
        raise under_way.errors[0]
    return under_way.answers[0]
