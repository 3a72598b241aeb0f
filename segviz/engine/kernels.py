"""How an operation is computed on a part of its maps, so that a part equals the same part of the whole.

A kernel is given patches (regions of its inputs' maps) and the region that is wanted, and answers
with that region alone. Zeros, or minus infinity for a maximum, are added only where the map really
ends: so a tile of a padded network is the tile of the whole image and not a small image of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.regions import Region
from segviz.core.steps import Interval, Mirror, Resize, Taps, Transposed, Window
from segviz.engine import winograd
from segviz.engine.patches import MAPS, Patch, Weights, filled
from segviz.engine.quick import QUICKER

DENSE_WEIGHT = 2**24  # elements: a larger weight is a dense layer, and torch would lay it out anew at every call
DENSE_BLOCK = 2**23  # elements of the inputs that are laid side by side for such a layer at once

LAST = torch.channels_last
ONEDNN: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]

Pair = tuple[int, int]


# -------------------------------------------------------------------------------- windows that slide


@dataclass(frozen=True, eq=False)
class Slide:
    """What convolutions and poolings share: a window along y and one along x over maps of `size` (rows, columns)."""

    y: Window
    x: Window
    size: tuple[int, int]

    def _taken(self, patch: Patch, wanted: Region, fill: float) -> tuple[Tensor, tuple[int, int]]:
        """What the windows of `wanted` see, and the padding (y, x) that is still to be added on both sides of it."""
        seen = Region(self.y.back(wanted.y), self.x.back(wanted.x))
        inside = seen.within(*self.size)
        if inside is None:  # padding alone
            maps = patch.tensor
            return maps.new_full((*maps.shape[:2], *seen.shape), fill), (0, 0)
        taken = patch.cut(inside)
        pads = [(units.lo - all_.lo, all_.hi - units.hi) for units, all_ in zip(inside, seen, strict=True)]
        both = [before if before == after else 0 for before, after in pads]
        (top, bottom), (left, right) = ((b - same, a - same) for (b, a), same in zip(pads, both, strict=True))
        if top or bottom or left or right:
            taken = F.pad(taken, (left, right, top, bottom), value=fill)
        return taken, (both[0], both[1])

    @property
    def kernel(self) -> tuple[int, int]:
        return self.y.kernel, self.x.kernel

    @property
    def stride(self) -> tuple[int, int]:
        return self.y.stride, self.x.stride

    @property
    def dilation(self) -> tuple[int, int]:
        return self.y.dilation, self.x.dilation

    def spread(self, rate: tuple[int, int], size: tuple[int, int]) -> Slide:
        """The same windows on a map that has `rate` units for one, with stride 1: stride becomes dilation."""
        y, x = (
            Window(window.kernel, 1, window.dilation * r, window.before * r)
            for window, r in zip((self.y, self.x), rate, strict=True)
        )
        return replace(self, y=y, x=x, size=size)


@dataclass(frozen=True, eq=False)
class Convolution(Slide):
    """A convolution, or a dense layer as one: `weight` is then (outputs, inputs), the kernel as large as the map."""

    weight: Any
    bias: Any = None
    groups: int = 1

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        weight = weights[self.weight]
        bias = None if self.bias is None else weights[self.bias]
        channels = int(inputs[0].tensor.shape[1]) // self.groups
        if weight.dim() == 2 or tuple(weight.shape[1:]) != (channels, *self.kernel):
            weight = weight.view(weight.shape[0], channels, *self.kernel)
        taken, padding = self._taken(inputs[0], wanted, 0.0)
        if weight.numel() >= DENSE_WEIGHT and self.groups == 1 and padding == (0, 0) and self.stride == (1, 1):
            return self._as_product(taken, weight, bias)
        if weights.fast and winograd.suits(weight, self.stride, self.dilation, self.groups):
            spread = weights.prepared(("winograd", self.weight), lambda: winograd.transformed(weight))
            return winograd.convolve(taken, spread, bias, padding)
        laid = weights.prepared(("laid", self.weight, self.kernel), lambda: weight.contiguous(memory_format=LAST))
        return _convolved(taken, laid, bias, self.stride, padding, self.dilation, self.groups)

    def _as_product(self, taken: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Rows of windows laid flat, times the weight as it lies in the file: nothing of it is copied."""
        (k_y, k_x), (d_y, d_x) = self.kernel, self.dilation
        order = (1, 2, 0, 3, 4)  # rows, columns of the windows, then what a row of the weight holds, as it lies there
        if not weight.is_contiguous():  # channels last
            weight, order = weight.permute(0, 2, 3, 1), (1, 2, 3, 4, 0)
        flat = weight.reshape(weight.shape[0], -1).t()  # (C * k_y * k_x, outputs)
        rows = int(taken.shape[2]) - d_y * (k_y - 1)
        columns = int(taken.shape[3]) - d_x * (k_x - 1)
        at_once = max(1, DENSE_BLOCK // (columns * int(flat.shape[0])))
        out = taken.new_empty((1, rows, columns, int(flat.shape[1])))
        for first in range(0, rows, at_once):
            count = min(at_once, rows - first)
            part = taken[0, :, first : first + count + d_y * (k_y - 1)]
            windows = part.unfold(1, d_y * (k_y - 1) + 1, 1).unfold(2, d_x * (k_x - 1) + 1, 1)[..., ::d_y, ::d_x]
            laid = windows.permute(order).reshape(count * columns, -1)
            made = laid @ flat if bias is None else torch.addmm(bias, laid, flat)
            out[0, first : first + count] = made.view(count, columns, -1)
        return out.permute(0, 3, 1, 2)


def _convolved(
    maps: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Tensor:
    """One algorithm for maps of every size: `conv2d` takes another for small ones, whose sums end in other bits."""
    if maps.device.type == "cpu" and maps.dtype is torch.float32 and ONEDNN:
        return torch.mkldnn_convolution(maps, weight, bias, padding, stride, dilation, groups)
    return F.conv2d(maps, weight, bias, stride, padding, dilation, groups)


@dataclass(frozen=True, eq=False)
class MaxPool(Slide):
    """Max pooling; `ceil` says that its last windows may hang over the border."""

    ceil: bool = False

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        taken, padding = self._taken(inputs[0], wanted, -torch.inf)
        if self.stride != (1, 1) or taken.requires_grad:  # a gradient goes to one maximum, not to all that are equal
            halved = all(
                2 * pad <= d * (k - 1) + 1 for pad, d, k in zip(padding, self.dilation, self.kernel, strict=True)
            )
            if not halved:
                taken, padding = F.pad(taken, (padding[1],) * 2 + (padding[0],) * 2, value=-torch.inf), (0, 0)
            return F.max_pool2d(taken, self.kernel, self.stride, padding, self.dilation)
        if padding != (0, 0):
            taken = F.pad(taken, (padding[1], padding[1], padding[0], padding[0]), value=-torch.inf)
        for axis, window in zip(MAPS, (self.y, self.x), strict=True):
            taken = _slid(taken, axis, window, torch.maximum)
        return taken


@dataclass(frozen=True, eq=False)
class AveragePool(Slide):
    """Average pooling. What a window is divided by is torch's rule: padding counts or not, overhang never does.

    `ends` is where the padding behind the map ends, in units of the map.
    """

    counts_padding: bool = True
    divisor: int | None = None
    ends: tuple[int, int] = (0, 0)
    ceil: bool = False

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        taken, padding = self._taken(inputs[0], wanted, 0.0)
        if padding != (0, 0):
            taken = F.pad(taken, (padding[1], padding[1], padding[0], padding[0]))
        if self.stride == (1, 1):
            for axis, window in zip(MAPS, (self.y, self.x), strict=True):
                taken = _slid(taken, axis, window, torch.add)
        else:  # poolings of torch know no dilation, and with a stride none is asked for here
            taken = F.avg_pool2d(taken, self.kernel, self.stride, divisor_override=1)
        if self.divisor is not None:
            return taken / self.divisor
        rows, columns = (
            self._counted(window, units, size, end)
            for window, units, size, end in zip((self.y, self.x), wanted, self.size, self.ends, strict=True)
        )
        if len(set(rows)) == len(set(columns)) == 1:
            return taken / (rows[0] * columns[0])
        down = torch.tensor(rows, dtype=taken.dtype, device=taken.device)[:, None]
        return taken / (down * torch.tensor(columns, dtype=taken.dtype, device=taken.device))

    def _counted(self, window: Window, units: Interval, size: int, end: int) -> list[int]:
        """How many units of one axis each window is divided by; one number where it is the same for all."""
        low, high = (-window.before, end) if self.counts_padding else (0, size)
        start = units.lo * window.stride - window.before
        last = units.hi * window.stride - window.before + window.dilation * (window.kernel - 1)
        if low <= start and last < high:
            return [window.kernel]
        counts = []
        for unit in range(units.lo, units.hi + 1):
            first = unit * window.stride - window.before
            steps = range(first, first + window.dilation * window.kernel, window.dilation)
            counts.append(sum(low <= at < high for at in steps) or 1)
        return counts

    def spread(self, rate: tuple[int, int], size: tuple[int, int]) -> AveragePool:
        wide = super().spread(rate, size)
        assert isinstance(wide, AveragePool)
        behind = [(end - own) * r for end, own, r in zip(self.ends, self.size, rate, strict=True)]
        return replace(wide, ends=(size[0] + behind[0], size[1] + behind[1]))


def _slid(maps: Tensor, axis: int, window: Window, join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Windows of stride 1 along one axis, joined tap by tap: quicker than a dilated pooling of torch."""
    count = int(maps.shape[axis]) - window.dilation * (window.kernel - 1)
    out = maps.narrow(axis, 0, count)
    for tap in range(1, window.kernel):
        out = join(out, maps.narrow(axis, tap * window.dilation, count))
    return out


# ---------------------------------------------------------------------------- other ways to move


@dataclass(frozen=True, eq=False)
class Deconvolution:
    """A transposed convolution over maps of `size`."""

    y: Transposed
    x: Transposed
    size: tuple[int, int]
    weight: Any
    bias: Any = None
    groups: int = 1

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        steps = (self.y, self.x)
        seen = Region(self.y.back(wanted.y), self.x.back(wanted.x)).within(*self.size)
        weight = weights[self.weight]
        shape = (1, int(weight.shape[1]) * self.groups, *wanted.shape)
        out = inputs[0].tensor.new_zeros(shape)
        if seen is not None:
            stride, dilation = ((steps[0].stride, steps[1].stride), (steps[0].dilation, steps[1].dilation))
            made = F.conv_transpose2d(
                inputs[0].cut(seen), weight, None, stride, groups=self.groups, dilation=dilation
            )  # its unit 0 is unit seen.lo * stride - padding of the map
            first = [units.lo * step.stride - step.padding for units, step in zip(seen, steps, strict=True)]
            for axis, start, units in zip(MAPS, first, wanted, strict=True):
                made = _placed(made, axis, units.lo - start, units.hi - units.lo + 1)
            out = made
        return out if self.bias is None else out + weights[self.bias].view(1, -1, 1, 1)


def _placed(maps: Tensor, axis: int, start: int, count: int) -> Tensor:
    """Units start .. start + count of one axis, zeros where there are none."""
    size = int(maps.shape[axis])
    low, high = max(0, start), max(0, min(size, start + count))
    part = maps.narrow(axis, min(low, size), max(0, high - low))
    before, after = max(0, -start), max(0, start + count - size)
    pads = (before, after, 0, 0) if axis == 3 else (0, 0, before, after)
    return F.pad(part, pads) if before or after else part


@dataclass(frozen=True, eq=False)
class Pad:
    """Padding and cropping with a constant: `y` and `x` have the units in front, negative where they are cut off."""

    y: Window
    x: Window
    size: tuple[int, int]
    value: float = 0.0

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        below = Region(self.y.back(wanted.y), self.x.back(wanted.x))
        inside = below.within(*self.size)
        if inside is None:
            maps = inputs[0].tensor
            return maps.new_full((*maps.shape[:2], *wanted.shape), self.value)
        taken = inputs[0].cut(inside)
        pads = (
            inside.x.lo - below.x.lo, below.x.hi - inside.x.hi, inside.y.lo - below.y.lo, below.y.hi - inside.y.hi,
        )  # fmt: skip
        return F.pad(taken, pads, value=self.value) if any(pads) else taken

    def spread(self, rate: tuple[int, int], size: tuple[int, int]) -> Pad:
        y, x = (replace(w, before=w.before * r) for w, r in zip((self.y, self.x), rate, strict=True))
        return replace(self, y=y, x=x, size=size)


@dataclass(frozen=True, eq=False)
class Pick:
    """Each unit shows one unit below: strided slices, mirrored padding, nearest-neighbour interpolation."""

    y: Window | Mirror | Resize
    x: Window | Mirror | Resize

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        out = inputs[0].tensor
        for axis, step, units, have in zip(MAPS, (self.y, self.x), wanted, inputs[0].region, strict=True):
            shown = [step.back(Interval(unit, unit)).lo - have.lo for unit in range(units.lo, units.hi + 1)]
            out = out.index_select(axis, torch.tensor(shown, device=out.device))
        return out


@dataclass(frozen=True, eq=False)
class Interpolate:
    """Bilinear or bicubic interpolation: along each axis a unit mixes a few below, with torch's weights."""

    y: Resize
    x: Resize

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        out = inputs[0].tensor
        for axis, step, units, have in zip(MAPS, (self.y, self.x), wanted, inputs[0].region, strict=True):
            taps = _taps(step, units, out)
            shape = [1, 1, 1, 1]
            shape[axis] = units.hi - units.lo + 1
            parts = [out.index_select(axis, at.clamp(have.lo, have.hi) - have.lo) * s.view(shape) for at, s in taps]
            out = reduce(torch.add, parts)
        return out


def _taps(step: Resize, units: Interval, like: Tensor) -> list[tuple[Tensor, Tensor]]:
    """For every tap of an interpolation the units below, cut to the map, and their shares."""
    at = torch.arange(units.lo, units.hi + 1, dtype=torch.float64)
    place = at * step.ratio if step.align_corners else (at + 0.5) * step.ratio - 0.5
    if step.taps is Taps.BILINEAR:
        place = place.clamp(min=0)
    low = place.floor()
    near = place - low
    shares = [1 - near, near] if step.taps is Taps.BILINEAR else _cubic(near)
    first = 0 if step.taps is Taps.BILINEAR else -1
    top = step.size_in - 1
    return [((low.long() + first + k).clamp(0, top).to(like.device), share.to(like)) for k, share in enumerate(shares)]


def _cubic(near: Tensor) -> list[Tensor]:
    """Keys 1981 with a = -0.75, as torch has it."""
    a = -0.75

    def inner(t: Tensor) -> Tensor:
        return ((a + 2) * t - (a + 3)) * t * t + 1

    def outer(t: Tensor) -> Tensor:
        return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a

    return [outer(near + 1), inner(near), inner(1 - near), outer(2 - near)]


# ---------------------------------------------------------------------------- unit by unit, or whole


@dataclass(frozen=True, eq=False)
class Point:
    """Each unit from the same unit of the inputs; gates of one unit are spread. `shape` is of a view with y, x given.

    `inplace` is the same operation on its input's own memory, for an input that nobody needs again.
    """

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    output: int = 0
    inplace: Callable[..., Any] | None = None
    fresh: bool = False  # its result is memory of its own, not a view of its input

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        return self._run(self.func, inputs, wanted, weights)

    def run_over(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        """The same, written over its first input."""
        return self._run(self.inplace or self.func, inputs, wanted, weights)

    def _run(self, func: Callable[..., Any], inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        taken = [patch.tensor if patch.region.shape == (1, 1) else patch.cut(wanted) for patch in inputs]
        func = QUICKER.get(func, func) if weights.fast else func
        made = func(*filled(self.args, taken, weights), **filled(self.kwargs, taken, weights))
        return made if isinstance(made, Tensor) else made[self.output]


@dataclass(frozen=True, eq=False)
class View:
    """A reshape that leaves rows and columns alone: `shape` has None where they stand."""

    shape: tuple[int | None, ...]

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        sides = iter(wanted.shape)
        return inputs[0].cut(wanted).reshape([next(sides) if side is None else side for side in self.shape])


@dataclass(frozen=True, eq=False)
class Same:
    """The input itself: what a flatten is to a convolution, and dropout to a network at work."""

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        return inputs[0].cut(wanted)


@dataclass(frozen=True, eq=False)
class ChannelNorm:
    """Layer normalisation over the channels of every unit: what it is to a classifier's vector."""

    weight: Any
    bias: Any
    epsilon: float

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        last = inputs[0].cut(wanted).permute(0, 2, 3, 1)
        gain, shift = (None if w is None else weights[w] for w in (self.weight, self.bias))
        return F.layer_norm(last, last.shape[-1:], gain, shift, self.epsilon).permute(0, 3, 1, 2)


@dataclass(frozen=True, eq=False)
class Whole:
    """An operation that takes whole maps: global pooling, flatten, attention. `y`, `x`: the region is cut out after."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    axes: tuple[int, int] | None = None  # of its result, None where that is no map
    output: int = 0

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        taken = [patch.tensor for patch in inputs]
        made = self.func(*filled(self.args, taken, weights), **filled(self.kwargs, taken, weights))
        made = made if isinstance(made, Tensor) else made[self.output]
        if self.axes is None:
            return made
        everything = Region(*(Interval(0, int(made.shape[axis]) - 1) for axis in self.axes))
        return Patch(made, everything, self.axes).cut(wanted)
