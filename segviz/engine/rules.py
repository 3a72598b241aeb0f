"""What each ATen operation means for geometry and cost: one row of `RULES` an operation.

A rule gets the operation's arguments and shapes and answers with the steps along y and x. An
operation that is not listed keeps its field when it is pointwise; otherwise the field is unknown,
and the node says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from segviz.core.field import Node
from segviz.core.steps import SAME, Resize, Step, Taps, Transposed, Window


@dataclass(frozen=True, slots=True)
class Operation:
    """Cost and border behaviour of one operation."""

    name: str
    elements: int  # of its output
    macs: int = 0
    pads: bool = False
    overhangs: bool = False
    mixes: bool = False  # a flatten or a dense layer: where surgery looks


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule says of an operation."""

    y: Step = SAME
    x: Step = SAME
    macs: int = 0
    pads: bool = False
    overhangs: bool = False
    whole: bool = False
    mixes: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Use:
    """One use of an operation: its arguments by name, the first input that depends on the image, and the output."""

    args: dict[str, Any] = field(repr=False)
    input: Tensor
    output: Tensor


Rule = Callable[[Use], Found]


def hw(tensor: Tensor) -> tuple[int, int]:
    """Height and width of a map; a vector of features is a map of one unit."""
    return (int(tensor.shape[-2]), int(tensor.shape[-1])) if tensor.dim() == 4 else (1, 1)


def two(value: Any, default: int = 1) -> tuple[int, int]:
    """An argument that may be one number, two, or left out, as (y, x)."""
    if value is None or (isinstance(value, Sequence) and not value):
        return default, default
    if isinstance(value, Sequence):
        return (int(value[0]), int(value[-1]))
    return int(value), int(value)


def _same(use: Use) -> Found:
    return Found()


def _convolution(use: Use) -> Found:
    weight: Tensor = use.args["weight"]
    kernel = two(weight.shape[2:])
    stride, padding, dilation = two(use.args["stride"]), two(use.args["padding"], 0), two(use.args["dilation"])
    if use.args["transposed"]:
        y, x = (Transposed(*axis) for axis in zip(kernel, stride, dilation, padding, strict=True))
        macs = use.input.numel() * int(weight[0].numel())
        return Found(y, x, macs=macs, pads=False)
    y, x = (Window(*axis) for axis in zip(kernel, stride, dilation, padding, strict=True))
    return Found(y, x, macs=use.output.numel() * int(weight[0].numel()), pads=any(padding))


def _pool(use: Use) -> Found:
    kernel = two(use.args["kernel_size"])
    given = use.args.get("stride")
    stride = two(given) if given else kernel
    padding, dilation = two(use.args.get("padding"), 0), two(use.args.get("dilation"))
    y, x = (Window(*axis) for axis in zip(kernel, stride, dilation, padding, strict=True))
    hangs = bool(use.args.get("ceil_mode")) and any(
        (size + 2 * pad - dil * (k - 1) - 1) % step
        for size, k, step, pad, dil in zip(hw(use.input), kernel, stride, padding, dilation, strict=True)
    )
    return Found(y, x, pads=any(padding), overhangs=hangs)


def _adaptive(use: Use) -> Found:
    (rows, columns), (height, width) = hw(use.input), hw(use.output)
    if (height, width) == (1, 1):
        return _everything(use)
    return Found(Resize(Taps.AREA, rows, height), Resize(Taps.AREA, columns, width))


def _everything(use: Use) -> Found:
    """Each output unit takes the whole map."""
    rows, columns = hw(use.input)
    return Found(Window(rows), Window(columns), whole=(rows, columns) != (1, 1))


def _reduce(use: Use) -> Found:
    dims = use.args.get("dim")
    listed = dims if isinstance(dims, Sequence) else range(use.input.dim()) if dims is None else [dims]
    axes = {d % use.input.dim() for d in listed}
    if use.input.dim() != 4 or not axes & {2, 3}:
        return Found()
    if axes >= {2, 3}:
        return _everything(use)
    return Found(reason="reduces one axis of the maps")


def _view(use: Use) -> Found:
    """A reshape that keeps the maps keeps the field; one that ends their being maps is a flatten."""
    if use.input.dim() == 4 and use.output.dim() == 2:
        rows, columns = hw(use.input)
        return Found(Window(rows), Window(columns), mixes=True)
    if hw(use.input) == hw(use.output):
        return Found()
    return Found(*_whole_steps(use), whole=True, reason="reshaped: positions are mixed")


def _whole_steps(use: Use) -> tuple[Step, Step]:
    rows, columns = hw(use.input)
    return Window(rows), Window(columns)


def _dense(use: Use) -> Found:
    return Found(macs=use.output.numel() * int(use.input.shape[-1]), mixes=True)


def _pad(use: Use) -> Found:
    pad = [int(p) for p in use.args["pad"]] + [0, 0, 0, 0]
    left, right, top, bottom = pad[:4]
    return Found(Window(before=top), Window(before=left), pads=max(left, right, top, bottom) > 0)


