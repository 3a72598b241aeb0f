"""The convolution behind a unit with the numbers that it multiplies (lecture T02, T03, T05).

One walk to the maps that the convolution takes (`engine/flow`), then its own kernel on them, a few rows at once, so
that the work can be closed. Both are kept, since a person looks at one unit after another.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.errors import SegvizError
from segviz.core.regions import Region, whole
from segviz.core.requests import Progress
from segviz.core.steps import Interval
from segviz.core.unit_sums import BLOCK, LayerSum
from segviz.engine import devices, flow
from segviz.engine.contributions import JOINS
from segviz.engine.flow import NetworkWeights
from segviz.engine.graph import Trace
from segviz.engine.job import Job
from segviz.engine.kernels import Convolution, Deconvolution, Same
from segviz.engine.patches import MAPS, Patch

ACTIVATIONS = (
    "relu", "relu6", "hardtanh", "clamp", "tanh", "sigmoid", "silu", "hardswish", "hardsigmoid", "leaky_relu", "elu",
    "gelu", "mish", "prelu", "selu", "celu", "softplus",
)  # fmt: skip
UNMOVED = ("batch_norm", "add", "sub", "mul", "div")  # with numbers of their own: each map stays where it is
CHAIN = 4  # operations behind a convolution among which its activation is looked for
STRIPS = 16  # that a map is computed in
TITLES = {
    "relu": "ReLU", "relu6": "ReLU6", "hardtanh": "ReLU6", "clamp": "clipping", "silu": "SiLU",
    "batch_norm": "batch norm",
}  # fmt: skip

Floats = npt.NDArray[np.float32]


class Maps(NamedTuple):
    """A convolution at work: what it takes (1, C, H, W), what it makes, and what its activation makes of that."""

    taken: Tensor
    made: Tensor
    after: Tensor | None
    activation: str


@dataclass(frozen=True, slots=True)
class Place:
    """A convolution of a trace: its operation, the map of it that was asked for, and whether it was published dense."""

    index: int
    channel: int
    dense: bool


def place_of(traced: Trace, layer: str, published: Trace, channel: int = 0) -> Place:
    """The convolution that makes map `channel` of `layer`, or the last one before it.

    Raises SegvizError where there is none, where it is a transposed one, and where maps are mixed on the way.
    """
    index = traced.call(layer).output or 0
    maps, _, _ = traced.maps_of(index)
    if index and not 0 <= channel < maps:
        raise SegvizError(f"'{layer}' has {maps} maps, and no map {channel}: pin another unit")
    while index:
        operation = traced.operations[index]
        if isinstance(operation.kernel, Convolution):
            before = published.operations[index].kernel if index < len(published.operations) else operation.kernel
            return Place(index, channel, not isinstance(before, Convolution))
        if isinstance(operation.kernel, Deconvolution):
            raise SegvizError(
                f"'{operation.layer}' is a transposed convolution: the page Zero insertion of the Upsampling tab "
                "shows it as a convolution"
            )
        index, channel = _before(traced, index, channel)
    raise SegvizError(f"there is no convolution before '{layer}': choose a layer further down in the Network panel")


def _before(traced: Trace, index: int, channel: int) -> tuple[int, int]:
    """The node that map `channel` of a node is made of, and which of its maps that is.

    Of several that are added it is the newest; gates are passed by. Raises SegvizError where maps are mixed.
    """
    operation, node = traced.operations[index], traced.geometry.nodes[index]
    if operation.name == "linear":
        raise SegvizError(
            f"'{operation.layer}' is a dense layer, which no convolution stands for: choose a layer before it in the "
            "Network panel"
        )
    if operation.name in JOINS:
        parts = [(source, traced.maps_of(source)[0]) for source in operation.sources]
        if sum(maps for _, maps in parts) == traced.maps_of(index)[0]:
            for source, maps in parts:
                if channel < maps:
                    return source, channel
                channel -= maps
    elif max(traced.axes[index]) <= max(MAPS):  # else the maps stand in groups, as they do to be shuffled
        alike = [source for source in node.inputs if traced.maps_of(source)[0] == traced.maps_of(index)[0]]
        if alike:
            return max(alike), channel
    raise SegvizError(
        f"at '{operation.layer}' the operation '{operation.name}' mixes maps, so that no one convolution makes map "
        f"{channel}: choose a layer before it in the Network panel"
    )


def computed(job: Job, place: Place) -> Generator[Progress, None, Maps]:
    """The maps about a convolution on the job's image."""
    traced = job.traced
    operation = traced.operations[place.index]
    outputs = operation.elements + traced.operations[operation.sources[0]].elements
    devices.check_memory(traced.peak_bytes + 8 * outputs, job.title)
    source = operation.sources[0]
    taken = job.image
    if source:
        done = yield from flow.followed(flow.run(traced, job.weights, job.image, source), flow.progress)
        taken = done.output
    made = yield from _applied(traced, job.weights, place.index, taken)
    behind = _activation(traced, place.index)
    after: Tensor | None = made if behind else None
    for index in behind:
        after = yield from _applied(traced, job.weights, index, after if after is not None else made)
    names = (traced.operations[index].name for index in behind)
    return Maps(taken, made, after, " + ".join(TITLES.get(name, name) for name in names))


