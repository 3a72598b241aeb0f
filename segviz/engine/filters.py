"""The weights behind a layer's maps, as the traced graph applies them (lecture T04, T07, T17).

The graph knows what computes a layer, so that convolutions written as functions, dense layers that have become
convolutions and weights made of other weights are alike to it. Only what is looked at is copied: VGG16's first
dense layer is 411 MB, one of its filters 100 kB.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor

from segviz.core.errors import SegvizError
from segviz.core.filters import Filter, FilterKind, FilterRequest
from segviz.engine.flow import NetworkWeights
from segviz.engine.graph import Trace
from segviz.engine.kernels import Convolution, Deconvolution, Pad, Point, Same
from segviz.engine.recorder import Call, Operation
from segviz.engine.store import Loaded

MOST_SLICED = 2**18  # weights of one filter that are sent
MOST_PICTURED = 2**20  # weights of all filters of a layer that are sent where each is a picture
COLOURS = 3  # planes of a filter that reads the image


@dataclass(frozen=True, eq=False)
class Refused:
    """Why a layer has no filters, and the layer whose filters made its input."""

    reason: str
    maker: str = ""


@dataclass(frozen=True, eq=False)
class Applied:
    """Weights as (outputs, inputs / groups, rows, columns), or with the first two swapped if `transposed`."""

    kind: FilterKind
    weight: Tensor
    bias: Tensor | None
    groups: int
    stride: tuple[int, int]
    dilation: tuple[int, int]

    @property
    def channels(self) -> int:
        shape = self.weight.shape
        return int(shape[1]) * self.groups if self.kind is FilterKind.TRANSPOSED else int(shape[0])

    @property
    def inputs(self) -> int:
        """Maps that one filter reads."""
        shape = self.weight.shape
        return int(shape[0]) // self.groups if self.kind is FilterKind.TRANSPOSED else int(shape[1])

    def first(self, channel: int) -> int:
        """The first map that the filter of `channel` reads."""
        return channel // (self.channels // self.groups) * self.inputs

    def slices(self, channel: int) -> Tensor:
        """The filter of `channel` (inputs, rows, columns); a view."""
        if self.kind is not FilterKind.TRANSPOSED:
            return self.weight[channel]
        start = self.first(channel)
        return self.weight[start : start + self.inputs, channel % (self.channels // self.groups)]

    def all_of_them(self) -> Tensor:
        """Every filter (channels, inputs, rows, columns); a view where it can be."""
        if self.kind is not FilterKind.TRANSPOSED:
            return self.weight
        rows, columns = self.weight.shape[2:]
        grouped = self.weight.view(self.groups, self.inputs, -1, rows, columns)
        return grouped.transpose(1, 2).reshape(self.channels, self.inputs, rows, columns)


def filter_of(request: FilterRequest, loaded: Loaded) -> Filter | Refused:
    """The filter of one map of a layer. Raises SegvizError where there is no such layer."""
    traced = loaded.traced(loaded.convertible, loaded.entry.input_size)
    colours = loaded.entry.preprocessing.channels
    return filter_in(traced, loaded.weights, request.layer, request.channel, colours)


def filter_in(traced: Trace, weights: NetworkWeights, layer: str, channel: int, colours: str = "") -> Filter | Refused:
    """The same in a trace; `colours` is the order of the image's planes (`Preprocessing.channels`)."""
    call = traced.call(layer)
    node = _filters_behind(traced, int(call.output or 0))
    inside = "" if call.leaf else _last_inside(call, traced)
    if node is None and not inside:
        return Refused(f"{call.name} has no filters, and no layer with filters comes before it")
    operation = traced.operations[node or 0]
    if node is None or (node != call.output and operation.layer != call.name):
        return Refused(_without(call, traced, inside), inside or operation.layer)
    applied = _applied(operation, weights.of(traced))
    if applied is None:
        raise SegvizError(f"the weights of {call.name} are not laid out as filters")
    return _sent(applied, min(channel, applied.channels - 1), colours if _reads_the_image(traced, node) else "")


def _filters_behind(traced: Trace, node: int) -> int | None:
    """The newest operation with filters on the way back from `node`, along first inputs; None where there is none."""
    while node and not _has_filters(traced.operations[node]):
        sources = traced.operations[node].sources
        node = sources[0] if sources else 0
    return node or None


