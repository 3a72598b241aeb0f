"""Times taken side by side, and what is said of them: medians of ratios, their spread, targets met or not.

Seconds say nothing about another machine and little about the same one an hour later. So every side
of a row runs once a round, one after the other, and a ratio is taken within each round: what else
the machine does then falls on both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Side:
    """One of what is compared. `run` does the `share` of the whole; the rest is extrapolated.

    `calls` are the runs that one sample times: several, where one is too short for the clock.
    """

    name: str
    run: Callable[[], object]
    share: float = 1.0
    calls: int = 1


@dataclass(frozen=True)
class Times:
    """Seconds that each side takes for the whole, one for every round."""

    seconds: Mapping[str, tuple[float, ...]]

    def ratio(self, slow: str, fast: str) -> tuple[float, ...]:
        """How many times longer `slow` takes than `fast`, round by round."""
        return tuple(a / b for a, b in zip(self.seconds[slow], self.seconds[fast], strict=True))


def interleaved(sides: Sequence[Side], rounds: int, clock: Clock = time.perf_counter, warm: bool = True) -> Times:
    """Run every side once a round, in their order; one round before, outside the clock, unless `warm` is false."""
    found: dict[str, list[float]] = {side.name: [] for side in sides}
    if warm:
        for side in sides:
            side.run()
    for _ in range(rounds):
        for side in sides:
            began = clock()
            for _ in range(side.calls):
                side.run()
            found[side.name].append((clock() - began) / side.calls / side.share)
    return Times({name: tuple(seconds) for name, seconds in found.items()})


def spread(samples: Sequence[float]) -> float:
    """Half the distance between the quartiles: half of the samples lie about this near to the median."""
    if len(samples) < 2:
        return 0.0
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return (high - low) / 2


@dataclass(frozen=True, slots=True)
class Target:
    """What a measure should reach: at least `value`, or at most if `upwards` is false."""

    value: float
    upwards: bool

    def met(self, found: float) -> bool:
        return found >= self.value if self.upwards else found <= self.value  # NaN meets nothing


def at_least(value: float) -> Target:
    return Target(value, True)


def at_most(value: float) -> Target:
    return Target(value, False)


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of a row, with its samples (one a round). `unit` is 'x' (times), '%' or '' (a difference)."""

    name: str
    samples: tuple[float, ...]
    unit: str = "x"
    target: Target | None = None
    extrapolated: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    def data(self, judged: bool = True) -> dict[str, Any]:
        """For JSON. Targets belong to the full conditions: they are named, but not `judged`, in a quick run."""
        target = self.target
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "spread": spread(self.samples),
            "low": min(self.samples),
            "high": max(self.samples),
            "samples": len(self.samples),
            "extrapolated": self.extrapolated,
            "target": None if target is None else {"at_least" if target.upwards else "at_most": target.value},
            "met": None if target is None or not judged else target.met(self.median),
        }


@dataclass
class Found:
    """What a row found: its measures, the seconds behind them, and notes (peers that are missing, choices made)."""

    conditions: str
    measures: list[Measure] = field(default_factory=list)
    seconds: dict[str, tuple[float, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def took(self, times: Times) -> Times:
        """Keep the seconds of `times`, which it hands back."""
        self.seconds |= times.seconds
        return times


class SkippedError(Exception):
    """A row or a side of one cannot be measured here; the message says why, in a line."""


@dataclass(frozen=True)
class Plan:
    """How rows are run. `quick` is for seeing that they do: small images, two rounds, targets not judged."""

    quick: bool = False
    clock: Clock = time.perf_counter
    say: Callable[[str], None] = lambda text: None

    def rounds(self, wanted: int) -> int:
        return min(2, wanted) if self.quick else wanted

    def size(self, full: tuple[int, int], quick: tuple[int, int]) -> tuple[int, int]:
        return quick if self.quick else full
