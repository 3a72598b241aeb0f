"""The score maps of an FCN's depths and the kernels that a network upsamples with: asked for and answered.

Long, Shelhamer and Darrell 2015, section 4.2: class scores of pool3, pool4 and the last layer are brought to
one grid and added. All of it is linear behind the scores, so that a skip is faded by a weighted sum, and
nothing of the network runs again (`core/fading`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segviz.core.frames import Lattice

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import Setup

FAMILY = "fcn"  # how the entries begin that have depths
TITLES = {0: "FCN-32s", 1: "FCN-16s", 2: "FCN-8s"}  # by the number of skips


@dataclass(frozen=True, slots=True)
class DepthRequest:
    """What a network upsamples with; with `scores` also the scores of each depth of an FCN, on the image."""

    setup: Setup
    scores: bool = False


@dataclass(frozen=True, eq=False)
class LearnedKernel:
    """The kernels of a transposed convolution of the network, one for each map that it makes of the same map.

    `mixes` says that maps are also made of other maps, which these kernels leave out.
    """

    layer: str
    factor: int
    kernels: np.ndarray  # float32 (maps, k, k)
    mixes: bool


@dataclass(frozen=True, eq=False)
class Depths:
    """Scores of each depth on the finest of their grids, the deepest first, and the last upsampling to pixels.

    `maps` are what is added there: (classes, rows, columns) each, `strides` those of the layers they come from.
    `kernel` (classes, classes, k, k), `stride` and `corner` (y, x) are those of the last upsampling, `size` is
    (height, width) of the answer, whose pixels sit at `lattice`.
    """

    classes: tuple[str, ...]
    layers: tuple[str, ...]
    strides: tuple[int, ...]
    maps: tuple[np.ndarray, ...]  # float32
    kernel: np.ndarray  # float32
    stride: int
    corner: tuple[int, int]
    size: tuple[int, int]
    lattice: Lattice

    @property
    def skips(self) -> int:
        return len(self.maps) - 1

    def with_skips(self, count: int) -> tuple[float, ...]:
        """Weights with the first `count` skips: 0 is the network cut down to FCN-32s."""
        return (1.0, *(float(skip < count) for skip in range(self.skips)))

    def alone(self, depth: int) -> tuple[float, ...]:
        """Weights of one depth without the others."""
        return tuple(float(other == depth) for other in range(len(self.maps)))


@dataclass(frozen=True, eq=False)
class DepthAnswer:
    """Answer to DepthRequest. `depths` is None where they were not asked for, or `refusal` says why there are none."""

    request: DepthRequest
    kernels: tuple[LearnedKernel, ...]
    depths: Depths | None
    seconds: float
    refusal: str = ""
    notes: tuple[str, ...] = ()
