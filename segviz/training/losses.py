"""The one loss of all recipes: cross-entropy at every pixel that counts, on whole images or patch by patch.

Long, Shelhamer and Darrell 2015, section 3.4: the loss of a whole image is the sum of the losses of its fields,
so that learning from images is learning from all patches at once, and drawing patches is masking the loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core.errors import SegvizError
from segviz.core.metrics import IGNORED
from segviz.training.batches import Batch
from segviz.training.fields import Grid

PATCHES_AT_ONCE = 512


@dataclass(frozen=True, eq=False)
class Target:
    """What the logits are held against: `labels` (N,) or (N, h, w), and what each place counts (same shape)."""

    labels: Tensor
    counts: Tensor

    @property
    def total(self) -> Tensor:
        """The number of places whose loss counts, at least 1: the loss is a mean over them."""
        return (self.counts > 0).sum().clamp(min=1)


def target(
    batch: Batch,
    shape: tuple[int, ...],
    grid: Grid | None = None,
    class_weights: Tensor | None = None,
    kept: float = 1.0,
    chance: torch.Generator | None = None,
) -> Target:
    """The labels of `batch` for logits of `shape`, without channels: (N,) or (N, h, w), and what each counts.

    Without `grid` a smaller answer is that of the middle of the image, as of a U-Net without padding; with it each
    unit takes the label in the middle of its field. What is `IGNORED` counts nothing. A share `kept` of all places,
    drawn from `chance`, counts; `class_weights` (classes,) and the weights of the batch multiply.
    """
    labels = on_grid(batch.labels, shape, grid)
    counts = (labels != IGNORED).float()
    if batch.weights is not None:
        counts = counts * on_grid(batch.weights, shape, grid)
    if class_weights is not None:
        counts = counts * class_weights[labels.clamp(max=len(class_weights) - 1)]
    if kept < 1:
        counts = counts * (torch.rand(labels.shape, generator=chance) < kept)
    return Target(labels, counts)


def on_grid(values: Tensor, shape: tuple[int, ...], grid: Grid | None = None) -> Tensor:
    """`values` (N, H, W), one a pixel, for an answer of `shape` (N, h, w); (N,) is left as it is."""
    if values.dim() == 1 or tuple(values.shape) == shape:
        return values
    rows, columns = shape[1:]
    if grid is not None:
        return values[:, grid.rows(rows)][:, :, grid.columns(columns)]
    top, left = (values.shape[1] - rows) // 2, (values.shape[2] - columns) // 2
    if top < 0 or left < 0:
        raise SegvizError(
            f"the network answers for {rows} x {columns} pixels of an image that has {values.shape[1]} x "
            f"{values.shape[2]}: give images of a size that it takes"
        )
    return values[:, top : top + rows, left : left + columns]


def cross_entropy(logits: Tensor, wanted: Target) -> Tensor:
    """The mean of the loss over all places that count: logits (N, classes) or (N, classes, h, w)."""
    each = F.cross_entropy(logits, wanted.labels, ignore_index=IGNORED, reduction="none")
    return (each * wanted.counts).sum() / wanted.total


def gradient_norm(logits: Tensor, wanted: Target) -> Tensor:
    """How long the gradient of the loss with respect to the logits of each place is, but for the common 1 / total.

    That of softmax and cross-entropy is the probabilities p less one at the label y: (N, classes, ...) to (N, ...).
    Its square is |p|^2 - 2 p_y + 1, for which no truth of all classes is laid out.
    """
    labels = wanted.labels.clamp(max=logits.shape[1] - 1)  # what is ignored counts nothing
    probabilities = logits.softmax(1)
    right = probabilities.gather(1, labels[:, None])[:, 0]
    square = (probabilities.square_().sum(1) - right.square()).clamp(min=0) + (1 - right).square()
    return square.sqrt() * wanted.counts


def to_uniform(logits: Tensor) -> Tensor:
    """Cross-entropy between equal probabilities and logits (N, classes)."""
    return F.cross_entropy(logits, torch.full_like(logits, 1 / logits.shape[1]))


def by_patches(
    network: nn.Module, images: Tensor, wanted: Target, grid: Grid
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The same loss, cut into parts that sum to it: of so many patches at once as memory has room for.

    `images` (N, C, H, W) are cut where units of the answer sit; a unit that counts nothing needs no patch. With
    each part come the logits (P, classes) and labels (P,) of its patches.
    """
    step_y, step_x = int(grid.y.stride), int(grid.x.stride)
    patches = images.unfold(2, grid.height, step_y).unfold(3, grid.width, step_x)  # (N, C, h, w, height, width)
    places = wanted.counts.nonzero()  # (P, 3)
    for some in torch.split(places, PATCHES_AT_ONCE):
        image, row, column = some.unbind(1)
        logits = network(patches[image, :, row, column]).flatten(1)  # (P, classes)
        labels = wanted.labels[image, row, column]
        each = F.cross_entropy(logits, labels, reduction="none")
        yield (each * wanted.counts[image, row, column]).sum() / wanted.total, logits, labels
