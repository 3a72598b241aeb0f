"""What a network does, written down while it runs once on tensors without values: the recorder behind `engine/graph`.

Every ATen operation passes by with the module that called it. Operations on values are what a trace
is made of, so one that writes over its input is recorded as the same operation that makes a new
tensor; what else changes by it, `writes` follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from segviz.core.errors import SegvizError
from segviz.core.field import Node
from segviz.core.steps import SAME
from segviz.engine import heads
from segviz.engine.heads import Head, Place
from segviz.engine.kernels import Same
from segviz.engine.patches import MAPS, Kernel, Source, Weight, Weights, filled
from segviz.engine.rules import found_of
from segviz.engine.stand_ins import OF_A_SIZE, PROCESSOR, on_meta, on_processor
from segviz.engine.uses import Found, Use, Value, hw


@dataclass(slots=True)
class Call:
    """One call of a module while the network was traced."""

    name: str
    module: nn.Module
    depth: int
    leaf: bool
    output: int | None = None
    output_shape: tuple[int, ...] = ()
    macs: int = 0


@dataclass(frozen=True, eq=False)
class Operation:
    """One recorded operation: `kernel` computes it from the nodes `sources`. `layer` is the leaf that it counts for."""

    name: str
    kernel: Kernel
    sources: tuple[int, ...]
    elements: int  # of its output
    layer: str = ""
    macs: int = 0
    pads: bool = False
    overhangs: bool = False


@dataclass(frozen=True, eq=False)
class Made:
    """A tensor made of parameters alone, once for all images: result `number` of `func` of parameters and such."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    number: int = 0

    def value(self, weights: Weights) -> Tensor:
        args, kwargs = (filled(part, (), weights) for part in (self.args, self.kwargs))
        made: Tensor | Sequence[Tensor] = self.func(*args, **kwargs)
        return made if isinstance(made, Tensor) else made[self.number]


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types for it
    """Notes every operation that depends on the image, and those on parameters alone that it takes."""

    def __init__(self, image: Tensor, state: dict[str, Tensor], head: Head | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        first = Value(image, hw(image, MAPS), MAPS)
        self.nodes: list[Node] = [Node((), SAME, SAME, *first.grid)]
        self.values: list[Value] = [first]
        self.operations: list[Operation] = [Operation("image", Same(), (), image.numel())]
        self.made_by: dict[int, int] = {id(image): 0}  # tensor to node
        self.named: dict[int, str | int] = {id(tensor): name for name, tensor in state.items()}
        self.kept: list[Any] = [state]  # ids stay unique while their tensors live
        self.made: list[Made] = []
        self.calls: list[Call] = []
        self.open: list[Call] = []
        self.places: list[Place] = []
        self._head = head
        self._ends = 0  # of the maps, so far

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Not needed, since nothing is compiled here; guarding against it imports a compiler for seconds."""
        return False

    def __torch_dispatch__(
        self,
        func: torch._ops.OpOverload,
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        depends = any(isinstance(t, Tensor) and id(t) in self.made_by for t in flat((args, kwargs)))
        sources: list[int] = []
        call, options = self._mapped((args, kwargs), sources)  # before it runs: it may write over its input
        inputs = tuple(self.values[index] for index in sources)
        of_a_size = func.overloadpacket.__name__ in OF_A_SIZE
        if of_a_size or not any(isinstance(t, Tensor) and t.is_meta for t in flat((args, kwargs))):
            return func(*on_processor(args), **on_processor(kwargs) | ({"device": PROCESSOR} if of_a_size else {}))
        result = func(*on_meta(args), **on_meta(kwargs))
        outputs = [t for t in flat(result) if isinstance(t, Tensor)]
        self.kept.extend(outputs)
        if not depends:
            if any(t.is_meta for t in outputs):  # of parameters alone: a rescaled kernel, a table of positions
                for number, output in enumerate(outputs):
                    self.named[id(output)] = len(self.made)
                    self.made.append(Made(func, call, options, number))
            return result
        names, given = by_name(func, call, options), by_name(func, args, kwargs)
        for number, output in enumerate(outputs):
            use = Use(func, names, given, call, options, inputs, output, number)
            tensor = self._add(use, self._found(use), tuple(sources))
            if tensor is not output:
                return tensor
        return result

    def _mapped(self, value: Any, sources: list[int]) -> Any:
        """Arguments with names in place of tensors; the nodes of those that depend on the image go to `sources`."""
        if isinstance(value, Tensor):
            if id(value) in self.made_by:
                sources.append(self.made_by[id(value)])
                return Source(len(sources) - 1)
            return Weight(self.named[id(value)]) if id(value) in self.named else value
        if isinstance(value, dict):
            return {key: self._mapped(item, sources) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._mapped(item, sources) for item in value)
        return value

    def _found(self, use: Use) -> Found:
        """What the rules say, or, where the maps end, what becomes of that end."""
        kind = heads.kind_of(use)
        if kind is None:
            return found_of(use)
        number, self._ends = self._ends, self._ends + 1
        if self._head is None:
            layer = self.open[-1].name if self.open else ""
            out = hw(use.output, MAPS) if use.output.dim() == 4 else (1, 1)
            self.places.append(Place(kind, len(self.nodes), layer, use.main.grid, out))
            return found_of(use)
        place = self._head.places[number] if number < len(self._head.places) else None
        if place is None:
            return found_of(use)
        try:
            return heads.on_a_map(use, place, self._head.pooling)
        except ValueError as error:
            raise SegvizError(f"layer '{place.layer}' cannot become a convolution: {error}") from error

    def _add(self, use: Use, found: Found, sources: tuple[int, ...]) -> Tensor:
        """Enter one operation; returns the tensor that the author's code goes on with."""
        tensor = use.output if found.stand_in is None else use.output.new_empty(found.stand_in)
        grid = hw(tensor, found.axes) if found.grid is None else found.grid
        if min(grid) < 1:
            raise RuntimeError(f"its maps of {use.main.grid[0]}x{use.main.grid[1]} units are too small")
        positions = max(v.positions if v.axes is None else v.grid[0] * v.grid[1] for v in use.inputs)
        value = Value(tensor, grid, found.axes, found.stands_for, found.spans, found.switches, positions)
        self.kept.append(tensor)
        distinct = tuple(dict.fromkeys(sources))
        small = [index for index in distinct if self.values[index].grid == (1, 1)]
        gates = tuple(small) if grid != (1, 1) and 0 < len(small) < len(distinct) else ()
        self.nodes.append(
            Node(
                inputs=tuple(index for index in distinct if index not in gates),
                y=found.y,
                x=found.x,
                height=grid[0],
                width=grid[1],
                gates=gates,
                whole=found.whole,
                reason=found.reason,
                mixed=found.mixed,
            )
        )
        self.values.append(value)
        self.made_by[id(tensor)] = len(self.nodes) - 1
        layer = self.open[-1].name if self.open and self.open[-1].leaf else ""
        elements = value.channels * grid[0] * grid[1]
        self.operations.append(
            Operation(use.name, found.kernel, sources, elements, layer, found.macs, found.pads, found.overhangs)
        )
        for call in self.open:
            call.macs += found.macs
        return tensor


def flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from flat(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from flat(item)
    else:
        yield value


def by_name(func: torch._ops.OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of an operation by their names, defaults included."""
    arguments = func._schema.arguments
    named = {a.name: a.default_value for a in arguments if a.has_default_value()}
    named |= {a.name: value for a, value in zip(arguments, args, strict=False)}
    return named | kwargs


@contextmanager
def calls_recorded(network: nn.Module, recorder: Recorder) -> Iterator[None]:
    """Hooks on every submodule for as long as the block runs."""
    handles = []
    seen: dict[str, int] = {}

    def enter(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...]) -> None:
            seen[name] = seen.get(name, 0) + 1
            shown = name if seen[name] == 1 else f"{name}#{seen[name]}"
            leaf = next(module.children(), None) is None
            call = Call(shown, module, name.count("."), leaf)
            recorder.calls.append(call)
            recorder.open.append(call)

        return hook

    def leave(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        call = recorder.open.pop()
        made = [t for t in flat(output) if isinstance(t, Tensor) and id(t) in recorder.made_by]
        if made:
            call.output = recorder.made_by[id(made[0])]
            call.output_shape = shown_shape(recorder.values[call.output])

    try:
        for name, module in network.named_modules():
            if name:
                handles.append(module.register_forward_pre_hook(enter(name)))
                handles.append(module.register_forward_hook(leave))
        yield
    finally:
        for handle in handles:
            handle.remove()


def shown_shape(value: Value) -> tuple[int, ...]:
    """The shape of a layer's output without the batch: of the map, where a vector stands for one."""
    return (value.channels, *value.grid) if value.stands_for else tuple(value.tensor.shape[1:])
