"""What each ATen operation means for geometry, cost and computation on a part: one row of `RULES` an operation.

Operations come as their author wrote them (`linear`, `flatten`, `batch_norm`, not what those are made
of). A rule gets the arguments and what is known of the inputs, and answers with the steps along y
and x and with the kernel that computes a region. An operation that is not listed keeps its field
when it is pointwise; otherwise the field is unknown, the node says so, and its maps are computed whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from segviz.core.field import Status
from segviz.core.steps import IDENTITY, Resize, Taps, Window
from segviz.engine import grid_rules, kernels, window_rules
from segviz.engine.patches import MAPS
from segviz.engine.positions import ON_MAPS, by_content, has_lost_them, is_spread, takes_all
from segviz.engine.uses import Found, Pair, Use, hw

Rule = Callable[[Use], Found]


# --------------------------------------------------------------------------------- global, adaptive


def _grid(use: Use) -> Pair:
    return hw(use.output, MAPS)


def _adaptive(use: Use) -> Found:
    if use.main.stands_for:
        return _beyond(use)
    (rows, columns), (height, width) = use.main.grid, _grid(use)
    if (height, width) == (1, 1):
        return _everything(use, MAPS)
    if (height, width) == (rows, columns):
        return Found(kernels.Same(), axes=MAPS)
    return use.all_of_it(MAPS, y=Resize(Taps.AREA, rows, height), x=Resize(Taps.AREA, columns, width))


def _everything(use: Use, axes: Pair | None) -> Found:
    """Each output unit takes the whole map."""
    return use.all_of_it(axes, whole=use.main.grid != (1, 1))


def _reduce(use: Use) -> Found:
    if use.main.stands_for:
        return _beyond(use)
    dims = use.args.get("dim")
    size = use.main.tensor.dim()
    listed: Sequence[int] = [dims] if isinstance(dims, int) else dims or range(size)
    gone, keeps = {int(d) % size for d in listed}, bool(use.args.get("keepdim"))
    axes = use.main.axes
    if axes is None:
        return use.point()
    left = axes if keeps else tuple(axis - sum(d < axis for d in gone) for axis in axes)
    if not gone & set(axes):
        return use.point((left[0], left[1]))
    if gone >= set(axes):
        return _everything(use, axes if keeps else None)
    return use.all_of_it(reason="reduces one axis of the maps")


def _extreme(use: Use) -> Found:
    """`max` and `min`: along a dimension, of everything, or of two maps."""
    return _point(use) if "other" in use.args else _reduce(use)


def _beyond(use: Use) -> Found:
    """Something that a map in place of a vector cannot be given to."""
    return Found(
        kernels.Same(), grid=use.main.grid, axes=None, stands_for=True,
        reason=f"the operation '{use.name}' behind the last maps is not known for maps",
    )  # fmt: skip


# ---------------------------------------------------------------------------------- shapes, dense


def _view(use: Use) -> Found:
    """A reshape that leaves rows and columns alone keeps the field; another mixes positions."""
    main, shape = use.main, tuple(use.output.shape)
    if main.stands_for:
        return _standing_view(use)
    if main.axes is None:
        return use.all_of_it(_map_of_one(use))
    rows, columns = main.grid
    last = main.tensor.dim() - 2, main.tensor.dim() - 1
    if main.axes == last and shape[-2:] == (rows, columns) and (len(shape) > 2 or rows > 1):
        return Found(kernels.View((*shape[:-2], None, None)), axes=(len(shape) - 2, len(shape) - 1))
    if len(shape) == 2:
        return use.all_of_it(None)
    return use.all_of_it(whole=True, reason="reshaped: positions are mixed")


def _map_of_one(use: Use) -> Pair | None:
    """A vector that is made a map of one unit again, as gates are."""
    return MAPS if use.output.dim() == 4 and use.output.shape[2:] == (1, 1) else None


def _standing_view(use: Use) -> Found:
    """Flatten, squeeze and permute of what stands for a map: the map itself."""
    shape = [int(side) for side in use.output.shape]
    before = [int(side) for side in use.main.tensor.shape]
    spans = use.main.spans
    if use.main.axes is not None and len(shape) == 2:  # now it is laid flat
        spans = (before[use.main.axes[0]], before[use.main.axes[1]])
    axes = use.main.axes if len(shape) == len(before) else None
    return Found(kernels.Same(), grid=use.main.grid, axes=axes, stands_for=True, spans=spans)


def _picked(use: Use) -> Found:
    """One or some of a dimension that is not spatial: `select`, `chunk`, `split`, `unsqueeze`, `squeeze`."""
    main = use.main
    if main.stands_for:
        return _standing_view(use) if use.output.numel() == main.tensor.numel() else _beyond(use)
    if main.axes is None:
        return use.all_of_it(_map_of_one(use))
    gone = main.tensor.dim() - use.output.dim()
    dims = use.args.get("dim", 0)
    dim = int(dims if isinstance(dims, int) else 0) % max(main.tensor.dim(), use.output.dim())
    if dim in main.axes and gone >= 0:
        return use.all_of_it(reason="positions are taken apart")
    y, x = (axis - gone if dim <= axis else axis for axis in main.axes)
    return use.point((y, x))


def _slice(use: Use) -> Found:
    axes, dim = use.axes, int(use.args.get("dim") or 0) % use.main.tensor.dim()
    if use.main.axes is None or dim not in axes:
        return _beyond(use) if use.main.stands_for else use.point()
    start, step = _start(use, dim), int(use.args.get("step") or 1)
    window = Window(stride=step, before=-start)
    y, x = (window if dim == axis else IDENTITY for axis in axes)
    if axes != MAPS:
        return use.all_of_it(axes, y=y, x=x)
    made = kernels.Pick(y, x) if step > 1 else kernels.Pad(y, x, use.main.grid)
    return Found(made, y, x, axes=axes)


def _start(use: Use, dim: int) -> int:
    start = int(use.args.get("start") or 0)
    size = int(use.main.tensor.shape[dim])
    return min(max(start + size if start < 0 else start, 0), size)


def _linear(use: Use) -> Found:
    weight = use.given["weight"]
    inputs, outputs = int(weight.shape[1]), int(weight.shape[0])
    main = use.main
    if main.stands_for:
        return _dense(use, inputs, outputs)
    macs = use.output.numel() * inputs
    if main.axes is not None and main.tensor.dim() - 1 in main.axes:
        return use.all_of_it(reason="a dense layer along the maps' columns", macs=macs)
    return use.point(macs=macs)


def _dense(use: Use, inputs: int, outputs: int) -> Found:
    """A dense layer on what stands for a map: a convolution as large as the map that was laid flat (T17)."""
    (rows, columns), (height, width) = use.main.spans, use.main.grid
    grid = (height - rows + 1, width - columns + 1)
    y, x = Window(rows), Window(columns)
    made = kernels.Convolution(y, x, (height, width), use.args["weight"], use.args["bias"])
    macs = grid[0] * grid[1] * inputs * outputs
    return Found(made, y, x, grid=grid, stands_for=True, macs=macs)


def _batch_norm(use: Use) -> Found:
    if use.main.spans != (1, 1):  # each unit of the flat map has numbers of its own
        return _beyond(use)
    return use.point()


def _layer_norm(use: Use) -> Found:
    main, normalised = use.main, len(use.args["normalized_shape"])
    if main.stands_for:
        if normalised == 1 and main.spans == (1, 1):
            made = kernels.ChannelNorm(use.args["weight"], use.args["bias"], float(use.args["eps"]))
            return Found(made, grid=main.grid, axes=main.axes, stands_for=True)
        return _beyond(use)
    first = main.tensor.dim() - normalised
    if main.axes is not None and max(main.axes) >= first:
        return use.all_of_it(main.axes, whole=True)
    return use.point()


def _along_channels(use: Use) -> Found:
    """Unit by unit along the last dimension of a vector, which is the second of the map that it stands for."""
    if use.main.axes is not None:
        return use.point()
    options = {key: value for key, value in use.options.items() if key != "dim"}
    return replace(use, call=(use.call[0], 1, *use.call[2:]), options=options).point()


def _softmax(use: Use) -> Found:
    dim = int(use.args["dim"]) % use.main.tensor.dim()
    if use.main.stands_for:
        return _along_channels(use)
    if use.main.axes is not None and dim in use.main.axes:
        return use.all_of_it(use.main.axes, whole=True)
    return use.point()


def _dropout(use: Use) -> Found:
    if bool(use.args.get("train")) and float(use.args.get("p") or 0) > 0:
        return use.point(reason="dropout of a network in training leaves units out at random", doubt=Status.BOUND)
    return _same(use)


def _same(use: Use) -> Found:
    main = use.main
    return Found(kernels.Same(), grid=main.grid, axes=main.axes, stands_for=main.stands_for, spans=main.spans)


def _cast(use: Use) -> Found:
    return _same(use) if use.output.dtype is use.main.tensor.dtype else _point(use)


def _point(use: Use) -> Found:
    """Unit by unit. A constant with a shape of its own would be spread along a vector, not along a map."""
    main = use.main
    if main.stands_for:
        wide = [v for v in use.given.values() if isinstance(v, Tensor) and v.dim() and v.numel() > 1]
        others = len(wide) - len(use.inputs)
        if others > 0 and use.name != "prelu" and use.name != "_prelu_kernel":
            return _beyond(use)
        if any(other.grid != main.grid for other in use.inputs):
            return _beyond(use)
        return use.point()
    layouts = {value.axes for value in use.inputs if value.axes is not None}
    if len(layouts) > 1:
        return use.all_of_it(main.axes, reason="maps of different layouts meet")
    axes = next(iter(layouts), None)
    if axes is not None and any(
        value.axes is None and is_spread(value.tensor, use.output, axes) for value in use.inputs
    ):
        return use.all_of_it(axes, y=IDENTITY, x=IDENTITY)
    if axes is not None and any(is_spread(tensor, use.output, axes) for tensor in use.constants):
        return use.all_of_it(axes, y=IDENTITY, x=IDENTITY)
    return use.point(axes)


# ----------------------------------------------------------------------------------- put together


def _stack(use: Use) -> Found:
    """Maps behind one another along a new dimension."""
    if use.main.stands_for:
        return _beyond(use)
    dim, axes = int(use.args.get("dim") or 0) % use.output.dim(), use.main.axes
    if any(value.axes != axes for value in use.inputs):
        return use.all_of_it(reason="maps of different layouts meet")
    if axes is None:
        return use.all_of_it(None)
    y, x = (axis + (dim <= axis) for axis in axes)
    return use.point((y, x))


def _concatenate(use: Use) -> Found:
    dim = int(use.args.get("dim") or 0) % use.output.dim()
    if not use.main.stands_for and len({value.axes for value in use.inputs}) > 1:
        axes = next(value.axes for value in use.inputs if value.axes is not None)
        return use.all_of_it(axes, reason="maps and what has lost its positions are set together")
    if use.main.stands_for:
        same = all(value.grid == use.main.grid and value.spans == (1, 1) for value in use.inputs)
        return _along_channels(use) if same and dim == 1 else _beyond(use)
    if use.main.axes is not None and dim in use.main.axes:
        return use.all_of_it(use.main.axes, reason="maps set side by side")
    return use.point()


def _expand(use: Use) -> Found:
    more, axes = use.output.dim() - use.main.tensor.dim(), use.main.axes
    if axes is None or use.main.stands_for:
        return use.point()
    axes = axes[0] + more, axes[1] + more
    if hw(use.output, axes) == use.main.grid:  # sizes are those of the part at hand
        sides = [-1 if axis in axes else int(side) for axis, side in enumerate(use.output.shape)]
        return replace(use, call=(use.call[0], sides), options={}).point(axes)
    (rows, columns), (height, width) = use.main.grid, hw(use.output, axes)
    y, x = Resize(Taps.NEAREST, rows, height), Resize(Taps.NEAREST, columns, width)
    return use.all_of_it(axes, y=y, x=x)


def _expand_as(use: Use) -> Found:
    """A gate of one unit spread over a map, unit by unit; sizes are those of the map at hand."""
    like = use.inputs[-1]
    if use.main.stands_for or like.axes is None or use.main.grid not in ((1, 1), like.grid):
        return _expand(use)
    return use.point(like.axes)


def _indexed(use: Use) -> Found:
    """Units picked by numbers; those of one dimension that is not spatial leave rows and columns alone."""
    places = use.args["indices"]
    dims = [dim for dim, place in enumerate(places) if place is not None]
    axes = use.main.axes
    if len(use.inputs) != 1 or len(dims) != 1 or axes is None or use.main.stands_for:
        return _without_rule(use)
    beside = dims[0] not in axes and use.given["indices"][dims[0]].dim() == 1
    return use.point(axes) if beside else _without_rule(use)


def _scattered(use: Use) -> Found:
    """`slice_scatter`, `select_scatter`: maps with a part written over, which is the last input."""
    part = use.inputs[-1]
    if any(value.stands_for for value in use.inputs):
        return _beyond(use)
    dim, lost = int(use.args["dim"]) % use.output.dim(), use.output.dim() - part.tensor.dim()
    laid = part.axes and (part.axes[0] + (lost and dim <= part.axes[0]), part.axes[1] + (lost and dim <= part.axes[1]))
    axes = use.inputs[0].axes if len(use.inputs) > 1 else laid
    if axes is None:
        return use.all_of_it(None)
    if laid != axes or dim in axes:
        return use.all_of_it(axes, reason="rows or columns of the maps are written over")
    return use.point(axes) if len(use.inputs) > 1 else use.all_of_it(axes, y=IDENTITY, x=IDENTITY)


aten = torch.ops.aten

RULES: dict[Any, Rule] = {
    aten.conv2d: window_rules.convolution,
    aten.conv_transpose2d: window_rules.transposed,
    aten.max_pool2d: window_rules.max_pool,
    aten.max_pool2d_with_indices: window_rules.indexed_pool,
    aten.max_unpool2d: window_rules.unpool,
    aten.avg_pool2d: window_rules.average_pool,
    aten.adaptive_avg_pool2d: _adaptive,
    aten.adaptive_max_pool2d: _adaptive,
    aten.mean: _reduce,
    aten.sum: _reduce,
    aten.amax: _reduce,
    aten.amin: _reduce,
    aten.argmax: _reduce,
    aten.argmin: _reduce,
    aten.max: _extreme,
    aten.min: _extreme,
    aten.view: _view,
    aten.reshape: _view,
    aten.flatten: _view,
    aten.unflatten: _view,
    aten.squeeze: _picked,
    aten.unsqueeze: _picked,
    aten.select: _picked,
    aten.chunk: _picked,
    aten.split: _picked,
    aten.split_with_sizes: _picked,
    aten.unbind: _picked,
    aten.permute: grid_rules.moved(grid_rules.permuted),
    aten.transpose: grid_rules.moved(grid_rules.swapped),
    aten.swapaxes: grid_rules.moved(grid_rules.swapped),
    aten.linear: _linear,
    aten.pad: grid_rules.pad,
    aten.constant_pad_nd: grid_rules.pad,
    aten.reflection_pad2d: grid_rules.pad,
    aten.replication_pad2d: grid_rules.pad,
    aten.slice: _slice,
    aten.upsample_nearest2d: grid_rules.resize(Taps.NEAREST),
    aten._upsample_nearest_exact2d: grid_rules.resize(Taps.CENTRE),
    aten.upsample_bilinear2d: grid_rules.resize(Taps.BILINEAR),
    aten.upsample_bicubic2d: grid_rules.resize(Taps.BICUBIC),
    aten.pixel_shuffle: grid_rules.shuffle,
    aten.pixel_unshuffle: grid_rules.unshuffle,
    aten.channel_shuffle: _point,
    aten.select_scatter: _scattered,
    aten.slice_scatter: _scattered,
    aten.index: _indexed,
    aten.narrow: _picked,
    aten.zero: _point,
    aten.copy: _point,
    aten.fill: _point,
    aten.stack: _stack,
    aten.cat: _concatenate,
    aten.concat: _concatenate,
    aten.expand: _expand,
    aten.expand_as: _expand_as,
    aten.softmax: _softmax,
    aten.log_softmax: _softmax,
    aten.batch_norm: _batch_norm,
    aten.instance_norm: lambda use: use.all_of_it(use.main.axes, whole=True),
    aten.group_norm: lambda use: use.all_of_it(use.main.axes, whole=True),
    aten.layer_norm: _layer_norm,
    aten.dropout: _dropout,
    aten.dropout_: _dropout,
    aten.feature_dropout: _dropout,
    aten.feature_dropout_: _dropout,
    aten.contiguous: _same,
    aten.clone: _same,
    aten.to: _cast,
    aten.detach: _same,
    aten.alias: _same,
    aten.lift_fresh: _same,
    aten.prelu: _point,
    aten.rrelu: _point,
    aten.relu6: _point,
    aten.relu6_: _point,
    aten.selu: _point,
    aten.selu_: _point,
    aten.hardswish: _point,
    aten.hardswish_: _point,
    aten.log_sigmoid: _point,
}


def found_of(use: Use) -> Found:
    """What the rule of an operation says of one use of it."""
    packet = use.func.overloadpacket  # type: ignore[attr-defined]
    rule = RULES.get(packet)
    if packet in ON_MAPS and has_lost_them(use):
        macs = rule(use).macs if rule is not None else 0
        return use.all_of_it(MAPS, macs=macs)
    if rule is not None:
        return rule(use)
    if torch.Tag.pointwise in use.func.tags:  # type: ignore[attr-defined]
        return _point(use)
    return _without_rule(use)


def _without_rule(use: Use) -> Found:
    """Whole maps, whose field nobody knows."""
    if use.main.stands_for:
        return _beyond(use)
    if all(value.axes is None for value in use.inputs):
        return use.all_of_it(_map_of_one(use), whole=takes_all(use))  # of vectors: each unit takes all of them
    reason, doubt = f"the operation '{use.name}' has no rule", Status.UNKNOWN
    chosen: dict[str, Any] = {}
    if by_content(use):
        reason, doubt = f"the operation '{use.name}' takes what the image's own values say", Status.DATA
        chosen = {"whole": True}
    axes = use.main.axes if use.main.axes is not None and use.output.dim() == use.main.tensor.dim() else None
    keeps = axes is not None and hw(use.output, axes) == use.main.grid
    steps = {"y": IDENTITY, "x": IDENTITY} if keeps else {}
    return use.all_of_it(axes, reason=reason, doubt=doubt, **steps, **chosen)
