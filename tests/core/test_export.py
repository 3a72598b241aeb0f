"""What leaves: files whole or not at all, and pictures by the rules of the window."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from segviz.core import export
from segviz.core.choices import ColourMap, MapScale, Palette
from segviz.core.errors import SegvizError
from segviz.core.frames import Lattice
from segviz.core.palettes import class_colours, heat_table, signed_table


def test_the_bar_of_a_signed_map_has_the_colours_that_are_seen_on_a_grey_photograph():
    ground = np.full((1, 256, 3), 128, np.uint8)
    heat = np.arange(256, dtype=np.uint8)[None]
    bar = export.signed_scale()
    assert np.array_equal(bar, export.overlay_heat(export.greyed(ground), heat, signed_table())[0])
    assert bar[127].tolist() == bar[128].tolist() == [70, 70, 70]  # 0.55 of 128
    assert bar[0, 2] > bar[0, 0] + 60
    assert bar[255, 0] > bar[255, 2] + 60


# ------------------------------------------------------------------------------ replace_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole(tmp_path):
    seen = []

    def write(part: Path) -> None:
        part.write_text("new")
        seen.append((part.parent, part.suffix, (tmp_path / "a.txt").exists()))

    assert export.replace_file(tmp_path / "a.txt", write) == tmp_path / "a.txt"
    assert (tmp_path / "a.txt").read_text() == "new"
    assert seen == [(tmp_path, ".txt", False)]
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), SegvizError("no"), ValueError("a bug")])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    (tmp_path / "a.txt").write_text("old")

    def write(part: Path) -> None:
        part.write_text("ne")
        raise failure

    with pytest.raises((SegvizError, ValueError)):
        export.replace_file(tmp_path / "a.txt", write)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_a_message(tmp_path):
    def write(part: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(SegvizError, match=r"^a.txt: cannot be saved \(No space left on device\); choose another"):
        export.replace_file(tmp_path / "a.txt", write)


@pytest.mark.parametrize("place", ["missing/a.txt", "file/a.txt", "folder"])
def test_impossible_places_are_messages(tmp_path, place):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(SegvizError, match="cannot be saved"):
        export.replace_file(tmp_path / place, lambda part: part.write_text("x"))
    assert names(tmp_path) == ["file", "folder"]


def test_a_link_stays_a_link_and_permissions_stay(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "real.txt").chmod(0o640)
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    export.replace_file(tmp_path / "link.txt", lambda part: part.write_text("new"))
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    assert (tmp_path / "real.txt").stat().st_mode & 0o777 == 0o640


KILLED = """
import os, signal, sys
from pathlib import Path
from segviz.core.export import replace_file

def write(part):
    part.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)

replace_file(Path(sys.argv[1]), write)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_killed_save_leaves_the_old_file_and_its_stray_is_swept(tmp_path):
    target = tmp_path / "a.json"
    target.write_text("old")
    assert subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False).returncode == -9
    assert target.read_text() == "old"
    assert len(names(tmp_path)) == 2  # the stray: this test would prove nothing without it
    mine = tmp_path / f".a.{os.getpid()}-0000.part.json"  # of a process that lives
    others = tmp_path / ".b.1-0000.part.json"  # of another file
    mine.write_text("")
    others.write_text("")
    export.replace_file(target, lambda part: part.write_text("new"))
    assert target.read_text() == "new"
    assert names(tmp_path) == sorted(["a.json", mine.name, others.name])


# ------------------------------------------------------------------------------------- files


def test_label_maps_hold_the_class_indices_and_the_palette(tmp_path):
    labels = np.random.default_rng(0).integers(0, 21, (13, 17)).astype(np.uint8)
    with Image.open(export.save_labels(tmp_path / "l.png", labels, 21, Palette.VOC)) as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image), labels)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), class_colours(Palette.VOC, 21)[labels])


@pytest.mark.parametrize(("count", "mode"), [(256, "P"), (257, "I;16"), (1000, "I;16")])
def test_label_maps_of_many_classes_are_16_bit(tmp_path, count, mode):
    labels = np.arange(count, dtype=np.uint16).reshape(1, -1)
    with Image.open(export.save_labels(tmp_path / "l.png", labels, count)) as image:
        assert image.mode == mode
        np.testing.assert_array_equal(np.asarray(image), labels)


def test_probabilities_come_back_with_their_grid(tmp_path):
    values = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32)
    lattice = Lattice(4, 5, (15.5, 14.5), (4, 8))
    with np.load(export.save_probabilities(tmp_path / "p.npz", values, lattice)) as data:
        assert sorted(data) == ["probabilities", "start", "stride"]
        np.testing.assert_array_equal(data["probabilities"], values)
        assert (data["start"].tolist(), data["stride"].tolist()) == ([15.5, 14.5], [4, 8])
    assert names(tmp_path) == ["p.npz"]


def test_tables_survive_commas_and_umlauts(tmp_path):
    rows = [["class", "share"], ['castle, "old"', 0.5], ["Käse\nbrot", 1]]
    path = export.save_table(tmp_path / "t.csv", rows)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [[str(value) for value in row] for row in rows]


def test_animations_show_their_frames_and_rest_on_the_last(tmp_path):
    frames = [np.full((8, 10, 3), level, np.uint8) for level in (0, 100, 200)]
    with Image.open(export.save_animation(tmp_path / "a.gif", frames, 50, 700)) as image:
        assert (image.n_frames, image.info["loop"], image.size) == (3, 0, (10, 8))
        for index, duration in enumerate((50, 50, 700)):
            image.seek(index)
            assert image.info["duration"] == duration
            assert np.asarray(image.convert("RGB"))[4, 4].tolist() == frames[index][4, 4].tolist()


