"""Paths, chains and projective fields on the papers' networks as graphs, and laws that hold on random ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segviz.core.errors import SegvizError
from segviz.core.field import Box, Geometry, Node, Status
from segviz.core.field_paths import MOST, chain, paths
from segviz.core.regions import Region, needed, projective, whole
from segviz.core.steps import IDENTITY, Interval, Resize, Taps, Transposed, Window
from tests.core import networks


def reached(geometry: Geometry, layer: str, x: int, y: int) -> Region | None:
    """The projective field of one pixel."""
    return projective(geometry, layer, Region(Interval(y, y), Interval(x, x)))


def around(boxes: list[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))


def test_fcn8s_sees_the_image_three_times() -> None:
    """Long et al. 2015, section 4.2. oracles.md: with a 900 input pixel 450 of FCN-8s sees 227..694."""
    found = paths(networks.fcn(2), "output", 450, 450)
    assert [(path.name, path.stride) for path in found] == [("score", 32), ("crop_pool4", 16), ("crop_pool3", 8)]
    assert [(path.field.box.left, path.field.box.right - 1) for path in found] == [(227, 694), (387, 518), (427, 478)]
    assert all(path.field.status is Status.EXACT for path in found)


@pytest.mark.parametrize(("skips", "count"), [(0, 0), (1, 2), (2, 3)])
def test_every_skip_of_an_fcn_is_a_path_more(skips: int, count: int) -> None:
    assert len(paths(networks.fcn(skips), "output", 450, 450)) == count


def test_a_unet_has_a_path_for_each_level() -> None:
    """oracles.md: output 180 sees 176..379, output 192 sees 192..379; with each skip two levels of 3x3 less."""
    found = paths(networks.unet(), "output", 180, 192)
    assert [path.name for path in found] == ["bottom_b", "crop3", "crop2", "crop1", "crop0"]
    assert [path.stride for path in found] == [16, 8, 4, 2, 1]
    assert found[0].field.box == Box(192, 176, 380, 380)
    assert found[-1].field.box == Box(280, 268, 289, 277)  # four 3x3 convolutions about the pixel: 9 wide


def test_networks_without_skips_have_one_path() -> None:
    assert paths(networks.vgg(), "dense", 0, 0) == ()


def test_shortcut_and_body_are_one_path() -> None:
    window = Window(3, before=1)
    nodes = (
        Node((), IDENTITY, IDENTITY, 9, 9),
        Node((0,), window, window, 9, 9),
        Node((0, 1), IDENTITY, IDENTITY, 9, 9),
    )
    assert paths(Geometry(9, 9, nodes, (("body", 1), ("sum", 2)), "sum"), "sum", 4, 4) == ()


def test_of_too_many_paths_the_finest_are_taken_together() -> None:
    b = networks.Builder(1 << 10)
    maps = [b.window("level0", 3, 1, 1)]
    maps += [b.window(f"level{k}", 2, 2) for k in range(1, 11)]
    top = maps[-1]
    for level in reversed(range(10)):
        top = b.join(f"sum{level}", b.up(f"up{level}", 2, 2, top), maps[level])
    found = paths(b.done(), "sum0", 300, 300)
    assert len(found) == MOST
    assert [path.stride for path in found[:7]] == [1 << k for k in range(10, 3, -1)]
    assert around([path.field.box for path in found]) == b.done().field("sum0", 300, 300).box


def test_the_chain_of_lenet5_leads_from_its_window_to_the_unit() -> None:
    """Fields of oracles.md the other way: what C5's one unit needs of each layer is all of it."""
    links = chain(networks.lenet5(), "c5", 0, 0)
    assert [link.layer for link in links] == ["c1", "s2", "c3", "s4", "c5"]
    assert [link.rows for link in links] == [Interval(0, size - 1) for size in (28, 14, 10, 5, 1)]
    assert {link.box for link in links} == {Box(0, 0, 32, 32)}


