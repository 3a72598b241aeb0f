"""What a training step eats, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """Images and what they show, as the network wants them.

    `images` (N, C, H, W) are preprocessed. `labels` are int64, (N,) for a classifier, (N, H, W) for a
    segmentation network, `metrics.IGNORED` where nothing counts. `weights` (N, H, W) multiply the loss of
    each pixel; None: all alike.
    """

    images: Tensor
    labels: Tensor
    weights: Tensor | None = None


class Source(Protocol):
    """Data to learn from, and other data of the same kind to be tested on."""

    classes: tuple[str, ...]

    def batch(self, count: int, chance: torch.Generator) -> Batch:
        """`count` images to learn from; all that is random comes from `chance`."""

    def held_out(self) -> Iterator[Batch]:
        """All that is never trained on, always the same, in batches."""

    def samples(self) -> Batch:
        """A few of the held-out images, whose answers are shown while the network learns."""
