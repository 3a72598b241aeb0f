"""A network that nothing can be recorded of: its layers as they come, each computed by running all of it.

Its shapes are known, and its maps, on any image; costs, parts and fields are not. Gradients measure the fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError
from segviz.core.field import Geometry, Node
from segviz.core.regions import Region
from segviz.core.steps import IDENTITY, Resize, Taps
from segviz.engine.comparison import outputs_seen
from segviz.engine.graph import Trace, first_tensor
from segviz.engine.kernels import Same
from segviz.engine.patches import MAPS, Patch, Weights
from segviz.engine.recorder import Call, Operation
from segviz.engine.uses import hw

END = "answer"  # what the network answers, where that is of no module


@dataclass(frozen=True, eq=False)
class Rerun:
    """The output of one layer, by running the whole network on the whole image."""

    network: nn.Module
    layer: str

    def run(self, inputs: Sequence[Patch], wanted: Region, weights: Weights) -> Tensor:
        found: dict[str, Tensor] = {}

        def see(name: str, out: Tensor) -> None:
            if name == self.layer:
                found[name] = out * 1.0  # the module after it may write over it

        with outputs_seen(self.network, see):
            answer = first_tensor(self.network(inputs[0].tensor * 1.0))
        return found.get(self.layer, answer)


def opaque(network: nn.Module, image: Tensor, reason: str) -> Trace:
    """The trace of a network's layers on an image (1, C, H, W), with `reason` why there is no better one.

    Raises whatever the network raises.
    """
    shapes: dict[str, torch.Size] = {}
    modules = dict(network.named_modules())

    def see(name: str, out: Tensor) -> None:
        shapes[name] = out.shape

    with torch.inference_mode(), outputs_seen(network, see):
        shapes[END] = first_tensor(network(image.clone())).shape
    height, width = hw(image, MAPS)
    nodes = [Node((), IDENTITY, IDENTITY, height, width)]
    operations = [Operation("image", Same(), (), image.numel())]
    calls = []
    for name, shape in shapes.items():
        if not shape or shape[0] != 1:
            continue  # no maps of this one image
        rows, columns = (int(shape[2]), int(shape[3])) if len(shape) == 4 else (1, 1)
        y, x = Resize(Taps.AREA, height, rows), Resize(Taps.AREA, width, columns)
        nodes.append(Node((0,), y, x, rows, columns, whole=True, reason=reason, mixed=True))
        module = modules.get(name.partition("#")[0], nn.Identity())
        leaf = next(module.children(), None) is None
        operations.append(Operation("run", Rerun(network, name), (0,), shape.numel(), name if leaf else ""))
        calls.append(Call(name, module, name.count("."), leaf, len(nodes) - 1, tuple(shape[1:])))
    if not calls or calls[-1].name != END:
        raise SegvizError("the network's answer has no image of its own, or it has no layers to show")
    geometry = Geometry(height, width, tuple(nodes), tuple((call.name, int(call.output or 0)) for call in calls), END)
    maps = len(shapes[END]) == 4
    return Trace(geometry, tuple(calls), tuple(operations), (MAPS,) * len(nodes), (), len(nodes) - 1, maps, (), reason)
