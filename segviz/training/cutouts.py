"""Cut-outs: photographs of single things with an alpha channel, from Debian's package tuxpaint-stamps-default.

Which of them are photographs, what they show and which are kept for testing is listed in
`resources/datasets/stamps`. The package is needed to train, not to use what was trained; a few of its
cut-outs are shipped beside the list, for quick runs.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from segviz.core import assets
from segviz.core.errors import SegvizError
from segviz.training import backdrops

PLACES = tuple(Path(root) / "share/tuxpaint/stamps" for root in ("/usr", "/usr/local", "/opt/homebrew"))
OTHER = "other"  # things of no class
SPLITS = ("learn", "test")
OPAQUE = 8  # alpha from which a pixel belongs to the box of its thing


@dataclass(frozen=True, eq=False)
class Cutout:
    """One thing: `pixels` (H, W, 4) uint8, cropped to what is not transparent."""

    name: str
    pixels: npt.NDArray[np.uint8]


Cutouts = Mapping[str, Sequence[Cutout]]  # by class, `OTHER` among them


def classes() -> tuple[str, ...]:
    """The classes of scenes; what is of none of them is background."""
    return ("background", *(name for name in _listed() if name != OTHER))


def stamps(split: str) -> Cutouts:
    """All listed cut-outs of a `split`, 'learn' or 'test'. Raises SegvizError where the package is not installed."""
    root = next((place for place in PLACES if place.is_dir()), None)
    if root is None:
        raise SegvizError(
            f"the photographs of cut-out things are not here: install {backdrops.SENTENCE}, "
            f"or unpack them so that {PLACES[0]} exists"
        )
    return _read(root, {name: entry[split] for name, entry in _listed().items()})


def few() -> Cutouts:
    """The shipped handful: two things of each class to learn from, for quick runs."""
    root = assets.dataset("stamps")
    names = {
        name: [stamp for stamp in entry["learn"] if _file(root, entry, stamp).is_file()]
        for name, entry in _listed().items()
    }
    return _read(root, names)


@cache
def _listed() -> dict[str, dict[str, Any]]:
    return tomllib.loads((assets.dataset("stamps") / "cutouts.toml").read_text(encoding="utf-8"))


def _read(root: Path, names: Mapping[str, Sequence[str]]) -> Cutouts:
    listed = _listed()
    return {
        name: tuple(Cutout(stamp, _cropped(_file(root, listed[name], stamp))) for stamp in stamps)
        for name, stamps in names.items()
    }


def _file(root: Path, entry: Mapping[str, Any], stamp: str) -> Path:
    folder: str = entry["folder"]
    return (root / folder / f"{stamp}.png").resolve()


def _cropped(path: Path) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(path, formats=("PNG",)) as image:
            pixels = np.asarray(image.convert("RGBA"))
    except OSError as error:
        raise SegvizError(f"{path}: cannot be read ({error}); install tuxpaint-stamps-default again") from error
    rows, columns = (np.flatnonzero((pixels[..., 3] >= OPAQUE).any(axis=axis)) for axis in (1, 0))
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
