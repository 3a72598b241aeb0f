"""From one unit back to the pixels of its field: by gradient, by deconvnet, by guided backpropagation.

A trace is walked forwards over the regions that the unit needs (`core/regions`), each operation with a small graph of
its own, and backwards from one operation to the one before. So it costs about the field and not the image, padding
stays where the map really ends, and both ways can be closed between any two operations. The network's modules take
no part: there are no hooks and no gradients on them to be taken off again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from segviz.core.choices import BackRule
from segviz.core.errors import SegvizError
from segviz.core.regions import Region, needed
from segviz.core.requests import Progress
from segviz.core.steps import Interval
from segviz.engine import devices
from segviz.engine.flow import NetworkWeights
from segviz.engine.graph import Trace
from segviz.engine.kernels import Point, Whole
from segviz.engine.patches import Kernel, Patch, Weight, as_maps

FLOAT = 4  # bytes
HELD = 2.5  # of the maps' bytes, what is held at once: values, what a graph keeps of them, gradients

aten = torch.ops.aten


@dataclass(frozen=True, eq=False)
class Projection:
    """What came back to the pixels of `region` of the image: `values` (C, H, W), from a unit of that `value`.

    `rectified` says whether a ReLU lay on the way: only there do the rules differ.
    """

    values: Tensor
    region: Region
    channel: int
    value: float
    rectified: bool


@dataclass(frozen=True, eq=False)
class _Done:
    """An operation that was computed: its result with the graph of this one operation, and the inputs to it."""

    made: Tensor
    inputs: Mapping[int, Tensor]


def projected(
    traced: Trace,
    weights: NetworkWeights,
    image: Tensor,
    target: int,
    unit: tuple[int | None, int, int],
    rule: BackRule = BackRule.GRADIENT,
    what: str = "the gradient of a unit",
) -> Generator[Progress, None, Projection]:
    """The way back from the unit (channel, row, column) of node `target` on `image` (1, C, H, W).

    A channel of None is the one with the largest value. The unit's own gradient is 1, whatever its value. Raises
    SegvizError where there is no such unit, or no memory for its field.
    """
    channel, row, column = unit
    needs = needed(traced.geometry, {target: Region(Interval(row, row), Interval(column, column))})
    if 0 not in needs:
        raise SegvizError("the layer does not depend on the image: its units see nothing")
    traced.check(image)
    _check_memory(traced, needs, what)
    pixels = _plain(Patch(image, _whole(image)).cut(needs[0]).clone(memory_format=torch.preserve_format))
    walk = _Walk(traced, _Gradable(weights.of(traced)), rule, needs, {0: pixels.requires_grad_()})
    steps = 2 * (len(needs) - 1)
    for done in walk.forwards():
        yield Progress(done, steps, "operations")
    made = walk.maps[target].detach()
    maps = as_maps(made, traced.axes[target], (1, 1)).flatten()
    channel = int(maps.argmax()) if channel is None else channel
    if channel >= maps.numel():
        raise SegvizError(f"map {channel} is not one of the layer's {maps.numel()}: they are 0 to {maps.numel() - 1}")
    value = float(maps[channel])
    start = torch.zeros_like(made, memory_format=torch.contiguous_format)
    as_maps(start, traced.axes[target], (1, 1))[channel] = 1  # of one unit it is a view
    for done in walk.backwards(target, start):
        yield Progress(steps // 2 + done, steps, "operations")
    return Projection(walk.found, needs[0], channel, value, walk.rectified)


def _check_memory(traced: Trace, needs: Mapping[int, Region], what: str) -> None:
    elements = 0.0
    for index, region in needs.items():
        node, (rows, columns) = traced.geometry.nodes[index], region.shape
        elements += traced.operations[index].elements * rows * columns / (node.height * node.width)
    devices.check_memory(int(FLOAT * HELD * elements), what)


def _whole(image: Tensor) -> Region:
    return Region(*(Interval(0, int(side) - 1) for side in image.shape[2:]))


class _Walk:
    """One walk, there and back. `maps` are those of each node that others need, as leaves of graphs."""

    def __init__(
        self,
        traced: Trace,
        weights: _Gradable,
        rule: BackRule,
        needs: Mapping[int, Region],
        maps: dict[int, Tensor],
    ) -> None:
        self.traced, self.weights, self.rule, self.needs, self.maps = traced, weights, rule, needs, maps
        self.order = sorted(index for index in needs if index)
        self.done: dict[int, _Done] = {}
        self.rectified = False
        self.found = torch.zeros_like(maps[0])[0]

    def forwards(self) -> Generator[int, None, None]:
        for count, index in enumerate(self.order, start=1):
            operation, axes = self.traced.operations[index], self.traced.axes
            kernel = self._by_rule(operation.kernel)
            patches = [Patch(self.maps[at], self.needs[at], axes[at]) for at in operation.sources]
            with torch.inference_mode(False), torch.enable_grad():  # not around the yield
                made = kernel.run(patches, self.needs[index], self.weights)
                self.done[index] = _Done(made, {at: self.maps[at] for at in operation.sources})
                self.maps[index] = made.detach().requires_grad_(made.requires_grad)
            yield count

    def _by_rule(self, kernel: Kernel) -> Kernel:
        """The same operation, with the way back that the rule gives a ReLU."""
        if not isinstance(kernel, Point | Whole) or not _is_rectifier(kernel):
            return kernel
        self.rectified = True
        way = _WAYS[self.rule]
        return kernel if way is None else replace(kernel, func=way(kernel.func))

    def backwards(self, target: int, start: Tensor) -> Generator[int, None, None]:
        """From the gradient of `target`'s values to `found`, that of the pixels (C, H, W)."""
        gradients = {target: start}
        for count, index in enumerate(reversed(self.order), start=1):
            done, gradient = self.done.pop(index), gradients.pop(index, None)
            if gradient is not None and done.made.requires_grad:
                self._one(done, gradient, gradients)
            yield count
        if 0 in gradients:
            self.found = gradients[0][0]

    def _one(self, done: _Done, gradient: Tensor, gradients: dict[int, Tensor]) -> None:
        inputs = {at: maps for at, maps in done.inputs.items() if maps.requires_grad}
        with torch.inference_mode(False):
            parts = torch.autograd.grad(done.made, list(inputs.values()), gradient, allow_unused=True)
            for at, part in zip(inputs, parts, strict=True):
                if part is not None:
                    gradients[at] = gradients[at] + part if at in gradients else part


