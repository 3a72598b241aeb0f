"""A person's own data: a folder of images with masks. docs/data.md describes the layout.

    FOLDER/images/NAME.png                          or .jpg and whatever else segviz reads
    FOLDER/masks/NAME.png                           class indices, 255 where nothing counts
    FOLDER/instances/NAME.png or NAME/*.png         numbers of instances, or one picture for each of them
    FOLDER/classes.txt, FOLDER/held_out.txt         optional: names of classes, names of images

or, as BBBC038 comes, FOLDER/NAME/images/NAME.png and FOLDER/NAME/masks/*.png. Files are strangers': listing them
looks at headers at most, and no error goes without the file's name.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segviz.core import images, masks
from segviz.core.errors import SegvizError, named
from segviz.core.formats import IMAGE_SUFFIXES
from segviz.core.instances import Instances, parts
from segviz.core.mask_colours import NOT_COUNTED
from segviz.core.metrics import IGNORED

MASK_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif")  # that `masks.open_mask` reads
MOST_IMAGES, MOST_INSTANCES = 100_000, 10_000  # in a folder, in the folder of an image
LARGEST_TEXT = 1 << 20  # bytes of a text file
EVERY = 5  # one image in five is held out where nobody says which
ABOUT = "docs/data.md describes the layout"


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and what is known of it: a mask of class indices, instances (a file or a folder of files), or both."""

    name: str
    image: Path
    mask: Path | None = None
    instances: Path | None = None


@dataclass(frozen=True, eq=False)
class Annotated:
    """Pixels uint8 (H, W, 3), labels int32 (H, W) with 255 where nothing counts, instances int32 (H, W), 0 for none.

    `drawn` tells whether the instances come from files; else they are the connected parts of the labels.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int32]
    instances: npt.NDArray[np.int32]
    drawn: bool


@dataclass(frozen=True, slots=True)
class DataFolder:
    """What a folder holds: its classes, the images to learn from, and those that are held out.

    Where its masks are all `black_and_white`, 255 is the second class in them, as in `metrics.compare`, and nothing is
    left out.
    """

    folder: Path
    classes: tuple[str, ...]
    learn: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    black_and_white: bool = False

    def read(self, pair: Pair) -> Annotated:
        """The image and its truth. Raises SegvizError where files do not fit each other, or the classes."""
        pixels = images.open_picture(pair.image).pixels
        found = None if pair.instances is None else _instances(pair.instances, pixels.shape[:2])
        if pair.mask is None:
            assert found is not None  # `open_folder` lets no image through without either
            return Annotated(pixels, (found > 0).astype(np.int32), found, True)
        labels = _checked(pair.mask, masks.open_mask(pair.mask), pixels.shape[:2])
        labels = _known(pair.mask, labels, len(self.classes), self.black_and_white)
        return Annotated(pixels, labels, _parts(labels) if found is None else found, found is not None)


def open_folder(folder: str | os.PathLike[str]) -> DataFolder:
    """What is in the folder. Masks are read once where `classes.txt` does not tell how their labels are meant.

    Raises SegvizError for a folder without images, an image without truth, one image by two names, too many
    files, classes that do not fit, and a list of held-out images that names none or all.
    """
    place = Path(folder)
    pairs = tuple(_pairs(place))
    if len(pairs) < 2:
        raise SegvizError(
            f"{named(place)}: {len(pairs)} images with masks; at least 2 are needed, one to learn from and one to "
            f"be tested on ({ABOUT})"
        )
    classes, black_and_white = _classes(place, pairs)
    learn, held_out = _split(place, pairs)
    return DataFolder(place, classes, learn, held_out, black_and_white)


# ---------------------------------------------------------------------------------------- listing


def _listed(folder: Path, most: int = MOST_IMAGES) -> list[Path]:
    """What lies in `folder`, by name, but for hidden files."""
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    found.append(folder / entry.name)
                if len(found) > most:
                    raise SegvizError(f"{named(folder)}: more than {most:,} files; take fewer of them")
    except FileNotFoundError:
        raise SegvizError(f"{named(folder)}: there is no such folder; was it moved or renamed?") from None
    except NotADirectoryError:
        raise SegvizError(f"{named(folder)}: a file; give the folder that holds images/ and masks/") from None
    except (OSError, ValueError) as error:
        raise SegvizError(f"{named(folder)}: cannot be looked into ({error}); check its permissions") from None
    return sorted(found)


def _by_name(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The files of these kinds by their name without the ending."""
    found: dict[str, Path] = {}
    for path in _listed(folder):
        if path.suffix.lower() in suffixes:
            if path.stem in found:
                raise SegvizError(f"{named(folder)}: {named(path)} and {named(found[path.stem])}: keep one of the two")
            found[path.stem] = path
    return found


