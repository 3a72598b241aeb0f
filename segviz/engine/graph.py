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

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from segviz.core.errors import SegvizError
from segviz.core.facts import FactFinder, Facts
from segviz.core.field import Geometry
from segviz.core.refusals import lacks_memory
from segviz.core.regions import Region
from segviz.core.requests import Layer
from segviz.engine.heads import Head, Place
from segviz.engine.mismatches import reason_of
from segviz.engine.patches import MAPS, as_maps
from segviz.engine.recorder import Call, Made, Operation, Recorder, calls_recorded, shown_shape
from segviz.engine.stand_ins import Literals, stood_in, untouched
from segviz.engine.writes import Unrecorded

WORKSPACE = 1.5  # of the outputs alive: what convolutions lay out besides, measured on 24 megapixels


@dataclass(frozen=True, eq=False)
class Trace:
    """A network traced on one input size. `operations[i]` belongs to `geometry.nodes[i]`, the image being number 0.

    `output` is the node of the logits, which are maps if `answers_maps` (or stand for them). `places` are
    where its maps end, on the native input. A network whose code `decides` by values of an image was recorded on
    the one that it has `seen` (1, C, H, W), and is recorded for no other; without one nothing was recorded but layers.
    """

    geometry: Geometry
    calls: tuple[Call, ...]
    operations: tuple[Operation, ...]
    axes: tuple[tuple[int, int], ...] = ()  # dimensions of y and x of each node's tensor
    made: tuple[Made, ...] = ()
    output: int = 0
    answers_maps: bool = True
    places: tuple[Place, ...] = ()
    decides: str = ""
    seen: Tensor | None = None

    def check(self, image: Tensor) -> None:
        """Raise SegvizError where what was recorded may not be what the network does with `image`."""
        if self.seen is not None and not torch.equal(self.seen, image):
            raise SegvizError(f"another image, or a changed one, may take another way through it: {self.decides}")

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

    def maps_of(self, index: int) -> tuple[int, int, int]:
        """A node as feature maps: how many, their rows and columns. What has no place in the image is one unit."""
        node = self.geometry.nodes[index]
        return self.operations[index].elements // (node.height * node.width), node.height, node.width

    def as_maps(self, index: int, tensor: Tensor) -> Tensor:
        """A node's whole values as its feature maps (C, H, W), in whatever layout its author has them."""
        node = self.geometry.nodes[index]
        return as_maps(tensor, self.axes[index], (node.height, node.width))

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
    _, height, width = shape
    with torch.inference_mode():
        state, image = _stand_ins(network, shape)
        recorder = Recorder(image, state, head)
        logits = first_tensor(recorded(network, state, image, recorder, Literals()))
        recorder.refresh(logits)
    return finish(recorder, logits, height, width)


def attempted(
    network: nn.Module, shape: tuple[int, int, int], head: Head | None = None
) -> tuple[tuple[Call, ...], SegvizError | None]:
    """The calls that a network gets done on an input of `shape`, and what stopped it; None where nothing did."""
    error: SegvizError | None = None
    with torch.inference_mode():
        state, image = _stand_ins(network, shape)
        recorder = Recorder(image, state, head)
        try:
            recorded(network, state, image, recorder, Literals())
        except SegvizError as stopped:
            error = stopped
    return tuple(call for call in recorder.calls if call.output is not None), error


def _stand_ins(network: nn.Module, shape: tuple[int, int, int]) -> tuple[dict[str, Tensor], Tensor]:
    """Parameters and buffers by their names, and an image (1, C, H, W), all without values."""
    state = {
        name: torch.empty_like(tensor, device="meta")
        for name, tensor in (*network.named_parameters(), *network.named_buffers())
    }
    kind = next((tensor.dtype for tensor in state.values() if tensor.is_floating_point()), None)
    return state, torch.empty((1, *shape), device="meta", dtype=kind)


def recorded(
    network: nn.Module, state: dict[str, Tensor], image: Tensor, recorder: Recorder, floor: TorchFunctionMode
) -> Any:
    """What the network answers on `image` with the tensors `state`, while `recorder` writes down what it does.

    `floor` sees what PyTorch does before operations. Raises SegvizError where it does not run, or not so that it can
    be recorded.
    """
    with calls_recorded(network, recorder), untouched(network), stood_in(network, state), recorder, floor:
        try:
            return network(image)
        except Unrecorded as error:
            where = f"layer '{recorder.open[-1].name}'" if recorder.open else "the network"
            raise SegvizError(f"{where} cannot be recorded: {error}") from error
        except SegvizError:
            raise
        except Exception as error:  # the edge: the network is a stranger's code
            if lacks_memory(error):
                raise
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


def finish(recorder: Recorder, logits: Tensor, height: int, width: int) -> Trace:
    """The trace of what a recorder has written down. Raises SegvizError where no logits came of the image."""
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


def _functional_end(recorder: Recorder, final: int, taken: set[str]) -> Call:
    """What the author's code does after its last module, as a layer of its own."""
    name = next(name for name in ("output", "answer", *map(str, range(len(taken) + 1))) if name not in taken)
    return Call(name, nn.Identity(), 0, True, final, shown_shape(recorder.values[final]))


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
    layers, finder = [], FactFinder(fields or traced.geometry)
    for call in traced.calls:
        first = call.module not in counted
        counted.add(call.module)
        parameters = sum(p.numel() for p in call.module.parameters()) if first else 0
        layers.append(_described(call, traced.maps_of(int(call.output or 0)), parameters, finder))
    return tuple(layers)


def _described(call: Call, maps: tuple[int, int, int], parameters: int, finder: FactFinder) -> Layer:
    found = finder.of(call.name) if call.name in finder else Facts()
    return Layer(
        name=call.name,
        type=type(call.module).__name__,
        depth=call.depth,
        leaf=call.leaf,
        output_shape=call.output_shape,
        maps=maps,
        parameters=parameters,
        macs=call.macs,
        size=found.size,
        stride=found.stride,
        start=found.start,
        status=found.status,
    )
