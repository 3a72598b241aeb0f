"""Receptive fields of networks of windows in closed form: found for all nodes in one pass up the graph.

Units lo to hi of a node see the pixels from `stride * lo + low` to `stride * hi + high` of the image along one axis
(Araujo et al., Distill 2019). Borders cut that: a window never needs a unit beyond those that there are, and what unit
0 sees no other unit sees less far to the front of. So what is real begins no earlier than at `first` and ends no later
than at `last`. This holds as long as every window meets a real unit and paths that join have one stride. Behind
anything else (an upsampling, mirrored padding, a window in padding alone) there is no closed form: `Geometry` walks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from segviz.core.steps import IDENTITY, Interval, Span, Step, Window

if TYPE_CHECKING:
    from segviz.core.field import Node, Status


class Line(NamedTuple):
    """What units of a node need of the image along one axis."""

    stride: int
    low: int
    high: int
    first: int
    last: int

    def span(self, units: Span) -> Span:
        """The pixels of these units, which need to lie on the node's grid as far as they are real."""
        nominal = Interval(self.stride * units.nominal.lo + self.low, self.stride * units.nominal.hi + self.high)
        assert units.real is not None
        lo, hi = self.stride * units.real.lo + self.low, self.stride * units.real.hi + self.high
        return Span(nominal, Interval(max(self.first, lo), min(self.last, hi)))

    def up(self, step: Step, below: int, units: int) -> Line | None:
        """The line of a step over `below` units that makes `units`; None where one of them may need none."""
        if not isinstance(step, Window):
            return None
        reach = step.dilation * (step.kernel - 1) - step.before
        if reach < 0 or (units - 1) * step.stride - step.before >= below:
            return None
        low, high = self.low - self.stride * step.before, self.high + self.stride * reach
        return Line(self.stride * step.stride, low, high, *self._ends(below))

    def over(self, below: int) -> Line:
        """The line of units that take all of a map of `below` units."""
        return Line(0, self.low, self.stride * (below - 1) + self.high, *self._ends(below))

    def _ends(self, below: int) -> Interval:
        """What the first and the last of `below` units really see at their outer sides."""
        return Interval(max(self.first, self.low), min(self.last, self.stride * (below - 1) + self.high))

    def joined(self, other: Line) -> Line | None:
        """The line of units that need both; None where the one or the other reaches further, by the unit's place."""
        crossed = (self.first - other.first) * (self.low - other.low) < 0
        crossed = crossed or (self.last - other.last) * (self.high - other.high) < 0
        if self.stride != other.stride or (crossed and self.stride):
            return None
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Line(self.stride, low, high, min(self.first, other.first), max(self.last, other.last))


@dataclass(frozen=True, slots=True)
class ClosedForm:
    """The lines of a node, and what is met on the way to the image: see `field.Judge`.

    `doubts` has of each kind of doubt the last node with it.
    """

    y: Line
    x: Line
    whole: bool = False
    everything: bool = False
    doubts: Mapping[Status, int] = field(default_factory=dict)

    def joined(self, other: ClosedForm) -> ClosedForm | None:
        y, x = self.y.joined(other.y), self.x.joined(other.x)
        if y is None or x is None:
            return None
        doubts = self.doubts
        if other.doubts is not doubts and other.doubts:
            doubts = {kind: max(self.doubts.get(kind, 0), at) for kind, at in other.doubts.items()}
            doubts = {**self.doubts, **doubts}
        return ClosedForm(y, x, self.whole or other.whole, self.everything or other.everything, doubts)


def closed_forms(nodes: Sequence[Node], sources: Sequence[Sequence[int]]) -> tuple[ClosedForm | None, ...]:
    """The closed form of each node; None where there is none. `sources` are the inputs of each, or what joins them."""
    image = nodes[0]
    found: list[ClosedForm | None] = [
        ClosedForm(Line(1, 0, 0, 0, image.height - 1), Line(1, 0, 0, 0, image.width - 1)),
    ]
    for index in range(1, len(nodes)):
        found.append(_above(nodes, index, sources[index], found))
    return tuple(found)


def _above(
    nodes: Sequence[Node], index: int, sources: Sequence[int], known: Sequence[ClosedForm | None]
) -> ClosedForm | None:
    """The closed form of a node from those of its sources."""
    node, joint = nodes[index], None
    for source in dict.fromkeys(sources):
        form = known[source]
        lifted = None if form is None else _lifted(node, nodes[source], form)
        joint = lifted if joint is None or lifted is None else joint.joined(lifted)
        if joint is None:
            return None
    if joint is None or not (node.whole or node.gates or node.reason):
        return joint
    doubts = {**joint.doubts, node.doubt: index} if node.reason else joint.doubts
    everything = joint.everything or (node.whole and not node.reason)
    return ClosedForm(joint.y, joint.x, True if node.whole or node.gates else joint.whole, everything, doubts)


def _lifted(node: Node, below: Node, form: ClosedForm) -> ClosedForm | None:
    """The form of one source as a node has it that takes nothing else."""
    if node.whole:
        y: Line | None = form.y.over(below.height)
        x: Line | None = form.x.over(below.width)
    elif node.y == IDENTITY and node.x == IDENTITY and (node.height, node.width) == (below.height, below.width):
        return form
    else:
        y, x = form.y.up(node.y, below.height, node.height), form.x.up(node.x, below.width, node.width)
    return None if y is None or x is None else ClosedForm(y, x, form.whole, form.everything, form.doubts)
