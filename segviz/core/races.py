"""The race of a sliding window against the fully convolutional network: asked for, on the way, and answered (T19)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from segviz.core.frames import Lattice

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import PartialLabels, Setup

ROUNDING = 5e-5  # of probabilities that two orders of summing may differ by, over the layers of a deep network


@dataclass(frozen=True, slots=True)
class RaceRequest:
    """Sliding window against fully convolutional network, on equal grids (lecture T19).

    `budget` is the time in seconds that the sliding window may take before it is extrapolated.
    """

    setup: Setup
    grid_stride: int | None = None
    budget: float = 20.0


@dataclass(frozen=True, eq=False)
class RaceUpdate:
    """One side of a running race: its clock, its outputs and its map so far."""

    side: str  # "sliding_window", "one_by_one" or "fully_convolutional"
    seconds: float
    partial: PartialLabels


@dataclass(frozen=True, slots=True)
class Lane:
    """One side of a race."""

    seconds: float  # of all outputs, in the median of its repeats
    outputs: int  # grid positions
    extrapolated: bool
    macs: int
    batch: int = 1
    measured: int = 0  # positions that were really computed
    bytes: int = 0  # of all feature maps that are made, in float32
    repeats: int = 1  # runs over what was computed; of a sample, its parts


@dataclass(frozen=True, slots=True)
class StrideSpeed:
    """What a race comes to with windows `stride` network pixels apart: `outputs` of them, at the measured rate."""

    stride: int
    outputs: int
    speedup: float


@dataclass(frozen=True, slots=True)
class FieldCheck:
    """Units of a padded network against the same weights without padding on their full field (lecture T19).

    `size` is the field's (height, width) in network pixels, `difference` the largest of probabilities on
    `sample` units; not a number where the image is too small for any.
    """

    size: tuple[int, int]
    sample: int
    difference: float

    @property
    def equal(self) -> bool:
        """Whether what was compared is equal to rounding: padding is then the whole cause of what differs."""
        return self.difference <= ROUNDING  # not a number is not equal to anything


@dataclass(frozen=True, eq=False)
class RaceResult:
    """Answer to RaceRequest. `label_agreement` counts classes that are tied to rounding as one.

    The label maps are int16, of the grid; `sliding_labels` is -1 where no window was computed.
    Beside each is the probability of its labels (uint8, 255 for 1).
    """

    request: RaceRequest
    sliding_window: Lane
    one_by_one: Lane
    fully_convolutional: Lane
    max_abs_difference: float
    label_agreement: float
    center_offset: tuple[float, float]  # (x, y) in network pixels
    exact: bool
    reason: str
    lattice: Lattice
    window: tuple[int, int]
    classes: tuple[str, ...]
    sliding_labels: np.ndarray
    dense_labels: np.ndarray
    difference: np.ndarray  # float32 (rows, columns): largest difference of probabilities; NaN where not measured
    sliding_confidence: np.ndarray | None = None
    dense_confidence: np.ndarray | None = None
    notes: tuple[str, ...] = field(default=())
    by_stride: tuple[StrideSpeed, ...] = ()  # from the race's own stride up to windows side by side
    field_check: FieldCheck | None = None  # of a padded network, where a field lies inside the image

    @property
    def redundancy(self) -> float | None:
        """How often the windows multiply for once of the fully convolutional network; None where nothing is counted."""
        return self.sliding_window.macs / self.fully_convolutional.macs if self.fully_convolutional.macs else None

    @property
    def speedup(self) -> float:
        """Over the best batched sliding window."""
        return self.sliding_window.seconds / self.fully_convolutional.seconds

    @property
    def speedup_one_by_one(self) -> float:
        return self.one_by_one.seconds / self.fully_convolutional.seconds
