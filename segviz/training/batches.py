"""What a training step eats, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Tile:
    """Which part of an image is shown: that in `row` and `column` of `rows` x `columns` that cover it."""

    row: int = 0
    column: int = 0
    rows: int = 1
    columns: int = 1

    @property
    def last(self) -> bool:
        """Whether the image is complete with it: tiles come row by row."""
        return (self.row, self.column) == (self.rows - 1, self.columns - 1)


WHOLE = Tile()


@dataclass(frozen=True, eq=False)
class Batch:
    """Images and what they show, as the network wants them.

    `images` (N, C, H, W) are preprocessed. `labels` are int64, (N,) for a classifier, (N, H, W) for a
    segmentation network, `metrics.IGNORED` where nothing counts. `weights` (N, H, W) multiply the loss of
    each pixel; None: all alike. `instances` (N, H, W) int32 tell things apart, 0 being none of them, where the data
    do. `tiles` has a `Tile` for each of the N where they are parts of images, () where they are whole ones.
    `undecided` (M, C, H, W) are images that show nothing, to be answered with equal
    probabilities (outlier exposure: Hendrycks, Mazeika and Dietterich 2019).
    """

    images: Tensor
    labels: Tensor
    weights: Tensor | None = None
    instances: Tensor | None = None
    undecided: Tensor | None = None
    tiles: tuple[Tile, ...] = ()


class Source(Protocol):
    """Data to learn from, and other data of the same kind to be tested on.

    `SOURCES` in `training/recipes` names what makes one, as `make(entry, quick, **options)`.
    """

    classes: tuple[str, ...]

    def batch(self, count: int, chance: torch.Generator) -> Batch:
        """`count` images to learn from; all that is random comes from `chance`."""

    def held_out(self) -> Iterator[Batch]:
        """All that is never trained on, always the same, in batches."""

    def samples(self) -> Batch:
        """A few of the held-out images, whose answers are shown while the network learns."""


@runtime_checkable
class Dealing(Protocol):
    """A source that deals its images round by round: what is left of a round belongs into a checkpoint."""

    def remaining(self) -> Tensor:
        """The numbers of the images that are still to come in this round, int64, in their order."""

    def deal_on(self, remaining: Tensor) -> None:
        """Go on with the round of which `remaining` is left."""


@runtime_checkable
class Fingerprinted(Protocol):
    """A source of files that may be others by now."""

    def fingerprint(self) -> str:
        """The same for the same files alone."""


class Deck:
    """Numbers 0..count-1 in random order, dealt until too few are left, then shuffled anew."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.remaining = torch.empty(0, dtype=torch.int64)

    def deal(self, number: int, chance: torch.Generator) -> Tensor:
        """The next `number` of them, int64; all random numbers are drawn from `chance`."""
        if len(self.remaining) < number:
            self.remaining = torch.randperm(self.count, generator=chance)
        dealt, self.remaining = self.remaining[:number], self.remaining[number:]
        return dealt
