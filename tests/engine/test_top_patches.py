"""Top patches: the strongest units of the right images, their true fields, and what is kept of them on disk."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from segviz.core import folders, images
from segviz.core.errors import SegvizError
from segviz.core.export import save_picture
from segviz.core.field import Box, Status
from segviz.core.frames import Frame
from segviz.core.requests import DescribeRequest, FeatureRequest, Setup
from segviz.core.top_patches import LONGEST, SHOWN, TopAnswer, TopRequest, TopUpdate, images_of
from segviz.engine import top_patches
from segviz.engine.flow import finished
from segviz.engine.graph import trace
from segviz.engine.run import Engine
from tests.engine.foreign import Segmenter


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A cache of its own, empty."""
    monkeypatch.setattr(folders, "cache", lambda: tmp_path / "cache")
    return tmp_path / "cache" / top_patches.FOLDER


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Twelve images of noise of different sizes, a file that is none and a broken one."""
    place = tmp_path_factory.mktemp("many")
    chance = np.random.default_rng(3)
    for number in range(12):
        size = (40 + 3 * number, 60 - 2 * number, 3)
        save_picture(place / f"{number:02}.png", chance.integers(0, 255, size).astype(np.uint8))
    (place / "notes.txt").write_text("no image")
    return place


def asked(folder: Path | None, layer: str = "c3", channel: int = 4, model: str = "lenet5") -> TopRequest:
    return TopRequest(Setup(model, scale=1.0), layer, channel, None if folder is None else str(folder))


def test_the_nine_strongest_units_one_an_image(engine, folder, cache):
    """Zeiler and Fergus 2014, section 4.1; against the feature maps of each image."""
    answer = finished(engine.run(asked(folder)))
    truth = []
    for place in images_of(str(folder)):
        maps = finished(engine.run(FeatureRequest(Setup("lenet5", str(place), 1.0), "c3"))).values
        row, column = np.unravel_index(int(maps[4].argmax()), maps[4].shape)
        truth.append((float(maps[4].max()), str(place), int(row), int(column)))
    truth.sort(reverse=True)
    assert [(patch.value, patch.image, patch.row, patch.column) for patch in answer.patches] == truth[:SHOWN]
    assert (answer.images, answer.total, answer.dead, answer.whole) == (12, 12, 0, True)


def test_a_crop_is_the_true_field_of_the_unit(engine, folder, cache):
    """Oracles: c3 of LeNet-5 sees 14 x 14 pixels, all inside the image."""
    for patch in finished(engine.run(asked(folder))).patches:
        network = finished(engine.run(DescribeRequest(Setup("lenet5", patch.image, 1.0))))
        field = network.geometry.field("c3", patch.row, patch.column)
        assert (patch.field, patch.status, patch.outside) == (field.box, Status.EXACT, 0)
        assert patch.position == field.center
        left, top, right, bottom = map(int, patch.field)
        assert (right - left, bottom - top) == (14, 14)
        assert np.array_equal(patch.crop, images.open_picture(patch.image).pixels[top:bottom, left:right])


def test_a_field_of_everything_says_so(engine, folder, cache):
    """Behind a gate that averages over the image (`tests/engine/foreign`)."""
    geometry = trace(Segmenter(), (3, 16, 16)).geometry
    maps = np.random.default_rng(0).random((8, 8, 8)).astype(np.float32)
    table = top_patches._facts(maps, geometry, "up", Frame((16, 16), (16, 16), (16, 16)))
    assert {top_patches.STATUSES[int(status)] for status in table[-1]} == {Status.WHOLE}


def test_what_lies_outside_the_image_is_grey():
    pixels = np.full((10, 20, 3), 200, np.uint8)
    crop = top_patches.cropped(pixels, Box(-4, 2, 6, 12))
    assert crop.shape == (10, 10, 3)
    assert (crop[:8, 4:] == 200).all()
    assert (crop[:, :4] == top_patches.GREY).all()
    assert (crop[8:] == top_patches.GREY).all()
    assert (top_patches.cropped(pixels, Box(30, 0, 34, 4)) == top_patches.GREY).all()
    assert top_patches.cropped(np.zeros((900, 300, 3), np.uint8), Box(0, 0, 300, 900)).shape == (LONGEST, 64, 3)


def test_what_a_network_sees_mirrored_is_mirrored_in_the_crop(engine, folder, cache):
    """`unet-cells` answers for 44 pixels less on each side: what it is given is numpy's reflection of the image."""
    answer = finished(engine.run(asked(folder, "pool.2", 0, "unet-cells")))
    assert max(patch.outside for patch in answer.patches) > 0.3
    for patch in answer.patches:
        pixels = images.open_picture(patch.image).pixels
        around = np.pad(pixels, ((200, 200), (200, 200), (0, 0)), mode="reflect")
        left, top, right, bottom = (int(edge) + 200 for edge in patch.field)
        assert patch.mirrored
        assert np.array_equal(patch.crop, around[top:bottom, left:right])
    assert not finished(engine.run(asked(folder))).patches[0].mirrored


def test_another_channel_reads_what_is_kept(engine, folder, cache, monkeypatch):
    finished(engine.run(asked(folder)))
    files = sorted(cache.iterdir())
    assert len(files) == 12
    monkeypatch.setattr(top_patches, "_computed", lambda *_: pytest.fail("computed again"))
    again, other = finished(engine.run(asked(folder))), finished(engine.run(asked(folder, channel=5)))
    assert len(again.patches) == len(other.patches) == SHOWN
    assert again.patches[0].value != other.patches[0].value
    assert sorted(cache.iterdir()) == files


