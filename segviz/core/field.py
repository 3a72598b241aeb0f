"""Which pixels a unit sees, and which unit sits at a pixel: exact, both ways, on plain integers.

A network that has been traced on an input of one size is, for geometry, a graph of nodes. Each node maps an interval of
its own units backwards to the interval of its inputs' units that they need (Dumoulin and Visin 2016, sections 2 and 4;
for the closed form Araujo et al., Distill 2019). A receptive field is that interval followed down to the image, so it
belongs to one unit and may depend on the unit's phase once a network has upsampled; (size, stride, start) is the
special case of a network that never does. An interval has no holes: where a stride or a dilation skips pixels between
padding and the first pixel that is read, these are counted in.

Conventions: pixel centres are integers, intervals [lo, hi] include both ends, a box is [left, top, right, bottom] in
pixel edges, inclusive-exclusive, and may reach outside the image into the padding. Units are numbered (row, column).
All is in pixels of the network's input until `core/frames` carries it to the image that the person sees.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from functools import cached_property
from math import log2
from typing import NamedTuple

from segviz.core.closed_form import ClosedForm, closed_forms
from segviz.core.errors import SegvizError
from segviz.core.steps import IDENTITY, Law, Resize, Span, Step, Taps


class Status(StrEnum):
    """How far a receptive field can be trusted, the surest first.

    Of an upper bound the unit sees nothing outside the box, and less than all of it. Where it is data-dependent, the
    image decides which of its pixels count, or which way is taken. What is measured is a lower bound (`core/measured`).
    Nothing at all is promised of a box that is unknown.
    """

    EXACT = "exact"
    WHOLE = "whole image"
    BOUND = "upper bound"
    DATA = "data-dependent"
    MEASURED = "measured"
    UNKNOWN = "unknown"

    @property
    def holds(self) -> bool:
        """Whether no pixel outside the box can change the unit, gates that average over a whole map apart."""
        return self not in (Status.MEASURED, Status.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Node:
    """One operation of a traced network, for geometry alone.

    `inputs` are indices of earlier nodes (none: this is the image). `gates` are inputs of one unit
    that is spread over the whole map, as in squeeze-and-excitation: they make the unit depend on
    the whole image without moving its field. `reason` says why the node's field is not exact, `doubt` what it
    is then. `mixed` says that no part of the node can be computed from a part of its inputs, `ceil` that its size
    is rounded up.
    """

    inputs: tuple[int, ...]
    y: Step
    x: Step
    height: int
    width: int
    gates: tuple[int, ...] = ()
    whole: bool = False
    reason: str = ""
    doubt: Status = Status.UNKNOWN
    mixed: bool = False
    ceil: bool = False


class Box(NamedTuple):
    """Left, top, right, bottom in pixel edges, inclusive-exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def center(self) -> tuple[float, float]:
        """(x, y) in pixels whose centres are integers."""
        return (self.left + self.right - 1) / 2, (self.top + self.bottom - 1) / 2

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def clipped(self, width: float, height: float) -> Box:
        """The part inside an image of that size; empty boxes collapse onto the border."""
        left, top = min(max(0, self.left), width), min(max(0, self.top), height)
        return Box(left, top, max(left, min(width, self.right)), max(top, min(height, self.bottom)))

    def outside(self, width: float, height: float) -> float:
        """The share of the box that lies outside the image, 0 to 1."""
        inside = self.clipped(width, height)
        return 1 - inside.width * inside.height / (self.width * self.height)


@dataclass(frozen=True, slots=True)
class Field:
    """The receptive field of one unit, or of several. `blind` says that it sees no pixel, but padding alone."""

    box: Box
    status: Status
    reason: str = ""
    blind: bool = False

    @property
    def center(self) -> tuple[float, float]:
        return self.box.center


BLIND = "sees padding alone, and no pixel of those that its kernels reach over"
EVERYTHING = "reaches the whole image, through global pooling, normalisation or attention"


