"""The effective field of a unit as the engine answers it, of one image and of several."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from segviz.core import assets, energy
from segviz.core.choices import BackRule
from segviz.core.effective import EffectiveRequest
from segviz.core.errors import SegvizError
from segviz.core.export import save_picture
from segviz.core.field import Box
from segviz.core.requests import DescribeRequest, FeatureRequest, Progress, Setup
from segviz.engine.effective import beside, covering
from segviz.engine.flow import finished
from segviz.engine.run import Engine

HEIGHT, WIDTH = 72, 100
SEGNET = "segnet-digits"  # with ReLUs and padding


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three pictures of noise of other sizes, and one that is none."""
    place = tmp_path_factory.mktemp("effective")
    chance = np.random.default_rng(0)
    for name, size in (("b", (HEIGHT, WIDTH)), ("A", (90, 64)), ("c", (40, 120))):
        save_picture(place / f"{name}.png", chance.integers(0, 255, (*size, 3)).astype(np.uint8))
    (place / "d.png").write_bytes(b"no picture")
    return place


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def asked(folder, layer="s4", unit=(3, 4), **changes) -> EffectiveRequest:
    setup = Setup("lenet5", str(folder / "b.png"), 1.0)
    return replace(EffectiveRequest(setup, layer, 2, *unit), **changes)


def test_it_is_of_the_unit_that_the_feature_maps_show(engine, folder):
    request = asked(folder)
    found = finished(engine.run(request))
    maps = finished(engine.run(FeatureRequest(request.setup, "s4"))).values
    assert found.value == pytest.approx(float(maps[2, 3, 4]), rel=1e-5)
    described = finished(engine.run(DescribeRequest(request.setup)))
    assert found.crop == found.box == described.geometry.field("s4", 3, 4).box
    assert found.projection.shape == (1, 16, 16)
    assert np.array_equal(found.values, energy.energy(found.projection))
    assert found.spread == energy.spread(found.values)
    assert found.picture.shape == (16, 16, 3)
    assert found.glow.shape == (16, 16)
    assert [ellipse.share for ellipse in found.ellipses] == [0.5, 0.95]
    assert found.crop.left <= found.ellipses[0].center[0] <= found.crop.right
    assert found.crop.top <= found.ellipses[0].center[1] <= found.crop.bottom


def test_a_unit_at_the_border_sees_what_there_is(engine, folder):
    """SegNet pads: the crop is the field's part inside the image, where the gradient really ends."""
    setup, layer = Setup(SEGNET, str(folder / "b.png"), 1.0), "encoder.1.4"
    geometry = finished(engine.run(DescribeRequest(setup))).geometry
    rows, _ = geometry.grid(layer)
    found = finished(engine.run(EffectiveRequest(setup, layer, None, rows - 1, 0)))
    field = geometry.field(layer, rows - 1, 0).box
    assert field.outside(geometry.width, geometry.height) > 0.2
    assert found.crop == field.clipped(geometry.width, geometry.height)
    assert found.whole == ""
    assert found.values[-1].any()
    assert found.values[:, 0].any()


def test_a_gate_makes_it_the_whole_image(engine, folder):
    """Squeeze and excitation averages over the image; the answer says why it went through all of it."""
    setup = Setup("selfie_general", str(folder / "b.png"))
    found = finished(engine.run(EffectiveRequest(setup, "last", 0, 40, 50, BackRule.GRADIENT)))
    assert found.frame.outer != found.frame.inner
    assert found.crop == Box(0, 0, WIDTH, HEIGHT), "padding is not the image"
    assert "reaches the whole image" in found.whole
    assert found.values.shape == (HEIGHT, WIDTH)


def test_energy_that_comes_back_to_padding_is_outside(engine, tmp_path):
    """Of a picture of 3 x 2 pixels the network sees more padding than picture: no figure speaks of that."""
    save_picture(tmp_path / "dot.png", np.full((2, 3, 3), 90, np.uint8))
    setup = Setup("selfie_general", str(tmp_path / "dot.png"), 1.0)
    found = finished(engine.run(EffectiveRequest(setup, "last", 0, 0, 0)))
    assert min(found.frame.outer) > 3
    assert found.crop == found.box == Box(0, 0, 3, 2)
    assert found.values.shape == found.glow.shape == found.picture.shape[:2] == found.projection.shape[1:] == (2, 3)
    assert np.array_equal(found.values, energy.energy(found.projection))
    assert found.spread == energy.spread(found.values)
    assert all(0 <= ellipse.center[0] <= 2 and 0 <= ellipse.center[1] <= 1 for ellipse in found.ellipses)
    mean = finished(engine.run(replace(found.request, images=2)))
    assert mean.values.shape == (2, 3)


