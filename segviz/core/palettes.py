"""Colours of classes and of probabilities, as lookup tables: painting is an index into them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from segviz.core import assets
from segviz.core.choices import ColourMap, Palette
from segviz.core.oklab import blended, far_apart

Colours = npt.NDArray[np.uint8]

# Okabe and Ito 2008, ordered for overlays: neighbours far apart, and black, the poorest of
# overlays, last.
OKABE_ITO = ("e69f00", "56b4e9", "009e73", "cc79a7", "0072b2", "d55e00", "f0e442", "000000")

# The colours of the 19 classes that Cityscapes (Cordts et al. 2016) scores, road to bicycle.
CITYSCAPES = (
    *("804080", "f423e8", "464646", "66669c", "be9999", "999999", "faaa1e", "dcdc00", "6b8e23", "98fb98"),
    *("4682b4", "dc143c", "ff0000", "00008e", "000046", "003c64", "005064", "0000e6", "770b20"),
)

GLASBEY_COUNT = 256

# What later rounds through a palette are mixed with, and how much of it.
_GROUNDS = np.array([0, 255, 0, 128])[:, None]
_TINT = 0.4


def _colours(codes: Sequence[str]) -> Colours:
    return np.array([list(bytes.fromhex(code)) for code in codes], dtype=np.uint8)


def make_glasbey() -> Colours:
    """The 256 colours of `resources/palettes/glasbey.txt` (256, 3): Okabe-Ito without black, then the farthest each."""
    return far_apart(_colours(OKABE_ITO[:-1]), GLASBEY_COUNT)


def _glasbey() -> Colours:
    return _colours(assets.palette("glasbey.txt").read_text(encoding="ascii").split())


def _voc() -> Colours:
    """PASCAL VOC: bits 0, 1, 2 of the class go to the top bits of red, green, blue; bits 3, 4, 5 below them; ..."""
    index = np.arange(256)
    channels = [sum((index >> (3 * k + c) & 1) << (7 - k) for k in range(3)) for c in range(3)]
    return np.stack(channels, 1).astype(np.uint8)


_SETS: dict[Palette, Callable[[], Colours]] = {
    Palette.OKABE_ITO: lambda: _colours(OKABE_ITO),
    Palette.GLASBEY: _glasbey,
    Palette.VOC: _voc,
    Palette.CITYSCAPES: lambda: _colours(CITYSCAPES),
}


@cache
def _set(palette: Palette) -> Colours:
    return _locked(_SETS[palette]())


def _locked(table: Colours) -> Colours:
    table.flags.writeable = False
    return table


def class_colours(palette: Palette, count: int) -> Colours:
    """The colours of `count` classes, uint8 (count, 3).

    Where the palette ends it begins again, lighter, then darker, then greyer, so that four times as
    many classes as it has colours are told apart.
    """
    if palette is Palette.AUTO:
        palette = Palette.OKABE_ITO if count <= len(OKABE_ITO) else Palette.GLASBEY
    colours = _set(palette)
    again, index = np.divmod(np.arange(count), len(colours))
    ground = _GROUNDS[again % len(_GROUNDS)]
    share = np.where(again % len(_GROUNDS) > 0, _TINT, 0.0)[:, None]
    return np.asarray(np.rint(colours[index] * (1 - share) + ground * share), dtype=np.uint8)


SHADED = 12  # classes
LEAST_AVOIDED = 8  # class colours that paths keep off, however few classes a network has: they stay the same ones
DARKEST_PATH, STRONGEST_PATH = 0.66, 0.2  # lightness and chroma in OKLab: pale lines, each on its own dark one


@cache
def path_colours(palette: Palette, classes: int, count: int, others: tuple[str, ...] = ()) -> Colours:
    """Colours of `count` paths, uint8 (count, 3): far from those of `classes` classes and from `others` (rrggbb).

    Of up to `SHADED` classes far from their lighter and darker shades too, so that no path is called by the name of a
    class's colour. The more classes there are, the less room they leave: of a thousand, some come near.
    """
    colours = class_colours(palette, min(max(classes, LEAST_AVOIDED), GLASBEY_COUNT))
    avoided = np.unique(np.concatenate([colours, _colours(others).reshape(-1, 3)]), axis=0)
    grounds = (0, 255) if len(colours) <= SHADED else ()
    shades = [avoided, *(avoided * (1 - _TINT) + ground * _TINT for ground in grounds)]
    first = np.rint(np.concatenate(shades)).astype(np.uint8)
    return _locked(far_apart(first, len(first) + count, DARKEST_PATH, STRONGEST_PATH)[len(first) :])


def visible_classes(
    count: int, hidden: Collection[int] = (), solo: int | None = None, background: int | None = None
) -> npt.NDArray[np.bool_]:
    """Which of `count` classes are painted, bool (count,): one alone where `solo` is set, else all but the hidden."""
    seen = np.full(count, solo is None)
    if solo is None:
        seen[[index for index in hidden if index < count]] = False
    elif solo < count:
        seen[solo] = True
    if background is not None:
        seen[background] = False
    return seen


def label_table(
    count: int,
    palette: Palette,
    hidden: Collection[int] = (),
    solo: int | None = None,
    background: int | None = None,
    alpha: int = 255,
) -> Colours:
    """RGBA of each class, uint8 (count, 4): `alpha` where it is painted, transparent where not."""
    seen = visible_classes(count, hidden, solo, background)
    return np.concatenate([class_colours(palette, count), np.where(seen, alpha, 0)[:, None].astype(np.uint8)], 1)


# ------------------------------------------------------------------------------------ colour maps

# Evenly spaced points of the maps of Smith and van der Walt 2015 (magma, viridis) and of Nuñez,
# Anderton and Renslow 2018 (cividis); what lies between is a smooth curve in OKLab.
_ANCHORS: dict[ColourMap, tuple[str, ...]] = {
    ColourMap.MAGMA: (
        *("000004", "0b0924", "20114b", "3b0f70", "57157e", "721f81", "8c2981", "a8327d"),
        *("c43c75", "de4968", "f1605d", "fa7f5e", "fe9f6d", "febf84", "fddea0", "fcfdbf"),
    ),
    ColourMap.VIRIDIS: (
        *("440154", "481a6c", "472f7d", "414487", "39568c", "31688e", "2a788e", "23888e"),
        *("1f988b", "22a884", "35b779", "54c568", "7ad151", "a5db36", "d2e21b", "fde725"),
    ),
    ColourMap.CIVIDIS: (
        *("00204d", "002c6a", "0f386e", "31446b", "46506b", "575c6d", "666970", "757575"),
        *("848279", "958f78", "a69d75", "b8ab70", "cbba69", "ddc95f", "f1d951", "ffea46"),
    ),
    # From blue over near-white to vermilion: both ends equally dark, zero the lightest.
    ColourMap.DIVERGING: ("0b4f9e", "5b86c9", "a6bde6", "f4f2f0", "f0b69d", "d67751", "a02e0a"),
}


@cache
def colour_map(name: ColourMap) -> Colours:
    """The colours of the levels 0 to 255, uint8 (256, 3), read-only; signed maps have zero between 127 and 128."""
    if name is ColourMap.GREY:
        return _locked(np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1))
    return _locked(blended(_colours(_ANCHORS[name])))


@cache
def signed_table(minimum: float = 0.0) -> Colours:
    """RGBA of the levels of a signed value, uint8 (256, 4), read-only: 0 in the middle, where nothing is painted.

    What is smaller than `minimum` of the largest, whatever its sign, is not painted either.
    """
    reach = np.abs(np.arange(256) - 127.5) / 127.5
    alpha = np.rint(255 * (1 - (1 - reach) ** _RISE)).astype(np.uint8)
    alpha[reach < max(minimum, 1 / 127)] = 0
    return _locked(np.concatenate([colour_map(ColourMap.DIVERGING), alpha[:, None]], 1))


_RISE = 2.2  # how much faster alpha rises at first: a third of certainty is already seen


def heat_table(name: ColourMap, minimum: float = 0.0) -> Colours:
    """RGBA of the levels of a probability, uint8 (256, 4), read-only.

    Alpha rises from 0 with the probability, so that a low one leaves the photograph visible; below
    `minimum` nothing is painted.
    """
    alpha = np.rint(255 * (1 - (1 - np.arange(256) / 255) ** _RISE)).astype(np.uint8)
    alpha[: round(minimum * 255)] = 0
    return _locked(np.concatenate([colour_map(name), alpha[:, None]], 1))