def _pairs(folder: Path) -> Iterator[Pair]:
    inside = {path.name: path for path in _listed(folder)}
    if "images" not in inside:
        yield from _pairs_by_folder(folder, list(inside.values()))
        return
    labelled = _by_name(inside["masks"], MASK_SUFFIXES) if "masks" in inside else {}
    counted: dict[str, Path] = {}
    if "instances" in inside:
        counted = _by_name(inside["instances"], MASK_SUFFIXES)
        counted |= {path.name: path for path in _listed(inside["instances"]) if path.is_dir()}
    if not labelled and not counted:
        raise SegvizError(f"{named(folder)}: no masks/ or instances/ with pictures beside images/ ({ABOUT})")
    for name, image in _by_name(inside["images"], IMAGE_SUFFIXES).items():
        pair = Pair(name, image, labelled.get(name), counted.get(name))
        # Half of the truth is none: where masks are given, an image of instances alone has no classes.
        if (pair.mask is None) if labelled else (pair.instances is None):
            where = "masks" if labelled else "instances"
            raise SegvizError(f"{named(image)}: no {where}/{name}.png; add it, or take the image out of images/")
        yield pair


def _pairs_by_folder(folder: Path, inside: list[Path]) -> Iterator[Pair]:
    """NAME/images/*.png and NAME/masks/*.png: one folder for every image, one mask for every instance."""
    for place in inside:
        if not place.is_dir():
            continue
        within = place / "images"
        pictures = list(_by_name(within, IMAGE_SUFFIXES).values()) if within.is_dir() else []
        if len(pictures) != 1 or not (place / "masks").is_dir():
            raise SegvizError(
                f"{named(folder)}: there is no images/, and {named(place)} in it has no images/ with one picture "
                f"beside masks/ ({ABOUT})"
            )
        yield Pair(place.name, pictures[0], None, place / "masks")


