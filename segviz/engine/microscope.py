"""The equality microscope: what zero padding does to a window, shown by leaving it out (lecture T19).

A padded classifier differs on a window from its fully convolutional form on the image, since the
window's border sees zeros. Inside the image the form sees none: there a unit is the same weights
without any padding on its full receptive field, which is larger than the window. Some such units are
computed from their field alone, all other pixels being no numbers: had a zero or a pixel from
outside been used, the answer would be none either.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from segviz.core.field import Box, Status
from segviz.core.races import FieldCheck
from segviz.core.regions import Region
from segviz.core.requests import Progress
from segviz.core.scores import softmax
from segviz.core.steps import Interval
from segviz.engine.flow import NetworkWeights, followed, run
from segviz.engine.graph import Trace

SAMPLE = 4  # units that are computed
TRIES = 400  # units that are looked at for these


def without_padding(
    traced: Trace, weights: NetworkWeights, image: Tensor, logits: npt.NDArray[np.float32], skip: int
) -> Generator[Progress, None, FieldCheck]:
    """Compare dense logits (classes, rows, columns), of every `skip`-th unit, with the same weights on full fields.

    Where no unit's field lies inside the image (1, C, H, W) the sample is 0, the size that of the largest field.
    """
    largest, count, size = 0.0, 0, (0, 0)
    for row, column, box in _inside(traced, logits.shape[1], logits.shape[2], skip):
        alone = _alone(image, box)
        unit = Region(Interval(row, row), Interval(column, column))
        done = yield from followed(run(traced, weights, alone, region=unit), lambda _: Progress(0, 0))
        there = softmax(done.output.reshape(-1, 1).float().cpu().numpy())
        whole = softmax(np.ascontiguousarray(logits[:, row // skip, column // skip])[:, None])
        largest = float(np.maximum(largest, np.abs(there - whole).max()))  # of numbers with one that is none: none
        count, size = count + 1, (int(box.height), int(box.width))
    if count:
        return FieldCheck(size, count, largest)
    middle = traced.geometry.field("last", logits.shape[1] // 2 * skip, logits.shape[2] // 2 * skip).box
    return FieldCheck((int(middle.height), int(middle.width)), 0, float("nan"))


def _inside(traced: Trace, rows: int, columns: int, skip: int) -> Iterator[tuple[int, int, Box]]:
    """Some units, drawn by chance and always the same, whose exact field lies inside the image."""
    geometry, chance = traced.geometry, np.random.default_rng(0)
    found: set[tuple[int, int]] = set()
    for _ in range(TRIES):
        row, column = int(chance.integers(rows)) * skip, int(chance.integers(columns)) * skip
        field = geometry.field("last", row, column)
        inside = field.status is Status.EXACT and field.box.outside(geometry.width, geometry.height) == 0
        if inside and (row, column) not in found:
            found.add((row, column))
            yield row, column, field.box
        if len(found) == SAMPLE:
            return


def _alone(image: Tensor, box: Box) -> Tensor:
    """The image with the pixels of `box` alone; all others are not a number."""
    alone = torch.full_like(image, torch.nan)
    rows, columns = slice(int(box.top), int(box.bottom)), slice(int(box.left), int(box.right))
    alone[:, :, rows, columns] = image[:, :, rows, columns]
    return alone
