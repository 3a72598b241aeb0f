"""Where the volumes of a network lie in its picture: plain numbers, drawn by `gui/widgets/volumes.py`.

A volume is a box in oblique projection: channels to the right, rows down, columns back. Edges go with the square
root of what they count, one scale for rows and columns and one for channels, so that 224 and 7 rows, 3 and 4096
channels are seen side by side and a larger edge is never drawn shorter. Boxes stand on one axis, which goes through
the middle of their maps, and do not overlap. What goes to the next item follows the axis; all else is an arc above
what it passes over.

Units are pixels at zoom 1, x to the right, y down, the axis at y = 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from segviz.core.field import Box, Geometry
from segviz.core.folding import INPUT, Extent, Folding, Item, Scheme, Volume, Wire
from segviz.core.regions import in_sight

TALLEST = 190.0  # rows of the largest map
BACK_X, BACK_Y = 0.2, 0.3  # how far the columns go back, to the right and up, in shares of an edge of as many rows
DEEPEST = 60.0  # the most channels
GAP = 13.0  # between items
ROUND = 6.0  # radius of a join
WIDEST = 880.0  # an overview: what would be wider is compressed along x
MOST_COMPRESSED = 0.5
LIFT = 22.0  # of the lowest arc above what it passes over
LANE, LANES = 9.0, 120.0  # between two arcs, and all of them at most


@dataclass(frozen=True, slots=True)
class Scale:
    """Edges in units of the picture: `side` and `depth` for one row and one channel, times the root of their number.

    `across` compresses all that goes to the right: depths, gaps, and how far columns go back.
    """

    side: float
    depth: float
    across: float = 1.0

    @classmethod
    def of(cls, scheme: Scheme) -> Scale:
        """The scale at which `scheme` is neither too tall nor too wide."""
        extents = [volume.extent for volume in scheme.volumes]
        side = TALLEST / sqrt(max(max(extent.height, extent.width) for extent in extents))
        deepest = DEEPEST / sqrt(max(extent.channels for extent in extents))
        free = cls(side, deepest)
        wide = _solids(scheme.items, free)[-1].right
        across = max(MOST_COMPRESSED, min(1.0, WIDEST / wide))
        return cls(side, deepest * across, across)

    def edges(self, extent: Extent) -> tuple[float, float, float]:
        """(depth, height, width) of a volume, the width before it is foreshortened."""
        return (
            self.depth * sqrt(extent.channels),
            self.side * sqrt(extent.height),
            self.side * sqrt(extent.width),
        )


@dataclass(frozen=True, slots=True)
class Solid:
    """One box, or where `depth` is 0 the circle of a join. `left` is the left edge of its front.

    The front is `depth` wide and `height` tall; (`back_x`, `back_y`) lead from it to the back, right and up.
    """

    left: float
    depth: float
    height: float
    back_x: float
    back_y: float

    @property
    def right(self) -> float:
        return self.left + self.depth + self.back_x

    @property
    def top(self) -> float:
        return -(self.height + self.back_y) / 2

    @property
    def bottom(self) -> float:
        return -self.top

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2

    @property
    def box(self) -> Box:
        return Box(self.left, self.top, self.right, self.bottom)

    def on_map(self, x: float, y: float, near: bool = True) -> tuple[float, float]:
        """A place of the map, given in shares of its columns and rows, on the right face (`near`) or the left one."""
        edge = self.left + self.depth if near else self.left
        return edge + x * self.back_x, self.top + self.back_y * (1 - x) + y * self.height


Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Arc:
    """A wire that passes over other items: from `start` up to `level`, over, and down to `end`."""

    wire: Wire
    start: Point
    end: Point
    level: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Neighbouring volumes whose maps are of one size, from `left` to `right`."""

    height: int
    width: int
    left: float
    right: float


@dataclass(frozen=True)
class Plan:
    """The picture of a network. `solids` are the items' own, by their places; `straight` are wires along the axis."""

    scheme: Scheme
    scale: Scale
    solids: tuple[Solid, ...]
    straight: tuple[Wire, ...]
    arcs: tuple[Arc, ...]
    grids: tuple[Grid, ...]
    box: Box

    def item_at(self, x: float, y: float) -> int | None:
        """The item whose box or circle holds the point (x, y)."""
        for at, solid in enumerate(self.solids):
            if solid.left <= x < solid.right and solid.top <= y < solid.bottom:
                return at
        return None

    def span(self, first: int, last: int) -> Box:
        """The box about the items from `first` to `last`, with the arcs between them and their neighbours."""
        inside = self.solids[first : last + 1]
        levels = [arc.level for arc in self.arcs if first - 1 <= arc.wire.source and arc.wire.target <= last + 1]
        top = min((*(solid.top for solid in inside), *levels))
        return Box(inside[0].left, top, inside[-1].right, max(solid.bottom for solid in inside))