@dataclass(slots=True)
class Judge:
    """What the nodes between units and the image, met one after the other, leave of the certainty of a field.

    `everything`: an operation on the way certainly takes all positions, whatever is not known of others.
    """

    whole: bool = False
    everything: bool = False
    reasons: dict[Status, str] = dataclass_field(default_factory=dict)  # the first of each kind

    def meet(self, node: Node) -> None:
        self.whole = self.whole or node.whole or bool(node.gates)
        self.everything = self.everything or (node.whole and not node.reason)
        if node.reason:
            self.reasons.setdefault(node.doubt, node.reason)

    def field(self, y: Span, x: Span, height: int, width: int) -> Field:
        """The field of units that need these rows and columns of an image of `height` x `width` pixels."""
        ys, xs = y.field(height), x.field(width)
        box = Box(xs.lo, ys.lo, xs.hi + 1, ys.hi + 1)
        if not self.everything:
            for doubt in (Status.UNKNOWN, Status.DATA):
                if doubt in self.reasons:
                    return Field(box, doubt, self.reasons[doubt])
        if y.real is None or x.real is None:  # along one axis none of the units that it needs exists
            missed = box.outside(width, height) == 1
            return Field(box, Status.EXACT if missed else Status.BOUND, "" if missed else BLIND, blind=True)
        if Status.BOUND in self.reasons and not self.everything:
            return Field(box, Status.BOUND, self.reasons[Status.BOUND])
        return Field(box, Status.WHOLE, EVERYTHING) if self.whole else Field(box, Status.EXACT)


