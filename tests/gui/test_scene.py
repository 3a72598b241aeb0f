"""The pinned unit of a scene."""

from __future__ import annotations

from dataclasses import replace

import pytest

from segviz.core import assets, catalogue, scores
from segviz.core.choices import View
from segviz.core.errors import SegvizError
from segviz.core.field import IDENTITY, Box, Node
from segviz.core.requests import Badge, DescribeRequest, ExamineRequest, Setup
from segviz.core.session import State, Unit
from segviz.gui import gestures
from segviz.gui.names import title_of
from segviz.gui.scene import Scene, pinned
from segviz.gui.unit_words import class_of_map
from tests.gui import scenes


def test_the_pinned_unit_has_the_field_of_lenet():
    """c3: field 14, stride 2, so unit (10, 20) sees columns 40 to 54 and rows 20 to 34."""
    found = pinned(scenes.full())
    assert found.field == Box(40, 20, 54, 34)
    assert found.center == (46.5, 26.5)
    assert found.outside == 0
    assert found.value == pytest.approx(float(scenes.full().features.values[4, 10, 20]))


def test_fields_are_given_in_pixels_of_the_image_that_was_resized():
    """Field 27, stride 8, centre of unit 0 at 0: unit 30 sees columns 227 to 254 of an input half the image's size."""
    assert pinned(scenes.deep_full()).field == Box(454, 294, 508, 348)


@pytest.mark.parametrize("name", ["nothing", "picture only", "network only", "unit outside", "unknown layer"])
def test_without_a_fitting_unit_nothing_is_pinned(name):
    assert pinned(scenes.everything()[name]) is None


@pytest.mark.parametrize(
    ("network", "step", "changes"),
    [
        (scenes.lenet(), 1, {"grid_stride": None}),
        (scenes.lenet(), 4, {"grid_stride": 16}),
        (scenes.uneven(), 1, {"grid_stride": None}),
        (scenes.uneven(), 2, {}),
        (None, 1, {}),
        (None, 2, {}),
    ],
)
def test_grid_strides_are_multiples_of_the_networks_own(network, step, changes):
    """Windows of an uneven network have no common step with it: none is made up by rounding."""
    assert gestures.grid_stride(replace(scenes.full(), network=network), step) == changes


OTHERS = {
    "another image": lambda scene: replace(scene, state=replace(scene.state, image="/pictures/other.png")),
    "another network": lambda scene: replace(scene, state=replace(scene.state, model="mtcnn_pnet")),
    "another layer": lambda scene: replace(scene, state=replace(scene.state, layer="s4")),
    "another size": lambda scene: replace(scene, picture=scenes.picture(10, 10)),
    "no picture": lambda scene: replace(scene, picture=None),
    "other colours": lambda scene: replace(scene, state=replace(scene.state, scale=0.5, opacity=0.1)),
}


@pytest.mark.parametrize(
    ("other", "prediction", "features"),
    [
        ("another image", False, False),
        ("another network", True, False),  # the old labels stay until the new ones are there; maps name another layer
        ("another layer", True, False),
        ("another size", False, True),
        ("no picture", False, True),
        ("other colours", True, True),
    ],
)
def test_an_answer_is_shown_where_it_belongs(other, prediction, features):
    scene = OTHERS[other](scenes.full())
    assert (scene.shown_prediction is not None, scene.shown_features is not None) == (prediction, features)


def test_a_value_is_read_from_maps_of_the_image_that_is_shown():
    scene = scenes.full()
    assert pinned(scene).value is not None
    assert pinned(OTHERS["another image"](scene)).value is None


def test_a_layer_that_does_not_see_the_image_has_no_pinned_unit():
    scene = scenes.full()
    geometry = scene.network.geometry
    constant = replace(
        geometry,
        nodes=(*geometry.nodes, Node((), IDENTITY, IDENTITY, 3, 3)),
        layers=(*geometry.layers, ("table", len(geometry.nodes))),
    )  # fmt: skip
    layer = replace(scene.network.layers[0], name="table", output_shape=(1, 3, 3))
    network = replace(scene.network, geometry=constant, layers=(*scene.network.layers, layer))
    state = replace(scene.state, layer="table", unit=Unit(0, 1, 1))
    assert pinned(replace(scene, network=network, state=state)) is None


