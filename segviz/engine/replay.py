"""A traced network as a module of its own that takes images of any size, for programs that leave segviz.

A trace belongs to one input size. What its operations have in common on several sizes is a `Form`:
whole maps in, whole maps out, numbers that are the same on every size, and sides of maps where they
are not (`agreed`). An operation that has no such form depends on the image size in another way
(TensorFlow's SAME padding), and is named.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError
from segviz.engine import kernels
from segviz.engine.flow import NetworkWeights
from segviz.engine.forms import FORMS, Form, Pads, Pair
from segviz.engine.graph import Trace
from segviz.engine.patches import Source, Weight

LARGEST_FACTOR = 16  # by which an interpolation may enlarge its maps


class SizeError(SegvizError):
    """An operation that is another one on another image size."""


@dataclass(frozen=True, slots=True)
class Side:
    """A number that is `times` the rows (axis 0) or columns (axis 1) of a node's map."""

    node: int
    axis: int
    times: int = 1


@dataclass(frozen=True, eq=False)
class Step:
    """One operation of a module: node `index` from the nodes `sources`."""

    index: int
    sources: tuple[int, ...]
    form: Form
    axes: Pair  # of the rows and columns of what it makes


# -------------------------------------------------------------------------- from traces to one module


def agreed(traces: Sequence[Trace], weights: NetworkWeights) -> tuple[Step, ...]:
    """The operations on the way to the logits, as they are on every one of the sizes that were traced.

    Raises SizeError that names the first layer which is another one on another size.
    """
    return tuple(_Agreement(traces, weights).steps())


class _Agreement:
    def __init__(self, traces: Sequence[Trace], weights: NetworkWeights) -> None:
        self.traces = traces
        self.made = [_made(traced, weights) for traced in traces]
        self.wanted = _needed(traces[0])

    def steps(self) -> Iterator[Step]:
        first = self.traces[0]
        for index in range(1, max(len(traced.operations) for traced in self.traces)):
            if index > first.output and all(traced.output == first.output for traced in self.traces):
                return
            if not self._aligned(index):
                raise self._refused(index, "it computes in other steps")
            if index in self.wanted:
                yield Step(index, first.operations[index].sources, self._form(index), first.axes[index])

    def _aligned(self, index: int) -> bool:
        """Whether all traces have the same operation here, on the same inputs."""
        if any(index >= len(traced.operations) for traced in self.traces):
            return False
        here = [traced.operations[index] for traced in self.traces]
        return len({(op.name, op.sources, op.layer) for op in here}) == 1

    def _form(self, index: int) -> Form:
        try:
            forms = [_form_of(traced, index) for traced in self.traces]
            first = forms[0]
            if any(form.func is not first.func or form.output != first.output for form in forms):
                raise ValueError("it computes in another way")
            sides = functools.partial(self._side, index) if first.sized else _no_side
            args, kwargs = self._joined([(form.args, dict(form.kwargs)) for form in forms], sides)
        except ValueError as error:
            raise self._refused(index, str(error)) from error
        return Form(first.func, args, kwargs, first.output)

    def _joined(self, values: Sequence[Any], side: Callable[[Sequence[int]], Side]) -> Any:
        """What is the same in all `values`, with sides of maps in place of numbers that differ."""
        first = values[0]
        if isinstance(first, Weight) and isinstance(first.key, int):
            values = [made.get(value.key) for made, value in zip(self.made, values, strict=True)]
            first = values[0]
        if isinstance(first, Tensor):
            if not all(isinstance(v, Tensor) and v.shape == first.shape and torch.equal(v, first) for v in values):
                raise ValueError("it takes other constants")
            return first
        if isinstance(first, dict):
            return {key: self._joined([value[key] for value in values], side) for key in first}
        if isinstance(first, (list, tuple)):
            if len({len(value) for value in values}) > 1:
                raise ValueError("it computes in another way")
            return type(first)(self._joined(parts, side) for parts in zip(*values, strict=True))
        if all(value == first for value in values):
            return first
        if not all(isinstance(value, int) for value in values):
            raise ValueError("it computes in another way")
        return side(values)

    def _side(self, index: int, values: Sequence[int]) -> Side:
        """The map whose side `values` are on every size: that of an input, or else of any node before."""
        own = self.traces[0].operations[index].sources
        others = [node for node in range(index) if node in self.wanted]
        for node, most in [*((n, LARGEST_FACTOR) for n in own), *((n, 1) for n in others)]:
            for axis in (0, 1):
                sides = [(t.geometry.nodes[node].height, t.geometry.nodes[node].width)[axis] for t in self.traces]
                times = values[0] // sides[0]
                if 1 <= times <= most and all(v == times * s for v, s in zip(values, sides, strict=True)):
                    return Side(node, axis, times)
        raise ValueError(f"it takes the numbers {_listed(values)}")

    def _refused(self, index: int, reason: str) -> SizeError:
        known = [traced for traced in self.traces if index < len(traced.operations)]
        layer = known[0].operations[index].layer
        first = self.traces[0]
        other = next((t for t in self.traces if _zeros(t, layer) != _zeros(first, layer)), None)
        if other is not None:
            reason = f"it pads by {_zeros_text(first, layer)} on {_size(first)} and by {_zeros_text(other, layer)}"
            return SizeError(f"layer '{layer}' depends on the image size: {reason} on {_size(other)}")
        sizes = " and ".join(dict.fromkeys(_size(traced) for traced in (self.traces[0], self.traces[-1])))
        return SizeError(f"layer '{layer}' depends on the image size: {reason} ({sizes})")