def test_the_chain_narrows_to_the_unit_and_holds_each_path() -> None:
    geometry = networks.fcn(2)
    links = {link.layer: link for link in chain(geometry, "output", 450, 450)}
    assert links["output"].rows == links["output"].columns == Interval(450, 450)
    assert links["score"].rows == Interval(13, 15)
    assert links["pool3"].rows.hi - links["pool3"].rows.lo > links["crop_pool3"].rows.hi - links["crop_pool3"].rows.lo
    assert links["conv1_1"].box == geometry.field("output", 450, 450).box


def test_the_chain_leaves_out_holders_and_what_the_unit_does_not_need() -> None:
    nodes = tuple(Node(() if k == 0 else (0,), IDENTITY, IDENTITY, 4, 4) for k in range(4))
    layers = (("a", 1), ("b", 2), ("b.inner", 2), ("c", 3))
    assert [link.layer for link in chain(Geometry(4, 4, nodes, layers, "c"), "b", 1, 2)] == ["b.inner"]


def test_the_first_pixel_reaches_the_first_units_alone() -> None:
    geometry = networks.lenet5(96)
    assert reached(geometry, "output", 0, 0) == (Interval(0, 0), Interval(0, 0))
    assert reached(geometry, "output", 40, 31) == (Interval(0, 7), Interval(3, 10))


def test_a_pixel_between_the_windows_reaches_nothing() -> None:
    step = Window(1, 2)
    geometry = Geometry(4, 4, (Node((), IDENTITY, IDENTITY, 4, 4), Node((0,), step, step, 2, 2)), (("a", 1),), "a")
    assert reached(geometry, "a", 2, 2) == (Interval(1, 1), Interval(1, 1))
    assert reached(geometry, "a", 1, 2) is None


@pytest.mark.parametrize(
    "more", [{"whole": True}, {"gates": (1,)}, {"reason": "nobody knows"}], ids=["global", "gated", "unknown"]
)
def test_where_units_may_see_everything_a_pixel_may_change_them_all(more: dict[str, object]) -> None:
    first, gate = Node((), IDENTITY, IDENTITY, 5, 5), Node((0,), Window(5), Window(5), 1, 1, whole=True)
    nodes = (first, gate, Node((0,), IDENTITY, IDENTITY, 5, 5, **more))  # type: ignore[arg-type]
    assert reached(Geometry(5, 5, nodes, (("a", 2),), "a"), "a", 2, 2) == (Interval(0, 4), Interval(0, 4))


def test_a_gate_is_needed_but_not_in_sight() -> None:
    """Squeeze-and-excitation: to compute a unit takes the whole map, while its chain stays as wide as its field."""
    window, pooled = Window(3, before=1), Window(9)
    nodes = (
        Node((), IDENTITY, IDENTITY, 9, 9),
        Node((0,), window, window, 9, 9),
        Node((1,), pooled, pooled, 1, 1, mixed=True),
        Node((1,), IDENTITY, IDENTITY, 9, 9, gates=(2,)),
    )
    geometry = Geometry(9, 9, nodes, (("conv", 1), ("gated", 3)), "gated")
    assert [(link.layer, link.rows) for link in chain(geometry, "gated", 4, 4)] == [
        ("conv", Interval(4, 4)),
        ("gated", Interval(4, 4)),
    ]
    unit = Region(Interval(4, 4), Interval(4, 4))
    assert needed(geometry, {3: unit})[1] == whole(nodes[1])
    assert projective(geometry, "gated", unit) == whole(nodes[3])


def test_layers_that_there_are_not_are_named() -> None:
    for ask in (paths, chain, reached):
        with pytest.raises(SegvizError, match="no layer 'conv9'"):
            ask(networks.lenet5(), "conv9", 0, 0)


# ------------------------------------------------------------------------------------ laws

