"""Fields in closed form and dense blocks joined one upon the other: the same as node by node, on random graphs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segviz.core.field import Geometry, Node, Status
from segviz.core.field_paths import chain
from segviz.core.regions import Region, in_sight, reached
from segviz.core.steps import IDENTITY, Interval, Resize, Span, Taps, Window
from tests.core import networks

KERNELS = st.sampled_from([1, 2, 3, 3, 5])
KINDS = ("window", "window", "window", "window", "dense", "join", "join", "whole", "wide pad", "up")
DOUBTS = st.sampled_from([Status.UNKNOWN, Status.DATA, Status.BOUND])


def size(step: Window, below: int) -> int:
    return (below + 2 * step.before - step.dilation * (step.kernel - 1) - 1) // step.stride + 1


@st.composite
def windows(draw: st.DrawFn, *, wide: bool = False) -> Window:
    """A window none of which lies in padding alone, or cropping; a wide padding makes some that do."""
    kernel, dilation = draw(KERNELS), draw(st.integers(1, 2))
    reach = dilation * (kernel - 1)
    before = reach + 2 if wide else draw(st.integers(-1, reach // 2))
    return Window(kernel, draw(st.sampled_from([1, 1, 2])), dilation, before)


@st.composite
def graphs(draw: st.DrawFn) -> Geometry:
    """Windows, and joins of any earlier maps of one size, in the order of dense blocks and in others."""
    nodes = [Node((), IDENTITY, IDENTITY, draw(st.integers(9, 30)), draw(st.integers(9, 30)))]
    for kind in draw(st.lists(st.sampled_from(KINDS), min_size=4, max_size=16)):
        source = draw(st.integers(max(0, len(nodes) - 3), len(nodes) - 1))
        below = nodes[source]
        alike = [k for k, node in enumerate(nodes) if (node.height, node.width) == (below.height, below.width)]
        if kind == "dense":
            nodes.append(
                Node(tuple(alike[: draw(st.integers(1, len(alike)))]), IDENTITY, IDENTITY, below.height, below.width)
            )
        elif kind == "join":
            inputs = draw(st.lists(st.sampled_from(alike), min_size=1, max_size=4))
            nodes.append(Node(tuple(inputs), IDENTITY, IDENTITY, below.height, below.width))
        elif kind == "whole":
            nodes.append(Node((source,), IDENTITY, IDENTITY, below.height, below.width, whole=True))
        elif kind == "up":
            y, x = (Resize(Taps.NEAREST, side, 2 * side) for side in (below.height, below.width))
            nodes.append(Node((source,), y, x, 2 * below.height, 2 * below.width))
        else:
            y = draw(windows(wide=kind == "wide pad"))
            x = y if draw(st.booleans()) else draw(windows())
            height, width = size(y, below.height), size(x, below.width)
            if min(height, width) > 0:
                nodes.append(Node((source,), y, x, height, width))
    nodes = [nodes[0], *(draw(marked(node, index)) for index, node in enumerate(nodes[1:], start=1))]
    return Geometry(nodes[0].height, nodes[0].width, tuple(nodes), tuple((f"l{k}", k) for k in range(len(nodes))), "l0")


@st.composite
def marked(draw: st.DrawFn, node: Node, index: int) -> Node:
    """Now and then a gate or a doubt."""
    mark = draw(st.sampled_from(["", "", "", "", "", "gate", "doubt", "doubt"]))
    if mark == "doubt":
        return replace(node, reason=f"because of {index}", doubt=draw(DOUBTS))
    return replace(node, gates=(0,)) if mark == "gate" else node


def places(geometry: Geometry, index: int) -> list[tuple[int, int]]:
    node = geometry.nodes[index]
    return [(y, x) for y in {0, node.height // 2, node.height - 1} for x in {0, node.width // 3, node.width - 1}]


def node_by_node(geometry: Geometry) -> Geometry:
    """The same without closed forms: all ways are walked down to the image."""
    found = replace(geometry)
    found.__dict__["_forms"] = (None,) * len(geometry.nodes)
    return found


@settings(max_examples=250, deadline=None)
@given(geometry=graphs())
def test_a_field_is_the_same_in_closed_form_and_node_by_node(geometry: Geometry) -> None:
    walked = node_by_node(geometry)
    for index in range(len(geometry.nodes)):
        for row, column in places(geometry, index):
            for y, x in ((Span.of(row), Span.of(column)), (Span(Interval(-2, row), Interval(0, row)), Span.of(column))):
                assert geometry.seen_by(index, y, x) == walked.seen_by(index, y, x), (index, row, column)


def graph(side: int, *nodes: Node) -> Geometry:
    every = (Node((), IDENTITY, IDENTITY, side, side), *nodes)
    return Geometry(side, side, every, tuple((f"l{k}", k) for k in range(len(every))), f"l{len(nodes)}")


def node(source: int, step: Window, side: int, **more: Any) -> Node:
    return Node((source,), step, step, side, side, **more)


PAD_IN_FRONT, CROP = Window(before=2), Window(before=-2)
CONV = Window(3, before=1)
SPECIAL = {
    "padding in front alone": graph(9, node(0, PAD_IN_FRONT, 11), node(1, CONV, 11)),
    "a crop that is padded, and one that is not": graph(
        20, node(0, CROP, 16), node(1, CONV, 16), Node((2, 1), IDENTITY, IDENTITY, 16, 16)
    ),
    "the same doubt on two ways": graph(
        9,
        node(0, CONV, 9, reason="of the earlier", doubt=Status.BOUND),
        node(0, CONV, 9, reason="of the later", doubt=Status.BOUND),
        Node((2, 1), IDENTITY, IDENTITY, 9, 9),
    ),
}


@pytest.mark.parametrize("geometry", SPECIAL.values(), ids=SPECIAL)
def test_what_chance_seldom_draws_is_the_same(geometry: Geometry) -> None:
    for index, node in enumerate(geometry.nodes):
        for unit in map(Span.of, range(node.height)):
            assert geometry.seen_by(index, unit, unit) == node_by_node(geometry).seen_by(index, unit, unit)


@settings(max_examples=60, deadline=None)
@given(geometry=graphs())
def test_what_is_in_sight_and_reached_is_the_same_edge_by_edge(geometry: Geometry) -> None:
    """Without joints, each node asks each of its inputs."""
    plain = tuple(node.inputs for node in geometry.nodes)
    last = len(geometry.nodes) - 1
    for row, column in places(geometry, last):
        seen = Region(Interval(row % geometry.height, geometry.height - 1), Interval(0, column % geometry.width))
        joined = in_sight(geometry, f"l{last}", row, column), reached(geometry, seen)
        with patch.object(Geometry, "joints", plain):
            fresh = replace(geometry)
            assert joined == (in_sight(fresh, f"l{last}", row, column), reached(fresh, seen))


def dense_block(depth: int) -> Geometry:
    """Convolution k takes all maps before it, as in DenseNet: joined in a node of its own."""
    conv = Window(3, before=1)
    nodes, maps = [Node((), IDENTITY, IDENTITY, 40, 40)], [0]
    for _ in range(depth):
        nodes.append(Node(tuple(maps), IDENTITY, IDENTITY, 40, 40))
        nodes.append(Node((len(nodes) - 1,), conv, conv, 40, 40))
        maps.append(len(nodes) - 1)
    layers = tuple((f"conv{k}", index) for k, index in enumerate(maps[1:]))
    return Geometry(40, 40, tuple(nodes), layers, layers[-1][0])


def test_a_dense_block_has_as_many_edges_as_it_is_deep() -> None:
    geometry = dense_block(20)
    assert sum(len(node.inputs) for node in geometry.nodes) == 20 * 21 // 2 + 20
    assert sum(map(len, geometry.joints)) == 1 + 2 * 19 + 20
    assert geometry.field("conv9", 20, 20).box == (10, 10, 31, 31)  # ten 3x3: 21 wide


@pytest.mark.parametrize("geometry", [networks.vgg(), networks.alexnet(ceil=True), dense_block(12)])
def test_windows_alone_are_never_walked(geometry: Geometry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field is then a sum for each axis, and a chain one walk and as many sums as there are layers."""
    asked = counted(monkeypatch)
    field = geometry.field(geometry.last, 0, 0)
    assert asked == []
    in_sight(geometry, geometry.last, 0, 0)
    once = len(asked)
    assert chain(geometry, geometry.last, 0, 0)[-1].box == field.box
    assert len(asked) == 2 * once


