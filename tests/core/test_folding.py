"""Which volumes a network is drawn as, and what goes into what."""

from __future__ import annotations

import pytest

from segviz.core.folding import INPUT, Extent, Folding, Join, Volume, extent_of, parents
from tests.core import skipped


def names(scheme):
    return [item.name if isinstance(item, Volume) else "+" for item in scheme.items]


def wires(scheme):
    shown = names(scheme)
    return {(shown[wire.source], shown[wire.target]) for wire in scheme.wires}


def test_what_only_changes_values_belongs_to_the_volume_before_it():
    folding = Folding(skipped.residual(1))
    stem = folding.scheme().items[1]
    assert stem.layers == ("stem", "relu")
    assert stem.extent == Extent(16, 64, 64)
    assert folding.scheme().place_of("relu") == 1


def test_what_multiplies_is_a_volume_of_its_own_whatever_its_size():
    """A convolution of 1x1 to as many maps as it takes."""
    ops = [skipped.Op("a", 8, 4, (0,), macs=9), skipped.Op("b", 8, 4, (1,), macs=16), skipped.Op("c", 8, 4, (2,))]
    scheme = Folding(skipped.network(8, 3, ops, {})).scheme()
    assert [volume.layers for volume in scheme.volumes] == [(), ("a",), ("b", "c")]


def test_the_overview_opens_all_that_fits():
    scheme = Folding(skipped.residual(2)).scheme()
    assert names(scheme) == [
        INPUT, "stem", "body.0.conv1", "body.0.conv2", "+", "body.1.conv1", "body.1.conv2", "+", "pool", "fc",
    ]  # fmt: skip
    assert [(block.name, block.first, block.last) for block in scheme.blocks] == [
        ("body", 2, 6), ("body.0", 2, 3), ("body.1", 5, 6),
    ]  # fmt: skip


def test_an_overview_of_many_layers_stays_folded():
    folding = Folding(skipped.residual(20))  # 40 convolutions
    scheme = folding.scheme()
    assert len(scheme.volumes) == 24
    blocks = [volume for volume in scheme.volumes if volume.folded]
    assert [block.name for block in blocks] == [f"body.{at}" for at in range(20)]
    assert {block.folded for block in blocks} == {2}
    assert not any(isinstance(item, Join) for item in scheme.items), "a sum inside a block is not seen"


def test_a_block_is_unfolded_in_its_place_and_folded_again():
    folding = Folding(skipped.residual(20))
    scheme = folding.scheme(frozenset({"body.3"}))
    assert names(scheme)[4:8] == ["body.2", "body.3.conv1", "body.3.conv2", "+"]
    assert ("body.2", "+") in wires(scheme), "the shortcut is seen"
    assert folding.scheme(frozenset()) == folding.scheme()
    whole = folding.scheme(frozenset({"body"}))
    assert names(whole) == [INPUT, "stem", "body", "pool", "fc"]
    assert whole.items[2].folded == 40


def test_a_skip_and_a_sum_are_wires_and_a_join():
    assert wires(Folding(skipped.residual(1)).scheme()) == {
        (INPUT, "stem"), ("stem", "body.0.conv1"), ("body.0.conv1", "body.0.conv2"), ("body.0.conv2", "+"),
        ("stem", "+"), ("+", "pool"), ("pool", "fc"),
    }  # fmt: skip


def test_a_cropped_skip_comes_from_its_volume_and_a_gate_is_one():
    scheme = Folding(skipped.unet()).scheme()
    assert names(scheme) == [INPUT, "down0", "pool0", "down1", "squeeze", "+", "up0", "+", "join0", "output"]
    assert [item.gated for item in scheme.items if isinstance(item, Join)] == [True, False]
    assert ("down0", "+") in wires(scheme)
    assert [(wire.source, wire.target) for wire in scheme.wires if wire.gate] == [(4, 5)]


def test_every_input_of_every_operation_is_drawn():
    """A law: what is neither inside one item nor a wire between two would be left out of the picture."""
    network = skipped.residual(3)
    folding = Folding(network)
    everything = folding.scheme(folding.blocks - folding.overview)
    shown = wires(everything)
    for at, node in enumerate(network.geometry.nodes):
        if len(node.inputs) > 1:
            assert any(target == "+" for _, target in shown), at
    sources = {source for source, _ in shown}
    assert sources == set(names(everything)) - {"fc"}, "everything but the answer goes somewhere"


@pytest.mark.parametrize(
    ("layer", "shown"), [("body.3.conv2", "body.3"), ("body.3", "body.3"), ("body", "body.19"), ("relu", "stem")]
)
def test_a_layer_is_shown_by_what_it_is_folded_into(layer, shown):
    scheme = Folding(skipped.residual(20)).scheme()
    assert scheme.items[scheme.place_of(layer)].name == shown


def test_no_place_for_a_layer_that_there_is_not():
    assert Folding(skipped.residual(1)).scheme().place_of("nothing") is None


def test_labels_leave_out_what_the_open_block_says():
    labels = {volume.name: volume.label for volume in Folding(skipped.residual(2)).scheme().volumes}
    assert labels["body.0.conv1"] == "conv1"
    assert labels["stem"] == "stem"
    folded = Folding(skipped.residual(20)).scheme()
    assert [volume.label for volume in folded.volumes][2:4] == ["0", "1"]


def test_a_mere_list_of_layers_is_named_once_and_does_not_fold():
    """As a ModuleList, which is never called: the layers have names below one that no layer has."""
    ops = [skipped.Op(f"body.list.{at}", 8, 4 + at, (at,), macs=9) for at in range(4)]
    scheme = Folding(skipped.network(8, 3, [*ops, skipped.Op("out", 8, 2, (4,), macs=9)], {})).scheme()
    assert [(block.name, block.first, block.last, block.folds) for block in scheme.blocks] == [
        ("body", 1, 4, False), ("body.list", 1, 4, False),
    ]  # fmt: skip
    assert [volume.label for volume in scheme.volumes] == [INPUT, "0", "1", "2", "3", "out"]


@pytest.mark.parametrize(
    ("shape", "grid", "extent"),
    [
        ((64, 7, 9), (7, 9), (64, 7, 9)),
        ((7, 9, 64), (7, 9), (64, 7, 9)),  # channels last, as Swin has them
        ((197, 768), (1, 1), (768, 197, 1)),  # tokens
        ((1000,), (1, 1), (1000, 1, 1)),
        ((2, 3, 8, 8), (8, 8), (6, 8, 8)),
    ],
)
def test_extents_of_every_kind_of_output(shape, grid, extent):
    assert extent_of(shape, grid) == Extent(*extent)


def test_parents_are_the_innermost_containers():
    held = parents(skipped.residual(1))
    assert (held["body.0.conv1"], held["body.0"], held["stem"]) == ("body.0", "body", None)