def test_a_search_that_was_stopped_goes_on_from_what_is_there(engine, folder, cache, monkeypatch):
    monkeypatch.setattr(top_patches, "TOLD", 0.0)
    with closing(engine.run(asked(folder))) as steps:
        seen = next(step for step in steps if isinstance(step, TopUpdate) and step.found.images == 3)
    assert (len(seen.found.patches), seen.progress.done, seen.found.whole) == (3, 3, False)
    computed = []
    plainly = top_patches._computed

    def counted(request, loaded, place, progress):
        computed.append(place.name)
        return plainly(request, loaded, place, progress)

    monkeypatch.setattr(top_patches, "_computed", counted)
    monkeypatch.setattr(top_patches, "TOLD", 1e9)
    with closing(engine.run(asked(folder))) as steps:
        again = next(step for step in steps if isinstance(step, TopUpdate))
    assert again.found.images == 3, "what was found is seen before the next image is computed"
    computed.clear()
    assert finished(engine.run(asked(folder))).whole
    assert computed == [f"{number:02}.png" for number in range(3, 12)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(file.read_bytes()[:-5]),
        lambda file: file.write_bytes(file.read_bytes()[:-1] + b"\x07"),
        lambda file: file.write_bytes(b"\x93NUMPY" + file.read_bytes()),
        lambda file: (file.unlink(), file.mkdir()),
    ],
)
def test_a_damaged_file_costs_one_image_and_nothing_else(engine, folder, cache, damage):
    whole = finished(engine.run(asked(folder)))
    damage(sorted(cache.iterdir())[4])
    again = finished(engine.run(asked(folder)))
    assert [patch.value for patch in again.patches] == [patch.value for patch in whole.patches]
    assert again.notes == ()


def test_other_weights_and_other_pixels_are_found_anew(engine, folder, cache, tmp_path):
    place = tmp_path / "one"
    place.mkdir()
    save_picture(place / "a.png", np.random.default_rng(1).integers(0, 255, (40, 40, 3)).astype(np.uint8))
    first = finished(engine.run(asked(place)))
    save_picture(place / "a.png", np.zeros((40, 40, 3), np.uint8))
    second = finished(engine.run(asked(place)))
    assert first.patches[0].value != second.patches[0].value
    loaded = engine._loaded(Setup("lenet5"))
    before = loaded.fingerprint
    assert before == Engine()._loaded(Setup("lenet5")).fingerprint
    assert before != engine._loaded(Setup("lenet5?std=200")).fingerprint


def test_the_oldest_files_go(engine, folder, cache, monkeypatch):
    monkeypatch.setattr(top_patches, "MOST_FILES", 5)
    finished(engine.run(asked(folder)))
    assert len(list(cache.iterdir())) == 5


def test_a_cache_that_cannot_be_written_only_costs_time(engine, folder, cache):
    cache.parent.mkdir()
    cache.write_text("in the way")
    assert finished(engine.run(asked(folder))).whole


def test_an_image_that_cannot_be_read_is_said_and_left_out(engine, cache, tmp_path):
    save_picture(tmp_path / "a.png", np.random.default_rng(1).integers(0, 255, (40, 40, 3)).astype(np.uint8))
    (tmp_path / "b.png").write_bytes(b"no image at all")
    answer = finished(engine.run(asked(tmp_path)))
    assert len(answer.patches) == 1
    assert "b.png" in answer.notes[0]
    (tmp_path / "a.png").unlink()
    with pytest.raises(SegvizError, match=r"b\.png"):
        finished(engine.run(asked(tmp_path)))


def test_a_map_that_is_active_nowhere_has_no_patch(engine, cache, tmp_path):
    """Behind a ReLU the strongest unit of a dead map is 0."""
    save_picture(tmp_path / "black.png", np.zeros((40, 40, 3), np.uint8))
    setup = Setup("nin-digits", str(tmp_path / "black.png"), 1.0)
    maps = finished(engine.run(FeatureRequest(setup, "mlpconv1.2"))).values
    dead = int(maps.max((1, 2)).argmin())
    assert maps[dead].max() == 0
    answer: TopAnswer = finished(engine.run(asked(tmp_path, "mlpconv1.2", dead, "nin-digits")))
    assert (answer.patches, answer.dead) == ((), 1)


def test_folders_and_channels_that_there_are_not(engine, folder, cache, tmp_path):
    with pytest.raises(SegvizError, match="holds no image"):
        finished(engine.run(asked(tmp_path)))
    with pytest.raises(SegvizError, match="cannot be read"):
        finished(engine.run(asked(tmp_path / "nowhere")))
    with pytest.raises(SegvizError, match="no map 16"):
        finished(engine.run(asked(folder, channel=16)))


@pytest.mark.parametrize(("layer", "channel", "said"), [("c9", 0, "no layer 'c9'"), ("c3", 16, "no map 16")])
def test_a_wrong_layer_is_said_and_not_what_is_wrong_with_the_first_file(engine, cache, tmp_path, layer, channel, said):
    (tmp_path / "a.png").write_bytes(b"no image at all")
    save_picture(tmp_path / "b.png", np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(SegvizError, match=said):
        finished(engine.run(asked(tmp_path, layer, channel)))