def _no_side(values: Sequence[int]) -> Side:
    raise ValueError(f"it takes the numbers {_listed(values)}")


def _listed(values: Sequence[int]) -> str:
    return ", ".join(map(str, values))


def _size(traced: Trace) -> str:
    return f"{traced.geometry.height}x{traced.geometry.width}"


def _form_of(traced: Trace, index: int) -> Form:
    operation, nodes = traced.operations[index], traced.geometry.nodes
    below, node = nodes[operation.sources[0]], nodes[index]
    make = FORMS[type(operation.kernel)]
    return make(operation.kernel, (below.height, below.width), (node.height, node.width))


def _needed(traced: Trace) -> set[int]:
    """The nodes that the logits are computed from."""
    wanted = {traced.output}
    for index in range(traced.output, 0, -1):
        if index in wanted:
            wanted |= set(traced.operations[index].sources)
    return wanted


def _made(traced: Trace, weights: NetworkWeights) -> dict[int, Any]:
    """What is made of parameters alone, once for all images."""
    weights = weights.of(traced)
    with torch.no_grad():
        return {number: weights[Weight(number)] for number in range(len(traced.made))}


def _zeros(traced: Trace, layer: str) -> Pads:
    """Padding of a layer's operations, joined: a padding before a convolution counts with it."""
    y, x = (0, 0), (0, 0)
    for index, operation in enumerate(traced.operations):
        if operation.layer == layer and isinstance(operation.kernel, (kernels.Pad, kernels.Convolution)):
            pads = _form_of(traced, index).args[1 if isinstance(operation.kernel, kernels.Pad) else 5]
            y, x = ((a + c, b + d) for (a, b), (c, d) in zip((y, x), pads, strict=True))
    return y, x


def _zeros_text(traced: Trace, layer: str) -> str:
    (top, bottom), (left, right) = _zeros(traced, layer)
    return f"{top} above, {bottom} below, {left} left, {right} right"


class Replay(nn.Module):
    """The network that `steps` are: (1, C, H, W) to logits (1, classes, rows, columns), weights by their own names."""

    def __init__(self, steps: Sequence[Step], tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._steps = tuple(steps)
        self._sides = {side.node for step in steps for side in _of_type((step.form.args, step.form.kwargs), Side)}
        last = {source: step.index for step in steps for source in step.sources}
        self._ended = {step.index: [node for node, end in last.items() if end == step.index] for step in steps}
        for step in steps:
            for weight in _of_type((step.form.args, step.form.kwargs), Weight):
                self._hold(str(weight.key), tensors[str(weight.key)])

    def _hold(self, name: str, tensor: Tensor) -> None:
        """Keep a tensor as `a.b.weight`, in modules that are there for their names alone."""
        *path, last = name.split(".")
        place: nn.Module = self
        for part in path:
            if part not in place._modules:
                place.add_module(part, nn.Module())
            place = place.get_submodule(part)
        if last not in place._buffers:
            place.register_buffer(last, tensor)

    def forward(self, image: Tensor) -> Tensor:
        maps = {0: image}
        sides: dict[int, Sequence[int]] = {0: image.shape[2:]}
        out = image
        for step in self._steps:
            inputs = [maps[source] for source in step.sources]
            filled = functools.partial(self._filled, inputs, sides)
            made = step.form.func(*filled(step.form.args), **filled(step.form.kwargs))
            out = made if isinstance(made, Tensor) else made[step.form.output]
            maps[step.index] = out
            if step.index in self._sides:
                sides[step.index] = [out.shape[axis] for axis in step.axes]
            for node in self._ended[step.index]:
                del maps[node]
        return out

    def _filled(self, inputs: Sequence[Tensor], sides: Mapping[int, Sequence[int]], value: Any) -> Any:
        if isinstance(value, Source):
            return inputs[value.number]
        if isinstance(value, Weight):
            return functools.reduce(getattr, str(value.key).split("."), self)
        if isinstance(value, Side):
            return value.times * sides[value.node][value.axis]
        if isinstance(value, Mapping):
            return {key: self._filled(inputs, sides, item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._filled(inputs, sides, item) for item in value)
        return value


def _of_type(value: Any, kind: type[Any]) -> Iterator[Any]:
    if isinstance(value, kind):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _of_type(item, kind)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _of_type(item, kind)
