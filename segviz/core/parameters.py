"""Where a network's parameters are, and what dense layers in its place would need (lecture T07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt, prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segviz.core.requests import Layer, Network

DENSE = ("Linear", "LazyLinear", "Bilinear")
GREY, COLOUR = 1, 3  # channels of an image


@dataclass(frozen=True, slots=True)
class Counted:
    """Parameters of one layer. `dense`: whether each of its outputs has a weight for each of its inputs."""

    layer: str
    parameters: int
    dense: bool


LENET = (
    Counted("C1", 156, False),
    Counted("C3", 2_416, False),
    Counted("C5", 48_120, True),
    Counted("F6", 10_164, True),
    Counted("output", 850, True),
)
LENET_INPUT, LENET_MAPS = (1, 32, 32), 6  # (C, H, W), and the maps of C1
LENET_HIDDEN, LENET_CLASSES = 84, 10


def lenet(channels: int) -> tuple[Counted, ...]:
    """LeNet-5 of the lecture for images of so many channels: 61,706 parameters for grey ones."""
    first = recounted(LENET[0].parameters, LENET_MAPS, LENET_INPUT[0], channels)
    return (Counted("C1", first or 0, False), *LENET[1:])


def of_network(network: Network, channels: int) -> tuple[Counted, ...]:
    """The layers that have parameters, in order; the first as it would be for images of so many channels."""
    made_dense = {step.layer for step in network.conversion if step.before.startswith("dense")}
    found = [layer for layer in network.layers if layer.leaf and layer.parameters]
    counts = [Counted(one.name, one.parameters, one.type in DENSE or one.name in made_dense) for one in found]
    if found:
        first = recounted(found[0].parameters, found[0].maps[0], network.entry.input_size[0], channels)
        counts[0] = Counted(counts[0].layer, counts[0].parameters if first is None else first, counts[0].dense)
    return tuple(counts)


def recounted(parameters: int, outputs: int, channels: int, wanted: int) -> int | None:
    """Parameters of a first convolution of `outputs` maps once it takes `wanted` channels in place of `channels`.

    None where they are not those of a whole convolution. With one channel a square kernel is taken for granted.
    """
    each, rest = divmod(parameters, outputs)
    bias = each % channels if channels > 1 else int(isqrt(each) ** 2 != each)
    if rest or bias > 1:
        return None
    return outputs * ((each - bias) // channels * wanted + bias)


def perceptron(inputs: int, hidden: int, outputs: int) -> tuple[Counted, Counted]:
    """Two dense layers with biases: 1024-84-10 has 86,950 parameters."""
    return Counted("hidden", (inputs + 1) * hidden, True), Counted("output", (hidden + 1) * outputs, True)


def hidden_of(layers: Sequence[Layer]) -> int:
    """The width of the vector that a classifier's last layer takes."""
    weighed = [layer for layer in layers if layer.leaf and layer.parameters]
    each = weighed[-1].parameters // weighed[-1].maps[0]
    before = {layer.maps[0] for layer in layers if layer.leaf}
    return each - 1 if each - 1 in before or each not in before else each


def alternative(network: Network, channels: int) -> tuple[Counted, ...]:
    """Dense layers that would answer as the network does on its native input.

    For a classifier two, the hidden one as wide as what its last layer takes; where every pixel is answered for,
    one from all pixels to all answers.
    """
    _, height, width = network.entry.input_size
    inputs, classes = channels * height * width, len(network.classes)
    if network.window is None:
        answers = classes * prod(network.geometry.grid("last"))
        return (Counted("every pixel to every answer", (inputs + 1) * answers, True),)
    return perceptron(inputs, hidden_of(network.layers), classes)