# ------------------------------------------------------------------------------------- the rules


RECTIFIERS = {aten.relu.default, aten.relu6.default}
CLIPPING = {aten.hardtanh.default, aten.clamp.default, aten.clamp_min.default}  # ReLUs where they clip at zero


def _is_rectifier(kernel: Point | Whole) -> bool:
    """Whether an operation is a ReLU, one with a ceiling (ReLU6) included."""
    if kernel.func in CLIPPING:
        lowest = kernel.args[1] if len(kernel.args) > 1 else kernel.kwargs.get("min", kernel.kwargs.get("min_val"))
        return isinstance(lowest, int | float) and lowest == 0
    return kernel.func in RECTIFIERS


class _PositiveBack(torch.autograd.Function):
    """`made` forwards; backwards what is positive goes to `maps`, as it is."""

    @staticmethod
    def forward(context: Any, maps: Tensor, made: Tensor) -> Tensor:
        return made.clone(memory_format=torch.preserve_format)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.clamp(min=0), None


def _deconvnet(func: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Zeiler and Fergus 2014, section 2.1: the ReLU once more on the way back, whatever it did on the way there."""

    def run(maps: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        made: Tensor = _PositiveBack.apply(maps, func(maps.detach(), *args, **kwargs))
        return made

    return run


def _guided(func: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Springenberg et al. 2015, section 3.4: what both the derivative and the deconvnet let through."""

    def run(maps: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        rectified = func(maps, *args, **kwargs)
        made: Tensor = _PositiveBack.apply(rectified, rectified.detach())
        return made

    return run


_WAYS: dict[BackRule, Callable[[Callable[..., Tensor]], Callable[..., Tensor]] | None] = {
    BackRule.GRADIENT: None,
    BackRule.DECONVNET: _deconvnet,
    BackRule.GUIDED: _guided,
}


# ----------------------------------------------------------------------------------- weights


def _plain(tensor: Tensor) -> Tensor:
    """The same, of which gradients can be taken: what was made in inference mode is copied out of it."""
    if not tensor.is_inference():
        return tensor
    with torch.inference_mode(False):
        return tensor.clone(memory_format=torch.preserve_format)


class _Gradable:
    """The weights of a network for gradients with respect to maps: none that was laid out in inference mode."""

    fast = False

    def __init__(self, weights: NetworkWeights) -> None:
        self._weights = weights

    def __getitem__(self, weight: Any) -> Any:
        found = self._weights[weight] if isinstance(weight, Weight) else weight
        return _plain(found) if isinstance(found, Tensor) else found

    def prepared(self, key: Any, make: Callable[[], Tensor]) -> Tensor:
        return make()