def _has_filters(operation: Operation) -> bool:
    kernel = operation.kernel
    return isinstance(kernel, Convolution | Deconvolution) or (isinstance(kernel, Point) and operation.name == "linear")


def _last_inside(block: Call, traced: Trace) -> str:
    """The last layer inside a block that has filters; '' where none has."""
    before = traced.operations[: int(block.output or 0) + 1]
    inside = (operation.layer for operation in reversed(before) if _has_filters(operation))
    return next((layer for layer in inside if layer.startswith(f"{block.name}.")), "")


def _without(call: Call, traced: Trace, inside: str) -> str:
    """That a layer has no filters, and what it is; `inside` is the last layer of a block that has some."""
    if not call.leaf:
        count = sum(other.leaf and other.name.startswith(f"{call.name}.") for other in traced.calls)
        if not inside:
            return f"{call.name} is a block of {count} layers, none of which has filters"
        return f"{call.name} is a block of {count} layers and ends in none with filters: choose a layer inside it"
    kind = type(call.module).__name__
    own = sum(parameter.numel() for parameter in call.module.parameters())
    if own:
        return f"{call.name} has no filters: {kind} has {own:,} weights, none of which reads a window of a map"
    return f"{call.name} has no weights: {kind} computes without any"


def _applied(operation: Operation, weights: NetworkWeights) -> Applied | None:
    kernel: Any = operation.kernel
    if isinstance(kernel, Point):  # a dense layer on a vector
        weight, bias = (weights[part] for part in (*kernel.args, None)[1:3])
        if not isinstance(weight, Tensor) or weight.dim() != 2:
            return None
        return Applied(FilterKind.DENSE, weight[..., None, None], bias, 1, (1, 1), (1, 1))
    weight, bias = weights[kernel.weight], None if kernel.bias is None else weights[kernel.bias]
    steps = (kernel.y, kernel.x)
    stride, dilation = ((steps[0].stride, steps[1].stride), (steps[0].dilation, steps[1].dilation))
    if isinstance(kernel, Deconvolution):
        return Applied(FilterKind.TRANSPOSED, weight, bias, kernel.groups, stride, dilation)
    if weight.dim() != 4:
        weight = weight.view(weight.shape[0], -1, *kernel.kernel)
        return Applied(FilterKind.DENSE, weight, bias, kernel.groups, stride, dilation)
    return Applied(FilterKind.CONVOLUTION, weight, bias, kernel.groups, stride, dilation)


def _reads_the_image(traced: Trace, node: int) -> bool:
    """Whether an operation reads the image itself, padded or scaled at most."""
    below = traced.operations[node].sources
    while below and below[0]:
        operation = traced.operations[below[0]]
        if len(operation.sources) != 1 or not isinstance(operation.kernel, Pad | Point | Same):
            return False
        if _has_filters(operation):
            return False
        below = operation.sources
    return bool(below)


def _sent(applied: Applied, channel: int, colours: str) -> Filter:
    slices = applied.slices(channel)
    most = max(1, MOST_SLICED // max(1, int(slices[0].numel())))
    planes = 1 if applied.inputs == 1 else COLOURS
    pictured = applied.inputs == 1 or (applied.inputs == COLOURS and colours in ("RGB", "BGR"))
    pictures = None
    if pictured and applied.weight.numel() <= MOST_PICTURED:
        pictures = _array(applied.all_of_them())[:, :planes]
        if colours == "BGR" and planes == COLOURS:
            pictures = np.ascontiguousarray(pictures[:, ::-1])
    return Filter(
        kind=applied.kind,
        channels=applied.channels,
        channel=channel,
        inputs=applied.inputs,
        first=applied.first(channel),
        groups=applied.groups,
        stride=applied.stride,
        dilation=applied.dilation,
        bias=None if applied.bias is None else float(applied.bias[channel]),
        reach=_reach(applied.weight),
        slices=_array(slices[:most]),
        pictures=pictures,
    )


def _reach(weight: Tensor) -> float:
    low, high = (float(end) for end in torch.aminmax(weight))
    if isfinite(low) and isfinite(high):
        return max(-low, high)
    return float(torch.nan_to_num(weight, 0.0, 0.0, 0.0).abs().max())


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().cpu().contiguous().numpy().copy()
