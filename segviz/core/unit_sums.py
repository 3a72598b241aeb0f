"""The convolution behind a unit, with its numbers: asked for and answered (lecture T02, T03, T05)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import Setup

BLOCK = 8  # outputs along each axis that are sent with all that they see


@dataclass(frozen=True, slots=True)
class SumRequest:
    """The convolution at or before `layer`, about `unit` (channel, row, column), else its largest value."""

    setup: Setup
    layer: str
    unit: tuple[int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class LayerSum:
    """One output map of a convolution, with what a block of its units sees.

    `maps` (C, h, w) are the input maps that the output map takes, from map number `first_map` on; they begin at
    `corner` (y, x) of the input, negative in its padding, where they are zero. `outputs` are the layer's own values,
    the first of them at `block` (row, column), which is where the sums of `maps` and `weights` (C, k, l) begin, too.
    `before` is the whole output map, `after` the same behind the `activation`; None where none follows.
    """

    layer: str
    dense: bool  # published as a dense layer
    unit: tuple[int, int, int]  # channel, row, column
    input_shape: tuple[int, int, int]
    output_shape: tuple[int, int, int]
    maps: np.ndarray  # float32
    corner: tuple[int, int]
    first_map: int
    weights: np.ndarray  # float32
    bias: float
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: tuple[int, int]  # zeros above and to the left
    groups: int
    block: tuple[int, int]
    outputs: np.ndarray  # float32 (rows, columns)
    before: np.ndarray  # float32 (rows, columns) of the whole map
    after: np.ndarray | None
    activation: str

    @property
    def place(self) -> tuple[int, int]:
        """(row, column) of the unit in the block."""
        return self.unit[1] - self.block[0], self.unit[2] - self.block[1]


@dataclass(frozen=True, eq=False)
class SumAnswer:
    """Answer to SumRequest. `found` is None where `refusal` says why."""

    request: SumRequest
    found: LayerSum | None
    seconds: float
    refusal: str = ""
    notes: tuple[str, ...] = ()
