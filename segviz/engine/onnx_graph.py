"""The graph of an ONNX file as a module: nodes are layers under their own names, weights parameters under theirs.

Values that only say how (shapes, axes, limits of a clip) are followed back from where they are needed;
they stay real numbers while the network is recorded on tensors that have none.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from segviz.core.errors import SegvizError, clean, named
from segviz.engine.layers import Held, Layer, hold, holder_of, titled
from segviz.engine.onnx_file import Graph, Node, read
from segviz.engine.onnx_words import LARGEST_CONSTANT, OPERATORS, SETTINGS, SEVERAL, SIZES

IMAGE_CHANNELS = (1, 3, 4)
GROWING = ("Tile", "Expand", "Pad", "Resize", "Upsample")  # operators that make much of little


class OnnxNetwork(nn.Module):
    """An ONNX graph. Takes one image (N, C, H, W) and answers with the graph's outputs, the first alone if it is one.

    A graph that wants channels last is given them so, and maps that it answers with are turned back.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.image, self.answers = graph.image, graph.answers
        self.turned = _channels_last(graph.sides)
        settings = _settings(graph)
        layers = [_placed(self, node) for node in graph.nodes]
        self._held: dict[str, Held] = {}
        self._fixed: dict[str, Tensor] = {}
        for names, trained in ((graph.tensors, True), (graph.constants, False)):
            for name, tensor in names.items():
                if name in settings or not tensor.is_floating_point():
                    self._fixed[name] = tensor
                else:
                    self._held[name] = _kept(self, name, tensor, trained)
        for layer, node in zip(layers, graph.nodes, strict=True):
            layer.holds = tuple(self._held[name] for name in node.inputs if name in self._held)
        ends = _last_uses(graph)
        self._steps = tuple(
            (layer, _inputs(node), node.outputs, ends[number])
            for number, (layer, node) in enumerate(zip(layers, graph.nodes, strict=True))
        )

    def forward(self, image: Tensor) -> Any:
        values: dict[str, Any] = dict(self._fixed)
        values |= {name: getattr(holder, last) for name, (holder, last) in self._held.items()}
        values[self.image] = image.permute(0, 2, 3, 1) if self.turned else image
        constant = values.keys() - {self.image}  # what does not depend on the image
        for layer, inputs, outputs, done in self._steps:
            given = [values[name] if name else None for name in inputs]
            if out_of_nothing := constant.issuperset(name for name in inputs if name):
                constant |= {*outputs}
                _check_growth(layer, given)
            made = layer(*given)
            several = (made,) if isinstance(made, Tensor) else tuple(made)
            if out_of_nothing:
                _check_constants(layer, several)
            values.update(zip(outputs, several, strict=False))
            for name in done:
                values.pop(name, None)
        found = [self._turned_back(values[name]) for name in self.answers]
        return found[0] if len(found) == 1 else tuple(found)

    def _turned_back(self, answer: Tensor) -> Tensor:
        return answer.permute(0, 3, 1, 2) if self.turned and answer.dim() == 4 else answer


def _check_growth(layer: Layer, given: list[Tensor | None]) -> None:
    """Before a constant is repeated or padded: what would it be? Its values are not needed to tell."""
    data = given[0] if given else None
    if type(layer).__name__ in GROWING and isinstance(data, Tensor):
        made = layer(data.to("meta"), *given[1:])
        _check_constants(layer, (made,) if isinstance(made, Tensor) else tuple(made))


def _check_constants(layer: Layer, made: tuple[Any, ...]) -> None:
    """Raise SegvizError for a constant so large that no network needs it: small files can make huge ones."""
    for tensor in made:
        if isinstance(tensor, Tensor) and tensor.numel() > LARGEST_CONSTANT:
            kind = type(layer).__name__
            raise SegvizError(f"'{kind}' makes a constant of {tensor.numel():,} numbers; segviz makes none so large")