def test_behind_an_upsampling_what_lies_before_it_is_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    conv, up = Window(3, before=1), Resize(Taps.NEAREST, 40, 80)
    steps = (*((conv, 40),) * 20, (up, 80), (conv, 80))
    nodes = (Node((at,), step, step, side, side) for at, (step, side) in enumerate(steps))
    geometry = graph(40, *nodes)
    asked = counted(monkeypatch)
    assert geometry.field("l22", 40, 40).box.width == 42  # two pixels below three units, and twenty 3x3
    assert asked == [22, 21]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The nodes that are asked what they need, from now on."""
    asked: list[int] = []
    real = Geometry.below

    def below(self: Geometry, index: int, *more: Any) -> Any:
        asked.append(index)
        return real(self, index, *more)

    monkeypatch.setattr(Geometry, "below", below)
    return asked


def test_a_joint_needs_only_what_its_own_readers_need() -> None:
    """Of the join of (a, b) a unit of the join of (a, b, c) needs nothing, though its maps are asked through it."""
    conv = Window(3, before=1)
    inputs = ((0,), (0, 1), (2,), (0, 1, 3))
    steps = (conv, IDENTITY, conv, IDENTITY)
    nodes = tuple(Node(below, step, step, 9, 9) for below, step in zip(inputs, steps, strict=True))
    geometry = Geometry(9, 9, (Node((), IDENTITY, IDENTITY, 9, 9), *nodes), (("a", 1), ("ab", 2), ("abc", 4)), "abc")
    assert geometry.joints[4] == (2, 3)
    need = in_sight(geometry, "abc", 4, 4)
    assert [need[index][0].real for index in (4, 3, 2, 1)] == [(4, 4), (4, 4), (3, 5), (3, 5)]
    nodes = (*nodes[:3], replace(nodes[3], inputs=(0, 1)))
    assert 2 not in in_sight(replace(geometry, nodes=(geometry.nodes[0], *nodes)), "abc", 4, 4)
