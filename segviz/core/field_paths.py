"""Inside a receptive field: one box for each path of a network with skips, and the chain of boxes.

The intervals are those of `core/field`: integers alone, so that a click is answered where it is made. In a network
with skips a unit sees the image several times, through maps of different strides: FCN-8s by pool3, pool4 and its last
layer (Long et al. 2015, section 4.2), a U-Net by each of its levels. A path is all ways from the unit to the image
whose coarsest map has the same stride, to the nearest power of two; the shortcut and the body of a residual block,
alike in that, are one path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from segviz.core.field import Box, Field, Geometry, Judge
from segviz.core.regions import Spans, in_sight, join
from segviz.core.steps import Interval, Span

MOST = 8  # paths that are told apart; of more, the finest are taken together


@dataclass(frozen=True, slots=True)
class FieldPath:
    """What a unit sees by one path: `name` is the layer with the path's coarsest maps that only this path has.

    `stride` is that of these maps in input pixels, the larger of both axes, `levels` are those of the path.
    """

    name: str
    field: Field
    stride: float
    levels: frozenset[int]


@dataclass(frozen=True, slots=True)
class Link:
    """One layer on the way from the image to a unit: the rows and columns of its grid that the unit needs.

    `box` is what these see together, in input pixels, as `Field.box`.
    """

    layer: str
    rows: Interval
    columns: Interval
    box: Box


def paths(geometry: Geometry, layer: str, row: int, column: int) -> tuple[FieldPath, ...]:
    """The fields of unit (row, column) of `layer` by each path, the largest first; () where there is one path alone.

    Their boxes lie inside the field of the unit, and as far as they lie in the image the smallest box around them is
    the field. A path by which the unit sees padding alone is left out. Raises SegvizError for an unknown layer.
    """
    target = geometry.index(layer)
    coarsest = sorted(geometry.levels_below[target], reverse=True)
    if len(coarsest) < 2:
        return ()
    groups = [frozenset({level}) for level in coarsest[: MOST - 1]] + [frozenset(coarsest[MOST - 1 :])]
    walks = [_walked(geometry, (target, row, column), group) for group in groups if group]
    found = []
    for walk in walks:
        if walk.field.blind:
            continue
        mark = _mark(geometry, walk, {index for other in walks if other is not walk for index in other.nodes})
        found.append(FieldPath(layer_at(geometry, mark), walk.field, geometry.coarseness(mark), walk.group))
    found.sort(key=lambda path: path.field.box.width * path.field.box.height, reverse=True)
    return tuple(found) if len(found) > 1 else ()


def has_paths(geometry: Geometry, layer: str) -> bool:
    """Whether several paths lead to the units of `layer`, at least to those that lie far from the border."""
    return len(geometry.levels_below[geometry.index(layer)]) > 1


def levels_through(geometry: Geometry, layer: str, node: int) -> frozenset[int]:
    """The levels of all ways from the units of `layer` to the image that go through a node: those of their paths."""
    levels, target = geometry.levels, geometry.index(layer)
    above: dict[int, set[int]] = {target: {levels[target]}}  # the coarsest levels on the ways down to each node
    for index in range(target, node, -1):
        for source in geometry.nodes[index].inputs if index in above else ():
            above.setdefault(source, set()).update(max(level, levels[source]) for level in above[index])
    return frozenset(max(one, other) for one in above.get(node, ()) for other in geometry.levels_below[node])


@dataclass(frozen=True)
class _Walk:
    """One path down to the image: its nodes, unit first, and the field that they end in."""

    group: frozenset[int]
    nodes: tuple[int, ...]
    field: Field


def _walked(geometry: Geometry, unit: tuple[int, int, int], group: frozenset[int]) -> _Walk:
    """From a unit (node, row, column) follow all ways whose coarsest level is one of `group`.

    A way is its node and its coarsest level so far.
    """
    (target, row, column), levels = unit, geometry.levels
    need: dict[int, dict[int, Spans]] = {target: {levels[target]: (Span.of(row), Span.of(column))}}
    nodes, judge = [], Judge()
    for index in range(target, 0, -1):
        if index not in need:
            continue
        nodes.append(index)
        judge.meet(geometry.nodes[index])
        for so_far, (y, x) in need.pop(index).items():
            for source, rows, columns in geometry.below(index, y, x):
                coarsest = max(so_far, levels[source])
                if any(max(coarsest, level) in group for level in geometry.levels_below[source]):
                    join(need.setdefault(source, {}), coarsest, (rows, columns))
    seen: dict[int, Spans] = {}
    for spans in need[0].values():
        join(seen, 0, spans)
    return _Walk(group, (*nodes, 0), judge.field(*seen[0], geometry.height, geometry.width))


def _mark(geometry: Geometry, walk: _Walk, others: set[int]) -> int:
    """The node that a path is known by: the last of its coarsest ones that is on no other path."""
    coarsest = [index for index in walk.nodes if geometry.levels[index] in walk.group]
    return next((index for index in coarsest if index not in others), coarsest[0])


def layer_at(geometry: Geometry, index: int) -> str:
    """The layer that ends in a node, the outermost of several; a node without one belongs to the layer before it."""
    while index:
        names = [name for name, end in geometry.layers if end == index]
        if names:
            return min(names, key=len)
        index = min(geometry.nodes[index].inputs, default=0)
    return "image"


def chain(geometry: Geometry, layer: str, row: int, column: int) -> tuple[Link, ...]:
    """What unit (row, column) of `layer` needs of each layer before it, from the image to the unit itself.

    Of layers that hold others only those that they hold are there, and of these only those that the unit needs.
    """
    return tuple(_links(geometry, in_sight(geometry, layer, row, column)))


def _links(geometry: Geometry, need: Mapping[int, Spans]) -> Iterator[Link]:
    holders = {name.rpartition(".")[0] for name, _ in geometry.layers}
    for name, index in sorted(geometry.layers, key=lambda layer: layer[1]):
        if index not in need or name in holders:
            continue
        y, x = need[index]
        seen = geometry.seen_by(index, y, x)
        if y.real is not None and x.real is not None and seen is not None and not seen.blind:
            yield Link(name, y.real, x.real, seen.box)
