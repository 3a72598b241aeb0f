"""A shifted image through a network: asked for and answered (lecture T08)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from segviz.core.field import Status

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import Setup

MOST = 64  # values of a dense layer that are sent


@dataclass(frozen=True, slots=True)
class ShiftRequest:
    """A map of `layer`, and the dense outputs, of the image as it is and shifted by (`dx`, `dy`) network pixels.

    Without `dx` it is shifted by one stride of the layer, so that the map follows. The image is made as large as
    the network's native input, so that its dense layers run.
    """

    setup: Setup
    layer: str
    channel: int
    dx: int | None
    dy: int


@dataclass(frozen=True, eq=False)
class DenseChange:
    """What a dense layer makes of both images: its first values, and the largest and mean absolute change of all."""

    layer: str
    size: int
    first: np.ndarray  # float32
    second: np.ndarray
    largest: float
    mean: float


@dataclass(frozen=True, eq=False)
class ShiftAnswer:
    """Answer to ShiftRequest: the map of both images, and how far it shifted along.

    `moved` (y, x) is the shift in units of the layer, whole where `exact`. `inside` counts the units whose fields lie
    in both images, `difference` is the largest between a unit and the one that it moved to, over those; `overall`
    over all that are on both maps. `scale` is the largest absolute value of both maps. `seen` are both inputs, as grey
    levels 0 to 1. `layer` and `channel` are those of the map: where the layer that was asked for answers with a vector,
    of the last one with maps before it. `by` is the shift (dx, dy) in network pixels. `status` and `reason` are
    those of the field of the map's middle unit: where it is not exact no unit counts as inside. `refusal` says why
    there are no maps.
    """

    request: ShiftRequest
    seen: tuple[np.ndarray, np.ndarray] | None
    maps: tuple[np.ndarray, np.ndarray] | None
    stride: tuple[float, float]
    moved: tuple[float, float]
    inside: int
    difference: float
    overall: float
    scale: float
    dense: tuple[DenseChange, ...]
    seconds: float
    refusal: str = ""
    notes: tuple[str, ...] = ()
    layer: str = ""
    channel: int = 0
    by: tuple[int, int] = (0, 0)
    status: Status = Status.EXACT
    reason: str = ""

    @property
    def exact(self) -> bool:
        """Whether the shift is a whole number of units along both axes."""
        return all(float(units).is_integer() for units in self.moved)
