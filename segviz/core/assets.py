"""Where resources lie, and what is known of each: the only module that knows the folder's name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from segviz.core.errors import SegvizError
from segviz.core.places import images_in


@cache
def root() -> Path:
    """The folder of resources: inside an installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "_resources", package.parent / "resources"):
        if (place / "SOURCES.toml").is_file():
            return place
    raise SegvizError(f"{package}: segviz was installed without its resources; install it again")


def images() -> Path:
    return root() / "images"


def sample(name: str) -> Path:
    """The shipped image `name` (with its ending)."""
    return images() / name


def sample_images() -> tuple[Path, ...]:
    """All shipped images, photographs first, in alphabetical order."""
    return tuple(sorted(images_in(images()), key=is_page))


def is_page(image: Path) -> bool:
    """Whether a shipped image is a page of digits, and no photograph."""
    return image.name.startswith("digits-")


def weights(name: str) -> Path:
    return root() / "models" / name


def icon(name: str) -> Path:
    """An outline icon (SVG, drawn in currentColor)."""
    return root() / "icons" / f"{name}.svg"


def palette(name: str) -> Path:
    """A list of colours, one hexadecimal RGB a line."""
    return root() / "palettes" / name


def dataset(name: str) -> Path:
    return root() / "datasets" / name


@cache
def class_names(file: str) -> tuple[str, ...]:
    """Class names, one a line, from `resources/labels`."""
    return tuple((root() / "labels" / file).read_text(encoding="utf-8").splitlines())


@dataclass(frozen=True, slots=True)
class Source:
    """Provenance of one resource, as SOURCES.toml records it."""

    kind: str
    file: str
    origin: str
    licence: str
    licence_file: str
    what: str


@cache
def sources() -> tuple[Source, ...]:
    """What is shipped, from whom and under which licence, in the order of SOURCES.toml."""
    data = tomllib.loads((root() / "SOURCES.toml").read_text(encoding="utf-8"))
    return tuple(
        Source(
            kind,
            entry["file"],
            entry["origin"],
            entry["licence"],
            entry.get("licence_file", ""),
            entry.get("what") or entry.get("architecture", ""),
        )
        for kind in ("model", "image", "dataset", "labels", "icons")
        for entry in data.get(kind, [])
    )


def licence_text(file: str) -> str:
    """A licence text of `resources/LICENCES`."""
    return (root() / "LICENCES" / Path(file).name).read_text(encoding="utf-8")
