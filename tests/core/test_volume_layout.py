"""Where the volumes of a network lie: nothing overlaps, larger is drawn larger, arcs end where they should."""

from __future__ import annotations

from itertools import pairwise
from math import sqrt

import pytest

from segviz.core.folding import Extent, Folding, Volume
from segviz.core.volume_layout import LANES, MOST_COMPRESSED, WIDEST, Scale, lit, plan_of
from tests.core import skipped

NETWORKS = {
    "residual": skipped.residual(2),
    "many": skipped.residual(20),
    "unet": skipped.unet(),
    "crowd": skipped.residual(8),
    "dense": skipped.dense(),
}


def _plans():
    for name, network in NETWORKS.items():
        folding = Folding(network)
        yield pytest.param(plan_of(folding), id=name)
        yield pytest.param(plan_of(folding, folding.blocks - folding.overview), id=f"{name}-unfolded")
        yield pytest.param(plan_of(folding, folding.overview), id=f"{name}-folded")


PLANS = tuple(_plans())


@pytest.mark.parametrize("plan", PLANS)
def test_items_stand_in_order_and_do_not_overlap(plan):
    for one, next_one in pairwise(plan.solids):
        assert one.right < next_one.left
    assert plan.solids[0].left == 0
    assert plan.box.right == plan.solids[-1].right


@pytest.mark.parametrize("plan", PLANS)
def test_edges_go_with_the_square_root_of_what_they_count(plan):
    for item, solid in zip(plan.scheme.items, plan.solids, strict=True):
        if isinstance(item, Volume):
            assert solid.height / plan.scale.side == pytest.approx(sqrt(item.extent.height))
            assert solid.depth / plan.scale.depth == pytest.approx(sqrt(item.extent.channels))
            assert solid.back_x * solid.back_y > 0


def test_a_larger_volume_is_never_drawn_smaller():
    scale = Scale(10, 2)
    grown = [scale.edges(Extent(n, n, n)) for n in range(1, 400)]
    for one, next_one in pairwise(grown):
        assert all(small < large for small, large in zip(one, next_one, strict=True))


@pytest.mark.parametrize("plan", PLANS)
def test_every_wire_is_drawn_once_along_the_axis_or_as_an_arc(plan):
    drawn = [*plan.straight, *(arc.wire for arc in plan.arcs)]
    assert sorted(drawn, key=str) == sorted(plan.scheme.wires, key=str)
    assert all(wire.target == wire.source + 1 for wire in plan.straight)


@pytest.mark.parametrize("plan", PLANS)
def test_arcs_end_at_their_volumes_and_pass_above_all_others(plan):
    for arc in plan.arcs:
        source, target = plan.solids[arc.wire.source], plan.solids[arc.wire.target]
        for solid, (x, y) in ((source, arc.start), (target, arc.end)):
            assert solid.left <= x <= solid.right
            assert solid.top <= y <= 0
        for solid in plan.solids[arc.wire.source : arc.wire.target + 1]:
            assert arc.level < solid.top


@pytest.mark.parametrize("plan", PLANS)
def test_arcs_over_the_same_ground_have_levels_of_their_own(plan):
    for at, one in enumerate(plan.arcs):
        for other in plan.arcs[:at]:
            shared = min(one.end[0], other.end[0]) - max(one.start[0], other.start[0])
            assert shared <= 0 or one.level != other.level
    tallest = min((solid.top for solid in plan.solids), default=0)
    assert plan.box.top >= tallest - LANES - 60, "arcs of many skips stay close"


def test_a_long_network_is_compressed_across_and_keeps_its_height():
    short, long = plan_of(Folding(skipped.residual(1))), plan_of(Folding(skipped.residual(20)))
    assert short.scale.across == 1.0
    assert long.scale.across < 1.0
    assert long.scale.across == MOST_COMPRESSED, "or nothing could be told apart"
    assert max(solid.height for solid in long.solids) == pytest.approx(max(solid.height for solid in short.solids))


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_an_overview_is_as_wide_as_it_may_be(network):
    plan = plan_of(Folding(network))
    assert plan.box.right < 1.1 * WIDEST or plan.scale.across == MOST_COMPRESSED


def test_unfolding_keeps_the_scale_of_the_overview():
    folding = Folding(skipped.residual(20))
    assert plan_of(folding, frozenset({"body.3"})).scale == plan_of(folding).scale


@pytest.mark.parametrize("plan", PLANS)
def test_items_are_found_where_they_are_drawn(plan):
    for place, solid in enumerate(plan.solids):
        assert plan.item_at(solid.middle, 0.0) == place
    assert plan.item_at(plan.solids[0].right + 0.1, 0.0) is None
    assert plan.item_at(plan.solids[0].middle, plan.solids[0].top - 1) is None


def test_what_a_unit_needs_is_lit_in_every_volume_on_its_way():
    """A unit of `join0` at (26, 10): of 3x3 kernels, a 2x2 transposed convolution and a crop of 2, by hand.

    It needs rows 26 to 28 of the joined maps, through the skip rows 28 to 30 of down0, and so rows 28 to 32 of the
    image; from below rows 13 and 14 of down1, rows 13 to 16 of pool0 and 26 to 33 of down0: rows 26 to 35 of the image.
    Columns are 16 less in the image and in the maps of its size, 8 less in those of half of it.
    """
    network = skipped.unet()
    plan = plan_of(Folding(network))
    found = lit(plan, network.geometry, "join0", 26, 10)
    places = {item.name: at for at, item in enumerate(plan.scheme.items) if isinstance(item, Volume)}

    def seen(name, size):
        return [round(edge * size, 6) for edge in found[places[name]]]

    assert seen("join0", 52) == [10, 26, 11, 27]
    assert seen("up0", 54) == [10, 26, 13, 29]
    assert seen("down1", 27) == [5, 13, 7, 15]
    assert seen("pool0", 29) == [5, 13, 9, 17]
    assert seen("down0", 58) == [10, 26, 18, 34]
    assert seen("input", 60) == [10, 26, 20, 36]
    assert "output" not in {plan.scheme.items[place].name for place in found}


def test_a_place_of_the_map_lies_on_the_face():
    solid = plan_of(Folding(skipped.unet())).solids[1]
    front_top, back_bottom = solid.on_map(0, 0), solid.on_map(1, 1)
    assert front_top == pytest.approx((solid.left + solid.depth, solid.top + solid.back_y))
    assert back_bottom == pytest.approx((solid.right, solid.bottom - solid.back_y))


def test_the_span_of_a_block_holds_its_volumes_and_its_shortcut():
    plan = plan_of(Folding(skipped.residual(2)))
    block = plan.scheme.block("body.0")
    box = plan.span(block.first, block.last)
    assert (box.left, box.right) == (plan.solids[block.first].left, plan.solids[block.last].right)
    shortcut = next(arc for arc in plan.arcs if arc.wire.source == block.first - 1)
    assert box.top == shortcut.level
