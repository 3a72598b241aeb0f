"""Folders of images with masks: every layout that is documented, and what is wrong with others."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from segviz.core import pairs
from segviz.core.errors import SegvizError
from segviz.core.matching import match, matched
from segviz.training.folders import open_folder

LABELS = np.zeros((8, 10), np.uint8)
LABELS[1:4, 1:4] = 1
LABELS[1:4, 6:9] = 1
LABELS[5:7, 2:5] = 2
LABELS[7, 9] = 255
NAMES = ("a", "b", "c")


def save(path: Path, pixels: npt.NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def made(folder: Path, names: tuple[str, ...] = NAMES, **truth: npt.NDArray[np.generic]) -> Path:
    """A folder of grey images with the same `masks` or `instances` for all."""
    for number, name in enumerate(names):
        save(folder / "images" / f"{name}.png", np.full((8, 10), 20 * number % 256, np.uint8))
        for kind, pixels in truth.items():
            save(folder / kind / f"{name}.png", pixels)
    return folder


def test_masks_give_labels_and_their_parts_are_instances(tmp_path: Path) -> None:
    data = open_folder(made(tmp_path, masks=LABELS))
    assert data.classes == ("background", "class 1", "class 2")
    assert len(data.learn) + len(data.held_out) == 3
    assert data.held_out
    found = data.read(data.learn[0])
    assert found.pixels.shape == (8, 10, 3)
    assert np.array_equal(found.labels, LABELS)
    assert not found.drawn
    assert [len(np.unique(found.instances[label == LABELS])) for label in (0, 1, 2)] == [1, 2, 1]
    assert found.instances.max() == 3
    assert found.instances[7, 9] == 0


def test_instances_give_two_classes(tmp_path: Path) -> None:
    numbers = np.where(LABELS == 255, 0, LABELS).astype(np.uint16) * 300
    data = open_folder(made(tmp_path, instances=numbers))
    assert data.classes == ("background", "object")
    found = data.read(data.learn[0])
    assert np.array_equal(found.instances, numbers)
    assert np.array_equal(found.labels, numbers > 0)
    assert found.drawn


def test_one_picture_for_each_instance_is_the_same_in_both_layouts(tmp_path: Path) -> None:
    for name in NAMES:
        image = np.full((8, 10), 7, np.uint8)
        ours, theirs = tmp_path / "ours", tmp_path / "theirs"
        save(ours / "images" / f"{name}.png", image)
        save(theirs / name / "images" / f"{name}.png", image)
        for number in (1, 2):
            one = np.where(number == LABELS, 255, 0).astype(np.uint8)
            save(ours / "instances" / name / f"x{number}.png", one)
            save(theirs / name / "masks" / f"x{number}.png", one)
    for folder in (ours, theirs):
        data = open_folder(folder)
        found = data.read(data.learn[0])
        assert np.array_equal(found.instances, np.where(LABELS == 255, 0, LABELS))
        assert data.classes == ("background", "object")


def test_masks_and_instances_go_together(tmp_path: Path) -> None:
    numbers = (LABELS == 1).astype(np.uint8) * 9
    data = open_folder(made(tmp_path, masks=LABELS, instances=numbers))
    found = data.read(data.learn[0])
    assert np.array_equal(found.labels, LABELS)
    assert np.array_equal(found.instances, numbers)


def test_black_and_white_is_background_and_object(tmp_path: Path) -> None:
    white = np.where(LABELS == 1, 255, 0).astype(np.uint8)
    for names in (None, "background\nnucleus\n"):
        folder = made(tmp_path / str(names is None), masks=white)
        if names:
            (folder / "classes.txt").write_text(names)
        data = open_folder(folder)
        assert len(data.classes) == 2
        assert np.array_equal(data.read(data.learn[0]).labels, LABELS == 1)


def test_what_is_transparent_does_not_count(tmp_path: Path) -> None:
    """In colours as in black and white, where 255 is a class."""
    for name, labels, shown in (("classes", LABELS, LABELS), ("two", LABELS == 1, (LABELS == 1) * 255)):
        solid = np.full((8, 10), 255)
        solid[0, :3] = 0
        folder = made(tmp_path / name, masks=np.dstack([shown] * 3 + [solid]).astype(np.uint8))
        data = open_folder(folder)
        assert np.array_equal(data.read(data.learn[0]).labels, np.where(solid == 0, 255, labels)), name


def test_one_mask_of_nothing_but_ignored_pixels_is_no_picture_in_black_and_white(tmp_path: Path) -> None:
    folder = made(tmp_path, masks=np.where(LABELS == 2, 0, LABELS))
    border = np.zeros((8, 10), np.uint8)
    border[0] = 255
    save(folder / "masks" / "b.png", border)
    for names in (None, "paper\nink\n"):
        if names:
            (folder / "classes.txt").write_text(names)
        data = open_folder(folder)
        (pair,) = (one for one in (*data.learn, *data.held_out) if one.name == "b")
        assert np.array_equal(data.read(pair).labels, border)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("object_is", [1, 255])
def test_training_and_evaluating_read_the_masks_of_a_folder_in_one_way(
    tmp_path: Path, object_is: int, named: bool
) -> None:
    """One image shows no object: of its mask alone nobody could say whether 255 is the border or the second class."""
    some, border = np.zeros((8, 10), np.uint8), np.zeros((8, 10), np.uint8)
    some[2:5, 2:5], some[0], border[0] = object_is, 255, 255
    folder = made(tmp_path, masks=some)
    save(folder / "masks" / "b.png", border)
    if named:
        (folder / "classes.txt").write_text("paper\nink\n")
    data, scored = open_folder(folder), pairs.judged(pairs.open_collection(str(folder)))
    learned = {pair.name: data.read(pair).labels for pair in (*data.learn, *data.held_out)}
    for pair in scored.pairs:
        mask = replace(pairs.read_truth(pair), black_and_white=scored.black_and_white)
        evaluated = matched(mask, match(data.classes, scored.classes))
        assert np.array_equal(np.where(evaluated < 0, 255, evaluated), learned[pair.name]), pair.name
    assert learned["b"][0, 0] == (1 if object_is == 255 else 255)


def test_names_of_classes_and_of_held_out_images_are_taken(tmp_path: Path) -> None:
    folder = made(tmp_path, masks=LABELS)
    (folder / "classes.txt").write_text("\ufeffpaper\n\n ink \nblot\nnever seen\n", encoding="utf-8")
    (folder / "held_out.txt").write_text("b\nc.png\n")
    data = open_folder(folder)
    assert data.classes == ("paper", "ink", "blot", "never seen")
    assert [pair.name for pair in data.learn] == ["a"]
    assert [pair.name for pair in data.held_out] == ["b", "c"]


@pytest.mark.parametrize("kind", ["masks", "instances", "images"])
def test_files_that_are_drawn_anew_are_other_data_and_moved_ones_are_not(tmp_path: Path, kind: str) -> None:
    """A BMP keeps its size whatever is drawn on it."""
    folder = made(tmp_path / "here", masks=LABELS, instances=LABELS)
    place = folder / kind / "a.bmp"
    (folder / kind / "a.png").unlink()
    save(place, LABELS)
    found, size = open_folder(folder).fingerprint(), place.stat().st_size
    assert open_folder(folder).fingerprint() == found
    folder = folder.rename(tmp_path / "there")
    assert open_folder(folder).fingerprint() == found
    place, before = folder / kind / "a.bmp", (folder / kind / "a.bmp").stat()
    save(place, LABELS[:, ::-1])
    assert place.stat().st_size == size
    # Two times within one tick of the clock are the same; of what is told by its content none is looked at.
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns + (10**9 if kind == "images" else 0)))
    assert open_folder(folder).fingerprint() != found


def test_more_images_move_nobody_from_one_side_to_the_other(tmp_path: Path) -> None:
    few = open_folder(made(tmp_path / "few", tuple(f"{n}" for n in range(30)), masks=LABELS))
    more = open_folder(made(tmp_path / "more", tuple(f"{n}" for n in range(60)), masks=LABELS))
    assert 2 <= len(few.held_out) <= 12
    assert {pair.name for pair in few.held_out} == {pair.name for pair in more.held_out if int(pair.name) < 30}


def test_endings_and_hidden_files_do_not_matter(tmp_path: Path) -> None:
    folder = made(tmp_path, masks=LABELS)
    (folder / "images" / "a.png").unlink()
    save(folder / "images" / "a.JPG", np.zeros((8, 10), np.uint8))
    (folder / "images" / ".DS_Store").write_bytes(b"x")
    (folder / "images" / "notes.txt").write_text("x")
    (folder / "masks" / "unused.png").write_bytes(b"x")
    data = open_folder(folder)
    assert {pair.image.name for pair in (*data.learn, *data.held_out)} == {"a.JPG", "b.png", "c.png"}


WRONG = {
    "no folder": (lambda f: None, r"nowhere: there is no such folder"),
    "one image": (lambda f: made(f, ("a",), masks=LABELS), r"1 images with masks; at least 2"),
    "no truth": (lambda f: made(f), r"no masks/ or instances/ with pictures"),
    "a missing mask": (
        lambda f: (made(f, masks=LABELS) / "masks" / "b.png").unlink(),
        r"b\.png: no masks/b\.png; add it",
    ),
    "two of a name": (
        lambda f: save(made(f, masks=LABELS) / "images" / "a.bmp", LABELS),
        r"images: a\.png and a\.bmp: keep one",
    ),
    "nothing marked": (lambda f: made(f, masks=LABELS * 0), r"nothing but class 0"),
    "instances as masks": (
        lambda f: made(f, masks=LABELS.astype(np.uint16) * 400),
        r"\.png: the label 400 is no class.*instances/",
    ),
    "masks in strange colours": (
        lambda f: made(f, masks=np.full((8, 10, 3), (12, 34, 56), np.uint8)),
        r"a\.png: not a mask: the colour 12 34 56",
    ),
    "one class": (
        lambda f: (made(f, masks=LABELS) / "classes.txt").write_text("one\n"),
        r"classes\.txt: 1 classes; there are 2 to 255",
    ),
    "classes of instances": (
        lambda f: (made(f, instances=LABELS) / "classes.txt").write_text("a\nb\nc\n"),
        r"3 classes, but instances/ tells 2",
    ),
    "classes that are no text": (
        lambda f: (made(f, masks=LABELS) / "classes.txt").write_bytes(b"\xff\xfe\x00"),
        r"classes\.txt: not a text in UTF-8",
    ),
    "an unknown held-out image": (
        lambda f: (made(f, masks=LABELS) / "held_out.txt").write_text("a\nzebra\n"),
        r"held_out\.txt: there is no image 'zebra'",
    ),
    "all held out": (
        lambda f: (made(f, masks=LABELS) / "held_out.txt").write_text("a\nb\nc\n"),
        r"held_out\.txt: names 3 of 3",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_a_folder_is_said_by_name(tmp_path: Path, case: str) -> None:
    make, message = WRONG[case]
    make(tmp_path / "nowhere")
    with pytest.raises(SegvizError, match=message):
        open_folder(tmp_path / "nowhere")


def test_a_file_instead_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data.zip").write_bytes(b"PK")
    with pytest.raises(SegvizError, match=r"data\.zip: a file; give the folder"):
        open_folder(tmp_path / "data.zip")


def test_an_image_and_a_mask_of_two_sizes_are_refused_when_they_are_read(tmp_path: Path) -> None:
    folder = made(tmp_path, masks=LABELS)
    for name in NAMES:
        save(folder / "images" / f"{name}.png", np.zeros((8, 11), np.uint8))
    data = open_folder(folder)
    with pytest.raises(SegvizError, match=r"\.png: 10 x 8 pixels, but its image has 11 x 8"):
        data.read(data.learn[0])


def test_a_label_that_is_no_class_is_refused_when_it_is_read(tmp_path: Path) -> None:
    folder = made(tmp_path, masks=LABELS)
    (folder / "classes.txt").write_text("paper\nink\n")
    data = open_folder(folder)
    with pytest.raises(SegvizError, match=r"\.png: the label 2 is no class, these are 0 to 1"):
        data.read(data.learn[0])


def test_too_many_files_are_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairs.listed, "__defaults__", (2,))
    with pytest.raises(SegvizError, match="more than 2 files"):
        open_folder(made(tmp_path, masks=LABELS))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a system without pipes")
@pytest.mark.parametrize("place", ["classes.txt", "held_out.txt", "masks/b.png"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, place: str) -> None:
    folder = made(tmp_path, masks=LABELS)
    (folder / place).unlink(missing_ok=True)
    os.mkfifo(folder / place)
    with pytest.raises(SegvizError, match=r"not a (regular )?file"):
        open_folder(folder)
