"""A person's own data to learn from: a folder of images with masks, as `core/pairs` lists it.

Beside them `held_out.txt` may name the images that are never learned from, one a line.
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
from segviz.core.pairs import ABOUT, INSTANCES, MASKS, Pair, collect, listed, read_instances, sized

LARGEST_TEXT = 1 << 20  # bytes of a text file
EVERY = 5  # one image in five is held out where nobody says which


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

    Where its masks are all `black_and_white`, 255 is the second class in them, and nothing is left out: evaluating
    the folder reads them so, too.
    """

    folder: Path
    classes: tuple[str, ...]
    learn: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    black_and_white: bool = False

    def read(self, pair: Pair) -> Annotated:
        """The image and its truth. Raises SegvizError where files do not fit each other, or the classes."""
        pixels = images.open_picture(pair.image).pixels
        found = None if pair.instances is None else read_instances(pair.instances, pixels.shape[:2])
        if pair.mask is None:
            assert found is not None  # `collect` lists no image without either
            return Annotated(pixels, (found > 0).astype(np.int32), found, True)
        labels = sized(pair.mask, masks.open_mask(pair.mask), pixels.shape[:2])
        labels = _known(pair.mask, labels, len(self.classes), self.black_and_white)
        return Annotated(pixels, labels, _parts(labels) if found is None else found, found is not None)

    def fingerprint(self) -> str:
        """Of all that is learned from, and of who is held out: another for other data, wherever they lie.

        Masks and instances by what is in them, since many that are drawn anew keep their size; images, which may be
        many gigabytes, by size and time of their last change. Raises SegvizError for what cannot be read.
        """
        said = hashlib.sha256(repr((self.classes, self.black_and_white)).encode())
        try:
            for side in (self.learn, self.held_out):
                said.update(f"{len(side)};".encode())
                for pair in side:
                    said.update("".join(_contents(pair)).encode("utf-8", "surrogateescape"))
        except OSError as error:
            name = named(error.filename or self.folder)
            raise SegvizError(f"{name}: cannot be read ({error.strerror}); check its permissions") from error
        return said.hexdigest()


def open_folder(folder: str | os.PathLike[str]) -> DataFolder:
    """What is in the folder. Masks are read once where `classes.txt` does not tell how their labels are meant.

    Raises SegvizError for a folder without images, an image without truth, one image by two names, too many
    files, classes that do not fit, and a list of held-out images that names none or all.
    """
    place = Path(folder)
    found = collect(place)
    for image in found.lacking:
        where = MASKS if any(pair.mask is not None for pair in found.pairs) or not found.pairs else INSTANCES
        raise SegvizError(f"{named(image)}: no {where}/{image.stem}.png; add it, or take the image out of images/")
    pairs = found.pairs
    if len(pairs) < 2:
        raise SegvizError(
            f"{named(place)}: {len(pairs)} images with masks; at least 2 are needed, one to learn from and one to "
            f"be tested on ({ABOUT})"
        )
    classes, black_and_white = _classes(place, pairs)
    learn, held_out = _split(place, pairs)
    return DataFolder(place, classes, learn, held_out, black_and_white)


def _contents(pair: Pair) -> Iterator[str]:
    """What tells a pair from one with other pixels, file by file."""
    status = pair.image.stat()
    yield f"{pair.image.name}:{status.st_size}:{status.st_mtime_ns};"
    for part in (pair.mask, pair.instances):
        for file in () if part is None else listed(part) if part.is_dir() else (part,):
            if file.is_file():  # a pipe would be waited for
                with file.open("rb") as opened:
                    yield f"{file.name}:{hashlib.file_digest(opened, 'sha256').hexdigest()};"


# ---------------------------------------------------------------------------------------- listing


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
        return tuple(given), len(given) == 2 and masks.black_and_white(map(_labels, files))
    most = [_labels(file) for file in files]
    largest = max(int(labels[labels != IGNORED].max(initial=0)) for labels in most)
    white = masks.black_and_white(most)
    if largest == 0 and not white:
        raise SegvizError(f"{named(folder)}: the masks mark nothing but class 0; there is nothing to learn")
    return ("background", *(f"class {index}" for index in range(1, max(1, largest) + 1))), white


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


def _parts(labels: Instances) -> npt.NDArray[np.int32]:
    """The connected parts of every class but the first, numbered through."""
    whole = np.zeros(labels.shape, np.int32)
    for label in np.unique(labels):
        if label not in (0, IGNORED):
            found = parts(labels == label)
            whole += np.where(found > 0, found + whole.max(), 0).astype(np.int32)
    return whole
