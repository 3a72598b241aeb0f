"""One use of an operation while a network is traced, and what is found out of it: the words that rules speak in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from segviz.core.field import Status
from segviz.core.steps import IDENTITY, Step, Window
from segviz.engine import kernels
from segviz.engine.patches import MAPS, Kernel, Source
from segviz.engine.unpooling import Switches

Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Value:
    """What is known of a tensor that depends on the image.

    `axes` are its dimensions of y and x, None for a vector. `grid` is rows and columns of the maps
    that it really is: a classifier's vector, once the network has been made convolutional, `stands_for`
    a map; the tensor then keeps the shape that the author's code expects, and `spans` is the map that
    was laid flat in it, for the dense layer that comes next. `switches` is the pooling that found the
    places which this tensor holds.
    """

    tensor: Tensor
    grid: Pair
    axes: Pair | None
    stands_for: bool = False
    spans: Pair = (1, 1)
    switches: Switches | None = None
    positions: int = 1  # of the largest map that it is made of, where it has lost its axes

    @property
    def channels(self) -> int:
        rows, columns = self.spans if self.axes is None else hw(self.tensor, self.axes)
        return self.tensor.numel() // max(1, rows * columns)


@dataclass(frozen=True, eq=False)
class Found:
    """What a rule says of an operation. `grid` and `axes` None: those of the output's tensor, as far as it has any.

    `stand_in` is the shape that the author's code goes on with, where that is not the operation's own.
    """

    kernel: Kernel
    y: Step = IDENTITY
    x: Step = IDENTITY
    grid: Pair | None = None
    axes: Pair | None = None
    stands_for: bool = False
    spans: Pair = (1, 1)
    switches: Switches | None = None
    stand_in: tuple[int, ...] | None = None
    macs: int = 0
    pads: bool = False
    overhangs: bool = False
    whole: bool = False
    mixed: bool = False
    reason: str = ""
    doubt: Status = Status.UNKNOWN
    ceil: bool = False


@dataclass(frozen=True, eq=False)
class Use:
    """One use of an operation.

    `args` are its arguments by name, tensors as names of `kernels`; `given` the same with the tensors
    themselves; `call` and `options` the arguments as they were passed. `inputs` depend on the image.
    """

    func: Callable[..., Any]
    args: Mapping[str, Any]
    given: Mapping[str, Any]
    call: tuple[Any, ...] = field(repr=False)
    options: Mapping[str, Any]
    inputs: tuple[Value, ...]
    output: Tensor
    number: int = 0  # of this output among the operation's

    @property
    def main(self) -> Value:
        return self.inputs[0]

    @property
    def axes(self) -> Pair:
        """Dimensions of y and x of the first input; those of maps where it is a vector."""
        return self.main.axes or MAPS

    @property
    def name(self) -> str:
        return str(self.func._schema.name).removeprefix("aten::")  # type: ignore[attr-defined]

    @property
    def constants(self) -> list[Tensor]:
        """Tensors spread over the output that are the same for every image: parameters, masks, positions."""
        if "prelu" in self.name:  # its weight is one number a channel
            return []
        return [t for key, t in self.given.items() if isinstance(t, Tensor) and not isinstance(self.args[key], Source)]

    @property
    def fresh(self) -> bool:
        """Whether the result has memory of its own."""
        return torch.Tag.pointwise in self.func.tags or self.name in OWN_MEMORY  # type: ignore[attr-defined]

    def point(self, axes: Pair | None = None, **more: Any) -> Found:
        """Unit by unit, with the author's own operation."""
        shown = axes if axes is not None else self.main.axes
        kernel = kernels.Point(
            functional(self.func), self.call, self.options, self.number, inplace(self.func), self.fresh
        )
        grid, stands, spans = None, self.main.stands_for, self.main.spans
        if stands:
            grid = self.main.grid
        return Found(kernel, grid=grid, axes=shown, stands_for=stands, spans=spans, **more)

    def all_of_it(self, axes: Pair | None = None, **more: Any) -> Found:
        """Whole maps, with the author's own operation; steps that take everything."""
        kernel = kernels.Whole(functional(self.func), self.call, self.options, axes, self.number)
        rows, columns = self.main.grid
        steps = {"y": Window(rows), "x": Window(columns)} | more
        return Found(kernel, axes=axes, mixed=True, **steps)


def two(value: Any, default: int = 1) -> Pair:
    """An argument that may be one number, two, or left out, as (y, x)."""
    if value is None or (isinstance(value, Sequence) and not value):
        return default, default
    if isinstance(value, Sequence):
        return (int(value[0]), int(value[-1]))
    return int(value), int(value)


def hw(tensor: Tensor, axes: Pair | None) -> Pair:
    """Height and width of a map; a vector of features is a map of one unit."""
    return (1, 1) if axes is None else (int(tensor.shape[axes[0]]), int(tensor.shape[axes[1]]))


def functional(func: Any) -> Any:
    """The operation that leaves its input alone, for one that writes over it, and takes it in any layout."""
    if func is torch.ops.aten.view.default:  # of maps in another layout it would be refused
        return torch.ops.aten.reshape.default
    packet, _, overload = str(func).removeprefix("aten.").partition(".")
    if not packet.endswith("_") or packet.startswith("_"):
        return func
    plain = getattr(torch.ops.aten, packet[:-1], None)
    found = getattr(plain, overload, None) if plain is not None else None
    return found or getattr(plain, "default", func)


def inplace(func: Any) -> Any | None:
    """The operation that writes over its first input, None where there is none or it would change its type."""
    packet, _, overload = str(functional(func)).removeprefix("aten.").partition(".")
    over = getattr(torch.ops.aten, f"{packet}_", None)
    return getattr(over, overload, None) if over is not None and packet in OVERWRITES else None


OWN_MEMORY = {"batch_norm", "linear", "prelu", "relu6", "hardswish", "cat", "softmax"}
OVERWRITES = {"relu", "hardtanh", "tanh", "sigmoid", "hardswish", "silu", "leaky_relu", "elu", "add", "clamp"}
