"""Any `nn.Module` that takes an image -> its traced graph: operations, layers, shapes, costs, geometry.

The network runs once on tensors of the `meta` device, which have shapes but no values, while every
ATen operation is recorded with the module that called it. So control flow is resolved for the size
at hand (TensorFlow's SAME padding moves with it), nothing is computed, and layers keep the names
that their author gave them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from segviz.core.errors import SegvizError
from segviz.core.field import Geometry, Node
from segviz.core.requests import Layer
from segviz.core.steps import SAME, Resize, Transposed
from segviz.engine.rules import Operation, geometry_of

WORKSPACE = 1.5  # of the outputs alive: what convolutions lay out besides, measured on 24 megapixels


@dataclass(slots=True)
class Call:
    """One call of a module while the network was traced."""

    name: str
    module: nn.Module
    depth: int
    leaf: bool
    source: int | None = None  # node that made its first input
    output: int | None = None
    output_shape: tuple[int, ...] = ()
    macs: int = 0


@dataclass(frozen=True)
class Trace:
    """A network traced on one input size. `operations[i]` belongs to `geometry.nodes[i]`."""

    geometry: Geometry
    calls: tuple[Call, ...]
    operations: tuple[Operation, ...]

    @property
    def macs(self) -> int:
        return sum(operation.macs for operation in self.operations)

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


def trace(network: nn.Module, shape: tuple[int, int, int]) -> Trace:
    """Trace `network` on an input of `shape` (C, H, W). The network is left as it was.

    Raises SegvizError when the network does not run on that size, with what it said.
    """
    channels, height, width = shape
    with torch.inference_mode(False), torch.no_grad():  # in inference mode operations would not be taken apart
        state = {
            name: torch.empty_like(tensor, device="meta")
            for name, tensor in (*network.named_parameters(), *network.named_buffers())
        }
        image = torch.empty((1, channels, height, width), device="meta")
        recorder = _Recorder(image)
        output = _recorded(network, state, image, recorder)
    return _finish(recorder, first_tensor(output), height, width)


def _recorded(network: nn.Module, state: dict[str, Tensor], image: Tensor, recorder: _Recorder) -> Any:
    with _calls_recorded(network, recorder), recorder:
        try:
            return torch.func.functional_call(network, state, (image,))
        except (RuntimeError, ValueError, IndexError) as error:
            reason = str(error).strip().split("\n")[0]
            size = "x".join(str(side) for side in image.shape[1:])
            where = f" at layer '{recorder.open[-1].name}'" if recorder.open else ""
            message = f"the network does not run on {size}: it breaks{where} ({reason})"
            raise SegvizError(message, repr(error)) from error


def first_tensor(output: Any) -> Tensor:
    """The logits of a network's output: the tensor itself, or the first of a tuple, list or dict."""
    while not isinstance(output, Tensor):
        values = list(output.values()) if isinstance(output, dict) else list(output)
        if not values:
            raise SegvizError(f"the network answers with an empty {type(output).__name__}, not with logits")
        output = values[0]
    return output


class _Recorder(TorchDispatchMode):
    """Notes every operation that depends on the image."""

    def __init__(self, image: Tensor) -> None:
        super().__init__()
        self.nodes: list[Node] = [_image_node(image)]
        self.operations: list[Operation] = [Operation("image", image.numel())]
        self.kept: list[Tensor] = [image]  # ids stay unique while their tensors live
        self.made_by: dict[int, int] = {id(image): 0}
        self.calls: list[Call] = []
        self.open: list[Call] = []

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
        result = func(*args, **(kwargs or {}))
        tensors = [t for t in _flat((args, kwargs)) if isinstance(t, Tensor)]
        sources = [(self.made_by[id(t)], t) for t in tensors if id(t) in self.made_by]
        outputs = [t for t in _flat(result) if isinstance(t, Tensor)]
        if sources and outputs:
            node, operation = geometry_of(func, args, kwargs or {}, sources, outputs[0])
            self.nodes.append(node)
            self.operations.append(operation)
            for call in self.open:
                call.macs += operation.macs
            for tensor in outputs:
                self.kept.append(tensor)
                self.made_by[id(tensor)] = len(self.nodes) - 1
        return result


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _flat(item)
    else:
        yield value


def _image_node(image: Tensor) -> Node:
    return Node((), SAME, SAME, image.shape[2], image.shape[3])


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
            inputs = [t for t in _flat(args) if isinstance(t, Tensor)]
            call.source = next((recorder.made_by[id(t)] for t in inputs if id(t) in recorder.made_by), None)
            recorder.calls.append(call)
            recorder.open.append(call)

        return hook

    def leave(module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        call = recorder.open.pop()
        made = [t for t in _flat(output) if isinstance(t, Tensor) and id(t) in recorder.made_by]
        if made:
            call.output = recorder.made_by[id(made[0])]
            call.output_shape = tuple(made[0].shape[1:])

    try:
        for name, module in network.named_modules():
            if name:
                handles.append(module.register_forward_pre_hook(enter(name)))
                handles.append(module.register_forward_hook(leave))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _finish(recorder: _Recorder, logits: Tensor, height: int, width: int) -> Trace:
    calls = tuple(call for call in recorder.calls if call.output is not None)
    if id(logits) not in recorder.made_by or not calls:
        raise SegvizError("the network's answer does not depend on its input, or it has no layers to show")
    final = recorder.made_by[id(logits)]
    leaves = [call for call in calls if call.leaf]
    last = next((call.name for call in reversed(leaves) if call.output == final), leaves[-1].name)
    names = tuple((call.name, int(call.output or 0)) for call in calls)
    geometry = Geometry(height, width, tuple(recorder.nodes), names, last)
    return Trace(geometry, calls, tuple(recorder.operations))


def describe_layers(traced: Trace, fields: Geometry | None = None) -> tuple[Layer, ...]:
    """The layers of a trace for people. `fields` may give the receptive fields of a converted twin."""
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
    """Size (y, x) of the largest field about the middle of the grid, stride (y, x), centre (x, y) of unit 0."""
    rows, columns = geometry.grid(layer)
    found = geometry.field(layer, rows // 2, columns // 2)
    if any(isinstance(node.y, (Resize, Transposed)) for node in geometry.nodes[: geometry.index(layer) + 1]):
        places = ((min(rows // 2 + k, rows - 1), min(columns // 2 + k, columns - 1)) for k in range(PHASES))
        found = max((geometry.field(layer, *place) for place in places), key=lambda field: field.box.height)
    law_y, law_x = geometry.laws(layer)
    start = geometry.field(layer, 0, 0).center
    return _Facts((found.box.height, found.box.width), (law_y.stride, law_x.stride), start, found.status.value)
