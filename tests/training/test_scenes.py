"""Scenes of cut-out things: exact labels, the same ones from the same seed, nothing learned from is tested on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from segviz.core import assets, catalogue
from segviz.core.errors import SegvizError
from segviz.core.images import open_picture
from segviz.training import backdrops, cutouts, scenes
from segviz.training.cutouts import OTHER, Cutout

CLASSES = ("background", "mammal", "bird", "insect", "fruit", "flower", "vehicle")


def coins() -> npt.NDArray[np.uint8]:
    return open_picture(assets.sample("coins.png")).pixels


@pytest.fixture
def composer() -> scenes.Composer:
    return scenes.Composer(cutouts.few(), "learn", [coins()])


def test_the_classes_are_those_of_the_list_behind_background() -> None:
    assert cutouts.classes() == CLASSES
    assert (assets.dataset("scenes") / "classes.txt").read_text(encoding="utf-8").split() == list(CLASSES)


def test_nothing_that_is_learned_from_is_tested_on() -> None:
    for name, entry in cutouts._listed().items():
        learned, tested = ([Path(stamp).name for stamp in entry[split]] for split in cutouts.SPLITS)
        assert len({*learned, *tested}) == len(learned) + len(tested), name
    for name, left, right in zip(
        backdrops.SHIPPED, *(backdrops.shipped(split) for split in cutouts.SPLITS), strict=True
    ):
        photograph = open_picture(assets.sample(name)).pixels
        assert np.array_equal(np.concatenate([left, right], 1), photograph)
        assert left.shape[1] == round(0.65 * photograph.shape[1])
    shown = ("chelsea", "raccoon", "european-honey-bee", "citrus-fruits", "flower", "astronaut", "grace_hopper")
    assert not {Path(name).stem for name in backdrops.SHIPPED} & {*shown}


def test_a_few_things_of_every_class_are_shipped() -> None:
    few = cutouts.few()
    assert {name: len(things) for name, things in few.items()} == dict.fromkeys((*CLASSES[1:], OTHER), 2)
    for thing in (thing for things in few.values() for thing in things):
        alpha = thing.pixels[..., 3] >= cutouts.OPAQUE
        assert all(edge.any() for edge in (alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1])), thing.name


def test_without_the_package_its_name_and_the_command_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cutouts, "PLACES", (tmp_path / "nowhere",))
    with pytest.raises(SegvizError, match="apt-get install tuxpaint-stamps-default"):
        cutouts.stamps("learn")


def test_a_background_that_is_not_installed_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backdrops, "PACKAGES", {"some-backgrounds": ("/usr/share/backgrounds/none", "Dune.jpg")})
    with pytest.raises(SegvizError, match=r"none/Dune.jpg is not here.*apt-get install .*mate-backgrounds"):
        backdrops.installed()


def test_a_cut_out_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cutouts, "PLACES", (tmp_path,))
    with pytest.raises(SegvizError, match=r"chimp.png: cannot be read"):
        cutouts.stamps("learn")


def test_the_same_seed_gives_the_same_scene(composer: scenes.Composer) -> None:
    one, same, other = (composer.scene(96, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one.pixels, same.pixels)
    assert np.array_equal(one.labels, same.labels)
    assert not np.array_equal(one.pixels, other.pixels)


def test_what_is_tested_on_is_no_larger_than_its_scene() -> None:
    for split, largest in (("learn", 1.5), ("test", 1.0)):
        composer = scenes.Composer(cutouts.few(), split, [coins()])
        chance = np.random.default_rng(1)
        sides = [side for _ in range(200) for _, _, side in composer._mixed(chance)]
        assert 0.97 * largest < max(sides) <= largest
        assert 0.3 <= min(sides) < 0.33


def test_labels_are_where_the_thing_is() -> None:
    """A thing of one bright colour on a grey photograph: what is labelled is coloured, and nothing else is."""
    magenta = np.zeros((40, 30, 4), np.uint8)
    magenta[..., [0, 2, 3]] = 255
    magenta[:, :10, 3] = 0  # transparent
    composer = scenes.Composer({"bird": [Cutout("flag", magenta)], OTHER: cutouts.few()[OTHER]}, "test", [coins()])
    composer.things = {**composer.things, OTHER: [Cutout("nothing", np.zeros((4, 4, 4), np.uint8))]}
    seen = 0
    for seed in range(12):
        found = composer.scene(128, np.random.default_rng(seed))
        r, g, b = found.pixels.astype(int).transpose(2, 0, 1)
        coloured = np.minimum(r, b) - g > 100
        assert set(np.unique(found.labels)) <= {0, 2}
        assert (coloured != (found.labels == 2)).mean() < 0.03  # edges are mixed
        seen += coloured.sum()
    assert seen > 12 * 500


def test_the_shipped_scenes_have_every_class_and_no_other() -> None:
    shipped = scenes.shipped()
    assert len(shipped) == scenes.SCENES == 60
    assert {scene.pixels.shape for scene in shipped} == {(256, 256, 3)}
    counts = sum(np.bincount(scene.labels.ravel(), minlength=7) for scene in shipped)
    assert len(counts) == 7
    assert min(counts) > 10_000


def test_a_batch_is_what_the_network_wants_to_see() -> None:
    scaling = catalogue.entry("efficientnet_lite0").preprocessing
    source = scenes.Scenes(cutouts.few(), [coins()], scaling, sizes=(64, 96))
    one, same = (source.batch(3, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one.images, same.images)
    assert one.images.shape in {(3, 3, 64, 64), (3, 3, 96, 96)}
    assert one.labels.shape == (3, *one.images.shape[2:])
    assert one.labels.dtype == torch.int64
    assert -1 <= one.images.min() < -0.5
    assert 0.5 < one.images.max() <= 128 / 127 + 0.01
    assert sum(len(batch.labels) for batch in source.held_out()) == 60
    assert len(source.samples().images) == 6
