"""Row 9: the effective field of a deep unit, through the crop of its receptive field and through the whole image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.measure import Found, Measure, Plan, Side, at_least, at_most, interleaved
from benchmarks.subjects import network, noise, relative
from segviz.engine.back import Projection, projected
from segviz.engine.flow import NetworkWeights, finished
from segviz.engine.graph import Trace

NAME, LAYER = "vgg16", "features.28"  # conv5_3, the last convolution of the trunk
CHANNEL = 0
FULL, QUICK = (1000, 2000), (256, 320)
FIELD, WHOLE = "field", "whole image"


@dataclass(frozen=True, eq=False)
class Field:
    """The gradient of one unit, over its field alone."""

    traced: Trace
    weights: NetworkWeights
    image: Tensor
    target: int
    unit: tuple[int, int, int]

    def __call__(self) -> Projection:
        return finished(projected(self.traced, self.weights, self.image, self.target, self.unit))


@dataclass(frozen=True, eq=False)
class Whole:
    """The same as torch computes it: the trunk up to that layer on the whole image, and back."""

    trunk: nn.Module
    image: Tensor
    unit: tuple[int, int, int]

    def __call__(self) -> Tensor:
        pixels = self.image.detach().requires_grad_()
        return torch.autograd.grad(self.trunk(pixels)[0][self.unit], pixels)[0][0]


def effective_field(plan: Plan) -> Found:
    """Row 9."""
    subject = network(NAME)
    image = noise(3, plan.size(FULL, QUICK))
    traced = subject.traced(image)
    rows, columns = traced.geometry.grid(LAYER)
    unit = (CHANNEL, rows // 2, columns // 2)
    target = traced.geometry.index(LAYER)
    trunk = subject.network.get_submodule("features")
    assert isinstance(trunk, nn.Sequential)
    whole = Whole(trunk[: int(LAYER.rpartition(".")[2]) + 1], image, unit)
    field = Field(traced, subject.weights(), image, target, unit)
    seen = field().region
    found = Found(
        f"VGG16, random weights, unit {unit[1]},{unit[2]} of conv5_3 on {image.shape[2]}x{image.shape[3]}: a field of "
        f"{seen.shape[0]}x{seen.shape[1]}; whole: torch's autograd, gradients of pixels alone"
    )
    sides = [Side(FIELD, field, calls=3), Side(WHOLE, whole)]
    times = found.took(interleaved(sides, plan.rounds(3), plan.clock))
    found.measures = [
        Measure("whole image / field", times.ratio(WHOLE, FIELD), target=at_least(50)),
        Measure("largest difference, relative", (_difference(field(), whole()),), "", at_most(1e-5)),
    ]
    return found


def _difference(found: Projection, truth: Tensor) -> float:
    """Where the field is, and where it is not there is nothing."""
    y, x = found.region
    there = torch.zeros_like(truth)
    there[:, y.lo : y.hi + 1, x.lo : x.hi + 1] = found.values
    return relative(there, truth)
