"""What convolutions and poolings mean: the rules of windows that slide (`engine/rules` has the table)."""

from __future__ import annotations

from typing import Any

from segviz.core.field import Status
from segviz.core.steps import Interval, Transposed, Window
from segviz.engine import kernels
from segviz.engine.patches import MAPS
from segviz.engine.unpooling import Switches, Unpool
from segviz.engine.uses import Found, Pair, Use, hw, two


def _grid(use: Use) -> Pair:
    return hw(use.output, MAPS)


def _sees_more(window: Window, units: int, size: int) -> bool:
    """Whether the windows of `units` reach over the border of `size` units."""
    return window.before > 0 or window.back(Interval(units - 1, units - 1)).hi >= size


def convolution(use: Use) -> Found:
    weight = use.given["weight"]
    kernel = tuple(int(k) for k in weight.shape[2:])
    stride, dilation = two(use.args["stride"]), two(use.args["dilation"])
    padding = use.args["padding"]
    if padding == "same":
        before = tuple(d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True))
    else:
        before = (0, 0) if padding == "valid" else two(padding, 0)
    y, x = (Window(*axis) for axis in zip(kernel, stride, dilation, before, strict=True))
    size, grid, groups = use.main.grid, _grid(use), int(use.args["groups"])
    made = kernels.Convolution(y, x, size, use.args["weight"], use.args["bias"], groups)
    macs = use.output.numel() * int(weight[0].numel())
    pads = any(_sees_more(*axis) for axis in zip((y, x), grid, size, strict=True))
    return Found(made, y, x, axes=MAPS, macs=macs, pads=pads)


def transposed(use: Use) -> Found:
    weight = use.given["weight"]
    kernel = tuple(int(k) for k in weight.shape[2:])
    stride, padding, dilation = two(use.args["stride"]), two(use.args["padding"], 0), two(use.args["dilation"])
    y, x = (Transposed(*axis) for axis in zip(kernel, stride, dilation, padding, strict=True))
    made = kernels.Deconvolution(y, x, use.main.grid, use.args["weight"], use.args["bias"], int(use.args["groups"]))
    return Found(made, y, x, axes=MAPS, macs=use.main.tensor.numel() * int(weight[0].numel()))


def _windows(use: Use) -> tuple[Window, Window]:
    kernel = two(use.args["kernel_size"])
    given = use.args.get("stride")
    stride = two(given) if given else kernel
    padding, dilation = two(use.args.get("padding"), 0), two(use.args.get("dilation"))
    y, x = (Window(*axis) for axis in zip(kernel, stride, dilation, padding, strict=True))
    return y, x


def _pool_borders(use: Use, y: Window, x: Window) -> dict[str, Any]:
    sides = list(zip((y, x), _grid(use), use.main.grid, strict=True))
    padded = any(window.before for window in (y, x))
    last = [
        window.back(Interval(units - 1, units - 1)).hi - window.before - (size - 1) for window, units, size in sides
    ]
    ceil = bool(use.args.get("ceil_mode"))
    return {"axes": MAPS, "pads": padded, "overhangs": ceil and max(last) > 0, "ceil": ceil}


def max_pool(use: Use) -> Found:
    y, x = _windows(use)
    made = kernels.MaxPool(y, x, use.main.grid, bool(use.args.get("ceil_mode")))
    return Found(made, y, x, **_pool_borders(use, y, x))


def average_pool(use: Use) -> Found:
    y, x = _windows(use)
    size = use.main.grid
    ends = (size[0] + y.before, size[1] + x.before)
    divisor = use.args.get("divisor_override")
    counts, ceil = bool(use.args.get("count_include_pad", True)), bool(use.args.get("ceil_mode"))
    made = kernels.AveragePool(y, x, size, counts, divisor, ends, ceil)
    return Found(made, y, x, **_pool_borders(use, y, x))


def indexed_pool(use: Use) -> Found:
    """Max pooling that tells the places of its maxima too: output 0 the maxima, output 1 the switches."""
    if use.number == 0:
        return max_pool(use)
    y, x = _windows(use)
    made = Switches(y, x, use.main.grid, bool(use.args.get("ceil_mode")))
    return Found(made, y, x, switches=made, **_pool_borders(use, y, x))


def unpool(use: Use) -> Found:
    """Max-unpooling by switches. Where those count units of another map than the one made, parts do not add up."""
    made_by = use.inputs[-1].switches
    if made_by is None or made_by.size != _grid(use) or use.inputs[-1].grid != use.main.grid:
        reason = "unpooled at places that no pooling of this network found"
        return use.all_of_it(MAPS, whole=True, reason=reason, doubt=Status.DATA)
    y, x = (Transposed(w.kernel, w.stride, w.dilation, w.before) for w in (made_by.y, made_by.x))
    return Found(Unpool(y, x, use.main.grid, made_by.size[1]), y, x, axes=MAPS)
