"""What a network does, written down while it runs once on tensors without values: the recorder behind `engine/graph`.

Every ATen operation passes by with the module that called it. Operations on values are what a trace
is made of, so one that writes over its input is recorded as the same operation that makes a new
tensor; what else changes by it, `writes` follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from segviz.core.errors import SegvizError
from segviz.core.field import Node
from segviz.core.steps import IDENTITY
from segviz.engine import heads
from segviz.engine.heads import Head, Place
from segviz.engine.kernels import Same
from segviz.engine.patches import MAPS, Kernel, Source, Weight, Weights, filled
from segviz.engine.rules import found_of
from segviz.engine.stand_ins import OF_A_SIZE, PROCESSOR, each, on_meta, on_processor, picked_by_numbers
from segviz.engine.uses import Found, Use, Value, hw
from segviz.engine.writes import Memory, Unrecorded, by_name, without_writing, written_by


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
        self.nodes: list[Node] = [Node((), IDENTITY, IDENTITY, *first.grid)]
        self.values: list[Value] = [first]
        self.operations: list[Operation] = [Operation("image", Same(), (), image.numel())]
        self.made_by: dict[int, int] = {id(image): 0}  # tensor to node
        self.named: dict[int, str | int] = {id(tensor): name for name, tensor in state.items()}
        self.kept: list[Any] = [state]  # ids stay unique while their tensors live
        self.made: list[Made] = []
        self.calls: list[Call] = []
        self.open: list[Call] = []
        self.places: list[Place] = []
        self.memory = Memory(self._record, self._become)
        self.taken: dict[int, list[Tensor]] = {}  # constants in the record, by their memory
        self._head = head
        self._ends = 0  # of the maps, so far

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Not needed, since nothing is compiled here; guarding against it imports a compiler for seconds."""
        return False

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func is torch.ops.aten.detach_.default:  # nothing is written
            return args[0]
        for tensor in tensors_of((args, given)):
            self.memory.refresh(tensor)
        args = picked_by_numbers(func, args, lambda tensor: not tensor.is_meta and id(tensor) not in self.made_by)
        if not func._schema.is_mutable:
            return self._record(func, args, given)
        if not (self._depends((args, given)) or self._has_weights(tensors_of((args, given)))):
            self._own_what_was_taken(tensors_of((args, given)))
            return func(*args, **given)
        target = written_by(func, args, given)
        made = self._written(func, target, args, given)
        if made is not target:  # a dropout at work leaves it as it is
            self._wrote(target, made)
        return target

    def refresh(self, tensor: Tensor) -> None:
        """Give a tensor that leaves a module the value that it has by what was written into its memory."""
        if self.memory.is_stale(tensor):
            with _disable_current_modes():
                self.memory.refresh(tensor)

    def _depends(self, value: Any) -> bool:
        return any(id(tensor) in self.made_by for tensor in tensors_of(value))

    def _has_weights(self, tensors: Iterable[Tensor]) -> bool:
        """Whether any of them is a parameter or made of one: these, like the image, have no values."""
        return any(tensor.is_meta for tensor in tensors)

    def _wrote(self, target: Tensor, made: Tensor) -> None:
        """`target` was written to, and has the value of `made` now."""
        self.memory.wrote(target, made)

    def _written(self, func: OpOverload, target: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """What an operation writes, as a tensor of its own."""
        source = args[1] if func is torch.ops.aten.copy_.default else None
        if isinstance(source, Tensor) and id(source) in self.made_by:  # nothing is left of what was there
            if source.shape != target.shape:
                source = self._spread(source, target.shape)
            if source.dtype != target.dtype:
                source = self._record(torch.ops.aten.to.dtype, (source, target.dtype), {})
            return source if source is not args[1] else self._record(torch.ops.aten.clone.default, (source,), {})
        made = self._record(without_writing(func), args, kwargs)
        return made if isinstance(made, Tensor) else made[0]

    def _spread(self, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        """A tensor as it is broadcast to `shape`."""
        more = len(shape) - tensor.dim()
        own = [0] * more + list(tensor.shape)
        sides = [-1 if side == mine else int(side) for side, mine in zip(shape, own, strict=True)]
        return self._record(torch.ops.aten.expand.default, (tensor, sides), {})  # type: ignore[no-any-return]

    def _met(self, args: Any, kwargs: Any, output: Tensor) -> tuple[Any, Any]:
        """Arguments that go unit by unit, maps of one row or column spread first; a gate of one unit stays."""
        taken = [(t, self.values[self.made_by[id(t)]]) for t in tensors_of((args, kwargs)) if id(t) in self.made_by]
        maps = [(tensor, value.grid, value.axes) for tensor, value in taken if value.axes and not value.stands_for]
        several = len({grid for _, grid, _ in maps}) > 1
        spread: dict[int, Tensor] = {}
        for tensor, grid, axes in maps:
            shape = list(tensor.shape)
            for axis in axes:
                shape[axis] = int(output.shape[axis - tensor.dim()])
            if shape != list(tensor.shape) and not (several and grid == (1, 1)):
                spread[id(tensor)] = self._spread(tensor, shape)
        return each((args, kwargs), lambda part: spread.get(id(part), part)) if spread else (args, kwargs)

    def _become(self, tensor: Tensor, value: Tensor) -> None:
        """`tensor` has the value of another from now on."""
        self.kept.extend((tensor, value))
        self.made_by.pop(id(tensor), None)
        self.named.pop(id(tensor), None)
        if id(value) in self.made_by:
            self.made_by[id(tensor)] = self.made_by[id(value)]
        else:
            self.named[id(tensor)] = self.named[id(value)]

    def _own_what_was_taken(self, constants: Iterable[Tensor]) -> None:
        """Before one of these is written to: what the record has taken of them keeps the value that it had."""
        for constant in constants:
            for alias in self.taken.pop(constant.untyped_storage()._cdata, ()):
                alias.data = alias.clone()

    def _record(self, func: OpOverload, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Run an operation that writes to nothing, and enter what it does."""
        tensors = list(tensors_of((args, kwargs)))
        of_a_size = func.overloadpacket.__name__ in OF_A_SIZE
        depends = not of_a_size and self._depends((args, kwargs))
        constant = of_a_size or not (depends or self._has_weights(tensors))
        result = self._computed(func, args, kwargs, constant)
        outputs = list(tensors_of(result))
        if depends and outputs and torch.Tag.pointwise in func.tags:
            args, kwargs = self._met(args, kwargs, outputs[0])
        self.kept.extend(outputs)
        if tensors and outputs:
            self.memory.note((func, args, kwargs), tensors[0], outputs)
        if depends:
            return self._entered(func, args, kwargs, result, outputs)
        if outputs and not constant:  # of parameters alone: a rescaled kernel, a table of positions
            call, options = self._mapped((args, dict(kwargs)), [])
            for number, output in enumerate(outputs):
                self.named[id(output)] = len(self.made)
                self.made.append(Made(func, call, options, number))
        return result

    def _computed(self, func: OpOverload, args: tuple[Any, ...], kwargs: Mapping[str, Any], constant: bool) -> Any:
        """The results of an operation, without values unless they are `constant`: the same for all images."""
        if constant:
            sized = func.overloadpacket.__name__ in OF_A_SIZE
            return func(*on_processor(args), **on_processor(kwargs) | ({"device": PROCESSOR} if sized else {}))
        if func.is_view and not self._has_weights(tensors_of((args, kwargs))):  # of a constant that was written to
            return func(*args, **kwargs)
        return func(*on_meta(args), **on_meta(kwargs))

    def _entered(
        self, func: OpOverload, args: tuple[Any, ...], kwargs: Mapping[str, Any], result: Any, outputs: list[Tensor]
    ) -> Any:
        """Enter the results of an operation that depends on the image; answers with what the author goes on with."""
        sources: list[int] = []
        call, options = self._mapped((args, dict(kwargs)), sources)
        inputs = tuple(self.values[index] for index in sources)
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
            if id(value) in self.named:
                return Weight(self.named[id(value)])
            return self._taken(value)
        if isinstance(value, dict):
            return {key: self._mapped(item, sources) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._mapped(item, sources) for item in value)
        return value

    def _taken(self, constant: Tensor) -> Tensor:
        """A constant for the record, which may be written to later. Raises SegvizError where it has no values."""
        if constant.is_meta:
            raise Unrecorded(
                "it takes a tensor that is neither a parameter nor a buffer of it, made in a way that segviz does not "
                "see: register it as a buffer"
            )
        alias = constant.detach()
        self.taken.setdefault(constant.untyped_storage()._cdata, []).append(alias)
        return alias

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
                doubt=found.doubt,
                mixed=found.mixed,
                ceil=found.ceil,
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


def tensors_of(value: Any) -> Iterator[Tensor]:
    """All tensors in arguments or results."""
    return (part for part in flat(value) if isinstance(part, Tensor))


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
        for tensor in tensors_of(output):
            recorder.refresh(tensor)
        made = [t for t in tensors_of(output) if id(t) in recorder.made_by]
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
