"""Operators of ONNX whose windows slide, or that change the grid of a map: convolutions, poolings, borders, resizing.

Each is a function of its node and its inputs, as PyTorch computes it, so that the recorder
(`engine/graph`) knows what it means. The standard: onnx.ai/onnx/operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.errors import SegvizError
from segviz.core.steps import Interval, Taps
from segviz.core.steps import Resize as SizedStep
from segviz.engine.onnx_file import Node

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]  # before and behind, along y and x


def _two(node: Node, key: str) -> Pair:
    found = node.attributes.get(key) or (1, 1)
    return int(found[0]), int(found[-1])


def _flat_maps(node: Node, maps: Tensor) -> None:
    if maps.dim() != 4:
        raise SegvizError(f"'{node.name}': {node.kind} of {maps.dim()} dimensions; segviz knows it for images, of 4")


def _pads(node: Node, maps: Tensor, kernel: Pair, stride: Pair, dilation: Pair) -> Pads:
    """`pads`, or what `auto_pad` makes of the size at hand."""
    auto = node.attributes.get("auto_pad", "NOTSET")
    if auto in ("NOTSET", ""):
        top, left, bottom, right = node.attributes.get("pads") or (0, 0, 0, 0)
        return (top, bottom), (left, right)
    if auto == "VALID":
        return (0, 0), (0, 0)
    found = []
    for size, k, s, d in zip(maps.shape[2:], kernel, stride, dilation, strict=True):
        more = max(0, (-(-size // s) - 1) * s + d * (k - 1) + 1 - size)
        found.append((more // 2, more - more // 2) if auto == "SAME_UPPER" else (more - more // 2, more // 2))
    return found[0], found[1]


def _framed(maps: Tensor, pads: Pads, value: float) -> tuple[Tensor, Pair]:
    """The maps with what is uneven of their padding, and the padding on both sides that is left to the operation."""
    (top, bottom), (left, right) = pads
    if (top, left) == (bottom, right):
        return maps, (top, left)
    return F.pad(maps, (left, right, top, bottom), value=value), (0, 0)


def convolution(node: Node, maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    _flat_maps(node, maps)
    kernel, stride, dilation = (weight.shape[2], weight.shape[3]), _two(node, "strides"), _two(node, "dilations")
    framed, padding = _framed(maps, _pads(node, maps, kernel, stride, dilation), 0.0)
    return F.conv2d(framed, weight, bias, stride, padding, dilation, node.attributes.get("group", 1))


def transposed(node: Node, maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    _flat_maps(node, maps)
    stride, dilation = _two(node, "strides"), _two(node, "dilations")
    more = tuple(node.attributes.get("output_padding") or (0, 0))
    auto = node.attributes.get("auto_pad", "NOTSET")
    if auto not in ("NOTSET", "VALID") or node.attributes.get("output_shape"):
        raise SegvizError(f"'{node.name}': a transposed convolution with auto_pad or output_shape; export it with pads")
    top, left, bottom, right = node.attributes.get("pads") or (0, 0, 0, 0)
    both = (min(top, bottom), min(left, right))
    groups = node.attributes.get("group", 1)
    made = F.conv_transpose2d(maps, weight, bias, stride, both, more, groups, dilation)
    cut = (top - both[0], bottom - both[0], left - both[1], right - both[1])
    if any(cut):
        height, width = made.shape[2:]
        return made[:, :, cut[0] : height - cut[1], cut[2] : width - cut[3]]
    return made


def _window(node: Node, maps: Tensor) -> tuple[Pair, Pair, Pair, Pads, bool]:
    _flat_maps(node, maps)
    kernel, stride, dilation = (_two(node, key) for key in ("kernel_shape", "strides", "dilations"))
    ceil = bool(node.attributes.get("ceil_mode", 0))
    counts = ceil and node.attributes.get("count_include_pad")
    if (counts or dilation != (1, 1)) and str(node.attributes.get("auto_pad", "")).startswith("SAME"):
        what = "dilation" if dilation != (1, 1) else "ceil_mode and count_include_pad"
        raise SegvizError(f"'{node.name}': {node.kind} with auto_pad and {what}, which runtimes differ on; export pads")
    return kernel, stride, dilation, _pads(node, maps, kernel, stride, dilation), ceil


def _behind(size: int, before: int, behind: int, kernel: int, stride: int, dilation: int, ceil: bool) -> int:
    """Padding behind a map of `size` (negative: cut off) with which all windows are whole and none is left over.

    In ceil mode a window may hang over the padding, but none begins behind the map: those in the padding are dropped.
    """
    reach = dilation * (kernel - 1) + 1
    room = size + before + behind - reach
    count = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (count - 1) * stride >= size + before:
        count -= 1
    return (count - 1) * stride + reach - size - before


def _by_hand(node: Node, maps: Tensor) -> Pads | None:
    """Padding of a pooling that torch does not take as it is: uneven, or more than half a window. None elsewhere."""
    kernel, stride, dilation, pads, ceil = _window(node, maps)
    halves = [2 * before <= size for (before, _), size in zip(pads, kernel, strict=True)]
    if all(before == behind for before, behind in pads) and all(halves):
        return None
    sides = zip(maps.shape[2:], pads, kernel, stride, dilation, strict=True)
    y, x = ((pad[0], _behind(int(size), *pad, k, s, d, ceil)) for size, pad, k, s, d in sides)
    return y, x


def _padded(maps: Tensor, pads: Pads, value: float) -> Tensor:
    (top, bottom), (left, right) = pads
    return F.pad(maps, (left, right, top, bottom), value=value)


def max_pool(node: Node, maps: Tensor) -> Tensor:
    kernel, stride, dilation, pads, ceil = _window(node, maps)
    if node.attributes.get("storage_order"):
        raise SegvizError(f"'{node.name}': MaxPool with storage_order, which segviz does not know; export it without")
    by_hand = _by_hand(node, maps)
    if by_hand is not None:
        return F.max_pool2d(_padded(maps, by_hand, -torch.inf), kernel, stride, 0, dilation)
    return F.max_pool2d(maps, kernel, stride, (pads[0][0], pads[1][0]), dilation, ceil)


def average_pool(node: Node, maps: Tensor) -> Tensor:
    kernel, stride, dilation, pads, ceil = _window(node, maps)
    if dilation != (1, 1):
        raise SegvizError(f"'{node.name}': an average pooling with dilation, which segviz does not know")
    counts = bool(node.attributes.get("count_include_pad", 0))
    by_hand = _by_hand(node, maps)
    if by_hand is None:
        return F.avg_pool2d(maps, kernel, stride, (pads[0][0], pads[1][0]), ceil, counts)
    inside = torch.ones_like(maps[:, :1])
    if counts:
        inside = _padded(inside, pads, 1.0)
        (top, bottom), (left, right) = ((0, all_[1] - own[1]) for all_, own in zip(by_hand, pads, strict=True))
    else:
        (top, bottom), (left, right) = by_hand
    shares = F.avg_pool2d(F.pad(inside, (left, right, top, bottom)), kernel, stride)
    return F.avg_pool2d(_padded(maps, by_hand, 0.0), kernel, stride) / shares


def global_average(node: Node, maps: Tensor) -> Tensor:
    _flat_maps(node, maps)
    return F.adaptive_avg_pool2d(maps, 1)


def global_maximum(node: Node, maps: Tensor) -> Tensor:
    _flat_maps(node, maps)
    return F.adaptive_max_pool2d(maps, 1)


# ------------------------------------------------------------------------------- borders, resizing


def pad(
    node: Node, maps: Tensor, pads: Tensor | None = None, value: Tensor | None = None, axes: Tensor | None = None
) -> Tensor:
    given = node.attributes.get("pads", node.attributes.get("paddings", ())) if pads is None else pads.tolist()
    fill = node.attributes.get("value", 0.0) if value is None else float(value)
    half, around = len(given) // 2, [(0, 0)] * maps.dim()
    for place, axis in enumerate(range(maps.dim()) if axes is None else axes.tolist()):
        around[axis] = (int(given[place]), int(given[place + half]))
    mode = {"edge": "replicate", "wrap": "circular"}.get(*2 * (node.attributes.get("mode", "constant"),))
    while mode != "constant" and len(around) > 2 and around[0] == (0, 0):
        around = around[1:]
    laid = [side for before, behind in reversed(around) for side in (before, behind)]
    return F.pad(maps, laid, mode=mode) if mode != "constant" else F.pad(maps, laid, value=fill)


def resize(
    node: Node, maps: Tensor, region: Tensor | None = None, scales: Tensor | None = None, sizes: Tensor | None = None
) -> Tensor:
    """`Resize`, as far as PyTorch knows the same positions. Raises SegvizError, naming the mode, for others."""
    _flat_maps(node, maps)
    axes = [int(axis) % 4 for axis in node.attributes.get("axes") or range(4)]
    given = sizes if sizes is not None and sizes.numel() else scales
    if given is None or not given.numel():
        raise SegvizError(f"'{node.name}': a resize to no size")
    if node.attributes.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise _unknown(node, "that keeps the aspect ratio")
    per_axis = dict(zip(axes, given.tolist(), strict=True))
    sized = given is sizes
    if any(per_axis.get(axis, own) != own for axis, own in enumerate(maps.shape[:2] if sized else (1, 1))):
        raise _unknown(node, "of images or channels")
    below = (int(maps.shape[2]), int(maps.shape[3]))
    if sized:
        size = (int(per_axis.get(2, below[0])), int(per_axis.get(3, below[1])))
        return _resized(node, maps, size, (_over(size[0], below[0]), _over(size[1], below[1])), False)
    factor = (float(per_axis.get(2, 1.0)), float(per_axis.get(3, 1.0)))
    # The standard counts in float32: 10 rows at 0.7 are 7, which is less in float64.
    size = (int(_times(below[0], factor[0])), int(_times(below[1], factor[1])))
    return _resized(node, maps, size, factor, True)


def _times(side: int, factor: float) -> float:
    return float(np.float32(side) * np.float32(factor))


def _over(above: int, below: int) -> float:
    return float(np.float32(above) / np.float32(below))


def _resized(node: Node, maps: Tensor, size: Pair, factor: tuple[float, float], scaled: bool) -> Tensor:
    attributes = node.attributes
    mode, places = attributes.get("mode", "nearest"), attributes.get("coordinate_transformation_mode", "half_pixel")
    if node.kind == "Upsample" or node.opset < 11:
        places = "asymmetric"
    if attributes.get("antialias") or attributes.get("exclude_outside"):
        raise _unknown(node, f"{mode} with antialiasing")
    if mode == "nearest":
        return _nearest(node, maps, size, factor, places)
    how = {"linear": "bilinear", "bilinear": "bilinear", "cubic": "bicubic"}.get(mode)
    if how is None or (how == "bicubic" and attributes.get("cubic_coeff_a", -0.75) != -0.75):
        raise _unknown(node, mode)
    if places == "align_corners":
        return F.interpolate(maps, size, mode=how, align_corners=True)
    if places not in HALF and (places != "asymmetric" or factor != (1.0, 1.0)):
        raise _unknown(node, f"{mode} at positions '{places}'")
    if places == "pytorch_half_pixel":  # one unit alone is the first one, and not the middle
        maps = maps[:, :, : 1 if size[0] == 1 else None, : 1 if size[1] == 1 else None]
        factor = (1.0 if size[0] == 1 else factor[0], 1.0 if size[1] == 1 else factor[1])
    sides = zip(maps.shape[2:], size, factor, strict=True)
    if how == "bilinear" and scaled and any(below == above and f != 1 for below, above, f in sides):
        raise _unknown(node, "linear by a factor that leaves the size")  # torch leaves the map as it is then
    if scaled and any(_times(side, f) != out for side, f, out in zip(maps.shape[2:], factor, size, strict=True)):
        return getattr(torch.ops.aten, f"upsample_{how}2d").default(maps, size, False, *factor)  # type: ignore[no-any-return]
    return F.interpolate(maps, size, mode=how, align_corners=False)


HALF = ("half_pixel", "pytorch_half_pixel")
POSITIONS: dict[str, Callable[[Any, np.float32, int, int], Any]] = {  # of units, by factor and both sizes, in float32
    "half_pixel": lambda units, factor, below, above: (units + np.float32(0.5)) / factor - np.float32(0.5),
    "pytorch_half_pixel": lambda units, factor, below, above: (
        (units + np.float32(0.5)) / factor - np.float32(0.5) if above > 1 else units * np.float32(0)
    ),
    "align_corners": lambda units, factor, below, above: units * np.float32(below - 1) / np.float32(max(1, above - 1)),
    "asymmetric": lambda units, factor, below, above: units / factor,
}
ROUNDINGS: dict[str, Callable[[Any], Any]] = {
    "round_prefer_floor": lambda places: np.ceil(places - np.float32(0.5)),
    "round_prefer_ceil": lambda places: np.floor(places + np.float32(0.5)),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _nearest(node: Node, maps: Tensor, size: Pair, factor: tuple[float, float], places: str) -> Tensor:
    """Each unit is one below, which the standard finds in many ways.

    Where torch finds the same units the operation is torch's, whose field is known; elsewhere they are picked.
    """
    rounding = "floor" if node.opset < 11 else node.attributes.get("nearest_mode", "round_prefer_floor")
    if places not in POSITIONS or rounding not in ROUNDINGS:
        raise _unknown(node, f"nearest ({rounding}) at positions '{places}'")
    sides = [(int(n), above, f) for n, above, f in zip(maps.shape[2:], size, factor, strict=True)]
    wanted = [_units(POSITIONS[places], ROUNDINGS[rounding], *side) for side in sides]
    for asked in (False, True):
        steps = [SizedStep(Taps.NEAREST, n, above, factor=f if asked else None) for n, above, f in sides]
        found = [[step.back(Interval(unit, unit)).lo for unit in range(step.size_out)] for step in steps]
        if found == wanted:
            given = factor if asked else (None, None)
            return torch.ops.aten.upsample_nearest2d.default(maps, size, *given)  # type: ignore[no-any-return]
    for axis, units in zip((2, 3), wanted, strict=True):
        maps = maps.index_select(axis, torch.tensor(units, dtype=torch.int64, device=maps.device))
    return maps


def _units(position: Callable[..., Any], rounding: Callable[[Any], Any], below: int, above: int, f: float) -> list[int]:
    """The unit below that each one shows, along one axis."""
    units = np.arange(above, dtype=np.float32)
    places = units if f == 1 else rounding(position(units, np.float32(f), below, above).astype(np.float64))
    return [int(place) for place in np.clip(places, 0, below - 1)]


def _unknown(node: Node, what: str) -> SegvizError:
    return SegvizError(f"'{node.name}': a resize {what}, which segviz does not know; export it as bilinear or nearest")


def upsample(node: Node, maps: Tensor, scales: Tensor | None = None) -> Tensor:
    """`Upsample`, the resizing of older files."""
    given = torch.tensor(node.attributes["scales"]) if scales is None else scales
    return resize(node, maps, None, given)


def depth_to_space(node: Node, maps: Tensor) -> Tensor:
    block = int(node.attributes["blocksize"])
    if node.attributes.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(maps, block)
    n, channels, height, width = maps.shape
    parts = maps.reshape(n, block, block, channels // block**2, height, width)
    return parts.permute(0, 3, 4, 1, 5, 2).reshape(n, channels // block**2, height * block, width * block)


def space_to_depth(node: Node, maps: Tensor) -> Tensor:
    block = int(node.attributes["blocksize"])
    n, channels, height, width = maps.shape
    parts = maps.reshape(n, channels, height // block, block, width // block, block)
    return parts.permute(0, 3, 5, 1, 2, 4).reshape(n, channels * block**2, height // block, width // block)


WINDOWS: dict[str, Callable[..., Any]] = {
    "Conv": convolution,
    "ConvTranspose": transposed,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalAveragePool": global_average,
    "GlobalMaxPool": global_maximum,
    "Pad": pad,
    "Resize": resize,
    "Upsample": upsample,
    "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
}
