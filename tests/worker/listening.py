"""A listener for tests that waits for what it wants to hear."""

from __future__ import annotations

import threading
from collections.abc import Callable

from segviz.worker.messages import Answered, Cancelled, EngineDied, Event, Refused

LONGEST = 60.0  # seconds; only a failing test waits so long
ENDS = (Answered, Refused, Cancelled, EngineDied)


class Heard:
    """Collects events; `wait` blocks until one fits."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._news = threading.Condition()

    def __call__(self, event: Event) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def wait(self, fits: Callable[[Event], bool]) -> Event:
        """The first event that fits, of those heard and those to come."""
        found: list[Event] = []

        def here() -> bool:
            found[:] = [event for event in self.events if fits(event)]
            return bool(found)

        with self._news:
            if not self._news.wait_for(here, LONGEST):
                raise AssertionError(f"not heard; only {self.events}")
        return found[0]

    def a(self, kind: type, ticket: int | None = None) -> Event:
        """The first event of a kind, of one ask; fails at once when the ask has ended otherwise."""

        def mine(event: Event) -> bool:
            return ticket is None or getattr(event, "ticket", None) == ticket

        found = self.wait(lambda event: mine(event) and isinstance(event, (kind, *(ENDS if ticket else ()))))
        assert isinstance(found, kind), found
        return found

    def end(self, ticket: int) -> Event:
        """How an ask ended."""
        return self.wait(lambda event: isinstance(event, ENDS) and event.ticket == ticket)

    def of(self, ticket: int) -> list[Event]:
        return [event for event in self.events if getattr(event, "ticket", None) == ticket]
