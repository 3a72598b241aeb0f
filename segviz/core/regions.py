"""Regions of maps, both ways: what a part of a network's output needs, and what a part of its input can change.

The same intervals as those of receptive fields (`core/field`), for rectangles instead of units, and
cut to the maps, since beyond a border there is nothing to compute. Tiles, strips, crops of the
image and dirty rectangles are all asked for here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from segviz.core.field import Box, Geometry, Node
from segviz.core.steps import Interval, Law


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


def reached(geometry: Geometry, seen: Region) -> dict[int, Region]:
    """The region of every node that can change when the region `seen` of the image does; others are left out."""
    dirty = {0: seen}
    for index, node in enumerate(geometry.nodes[1:], start=1):
        sources = [dirty[source] for source in node.inputs if source in dirty]
        if any(gate in dirty for gate in node.gates) or (sources and node.mixed):
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