def _applied(traced: Trace, weights: NetworkWeights, index: int, maps: Tensor) -> Generator[Progress, None, Tensor]:
    """One operation on the whole maps of its only source, strip by strip."""
    nodes, operation = traced.geometry.nodes, traced.operations[index]
    source, goal = operation.sources[0], whole(nodes[index])
    patch = Patch(maps, whole(nodes[source]), traced.axes[source])
    bound = weights.of(traced)
    step = max(1, -(-goal.shape[0] // STRIPS))
    parts = []
    for first in range(0, goal.shape[0], step):
        wanted = Region(Interval(first, min(first + step, goal.shape[0]) - 1), goal.x)
        with torch.inference_mode():
            parts.append(operation.kernel.run([patch], wanted, bound))
        yield Progress(len(parts), -(-goal.shape[0] // step), "strips")
    return torch.cat(parts, traced.axes[index][0])


def _activation(traced: Trace, index: int) -> list[int]:
    """The operations from behind a convolution to its activation; none where the maps go elsewhere first.

    All of them leave units and maps where they are, so that the map before and the one after lie over each other.
    """
    found: list[int] = []
    at = index
    for _ in range(CHAIN):
        takers = [k for k in range(at + 1, len(traced.operations)) if at in traced.operations[k].sources]
        if len(takers) != 1 or traced.operations[takers[0]].sources != (at,):
            return []
        at = takers[0]
        taker = traced.operations[at]
        found.append(at)
        if taker.name in ACTIVATIONS:
            return found
        if taker.name not in UNMOVED and not isinstance(taker.kernel, Same):
            return []
    return []


def told(job: Job, place: Place, maps: Maps, layer: str, unit: Unit | None) -> LayerSum:
    """What there is to tell of one output map of a convolution, about a unit of `layer`."""
    traced = job.traced
    weights = job.weights.of(traced)
    operation = traced.operations[place.index]
    kernel = operation.kernel
    assert isinstance(kernel, Convolution)
    outs, rows, columns = (int(side) for side in maps.made.shape[1:])
    channel, row, column = _unit(traced, place, layer, unit, maps.made)
    block = _block(row, rows), _block(column, columns)
    wanted = Region(*(Interval(at, min(at + BLOCK, size) - 1) for at, size in zip(block, (rows, columns), strict=True)))
    seen = Region(kernel.y.back(wanted.y), kernel.x.back(wanted.x))
    group = channel // (outs // kernel.groups)
    deep = int(maps.taken.shape[1]) // kernel.groups
    weight = weights[kernel.weight].detach().reshape(outs, deep, *kernel.kernel)[channel]
    bias = 0.0 if kernel.bias is None else float(weights[kernel.bias][channel])
    before = _plane(maps.made, channel)
    return LayerSum(
        layer=operation.layer,
        dense=place.dense,
        unit=(channel, row, column),
        input_shape=(int(maps.taken.shape[1]), int(maps.taken.shape[2]), int(maps.taken.shape[3])),
        output_shape=(outs, rows, columns),
        maps=_seen(maps.taken[0, group * deep : (group + 1) * deep], seen),
        corner=(seen.y.lo, seen.x.lo),
        first_map=group * deep,
        weights=weight.float().cpu().contiguous().numpy().copy(),
        bias=bias,
        stride=kernel.stride,
        dilation=kernel.dilation,
        padding=(kernel.y.before, kernel.x.before),
        groups=kernel.groups,
        block=block,
        outputs=before[wanted.y.lo : wanted.y.hi + 1, wanted.x.lo : wanted.x.hi + 1].copy(),
        before=before,
        after=None if maps.after is None else _plane(maps.after, channel),
        activation=maps.activation,
    )


Unit = tuple[int, int, int]


def _unit(traced: Trace, place: Place, layer: str, unit: Unit | None, made: Tensor) -> Unit:
    """The convolution's unit where one of `layer` sits; without one its map's largest value."""
    rows, columns = (int(side) for side in made.shape[2:])
    if unit is None:
        row, column = divmod(int(made[0, place.channel].argmax()), columns)
        return place.channel, row, column
    geometry = traced.geometry
    x, y = geometry.position_of(layer, unit[1], unit[2])
    law_y, law_x = geometry.laws_at(place.index)
    return place.channel, law_y.nearest(y, rows), law_x.nearest(x, columns)


def _block(at: int, size: int) -> int:
    """Where a block about a unit begins, inside the map."""
    return max(0, min(size - BLOCK, at - BLOCK // 2))


def _seen(maps: Tensor, region: Region) -> Floats:
    """A region of maps (C, H, W) which may reach over their border, where zeros are."""
    inside = region.within(int(maps.shape[1]), int(maps.shape[2]))
    if inside is None:
        return np.zeros((int(maps.shape[0]), *region.shape), np.float32)
    part = maps[:, inside.y.lo : inside.y.hi + 1, inside.x.lo : inside.x.hi + 1]
    pads = [(units.lo - full.lo, full.hi - units.hi) for units, full in zip(inside, region, strict=True)]
    padded = F.pad(part, (*pads[1], *pads[0]))
    return np.asarray(padded.float().cpu().contiguous().numpy())


def _plane(maps: Tensor, channel: int) -> Floats:
    return np.asarray(maps[0, channel].float().cpu().contiguous().numpy().copy())
