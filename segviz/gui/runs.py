"""Runs of training as the window knows them: frozen values, a part of the Scene."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from segviz.core.learning import TrainingProgress, TrainingResult, TrainingSamples, TrainRequest

POINTS = 1500  # of a run's curves that are kept


class Phase(StrEnum):
    """What becomes of the newest run."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    WAITING = "waiting"  # for a race to end
    STOPPED = "stopped"  # its test waits for a race to end
    STOPPING = "stopping"
    FINISHING = "finishing"  # what a stopped run has learned is tested and becomes a file


ACTIVE = frozenset({Phase.STARTING, Phase.RUNNING, Phase.PAUSING, Phase.STOPPING, Phase.FINISHING})
ENDING = frozenset({Phase.STOPPING, Phase.STOPPED, Phase.FINISHING})  # no more steps are taken
HALTED = frozenset({Phase.PAUSED, Phase.WAITING, Phase.STOPPED})  # nothing is computed


@dataclass(frozen=True, eq=False)
class Run:
    """One run: what was asked and what it has told so far. `trouble` is why it ended early, '': nothing.

    `points` are in the order of their steps. `number` tells runs apart.
    """

    number: int
    name: str
    request: TrainRequest
    points: tuple[TrainingProgress, ...] = ()
    samples: TrainingSamples | None = None
    result: TrainingResult | None = None
    trouble: str = ""

    @property
    def newest(self) -> TrainingProgress | None:
        return self.points[-1] if self.points else None

    @property
    def step(self) -> int:
        return self.points[-1].step if self.points else 0


@dataclass(frozen=True, slots=True)
class Left:
    """A run that an earlier window, or a crash, left unfinished: its record and what it was asked.

    `step` of `steps` is where it was when it was last written down.
    """

    record: Path
    name: str
    request: TrainRequest
    step: int
    steps: int


@dataclass(frozen=True, eq=False)
class Training:
    """The laboratory: the runs of this window, oldest first, `phase` of the newest, what earlier windows left.

    `rate` is in steps a second, `remaining` in seconds; None until known.
    """

    phase: Phase = Phase.IDLE
    runs: tuple[Run, ...] = ()
    left: tuple[Left, ...] = ()
    rate: float | None = None
    remaining: float | None = None

    @property
    def run(self) -> Run | None:
        return self.runs[-1] if self.runs else None

    def of(self, number: int) -> Run | None:
        """The run of that number."""
        return next((run for run in self.runs if run.number == number), None)

    def with_run(self, **changes: object) -> Training:
        """With the newest run changed."""
        return replace(self, runs=(*self.runs[:-1], replace(self.runs[-1], **changes)))  # type: ignore[arg-type]


NO_TRAINING = Training()


def with_point(points: tuple[TrainingProgress, ...], point: TrainingProgress) -> tuple[TrainingProgress, ...]:
    """`points` and the next one. What goes on from a checkpoint tells some steps again: the newer count."""
    while points and points[-1].step >= point.step:
        points = points[:-1]
    return thinned((*points, point), POINTS)


def thinned(points: tuple[TrainingProgress, ...], most: int) -> tuple[TrainingProgress, ...]:
    """About half of `points` once they are more than `most`: every second goes, the newest and each first
    that tells of a test stay."""
    if len(points) <= most:
        return points
    last = len(points) - 1
    return tuple(
        point
        for at, point in enumerate(points)
        if at % 2 or at == last or point.tested_at != points[at - 1 if at else 0].tested_at
    )
