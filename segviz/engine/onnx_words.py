"""Operators of ONNX unit by unit, of vectors, and of shapes: `OPERATORS` has them all, windows included.

Shapes are computed while the network runs, so that a file that was exported for any size takes any: these
values are tensors of the processor that hold real numbers even where the image has none (`SETTINGS`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.errors import SegvizError
from segviz.engine.onnx_file import Node
from segviz.engine.onnx_windows import WINDOWS

LARGEST_CONSTANT = 2**26  # elements of a tensor that a graph makes out of nothing
MOST_PICKED = 4096  # units that are picked one by one
SELU = (1.6732632423543772, 1.0507009873554805)  # alpha and gamma of Klambauer et al. 2017

TYPES = {
    1: torch.float32, 2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64, 9: torch.bool,
    10: torch.float32, 11: torch.float32, 16: torch.float32,
}  # fmt: skip
Rule = Callable[..., Any]


def _axes(node: Node, given: Tensor | None, key: str = "axes") -> list[int] | None:
    """Axes as an input (new files) or as an attribute (old ones); None where there are none."""
    found = node.attributes.get(key) if given is None else given.tolist()
    return [found] if isinstance(found, int) else None if found is None else [int(axis) for axis in found]


# ---------------------------------------------------------------------------------- unit by unit


def _met(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Two tensors as one operation takes them: one number of the processor goes with any device."""
    if first.device != second.device:
        if first.numel() == 1:
            return first.reshape(()), second
        if second.numel() == 1:
            return first, second.reshape(())
    return first, second


