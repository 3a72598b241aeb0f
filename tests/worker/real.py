"""One real engine for the whole test session, lent out to one test after another.

A test that wants it takes the fixture `engine_client`, or hands `shared_engine.lend` to Jobs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from segviz.core.requests import Request
from segviz.worker.client import Client
from segviz.worker.messages import EngineReady, EngineStarting, Event
from tests.worker.listening import Heard


class Loan:
    """Looks like a client of its own; `close` cancels what it asked and leaves the engine running."""

    def __init__(self, engine: SharedEngine, listener: Callable[[Event], None]) -> None:
        self._engine = engine
        self._listener = listener
        self._started = False
        self.tickets: set[int] = set()

    def start(self) -> None:
        self._engine.client.start()
        with self._engine.lock:
            if not self._started:
                self._started = True
                for event in self._engine.greetings:
                    self._listener(event)

    def ask(self, request: Request) -> int:
        self.start()
        with self._engine.lock:  # no event of this ask is passed on before its ticket is known
            ticket = self._engine.client.ask(request)
            self.tickets.add(ticket)
        return ticket

    def cancel(self, kind: type | None = None) -> None:
        self._engine.client.cancel(kind)

    def close(self, patience: float = 0) -> None:
        self._engine.client.cancel()
        with self._engine.lock:
            self._engine.loans.discard(self)

    @property
    def pid(self) -> int | None:
        return self._engine.client.pid

    @property
    def alive(self) -> bool:
        return self._engine.client.alive

    def wants(self, event: Event) -> bool:
        ticket = getattr(event, "ticket", 0)
        return ticket in self.tickets or (ticket == 0 and self._started)

    def tell(self, event: Event) -> None:
        self._listener(event)


class SharedEngine:
    """A client of the real engine, and who listens to it at present."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.loans: set[Loan] = set()
        self.greetings: list[Event] = []  # what a new listener has missed
        self.client = Client(self._tell, threads=2)

    def lend(self, listener: Callable[[Event], None]) -> Loan:
        """To be given to `Jobs(connect=...)` in place of `Client`."""
        loan = Loan(self, listener)
        with self.lock:
            self.loans.add(loan)
        return loan

    def _tell(self, event: Event) -> None:
        with self.lock:
            if isinstance(event, EngineStarting):
                self.greetings = [event]
            elif isinstance(event, EngineReady):
                self.greetings.append(event)
            for loan in [loan for loan in self.loans if loan.wants(event)]:
                loan.tell(event)


@pytest.fixture(scope="session")
def shared_engine() -> Iterator[SharedEngine]:
    """The real engine in its own process; started by the first test that asks it."""
    engine = SharedEngine()
    yield engine
    engine.client.close()


@pytest.fixture
def engine_client(shared_engine: SharedEngine) -> Iterator[tuple[Loan, Heard]]:
    """The real engine on loan, and what it tells."""
    heard = Heard()
    loan = shared_engine.lend(heard)
    yield loan, heard
    loan.close()