def test_the_heatmap_is_never_the_backgrounds_by_itself():
    scene = scenes.full()
    found = scene.prediction
    names = ("background", *found.classes[1:])
    mostly = replace(scene, prediction=replace(found, classes=names, shares=((0, 0.9), (3, 0.1))))
    assert mostly.shown_class == 3
    alone = replace(scene, prediction=replace(found, classes=names, shares=((0, 1.0),)))
    assert alone.shown_class == 1
    chosen = replace(mostly, state=replace(mostly.state, shown_class=0))
    assert chosen.shown_class == 0


def test_a_click_in_the_layer_of_the_classes_pins_the_class_that_answered():
    scene = scenes.full()
    last = replace(scene, state=replace(scene.state, layer="output", unit=None, view=View.LABELS))
    assert gestures.pin(last, 47, 27)["unit"].channel == scores.ranking(scene.prediction, 47, 27, 1)[0].index
    heat = replace(last, state=replace(last.state, view=View.HEATMAP, shown_class=7))
    assert gestures.pin(heat, 47, 27)["unit"].channel == 7
    inner = replace(scene, state=replace(scene.state, layer="c3", unit=Unit(5, 0, 0)))
    assert gestures.pin(inner, 47, 27)["unit"].channel == 5


def test_a_click_asks_for_the_maps_of_a_layer_and_not_for_its_rows():
    scene = scenes.full()
    network = scenes.channels_last(scenes.channels_last(scene.network, "c3"), "output")
    channels, rows, _ = network.layer("c3").maps
    assert channels != rows
    for channel in (channels - 1, channels, rows - 1, rows):
        state = replace(scene.state, layer="c3", unit=Unit(channel, 0, 0))
        pinned = gestures.pin(replace(scene, network=network, state=state), 47, 27)["unit"]
        assert pinned.channel == (channel if channel < channels else 0)
    last = replace(scene, network=network, state=replace(scene.state, layer="output", unit=None, view=View.LABELS))
    assert gestures.pin(last, 47, 27)["unit"].channel == scores.ranking(scene.prediction, 47, 27, 1)[0].index
    assert class_of_map(network, "output", 3) == network.classes[3]


def test_a_network_brings_its_sample_at_the_scale_that_it_knows():
    changes = gestures.use_network(State(), "mtcnn_onet")
    assert (changes["scale"], changes["image"]) == (0.45, str(assets.sample("astronaut.png")))
    assert gestures.use_network(State(image="/a/face.png"), "mtcnn_onet")["scale"] is None


def viewed(model: str, **state) -> Scene:
    """LeNet-5 is open; the State says `model`."""
    scene = scenes.full()
    return replace(scene, state=replace(scene.state, model=model, **state))


@pytest.mark.parametrize(
    ("option", "value", "changes"),
    [
        ("mean", "33.3", {"model": "lenet5?mean=33.3"}),
        ("std", "255", {"model": "lenet5"}),  # what it brings anyway
        ("std", "2.55e2", {"model": "lenet5"}),
        ("longest", "300", {"model": "lenet5?longest=300", "scale": None}),
        ("longest", "0", {"model": "lenet5", "scale": None}),
        ("minimum", "0.25", {"model": "lenet5?minimum=0.25", "minimum": 0.25}),
        ("minimum", None, {"model": "lenet5", "minimum": 0.8}),
    ],
)
def test_a_viewing_option_becomes_a_part_of_the_spec(option, value, changes):
    assert gestures.view_otherwise(viewed("lenet5", scale=0.5), option, value) == changes


def test_options_add_up_and_go_one_by_one_or_all_together():
    scene = viewed("lenet5?longest=300&mean=4&minimum=0.1")
    assert gestures.view_otherwise(scene, "std", "9")["model"] == "lenet5?longest=300&mean=4&minimum=0.1&std=9"
    assert gestures.view_otherwise(scene, "mean", None)["model"] == "lenet5?longest=300&minimum=0.1"
    assert gestures.view_as_brought(scene) == {"model": "lenet5", "scale": None, "minimum": 0.8}