TRANSPOSED = st.builds(Transposed, st.integers(2, 4), st.just(2), st.just(1), st.integers(0, 1))
WINDOWS = st.builds(Window, st.integers(1, 4), st.integers(1, 2), st.integers(1, 2), st.integers(0, 2))
RESIZES = st.tuples(st.sampled_from([Taps.NEAREST, Taps.BILINEAR, Taps.BICUBIC]), st.integers(5, 24))
STEPS = st.one_of(WINDOWS, TRANSPOSED, RESIZES)
CLOSED = st.one_of(st.builds(Window, st.integers(2, 4), st.integers(1, 2), st.just(1), st.integers(0, 2)), TRANSPOSED)


@st.composite
def graphs(draw: st.DrawFn, steps: st.SearchStrategy[Any]) -> Geometry:
    """Chains of steps, whose maps are sometimes joined with an earlier one, pooled or spread to it."""
    side = draw(st.integers(12, 24))
    nodes, names = [Node((), IDENTITY, IDENTITY, side, side)], []
    for number in range(draw(st.integers(1, 6))):
        drawn, below = draw(steps), nodes[-1].height
        step = Resize(drawn[0], below, drawn[1]) if isinstance(drawn, tuple) else drawn
        size = _size(step, below)
        if not 1 < size <= 60:
            continue
        nodes.append(Node((len(nodes) - 1,), step, step, size, size))
        if draw(st.booleans()):
            other = draw(st.integers(0, len(nodes) - 2))
            step = Resize(Taps.AREA, nodes[other].height, size)
            nodes.append(Node((other,), step, step, size, size))
            nodes.append(Node((len(nodes) - 2, len(nodes) - 1), IDENTITY, IDENTITY, size, size))
        names.append((f"layer{number}", len(nodes) - 1))
    return Geometry(side, side, tuple(nodes), (*names, ("end", len(nodes) - 1)), "end")


def _size(step: object, below: int) -> int:
    if isinstance(step, Resize):
        return step.size_out
    assert isinstance(step, Window | Transposed)
    reach = step.dilation * (step.kernel - 1)
    if isinstance(step, Window):
        return (below + 2 * step.before - reach - 1) // step.stride + 1
    return (below - 1) * step.stride - 2 * step.padding + reach + 1


@settings(max_examples=60, deadline=None)
@given(geometry=graphs(STEPS), data=st.data())
def test_the_boxes_of_paths_make_up_the_field(geometry: Geometry, data: st.DataObject) -> None:
    rows, columns = geometry.grid("end")
    unit = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    size = geometry.width, geometry.height
    found, whole = [path.field.box for path in paths(geometry, "end", *unit)], geometry.field("end", *unit).box
    if found:
        assert around([*found, whole]) == whole
        assert around([box.clipped(*size) for box in found]) == whole.clipped(*size)
    assert all(around([link.box, whole]) == whole for link in chain(geometry, "end", *unit))


@settings(max_examples=60, deadline=None)
@given(geometry=graphs(CLOSED), data=st.data())
def test_on_every_edge_of_a_field_lies_a_pixel_that_reaches_the_unit(geometry: Geometry, data: st.DataObject) -> None:
    """By steps that leave no holes. A corner may be none: two paths may make up a box that neither of them fills."""
    rows, columns = geometry.grid("end")
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    field = geometry.field("end", row, column)
    if field.blind:
        return
    left, top, right, bottom = (int(edge) for edge in field.box.clipped(geometry.width, geometry.height))
    across, down = range(left, right), range(top, bottom)
    edges = [(across, [top]), (across, [bottom - 1]), ([left], down), ([right - 1], down)]
    for xs, ys in edges:
        reaching = [reached(geometry, "end", x, y) for x in xs for y in ys]
        assert any(found and row in range(*_ends(found[0])) and column in range(*_ends(found[1])) for found in reaching)


def _ends(units: Interval) -> tuple[int, int]:
    return units.lo, units.hi + 1
