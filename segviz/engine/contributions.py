"""The parts of a logit in a network whose last joins are additions behind which all is linear.

Of a linear tail f of summands a, b, ... and biases, f(a, b) = f(0, 0) + (f(a, 0) - f(0, 0)) + (f(0, b) - f(0, 0)): so
each part is the recorded tail run with the other summands at zero, on the region that the one unit needs. The summands'
maps are computed once for an image and kept, since a person clicks at one unit after another.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from segviz.core.contributions import Contribution, ContributionRequest
from segviz.core.errors import SegvizError
from segviz.core.field_paths import layer_at
from segviz.core.regions import Region, needed, whole
from segviz.core.requests import Progress
from segviz.core.steps import Interval
from segviz.engine import devices, flow
from segviz.engine.flow import NetworkWeights
from segviz.engine.graph import Trace
from segviz.engine.job import Job
from segviz.engine.patches import Patch

SUMS = {"add", "sub"}
SPREADS = {  # linear, and no layer's own: a summand is looked for behind them
    *("conv_transpose2d", "upsample_nearest2d", "_upsample_nearest_exact2d", "upsample_bilinear2d"),
    *("upsample_bicubic2d", "slice", "pad", "constant_pad_nd", "contiguous", "clone", "alias", "detach", "to"),
    *("dropout", "feature_dropout", "dropout_", "feature_dropout_"),
}
LINEAR = SPREADS | SUMS | {"conv2d", "avg_pool2d", "batch_norm"}
JOINS = {"cat", "concat", "concatenate"}
FLOAT = 4  # bytes of an element

Summands = dict[int, Tensor]  # whole maps (1, C, H, W) by their nodes


@dataclass(frozen=True)
class Tail:
    """The end of a network behind its summands: `cuts` are their nodes, `nodes` the operations between, in order.

    `goal` is the node of the logits.
    """

    goal: int
    cuts: tuple[int, ...]
    nodes: tuple[int, ...]


def tail_of(traced: Trace) -> Tail:
    """Where a network's logits are a sum. Raises SegvizError, saying what stands in the way, where they are none."""
    operations, goal = traced.operations, traced.geometry.index("last")
    first, node = _first_sum(traced, goal), goal
    while node != first:  # one way alone leads there
        if _word(traced, node) not in LINEAR:
            raise SegvizError(f"'{_word(traced, node)}' behind the sum is not linear, so that its parts do not add up")
        (node,) = operations[node].sources
    cuts, inside, todo = [], set(_between(traced, goal, first)), [first]
    while todo:
        node = todo.pop()
        end, passed = _end(traced, node)
        inside |= passed
        if _is_sum(traced, end):
            inside.add(end)
            todo.extend(dict.fromkeys(operations[end].sources))
        else:
            cuts.append(end)
    deepest = sorted(cuts, key=lambda index: (-traced.geometry.coarseness(index), index))
    return Tail(goal, tuple(deepest), tuple(sorted(inside - set(cuts))))


def _word(traced: Trace, node: int) -> str:
    return traced.operations[node].name


def _is_sum(traced: Trace, node: int) -> bool:
    return _word(traced, node) in SUMS and len(set(traced.operations[node].sources)) > 1


def _first_sum(traced: Trace, node: int) -> int:
    """The join nearest to the logits, `node`. Raises SegvizError where it is no addition, or there is none."""
    while node:
        sources = tuple(dict.fromkeys(traced.operations[node].sources))
        if _is_sum(traced, node):
            return node
        if _word(traced, node) in JOINS and len(sources) > 1:
            raise SegvizError("its maps are joined by concatenation, so that there is no sum to take apart")
        if len(sources) > 1:
            raise SegvizError(f"its maps are joined by '{_word(traced, node)}', which is no addition")
        node = sources[0] if sources else 0
    raise SegvizError("one path alone leads to its scores: there is nothing to tell apart")


def _between(traced: Trace, node: int, first: int) -> list[int]:
    """The nodes from the logits, which are `node`, down to the first sum, without it."""
    nodes = []
    while node != first:
        nodes.append(node)
        node = traced.operations[node].sources[0]
    return nodes


def _end(traced: Trace, node: int) -> tuple[int, set[int]]:
    """Down from one summand over all that only spreads or cuts maps: the node where it is made or a sum, and these."""
    passed: set[int] = set()
    while _word(traced, node) in SPREADS and len(set(traced.operations[node].sources)) == 1:
        passed.add(node)
        node = traced.operations[node].sources[0]
    return node, passed


def summands(job: Job, tail: Tail) -> Generator[Progress, None, Summands]:
    """The whole maps of the summands on the job's image, by their nodes."""
    traced = job.traced
    kept = sum(traced.operations[cut].elements for cut in tail.cuts)
    devices.check_memory(traced.peak_bytes + FLOAT * kept, job.title)
    found = yield from flow.outputs(traced, job.weights, job.image, tail.cuts)
    return found


def parts(
    job: Job, tail: Tail, maps: Summands, unit: tuple[int, int], channel: int
) -> tuple[tuple[Contribution, ...], float, float]:
    """The parts, the bias and the logit of one unit (row, column) and channel of the network's answer."""
    traced, (row, column) = job.traced, unit
    geometry, own = traced.geometry, job.weights.of(traced)
    need = needed(geometry, {tail.goal: Region(Interval(row, row), Interval(column, column))})

    def logit(kept: set[int]) -> float:
        have = {cut: tensor if cut in kept else torch.zeros_like(tensor) for cut, tensor in maps.items()}
        return float(_run(traced, own, have, need, tail)[0, channel].reshape(-1)[0])

    with torch.inference_mode():
        bias, together = logit(set()), logit(set(tail.cuts))
        found = [Contribution(layer_at(geometry, cut), cut, logit({cut}) - bias) for cut in tail.cuts]
    return tuple(found), bias, together


def _run(traced: Trace, own: NetworkWeights, maps: Summands, need: Mapping[int, Region], tail: Tail) -> Tensor:
    nodes = traced.geometry.nodes
    have = {cut: Patch(tensor, whole(nodes[cut]), traced.axes[cut]) for cut, tensor in maps.items()}
    for index in tail.nodes:
        operation = traced.operations[index]
        made = operation.kernel.run([have[source] for source in operation.sources], need[index], own)
        have[index] = Patch(made, need[index], traced.axes[index])
    return have[tail.goal].cut(need[tail.goal])


def channel_of(request: ContributionRequest, job: Job) -> int:
    """The map of the logits that is the class's. Raises SegvizError for a unit or a class that there is not."""
    entry = job.loaded.entry
    rows, columns = job.traced.geometry.grid("last")
    if not (0 <= request.row < rows and 0 <= request.column < columns):
        raise SegvizError(f"unit {request.row},{request.column} is outside the answer of {rows}x{columns} units")
    if not 0 <= request.index < len(entry.classes):
        raise SegvizError(f"there is no class {request.index}: {entry.title} has {len(entry.classes)}")
    return 0 if entry.sigmoid else request.index
