"""Which class a colour of a mask stands for: PASCAL VOC, Cityscapes, or a list that comes with the data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from segviz.core.choices import MaskColours, Palette
from segviz.core.class_names import CITYSCAPES_NAMES, VOC_NAMES
from segviz.core.errors import SegvizError, named
from segviz.core.palettes import class_colours

Colours = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int32]

NOT_COUNTED = -1  # the label of pixels whose colour stands for no class
ROWS_AT_ONCE = 256
LARGEST_LIST = 1 << 20  # bytes of a list of colours: a page of text
LEFT_OUT = ("ignore", "ignored", "void", "unlabeled", "unlabelled")  # names in a list that stand for no class

VOC_BORDER = (224, 224, 192)  # the 255 of the indexed masks: borders and what is hard to tell

# What Cordts et al. 2016 do not score.
CITYSCAPES_LEFT_OUT = (
    *((0, 0, 0), (20, 20, 20), (111, 74, 0), (81, 0, 81), (250, 170, 160), (230, 150, 140), (180, 165, 180)),
    *((150, 100, 100), (150, 120, 90), (0, 0, 90), (0, 0, 110)),
)


@dataclass(frozen=True, eq=False)
class ColourKey:
    """Colours (n, 3) of the classes 0 to n - 1 with their names, and those (m, 3) whose pixels do not count."""

    title: str
    colours: Colours
    names: tuple[str, ...]
    left_out: Colours

    def decode(self, pixels: Colours) -> tuple[Labels, tuple[int, int] | None]:
        """The classes (H, W) of the colours `pixels` (H, W, 3), NOT_COUNTED where the colour stands for none.

        Beside them (row, column) of the first pixel whose colour is not in the key; None where all are.
        """
        codes = np.concatenate([_codes(self.colours), _codes(self.left_out)])
        classes = np.full(len(codes), NOT_COUNTED, np.int32)
        classes[: len(self.colours)] = np.arange(len(self.colours))
        order = np.argsort(codes, kind="stable")
        codes, classes = codes[order], classes[order]
        out = np.empty(pixels.shape[:2], np.int32)
        for top in range(0, len(pixels), ROWS_AT_ONCE):
            found = _codes(pixels[top : top + ROWS_AT_ONCE])
            at = np.minimum(np.searchsorted(codes, found), len(codes) - 1)
            strange = codes[at] != found
            if strange.any():
                row, column = np.unravel_index(int(strange.argmax()), strange.shape)
                return out, (top + int(row), int(column))
            out[top : top + ROWS_AT_ONCE] = classes[at]
        return out, None


def _codes(colours: Colours) -> npt.NDArray[np.uint32]:
    """Colours (..., 3) as one number each."""
    r, g, b = (colours[..., channel].astype(np.uint32) for channel in range(3))
    return np.asarray(r << 16 | g << 8 | b, dtype=np.uint32)


def voc(count: int = len(VOC_NAMES)) -> ColourKey:
    """The colours of PASCAL VOC's masks; a `count` above 21 takes more of the palette, without names."""
    names = (*VOC_NAMES, *[""] * count)[:count]
    return ColourKey("PASCAL VOC", class_colours(Palette.VOC, count), names, np.array([VOC_BORDER], np.uint8))


def cityscapes() -> ColourKey:
    """The colours of Cityscapes' masks."""
    count = len(CITYSCAPES_NAMES)
    left_out = np.array(CITYSCAPES_LEFT_OUT, np.uint8)
    return ColourKey("Cityscapes", class_colours(Palette.CITYSCAPES, count), CITYSCAPES_NAMES, left_out)


def key_of(wanted: MaskColours) -> ColourKey | None:
    """The colours that a person chose; None: to be found by content."""
    return {MaskColours.AUTO: None, MaskColours.VOC: voc(), MaskColours.CITYSCAPES: cityscapes()}[wanted]


def known_keys() -> tuple[ColourKey, ...]:
    """The keys that a mask is tried with, those that name all their colours first."""
    return voc(), cityscapes(), voc(255)


def read_key(path: str | os.PathLike[str]) -> ColourKey:
    """The key of a text file: a line `R G B name` for each class, in the order of their indices.

    Numbers are 0 to 255; commas count as spaces, `#` begins a remark. A colour named ignore or void
    stands for no class. Raises SegvizError naming the line.
    """
    place = Path(path)
    name = named(place)
    try:
        if place.stat().st_size > LARGEST_LIST:
            raise SegvizError(f"{name}: too large for a list of colours; give a text file of lines 'R G B name'")
        lines = place.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SegvizError(f"{name}: cannot be read as a list of colours ({error}); check the file") from error
    classes: list[tuple[tuple[int, int, int], str]] = []
    left_out: list[tuple[int, int, int]] = []
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].replace(",", " ").split()
        if not words:
            continue
        colour, title = _colour(words[:3]), " ".join(words[3:])
        if colour is None:
            raise SegvizError(f"{name}, line {number}: '{line[:60]}' is not 'R G B name' with numbers 0 to 255")
        if title.casefold() in LEFT_OUT:
            left_out.append(colour)
        else:
            classes.append((colour, title))
    every = [colour for colour, _ in classes] + left_out
    twice = next((colour for colour in every if every.count(colour) > 1), None)
    if twice is not None:
        raise SegvizError(f"{name}: the colour {_words(twice)} stands there twice; give each class a colour of its own")
    if not classes:
        raise SegvizError(f"{name}: names no class; write a line 'R G B name' for each")
    return ColourKey(name, np.array([c for c, _ in classes], np.uint8), tuple(t for _, t in classes), _array(left_out))


def _array(colours: list[tuple[int, int, int]]) -> Colours:
    return np.array(colours, np.uint8).reshape(-1, 3)


def _colour(words: list[str]) -> tuple[int, int, int] | None:
    if len(words) != 3 or not all(word.isdecimal() and len(word) <= 3 and int(word) < 256 for word in words):
        return None
    r, g, b = (int(word) for word in words)
    return r, g, b


def _words(colour: tuple[int, int, int]) -> str:
    return " ".join(str(part) for part in colour)
