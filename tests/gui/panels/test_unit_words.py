"""What is said of a field: the same everywhere, also where gates or averages look at the whole image."""

from __future__ import annotations

from dataclasses import replace

import pytest

from segviz.core.field import Node
from segviz.core.requests import Network
from segviz.core.session import Unit
from segviz.core.steps import Window
from segviz.gui import unit_words
from segviz.gui.panels.inspector import InspectorPanel
from segviz.gui.panels.network_rows import rows_of
from segviz.gui.scene import Scene, pinned
from tests.gui import scenes


def plain(text: str) -> str:
    return text.replace("\u202f", " ")


def gated() -> Network:
    """LeNet-5 whose c3 is multiplied by a gate that averages over all of s2."""
    network = scenes.lenet()
    geometry = network.geometry
    at = geometry.index("c3")
    nodes = tuple(replace(node, gates=(at - 1,)) if i == at else node for i, node in enumerate(geometry.nodes))
    layers = tuple(replace(layer, status="whole image") if layer.name == "c3" else layer for layer in network.layers)
    return replace(network, geometry=replace(geometry, nodes=nodes), layers=layers)


def pooled() -> Network:
    """LeNet-5 whose output is the average over all of f6."""
    network = scenes.lenet()
    geometry = network.geometry
    below = geometry.nodes[-2]
    last = Node((len(geometry.nodes) - 2,), Window(below.height), Window(below.width), 1, 1, whole=True)
    ends = replace(
        network.layers[-1], output_shape=(10, 1, 1), maps=(10, 1, 1), status="whole image", size=(96.0, 128.0)
    )
    return replace(
        network, geometry=replace(geometry, nodes=(*geometry.nodes[:-1], last)), layers=(*network.layers[:-1], ends)
    )


def scene(network: Network, layer: str, unit: Unit) -> Scene:
    whole = scenes.full()
    return replace(whole, network=network, features=None, state=replace(whole.state, layer=layer, unit=unit))


def test_gates_leave_the_local_field_and_add_the_whole_image(shown):
    here = scene(gated(), "c3", Unit(4, 10, 20))
    found = pinned(here)
    assert plain(unit_words.chip(found, here.network)) == "c3 · map 4 · field 14 × 14 px + whole image"
    one = shown(InspectorPanel, here, (280, 900))
    assert plain(one.panel.unit.place.value("Field")) == "14 × 14 px"
    assert one.panel.unit.place.value("Box") == "40, 20, 54, 34"
    said = "Sees this field and, through gates that average over it, the whole image"
    assert one.panel.unit.status.text() == said
    assert one.panel.unit.status.isVisibleTo(one.panel.widget)
    row = next(row for row in rows_of(here.network) if row.name == "c3")
    assert row.field == "14+"
    assert unit_words.THROUGH_GATES in row.tooltip
    assert unit_words.THROUGH_GATES in row.spoken


def test_an_average_over_the_image_sees_the_whole_image():
    here = scene(pooled(), "output", Unit(3, 0, 0))
    found = pinned(here)
    assert unit_words.chip(found, here.network) == "output · map 3 · field: the whole image"
    assert unit_words.remark(found, here.network) == "Sees the whole image, which it averages over"
    row = next(row for row in rows_of(here.network) if row.name == "output")
    assert row.field == "all"
    assert unit_words.POOLED in row.tooltip


def test_a_field_outside_the_image_says_so():
    here = replace(scenes.deep_full(), state=replace(scenes.deep_full().state, unit=Unit(0, 0, 0)))
    found = pinned(here)
    share = round(found.outside * 100)
    assert share > 10
    assert plain(unit_words.chip(found, here.network)).endswith(f"· {share} % outside")


def test_a_size_says_which_pixels_it_counts_where_they_differ():
    here = scenes.deep_full()  # the image is twice as large as the network's input
    found = pinned(here)
    own = here.network.layer("blocks.2").size[0]
    assert plain(unit_words.field_size(found, here.network)) == f"{2 * own:g} × {2 * own:g} image px"
    assert f"{own:g} × {own:g} in pixels of the network's input" in plain(unit_words.field_hint(found, here.network))
    same = scenes.full()
    assert plain(unit_words.field_size(pinned(same), same.network)) == "14 × 14 px"


@pytest.mark.parametrize(
    ("layer", "channel", "name"), [("fc", 483, "class 483, a very long name"), ("head", 483, ""), ("fc", 5000, "")]
)
def test_only_maps_of_the_last_layer_have_classes(layer, channel, name):
    assert unit_words.class_of_map(scenes.deep(), layer, channel).startswith(name)
    assert bool(unit_words.class_of_map(scenes.deep(), layer, channel)) == bool(name)


def test_maps_are_called_by_number_and_class():
    assert unit_words.captioned(483, "castle") == "483 castle"
    assert unit_words.captioned(3, "3") == "3"
    assert unit_words.captioned(7, "") == "7"
