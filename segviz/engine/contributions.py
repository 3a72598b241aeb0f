"""The parts of a logit in a network whose last joins are additions behind which all is linear.

Of a linear tail f of summands a, b, ... and biases, f(a, b) = f(0, 0) + (f(a, 0) - f(0, 0)) + (f(0, b) - f(0, 0)): so
each part is the recorded tail run with the other summands at zero, on the region that the one unit needs.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from segviz.core.contributions import Contribution, ContributionAnswer, ContributionRequest
from segviz.core.errors import SegvizError
from segviz.core.field import Geometry
from segviz.core.field_paths import layer_at
from segviz.core.regions import Region, inputs_of
from segviz.core.requests import Progress
from segviz.core.steps import Interval
from segviz.engine import flow
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


@dataclass(frozen=True)
class Tail:
    """The end of a network behind its summands: `cuts` are their nodes, `nodes` the operations between, in order."""

    cuts: tuple[int, ...]
    nodes: tuple[int, ...]


def tail_of(traced: Trace) -> Tail:
    """Where a network's logits are a sum. Raises SegvizError, saying what stands in the way, where they are none."""
    operations = traced.operations
    first, node = _first_sum(traced), traced.output
    while node != first:  # one way alone leads there
        if _word(traced, node) not in LINEAR:
            raise SegvizError(f"'{_word(traced, node)}' behind the sum is not linear, so that its parts do not add up")
        (node,) = operations[node].sources
    cuts, inside, todo = [], set(_between(traced, first)), [first]
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
    return Tail(tuple(deepest), tuple(sorted(inside - set(cuts))))


def _word(traced: Trace, node: int) -> str:
    return traced.operations[node].name


def _is_sum(traced: Trace, node: int) -> bool:
    return _word(traced, node) in SUMS and len(set(traced.operations[node].sources)) > 1


def _first_sum(traced: Trace) -> int:
    """The join nearest to the logits. Raises SegvizError where it is no addition, or there is none."""
    node = traced.output
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


def _between(traced: Trace, first: int) -> list[int]:
    """The nodes from the logits down to the first sum, without it."""
    nodes, node = [], traced.output
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


def parts(
    traced: Trace, weights: NetworkWeights, image: Tensor, unit: tuple[int, int], channel: int
) -> Generator[Progress, None, tuple[tuple[Contribution, ...], float, float]]:
    """The parts, the bias and the logit of one unit (row, column) and channel of the network's answer on `image`.

    Raises SegvizError where the network's end is no sum.
    """
    tail, geometry = tail_of(traced), traced.geometry
    need = _needed(geometry, traced.output, unit, tail)
    maps: dict[int, Tensor] = {}
    for cut in tail.cuts:
        walk = flow.run(traced, weights, image, cut, need[cut])
        maps[cut] = (yield from flow.followed(walk, flow.progress)).output
    own = weights.of(traced)

    def logit(kept: set[int]) -> float:
        have = {cut: tensor if cut in kept else torch.zeros_like(tensor) for cut, tensor in maps.items()}
        return float(_run(traced, own, have, need, tail)[0, channel].reshape(-1)[0])

    with torch.inference_mode():
        bias, whole = logit(set()), logit(set(tail.cuts))
        found = [Contribution(layer_at(geometry, cut), logit({cut}) - bias) for cut in tail.cuts]
    return tuple(found), bias, whole


def _needed(geometry: Geometry, output: int, unit: tuple[int, int], tail: Tail) -> dict[int, Region]:
    """The region of every node of the tail that the unit needs."""
    row, column = unit
    need = {output: Region(Interval(row, row), Interval(column, column))}
    for index in reversed(tail.nodes):
        if index in need:
            for source, region in inputs_of(geometry, index, need[index]).items():
                need[source] = need[source] | region if source in need else region
    return need


def _run(
    traced: Trace, own: NetworkWeights, maps: Mapping[int, Tensor], need: Mapping[int, Region], tail: Tail
) -> Tensor:
    have = {cut: Patch(tensor, need[cut], traced.axes[cut]) for cut, tensor in maps.items()}
    for index in tail.nodes:
        operation = traced.operations[index]
        made = operation.kernel.run([have[source] for source in operation.sources], need[index], own)
        have[index] = Patch(made, need[index], traced.axes[index])
    return have[traced.output].cut(need[traced.output])


def answered(request: ContributionRequest, job: Job) -> Generator[Progress, None, ContributionAnswer]:
    """The answer to a request. Raises SegvizError for a unit or a class that there is not."""
    began, entry = time.perf_counter(), job.loaded.entry
    end = job.dense.geometry.nodes[job.dense.output]
    rows, columns = end.height, end.width
    if not (0 <= request.row < rows and 0 <= request.column < columns):
        raise SegvizError(f"unit {request.row},{request.column} is outside the answer of {rows}x{columns} units")
    if not 0 <= request.index < len(entry.classes):
        raise SegvizError(f"there is no class {request.index}: {entry.title} has {len(entry.classes)}")
    refusal, unit, channel = "", (request.row, request.column), 0 if entry.sigmoid else request.index
    found: tuple[tuple[Contribution, ...], float, float] = ((), 0.0, 0.0)
    try:
        if entry.sigmoid and request.index == 0:
            raise SegvizError("of two classes with one output the logit of the first is always 0")
        found = yield from parts(job.dense, job.weights, job.image, unit, channel)
    except SegvizError as error:
        refusal = f"{entry.title}: {error}"
    return ContributionAnswer(request, *found, time.perf_counter() - began, refusal, job.notes)
