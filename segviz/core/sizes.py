"""A network fed with a larger image: asked for and answered (lecture T16, T17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segviz.core.requests import Setup


@dataclass(frozen=True, slots=True)
class SizesRequest:
    """Trace a network as published on its native size and on `size` (height, width), without running it."""

    setup: Setup
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SizeRow:
    """A layer with its output (C, H, W) or (features,) on the native size, on the larger one, and made convolutional.

    None where the network has stopped before. `breaks` says why it stops here.
    """

    layer: str
    type: str
    native: tuple[int, ...]
    larger: tuple[int, ...] | None
    converted: tuple[int, ...] | None
    breaks: str = ""


@dataclass(frozen=True, slots=True)
class SizesAnswer:
    """Answer to SizesRequest. `squeezes` is a layer that makes one size of all, so that nothing stops.

    `floor` and `ceil` are the grids (rows, columns) of the convolutional form with poolings that round down or up;
    None where there is no such form. `published` is how the network itself rounds.
    """

    request: SizesRequest
    native: tuple[int, int, int]
    rows: tuple[SizeRow, ...]
    squeezes: str
    floor: tuple[int, int] | None
    ceil: tuple[int, int] | None
    published: str
    seconds: float
    refusal: str = ""
    notes: tuple[str, ...] = ()

    @property
    def broken(self) -> SizeRow | None:
        return next((row for row in self.rows if row.breaks), None)
