"""Where the evidence for a class lies in a layer: class activation maps and Grad-CAM, asked for and answered.

Zhou et al. 2016, Learning Deep Features for Discriminative Localization, equation 2: behind global average
pooling a class's score is a weighted sum of averaged maps, so the same sum of the maps themselves says where
it comes from. Selvaraju et al. 2017, Grad-CAM, equations 1 and 2: for any layer the weight of a map is the
mean of the score's gradient over it. Vinogradova et al. 2020, Seg-Grad-CAM: of a segmentation the score is
the sum of a class's logits over a region.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from segviz.core.choices import Area, Heat
from segviz.core.frames import Lattice
from segviz.core.session_values import filled, flag

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import Setup

SHOWN = 12  # classes, where nobody names them


@dataclass(frozen=True, slots=True)
class CamRequest:
    """The maps of some classes at a layer: those in `classes`, and the foremost others until there are `count`.

    `heat` is CAM, whose layer follows from the network, or Grad-CAM at `layer`. `box` (x, y, width, height) and
    `point` (x, y), in image pixels, say where `area` is where it is one of these.
    """

    setup: Setup
    heat: Heat = Heat.GRAD_CAM
    layer: str = "last"
    classes: tuple[int, ...] = ()
    count: int = SHOWN
    area: Area = Area.AUTO
    box: tuple[int, int, int, int] | None = None
    point: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class CamAnswer:
    """Answer to CamRequest: for each class one map, signed, on the layer's own grid.

    `layer` is where the maps lie: for CAM, what is averaged. `scores` are what was asked about each class, over
    `units` units of the logits. `weights` are those of the layer's channels, `remarks` why a map says nothing.
    """

    request: CamRequest
    layer: str
    area: Area
    classes: tuple[int, ...]
    names: tuple[str, ...]
    scores: tuple[float, ...]
    units: tuple[int, ...]
    maps: np.ndarray  # float32 (classes, rows, columns)
    weights: np.ndarray  # float32 (classes, channels)
    remarks: tuple[str, ...]
    lattice: Lattice
    seconds: float
    notes: tuple[str, ...] = ()

    def place(self, index: int) -> int | None:
        """Which of the maps is that of class `index`; None where there is none."""
        return self.classes.index(index) if index in self.classes else None

    def shown(self, place: int, signed: bool) -> np.ndarray:
        """A map (rows, columns) as it is, or what speaks for the class alone: equation 2's ReLU."""
        found: np.ndarray = self.maps[place]
        return found if signed else found.clip(0)

    def reach(self, place: int, signed: bool) -> float:
        """Where a map's colours end: its largest value, whatever its sign where signs are shown."""
        values = self.shown(place, signed)
        return float(abs(values).max())


def levels(values: np.ndarray, reach: float, signed: bool) -> np.ndarray:
    """`values` in shares of a colour table: 0 to `reach`, or -`reach` to `reach` with 0 in the middle."""
    if not reach > 0:
        return values * 0 + (0.5 if signed else 0)
    share = values / reach
    return (share / 2 + 0.5 if signed else share).clip(0, 1)


@dataclass(frozen=True, slots=True)
class CamView:
    """What the heatmaps show: a part of the State. `at_unit` asks at the pinned unit in place of the usual area."""

    heat: Heat = Heat.PROBABILITY
    signed: bool = False
    at_unit: bool = False


USUAL = CamView()


def to_values(view: CamView) -> dict[str, Any]:
    """As it stands in a session file."""
    return asdict(view)


def from_values(values: Any) -> CamView:
    """Of a session file; what is not named keeps its default. Raises ValueError or TypeError for a bad value."""
    return filled(USUAL, _READERS, values, "a view of heatmaps")


_READERS: dict[str, Callable[[Any], Any]] = {"heat": Heat, "signed": flag, "at_unit": flag}