def test_an_animation_needs_a_frame(tmp_path):
    with pytest.raises(SegvizError, match="no frame to save yet"):
        export.save_animation(tmp_path / "a.gif", [])


def test_feature_maps_are_files_in_order(tmp_path):
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    paths = export.save_feature_maps(tmp_path / "new" / "folder", "conv1", values, MapScale.LAYER)
    assert [path.name for path in paths] == ["conv1-000.png", "conv1-001.png"]
    with Image.open(paths[1]) as image:
        assert image.mode == "L"
        np.testing.assert_array_equal(np.asarray(image), np.rint(values[1] * 255 / 23))


def test_pictures_carry_no_metadata(tmp_path):
    with Image.open(export.save_picture(tmp_path / "p.png", np.zeros((2, 3, 3), np.uint8))) as image:
        assert (image.size, image.info) == ((3, 2), {})


# ---------------------------------------------------------------------------------- overlays

SEEN = np.array([False, True, True])


def test_contours_are_one_pixel_inside_each_region():
    labels = np.zeros((6, 7), np.uint8)
    labels[1:5, 1:5] = 1
    edge = export.contours(labels, SEEN[labels])
    expected = np.zeros((6, 7), bool)
    expected[1:5, 1:5] = True
    expected[2:4, 2:4] = False
    np.testing.assert_array_equal(edge, expected)


def test_neighbouring_classes_each_have_their_contour_and_the_image_border_has_none():
    labels = np.array([[1, 1, 1, 2, 2, 2]], np.uint8)
    assert export.contours(labels, SEEN[labels]).tolist() == [[False, False, True, True, False, False]]


def test_an_overlay_by_hand():
    pixels = np.full((5, 5, 3), 100, np.uint8)
    labels = np.zeros((5, 5), np.uint8)
    labels[:, 2:] = 1
    colours = np.array([[9, 9, 9], [200, 0, 100], [0, 0, 0]], np.uint8)
    out = export.overlay_labels(pixels, labels, colours, SEEN, opacity=0.4)
    assert out[2].tolist() == [[100] * 3, [100] * 3, [200, 0, 100], [140, 60, 100], [140, 60, 100]]


def test_the_minimum_masks_and_its_border_is_a_contour():
    pixels = np.full((1, 4, 3), 50, np.uint8)
    labels = np.ones((1, 4), np.uint8)
    confidence = np.array([[255, 128, 127, 0]], np.uint8)
    colours = np.full((3, 3), 250, np.uint8)
    out = export.overlay_labels(pixels, labels, colours, SEEN, confidence, minimum=0.5, opacity=0)
    assert out[0, :, 0].tolist() == [50, 250, 50, 50]


@given(
    labels=hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8), elements=st.integers(0, 2)),
    opacity=st.floats(0, 1),
    seed=st.integers(0, 5),
)
def test_overlays_obey_the_rules_of_the_window(labels, opacity, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (*labels.shape, 3)).astype(np.uint8)
    before = pixels.copy()
    colours = class_colours(Palette.AUTO, 3)
    out = export.overlay_labels(pixels, labels, colours, SEEN, opacity=opacity)
    edge = export.contours(labels, SEEN[labels])
    np.testing.assert_array_equal(pixels, before)  # what was passed in is not changed
    np.testing.assert_array_equal(out[labels == 0], pixels[labels == 0])
    np.testing.assert_array_equal(out[edge], colours[labels[edge]])
    inner = SEEN[labels] & ~edge
    mixed = pixels[inner] * (1 - opacity) + colours[labels[inner]] * opacity
    np.testing.assert_allclose(out[inner], mixed, atol=1.1)


def test_large_overlays_are_painted_in_strips_without_seams():
    height = 2 * export.STRIP + 7
    pixels = np.random.default_rng(0).integers(0, 256, (height, 3, 3)).astype(np.uint8)
    labels = np.ones((height, 3), np.uint8)
    colours = np.full((3, 3), 80, np.uint8)
    out = export.overlay_labels(pixels, labels, colours, SEEN, opacity=0.5)
    np.testing.assert_allclose(out, pixels * 0.5 + 40, atol=1.1)


def test_1000_classes_need_16_bit_labels():
    labels = np.array([[999, 999, 3]], np.uint16)
    colours = class_colours(Palette.AUTO, 1000)
    out = export.overlay_labels(np.zeros((1, 3, 3), np.uint8), labels, colours, np.ones(1000, bool), opacity=1)
    np.testing.assert_array_equal(out, colours[labels])


def test_heat_overlay_leaves_what_is_improbable_and_covers_what_is_certain():
    pixels = np.full((1, 3, 3), 90, np.uint8)
    table = heat_table(ColourMap.MAGMA)
    out = export.overlay_heat(pixels, np.array([[0, 128, 255]], np.uint8), table)
    assert out[0, 0].tolist() == [90, 90, 90]
    assert out[0, 2].tolist() == table[255, :3].tolist()
    share = table[128, 3] / 255
    np.testing.assert_allclose(out[0, 1], 90 * (1 - share) + table[128, :3] * share, atol=1)
    half = export.overlay_heat(pixels, np.array([[0, 128, 255]], np.uint8), table, opacity=0.5)
    np.testing.assert_allclose(half[0, 2], (90.0 + table[255, :3]) / 2, atol=1)


def test_sizes_must_agree():
    with pytest.raises(ValueError, match="differ in size"):
        export.overlay_heat(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3), np.uint8), heat_table(ColourMap.GREY))
