"""Regions of maps, both ways: what a part of a network's output needs, and what a part of its input can change.

The same intervals as those of receptive fields (`core/field`), for rectangles instead of units, and
cut to the maps, since beyond a border there is nothing to compute. Tiles, strips, crops of the
image, dirty rectangles and projective fields are all asked for here.

A gate makes a unit depend on a whole map without moving its field. So what is `needed` to compute a unit, and what a
pixel `reached`, count gates; what a unit has in sight of the layers before it (`in_sight`) is its field, without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from segviz.core.field import Box, Geometry, Node
from segviz.core.steps import Interval, Law, Span

Spans = tuple[Span, Span]


class Region(NamedTuple):
    """Rows `y` and columns `x` of a map, both ends included."""

    y: Interval
    x: Interval

    def __or__(self, other: object) -> Region:
        """The smallest region that holds both."""
        assert isinstance(other, Region)
        return Region(self.y | other.y, self.x | other.x)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y.hi - self.y.lo + 1, self.x.hi - self.x.lo + 1

    def within(self, height: int, width: int) -> Region | None:
        """The part on a map of that size; None where there is none."""
        y, x = self.y.within(height), self.x.within(width)
        return None if y is None or x is None else Region(y, x)

    def nearest(self, height: int, width: int) -> Region:
        """The part on a map of that size, and its nearest units where there is none: a region that holds some.

        There is none between the windows of a transposed convolution whose stride is larger than its kernel.
        """
        sides = zip(self, (height, width), strict=True)
        return Region(
            *(Interval(*sorted(max(0, min(side - 1, end)) for end in units)) for units, side in sides),
        )

    def holds(self, other: Region) -> bool:
        return (
            self.y.lo <= other.y.lo and self.y.hi >= other.y.hi and self.x.lo <= other.x.lo and self.x.hi >= other.x.hi
        )


def whole(node: Node) -> Region:
    """All of a node's map."""
    return Region(Interval(0, node.height - 1), Interval(0, node.width - 1))


def inputs_of(geometry: Geometry, index: int, wanted: Region) -> dict[int, Region]:
    """What the region `wanted` of one node needs of each of its inputs.

    A region of padding alone needs nothing and is given the nearest units, so that there are maps to pad.
    """
    node = geometry.nodes[index]
    found: dict[int, Region] = {}
    reach = Region(node.y.back(wanted.y), node.x.back(wanted.x))
    for source in node.inputs:
        below = geometry.nodes[source]
        found[source] = whole(below) if node.mixed else reach.nearest(below.height, below.width)
    for gate in node.gates:
        found[gate] = whole(geometry.nodes[gate])
    return found


def needed(geometry: Geometry, wanted: Mapping[int, Region]) -> dict[int, Region]:
    """The region of every node that the regions `wanted` (node to region) need, down to the image (node 0)."""
    need = dict(wanted)
    for index in range(max(need), 0, -1):
        if index in need:
            for source, region in inputs_of(geometry, index, need[index]).items():
                need[source] = need[source] | region if source in need else region
    return need


def in_sight(geometry: Geometry, layer: str, row: int, column: int) -> dict[int, Spans]:
    """The spans of rows and columns of each node that the field of unit (row, column) of `layer` goes through.

    Its own and all before it; what lies in padding alone has no real interval. Raises SegvizError for an unknown layer.
    """
    target = geometry.index(layer)
    spans: dict[int, Spans] = {target: (Span.of(row), Span.of(column))}
    passed: dict[int, Spans] = {}  # of joints, what others need of their inputs
    for index in range(target, 0, -1):
        if index in spans:
            join(passed, index, spans[index])
        if index not in passed:
            continue
        inputs = geometry.nodes[index].inputs
        for source, rows, columns in geometry.below(index, *passed.pop(index), geometry.joints[index]):
            join(spans if source in inputs else passed, source, (rows, columns))
    return spans


def join(spans: dict[int, Spans], key: int, more: Spans) -> None:
    """Enter `more` rows and columns beside those that `spans` has under a key."""
    had = spans.get(key)
    spans[key] = more if had is None else (had[0].joined(more[0]), had[1].joined(more[1]))


def projective(geometry: Geometry, layer: str, seen: Region) -> Region | None:
    """The units of `layer` that a region of the network's input can change; None where it reaches none.

    Raises SegvizError for an unknown layer.
    """
    target = geometry.index(layer)
    return reached(geometry, seen).get(target)


def reached(geometry: Geometry, seen: Region) -> dict[int, Region]:
    """The region of every node that can change when the region `seen` of the image does; others are left out.

    Where a unit looks at everything, or nobody knows what it sees, all units may change.
    """
    dirty = {0: seen}
    for index, node in enumerate(geometry.nodes[1:], start=1):
        sources = [dirty[source] for source in geometry.joints[index] if source in dirty]
        everything = node.mixed or node.whole or bool(node.reason and not node.doubt.holds)
        if any(gate in dirty for gate in node.gates) or (sources and everything):
            dirty[index] = whole(node)
            continue
        regions = (_forward(node, region) for region in sources)
        for region in regions:
            if region is not None:
                dirty[index] = dirty[index] | region if index in dirty else region
    return dirty


def _forward(node: Node, region: Region) -> Region | None:
    y, x = node.y.reach(region.y), node.x.reach(region.x)
    if y.lo > y.hi or x.lo > x.hi:  # a stride that steps over all of it
        return None
    return Region(y, x).within(node.height, node.width)


def units_in(geometry: Geometry, layer: str, box: Box, every: tuple[int, int] = (1, 1)) -> Region:
    """The units of `layer` that sit in `box` (pixels of the network's input), with the next ones around them.

    These are what every pixel of the box mixes when the layer's logits are upsampled to it. Of rows and of
    columns only each `every`-th (y, x) may count.
    """
    (rows, columns), (y, x) = geometry.grid(layer), geometry.laws(layer)
    return Region(mixed(y, box.top, box.bottom, rows, every[0]), mixed(x, box.left, box.right, columns, every[1]))


def mixed(law: Law, low: float, high: float, size: int, every: int = 1) -> Interval:
    """Of `size` units that sit where `law` says, those that the pixels from edge `low` to edge `high` mix.

    Where only each `every`-th unit counts, the first is one of them, and the next ones are as much further off.
    """
    stride = law.stride * every
    first, last = (low - law.start) // stride - 1, -((law.start - (high - 1)) // stride) + 1
    start = max(0, min((size - 1) // every, int(first))) * every
    return Interval(start, max(start, min(size - 1, int(last) * every)))


def to_shares(x: float, y: float, height: int, width: int) -> tuple[float, float]:
    """Where the pixel centre (x, y) lies in a picture of that size, in shares of its width and its height."""
    return (x + 0.5) / width, (y + 0.5) / height


def from_shares(across: float, down: float, height: int, width: int) -> tuple[float, float]:
    """(x, y) of the place at these shares of a picture's width and height: `to_shares` backwards."""
    return across * width - 0.5, down * height - 0.5