def test_back_projections_differ_and_say_where_they_cannot(engine, folder):
    """LeNet-5 has no ReLU: all rules are its gradient, and it is said."""
    ways = [finished(engine.run(asked(folder, rule=rule))) for rule in BackRule]
    assert all(np.array_equal(way.projection, ways[0].projection) for way in ways)
    assert ways[0].notes == ()
    assert "no ReLU lies below" in ways[1].notes[-1]
    setup = Setup(SEGNET, str(folder / "b.png"), 1.0)
    guided, deconvnet = (
        finished(engine.run(EffectiveRequest(setup, "encoder.1.4", 3, 7, 8, rule)))
        for rule in (BackRule.GUIDED, BackRule.DECONVNET)
    )
    assert guided.notes == deconvnet.notes
    assert not np.allclose(guided.projection, deconvnet.projection)


def test_averaging_is_the_mean_over_the_images_of_the_folder(engine, folder):
    """Of the three pictures, each cut to the size of the first; the broken one is named."""
    alone = finished(engine.run(asked(folder)))
    mean = finished(engine.run(asked(folder, images=9)))
    assert mean.images == 3
    assert mean.projection is None
    assert mean.picture is None
    assert any("d.png" in note and note.startswith("left out") for note in mean.notes)
    fitted = []
    for name in ("c", "A"):
        pixels = covering(engine.store.picture(str(folder / f"{name}.png")).pixels, (HEIGHT, WIDTH))
        save_picture(folder.parent / f"fitted-{name}.png", pixels)
        setup = Setup("lenet5", str(folder.parent / f"fitted-{name}.png"), 1.0)
        fitted.append(finished(engine.run(EffectiveRequest(setup, "s4", 2, 3, 4))).values)
    assert np.allclose(mean.values, (alone.values + fitted[0] + fitted[1]) / 3, atol=1e-6)
    assert mean.value == alone.value


def test_averaging_tells_its_progress_and_can_be_stopped(engine, folder):
    with closing(engine.run(asked(folder, images=3))) as steps:
        told = []
        for update in steps:
            if update.unit == "images":
                told.append(update)
            if len(told) == 2:
                break
    assert told[-1] == Progress(1, 3, "images")
    again = finished(engine.run(asked(folder, images=3)))
    assert again.images == 3


def test_other_images_come_in_turn_and_of_one_kind(folder):
    names = [path.name for path in beside(str(folder / "b.png"))]
    assert names == ["c.png", "d.png", "A.png"]
    photographs = [path.name for path in beside(str(assets.sample("castle-maintenon.jpg")))]
    assert len(photographs) >= 8
    assert not any(name.startswith("digits-") for name in photographs)
    assert [path.name for path in beside(str(assets.sample("digits-256x256.png")))] == [
        "digits-512x512.png",
        "digits-1000x2000.png",
    ]


def test_another_image_covers_the_first_from_its_middle():
    pixels = np.zeros((40, 200, 3), np.uint8)
    pixels[:, 98:102] = 255
    found = covering(pixels, (60, 80))
    assert found.shape == (60, 80, 3)
    assert found[30, 40].min() > 200
    assert found[:, :30].max() < 20


def test_a_unit_that_is_switched_off_says_so(engine, folder):
    """The gradient of a unit behind a ReLU that is off is nothing at all."""
    setup, layer = Setup(SEGNET, str(folder / "b.png"), 1.0), "encoder.0.5"
    maps = finished(engine.run(FeatureRequest(setup, layer))).values
    channel, row, column = (int(at) for at in np.argwhere(maps == 0)[0])
    found = finished(engine.run(EffectiveRequest(setup, layer, channel, row, column)))
    assert (found.value, found.spread, found.ellipses) == (0, None, ())
    assert "switched off by ReLU" in found.notes[-1]
    assert (found.picture == 128).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unit": (99, 0)}, "outside the 15x22 grid of layer 's4'"),
        ({"channel": 16}, "map 16 is not one of the layer's 16"),
        ({"layer": "s9"}, "no layer 's9'"),
    ],
)
def test_a_unit_that_there_is_not_is_refused(engine, folder, changes, said):
    with pytest.raises(SegvizError, match=said):
        finished(engine.run(asked(folder, **changes)))
