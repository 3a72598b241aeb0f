"""Parts of maps, the names of tensors in an operation's arguments, and what a kernel is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from segviz.core.regions import Region

MAPS = (2, 3)  # dimensions of y and x in (N, C, H, W)


@dataclass(frozen=True, eq=False)
class Patch:
    """A region of a node's maps. `tensor` has their rows and columns in the dimensions `axes`."""

    tensor: Tensor
    region: Region
    axes: tuple[int, int] = MAPS

    def cut(self, wanted: Region) -> Tensor:
        """The part `wanted`, which must lie inside; a view, no copy."""
        out = self.tensor
        for axis, mine, its in zip(self.axes, self.region, wanted, strict=True):
            if mine != its:
                out = out.narrow(axis, its.lo - mine.lo, its.hi - its.lo + 1)
        return out


def as_maps(tensor: Tensor, axes: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Values on a grid of (rows, columns), these in the dimensions `axes`, as (C, H, W); a view where it can be.

    Groups of maps stand one after another. Values without a place in the image are maps of one unit.
    """
    if tensor.dim() > max(axes) and tuple(tensor.shape[axis] for axis in axes) == grid:
        tensor = tensor.movedim(axes, (-2, -1))
    return tensor.reshape(-1, *grid)


@dataclass(frozen=True, slots=True)
class Source:
    """In the arguments of an operation: its input number `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class Weight:
    """In the arguments of an operation: a parameter or buffer by its name, or what was made of such (a number)."""

    key: str | int


class Weights(Protocol):
    """The tensors that `Weight` names, and what was prepared of them once for all runs."""

    fast: bool

    def __getitem__(self, weight: Any) -> Any: ...

    def prepared(self, key: Any, make: Callable[[], Tensor]) -> Tensor: ...


class Kernel(Protocol):
    """Computes the region `wanted` of a node's map."""

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor: ...


def filled(value: Any, inputs: Sequence[Tensor], weights: Weights) -> Any:
    """Arguments with tensors in place of their names."""
    if isinstance(value, Source):
        return inputs[value.number]
    if isinstance(value, Weight | Tensor):
        return weights[value]
    if isinstance(value, Mapping):
        return {key: filled(item, inputs, weights) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(filled(item, inputs, weights) for item in value)
    return value
