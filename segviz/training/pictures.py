"""Sources of small pictures with one label each: digits and clothes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.entries import Entry
from segviz.training.augmentation import Augmentation, between_digits
from segviz.training.batches import Batch, Deck
from segviz.training.datasets import Labelled, fashion, mnist

TESTED_AT_ONCE = 500
QUICK_TEST = 500  # pictures
SHOWN = 24

CLOTHES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


class Pictures:
    """Labelled pictures, dealt in random order and changed a little; every second one also hides behind a neighbour.

    The latter are windows without a digit, which come with each batch where `undecided` is set.
    """

    def __init__(
        self,
        learn: Labelled,
        check: Labelled,
        classes: tuple[str, ...],
        entry: Entry,
        augmentation: Augmentation,
        undecided: bool,
    ) -> None:
        self.classes = classes
        self._images, self._labels = as_tensors(learn, entry)
        self._check = as_tensors(check, entry)
        self._augmentation, self._undecided = augmentation, undecided
        self._deck = Deck(len(learn))

    def batch(self, count: int, chance: torch.Generator) -> Batch:
        dealt = self._deck.deal(count, chance)
        images = self._augmentation(self._images[dealt], chance)
        others = between_digits(self._images[dealt[: count // 2]], chance) if self._undecided else None
        return Batch(images, self._labels[dealt], undecided=others)

    def held_out(self) -> Iterator[Batch]:
        images, labels = self._check
        for first in range(0, len(labels), TESTED_AT_ONCE):
            yield Batch(images[first : first + TESTED_AT_ONCE], labels[first : first + TESTED_AT_ONCE])

    def samples(self) -> Batch:
        images, labels = self._check
        return Batch(images[:SHOWN], labels[:SHOWN])

    def remaining(self) -> Tensor:
        return self._deck.remaining

    def deal_on(self, remaining: Tensor) -> None:
        self._deck.remaining = remaining


def digits(entry: Entry, quick: bool, augmentation: Augmentation | None = None, undecided: bool = False) -> Pictures:
    """The digits of MNIST: 8,000 to learn from, 2,000 to be tested on (500 if `quick`)."""
    names = tuple(str(digit) for digit in range(10))
    change = augmentation or Augmentation()
    return Pictures(mnist("train"), _some(mnist("t10k"), quick), names, entry, change, undecided)


def clothes(entry: Entry, quick: bool, augmentation: Augmentation | None = None) -> Pictures:
    """The clothes of Fashion-MNIST: 10,000 to learn from, 2,000 to be tested on (500 if `quick`)."""
    change = augmentation or Augmentation()
    return Pictures(fashion("train"), _some(fashion("t10k"), quick), CLOTHES, entry, change, undecided=False)


def _some(check: Labelled, quick: bool) -> Labelled:
    return Labelled(check.images[:QUICK_TEST], check.labels[:QUICK_TEST]) if quick else check


def as_tensors(pictures: Labelled, entry: Entry) -> tuple[Tensor, Tensor]:
    """Images (N, 1, H, W), padded with paper to the network's input size and scaled as it wants; labels (N,)."""
    _, height, width = entry.input_size
    images = torch.from_numpy(pictures.images.astype(np.float32))[:, None]  # (N, 1, 28, 28)
    spare_y, spare_x = height - images.shape[2], width - images.shape[3]
    left, top = spare_x // 2, spare_y // 2
    images = F.pad(images, (left, spare_x - left, top, spare_y - top))
    scaling = entry.preprocessing
    return (images - scaling.mean[0]) / scaling.std[0], torch.from_numpy(pictures.labels)
