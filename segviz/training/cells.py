"""Touching cells, drawn by a program: no microscope has seen them.

They look somewhat like cells in culture under a microscope: uneven light, noise, granular bodies with darker
nuclei, membranes that fade where cells touch. They exist because their truth is exact and free, and because a
network needs U-Net's weight map for nothing as much as for cells that touch. Scores on them say nothing about
real cells.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from scipy import ndimage

from segviz.core import catalogue
from segviz.core.entries import Entry, Preprocessing
from segviz.core.errors import SegvizError
from segviz.core.instances import Instances, apart, largest_parts
from segviz.core.weight_maps import SIGMA, W_0, Weighting, balancing, weigh
from segviz.training import held_out
from segviz.training.batches import Batch

Levels = npt.NDArray[np.float32]
Kind = TypeVar("Kind", bound=np.generic)

CLASSES = ("background", "cell")
SMALLEST_SIDE = 32  # pixels of an image
RADIUS = (9.0, 17.0)  # pixels; a cell's own is drawn between them
ELONGATED = 0.25  # how much longer than wide a cell is at most, and so much shorter
BUMPS = (2, 3, 5)  # harmonics of an outline, and how strong each is at most
BUMP = 0.05
CLUMP = (3, 12)  # cells
APART = (1.35, 1.9)  # radii from a cell's centre to the one that it grew beside: below 2 they touch
COVERED = 0.45  # the share of an image that cells are drawn for
SPECK = 60  # pixels; what is left of a cell that others cover is let go below it
SHIPPED = 252  # pixels, of the image that segviz brings: a size that a U-Net of three poolings takes
RIBBON = 2  # pixels of background between two cells
TESTED = 24  # drawings that are held out
TRAINING, HELD_OUT = range(2)  # streams of random numbers that never meet


@dataclass(frozen=True, eq=False)
class Culture:
    """A grey image of cells, uint8 (H, W), and which cell each pixel belongs to, (H, W), 0 for none."""

    image: npt.NDArray[np.uint8]
    instances: Instances


def culture(height: int, width: int, chance: np.random.Generator, ribbon: int = RIBBON) -> Culture:
    """An image of clumps of touching cells, `ribbon` pixels (1 or 2) of background between any two.

    Raises SegvizError for an image below 32 x 32 pixels.
    """
    if min(height, width) < SMALLEST_SIDE:
        raise SegvizError(f"cells on {height} x {width} pixels: {SMALLEST_SIDE} x {SMALLEST_SIDE} is the least")
    sheet = _Sheet(height, width, chance)
    for row, column, radius in _places(height, width, chance):
        sheet.add(row, column, radius)
    sizes = np.bincount(sheet.owner.ravel())
    whole = largest_parts(np.where(sizes[sheet.owner] < SPECK, 0, sheet.owner))
    image = _seen(sheet, whole, chance)
    # A cut can divide a thin cell or leave a speck: the largest part alone stays one instance.
    return Culture(image, largest_parts(apart(whole, ribbon)))


def _places(height: int, width: int, chance: np.random.Generator) -> Iterator[tuple[float, float, float]]:
    """Row, column and radius of cells: clumps grow cell beside cell, until they cover their share."""
    area = 0.0
    while area < COVERED * height * width:
        clump = [(chance.uniform(0, height), chance.uniform(0, width), chance.uniform(*RADIUS))]
        for _ in range(int(chance.integers(*CLUMP)) - 1):
            row, column, radius = clump[chance.integers(len(clump))]
            angle, own = chance.uniform(0, 2 * math.pi), chance.uniform(*RADIUS)
            distance = chance.uniform(*APART) * (radius + own) / 2
            place = row + distance * math.sin(angle), column + distance * math.cos(angle)
            inside = -own < place[0] < height + own and -own < place[1] < width + own
            # Not onto another cell of the clump, whose middle would be lost.
            if inside and all(math.dist(place, other[:2]) > APART[0] * (own + other[2]) / 2 for other in clump):
                clump.append((*place, own))
        yield from clump
        area += sum(math.pi * radius**2 for *_, radius in clump)


class _Sheet:
    """Cells as they are laid side by side. At each pixel the one wins in whose outline the pixel lies deepest.

    `depth` is how far out a pixel lies in the cell `owner`: 0 in the middle, 1 on the outline. `tone` and
    `nucleus` are how light the cell is there.
    """

    def __init__(self, height: int, width: int, chance: np.random.Generator) -> None:
        self.owner = np.zeros((height, width), np.int32)
        self.depth = np.ones((height, width), np.float32)
        self.tone = np.zeros((height, width), np.float32)
        self.count = 0
        self._chance = chance

    def add(self, row: float, column: float, radius: float) -> None:
        """A cell with an outline of its own about (row, column)."""
        chance = self._chance
        reach = math.ceil(radius * (1 + ELONGATED) * (1 + len(BUMPS) * BUMP))
        height, width = self.owner.shape
        top, left = max(0, int(row) - reach), max(0, int(column) - reach)
        part = slice(top, min(height, int(row) + reach + 2)), slice(left, min(width, int(column) + reach + 2))
        turn, stretch = chance.uniform(0, math.pi), 1 + chance.uniform(0, ELONGATED)
        bumps = chance.uniform(-BUMP, BUMP, len(BUMPS)), chance.uniform(0, 2 * math.pi, len(BUMPS))
        tone, dark = chance.uniform(-0.05, 0.09), chance.uniform(0.05, 0.16)
        off = chance.uniform(-0.15, 0.15, 2)
        self.count += 1
        down = (np.arange(part[0].start, part[0].stop, dtype=np.float32) - np.float32(row))[:, None]
        right = (np.arange(part[1].start, part[1].stop, dtype=np.float32) - np.float32(column))[None]
        along = (down * math.sin(turn) + right * math.cos(turn)) / (radius * stretch)
        across = (down * math.cos(turn) - right * math.sin(turn)) / (radius / stretch)
        angle = np.arctan2(across, along)
        outline = 1 + sum(bump * np.cos(n * angle + at) for n, bump, at in zip(BUMPS, *bumps, strict=True))
        depth = (np.hypot(along, across) / outline).astype(np.float32)
        nucleus = np.hypot(along - off[0], across - off[1]) < 0.36
        own = depth < self.depth[part]
        self.depth[part][own] = depth[own]
        self.owner[part][own] = self.count
        self.tone[part][own] = (tone - dark * nucleus)[own]


def _seen(sheet: _Sheet, whole: Instances, chance: np.random.Generator) -> npt.NDArray[np.uint8]:
    """What a microscope might make of the cells: (H, W) grey levels."""
    shape = whole.shape
    inside = whole > 0
    level, lift = chance.uniform(0.38, 0.55), chance.uniform(-0.04, 0.07)
    dome = np.where(inside, 1 - sheet.depth**2, 0)  # thicker, and so lighter, in the middle
    seen = level + inside * (lift + sheet.tone) + chance.uniform(0.02, 0.1) * dome
    grain = ndimage.gaussian_filter(chance.standard_normal(shape, np.float32), 1.2)  # std about 0.23
    seen += grain * np.where(inside, chance.uniform(0.1, 0.22), chance.uniform(0.02, 0.06))
    outline = (ndimage.maximum_filter(whole, 3) != ndimage.minimum_filter(whole, 3)).astype(np.float32)
    # A membrane is as good as gone in places: there a network must conclude from the shape that one cell ends.
    strength = np.clip(_smooth(shape, 24, chance, 0.5) + 0.55, 0.05, 1)
    sign = -1 if chance.random() < 0.3 else 1
    seen += sign * chance.uniform(0.14, 0.3) * strength * ndimage.gaussian_filter(outline, 0.9)
    seen *= 1 + chance.uniform(0.05, 0.3) * _smooth(shape, max(shape), chance, 0.5)
    seen = ndimage.gaussian_filter(seen, chance.uniform(0.4, 0.9))
    seen += chance.uniform(0.01, 0.04) * chance.standard_normal(shape, np.float32)
    return np.asarray(np.rint(np.clip(seen, 0, 1) * 255), np.uint8)


def _smooth(shape: tuple[int, int], step: int, chance: np.random.Generator, most: float) -> Levels:
    """Values between -`most` and `most`, float32 `shape`, drawn every `step` pixels and bilinear between."""
    rows, columns = (side // step + 2 for side in shape)
    drawn = chance.uniform(-most, most, (rows, columns)).astype(np.float32)
    down, right = (_between(side, step, count) for side, count in zip(shape, (rows, columns), strict=True))
    return np.asarray(down @ drawn @ right.T, np.float32)


def _between(side: int, step: int, count: int) -> Levels:
    """The share that each of `count` points, `step` apart, has in each of `side` pixels: (side, count)."""
    place = np.arange(side, dtype=np.float32)[:, None] / step
    return np.asarray(np.clip(1 - np.abs(place - np.arange(count, dtype=np.float32)), 0, None), np.float32)


# --------------------------------------------------------------------------------------- a source


class Cells:
    """Batches of drawn cells for a U-Net: background 0, cell 1, weights by `weighting`.

    There are `drawn` images to learn from, each shown in one of its eight flips and turns, and `tested` others that
    are held out. Images are (N, 1, `side`, `side`), scaled by `preprocessing`. A network of valid convolutions answers
    for `border` pixels less on each side, and so labels and weights are (N, h, h) with h = side - 2 border; the
    weight map is computed before it is cut, so that cells beyond the border count. Raises SegvizError where no
    pixel is left of the labels.
    """

    classes = CLASSES

    def __init__(
        self,
        side: int,
        border: int = 0,
        weighting: Weighting = Weighting.BORDERS,
        drawn: int = 256,
        tested: int = TESTED,
        ribbon: int = RIBBON,
        w_0: float = W_0,
        sigma: float = SIGMA,
        preprocessing: Preprocessing = Preprocessing(channels="L"),  # noqa: B008 - frozen
    ) -> None:
        if side <= 2 * border:
            raise SegvizError(f"an image of {side} pixels less {border} on each side leaves nothing to learn")
        self.side, self.border, self.weighting, self.ribbon = side, border, weighting, ribbon
        self.drawn, self.tested = drawn, tested
        self.w_0, self.sigma = w_0, sigma
        self._mean, self._std = preprocessing.mean[0], preprocessing.std[0]
        self._kept: dict[int, Example] = {}  # what was drawn; the number alone says what it is
        # Of several drawings, so that one image with a single cell does not weigh it a hundredfold.
        counts = sum(np.bincount((self.culture(i).instances > 0).ravel(), minlength=2) for i in range(8))
        self.class_weights = balancing(np.asarray(counts))

    def batch(self, count: int, chance: torch.Generator) -> Batch:
        """`count` of the drawings, flipped and turned."""
        numbers = torch.randint(self.drawn, (count,), generator=chance).tolist()
        ways = torch.randint(8, (count,), generator=chance).tolist()
        return self._stacked([self._example(number).turned(way) for number, way in zip(numbers, ways, strict=True)])

    def held_out(self, count: int = 4) -> Iterator[Batch]:
        """The held-out images in batches of `count` at most."""
        for first in range(0, self.tested, count):
            numbers = range(first, min(first + count, self.tested))
            cultures = [self.culture(number, held_out=True) for number in numbers]
            inside = slice(self.border, self.side - self.border)
            things = np.stack([one.instances[inside, inside] for one in cultures]).astype(np.int32)
            batch = self._stacked([self._made(one) for one in cultures])
            yield replace(batch, instances=torch.from_numpy(things))

    def samples(self) -> Batch:
        """The first four held-out images."""
        return next(self.held_out())

    def _stacked(self, examples: list[Example]) -> Batch:
        batch = stacked(examples)
        return replace(batch, images=(batch.images - self._mean) / self._std)

    def culture(self, number: int, held_out: bool = False) -> Culture:
        """The drawing of that number, whole, with its instances."""
        return _culture(self.side, number, self.ribbon, held_out)

    def _example(self, number: int) -> Example:
        if number not in self._kept:
            self._kept[number] = self._made(self.culture(number))
        return self._kept[number]

    def _made(self, one: Culture) -> Example:
        inside = slice(self.border, self.side - self.border)
        labels = (one.instances > 0).astype(np.uint8)
        weights = weigh(labels, one.instances, self.weighting, self.class_weights, self.w_0, self.sigma)
        return Example(
            one.image, labels[inside, inside], None if weights is None else weights[inside, inside].astype(np.float16)
        )


def _culture(side: int, number: int, ribbon: int, held_out: bool) -> Culture:
    seed = [HELD_OUT if held_out else TRAINING, number]
    return culture(side, side, np.random.default_rng(seed), ribbon)


@dataclass(frozen=True, eq=False)
class Example:
    """A square image uint8 (H, H), labels uint8 (h, h) of its middle, and weights (h, h) or None: all alike.

    Weights are kept in half precision: some hundred examples lie in memory.
    """

    image: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.float16] | None

    def turned(self, way: int) -> Example:
        """One of the eight flips and turns, 0 to 7; 0 is the example itself."""
        return Example(
            _turned(self.image, way),
            _turned(self.labels, way),
            None if self.weights is None else _turned(self.weights, way),
        )


def stacked(examples: list[Example]) -> Batch:
    """A batch of examples of one size, all of them with weights or none; levels 0 to 255."""
    images = np.stack([one.image for one in examples])[:, None].astype(np.float32)
    labels = np.stack([one.labels for one in examples]).astype(np.int64)
    weights = [one.weights for one in examples if one.weights is not None]
    return Batch(
        torch.from_numpy(images),
        torch.from_numpy(labels),
        torch.from_numpy(np.stack(weights).astype(np.float32)) if weights else None,
    )


def _turned(plane: npt.NDArray[Kind], way: int) -> npt.NDArray[Kind]:
    turned = np.rot90(plane, way % 4)
    return turned[:, ::-1] if way >= 4 else turned


def cells(entry: Entry, quick: bool, weighting: Weighting) -> Cells:
    """What `--data cells` names, in the size that the network of `entry` takes."""
    drawn, tested = (16, 4) if quick else (256, TESTED)
    return Cells(entry.input_size[1], entry.border, weighting, drawn, tested, preprocessing=entry.preprocessing)


def write_held_out(folder: Path) -> None:
    """The held-out drawings as `segviz train unet-cells` tests on them: 255 where its border leaves no answer."""
    entry = catalogue.entry("unet-cells")
    for number in range(TESTED):
        one = _culture(entry.input_size[1], number, RIBBON, held_out=True)
        instances = held_out.bordered(one.instances, entry.border, 0)
        labels = held_out.bordered((one.instances > 0).astype(np.uint8), entry.border)
        held_out.save(folder, CLASSES, f"cells-{number + 1:02}", one.image, labels, instances)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m segviz.training.cells", description="draw the shipped cells anew")
    parser.add_argument("file", type=Path, help="a PNG file")
    one = culture(SHIPPED, SHIPPED, np.random.default_rng([HELD_OUT, SHIPPED]))
    Image.fromarray(one.image).save(parser.parse_args(arguments).file, optimize=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
