"""What becomes of a classifier's end when the network is made convolutional (lecture T16, T17, T19, T32).

A network is a classifier of one size where its maps end: in a flatten, or in a pooling to a fixed
number of units. These places are found once, on the native input. On another input a flatten then
leaves the maps as they are, for the dense layer behind it is a convolution as large as the map that
was laid flat (Long et al. 2015, section 3.1); a global average goes away, which leaves the class
activation map (Zhou et al. 2016), or becomes a sliding average of its native size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from segviz.core.choices import Pooling
from segviz.core.field import Node
from segviz.core.steps import Window
from segviz.engine import kernels
from segviz.engine.uses import Found, Pair, Use, hw


class End(StrEnum):
    """A place where maps end."""

    FLATTEN = "flatten"
    POOLING = "global average pooling"
    ADAPTIVE = "adaptive pooling"


@dataclass(frozen=True, slots=True)
class Place:
    """One such place: the node that it made, the map (rows, columns) it was given, and what it made of that."""

    kind: End
    node: int
    layer: str
    grid: Pair
    out: Pair


@dataclass(frozen=True, slots=True)
class Head:
    """The places of a network on its native input, in order; None for one that stays (the pooling of a gate)."""

    places: tuple[Place | None, ...]
    pooling: Pooling


def kind_of(use: Use) -> End | None:
    """Whether an operation ends the maps, and how."""
    main = use.main
    if main.stands_for or main.axes is None:
        return None
    if use.name in ("flatten", "view", "reshape") and use.output.dim() == 2:
        if main.grid[0] > 1 and use.output.shape == main.grid:  # one map without its channel
            return None
        return End.FLATTEN
    if use.name == "adaptive_avg_pool2d":
        return End.POOLING if hw(use.output, (2, 3)) == (1, 1) else End.ADAPTIVE
    if use.name == "mean":
        dims = use.args.get("dim") or ()
        size = main.tensor.dim()
        return End.POOLING if {int(d) % size for d in dims} == set(main.axes) else None
    return None


def ends_the_maps(nodes: Sequence[Node], index: int) -> bool:
    """Whether all that follows from node `index` follows from it alone: not so behind a gate's pooling."""
    behind = {index}
    for later in range(index + 1, len(nodes)):
        node = nodes[later]
        sources = {*node.inputs, *node.gates}
        if sources & behind:
            if not sources <= behind:
                return False
            behind.add(later)
    return True


def on_a_map(use: Use, place: Place, pooling: Pooling) -> Found:
    """What the operation at `place` is on maps of any size. Raises ValueError, with why, where it cannot be."""
    grid, axes = use.main.grid, use.output.dim() == 4
    shown = (2, 3) if axes else None
    if place.kind is End.FLATTEN:
        flat = use.main.channels * place.grid[0] * place.grid[1]
        return Found(kernels.Same(), grid=grid, stands_for=True, spans=place.grid, stand_in=(1, flat))
    if place.kind is End.POOLING:
        if pooling is not Pooling.WINDOW:
            return Found(kernels.Same(), grid=grid, axes=shown, stands_for=True)
        return _averaged(use, place.grid, (1, 1), shown)
    if place.out == place.grid:
        return Found(kernels.Same(), grid=grid, axes=shown, stands_for=True)
    sides = list(zip(place.grid, place.out, strict=True))
    if any(below % above for below, above in sides):
        raise ValueError(
            f"its adaptive pooling from {place.grid[0]}x{place.grid[1]} to {place.out[0]}x{place.out[1]} "
            "has windows of different sizes"
        )
    step = (place.grid[0] // place.out[0], place.grid[1] // place.out[1])
    return _averaged(use, step, step, shown)


def _averaged(use: Use, kernel: Pair, stride: Pair, axes: Pair | None) -> Found:
    y, x = (Window(*axis) for axis in zip(kernel, stride, strict=True))
    size = use.main.grid
    grid = tuple((n - k) // s + 1 for n, k, s in zip(size, kernel, stride, strict=True))
    made = kernels.AveragePool(y, x, size, ends=size)
    return Found(made, y, x, grid=(grid[0], grid[1]), axes=axes, stands_for=True)
