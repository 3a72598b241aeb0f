"""Max-unpooling by recorded switches, region by region: where maxima were found, and values put back there.

Zeiler and Fergus 2014, section 2.1; Noh et al. 2015, section 3.2. A switch is torch's: the number row *
columns + column of a unit in the map that was pooled, whole. A region of switches is found in a part of
that map and counted in all of it, so that parts and whole agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.regions import Region
from segviz.core.steps import Transposed, Window
from segviz.engine.patches import Patch, Weights


@dataclass(frozen=True, eq=False)
class Switches:
    """The places (1, C, rows, columns) of the maxima that a pooling over maps of `size` finds; int64.

    Not one of the kernels that become dense by dilation: numbers of units would then be others.
    """

    y: Window
    x: Window
    size: tuple[int, int]
    ceil: bool = False

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        seen = Region(self.y.back(wanted.y), self.x.back(wanted.x))
        inside = seen.within(*self.size)
        if inside is None:
            raise RuntimeError("a window of max pooling lies in padding alone")
        pads = (inside.x.lo - seen.x.lo, seen.x.hi - inside.x.hi, inside.y.lo - seen.y.lo, seen.y.hi - inside.y.hi)
        taken = F.pad(inputs[0].cut(inside), pads, value=-torch.inf)
        windows = ((w.kernel, w.stride, w.dilation) for w in (self.y, self.x))
        kernel, stride, dilation = zip(*windows, strict=True)
        _, found = F.max_pool2d(taken, kernel, stride, 0, dilation, return_indices=True)
        columns = int(taken.shape[3])
        return (found // columns + seen.y.lo) * self.size[1] + found % columns + seen.x.lo


@dataclass(frozen=True, eq=False)
class Unpool:
    """Values (1, C, rows, columns) of maps of `size` at the places of their switches, in a map of `columns`."""

    y: Transposed
    x: Transposed
    size: tuple[int, int]
    columns: int

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        height, width = wanted.shape
        maps = inputs[0].tensor
        out = maps.new_zeros((1, int(maps.shape[1]), height * width + 1))  # the last is for what lies outside
        seen = Region(self.y.back(wanted.y), self.x.back(wanted.x)).within(*self.size)
        if seen is not None:
            values, places = (patch.cut(seen) for patch in inputs)
            rows, columns = places // self.columns - wanted.y.lo, places % self.columns - wanted.x.lo
            inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            at = torch.where(inside, rows * width + columns, height * width)
            out.scatter_(2, at.flatten(2), values.flatten(2))
        return out[:, :, :-1].view(1, -1, height, width).contiguous(memory_format=torch.channels_last)
