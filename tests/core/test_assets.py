"""What is shipped is what SOURCES.toml says: every file, with its hash, its origin and its licence."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from segviz.core import assets
from segviz.core.errors import SegvizError

UNLISTED = {"SOURCES.toml", "LICENCES", "lessons", "palettes"}  # of segviz itself, under its own licence
KINDS = ("model", "image", "dataset", "labels", "icons")
SVG = "{http://www.w3.org/2000/svg}"


def entries() -> Iterator[tuple[str, dict[str, Any]]]:
    listed = tomllib.loads((assets.root() / "SOURCES.toml").read_text(encoding="utf-8"))
    assert set(listed) == set(KINDS)
    for kind in KINDS:
        for entry in listed[kind]:
            yield kind, entry


def listed_files() -> dict[str, str]:
    """Path below resources to sha256."""
    found = {}
    for _, entry in entries():
        if "files" in entry:
            found |= {f"{entry['file']}/{name}": digest for name, digest in entry["files"].items()}
        else:
            found[entry["file"]] = entry["sha256"]
    return found


def shipped_files() -> set[str]:
    top = [p for p in assets.root().iterdir() if p.name not in UNLISTED and not p.name.startswith(".")]
    files = [f for place in top for f in ([place] if place.is_file() else place.rglob("*")) if f.is_file()]
    return {f.relative_to(assets.root()).as_posix() for f in files}


def test_every_shipped_file_is_listed_and_every_listed_file_shipped() -> None:
    assert shipped_files() == set(listed_files())


def test_every_file_is_the_one_that_was_listed() -> None:
    wrong = [
        name
        for name, digest in listed_files().items()
        if hashlib.sha256((assets.root() / name).read_bytes()).hexdigest() != digest
    ]
    assert not wrong, f"changed since SOURCES.toml was written: {wrong}"


def test_sizes_are_true() -> None:
    for _, entry in entries():
        place = assets.root() / entry["file"]
        files = [place / name for name in entry["files"]] if "files" in entry else [place]
        assert sum(f.stat().st_size for f in files) == entry["bytes"], entry["file"]


def test_every_licence_has_a_text_and_every_text_a_use() -> None:
    named = {entry["licence_file"] for _, entry in entries()}
    named |= {entry["package_licence_file"] for _, entry in entries() if "package_licence_file" in entry}
    texts = {p.name for p in (assets.root() / "LICENCES").iterdir()}
    assert named == texts
    for name in named:
        assert len(assets.licence_text(name)) > 500, name


def test_sources_say_who_what_and_under_which_licence() -> None:
    found = assets.sources()
    assert [s.kind for s in found] == [kind for kind, _ in entries()]
    for source in found:
        assert source.origin, source
        assert source.licence, source
        assert source.what, source
        assert not Path(source.origin).is_absolute(), source


def test_attribution_that_licences_demand_is_there() -> None:
    by_file = {s.file: s for s in assets.sources()}
    for file, author in {
        "images/castle-maintenon.jpg": "Eric Pouhier",
        "images/china.jpg": "danielbuechele",
        "images/flower.jpg": "vultilion",
        "icons": "Paweł Kuna",
        "datasets/mnist_10k": "Yann LeCun and Corinna Cortes",
    }.items():
        assert author in by_file[file].licence


def test_licence_texts_cannot_be_asked_for_elsewhere() -> None:
    with pytest.raises(FileNotFoundError):
        assets.licence_text("../SOURCES.toml")


def test_photographs_come_before_pages() -> None:
    names = [p.name for p in assets.sample_images()]
    assert names[:2] == ["astronaut.png", "castle-maintenon.jpg"]
    assert names[-3:] == ["digits-1000x2000.png", "digits-256x256.png", "digits-512x512.png"]
    assert len(names) == 20


def test_class_names_of_imagenet() -> None:
    names = assets.class_names("imagenet.txt")
    assert len(names) == 1000
    assert (names[0], names[483], names[999]) == ("tench", "castle", "toilet tissue")


def test_icons_are_outlines_in_the_current_colour() -> None:
    icons = [p for p in (assets.root() / "icons").glob("*.svg") if p.stem != "segviz"]
    assert len(icons) >= 45
    for path in icons:
        drawing = ElementTree.parse(path).getroot()
        looks = [drawing.get(key) for key in ("viewBox", "stroke", "stroke-width", "fill")]
        assert looks == ["0 0 24 24", "currentColor", "1.5", "none"], path.name
        assert drawing.findall(f"{SVG}path"), path.name


def test_a_package_without_resources_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "segviz" / "core" / "assets.py"))
    assets.root.cache_clear()
    with pytest.raises(SegvizError, match="installed without its resources"):
        assets.root()
    assets.root.cache_clear()


def test_resources_of_an_installed_package_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "segviz" / "_resources"
    inside.mkdir(parents=True)
    (inside / "SOURCES.toml").write_text("")
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "segviz" / "core" / "assets.py"))
    assets.root.cache_clear()
    try:
        assert assets.root() == inside
        assert assets.icon("copy") == inside / "icons" / "copy.svg"
    finally:
        assets.root.cache_clear()
