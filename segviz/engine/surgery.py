"""A classifier made fully convolutional: dense layers become convolutions with the same weights.

Long, Shelhamer and Darrell 2015, section 3.1 (lecture T17 to T19). The dense layer behind a flatten
of (C, H, W) units is a convolution of H x W, those after it are convolutions of 1 x 1 (`engine/heads`
says what becomes of poolings). Nothing is copied: the same weights are read as another operation. What
comes out is proven on the native input before it is used.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from segviz.core.choices import Pooling
from segviz.core.errors import SegvizError
from segviz.core.refusals import lacks_memory
from segviz.core.requests import ConvertedLayer, Progress
from segviz.core.steps import IDENTITY
from segviz.engine.flow import NetworkWeights, finished, followed, progress, run
from segviz.engine.graph import Trace, first_tensor
from segviz.engine.heads import End, Head, Place, ends_the_maps
from segviz.engine.kernels import AveragePool, Convolution, Same
from segviz.engine.recorder import Operation
from segviz.engine.recording import record

Size = tuple[int, int, int]  # channels, height, width

LARGEST_DIFFERENCE = 1e-3  # relative to the largest logit, in float32
LINEAR = {"linear", "conv2d", "flatten", "view", "reshape", "squeeze", "dropout", "dropout_", "batch_norm", "permute"}


@dataclass(frozen=True)
class Conversion:
    """How a network becomes fully convolutional: `head` is what tracing takes, with the pooling that was chosen.

    `max_abs_difference` compares logits on a random input of `proven_on`; `dense` says whether a dense layer
    spans a map, so that the native input is the least that can be taken, and `pools` whether the
    network ends in global pooling, so that there is a choice of what becomes of it.
    """

    head: Head
    steps: tuple[ConvertedLayer, ...]
    max_abs_difference: float
    dense: bool
    proven_on: Size
    pools: bool = False


def convert(
    network: nn.Module,
    native: Size,
    pooling: Pooling = Pooling.AUTO,
    weights: NetworkWeights | None = None,
    small: Size | None = None,
) -> Conversion:
    """How `network`, whose native input is (C, H, W), becomes fully convolutional; it stays as it is.

    `converting` to the end, at once. Raises SegvizError as that does.
    """
    return finished(converting(network, native, pooling, weights, small))


def converting(
    network: nn.Module,
    native: Size,
    pooling: Pooling = Pooling.AUTO,
    weights: NetworkWeights | None = None,
    small: Size | None = None,
) -> Generator[Progress, None, Conversion]:
    """The same with progress of the proof, which computes the network twice.

    A network whose maps never end comes back with no steps, and is proven on an input of size `small`
    where one is given: its native one may take seconds. Raises SegvizError naming the layer that cannot
    be converted, and why.
    """
    published = record(network, native)
    if published.decides:
        raise SegvizError(f"it becomes no convolution: {published.decides}")
    nodes = published.geometry.nodes
    ends = [place if _is_end(place, published) else None for place in published.places]
    head = Head(tuple(ends), _chosen(pooling, published, ends))
    if not any(ends) and not published.answers_maps:
        _check(published)
        raise SegvizError(_refusal(published, published.output, "nothing that is known ends the maps before it"))
    converted = record(network, native, head)
    if any(ends):
        _check(converted)
    steps = tuple(_steps(published, converted, head))
    proven_on = native if small is None or any(ends) else small
    if _averages(published, ends):
        proven = converted if proven_on == native else record(network, proven_on, head)
    else:
        proven = record(network, native, replace(head, pooling=Pooling.WINDOW))
    difference = yield from _prove(network, proven, weights or NetworkWeights(network), proven_on)
    spans = any(_spans(converted.operations[index], published.operations[index]) for index in range(len(nodes)))
    pools = any(place is not None and place.kind is End.POOLING for place in ends)
    return Conversion(head, steps, difference, spans, proven_on, pools)


def _is_end(place: Place, published: Trace) -> bool:
    """A flatten ends the maps unless it lays a gate's vector flat; a pooling does where nothing goes around it."""
    if place.kind is End.FLATTEN:
        return not _is_of_a_gate(place, published)
    if place.kind is End.ADAPTIVE and place.out == place.grid:
        return True
    return ends_the_maps(published.geometry.nodes, place.node)


def _is_of_a_gate(place: Place, published: Trace) -> bool:
    """Whether a flatten follows from a global pooling that stays: then it is one unit on every image."""
    kept = {p.node for p in published.places if p.kind is End.POOLING and not _is_end(p, published)}
    node = place.node
    while node not in kept and len(published.operations[node].sources) == 1:
        node = published.operations[node].sources[0]
    return node in kept