def _both(func: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    return lambda node, first, second: func(*_met(first, second))


def _each(func: Callable[[Tensor], Tensor]) -> Rule:
    return lambda node, tensor: func(tensor)


def _several(func: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    """A chain: of any number of tensors."""

    def rule(node: Node, first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = func(*_met(first, other))
        return first

    return rule


def _divided(first: Tensor, second: Tensor) -> Tensor:
    whole = not first.is_floating_point() and not second.is_floating_point()
    return torch.div(first, second, rounding_mode="trunc") if whole else torch.div(first, second)


def _remainder(node: Node, first: Tensor, second: Tensor) -> Tensor:
    met = _met(first, second)
    return torch.fmod(*met) if node.attributes.get("fmod") else torch.remainder(*met)


def _clip(node: Node, tensor: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    lowest = node.attributes.get("min") if low is None else low.item()
    highest = node.attributes.get("max") if high is None else high.item()
    if (lowest, highest) == (0, 6):
        return F.relu6(tensor)
    return tensor if lowest is highest is None else torch.clamp(tensor, lowest, highest)


def _hard_sigmoid(node: Node, tensor: Tensor) -> Tensor:
    slope, middle = node.attributes.get("alpha", 0.2), node.attributes.get("beta", 0.5)
    if middle == 0.5 and math.isclose(slope, 1 / 6, rel_tol=1e-6):
        return F.hardsigmoid(tensor)
    return torch.clamp(slope * tensor + middle, 0, 1)


def _prelu(node: Node, tensor: Tensor, slope: Tensor) -> Tensor:
    channel = [side for place, side in enumerate(slope.shape, tensor.dim() - slope.dim()) if place == 1]
    if slope.numel() == 1 or channel == [slope.numel()]:
        return F.prelu(tensor, slope.reshape(-1))
    return torch.where(tensor < 0, tensor * slope, tensor)


def _selu(node: Node, tensor: Tensor) -> Tensor:
    alpha, gamma = (float(node.attributes.get(key, own)) for key, own in (("alpha", SELU[0]), ("gamma", SELU[1])))
    usual = math.isclose(alpha, SELU[0], rel_tol=1e-6) and math.isclose(gamma, SELU[1], rel_tol=1e-6)
    return F.selu(tensor) if usual else F.elu(tensor, alpha) * gamma


def _alpha(func: Callable[[Tensor, float], Tensor], default: float) -> Rule:
    return lambda node, tensor: func(tensor, float(node.attributes.get("alpha", default)))


def _cast(node: Node, tensor: Tensor, like: Tensor | None = None) -> Tensor:
    """Real numbers of every width are computed in float32."""
    kind = TYPES.get(node.attributes.get("to", 1)) if like is None else like.dtype
    if kind is None:
        raise SegvizError(f"'{node.name}': a cast to type {node.attributes['to']}, which segviz does not know")
    return tensor if tensor.dtype is kind else tensor.to(kind)


def _where(node: Node, condition: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return torch.where(condition, *_met(first, second))


# --------------------------------------------------------------------------------- dense, norms


def _gemm(node: Node, tensor: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    given = node.attributes
    alpha, beta = given.get("alpha", 1.0), given.get("beta", 1.0)
    left = tensor.t() if given.get("transA") else tensor
    right = weight if given.get("transB") else weight.t()
    right = right if alpha == 1 else torch.mul(right, alpha)
    if bias is not None and bias.dim() != 1:
        return torch.add(F.linear(left, right), bias, alpha=beta)
    return F.linear(left, right, bias if bias is None or beta == 1 else beta * bias)


def _product(node: Node, first: Tensor, second: Tensor) -> Tensor:
    """A product with one matrix is a dense layer."""
    return F.linear(first, second.t()) if second.dim() == 2 and first.dim() > 1 else torch.matmul(first, second)


def _batch_norm(node: Node, maps: Tensor, gain: Tensor, shift: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    if node.attributes.get("training_mode"):
        raise SegvizError(f"'{node.name}': a batch normalisation in training mode; export the network in eval mode")
    return F.batch_norm(maps, mean, variance, gain, shift, False, 0.0, float(node.attributes.get("epsilon", 1e-5)))


def _instance_norm(node: Node, maps: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    return F.instance_norm(maps, weight=gain, bias=shift, eps=float(node.attributes.get("epsilon", 1e-5)))


def _layer_norm(node: Node, tensor: Tensor, gain: Tensor, shift: Tensor | None = None) -> Tensor:
    first = int(node.attributes.get("axis", -1)) % tensor.dim()
    shape = tensor.shape[first:]
    return F.layer_norm(tensor, shape, gain, shift, float(node.attributes.get("epsilon", 1e-5)))


def _group_norm(node: Node, maps: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    groups = int(node.attributes["num_groups"])
    if gain.shape[0] != maps.shape[1]:  # before version 21: a number for each group
        gain, shift = (w.repeat_interleave(maps.shape[1] // groups) for w in (gain, shift))
    return F.group_norm(maps, groups, gain, shift, float(node.attributes.get("epsilon", 1e-5)))


def _local_norm(node: Node, maps: Tensor) -> Tensor:
    given = node.attributes
    return F.local_response_norm(
        maps, given["size"], given.get("alpha", 1e-4), given.get("beta", 0.75), given.get("bias", 1.0)
    )


def _softmax(func: Callable[[Tensor, int], Tensor]) -> Rule:
    def rule(node: Node, tensor: Tensor) -> Tensor:
        axis = int(node.attributes.get("axis", -1 if node.opset >= 13 else 1)) % tensor.dim()
        if node.opset >= 13 or axis == tensor.dim() - 1:
            return func(tensor, axis)
        flat = tensor.reshape(math.prod(tensor.shape[:axis]), -1)  # older files: over all that follows
        return func(flat, 1).reshape(tensor.shape)

    return rule


def _reduced(func: Callable[..., Tensor], alone: Callable[[Tensor], Tensor] = lambda tensor: tensor) -> Rule:
    """`alone` is what it makes of a single number, where nothing is reduced."""

    def rule(node: Node, tensor: Tensor, axes: Tensor | None = None) -> Tensor:
        wanted = _axes(node, axes)
        if not wanted:
            if node.attributes.get("noop_with_empty_axes"):
                return alone(tensor)
            wanted = list(range(tensor.dim()))
        return func(tensor, wanted, bool(node.attributes.get("keepdims", 1)))

    return rule


def _most(func: Callable[..., Tensor]) -> Rule:
    def rule(node: Node, tensor: Tensor) -> Tensor:
        axis, keeps = int(node.attributes.get("axis", 0)), bool(node.attributes.get("keepdims", 1))
        if node.attributes.get("select_last_index"):
            return int(tensor.shape[axis]) - 1 - func(tensor.flip(axis), axis, keeps)
        return func(tensor, axis, keeps)

    return rule


# --------------------------------------------------------------------------------- shapes, parts


def _shape(node: Node, tensor: Tensor) -> Tensor:
    sides = list(tensor.shape)[node.attributes.get("start", 0) : node.attributes.get("end")]
    return torch.tensor(sides, dtype=torch.int64)


def _reshape(node: Node, tensor: Tensor, shape: Tensor | None = None) -> Tensor:
    wanted = [int(side) for side in (node.attributes["shape"] if shape is None else shape.tolist())]
    if not node.attributes.get("allowzero"):
        wanted = [tensor.shape[place] if side == 0 else side for place, side in enumerate(wanted)]
    if len(wanted) == 2 and _lays_flat(tensor, *wanted):
        return tensor.flatten(1)
    return tensor.reshape(wanted)


def _lays_flat(tensor: Tensor, rows: int, columns: int) -> bool:
    """Whether a reshape is a flatten with one image, or the length of one size, written out: others would not fit."""
    if tensor.dim() < 3 or tensor.shape[0] != 1:
        return False
    return rows == 1 or (rows == -1 and tensor.numel() % columns != 0)


def _flatten(node: Node, tensor: Tensor) -> Tensor:
    axis = int(node.attributes.get("axis", 1))
    return tensor.flatten(1) if axis == 1 else tensor.reshape(math.prod(tensor.shape[:axis]), -1)


def _transpose(node: Node, tensor: Tensor) -> Tensor:
    return tensor.permute(node.attributes.get("perm") or tuple(reversed(range(tensor.dim()))))


def _squeeze(node: Node, tensor: Tensor, axes: Tensor | None = None) -> Tensor:
    wanted = _axes(node, axes)
    gone = [axis for axis, side in enumerate(tensor.shape) if side == 1] if wanted is None else wanted
    for axis in sorted((axis % tensor.dim() for axis in gone), reverse=True):
        tensor = tensor.squeeze(axis)
    return tensor


def _unsqueeze(node: Node, tensor: Tensor, axes: Tensor | None = None) -> Tensor:
    wanted = _axes(node, axes) or []
    size = tensor.dim() + len(wanted)
    for axis in sorted(axis % size for axis in wanted):
        tensor = tensor.unsqueeze(axis)
    return tensor


def _gather(node: Node, tensor: Tensor, places: Tensor) -> Tensor:
    axis = int(node.attributes.get("axis", 0)) % tensor.dim()
    size = int(tensor.shape[axis])
    wanted = [int(place) % size for place in places.reshape(-1).tolist()]
    if not places.dim():
        return tensor.select(axis, wanted[0])
    if len(wanted) > MOST_PICKED:
        raise SegvizError(f"'{node.name}': picks {len(wanted):,} parts of a tensor; segviz takes {MOST_PICKED:,}")
    parts = [_cut(tensor, axis, place, place + 1, 1) for place in wanted]
    picked = torch.cat(parts, axis)
    return (
        picked.reshape((*tensor.shape[:axis], *places.shape, *tensor.shape[axis + 1 :])) if places.dim() > 1 else picked
    )


def _cut(tensor: Tensor, axis: int, start: int, end: int | None, step: int) -> Tensor:
    return tensor[(*(slice(None),) * axis, slice(start, end, step))]


def _slice(node: Node, tensor: Tensor, *given: Tensor | None) -> Tensor:
    keys = ("starts", "ends", "axes", "steps")
    values = [_axes(node, given[place] if place < len(given) else None, key) for place, key in enumerate(keys)]
    starts, ends, axes, steps = values
    assert starts is not None
    assert ends is not None
    for place, axis in enumerate(range(len(starts)) if axes is None else axes):
        step = 1 if steps is None else steps[place]
        axis %= tensor.dim()
        if step > 0:
            tensor = _cut(tensor, axis, starts[place], ends[place], step)
        else:
            taken = range(tensor.shape[axis])[starts[place] : ends[place] : step]
            tensor = _cut(tensor, axis, taken[-1], taken[0] + 1, 1).flip(axis) if taken else tensor.narrow(axis, 0, 0)
            tensor = _cut(tensor, axis, 0, None, -step)
    return tensor


def _split(node: Node, tensor: Tensor, sizes: Tensor | None = None) -> Sequence[Tensor]:
    axis = int(node.attributes.get("axis", 0))
    wanted = _axes(node, sizes, "split")
    if wanted is None:
        return torch.split(tensor, -(-tensor.shape[axis] // len(node.outputs)), axis)
    return torch.split(tensor, wanted, axis)


def _concat(node: Node, *tensors: Tensor) -> Tensor:
    return torch.cat(tensors, int(node.attributes["axis"]))


def _expand(node: Node, tensor: Tensor, shape: Tensor) -> Tensor:
    wanted = [int(side) for side in shape.tolist()]
    own = [1] * (len(wanted) - tensor.dim()) + list(tensor.shape)
    wanted = [1] * (len(own) - len(wanted)) + wanted
    return tensor.expand([side if new == 1 else new for side, new in zip(own, wanted, strict=True)])


def _filled(node: Node, shape: Tensor) -> Tensor:
    sides = [int(side) for side in shape.tolist()]
    if math.prod(sides) > LARGEST_CONSTANT:
        raise SegvizError(f"'{node.name}': a constant of {math.prod(sides):,} numbers; segviz makes none so large")
    value = node.attributes.get("value")
    return torch.zeros(sides) if value is None else torch.full(sides, value.item(), dtype=value.dtype)


def _range(node: Node, start: Tensor, end: Tensor, step: Tensor) -> Tensor:
    first, last, by = start.item(), end.item(), step.item()
    if by == 0 or (last - first) / by > LARGEST_CONSTANT:
        raise SegvizError(f"'{node.name}': a range from {first} to {last} by {by}; segviz makes none so large")
    return torch.arange(first, last, by, dtype=start.dtype)


def _same(node: Node, tensor: Tensor, *more: Tensor | None) -> Tensor:
    return tensor


def _einsum(node: Node, *tensors: Tensor) -> Tensor:
    return torch.einsum(node.attributes["equation"], *tensors)


OPERATORS: dict[str, Rule] = WINDOWS | {
    "Relu": _each(F.relu),
    "LeakyRelu": _alpha(F.leaky_relu, 0.01),
    "Elu": _alpha(F.elu, 1.0),
    "Celu": _alpha(F.celu, 1.0),
    "Selu": _selu,
    "PRelu": _prelu,
    "Sigmoid": _each(torch.sigmoid),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _each(F.hardswish),
    "Tanh": _each(torch.tanh),
    "Softplus": _each(F.softplus),
    "Softsign": _each(F.softsign),
    "Mish": _each(F.mish),
    "Gelu": lambda node, tensor: F.gelu(tensor, approximate=node.attributes.get("approximate", "none")),
    "Swish": lambda node, tensor: tensor * torch.sigmoid(node.attributes.get("alpha", 1.0) * tensor),
    "ThresholdedRelu": _alpha(lambda tensor, alpha: F.threshold(tensor, alpha, 0.0), 1.0),
    "Clip": _clip,
    "Erf": _each(torch.erf),
    "Exp": _each(torch.exp),
    "Log": _each(torch.log),
    "Sqrt": _each(torch.sqrt),
    "Abs": _each(torch.abs),
    "Neg": _each(torch.neg),
    "Floor": _each(torch.floor),
    "Ceil": _each(torch.ceil),
    "Round": _each(torch.round),
    "Sign": _each(torch.sign),
    "Sin": _each(torch.sin),
    "Cos": _each(torch.cos),
    "Not": _each(torch.logical_not),
    "Reciprocal": _each(torch.reciprocal),
    "Add": _both(torch.add),
    "Sub": _both(torch.sub),
    "Mul": _both(torch.mul),
    "Div": _both(_divided),
    "Pow": _both(torch.pow),
    "Mod": _remainder,
    "Equal": _both(torch.eq),
    "Greater": _both(torch.gt),
    "GreaterOrEqual": _both(torch.ge),
    "Less": _both(torch.lt),
    "LessOrEqual": _both(torch.le),
    "And": _both(torch.logical_and),
    "Or": _both(torch.logical_or),
    "Max": _several(torch.maximum),
    "Min": _several(torch.minimum),
    "Sum": _several(torch.add),
    "Where": _where,
    "Cast": _cast,
    "CastLike": _cast,
    "Gemm": _gemm,
    "MatMul": _product,
    "Einsum": _einsum,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "LRN": _local_norm,
    "Softmax": _softmax(F.softmax),
    "LogSoftmax": _softmax(F.log_softmax),
    "ReduceMean": _reduced(torch.mean),
    "ReduceSum": _reduced(torch.sum),
    "ReduceMax": _reduced(torch.amax),
    "ReduceMin": _reduced(torch.amin),
    "ReduceL1": _reduced(lambda tensor, axes, keeps: torch.sum(tensor.abs(), axes, keeps), torch.abs),
    "ReduceL2": _reduced(lambda tensor, axes, keeps: torch.sum(tensor * tensor, axes, keeps).sqrt(), torch.abs),
    "ReduceSumSquare": _reduced(lambda tensor, axes, keeps: torch.sum(tensor * tensor, axes, keeps), torch.square),
    "ArgMax": _most(torch.argmax),
    "ArgMin": _most(torch.argmin),
    "Shape": _shape,
    "Size": lambda node, tensor: torch.tensor(tensor.numel()),
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Transpose": _transpose,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Gather": _gather,
    "Slice": _slice,
    "Split": _split,
    "Concat": _concat,
    "Expand": _expand,
    "Tile": lambda node, tensor, times: tensor.repeat([int(count) for count in times.tolist()]),
    "ConstantOfShape": _filled,
    "Range": _range,
    "Identity": _same,
    "Dropout": _same,
}

# Inputs that say how, and are no part of what is computed: by operator, their places.
SETTINGS: dict[str, range] = {
    "Clip": range(1, 3),
    "Dropout": range(1, 3),
    "Pad": range(1, 4),
    "Resize": range(1, 4),
    "Upsample": range(1, 2),
    "Slice": range(1, 5),
    "Split": range(1, 2),
    "Reshape": range(1, 2),
    "Expand": range(1, 2),
    "Tile": range(1, 2),
    "Gather": range(1, 2),
    "Squeeze": range(1, 2),
    "Unsqueeze": range(1, 2),
    "ConstantOfShape": range(1),
    "Range": range(3),
} | {kind: range(1, 2) for kind in OPERATORS if kind.startswith("Reduce")}
SEVERAL = ("Split",)  # operators whose further results are known too
SIZES = ("Shape", "Size")  # operators whose answer is known without what their input holds
