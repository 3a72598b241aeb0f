"""What a table of layers says of the fields of each: one (size, stride, start) for all of a layer's units."""

from __future__ import annotations

from dataclasses import dataclass

from segviz.core.field import Geometry, Status
from segviz.core.steps import Resize, Transposed

PHASES = 32  # units looked at: after an upsampling a field's size depends on the unit's phase


@dataclass(frozen=True, slots=True)
class Facts:
    """Size (y, x) of the largest fields about the middle of the grid, stride (y, x), centre (x, y) of unit 0."""

    size: tuple[float, float] | None = None
    stride: tuple[float, float] | None = None
    start: tuple[float, float] | None = None
    status: str = Status.UNKNOWN.value


def facts(geometry: Geometry, layer: str) -> Facts:
    """Those of one layer. Raises SegvizError for one that does not depend on the image."""
    rows, columns = geometry.grid(layer)
    places = [(rows // 2, columns // 2)]
    if any(isinstance(node.y, (Resize, Transposed)) for node in geometry.nodes[: geometry.index(layer) + 1]):
        places = [(min(rows // 2 + k, rows - 1), min(columns // 2 + k, columns - 1)) for k in range(PHASES)]
    known = {place: geometry.field(layer, *place) for place in dict.fromkeys((*places, (0, 0)))}  # small grids have few
    found = [known[place] for place in places]
    law_y, law_x = geometry.laws(layer)
    start = known[0, 0].center
    size = max(field.box.height for field in found), max(field.box.width for field in found)
    return Facts(size, (law_y.stride, law_x.stride), start, found[0].status.value)
