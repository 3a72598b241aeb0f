"""Operators of ONNX whose windows slide, or that change the grid of a map: convolutions, poolings, borders, resizing.

Each is a function of its node and its inputs, as PyTorch computes it, so that the recorder
(`engine/graph`) knows what it means. The standard: onnx.ai/onnx/operators.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.errors import SegvizError
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
    return kernel, stride, dilation, _pads(node, maps, kernel, stride, dilation), ceil


def max_pool(node: Node, maps: Tensor) -> Tensor:
    kernel, stride, dilation, pads, ceil = _window(node, maps)
    framed, padding = _framed(maps, pads, -torch.inf)
    return F.max_pool2d(framed, kernel, stride, padding, dilation, ceil)


def average_pool(node: Node, maps: Tensor) -> Tensor:
    kernel, stride, dilation, pads, ceil = _window(node, maps)
    if dilation != (1, 1):
        raise SegvizError(f"'{node.name}': an average pooling with dilation, which segviz does not know")
    counts = bool(node.attributes.get("count_include_pad", 0))
    framed, padding = _framed(maps, pads, 0.0)
    if framed is maps or counts:
        return F.avg_pool2d(framed, kernel, stride, padding, ceil, counts)
    inside, _ = _framed(torch.ones_like(maps[:, :1]), pads, 0.0)
    return F.avg_pool2d(framed, kernel, stride, 0, ceil) / F.avg_pool2d(inside, kernel, stride, 0, ceil)


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
    per_axis = dict(zip(axes, given.tolist(), strict=True))
    below = (int(maps.shape[2]), int(maps.shape[3]))
    if given is sizes:
        size = (int(per_axis.get(2, below[0])), int(per_axis.get(3, below[1])))
        factor = (size[0] / below[0], size[1] / below[1])
    else:
        factor = (float(per_axis.get(2, 1.0)), float(per_axis.get(3, 1.0)))
        size = (int(below[0] * factor[0]), int(below[1] * factor[1]))
    return _resized(node, maps, size, factor, given is not sizes)


def _resized(node: Node, maps: Tensor, size: Pair, factor: tuple[float, float], scaled: bool) -> Tensor:
    attributes = node.attributes
    mode, places = attributes.get("mode", "nearest"), attributes.get("coordinate_transformation_mode", "half_pixel")
    if node.kind == "Upsample" or node.opset < 11:
        places = "asymmetric"
    if attributes.get("antialias") or attributes.get("exclude_outside"):
        raise _unknown(node, f"{mode} with antialiasing")
    if mode == "nearest":
        _check_nearest(node, places, factor)
        return F.interpolate(maps, size, mode="nearest")
    how = {"linear": "bilinear", "bilinear": "bilinear", "cubic": "bicubic"}.get(mode)
    if how is None or (how == "bicubic" and attributes.get("cubic_coeff_a", -0.75) != -0.75):
        raise _unknown(node, mode)
    if places == "align_corners":
        return F.interpolate(maps, size, mode=how, align_corners=True)
    if places not in ("half_pixel", "pytorch_half_pixel") and factor != (1.0, 1.0):
        raise _unknown(node, f"{mode} at positions '{places}'")
    if scaled and any(side * f != float(out) for side, f, out in zip(maps.shape[2:], factor, size, strict=True)):
        return F.interpolate(maps, scale_factor=factor, mode=how, align_corners=False)
    return F.interpolate(maps, size, mode=how, align_corners=False)


def _check_nearest(node: Node, places: str, factor: tuple[float, float]) -> None:
    """PyTorch takes the unit below: `asymmetric` rounded down, and where a factor is whole the middle of a unit too."""
    rounding = "floor" if node.opset < 11 else node.attributes.get("nearest_mode", "round_prefer_floor")
    whole = all(f >= 1 and f == int(f) for f in factor)
    same = {
        "asymmetric": rounding == "floor" or (whole and max(factor) <= 2 and rounding == "round_prefer_floor"),
        "half_pixel": whole and rounding.startswith("round"),
        "pytorch_half_pixel": whole and rounding.startswith("round"),
    }
    if not same.get(places, False):
        raise _unknown(node, f"nearest ({rounding}) at positions '{places}'")


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