def _padding(use: Use) -> Found:
    return _pad(Use({"pad": use.args["padding"]}, use.input, use.output))


def _slice(use: Use) -> Found:
    dim = int(use.args.get("dim") or 0) % use.input.dim()
    step = Window(stride=int(use.args.get("step") or 1), before=-_start(use, dim))
    return Found(y=step if dim == 2 else SAME, x=step if dim == 3 else SAME)


def _start(use: Use, dim: int) -> int:
    start = int(use.args.get("start") or 0)
    size = int(use.input.shape[dim])
    return min(max(start + size if start < 0 else start, 0), size)


def _resize(taps: Taps) -> Rule:
    def rule(use: Use) -> Found:
        align = bool(use.args.get("align_corners") or False)
        (rows, columns), (height, width) = hw(use.input), hw(use.output)
        return Found(Resize(taps, rows, height, align), Resize(taps, columns, width, align))

    return rule


def _concatenate(use: Use) -> Found:
    if int(use.args.get("dim") or 0) % use.output.dim() >= 2:
        return Found(reason="maps set side by side")
    return Found()


def _expand(use: Use) -> Found:
    if hw(use.input) == hw(use.output):
        return Found()
    (rows, columns), (height, width) = hw(use.input), hw(use.output)
    return Found(Resize(Taps.NEAREST, rows, height), Resize(Taps.NEAREST, columns, width))


def _softmax(use: Use) -> Found:
    if use.input.dim() == 4 and int(use.args["dim"]) % 4 >= 2:
        return Found(*_whole_steps(use), whole=True)
    return Found()


aten = torch.ops.aten

RULES: dict[Any, Rule] = {
    aten.convolution: _convolution,
    aten.max_pool2d_with_indices: _pool,
    aten.max_pool2d: _pool,
    aten.avg_pool2d: _pool,
    aten._adaptive_avg_pool2d: _adaptive,
    aten.adaptive_max_pool2d: _adaptive,
    aten.mean: _reduce,
    aten.sum: _reduce,
    aten.amax: _reduce,
    aten.view: _view,
    aten._unsafe_view: _view,
    aten.reshape: _view,
    aten.squeeze: _view,
    aten.unsqueeze: _view,
    aten.addmm: _dense,
    aten.mm: _dense,
    aten.linear: _dense,
    aten.constant_pad_nd: _pad,
    aten.reflection_pad2d: _padding,
    aten.replication_pad2d: _padding,
    aten.slice: _slice,
    aten.upsample_nearest2d: _resize(Taps.NEAREST),
    aten.upsample_bilinear2d: _resize(Taps.BILINEAR),
    aten.upsample_bicubic2d: _resize(Taps.BICUBIC),
    aten.pixel_shuffle: _resize(Taps.NEAREST),
    aten.cat: _concatenate,
    aten.expand: _expand,
    aten._softmax: _softmax,
    aten._log_softmax: _softmax,
    aten.native_batch_norm: _same,
    aten._native_batch_norm_legit_no_training: _same,
    aten.cudnn_batch_norm: _same,
    aten.clone: _same,
    aten.copy: _same,
    aten._to_copy: _same,
    aten.detach: _same,
    aten.alias: _same,
    aten.dropout: _same,
    aten.native_dropout: _same,
    aten._prelu_kernel: _same,
    aten.prelu: _same,
    aten.hardswish: _same,
    aten.hardswish_: _same,
    aten.log_sigmoid_forward: _same,
}


def geometry_of(
    func: torch._ops.OpOverload,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    sources: list[tuple[int, Tensor]],
    output: Tensor,
) -> tuple[Node, Operation]:
    """The geometry node and the cost of one recorded operation; `sources` are (node, tensor) of its inputs."""
    named = {a.name: a.default_value for a in func._schema.arguments if a.has_default_value()}
    named |= {a.name: value for a, value in zip(func._schema.arguments, args, strict=False)}
    named |= kwargs
    found = _rule(func)(Use(named, sources[0][1], output))
    height, width = hw(output)
    gates = tuple(index for index, t in sources if hw(t) == (1, 1) and (height, width) != (1, 1) and len(sources) > 1)
    inputs = tuple(dict.fromkeys(index for index, _ in sources if index not in gates))
    node = Node(
        inputs=inputs or gates,
        y=found.y,
        x=found.x,
        height=height,
        width=width,
        gates=gates if inputs else (),
        whole=found.whole,
        reason=found.reason,
    )
    name = str(func._schema.name).removeprefix("aten::")
    return node, Operation(name, output.numel(), found.macs, found.pads, found.overhangs, found.mixes)


def _rule(func: torch._ops.OpOverload) -> Rule:
    rule = RULES.get(func.overloadpacket)
    if rule is not None:
        return rule
    if torch.Tag.pointwise in func.tags:
        return _same

    def unknown(use: Use) -> Found:
        name = str(func._schema.name).removeprefix("aten::")
        steps = (SAME, SAME) if hw(use.input) == hw(use.output) else _whole_steps(use)
        return Found(*steps, reason=f"the operation '{name}' has no rule")

    return unknown
