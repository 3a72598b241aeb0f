"""What a table of layers says of the fields of each: one (size, stride, start) for all of a layer's units."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil

from segviz.core.field import Geometry, Status
from segviz.core.steps import Resize

PHASES = 32  # units looked at at most: after an upsampling a field's size depends on the unit's phase


@dataclass(frozen=True, slots=True)
class Facts:
    """Size (y, x) of the largest fields about the middle of the grid, stride (y, x), centre (x, y) of unit 0."""

    size: tuple[float, float] | None = None
    stride: tuple[float, float] | None = None
    start: tuple[float, float] | None = None
    status: str = Status.UNKNOWN.value


class FactFinder:
    """The facts of the layers of one geometry; those of layers whose units see the same are found once."""

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._known: dict[tuple[int, int], Facts] = {}

    def __contains__(self, layer: str) -> bool:
        """Whether the geometry has the layer."""
        return layer in self._geometry

    @cached_property
    def _phases(self) -> tuple[int, ...]:
        """For each node how many neighbouring units may have fields of different sizes.

        Behind transposed convolutions they repeat with the coarsest maps on the way, as long as all strides are whole;
        behind a resizing they need not.
        """
        found: list[int] = []
        coarsest: list[float] = []  # of all nodes before, and the node itself
        resized: list[bool] = []
        for index, node in enumerate(self._geometry.nodes):
            inputs = self._geometry.joints[index]
            own = [law.stride for law in self._geometry.laws_at(index)]
            coarsest.append(max(*own, *(coarsest[source] for source in inputs)))
            resized.append(isinstance(node.y, Resize) or any(resized[source] for source in inputs))
            found.append(PHASES if resized[-1] else min(PHASES, max(1, ceil(coarsest[-1] / min(own)))))
        return tuple(found)

    def of(self, layer: str) -> Facts:
        """Those of one layer. Raises SegvizError for one that does not depend on the image."""
        index = self._geometry.index(layer)
        key = self._geometry.same_as[index], self._phases[index]
        if key not in self._known:
            self._known[key] = _found(self._geometry, layer, key[1])
        return self._known[key]


def _found(geometry: Geometry, layer: str, phases: int) -> Facts:
    rows, columns = geometry.grid(layer)
    places = [(min(rows // 2 + k, rows - 1), min(columns // 2 + k, columns - 1)) for k in range(phases)]
    known = {place: geometry.field(layer, *place) for place in dict.fromkeys((*places, (0, 0)))}  # small grids have few
    found = [known[place] for place in places]
    law_y, law_x = geometry.laws(layer)
    start = known[0, 0].center
    size = max(field.box.height for field in found), max(field.box.width for field in found)
    return Facts(size, (law_y.stride, law_x.stride), start, found[0].status.value)
