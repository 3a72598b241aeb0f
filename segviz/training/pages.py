"""Digit pages: real test digits scattered over dark canvases, with the truth beside them.

`python -m segviz.training.pages FOLDER` makes the pages that segviz ships, the same ones every time.
Digits of the test split alone are used, so that no network of segviz has been trained on them.
"""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from segviz.core.errors import SegvizError
from segviz.training.datasets import Labelled, mnist

SIZES = ((256, 256), (512, 512), (1000, 2000))  # rows, columns
CELL = 32  # pixels: no other digit's image comes nearer to a digit's centre than half of this
SMALLEST, LARGEST = 0.9, 1.2  # scale of the digits
FILL = 0.4  # of the cells that would fit side by side
TRIES = 200  # places that are tried for each digit


@dataclass(frozen=True, slots=True)
class Placed:
    """A digit on a page: its label, which test digit it is, and its image's box (pixel edges, as in `field.Box`)."""

    label: int
    index: int
    box: tuple[int, int, int, int]

    @property
    def center(self) -> tuple[float, float]:
        """(x, y), pixel centres being integers."""
        left, top, right, bottom = self.box
        return (left + right - 1) / 2, (top + bottom - 1) / 2


@dataclass(frozen=True, eq=False)
class Page:
    """A grey page uint8 (rows, columns), ink 255 on paper 0, and what is written on it."""

    image: np.ndarray
    digits: tuple[Placed, ...]


def page(rows: int, columns: int, digits: Labelled, seed: int = 0) -> Page:
    """A page with digits drawn from `digits` at random places, in random order and scale, none overlapping.

    Raises SegvizError where not even one cell fits.
    """
    if min(rows, columns) < 2 * CELL:
        raise SegvizError(f"a digit page of {rows} x {columns} pixels is too small: {2 * CELL} x {2 * CELL} at least")
    chance = random.Random(f"{seed} {rows} {columns}")
    canvas = np.zeros((rows, columns), np.uint8)
    taken = np.zeros((rows, columns), bool)
    placed = []
    wanted = int(FILL * (rows // CELL) * (columns // CELL))
    for index in chance.sample(range(len(digits)), min(wanted, len(digits))):
        ink = scaled(digits.images[index], SMALLEST + chance.random() * (LARGEST - SMALLEST))
        side = ink.shape[0]
        place = _free_place(taken, max(side, CELL), chance)
        if place is None:
            continue
        top, left = (start + (max(side, CELL) - side) // 2 for start in place)
        canvas[top : top + side, left : left + side] = ink
        taken[place[0] : place[0] + max(side, CELL), place[1] : place[1] + max(side, CELL)] = True
        placed.append(Placed(int(digits.labels[index]), index, (left, top, left + side, top + side)))
    return Page(canvas, tuple(placed))


def _free_place(taken: np.ndarray, side: int, chance: random.Random) -> tuple[int, int] | None:
    """Top and left of a free square of that side, or None where too many tries found none."""
    rows, columns = taken.shape
    for _ in range(TRIES):
        top, left = chance.randrange(rows - side + 1), chance.randrange(columns - side + 1)
        if not taken[top : top + side, left : left + side].any():
            return top, left
    return None


def scaled(image: np.ndarray, scale: float) -> np.ndarray:
    """A square uint8 image resized by `scale`, to whole pixels."""
    side = round(image.shape[0] * scale)
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def name_of(rows: int, columns: int) -> str:
    return f"digits-{rows}x{columns}"


def write_pages(folder: Path, sizes: tuple[tuple[int, int], ...] = SIZES) -> tuple[Path, ...]:
    """Write each page as PNG, and what is written on it as JSON; returns the files."""
    digits = mnist("t10k")
    files = []
    for rows, columns in sizes:
        made = page(rows, columns, digits)
        image, truth = folder / f"{name_of(rows, columns)}.png", folder / f"{name_of(rows, columns)}.json"
        Image.fromarray(made.image).save(image, optimize=True)
        truth.write_text(as_json(made), encoding="utf-8")
        files += [image, truth]
    return tuple(files)


def as_json(made: Page) -> str:
    """What is written on a page, one digit a line."""
    lines = (
        json.dumps({"label": digit.label, "test_digit": digit.index, "box": list(digit.box)}) for digit in made.digits
    )
    return '{"digits": [\n' + ",\n".join(lines) + "\n]}\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m segviz.training.pages", description="make the digit pages anew")
    parser.add_argument("folder", type=Path, help="an existing folder")
    for file in write_pages(parser.parse_args(arguments).folder):
        print(file)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