def _averages(published: Trace, ends: Sequence[Place | None]) -> bool:
    """Whether the mean of the class activation map is the classifier's answer: all behind the pooling is linear."""
    first = next((place.node for place in ends if place is not None and place.kind is End.POOLING), None)
    behind = published.operations[(published.output if first is None else first) + 1 : published.output + 1]
    return all(operation.name in LINEAR for operation in behind)


def _chosen(pooling: Pooling, published: Trace, ends: Sequence[Place | None]) -> Pooling:
    """The class activation map unless something else was asked for, or it would not average to the answer."""
    if pooling is Pooling.AUTO:
        return Pooling.NONE if _averages(published, ends) else Pooling.WINDOW
    return pooling


def _check(converted: Trace) -> None:
    """Raise SegvizError where an operation on the way to the logits does not leave units where they are, or may not."""
    nodes = converted.geometry.nodes
    wanted = {converted.output}
    for index in range(converted.output, 0, -1):
        if index in wanted:
            if nodes[index].reason and not (nodes[index].mixed and nodes[index].y == nodes[index].x == IDENTITY):
                raise SegvizError(_refusal(converted, index, nodes[index].reason))
            wanted |= {*nodes[index].inputs, *nodes[index].gates}


def _refusal(traced: Trace, index: int, reason: str) -> str:
    return f"layer '{traced.operations[index].layer}' cannot become a convolution: {reason}"


def _spans(now: Operation, before: Operation) -> bool:
    """Whether an operation that took a vector takes more than one unit of a map now."""
    if isinstance(now.kernel, Convolution):
        return not isinstance(before.kernel, Convolution) and now.kernel.kernel != (1, 1)
    return isinstance(now.kernel, AveragePool) and not isinstance(before.kernel, AveragePool)


def _steps(published: Trace, converted: Trace, head: Head) -> Iterator[ConvertedLayer]:
    """What becomes of each layer, in order; one that is called twice is one layer."""
    places = {place.node: place for place in head.places if place is not None}
    told: set[str] = set()
    for index, (before, now) in enumerate(zip(published.operations, converted.operations, strict=True)):
        words = None
        if index in places:
            words = _of_place(places[index], now)
            name = places[index].layer or places[index].kind.value
        elif isinstance(now.kernel, Convolution) and not isinstance(before.kernel, Convolution):
            words = _of_dense(now)
            name = before.layer
        if words is not None and name.partition("#")[0] not in told:
            told.add(name.partition("#")[0])
            yield ConvertedLayer(name, *words)


def _of_place(place: Place, now: Operation) -> tuple[str, str] | None:
    before = f"average pooling to {place.out[0]}x{place.out[1]}" if place.kind is End.ADAPTIVE else place.kind.value
    if isinstance(now.kernel, Same):
        return before, "nothing"
    assert isinstance(now.kernel, AveragePool)
    (rows, columns), (step, _) = now.kernel.kernel, now.kernel.stride
    return before, f"average of {rows}x{columns}, stride {step}"


def _of_dense(now: Operation) -> tuple[str, str]:
    kernel = now.kernel
    assert isinstance(kernel, Convolution)
    (rows, columns), (height, width) = kernel.kernel, kernel.size
    grid = (height - rows + 1) * (width - columns + 1)
    outputs = now.elements // grid
    inputs = now.macs // (grid * outputs)
    channels = inputs // (rows * columns)
    return f"dense {inputs} to {outputs}", f"convolution {rows}x{columns}, {channels} to {outputs}"


def _prove(
    network: nn.Module, converted: Trace, weights: NetworkWeights, size: Size
) -> Generator[Progress, None, float]:
    """Largest difference of logits on an input of `size`; the class activation map is averaged first."""
    generator = torch.Generator().manual_seed(0)
    like = next(network.parameters(), torch.zeros(1))
    image = (torch.rand((1, *size), generator=generator) * 2 - 1).to(like)
    try:
        yield Progress(0, 0)  # how many layers there are, the walk will say
        with torch.inference_mode():
            wanted = first_tensor(network(image))
        yield Progress(0, 0)
        found = (yield from followed(run(converted, weights, image), progress)).output
    except SegvizError:
        raise
    except Exception as error:  # the edge: the network is a stranger's code
        if lacks_memory(error):
            raise
        reason = str(error).strip().partition("\n")[0]
        raise SegvizError(f"it breaks at work: {reason or type(error).__name__}", repr(error)) from error
    if wanted.dim() == 2:
        found = found.mean((2, 3))
    if wanted.shape != found.shape:
        raise SegvizError(
            f"the converted network answers with {tuple(found.shape)} on {tuple(size)}, not {tuple(wanted.shape)}"
        )
    difference = float((wanted - found).abs().max())
    if not difference <= LARGEST_DIFFERENCE * float(wanted.abs().max()):
        raise SegvizError(f"the converted network is not the same: its logits differ by {difference:.2g}")
    return difference
