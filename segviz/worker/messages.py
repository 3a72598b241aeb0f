"""What passes between the window's process and the engine's: tickets, and events in return.

A ticket numbers one ask. Every ask that was accepted ends in exactly one of Answered, Refused,
Cancelled or EngineDied.
"""

from __future__ import annotations

from dataclasses import dataclass

from segviz.core.learning import TrainRequest
from segviz.core.requests import Answer, Request, Update

Asked = Request | TrainRequest  # of the process that inspects, or of the one that trains


@dataclass(frozen=True, slots=True)
class EngineStarting:
    """A process was started and loads its libraries."""

    pid: int


@dataclass(frozen=True, slots=True)
class EngineReady:
    """The engine takes asks. `device` says what it computes on, for example 'CPU, 2 threads'."""

    pid: int
    device: str


@dataclass(frozen=True, slots=True)
class Updated:
    ticket: int
    request: Asked
    update: Update


@dataclass(frozen=True, slots=True)
class Answered:
    ticket: int
    request: Asked
    answer: Answer


@dataclass(frozen=True, slots=True)
class Refused:
    """The ask failed with a message for people; `details` holds the traceback.

    `trust` is what a person would have to trust for it not to fail ('core/trust'); '' where that is not it.
    """

    ticket: int
    request: Asked
    message: str
    details: str
    trust: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Stopped by the person or replaced by a newer ask of its kind."""

    ticket: int
    request: Asked


@dataclass(frozen=True, slots=True)
class EngineDied:
    """The process ended unasked; `request` is what it was doing, or what waited while it kept dying.

    A new process is starting already, unless `message` says that the engine stays off until the next ask.
    """

    ticket: int
    request: Asked | None
    message: str


Event = EngineStarting | EngineReady | Updated | Answered | Refused | Cancelled | EngineDied