def _lines(path: Path) -> list[str] | None:
    """The lines of a small text file that say something; None where it is not there."""
    if not path.exists():
        return None
    if not path.is_file():  # a pipe would be waited for
        raise SegvizError(f"{named(path)}: not a file; write one line for every name")
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_TEXT + 1)
        if len(data) > LARGEST_TEXT:
            raise SegvizError(f"{named(path)}: longer than {LARGEST_TEXT:,} bytes; one short line a name is enough")
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SegvizError(f"{named(path)}: not a text in UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise SegvizError(f"{named(path)}: cannot be read ({error.strerror}); check its permissions") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _split(folder: Path, pairs: tuple[Pair, ...]) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Images to learn from and held-out ones: those that `held_out.txt` names, or one in five by their names' hash."""
    lines = _lines(folder / "held_out.txt")
    if lines is None:
        wanted = {pair.name for pair in pairs if _hash(pair) % EVERY == 0}
        if len(wanted) in (0, len(pairs)):  # few images: chance left one side empty
            wanted = {min(pairs, key=_hash).name}
    else:
        names = {pair.name for pair in pairs}
        wanted = {Path(line).stem if Path(line).suffix.lower() in IMAGE_SUFFIXES else line for line in lines}
        if wanted - names:
            raise SegvizError(f"held_out.txt: there is no image '{min(wanted - names)}'; write names as in images/")
        if len(wanted) in (0, len(pairs)):
            raise SegvizError(f"held_out.txt: names {len(wanted)} of {len(pairs)} images; leave some on both sides")
    learn = tuple(pair for pair in pairs if pair.name not in wanted)
    return learn, tuple(pair for pair in pairs if pair.name in wanted)


def _hash(pair: Pair) -> int:
    """The same on every machine, and whatever other images there are."""
    return int.from_bytes(hashlib.sha256(pair.name.encode("utf-8", "surrogateescape")).digest()[:8], "big")


# ---------------------------------------------------------------------------------------- classes


def _classes(folder: Path, pairs: tuple[Pair, ...]) -> tuple[tuple[str, ...], bool]:
    """The names of the classes, and whether all masks are in black and white."""
    given = _lines(folder / "classes.txt")
    if given is not None and not 2 <= len(given) <= IGNORED:
        raise SegvizError(f"classes.txt: {len(given)} classes; there are 2 to {IGNORED}, one a line, background first")
    files = [pair.mask for pair in pairs if pair.mask is not None]
    if not files:
        if given is not None and len(given) != 2:
            raise SegvizError(f"classes.txt: {len(given)} classes, but instances/ tells 2 apart; add masks/ for more")
        return tuple(given or ("background", "object")), False
    if given is not None:
        black_and_white = len(given) == 2 and all(bool(np.isin(_labels(file), (0, IGNORED)).all()) for file in files)
        return tuple(given), black_and_white
    most = [_labels(file) for file in files]
    largest = max(int(labels[labels != IGNORED].max(initial=0)) for labels in most)
    if largest == 0 and not any((labels == IGNORED).any() for labels in most):
        raise SegvizError(f"{named(folder)}: the masks mark nothing but class 0; there is nothing to learn")
    return ("background", *(f"class {index}" for index in range(1, max(1, largest) + 1))), largest == 0


def _labels(mask: Path) -> npt.NDArray[np.int32]:
    """Which labels a mask has, each once, but for pixels that do not count by their colour."""
    plane = masks.open_mask(mask)
    labels: npt.NDArray[np.int32] = np.unique(plane[plane != NOT_COUNTED])
    wrong = labels[(labels < 0) | (labels > IGNORED)]
    if wrong.size:
        raise SegvizError(
            f"{named(mask)}: the label {int(wrong[0])} is no class, these are 0 to {IGNORED - 1}; "
            "numbers of instances belong into instances/"
        )
    return labels


def _known(mask: Path, labels: npt.NDArray[np.int32], classes: int, black_and_white: bool) -> npt.NDArray[np.int32]:
    """`labels` with classes and 255 alone."""
    if black_and_white:
        labels = np.where(labels == IGNORED, 1, labels)
    labels = np.where(labels == NOT_COUNTED, IGNORED, labels)
    wrong = labels[(labels < 0) | (labels >= classes) & (labels != IGNORED)]
    if wrong.size:
        raise SegvizError(
            f"{named(mask)}: the label {int(wrong[0])} is no class, these are 0 to {classes - 1}; "
            "correct the mask or classes.txt"
        )
    return labels


# -------------------------------------------------------------------------------------- instances


def _checked(path: Path, plane: npt.NDArray[np.int32], size: tuple[int, ...]) -> npt.NDArray[np.int32]:
    if plane.shape != size:
        rows, columns = plane.shape
        raise SegvizError(
            f"{named(path)}: {columns} x {rows} pixels, but its image has {size[1]} x {size[0]}; save both at one size"
        )
    return plane


def _instances(path: Path, size: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """The instance map of one file, or of a folder with one picture for each instance; the last one wins a pixel."""
    if not path.is_dir():
        plane = _checked(path, masks.open_mask(path), size)
        if plane.min(initial=0) < 0:
            raise SegvizError(f"{named(path)}: the number {int(plane.min())} is no instance; these are 1 and more")
        return plane
    whole = np.zeros(size, np.int32)
    files = [one for one in _listed(path, MOST_INSTANCES) if one.suffix.lower() in MASK_SUFFIXES]
    for number, file in enumerate(files, start=1):
        whole[_checked(file, masks.open_mask(file), size) != 0] = number
    return whole


def _parts(labels: Instances) -> npt.NDArray[np.int32]:
    """The connected parts of every class but the first, numbered through."""
    whole = np.zeros(labels.shape, np.int32)
    for label in np.unique(labels):
        if label not in (0, IGNORED):
            found = parts(labels == label)
            whole += np.where(found > 0, found + whole.max(), 0).astype(np.int32)
    return whole
