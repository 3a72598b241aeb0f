"""Any `nn.Module` that takes an image -> its traced graph: operations, layers, shapes, costs, geometry.

The network runs once on tensors of the `meta` device, which have shapes but no values, while every
ATen operation is recorded with the module that called it. So control flow is resolved for the size
at hand (TensorFlow's SAME padding moves with it), nothing is computed, and layers keep the names
that their author gave them. What is recorded can be computed again, whole or in parts
(`engine/flow`): layers written as modules and as functions are alike to it.

Recorded in inference mode, where operations come as they were written; otherwise PyTorch would take
them apart before they can be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from segviz.core.errors import SegvizError
from segviz.core.field import Geometry, Node
from segviz.core.regions import Region
from segviz.core.requests import Layer
from segviz.core.steps import SAME, Resize, Transposed
from segviz.engine import heads
from segviz.engine.heads import Head, Place
from segviz.engine.kernels import Same
from segviz.engine.mismatches import reason_of
from segviz.engine.patches import MAPS, Kernel, Source, Weight
from segviz.engine.rules import found_of
from segviz.engine.stand_ins import OF_A_SIZE, PROCESSOR, on_meta, on_processor, stood_in
from segviz.engine.uses import Found, Use, Value, hw

WORKSPACE = 1.5  # of the outputs alive: what convolutions lay out besides, measured on 24 megapixels


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
    """A tensor made of parameters alone, once for all images: `func` of tensors, parameters and such."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Trace:
    """A network traced on one input size. `operations[i]` belongs to `geometry.nodes[i]`, the image being number 0.

    `output` is the node of the logits, which are maps if `answers_maps` (or stand for them). `places` are
    where its maps end, on the native input.
    """

    geometry: Geometry
    calls: tuple[Call, ...]
    operations: tuple[Operation, ...]
    axes: tuple[tuple[int, int], ...] = ()  # dimensions of y and x of each node's tensor
    made: tuple[Made, ...] = ()
    output: int = 0
    answers_maps: bool = True
    places: tuple[Place, ...] = ()

    @property
    def macs(self) -> int:
        return sum(operation.macs for operation in self.operations)

    def macs_of(self, parts: Mapping[int, Region]) -> int:
        """Multiplications of a part of each of these nodes' maps."""
        total = 0
        for index, part in parts.items():
            node, (rows, columns) = self.geometry.nodes[index], part.shape
            total += self.operations[index].macs * rows * columns // (node.height * node.width)
        return total

    def call(self, name: str) -> Call:
        wanted = self.geometry.last if name == "last" else name
        found = next((call for call in self.calls if call.name == wanted), None)
        if found is None:
            self.geometry.index(name)  # raises with the names there are
            raise SegvizError(f"layer '{name}' makes no feature maps in this network")
        return found

    @property
    def padded(self) -> int:
        """How many operations see zeros in place of pixels at the border."""
        return sum(operation.pads for operation in self.operations)

    @property
    def overhanging(self) -> int:
        """How many poolings in ceil mode hang over their input's border at this size."""
        return sum(operation.overhangs for operation in self.operations)

    @property
    def peak_bytes(self) -> int:
        """About what a forward pass holds at once, in float32: every output until its last use, skips included."""
        nodes = self.geometry.nodes
        last_use = {source: index for index, node in enumerate(nodes) for source in (*node.inputs, *node.gates)}
        alive, peak = 0, 0
        ending: dict[int, int] = {}  # elements that are let go after an operation
        for index, operation in enumerate(self.operations):
            alive += operation.elements
            peak = max(peak, alive)
            end = last_use.get(index, index)
            ending[end] = ending.get(end, 0) + operation.elements
            alive -= ending.pop(index, 0)
        return int(4 * peak * WORKSPACE)