def network_of(path: Path) -> tuple[OnnxNetwork, Graph]:
    """The network of an ONNX file, float32 and in eval mode, and the graph that it was made of.

    Raises SegvizError for a file that cannot be read, and for operators that there is no rule for, named.
    """
    graph = read(path)
    unknown = sorted({clean(node.kind) for node in graph.nodes if node.kind not in OPERATORS})
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise SegvizError(
            f"{named(path)}: has operators that segviz has no rule for: {', '.join(unknown[:3])}{more}",
            "\n".join(unknown),
        )
    made = {name for node in graph.nodes for name in node.outputs} | graph.tensors.keys() | graph.constants.keys()
    lost = [name for node in graph.nodes for name in node.inputs if name and name not in made | {graph.image}]
    lost += [name for name in graph.answers if name not in made]
    if lost:
        raise SegvizError(f"{named(path)}: nothing in the graph makes '{clean(lost[0])}'; export it again")
    _check_results(graph)
    return OnnxNetwork(graph).eval(), graph


def _check_results(graph: Graph) -> None:
    """Raise SegvizError, naming the node, where a result is taken that no rule makes."""
    taken = {*graph.answers, *(name for node in graph.nodes for name in node.inputs)}
    for node in graph.nodes:
        more = [name for name in node.outputs[1:] if name and name in taken]
        if more and node.kind not in SEVERAL:
            raise SegvizError(
                f"'{node.name}': its result '{clean(more[0])}' is taken, and segviz knows the first one of "
                f"{clean(node.kind)} alone; export the network without it"
            )


def image_size(graph: Graph) -> tuple[int, int, int] | None:
    """Channels, height and width of the image that a graph is for; None where it takes others too."""
    _, *sides = graph.sides
    channels, height, width = (*sides[2:], *sides[:2]) if _channels_last(graph.sides) else sides
    return None if channels is None or height is None or width is None else (channels, height, width)


def _channels_last(sides: tuple[int | None, ...]) -> bool:
    return sides[3] in IMAGE_CHANNELS and sides[1] not in IMAGE_CHANNELS


def _settings(graph: Graph) -> set[str]:
    """Names of the values that say how something is computed, and of all that those are computed from."""
    makers = {name: node for node in graph.nodes for name in node.outputs}
    found: set[str] = set()
    left = [
        node.inputs[place] for node in graph.nodes for place in SETTINGS.get(node.kind, ()) if place < len(node.inputs)
    ]
    while left:
        name = left.pop()
        if name and name not in found:
            found.add(name)
            maker = makers.get(name)
            if maker is not None and maker.kind not in SIZES:
                left.extend(maker.inputs)
    return found


def _placed(root: nn.Module, node: Node) -> Layer:
    """A layer for `node` in `root`, under the node's name."""
    layer = titled(Layer(partial(OPERATORS[node.kind], node)), node.kind)
    name, number = node.name, 1
    while not _is_free(root, name):
        number += 1
        name = f"{node.name.replace('.', '_')}_{number}"
    holder, last = holder_of(root, name)
    holder._modules[last] = layer
    return layer


def _is_free(root: nn.Module, name: str) -> bool:
    """Whether a module or tensor can have this name: nothing has it, no layer lies above it, no part of it is empty."""
    *path, last = name.split(".")
    if not last or not all(path):
        return False
    holder = root
    for word in path:
        if isinstance(holder, Layer) or (hasattr(holder, word) and word not in holder._modules):
            return False
        child = holder._modules.get(word)
        if child is None:
            return True
        holder = child
    return not isinstance(holder, Layer) and not hasattr(holder, last)


def _kept(root: nn.Module, name: str, tensor: Tensor, trained: bool) -> Held:
    """A tensor in `root` under its own name; where a layer has that, under one with an ending."""
    shown, number = clean(name), 1
    while not _is_free(root, shown):
        number += 1
        shown = f"{clean(name).replace('.', '_')}_{number}"
    return hold(root, shown, tensor, trained)


def _inputs(node: Node) -> tuple[str, ...]:
    """Inputs without those at the end that are left out."""
    names = list(node.inputs)
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _last_uses(graph: Graph) -> list[tuple[str, ...]]:
    """For each node what nobody needs after it: kept no longer, for a value may be large."""
    seen: set[str] = set(graph.answers)
    ends: list[tuple[str, ...]] = []
    for node in reversed(graph.nodes):
        names: Iterable[str] = dict.fromkeys((*node.inputs, *node.outputs))
        ends.append(tuple(name for name in names if name and name not in seen))
        seen.update(node.inputs)
    return ends[::-1]
