"""What a network is worth on data that it has never learned from, and what it says of a few samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from segviz.core import metrics
from segviz.core.choices import RecipeName
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError
from segviz.core.instances import Instances, InstanceScore, score
from segviz.core.learning import TrainingResult, TrainingSamples, TrainRequest
from segviz.training.batches import WHOLE, Tile
from segviz.training.losses import Target, gradient_norm
from segviz.training.recipes import Recipe

Piece = tuple[
    Instances, npt.NDArray[np.bool_]
]  # of a tile: true instances, and which pixels are named one of any class


@dataclass(frozen=True, slots=True)
class Test:
    """The scores of a test after `step`; `mean_iou` is None for a classifier."""

    step: int
    accuracy: float
    mean_iou: float | None


class Tally:
    """Tables of counts of held-out data, added up batch by batch: one for each output of the network.

    `tested` are images. `objects` are scored on whole ones, since an instance that a tile cuts is none.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.classes = classes
        self.tables: list[metrics.Confusion] = []
        self.objects: InstanceScore | None = None
        self.tested = 0
        self.per_pixel = False
        self._pieces: list[Piece] = []  # of the image that is not complete yet

    def add(
        self,
        outputs: tuple[Tensor, ...],
        labels: Tensor,
        instances: Tensor | None = None,
        tiles: tuple[Tile, ...] = (),
    ) -> None:
        """Count what the logits of each output, (N, classes) or (N, classes, h, w), say of the true `labels`.

        With the `instances` (N, h, w) of the truth the finest output is scored object by object, too: where a pixel
        counts. `tiles` tell of which part of an image each of the N is, () that they are whole images.
        """
        known = labels != metrics.IGNORED
        truth = torch.where(known, labels, -1).reshape(len(labels), -1).numpy()
        found = [logits.argmax(1) for logits in outputs]
        tables = [metrics.counted(truth, one.reshape(truth.shape).numpy(), self.classes) for one in found]
        both = zip(self.tables, tables, strict=True)
        self.tables = [metrics.added(one, other) for one, other in both] if self.tables else tables
        self.per_pixel = labels.dim() == 3
        if instances is not None:
            self._pieces += zip(
                torch.where(known, instances, 0).numpy(), (known & (found[-1] != 0)).numpy(), strict=True
            )
        whole = [tile for tile in tiles or (WHOLE,) * len(labels) if tile.last]
        self.tested += len(whole)
        for last in whole if instances is not None else ():
            self._score(last)

    def _score(self, last: Tile) -> None:
        """The objects of the image whose last tile has come."""
        count = last.rows * last.columns
        pieces, self._pieces = self._pieces[:count], self._pieces[count:]
        rows = [pieces[first : first + last.columns] for first in range(0, count, last.columns)]
        truth, marked = (np.block([[piece[part] for piece in row] for row in rows]) for part in (0, 1))
        scored = score(truth, marked)
        self.objects = scored if self.objects is None else self.objects + scored

    def scores(self) -> tuple[metrics.Scores, ...]:
        """Those of each output, the coarsest first. Raises SegvizError where nothing was held out."""
        if not self.tables:
            raise SegvizError("the data hold nothing out to be tested on: give more of it")
        return tuple(table.scores for table in self.tables)

    def test(self, step: int) -> Test:
        finest = self.scores()[-1]
        return Test(step, finest.pixel_accuracy, finest.mean_iou if self.per_pixel else None)


def outputs_of(network: nn.Module, images: Tensor, ladder: bool) -> tuple[Tensor, ...]:
    """The logits of a network, or those of each of its depths."""
    if not ladder:
        return (network(images),)
    several: tuple[Tensor, ...] = network.ladder(images)  # type: ignore[operator]
    return several


def result_of(
    request: TrainRequest, plan: Recipe, steps: int, entry: Entry, network: nn.Module, tally: Tally, seconds: float
) -> TrainingResult:
    """What came out of so many steps, in words and numbers, with the scores of the finest output."""
    scores = tally.scores()
    finest = scores[-1]
    found = {one.index: one.iou if tally.per_pixel else one.accuracy for one in finest.per_class}
    return TrainingResult(
        request=request,
        title=RecipeName(request.recipe).title,
        out=request.out,
        steps=steps,
        seconds=seconds,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        tested=tally.tested,
        accuracy=finest.pixel_accuracy,
        mean_accuracy=finest.mean_accuracy if tally.per_pixel else None,
        mean_iou=finest.mean_iou if tally.per_pixel else None,
        frequency_weighted_iou=finest.frequency_weighted_iou if tally.per_pixel else None,
        objects=tally.objects.f_score if tally.objects is not None else None,
        separated=tally.objects.separated if tally.objects is not None else None,
        ladder=tuple(one.mean_iou for one in scores) if plan.ladder else (),
        per_class=tuple((name, found.get(index)) for index, name in enumerate(tally.classes)),
        network=entry.name,
        notes=(f"{entry.title}: open the file with --model FILE?arch={entry.name}",) if plan.ladder else (),
    )


def samples_of(
    step: int, classes: tuple[str, ...], images: Tensor, wanted: Target, logits: Tensor, entry: Entry
) -> TrainingSamples:
    """The samples as pictures, with their truth, what the network says of them and where the loss pulls."""
    scaling = entry.preprocessing
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (scaling.mean, scaling.std))
    pixels = (images * std + mean).round().clamp(0, 255).byte().permute(0, 2, 3, 1)  # (N, H, W, C)
    if pixels.shape[3] == 1:
        pixels = pixels.expand(-1, -1, -1, 3)
    elif scaling.channels == "BGR":
        pixels = pixels.flip(3)
    per_pixel = logits.dim() == 4
    return TrainingSamples(
        step=step,
        classes=classes,
        images=np.ascontiguousarray(pixels.numpy()),
        truth=wanted.labels.numpy().astype(np.uint8),
        labels=logits.argmax(1).numpy().astype(np.uint8),
        weights=wanted.counts.numpy() if per_pixel else None,
        gradient=gradient_norm(logits, wanted).numpy() if per_pixel else None,
    )