def trace(network: nn.Module, shape: tuple[int, int, int], head: Head | None = None) -> Trace:
    """Trace `network` on an input of `shape` (C, H, W), with `head` as a fully convolutional network.

    The network is left as it was. Raises SegvizError when it does not run on that size, with what it
    said, and when a layer cannot be made convolutional.
    """
    channels, height, width = shape
    with torch.inference_mode():
        state = {
            name: torch.empty_like(tensor, device="meta")
            for name, tensor in (*network.named_parameters(), *network.named_buffers())
        }
        kind = next((tensor.dtype for tensor in state.values() if tensor.is_floating_point()), None)
        image = torch.empty((1, channels, height, width), device="meta", dtype=kind)
        recorder = _Recorder(image, state, head)
        output = _recorded(network, state, image, recorder)
    return _finish(recorder, first_tensor(output), height, width)


def _recorded(network: nn.Module, state: dict[str, Tensor], image: Tensor, recorder: _Recorder) -> Any:
    with _calls_recorded(network, recorder), stood_in(network, state), recorder:
        try:
            return network(image)
        except SegvizError:
            raise
        except Exception as error:  # the edge: the network is a stranger's code
            size = "x".join(str(side) for side in image.shape[1:])
            where = f" at layer '{recorder.open[-1].name}'" if recorder.open else ""
            message = f"the network does not run on {size}: it breaks{where} ({reason_of(error)})"
            raise SegvizError(message, repr(error)) from error


def first_tensor(output: Any) -> Tensor:
    """The logits of a network's output: the tensor itself, or the first of a tuple, list or dict."""
    while not isinstance(output, Tensor):
        values = list(output.values()) if isinstance(output, dict) else list(output)
        if not values:
            raise SegvizError(f"the network answers with an empty {type(output).__name__}, not with logits")
        output = values[0]
    return output


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types for it
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
        depends = any(isinstance(t, Tensor) and id(t) in self.made_by for t in _flat((args, kwargs)))
        sources: list[int] = []
        call, options = self._mapped((args, kwargs), sources)  # before it runs: it may write over its input
        inputs = tuple(self.values[index] for index in sources)
        of_a_size = func.overloadpacket.__name__ in OF_A_SIZE
        if of_a_size or not any(isinstance(t, Tensor) and t.is_meta for t in _flat((args, kwargs))):
            return func(*on_processor(args), **on_processor(kwargs) | ({"device": PROCESSOR} if of_a_size else {}))
        result = func(*on_meta(args), **on_meta(kwargs))
        outputs = [t for t in _flat(result) if isinstance(t, Tensor)]
        self.kept.extend(outputs)
        if not depends:
            if any(t.is_meta for t in outputs):  # of parameters alone: a rescaled kernel, a table of positions
                self.made.append(Made(func, call, options))
                self.named[id(outputs[0])] = len(self.made) - 1
            return result
        names, given = _by_name(func, call, options), _by_name(func, args, kwargs)
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


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _flat(item)
    else:
        yield value


