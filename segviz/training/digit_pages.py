"""Digit pages to learn from: real digits scattered over dark pages, with the class of every pixel.

They are made anew for every step, of the training digits; those for testing are of digits never trained on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.entries import Entry
from segviz.training import held_out
from segviz.training.batches import Batch
from segviz.training.datasets import mnist
from segviz.training.pages import Page, page

INK = 64  # grey levels of 255: what is darker is paper
REACH = 2  # pixels of paper around the ink that belong to a digit
SIDE = 128  # pixels
HELD_OUT, QUICK_HELD_OUT = 32, 8  # pages
TESTED_AT_ONCE = 8
SHOWN = 4
BACKGROUND = 0


CLASSES = ("background", *(str(digit) for digit in range(10)))


class DigitPages:
    """Pages of `side` x `side` pixels in 11 classes: background, then the ten digits."""

    classes = CLASSES

    def __init__(self, entry: Entry, quick: bool, side: int = SIDE) -> None:
        self._scaling, self._side = entry.preprocessing, side
        self._count = QUICK_HELD_OUT if quick else HELD_OUT
        self._digits = mnist("train")

    def batch(self, count: int, chance: torch.Generator) -> Batch:
        seeds = torch.randint(2**31, (count,), generator=chance).tolist()
        return self._laid([page(self._side, self._side, self._digits, seed) for seed in seeds])

    def held_out(self) -> Iterator[Batch]:
        pages = self._pages
        for first in range(0, self._count, TESTED_AT_ONCE):
            last = first + TESTED_AT_ONCE
            yield Batch(pages.images[first:last], pages.labels[first:last])

    def samples(self) -> Batch:
        return Batch(self._pages.images[:SHOWN], self._pages.labels[:SHOWN])

    @cached_property
    def _pages(self) -> Batch:
        return self._laid(list(_tested(self._count, self._side)))

    def _laid(self, pages: list[Page]) -> Batch:
        images = torch.from_numpy(np.stack([one.image for one in pages]))[:, None].float()
        labels = torch.stack([truth(one) for one in pages])
        return Batch((images - self._scaling.mean[0]) / self._scaling.std[0], labels)


def _tested(count: int, side: int) -> Iterator[Page]:
    """The held-out pages, of digits that are never learned from."""
    digits = mnist("t10k")
    for seed in range(count):
        yield page(side, side, digits, seed)


def write_held_out(folder: Path) -> None:
    """The held-out pages as recipes for digit pages are tested on them."""
    for number, one in enumerate(_tested(HELD_OUT, SIDE), start=1):
        held_out.save(folder, CLASSES, f"page-{number:02}", one.image, truth(one).numpy())


def truth(written: Page) -> Tensor:
    """The class of every pixel (rows, columns), int64: a digit is its ink and the paper up to two pixels away."""
    ink = torch.from_numpy((written.image >= INK).astype(np.float32))[None, None]
    near = F.max_pool2d(ink, 2 * REACH + 1, 1, REACH)[0, 0] > 0
    labels = torch.full(written.image.shape, BACKGROUND)
    for digit in written.digits:  # their boxes do not overlap
        left, top, right, bottom = digit.box
        labels[top:bottom, left:right] = torch.where(near[top:bottom, left:right], digit.label + 1, BACKGROUND)
    return labels
