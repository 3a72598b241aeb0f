"""What a channel answers to most strongly, over many images: asked for and answered.

Zeiler and Fergus 2014, section 4.1: for a map of a layer the images whose strongest units are the strongest of
all, each cut to what that unit sees. The crop is the unit's true receptive field (`core/field`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segviz.core import assets
from segviz.core.errors import SegvizError, named
from segviz.core.field import Box, Status
from segviz.core.places import images_in

if TYPE_CHECKING:
    import numpy as np

    from segviz.core.requests import Progress, Setup

SHOWN = 9  # patches of a channel
MOST_IMAGES = 500  # of a folder, in the order of their names
LONGEST = 192  # longer side of a crop that is sent, in pixels


@dataclass(frozen=True, slots=True)
class TopRequest:
    """The strongest units of a channel over the images of a folder, None: those that are shipped.

    `setup` names no image.
    """

    setup: Setup
    layer: str
    channel: int
    folder: str | None = None


@dataclass(frozen=True, eq=False)
class TopPatch:
    """The strongest unit of a channel in one image. `field` and `position` (x, y) are in pixels of that image.

    `size` is the (width, height) of the image. `crop` is the field, uint8 (H, W, 3), no longer than `LONGEST`; what
    lies outside the image is `mirrored` where the network sees it so, else grey.
    """

    image: str
    value: float
    row: int
    column: int
    field: Box
    status: Status
    size: tuple[int, int]
    position: tuple[float, float]
    crop: np.ndarray
    mirrored: bool = False

    @property
    def outside(self) -> float:
        """The share of the field that lies outside the image, 0 to 1."""
        return self.field.outside(*self.size)


@dataclass(frozen=True, eq=False)
class TopAnswer:
    """Answer to TopRequest, the strongest patch first, of so many `images` of `total`.

    On `dead` of the images the map is dead.
    """

    request: TopRequest
    patches: tuple[TopPatch, ...]
    images: int
    total: int
    dead: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether all images have been looked through."""
        return self.images == self.total


@dataclass(frozen=True, eq=False)
class TopUpdate:
    """What is found so far."""

    found: TopAnswer
    progress: Progress


def images_of(folder: str | None) -> tuple[Path, ...]:
    """The images of a folder by name, at most `MOST_IMAGES`; None: the shipped ones.

    Raises SegvizError where the folder cannot be read or holds no image.
    """
    if folder is None:
        return assets.sample_images()
    try:
        found = images_in(Path(folder))
    except OSError as error:
        raise SegvizError(f"{named(folder)}: the folder cannot be read ({error.strerror or error})") from error
    if not found:
        raise SegvizError(f"{named(folder)}: the folder holds no image; open an image of another one")
    return tuple(found[:MOST_IMAGES])
