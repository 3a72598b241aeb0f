"""Operations on whole maps of any size: what a kernel does, without the size that it was traced on.

`engine/kernels` computes regions of maps whose sizes are known. A `Form` says the same once for all
sizes, for networks that leave segviz as programs (`engine/replay`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.steps import Mirror, Resize, Taps, Window
from segviz.engine import kernels
from segviz.engine.kernels import Slide
from segviz.engine.patches import Kernel, Source
from segviz.engine.unpooling import Switches, Unpool

Pair = tuple[int, int]
Pads = tuple[Pair, Pair]  # units (before, behind) along y and along x


@dataclass(frozen=True, eq=False)
class Form:
    """An operation on whole maps: `func` of inputs and weights by name, and of numbers.

    Its numbers may be sides of maps if `sized`.
    """

    func: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    output: int = 0
    sized: bool = False


# ---------------------------------------------------------------------------- whole maps, any size


def _padded(maps: Tensor, pads: Pads, value: float) -> Tensor:
    (top, bottom), (left, right) = pads
    return F.pad(maps, (left, right, top, bottom), value=value) if any((top, bottom, left, right)) else maps


def _even(pads: Pads) -> bool:
    return all(before == behind for before, behind in pads)


def _convolved(
    maps: Tensor, weight: Tensor, bias: Tensor | None, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair,
    groups: int,
) -> Tensor:  # fmt: skip
    if tuple(weight.shape[2:]) != kernel:  # a dense layer's
        weight = weight.reshape(weight.shape[0], -1, *kernel)
    if _even(pads):
        return F.conv2d(maps, weight, bias, stride, (pads[0][0], pads[1][0]), dilation, groups)
    return F.conv2d(_padded(maps, pads, 0.0), weight, bias, stride, 0, dilation, groups)


def _max_pooled(maps: Tensor, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair) -> Tensor:
    if _even(pads):
        return F.max_pool2d(maps, kernel, stride, (pads[0][0], pads[1][0]), dilation)
    return F.max_pool2d(_padded(maps, pads, -torch.inf), kernel, stride, 0, dilation)


def _switched(maps: Tensor, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil: bool) -> Tensor:
    places: Tensor = F.max_pool2d(maps, kernel, stride, padding, dilation, ceil, return_indices=True)[1]
    return places


def _unpooled(maps: Tensor, places: Tensor, size: Pair) -> Tensor:
    out: Tensor = torch.ops.aten.max_unpool2d(maps, places, size)
    return out


def _averaged(
    maps: Tensor, kernel: Pair, stride: Pair, pads: Pads, dilation: Pair, counts_padding: bool, divisor: int | None
) -> Tensor:
    if _even(pads) and dilation == (1, 1):
        before = (pads[0][0], pads[1][0])
        return F.avg_pool2d(maps, kernel, stride, before, False, counts_padding, divisor)
    sums = _summed(_padded(maps, pads, 0.0), kernel, stride, dilation)
    if divisor is not None:
        return sums / divisor
    inside = torch.ones_like(maps[:, :1])  # what counts: torch's rule for windows that hang over the border
    framed: Pads = ((pads[0][0],) * 2, (pads[1][0],) * 2) if counts_padding else ((0, 0), (0, 0))
    rest: Pads = tuple((a - c, b - d) for (a, b), (c, d) in zip(pads, framed, strict=True))  # type: ignore[assignment]
    counted = _padded(_padded(inside, framed, 1.0), rest, 0.0)
    return sums / _summed(counted, kernel, stride, dilation)


def _summed(maps: Tensor, kernel: Pair, stride: Pair, dilation: Pair) -> Tensor:
    """Sums over windows; poolings of torch know no dilation, convolutions do."""
    if dilation == (1, 1):
        return F.avg_pool2d(maps, kernel, stride, divisor_override=1)
    channels = maps.shape[1]
    ones = torch.ones((channels, 1, *kernel), dtype=maps.dtype, device=maps.device)
    return F.conv2d(maps, ones, None, stride, 0, dilation, channels)


def _deconvolved(
    maps: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair, more: Pair, dilation: Pair,
    groups: int,
) -> Tensor:  # fmt: skip
    return F.conv_transpose2d(maps, weight, bias, stride, padding, more, groups, dilation)


def _mirrored(maps: Tensor, pads: Pads, mode: str) -> Tensor:
    (top, bottom), (left, right) = pads
    return F.pad(maps, (left, right, top, bottom), mode=mode)


def _stepped(maps: Tensor, starts: Pair, steps: Pair) -> Tensor:
    return maps[:, :, starts[0] :: steps[0], starts[1] :: steps[1]]


def _resized(maps: Tensor, size: Pair, mode: str, align_corners: bool | None) -> Tensor:
    return F.interpolate(maps, size, mode=mode, align_corners=align_corners)


def _scaled(maps: Tensor, factors: tuple[float, float], mode: str) -> Tensor:
    return F.interpolate(maps, scale_factor=factors, mode=mode)


def _reshaped(maps: Tensor, shape: tuple[int, ...]) -> Tensor:
    return maps.reshape(shape)


def _same(maps: Tensor) -> Tensor:
    return maps


def _normalised(maps: Tensor, weight: Tensor | None, bias: Tensor | None, epsilon: float) -> Tensor:
    last = maps.permute(0, 2, 3, 1)
    made = F.layer_norm(last, last.shape[-1:], weight, bias, epsilon).permute(0, 3, 1, 2)
    return made.clone(memory_format=torch.contiguous_format)  # in another layout a side of 1 would be a case of its own


# ------------------------------------------------------------------------------ from kernel to form


def _pads(kernel: Slide, below: Pair, grid: Pair) -> Pads:
    """Padding before and behind. In ceil mode a stride less one more, so that no window is lost where it hangs over.

    Raises ValueError where torch would drop such a window again.
    """
    found = []
    for window, size, units in zip((kernel.y, kernel.x), below, grid, strict=True):
        reach = window.dilation * (window.kernel - 1)
        behind = window.before if window.stride > 1 else units - size - window.before + reach
        if getattr(kernel, "ceil", False) and window.stride > 1:
            if window.before + window.stride > reach + 1:
                raise ValueError("its windows in ceil mode have gaps between them")
            behind += window.stride - 1
        found.append((window.before, behind))
    return found[0], found[1]


def _of_convolution(kernel: kernels.Convolution, below: Pair, grid: Pair) -> Form:
    pads = _pads(kernel, below, grid)
    return Form(
        _convolved,
        (Source(0), kernel.weight, kernel.bias, kernel.kernel, kernel.stride, pads, kernel.dilation, kernel.groups),
    )


def _of_max_pool(kernel: kernels.MaxPool, below: Pair, grid: Pair) -> Form:
    return Form(_max_pooled, (Source(0), kernel.kernel, kernel.stride, _pads(kernel, below, grid), kernel.dilation))


def _of_switches(kernel: Switches, below: Pair, grid: Pair) -> Form:
    windows = ((w.kernel, w.stride, w.before, w.dilation) for w in (kernel.y, kernel.x))
    return Form(_switched, (Source(0), *zip(*windows, strict=True), kernel.ceil))


def _of_unpooling(kernel: Unpool, below: Pair, grid: Pair) -> Form:
    return Form(_unpooled, (Source(0), Source(1), grid), sized=True)


def _of_average(kernel: kernels.AveragePool, below: Pair, grid: Pair) -> Form:
    pads = _pads(kernel, below, grid)
    windows = (kernel.kernel, kernel.stride, pads, kernel.dilation)
    return Form(_averaged, (Source(0), *windows, kernel.counts_padding, kernel.divisor))


def _of_deconvolution(kernel: kernels.Deconvolution, below: Pair, grid: Pair) -> Form:
    axes = (kernel.y, kernel.x)
    more = [
        units - ((size - 1) * axis.stride - 2 * axis.padding + axis.dilation * (axis.kernel - 1) + 1)
        for axis, size, units in zip(axes, below, grid, strict=True)
    ]
    stride, padding, dilation = (
        tuple(getattr(axis, name) for axis in axes) for name in ("stride", "padding", "dilation")
    )
    return Form(
        _deconvolved,
        (Source(0), kernel.weight, kernel.bias, stride, padding, tuple(more), dilation, kernel.groups),
    )


def _of_pad(kernel: kernels.Pad, below: Pair, grid: Pair) -> Form:
    before = (kernel.y.before, kernel.x.before)
    pads = tuple((b, units - size - b) for b, size, units in zip(before, below, grid, strict=True))
    return Form(_padded, (Source(0), pads, kernel.value))


def _of_pick(kernel: kernels.Pick, below: Pair, grid: Pair) -> Form:
    y, x = kernel.y, kernel.x
    if isinstance(y, Resize) and isinstance(x, Resize):
        return _of_resize(y, x, grid, y.taps.value)
    if isinstance(y, Mirror) and isinstance(x, Mirror):
        sides = zip((y.before, x.before), below, grid, strict=True)
        pads = tuple((before, units - size - before) for before, size, units in sides)
        return Form(_mirrored, (Source(0), pads, "replicate" if y.repeats else "reflect"))
    assert isinstance(y, Window)
    assert isinstance(x, Window)
    starts, steps = (-y.before, -x.before), (y.stride, x.stride)
    if any(-(-(size - a) // s) != units for size, a, s, units in zip(below, starts, steps, grid, strict=True)):
        raise ValueError("it takes a part of its maps that ends before they do")
    return Form(_stepped, (Source(0), starts, steps))


def _of_interpolation(kernel: kernels.Interpolate, below: Pair, grid: Pair) -> Form:
    return _of_resize(kernel.y, kernel.x, grid, "bilinear" if kernel.y.taps is Taps.BILINEAR else "bicubic")


def _of_resize(y: Resize, x: Resize, grid: Pair, mode: str) -> Form:
    """By its factors where they are fractions: then the sizes, rounded down, do not say where its units lie."""
    if y.factor is not None and x.factor is not None and not (y.factor.is_integer() and x.factor.is_integer()):
        return Form(_scaled, (Source(0), (y.factor, x.factor), mode))
    return Form(_resized, (Source(0), grid, mode, None if mode.startswith("nearest") else y.align_corners), sized=True)


def _of_view(kernel: kernels.View, below: Pair, grid: Pair) -> Form:
    sides = iter(grid)
    shape = tuple(next(sides) if side is None else side for side in kernel.shape)
    return Form(_reshaped, (Source(0), shape), sized=True)


def _of_call(kernel: kernels.Point | kernels.Whole, below: Pair, grid: Pair) -> Form:
    return Form(kernel.func, kernel.args, kernel.kwargs, kernel.output, sized=True)


def _of_same(kernel: kernels.Same, below: Pair, grid: Pair) -> Form:
    return Form(_same, (Source(0),))


def _of_norm(kernel: kernels.ChannelNorm, below: Pair, grid: Pair) -> Form:
    return Form(_normalised, (Source(0), kernel.weight, kernel.bias, kernel.epsilon))


FORMS: dict[type[Kernel], Callable[[Any, Pair, Pair], Form]] = {
    kernels.Convolution: _of_convolution,
    kernels.MaxPool: _of_max_pool,
    kernels.AveragePool: _of_average,
    Switches: _of_switches,
    Unpool: _of_unpooling,
    kernels.Deconvolution: _of_deconvolution,
    kernels.Pad: _of_pad,
    kernels.Pick: _of_pick,
    kernels.Interpolate: _of_interpolation,
    kernels.View: _of_view,
    kernels.Point: _of_call,
    kernels.Whole: _of_call,
    kernels.Same: _of_same,
    kernels.ChannelNorm: _of_norm,
}