def plan_of(folding: Folding, toggled: frozenset[str] = frozenset(), real: Folding | None = None) -> Plan:
    """The picture of a network; what is unfolded keeps the overview's scale.

    Of a network whose layers were edited, `real` is the folding of the one that it was: blocks and scale stay those.
    """
    real = real or folding
    return lay_out(folding.scheme_of(real.opened(toggled)), Scale.of(real.scheme()))


def lay_out(scheme: Scheme, scale: Scale) -> Plan:
    """Boxes from left to right, the arcs above them."""
    solids = _solids(scheme.items, scale)
    straight = tuple(wire for wire in scheme.wires if wire.target == wire.source + 1 and not wire.gate)
    arcs = _arcs(solids, tuple(wire for wire in scheme.wires if wire not in straight))
    top = min((*(solid.top for solid in solids), *(arc.level for arc in arcs)))
    box = Box(0.0, top, solids[-1].right, max(solid.bottom for solid in solids))
    return Plan(scheme, scale, solids, straight, arcs, _grids(scheme.items, solids), box)


def _solids(items: Sequence[Item], scale: Scale) -> tuple[Solid, ...]:
    placed, left = [], 0.0
    for item in items:
        if isinstance(item, Volume):
            depth, height, width = scale.edges(item.extent)
            solid = Solid(left, depth, height, width * BACK_X * scale.across, width * BACK_Y)
        else:
            solid = Solid(left, 0.0, 2 * ROUND, 2 * ROUND, 0.0)
        placed.append(solid)
        left = solid.right + GAP * scale.across
    return tuple(placed)


def _grids(items: Sequence[Item], solids: Sequence[Solid]) -> tuple[Grid, ...]:
    found: list[Grid] = []
    for item, solid in zip(items, solids, strict=True):
        if not isinstance(item, Volume):
            continue
        size = item.extent.height, item.extent.width
        if found and (found[-1].height, found[-1].width) == size:
            found[-1] = Grid(*size, found[-1].left, solid.right)
        else:
            found.append(Grid(*size, solid.left, solid.right))
    return tuple(found)


def _arcs(solids: Sequence[Solid], wires: Sequence[Wire]) -> tuple[Arc, ...]:
    """Short arcs below the long ones that pass over them."""
    ordered = sorted(wires, key=lambda wire: (abs(wire.target - wire.source), wire.source))
    ends = [(_out_of(solids[wire.source]), _into(solids[wire.target])) for wire in ordered]
    below = [_crossed(ends, at) for at in range(len(ends))]
    lanes: list[int] = []
    for crossed in below:
        lanes.append(1 + max((lanes[other] for other in crossed), default=0))
    step = min(LANE, LANES / max(lanes, default=1))
    levels: list[float] = []
    for wire, crossed in zip(ordered, below, strict=True):
        first, last = sorted((wire.source, wire.target))
        clear = min(solid.top for solid in solids[first : last + 1]) - LIFT
        levels.append(min((clear, *(levels[other] - step for other in crossed))))
    return tuple(Arc(wire, *both, level) for wire, both, level in zip(ordered, ends, levels, strict=True))


def _crossed(ends: Sequence[tuple[Point, Point]], at: int) -> list[int]:
    """The arcs before number `at` that share a piece of its way along x."""
    start, end = sorted((ends[at][0][0], ends[at][1][0]))
    return [
        other
        for other in range(at)
        if min(end, max(p[0] for p in ends[other])) > max(start, min(p[0] for p in ends[other]))
    ]


def _out_of(solid: Solid) -> Point:
    """The middle of the upper edge of its right face, or the top of a join."""
    return solid.on_map(0.5, 0.0) if solid.depth else (solid.middle, solid.top)


def _into(solid: Solid) -> Point:
    return solid.on_map(0.5, 0.0, near=False) if solid.depth else (solid.middle, solid.top)


def lit(plan: Plan, geometry: Geometry, layer: str, row: int, column: int) -> dict[int, Box]:
    """What unit (row, column) of `layer` needs of each volume, by its place: boxes in shares of columns and rows.

    The unit's own volume has its cell; the image has the part of the field that lies inside it.
    """
    need = in_sight(geometry, layer, row, column)
    found: dict[int, Box] = {}
    for name, index in ((INPUT, 0), *sorted(geometry.layers, key=lambda known: known[1])):
        place = plan.scheme.place_of(name) if index else 0
        if place is None or index not in need:
            continue
        node, (y, x) = geometry.nodes[index], need[index]
        if y.real is not None and x.real is not None:
            found[place] = Box(
                x.real.lo / node.width,
                y.real.lo / node.height,
                (x.real.hi + 1) / node.width,
                (y.real.hi + 1) / node.height,
            )
    return found
