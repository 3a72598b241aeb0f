"""Ground truth from files: masks whose pixels are class indices, or colours that stand for classes.

[The page on scores](../../docs/scores.md) says for people what is read here.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from segviz.core import images, places
from segviz.core.errors import SegvizError, named
from segviz.core.mask_colours import NOT_COUNTED, ColourKey, known_keys, read_key
from segviz.core.metrics import IGNORED

Labels = npt.NDArray[np.int32]

# Pillow's modes whose samples are indices: two levels, palette, grey, and 16 or 32 bits.
_INDEXED = {"1": "black and white", "P": "indexed", "L": "grey", "I;16": "grey", "I;16B": "grey", "I": "grey"}
_COLOURED = ("RGB", "RGBA")
_FORMATS = ("PNG", "TIFF", "BMP", "GIF")  # none that changes pixel values

COLOURS_FILE, NAMES_FILE = "palette.txt", "classes.txt"  # beside masks, or one folder above them
LARGEST_LIST = 1 << 20  # bytes of a list of names

# Where the mask of images/X.jpg is looked for: folders beside the image's or in it, then names beside the image.
FOLDERS = ("masks", "labels", "SegmentationClass", "annotations", "ground-truth", "gt")
ENDINGS = ("_mask", "-mask", ".mask", "_label", "_labels", ".label", ".labels", "_gt", "-gt", ".gt", "_truth")
SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif")


@dataclass(frozen=True, eq=False)
class Mask:
    """Ground truth of one image: read-only class indices (H, W), NOT_COUNTED where a colour stands for none.

    `kind` says what the file was ('indexed', 'colours of Cityscapes'), `names` are the classes' where
    the data have them. `black_and_white` says whether 255 is the second class of two: as the collection that the mask
    is of has it (`pairs.judged`), None for a mask alone, whose own labels then tell.
    """

    path: str
    labels: Labels
    kind: str = "indexed"
    names: tuple[str, ...] = ()
    black_and_white: bool | None = None

    @property
    def height(self) -> int:
        return int(self.labels.shape[0])

    @property
    def width(self) -> int:
        return int(self.labels.shape[1])

    def check_size(self, height: int, width: int) -> None:
        """Raise SegvizError unless this is a mask of an image of that size."""
        if (self.height, self.width) != (height, width):
            raise SegvizError(
                f"{named(self.path)}: the mask is {self.width}x{self.height} and the image {width}x{height}: "
                "give a mask of the image's size"
            )


def open_mask(path: str | os.PathLike[str]) -> Labels:
    """The class indices (H, W) of a mask, as `read_mask` has them."""
    return read_mask(path).labels


def read_mask(path: str | os.PathLike[str], key: ColourKey | None = None) -> Mask:
    """The mask at `path`: an indexed or grey picture, as PASCAL VOC and segviz write them, or one in colours.

    Colours are those of `key`, else of a `palette.txt` beside the mask or a folder above it, else of
    PASCAL VOC or Cityscapes, whichever has all of them. A `classes.txt` there names the classes.
    Raises SegvizError for what `images.open_picture` refuses, and for colours that stand for nothing.
    """
    images.probe(path)  # refuses by header what must not be decoded
    place = Path(path).absolute()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of broken metadata, as in `images`
            with Image.open(path, formats=_FORMATS) as image:
                labels, kind, names = _decoded(place, image, key)
    except SegvizError:
        raise
    except Exception as error:  # the edge where files are read: Pillow raises many kinds
        raise SegvizError(
            f"{named(path)}: cannot be read as a mask ({type(error).__name__}); save it as PNG"
        ) from error
    labels = np.ascontiguousarray(labels)
    labels.flags.writeable = False
    return Mask(str(place), labels, kind, names or names_beside(place))


def _decoded(place: Path, image: Image.Image, key: ColourKey | None) -> tuple[Labels, str, tuple[str, ...]]:
    if image.mode in _INDEXED and not (image.mode == "P" and key is not None):
        return np.asarray(image).astype(np.int32), _INDEXED[image.mode], ()
    if image.mode not in (*_COLOURED, "P"):
        raise SegvizError(
            f"{named(place)}: not a mask: its pixels are neither indices nor colours ({image.mode}); "
            "save the class indices as an indexed or grey PNG"
        )
    whole = np.asarray(image.convert("RGBA"))
    pixels, solid = whole[..., :3], whole[..., 3] > 0
    beside = None if key is not None else _key_beside(place)
    keys = (key,) if key is not None else (beside,) if beside is not None else known_keys()
    grey = key is None and beside is None and bool((pixels == pixels[..., :1]).all())
    labels, kind, names = _grey(pixels) if grey else _coloured(place, pixels, keys)
    return np.where(solid, labels, NOT_COUNTED).astype(np.int32), kind, names


def _grey(pixels: npt.NDArray[np.uint8]) -> tuple[Labels, str, tuple[str, ...]]:
    """A picture whose channels agree everywhere: their value is the class."""
    return pixels[..., 0].astype(np.int32), "grey", ()


def _coloured(
    place: Path, pixels: npt.NDArray[np.uint8], keys: tuple[ColourKey, ...]
) -> tuple[Labels, str, tuple[str, ...]]:
    strange = None
    for key in keys:
        labels, strange = key.decode(pixels)
        if strange is None:
            names = key.names if all(key.names) else ()
            return labels, f"colours of {key.title}", names
    assert strange is not None
    row, column = strange
    colour = " ".join(str(int(part)) for part in pixels[row, column])
    titles = list(dict.fromkeys(key.title for key in keys))
    known = f"not of {titles[0]}" if len(titles) == 1 else f"neither of {' nor of '.join(titles)}"
    raise SegvizError(
        f"{named(place)}: not a mask: the colour {colour} at ({column}, {row}) is {known}; save class indices as an "
        f"indexed or grey PNG, or list the colours as 'R G B name' in {COLOURS_FILE} beside it"
    )


def black_and_white(planes: Iterable[Labels]) -> bool:
    """Whether labels are nothing but 0 and 255, and 255 in one plane at least: then it is the second class of two.

    Pixels whose colour does not count tell nothing. One plane of other labels ends the search.
    """
    white = False
    for labels in planes:
        if not ((labels == 0) | (labels == IGNORED) | (labels == NOT_COUNTED)).all():
            return False
        white = white or bool((labels == IGNORED).any())
    return white


# ------------------------------------------------------------------------------ beside a mask


def _key_beside(place: Path) -> ColourKey | None:
    found = _beside(place, COLOURS_FILE)
    return read_key(found) if found is not None else None


def names_beside(place: Path) -> tuple[str, ...]:
    """The names, one a line, of a `classes.txt` beside the mask at `place` or a folder above it; none without one."""
    found = _beside(place, NAMES_FILE)
    return read_names(found) if found is not None else ()


def read_names(path: Path) -> tuple[str, ...]:
    """Class names of a text file, one a line in the order of their indices. Raises SegvizError if it is none."""
    try:
        if path.stat().st_size > LARGEST_LIST:
            raise SegvizError(f"{named(path)}: too large for a list of class names; give one name a line")
        return tuple(line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise SegvizError(f"{named(path)}: cannot be read as class names ({error}); save it as UTF-8") from error


def _beside(place: Path, name: str) -> Path | None:
    return next((path for path in (place.parent / name, place.parent.parent / name) if places.is_file(path)), None)


# ------------------------------------------------------------------------------ beside an image


def candidates(image: Path) -> tuple[Path, ...]:
    """Where the mask of `image` is looked for, in this order.

    First a file of the same stem in a folder of `FOLDERS`, beside the image's own folder or in it;
    then beside the image its stem with one of `ENDINGS`. X-labels.png is none of them: segviz itself
    calls so what a network has found.
    """
    names = [f"{image.stem}{suffix}" for suffix in SUFFIXES]
    folders = [above / name for name in FOLDERS for above in (image.parent.parent, image.parent)]
    inside = [folder / name for folder in folders if folder != image.parent for name in names]
    ended = [image.with_name(f"{image.stem}{ending}{suffix}") for ending in ENDINGS for suffix in SUFFIXES]
    return (*inside, *ended)


def mask_beside(image: str | os.PathLike[str]) -> Path | None:
    """The mask of an image by the naming rule of `candidates`; None where there is none."""
    place = Path(image).absolute()
    return next((path for path in candidates(place) if path != place and places.is_file(path)), None)


FLAT = 0.9  # share of neighbouring pixels that are alike in a mask: hardly any photograph has half of it


def is_mask_of(path: str | os.PathLike[str], height: int, width: int) -> bool:
    """Whether the picture at `path` is by its content a mask of an image of that size.

    It has the image's size and indices (or known colours) in flat regions; a grey photograph is
    not flat. A file that cannot be read is none.
    """
    try:
        if images.probe(path) != (height, width):
            return False
        labels = read_mask(path).labels
    except SegvizError:
        return False
    return flatness(labels) >= FLAT


def flatness(labels: Labels) -> float:
    """The share of pixels that are like their right neighbour; 1 for a single column."""
    return float((labels[:, 1:] == labels[:, :-1]).mean()) if labels.shape[1] > 1 else 1.0