def _by_name(func: torch._ops.OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of an operation by their names, defaults included."""
    arguments = func._schema.arguments
    named = {a.name: a.default_value for a in arguments if a.has_default_value()}
    named |= {a.name: value for a, value in zip(arguments, args, strict=False)}
    return named | kwargs


@contextmanager
def _calls_recorded(network: nn.Module, recorder: _Recorder) -> Iterator[None]:
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
        made = [t for t in _flat(output) if isinstance(t, Tensor) and id(t) in recorder.made_by]
        if made:
            call.output = recorder.made_by[id(made[0])]
            call.output_shape = _shown_shape(recorder.values[call.output])

    try:
        for name, module in network.named_modules():
            if name:
                handles.append(module.register_forward_pre_hook(enter(name)))
                handles.append(module.register_forward_hook(leave))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _shown_shape(value: Value) -> tuple[int, ...]:
    """The shape of a layer's output without the batch: of the map, where a vector stands for one."""
    return (value.channels, *value.grid) if value.stands_for else tuple(value.tensor.shape[1:])


def _finish(recorder: _Recorder, logits: Tensor, height: int, width: int) -> Trace:
    calls = tuple(call for call in recorder.calls if call.output is not None)
    if id(logits) not in recorder.made_by or not calls:
        raise SegvizError("the network's answer does not depend on its input, or it has no layers to show")
    final = recorder.made_by[id(logits)]
    if all(call.output != final for call in calls):  # it ends in a function, which has no module's name
        calls = (*calls, _functional_end(recorder, final, {call.name for call in calls}))
    leaves = [call for call in calls if call.leaf]
    last = next((call.name for call in reversed(leaves) if call.output == final), leaves[-1].name)
    names = tuple((call.name, int(call.output or 0)) for call in calls)
    geometry = Geometry(height, width, tuple(recorder.nodes), names, last)
    operations = _counted_for_leaves(recorder.operations)
    axes = tuple(MAPS if value.stands_for else value.axes or MAPS for value in recorder.values)
    maps = recorder.values[final].axes is not None or recorder.values[final].stands_for
    return Trace(geometry, calls, operations, axes, tuple(recorder.made), final, maps, tuple(recorder.places))


def _functional_end(recorder: _Recorder, final: int, taken: set[str]) -> Call:
    """What the author's code does after its last module, as a layer of its own."""
    name = next(name for name in ("output", "answer", *map(str, range(len(taken) + 1))) if name not in taken)
    return Call(name, nn.Identity(), 0, True, final, _shown_shape(recorder.values[final]))


def _counted_for_leaves(operations: list[Operation]) -> tuple[Operation, ...]:
    """What is done between two leaves (activations written as functions, sums) counts for the leaf after it."""
    counted, leaf = [], next((op.layer for op in reversed(operations) if op.layer), "")
    for operation in reversed(operations):
        leaf = operation.layer or leaf
        counted.append(replace(operation, layer=leaf))
    return tuple(reversed(counted))


def describe_layers(traced: Trace, fields: Geometry | None = None) -> tuple[Layer, ...]:
    """The layers of a trace for people. `fields` may give the receptive fields of another form."""
    counted: set[nn.Module] = set()
    layers = []
    for call in traced.calls:
        first = call.module not in counted
        counted.add(call.module)
        parameters = sum(p.numel() for p in call.module.parameters()) if first else 0
        layers.append(_described(call, parameters, fields or traced.geometry))
    return tuple(layers)


@dataclass(frozen=True, slots=True)
class _Facts:
    size: tuple[float, float] | None = None
    stride: tuple[float, float] | None = None
    start: tuple[float, float] | None = None
    status: str = "unknown"


def _described(call: Call, parameters: int, geometry: Geometry) -> Layer:
    facts = _facts(geometry, call.name) if call.name in dict(geometry.layers) else _Facts()
    return Layer(
        name=call.name,
        type=type(call.module).__name__,
        depth=call.depth,
        leaf=call.leaf,
        output_shape=call.output_shape,
        parameters=parameters,
        macs=call.macs,
        size=facts.size,
        stride=facts.stride,
        start=facts.start,
        status=facts.status,
    )


PHASES = 32  # units looked at: after an upsampling a field's size depends on the unit's phase


def _facts(geometry: Geometry, layer: str) -> _Facts:
    """Size (y, x) of the largest fields about the middle of the grid, stride (y, x), centre (x, y) of unit 0."""
    rows, columns = geometry.grid(layer)
    found = [geometry.field(layer, rows // 2, columns // 2)]
    if any(isinstance(node.y, (Resize, Transposed)) for node in geometry.nodes[: geometry.index(layer) + 1]):
        places = ((min(rows // 2 + k, rows - 1), min(columns // 2 + k, columns - 1)) for k in range(PHASES))
        found = [geometry.field(layer, *place) for place in places]
    law_y, law_x = geometry.laws(layer)
    start = geometry.field(layer, 0, 0).center
    size = max(field.box.height for field in found), max(field.box.width for field in found)
    return _Facts(size, (law_y.stride, law_x.stride), start, found[0].status.value)