@pytest.mark.parametrize(
    ("option", "value"), [("mean", "a"), ("std", "0"), ("channels", "RGB"), ("labels", "/nowhere/names.txt")]
)
def test_a_value_that_cannot_be_is_refused(option, value):
    with pytest.raises(SegvizError):
        gestures.view_otherwise(viewed("lenet5"), option, value)


def test_nothing_is_viewed_otherwise_before_it_is_open():
    for scene in (Scene(State()), Scene(State(model="lenet5")), viewed("vgg16")):
        assert gestures.view_otherwise(scene, "mean", "3") == gestures.view_as_brought(scene) == {}


def test_the_same_network_viewed_otherwise_stays_as_it_is_shown():
    state = State(image="/a.png", model="lenet5", view=View.HEATMAP, minimum=0.2, scale=0.5)
    assert gestures.use_network(state, "lenet5?mean=3") == {"model": "lenet5?mean=3"}
    assert gestures.use_network(state, "lenet5")["minimum"] == 0.8  # chosen once more: as it suits


def test_a_network_that_nobody_has_opened_yet_keeps_the_view():
    state = State(image="/a.png", model="lenet5", view=View.HEATMAP)
    changes = gestures.use_network(state, "/nets/own.pth")
    assert (changes["view"], changes["image"], changes["scale"]) == (View.HEATMAP, "/a.png", None)


def test_what_is_known_of_a_network_comes_from_the_engine_once_it_is_open():
    scene = scenes.full()
    assert scene.entry is scene.network.entry
    assert viewed("lenet5?mean=3").entry.preprocessing.mean == (3.0,)  # before the engine has answered
    assert viewed("lenet5?mean=x").entry is scene.network.entry
    assert viewed("lenet5?labels=/nowhere/names.txt").entry == scene.network.entry
    assert viewed("vgg16").entry == catalogue.entry("vgg16")
    assert (Scene(State(model="/a/net.pth")).entry.title, Scene(State(model="/a/net.pth")).known) == ("net.pth", None)
    assert Scene(State(model="no such")).entry is Scene(State()).entry is None


def test_a_badge_is_shown_of_its_own_network_alone():
    badge = Badge(ExamineRequest(Setup("lenet5")), (), 0.1)
    assert replace(viewed("lenet5?mean=3"), badge=badge).shown_badge is badge
    assert replace(viewed("vgg16"), badge=badge).shown_badge is badge  # VGG16 is being read, LeNet-5 is shown yet
    other = replace(scenes.full().network, request=DescribeRequest(Setup("vgg16")))
    assert replace(viewed("vgg16"), network=other, badge=badge).shown_badge is None


@pytest.mark.parametrize(
    ("spec", "title"),
    [
        ("lenet5", "LeNet-5"),
        ("lenet5?mean=3&labels=/a/b.txt", "LeNet-5"),
        ("mtcnn_onet?pooling=floor", "MTCNN O-Net, pooling floor"),
        ("mtcnn_onet?mean=1&pooling=floor", "MTCNN O-Net, pooling floor"),
        ("mtcnn_onet?pooling=ceil", "MTCNN O-Net"),
        ("vgg16?weights=/a/b/own.pth", "VGG16, own.pth"),
        ("/a/b/my%20net.pth?std=2", "my net.pth"),
        ("torchvision:resnet18?weights=default", "resnet18"),
        ("smp:unet/resnet18", "unet/resnet18"),
        ("python:own.nets:Mixer", "own.nets:Mixer"),
        ("python:/a/b/own.py:Mixer", "own.py:Mixer"),
        ("nothing of this name", "nothing of this name"),
        ("lenet5?mean", "lenet5?mean"),
        ("", ""),
    ],
)
def test_every_network_has_a_title(spec, title):
    assert title_of(spec) == title


def test_a_photograph_alone_brings_a_network_that_knows_something():
    for image in assets.sample_images():
        assert catalogue.entry(gestures.suitable(str(image))).trained, image
    assert gestures.suitable("/a/photograph.jpg") == "efficientnet_lite0"
