"""Folders of images with masks."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    assert [(pair.image.name, pair.mask.name) for pair in found.pairs] == [("a.png", "a.png"), ("b.jpg", "b.png")]
    assert (found.name, found.classes, found.alone) == ("set", ("paper", "ink"), ("alone.png",))


def test_what_a_folder_lacks_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SegvizError, match="no such folder; give one with images/ and masks/"):
        pairs.open_collection(str(tmp_path / "nowhere"))
    with pytest.raises(SegvizError, match="the folder has no images/ and masks/"):
        pairs.open_collection(str(tmp_path))
    for path in (folder / "masks").iterdir():
        path.rename(path.with_name(f"other-{path.name}"))
    with pytest.raises(SegvizError, match=r"no image has a mask of its stem; call the mask of images/X\.jpg"):
        pairs.open_collection(str(folder))


def test_two_images_of_one_stem_are_refused(folder: Path) -> None:
    (folder / "images" / "b.png").write_bytes(b"")
    with pytest.raises(SegvizError, match=r"images/b\.png: b\.jpg has its stem, too"):
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