@dataclass(frozen=True)
class Geometry:
    """The geometry of a network on an input of `height` x `width` pixels.

    `layers` maps the names a person knows to nodes; `last` names the layer that makes the logits.
    """

    height: int
    width: int
    nodes: tuple[Node, ...]
    layers: tuple[tuple[str, int], ...]
    last: str

    @cached_property
    def _index(self) -> dict[str, int]:
        return dict(self.layers)

    def __contains__(self, layer: str) -> bool:
        """Whether a layer has this name."""
        return layer in self._index

    def node(self, layer: str) -> Node:
        return self.nodes[self.index(layer)]

    def index(self, layer: str) -> int:
        """The node that makes the output of `layer`; `last` stands for the last layer.

        Raises SegvizError when the network has no such layer.
        """
        found = self._index.get(self.last if layer == "last" else layer)
        if found is None:
            close = [name for name, _ in self.layers if layer.lower() in name.lower()][:6]
            known = ", ".join(close or [name for name, _ in self.layers][:6])
            raise SegvizError(f"no layer '{layer}' in this network; it has for example: {known}")
        return found

    def grid(self, layer: str) -> tuple[int, int]:
        """Rows and columns of a layer's feature maps."""
        node = self.node(layer)
        return node.height, node.width

    def field(self, layer: str, row: int, column: int) -> Field:
        """The receptive field of unit (row, column) of `layer`.

        The unit must be one of `grid`: outside it nothing is computed below that could be seen, so
        that what is answered there is not true of any input.
        """
        found = self.seen_by(self.index(layer), Span.of(row), Span.of(column))
        if found is None:
            raise SegvizError(f"layer '{layer}' does not depend on the image, so it has no receptive field")
        return found

    def seen_by(self, target: int, y: Span, x: Span) -> Field | None:
        """What the units in rows `y` and columns `x` of node `target` see together; None where that is no image.

        Node by node down to where there are closed forms, which the rest of every way is.
        """
        target = self.same_as[target]
        need, judge, doubts = {target: (y, x)}, Judge(), dict[Status, int]()
        found: tuple[Span, Span] | None = None
        for index in range(target, -1, -1):  # nodes are in topological order
            if not need:
                break
            if index not in need:
                continue
            y, x = need.pop(index)
            node, form = self.nodes[index], self._forms[index]
            if form is not None and y.fits(node.height) and x.fits(node.width):
                y, x = form.y.span(y), form.x.span(x)
                judge.whole, judge.everything = judge.whole or form.whole, judge.everything or form.everything
                for kind, at in form.doubts.items():
                    doubts[kind] = max(at, doubts.get(kind, 0))
            elif index:
                judge.meet(node)
                if node.reason:
                    doubts[node.doubt] = max(index, doubts.get(node.doubt, 0))
                for source, rows, columns in self.below(index, y, x, self.joints[index]):
                    source = self.same_as[source]
                    had = need.get(source)
                    need[source] = (rows, columns) if had is None else (rows.joined(had[0]), columns.joined(had[1]))
                continue
            found = (y, x) if found is None else (y.joined(found[0]), x.joined(found[1]))
        if found is None:
            return None
        judge.reasons = {kind: self.nodes[at].reason for kind, at in doubts.items()}
        return judge.field(*found, self.height, self.width)

    @cached_property
    def _forms(self) -> tuple[ClosedForm | None, ...]:
        return closed_forms(self.nodes, self.joints)

    @cached_property
    def joints(self) -> tuple[tuple[int, ...], ...]:
        """The inputs of each node; those that an earlier node joins, and no more, are that node.

        A dense block joins (a, b), (a, b, c), (a, b, c, d) and so on (Huang et al. 2017): taken one upon the other its
        edges grow with its depth, and not with the square of it.
        """
        found, known = [], dict[tuple[int, ...], int]()
        for index, node in enumerate(self.nodes):
            inputs = node.inputs
            if len(inputs) > 1 and self._only_joins(index):
                lengths = range(len(inputs) - 1, 1, -1)
                length = next((length for length in lengths if inputs[:length] in known), 0)
                known.setdefault(inputs, index)
                inputs = (known[inputs[:length]], *inputs[length:]) if length else inputs
            found.append(inputs)
        return tuple(found)

    def _only_joins(self, index: int) -> bool:
        """Whether a unit of the node needs the units at its own place, and nothing else."""
        node = self.nodes[index]
        if self._moves[index] or node.whole or node.mixed or node.gates or node.reason:
            return False
        sizes = {(self.nodes[source].height, self.nodes[source].width) for source in node.inputs}
        return sizes == {(node.height, node.width)}

    @cached_property
    def _moves(self) -> tuple[bool, ...]:
        """Which nodes need other units than their own: most do not (activations, normalisation, sums)."""
        return tuple(node.y != IDENTITY or node.x != IDENTITY for node in self.nodes)

    @cached_property
    def same_as(self) -> tuple[int, ...]:
        """Of each node the earliest whose units have the same fields and places: activations move nothing."""
        found: list[int] = []
        for index, node in enumerate(self.nodes):
            plain = len(node.inputs) == 1 and not (self._moves[index] or node.whole or node.gates or node.reason)
            below = node.inputs[0] if plain else index
            alike = (self.nodes[below].height, self.nodes[below].width) == (node.height, node.width)
            found.append(found[below] if plain and alike else index)
        return tuple(found)

    def below(
        self, index: int, y: Span, x: Span, sources: tuple[int, ...] | None = None
    ) -> list[tuple[int, Span, Span]]:
        """What units of node `index` need of each of its inputs: its number, rows and columns of its grid.

        `sources` are other nodes in place of the inputs: see `joints`.
        """
        node = self.nodes[index]
        if self._moves[index]:
            y, x = y.back(node.y), x.back(node.x)
        found = []
        for source in node.inputs if sources is None else sources:
            below = self.nodes[source]
            if node.whole:
                found.append((source, Span.all(below.height), Span.all(below.width)))
            else:
                rows, columns = y.on(below.height), x.on(below.width)
                if rows.real is None or columns.real is None:  # padding along one axis is padding
                    rows, columns = Span(rows.nominal, None), Span(columns.nominal, None)
                found.append((source, rows, columns))
        return found

    @cached_property
    def _placed(self) -> tuple[tuple[tuple[Law, Law], float], ...]:
        """The laws of every node along y and x, and its coarseness.

        Where paths join, the one that was never as coarse says where the units sit: it kept the place.
        A unit that is made of a whole map is as coarse as that map is wide. Spread over a map again, it has the
        units where they were; one unit alone keeps the stride that it came with, since no other lies beside it.
        """
        laws: list[tuple[Law, Law]] = []
        wide: list[tuple[Law, Law]] = []  # the same, with the stride of a unit of everything as wide as everything
        coarsest: list[float] = []
        for node in self.nodes:
            if not node.inputs:
                laws.append((Law(0.0, 1.0), Law(0.0, 1.0)))
                wide.append(laws[-1])
                coarsest.append(1.0)
                continue
            source = min(node.inputs, key=lambda index: coarsest[index])
            y, x = self._steps_of(node, source)
            wide.append((y.law(wide[source][0]), x.law(wide[source][1])))
            alone = (node.height, node.width) == (1, 1)
            laws.append((node.y.law(laws[source][0]), node.x.law(laws[source][1])) if alone else wide[-1])
            coarsest.append(max(coarsest[source], wide[-1][0].stride, wide[-1][1].stride))
        strides = (max(y.stride, x.stride) for y, x in wide)
        return tuple(zip(laws, strides, strict=True))

    def _steps_of(self, node: Node, source: int) -> tuple[Step, Step]:
        """How `node` lies on node `source` along y and x: what takes the whole map is a pooling, or moves nothing."""
        below = self.nodes[source]
        if (node.whole or node.mixed) and (node.height, node.width) == (1, 1):
            return Resize(Taps.AREA, below.height, 1), Resize(Taps.AREA, below.width, 1)
        if node.whole and (node.height, node.width) == (below.height, below.width):  # a normalisation over all units
            return IDENTITY, IDENTITY
        return node.y, node.x

    def laws(self, layer: str) -> tuple[Law, Law]:
        """Where the units of `layer` sit, along y and x.

        For a network that never upsamples this is the centre of the receptive field; after an upsampling, whose fields
        change size with the unit's phase, it is the place that the unit answers for.
        """
        return self.laws_at(self.index(layer))

    def laws_at(self, index: int) -> tuple[Law, Law]:
        """The same of a node by its number."""
        return self._placed[index][0]

    def coarseness(self, index: int) -> float:
        """Input pixels between units of a node, the larger of both axes; of a unit of a whole map all that it spans."""
        return self._placed[index][1]

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """The level of each node: log2 of its coarseness, rounded."""
        return tuple(round(log2(self.coarseness(index))) for index in range(len(self.nodes)))

    @cached_property
    def levels_below(self) -> tuple[frozenset[int], ...]:
        """Of each node, the coarsest levels of the ways from it down to the image."""
        found = [frozenset({self.levels[0]})]
        for level, node in zip(self.levels[1:], self.nodes[1:], strict=True):
            found.append(frozenset(max(level, below) for source in node.inputs for below in found[source]))
        return tuple(found)

    def whole_stride(self, layer: str) -> int | None:
        """Pixels between neighbouring units of `layer`; None where that is not one whole number for both axes."""
        y, x = (law.stride for law in self.laws(layer))
        whole = round(y)
        return whole if whole >= 1 and max(abs(y - whole), abs(x - whole)) < 1e-9 else None

    def position_of(self, layer: str, row: int, column: int) -> tuple[float, float]:
        """(x, y) of a unit in input pixels."""
        y, x = self.laws(layer)
        return x.at(column), y.at(row)

    def cell_at(self, layer: str, x: float, y: float) -> tuple[int, int]:
        """(row, column) of the unit of `layer` that sits nearest to the pixel (x, y)."""
        law_y, law_x = self.laws(layer)
        rows, columns = self.grid(layer)
        return law_y.nearest(y, rows), law_x.nearest(x, columns)

    def cell_box(self, layer: str, row: int, column: int) -> Box:
        """The cell of a unit: one stride wide, about the unit's position."""
        return cell_of(*self.laws(layer), row, column)


def cell_of(y: Law, x: Law, row: int, column: int) -> Box:
    """The cell of a unit whose layer's units sit where these laws say."""
    left, top = x.at(column - 0.5) + 0.5, y.at(row - 0.5) + 0.5
    return Box(left, top, left + x.stride, top + y.stride)


def tidy(values: Iterable[float]) -> list[float]:
    """`values` for people and JSON: whole numbers as integers, others rounded to a thousandth of a pixel."""
    return [int(v) if float(v).is_integer() else round(float(v), 3) for v in values]


def pair(y: float, x: float) -> float | list[float]:
    """A number where both axes agree, else [y, x]: the convention of `size` and `stride` in JSON."""
    y, x = tidy((y, x))
    return y if y == x else [y, x]
