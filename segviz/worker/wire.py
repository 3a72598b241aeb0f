"""What crosses the pipe between the two processes besides the public messages."""

from __future__ import annotations

from dataclasses import dataclass

from segviz.worker.messages import Asked

# ------------------------------------------------------------------------- from the window's process


@dataclass(frozen=True, slots=True)
class Ask:
    ticket: int
    request: Asked


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop this ask at the next update; one that has ended already is not concerned."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The contents of a block of shared memory were copied; the sender may let go of it."""

    block: str


@dataclass(frozen=True, slots=True)
class Quit:
    """Stop what runs and end the process."""


# ------------------------------------------------------------------------------- from the engine's


@dataclass(frozen=True, slots=True)
class Unable:
    """The engine could not even be built (a library is missing or broken); the process ends."""

    message: str
    details: str
