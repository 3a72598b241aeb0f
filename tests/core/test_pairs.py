"""Folders of images with masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segviz.core import assets, pairs
from segviz.core.errors import SegvizError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("images/b.jpg", "images/a.png", "masks/a.png", "masks/b.png", "images/alone.png", "masks/.hidden.png"):
        place = tmp_path / "set" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"")
    return tmp_path / "set"


def test_images_and_masks_of_one_stem_are_pairs(folder: Path) -> None:
    (folder / "classes.txt").write_text("paper\n\nink \n", "utf-8")
    found = pairs.open_collection(str(folder))
    assert [(pair.image.name, pair.truth.name) for pair in found.pairs] == [("a.png", "a.png"), ("b.jpg", "b.png")]
    assert (found.name, found.classes, found.alone) == ("set", ("paper", "ink"), ("alone.png",))


def test_what_a_folder_lacks_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SegvizError, match="no such folder; give one with images/ beside masks/ or instances/"):
        pairs.open_collection(str(tmp_path / "nowhere"))
    with pytest.raises(SegvizError, match="images: give the folder above it, set, which has images/ beside masks/"):
        pairs.open_collection(str(folder / "images"))
    with pytest.raises(SegvizError, match="no images/ beside masks/ or instances/, but set in it has them"):
        pairs.open_collection(str(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(SegvizError, match=r"file: a file, no folder; give one with images/.*scenes, cells, digit"):
        pairs.open_collection(str(tmp_path / "file"))
    for path in (folder / "masks").iterdir():
        path.rename(path.with_name(f"other-{path.name}"))
    with pytest.raises(SegvizError, match=r"no image has a mask of its stem; call the mask of images/X\.jpg"):
        pairs.open_collection(str(folder))


def test_two_images_of_one_stem_are_refused(folder: Path) -> None:
    (folder / "images" / "b.png").write_bytes(b"")
    with pytest.raises(SegvizError, match=r"images: b\.png and b\.jpg: keep one of the two"):
        pairs.open_collection(str(folder))


def test_a_shipped_folder_has_a_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "root", lambda: folder.parent)
    folder.rename(folder.with_name("datasets"))
    (folder.parent / "datasets").rename(folder.parent / "scenes")
    (folder.parent / "datasets").mkdir()
    (folder.parent / "scenes").rename(folder.parent / "datasets" / "scenes")
    assert pairs.shipped() == ("scenes",)
    assert pairs.open_collection("scenes").name == "scenes"
    with pytest.raises(SegvizError, match="segviz brings scenes"):
        pairs.open_collection("scene")


@pytest.mark.parametrize("layout", ["a folder for each image", "a folder for each image's instances", "numbers"])
def test_instances_alone_tell_two_classes_in_every_layout(tmp_path: Path, layout: str) -> None:
    """As BBBC038 comes, or as `segviz train` takes it: one reader for both verbs."""
    cells = np.zeros((6, 8), np.uint8)
    cells[1:3, 1:3], cells[3:5, 5:8] = 1, 2
    image, folder = np.zeros((6, 8), np.uint8), tmp_path / "cells"
    for name in "ab":
        if layout == "a folder for each image":
            save(folder / name / "images" / f"{name}.png", image)
            pieces = folder / name / "masks"
        else:
            save(folder / "images" / f"{name}.png", image)
            pieces = folder / "instances" / name
        if layout == "numbers":
            save(pieces.with_suffix(".png"), cells)
            continue
        for number in (1, 2):
            save(pieces / f"{number}.png", np.where(cells == number, 255, 0).astype(np.uint8))
    found = pairs.open_collection(str(folder))
    assert [pair.name for pair in found.pairs] == ["a", "b"]
    mask = pairs.read_truth(found.pairs[0])
    assert np.array_equal(mask.labels, cells > 0)
    assert (mask.kind, mask.names) == ("instances", ())


def save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
