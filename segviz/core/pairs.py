"""Images with their masks in a folder: what networks are scored on.

The layout: `images/` and `masks/` with files of the same stems, beside them, if there are any,
`classes.txt` (a name a line, in the order of the indices) and `SOURCES` (where all of it comes from).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from segviz.core import assets, masks, places
from segviz.core.errors import SegvizError, named
from segviz.core.formats import IMAGE_SUFFIXES

IMAGES, MASKS = "images", "masks"


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and its mask."""

    image: Path
    mask: Path


@dataclass(frozen=True, slots=True)
class Collection:
    """The pairs of a folder, by name; `alone` are files without a partner.

    `classes` are those of its masks, () where nobody says.
    """

    name: str
    pairs: tuple[Pair, ...]
    classes: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()


def shipped() -> tuple[str, ...]:
    """The names of the collections that segviz brings."""
    folder = assets.root() / "datasets"
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if _is_collection(path)))


def _is_collection(folder: Path) -> bool:
    return places.is_folder(folder / IMAGES) and places.is_folder(folder / MASKS)


def find(text: str) -> Path:
    """The folder of a collection: a path, else the name of one that is shipped.

    Raises SegvizError where there is none, saying what is missing.
    """
    given = Path(text)
    if _is_collection(given):
        return given.absolute()
    if text in shipped():
        return assets.dataset(text)
    some = ", ".join(shipped())
    brought = f"; segviz brings {some}" if some else ""
    if places.is_folder(given):
        lacking = " and ".join(f"{name}/" for name in (IMAGES, MASKS) if not places.is_folder(given / name))
        raise SegvizError(f"{named(given)}: the folder has no {lacking}; put images and masks of the same stems there")
    raise SegvizError(f"{text}: no such folder; give one with {IMAGES}/ and {MASKS}/{brought}")


def open_collection(text: str) -> Collection:
    """The collection that `text` names (`find`). Raises SegvizError for one without any pair."""
    folder = find(text)
    images, truths = (_by_stem(folder / name) for name in (IMAGES, MASKS))
    pairs = tuple(Pair(images[stem], truths[stem]) for stem in sorted(images.keys() & truths.keys()))
    if not pairs:
        raise SegvizError(
            f"{folder.name}: no image has a mask of its stem; call the mask of {IMAGES}/X.jpg {MASKS}/X.png"
        )
    alone = tuple((images | truths)[stem].name for stem in sorted(images.keys() ^ truths.keys()))
    listed = folder / masks.NAMES_FILE
    classes = masks.read_names(listed) if places.is_file(listed) else ()
    return Collection(folder.name, pairs, classes, alone)


def _by_stem(folder: Path) -> dict[str, Path]:
    """The pictures of a folder. Raises SegvizError for two of one stem: it is not said which counts."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise SegvizError(f"{folder.name}/{path.name}: {found[path.stem].name} has its stem, too; take one away")
        found[path.stem] = path
    return found
