"""Images with their truth in a folder: what networks learn from and what they are scored on.

    FOLDER/images/NAME.png                          or .jpg and whatever else segviz reads
    FOLDER/masks/NAME.png                           class indices, or colours that stand for classes
    FOLDER/instances/NAME.png or NAME/*.png         numbers of instances, or one picture for each of them
    FOLDER/classes.txt                              optional: a name a line, in the order of the indices

or, as BBBC038 comes, FOLDER/NAME/images/NAME.png and FOLDER/NAME/masks/*.png. docs/data.md says it for people.
Files are strangers': listing them looks at headers at most, and no error goes without the file's name.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segviz.core import assets, images, masks, places
from segviz.core.choices import DataName
from segviz.core.errors import SegvizError, named
from segviz.core.formats import IMAGE_SUFFIXES
from segviz.core.mask_colours import ColourKey

IMAGES, MASKS, INSTANCES = "images", "masks", "instances"
MOST_IMAGES, MOST_INSTANCES = 100_000, 10_000  # in a folder, in the folder of an image
ABOUT = "docs/data.md describes the layout"
LAYOUT = f"{IMAGES}/ beside {MASKS}/ or {INSTANCES}/"
# Held-out data of recipes that are drawn when they are asked for (`training/held_out`).
DRAWN = (DataName.CELLS, DataName.DIGIT_PAGES)


@dataclass(frozen=True, slots=True)
class Pair:
    """An image and what is known of it: a mask of class indices, instances (a file or a folder of files), or both."""

    name: str
    image: Path
    mask: Path | None = None
    instances: Path | None = None

    @property
    def truth(self) -> Path:
        """Where the truth lies: the mask, if there is one."""
        found = self.mask or self.instances
        assert found is not None  # of every pair that `collect` lists
        return found


@dataclass(frozen=True, slots=True)
class Collection:
    """The pairs of a folder, by name. `lacking` are images without truth, `unused` truths without an image.

    `classes` are those that `classes.txt` names, () where nobody says. `black_and_white` says whether 255 is the second
    class in all masks (`judged`); None: nobody has looked.
    """

    folder: Path
    pairs: tuple[Pair, ...]
    classes: tuple[str, ...] = ()
    lacking: tuple[Path, ...] = ()
    unused: tuple[Path, ...] = ()
    black_and_white: bool | None = None

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def alone(self) -> tuple[str, ...]:
        """The files without a partner."""
        return tuple(sorted(path.name for path in (*self.lacking, *self.unused)))


def shipped() -> tuple[str, ...]:
    """The names of the collections that segviz brings."""
    folder = assets.root() / "datasets"
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.name for path in folder.iterdir() if is_collection(path)))


def brought() -> tuple[str, ...]:
    """The names of all data with the truth of every pixel that networks can be scored on without files of one's own."""
    return (*shipped(), *DRAWN)


def is_collection(folder: Path) -> bool:
    """Whether a folder has images beside their truth, in the first layout."""
    return places.is_folder(folder / IMAGES) and any(places.is_folder(folder / name) for name in (MASKS, INSTANCES))


def find(text: str) -> Path:
    """The folder of a collection: a path, else the name of one that is shipped. Raises SegvizError for neither."""
    given = Path(text)
    if not is_collection(given) and text in shipped():
        return assets.dataset(text)
    if places.is_folder(given):
        return given.absolute()
    what = "a file, no folder" if given.exists() else "no such folder"
    raise SegvizError(f"{text}: {what}; give one with {LAYOUT} ({ABOUT}); segviz brings {', '.join(brought())}")


def open_collection(text: str) -> Collection:
    """The collection that `text` names (`find`), with its classes. Raises SegvizError for one without any pair."""
    found = collect(find(text))
    if not found.pairs:
        raise SegvizError(
            f"{found.name}: no image has a mask of its stem; call the mask of {IMAGES}/X.jpg {MASKS}/X.png"
        )
    listed = found.folder / masks.NAMES_FILE
    classes = masks.read_names(listed) if places.is_file(listed) else ()
    return replace(found, classes=classes)


def collect(folder: Path) -> Collection:
    """What is in a folder of either layout, its classes apart.

    Half of the truth is none: where masks are given, an image of instances alone has no classes, and counts as
    lacking. Raises SegvizError for a folder without images or truth, two files of one stem, and too many.
    """
    inside = {path.name: path for path in listed(folder)}
    if IMAGES not in inside:
        above = folder.absolute().parent
        if is_collection(above) and folder.absolute().name in (IMAGES, MASKS, INSTANCES):
            raise SegvizError(f"{named(folder)}: give the folder above it, {named(above)}, which has {LAYOUT}")
        return _by_folder(folder, list(inside.values()))
    labelled = _by_name(inside[MASKS], masks.SUFFIXES) if MASKS in inside else {}
    counted: dict[str, Path] = {}
    if INSTANCES in inside:
        counted = _by_name(inside[INSTANCES], masks.SUFFIXES)
        counted |= {path.name: path for path in listed(inside[INSTANCES]) if path.is_dir()}
    if not labelled and not counted:
        raise SegvizError(f"{named(folder)}: no {MASKS}/ or {INSTANCES}/ with pictures beside {IMAGES}/ ({ABOUT})")
    truths, pictures = labelled or counted, _by_name(inside[IMAGES], IMAGE_SUFFIXES)
    pairs = [
        Pair(name, image, labelled.get(name), counted.get(name)) for name, image in pictures.items() if name in truths
    ]
    lacking = tuple(image for name, image in pictures.items() if name not in truths)
    return Collection(folder, tuple(pairs), (), lacking, tuple(truths[name] for name in truths if name not in pictures))


