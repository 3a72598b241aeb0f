"""Row 10: drawing on an image: what a small edit reaches is computed again, and nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.measure import Found, Measure, Plan, Side, at_least, at_most, interleaved
from benchmarks.subjects import Walk, network, noise
from segviz.core.regions import Region
from segviz.core.steps import Interval
from segviz.engine.cached import Cached
from segviz.engine.flow import finished

NAME = "lenet5"
FULL, QUICK = (1024, 1024), (128, 128)
EDIT = 16  # pixels
REDRAWN, AGAIN = "redrawn", "computed again"


def redrawn(plan: Plan) -> Found:
    """Row 10."""
    subject = network(NAME)
    image = noise(1, plan.size(FULL, QUICK)).abs()
    traced, weights = subject.traced(image), subject.weights()
    kept = Cached(traced, weights, image)
    finished(kept.fill())
    place = _place(image)
    edited = [image, _edited(image, place)]
    turns = 0

    def draw() -> None:  # to and fro, so that every run changes something
        nonlocal turns
        turns += 1
        finished(kept.update(edited[turns % 2], place))

    sides = [Side(REDRAWN, draw, calls=10), Side(AGAIN, Walk(traced, weights, image))]
    found = Found(f"LeNet-5 on {image.shape[2]}x{image.shape[3]}, {EDIT}x{EDIT} pixels changed in its middle")
    times = found.took(interleaved(sides, plan.rounds(11), plan.clock))
    finished(kept.update(edited[1], place))
    anew = Cached(traced, weights, edited[1])
    finished(anew.fill())
    found.measures = [
        Measure("computed again / redrawn", times.ratio(AGAIN, REDRAWN), target=at_least(100)),
        Measure("largest difference from computing again", (_difference(kept.logits, anew.logits),), "", at_most(0)),
    ]
    return found


def _place(image: Tensor) -> Region:
    top, left = (int(side) // 2 for side in image.shape[2:])
    return Region(Interval(top, top + EDIT - 1), Interval(left, left + EDIT - 1))


def _edited(image: Tensor, place: Region) -> Tensor:
    """A copy with other pixels at `place`."""
    other = image.clone(memory_format=torch.preserve_format)
    part = other[:, :, place.y.lo : place.y.hi + 1, place.x.lo : place.x.hi + 1]
    part.copy_(1 - part)
    return other


def _difference(found: Tensor, truth: Tensor) -> float:
    return float((found - truth).abs().max())
