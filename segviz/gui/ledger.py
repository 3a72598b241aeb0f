"""What the desk has asked of the engine, what it got, and what it gave up."""

from __future__ import annotations

import time

from segviz.core.planning import same_but_drawn
from segviz.core.requests import Progress, Request
from segviz.gui.pace import Pace
from segviz.gui.scene import Job, Kind

QUIET = 0.4  # seconds that one more answer about a drawing may take before the work is shown


class Ledger:
    """The newest request of each kind: on its way, answered, or given up (failed or stopped: not asked by itself)."""

    def __init__(self) -> None:
        self._asked: dict[Kind, tuple[int, Request]] = {}
        self._have: dict[Kind, Request] = {}
        self._given_up: dict[Kind, Request] = {}
        self._paces: dict[Kind, Pace] = {}
        self._since: dict[Kind, float] = {}

    @property
    def kinds(self) -> list[Kind]:
        """Kinds of work on its way, in the order in which it was asked for."""
        return list(self._asked)

    @property
    def given_up(self) -> tuple[Request, ...]:
        """What ended without an answer, and is not on its way again."""
        return tuple(request for kind, request in self._given_up.items() if self.asked(kind) != request)

    def asked(self, kind: Kind) -> Request | None:
        return self._asked[kind][1] if kind in self._asked else None

    def is_quiet(self, kind: Kind) -> bool:
        """Whether it only answers anew what is drawn or dragged, and soon: to show each would flicker."""
        asked, have = self.asked(kind), self._have.get(kind)
        again = asked is not None and have is not None and asked != have and same_but_drawn(asked, have)
        return again and time.monotonic() - self._since[kind] < QUIET

    def have(self, kind: Kind) -> Request | None:
        return self._have.get(kind)

    def settled(self, kind: Kind, request: Request | None) -> bool:
        """Whether there is nothing to ask: nothing is wanted, it is there, or it was given up."""
        return request in (None, self._have.get(kind), self._given_up.get(kind))

    def kind_of(self, ticket: int) -> Kind | None:
        """The kind of work that a ticket stands for; None when nobody waits for it any more."""
        return next((kind for kind, (number, _) in self._asked.items() if number == ticket), None)

    def ask(self, kind: Kind, request: Request, ticket: int) -> None:
        self._paces[kind] = Pace()
        self._since[kind] = time.monotonic()
        self._asked[kind] = ticket, request

    def drop(self, kind: Kind) -> None:
        """Nobody waits for it any more; it may be asked again."""
        del self._asked[kind]

    def give_up(self, kind: Kind) -> None:
        """It ended without an answer, or is to end: it is not asked again by itself."""
        self._given_up[kind] = self._asked.pop(kind)[1]

    def keep(self, kind: Kind) -> None:
        """It was answered."""
        self._have[kind] = self._asked.pop(kind)[1]
        self._given_up.pop(kind, None)

    def hold(self, kind: Kind, request: Request) -> None:
        """Its answer is at hand without being asked for."""
        self._have[kind] = request

    def forget(self, kind: Kind) -> None:
        """Its answer is no longer there."""
        self._have.pop(kind, None)

    def clear(self) -> None:
        """Everything is to be asked again."""
        self._have.clear()
        self._given_up.clear()

    def forgive(self, kind: Kind | None = None) -> None:
        """What failed or was stopped, all of it or that of one kind, is asked for again when it is wanted."""
        for one in list(self._given_up) if kind is None else [kind]:
            self._given_up.pop(one, None)

    def job(self, kind: Kind, progress: Progress) -> Job:
        """Work under way with its rate, as its pace until now says."""
        rate, remaining = self._paces[kind].at(time.monotonic(), progress)
        return Job(kind, progress, rate, remaining)