def _by_folder(folder: Path, inside: list[Path]) -> Collection:
    """NAME/images/*.png and NAME/masks/*.png: one folder for every image, one mask for every instance."""
    pairs = []
    for place in inside:
        if not place.is_dir():
            continue
        within = place / IMAGES
        pictures = list(_by_name(within, IMAGE_SUFFIXES).values()) if within.is_dir() else []
        if len(pictures) != 1 or not (place / MASKS).is_dir():
            below = next((path for path in inside if is_collection(path)), None)
            if below is not None:
                raise SegvizError(f"{named(folder)}: no {LAYOUT}, but {named(below)} in it has them: give that folder")
            raise SegvizError(
                f"{named(folder)}: there is no {IMAGES}/, and {named(place)} in it has no {IMAGES}/ with one picture "
                f"beside {MASKS}/ ({ABOUT})"
            )
        pairs.append(Pair(place.name, pictures[0], None, place / MASKS))
    if not pairs:
        raise SegvizError(f"{named(folder)}: the folder has no {LAYOUT} ({ABOUT})")
    return Collection(folder, tuple(pairs))


def listed(folder: Path, most: int = MOST_IMAGES) -> list[Path]:
    """What lies in `folder`, by name, but for hidden files. Raises SegvizError for none, and for more than `most`."""
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
        raise SegvizError(f"{named(folder)}: a file; give the folder that holds {IMAGES}/ and {MASKS}/") from None
    except (OSError, ValueError) as error:
        raise SegvizError(f"{named(folder)}: cannot be looked into ({error}); check its permissions") from None
    return sorted(found)


def _by_name(folder: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The files of these kinds by their name without the ending."""
    found: dict[str, Path] = {}
    for path in listed(folder):
        if path.suffix.lower() in suffixes:
            if path.stem in found:
                raise SegvizError(f"{named(folder)}: {named(path)} and {named(found[path.stem])}: keep one of the two")
            found[path.stem] = path
    return found


# ---------------------------------------------------------------------------------------- truth


def read_truth(pair: Pair, key: ColourKey | None = None) -> masks.Mask:
    """The mask of a pair, by `key` as `masks.read_mask` has it; of instances alone 0 is background and 1 what they are.

    Raises SegvizError for files that cannot be read, and for instances that have another size than their image.
    """
    if pair.mask is not None:
        return masks.read_mask(pair.mask, key)
    instances = read_instances(pair.truth, images.probe(pair.image))
    return masks.Mask(str(pair.truth), (instances > 0).astype(np.int32), "instances")


def judged(collection: Collection, key: ColourKey | None = None) -> Collection:
    """`collection`, with its masks looked at: are they all in black and white, so that 255 is the second class in them?

    One mask alone does not tell: where 255 marks nothing but the border of a picture, it is no class. Masks that
    cannot be read tell nothing; whoever uses them says why.
    """

    def planes() -> Iterator[masks.Labels]:
        for pair in collection.pairs:
            if pair.mask is not None:
                with contextlib.suppress(SegvizError):
                    yield masks.read_mask(pair.mask, key).labels

    two = len(collection.classes) in (0, 2)
    return replace(collection, black_and_white=two and masks.black_and_white(planes()))


def read_instances(path: Path, size: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """The instance map of one file, or of a folder with one picture for each instance; the last one wins a pixel.

    `size` is (height, width) of the image. Raises SegvizError for another, and for numbers below 0.
    """
    if not path.is_dir():
        plane = sized(path, masks.open_mask(path), size)
        if plane.min(initial=0) < 0:
            raise SegvizError(f"{named(path)}: the number {int(plane.min())} is no instance; these are 1 and more")
        return plane
    whole = np.zeros(size, np.int32)
    files = [one for one in listed(path, MOST_INSTANCES) if one.suffix.lower() in masks.SUFFIXES]
    for number, file in enumerate(files, start=1):
        whole[sized(file, masks.open_mask(file), size) != 0] = number
    return whole


def sized(path: Path, plane: npt.NDArray[np.int32], size: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """`plane` of the file `path`. Raises SegvizError where it has not the (height, width) of its image."""
    if plane.shape != size:
        rows, columns = plane.shape
        raise SegvizError(
            f"{named(path)}: {columns} x {rows} pixels, but its image has {size[1]} x {size[0]}; save both at one size"
        )
    return plane
