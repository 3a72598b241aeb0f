"""One walk over a trace in strips: what each of them computes, and which rows every node keeps for later ones.

For each strip of the wanted rows the intervals that it needs are followed down the graph, what is there
already is left out, and what is left is computed by the operations' kernels. Where maps shrink, a stage ends:
the fat maps before it are computed in strips of few rows, the small ones behind it in strips of many.
`engine/flow` makes walks and runs them.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from segviz.core.regions import Region, inputs_of, needed
from segviz.core.requests import Progress
from segviz.core.steps import Interval
from segviz.engine import devices
from segviz.engine.graph import Trace
from segviz.engine.kernels import ChannelNorm, Convolution, Deconvolution, Point
from segviz.engine.patches import Patch
from segviz.engine.recorder import Operation

if TYPE_CHECKING:
    from segviz.engine.flow import NetworkWeights

STRIP_ELEMENTS = 2**21  # of the largest map of a strip: it should stay in the cache
SHRUNK = 0.75  # of the rows before: a stage ends here


@dataclass(frozen=True, eq=False)
class Strip:
    """A strip of a walk that is done: `rows` of the wanted region, and their maps (1, C, rows, columns)."""

    rows: Interval
    maps: Tensor


Kept = dict[int, int]  # node to the first row of it that is needed later


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one strip of `rows` of `goal` computes: new rows of each node, and the rows that it takes of each."""

    goal: int
    rows: Interval
    new: dict[int, Interval]
    takes: dict[int, Interval]
    last_use: dict[int, int]  # node to the last one that takes it


class Walk:
    """One walk in strips. `have` are the rows that each node keeps, `done` the last row that it has computed.

    `stages` are the nodes whose rows are computed in strips of their own, with the rows of one such
    strip; the last is the goal, whose strips have `rows` (and are the only stage) if that is given.
    """

    def __init__(
        self,
        traced: Trace,
        weights: NetworkWeights,
        start: dict[int, Patch],
        goal: int,
        wanted: Region,
        rows: int | None,
        seconds: dict[str, float],
    ) -> None:
        self.traced, self.weights, self.goal, self.wanted = traced, weights.of(traced), goal, wanted
        self.geometry = traced.geometry
        self.seconds = seconds
        self.device = next(iter(start.values())).tensor.device
        self.have = dict(start)
        self.done = {index: patch.region.y.hi for index, patch in start.items()}
        self.given = frozenset(start)
        need = needed(self.geometry, {goal: wanted})
        nodes = self.geometry.nodes
        self.first = {index: region.y.lo for index, region in need.items()}  # the first row that is needed at all
        self.columns = {i: Interval(0, nodes[i].width - 1) if nodes[i].mixed else r.x for i, r in need.items()}
        self.owned: set[int] = set()
        self.total = 0  # leaves that the walk goes through, once it runs
        self.stages = self._stages() if rows is None else ((goal, rows),)

    def _stages(self) -> tuple[tuple[int, int], ...]:
        """Where maps shrink, and the goal: with so many rows that the largest map since the last stage suits the cache.

        A stage that only some ways to the goal pass is as good: each row is still computed once.
        """
        nodes, operations = self.geometry.nodes, self.traced.operations
        stages: list[tuple[int, int]] = []
        before, largest = nodes[0].height, 1.0  # elements of the largest map since the last stage
        for index in self._computed():
            node, columns = nodes[index], self.columns[index]
            largest = max(largest, operations[index].elements * (columns.hi - columns.lo + 1) / node.width)
            if index == self.goal or 1 < node.height < before * SHRUNK:
                stages.append((index, max(1, int(STRIP_ELEMENTS * node.height / largest))))
                before, largest = node.height, 1.0
        return tuple(stages)

    def _computed(self) -> list[int]:
        """The nodes on the way from what is given to the goal."""
        found = {self.goal}
        for index in range(self.goal, 0, -1):
            if index in found and index not in self.given:
                found.update(self.traced.operations[index].sources)
        return sorted(found - self.given)

    def leaves(self) -> int:
        """How many leaves a walk goes through; spends the walk."""
        return sum(self._leaves(plan) for plan in self._plans(len(self.stages) - 1, self.wanted.y))

    def run(self, before: int, behind: int) -> Generator[Progress | Strip, None, Tensor]:
        """The wanted maps. Progress counts the leaves of walks before and behind this one too."""
        plans = list(self._plans(len(self.stages) - 1, self.wanted.y))
        self.total, done = sum(self._leaves(plan) for plan in plans), before
        leaves = before + self.total + behind
        out: Tensor | None = None
        for plan, keep in zip(plans, _kept(plans), strict=True):
            for leaf in self._compute(plan, keep):
                yield Progress(done + leaf, leaves, "layers")
            done += self._leaves(plan)
            if plan.goal != self.goal:
                continue
            patch, strip = self.have[self.goal], plan.rows
            maps = patch.cut(Region(strip, self.wanted.x)) if patch.tensor.dim() == 4 else patch.tensor
            if strip == self.wanted.y:
                yield Strip(strip, maps)
                return maps
            if out is None:
                out = maps.new_empty((1, maps.shape[1], *self.wanted.shape))
            first = strip.lo - self.wanted.y.lo
            out[:, :, first : first + maps.shape[2]] = maps
            if patch.region.y.hi <= strip.hi:  # they are in `out` now
                del self.have[self.goal]
            yield Strip(strip, maps)
        assert out is not None
        return out

    def _plans(self, level: int, rows: Interval) -> Iterator[_Plan]:
        """Strips of `rows` of a stage in order, each behind those of the stage below that it needs."""
        goal, most = self.stages[level]
        for first in range(rows.lo, rows.hi + 1, most):
            strip = Interval(first, min(first + most - 1, rows.hi))
            if level:
                below = self.stages[level - 1][0]
                need = needed(self.geometry, {goal: Region(strip, self.columns[goal])}).get(below)
                start = self.done.get(below, self.first[below] - 1) + 1
                if need is not None and start <= need.y.hi:
                    yield from self._plans(level - 1, Interval(start, need.y.hi))
            yield self._plan(goal, strip)

    def _leaves(self, plan: _Plan) -> int:
        """How often another leaf begins in a strip."""
        layers = [self.traced.operations[index].layer for index in sorted(plan.new)]
        return len(list(groupby(layers)))

    def _plan(self, goal: int, rows: Interval) -> _Plan:
        """Which rows of each node the `rows` of a goal still need, and of those which are new. Marks them as done."""
        takes = {goal: rows}
        new: dict[int, Interval] = {}
        last_use: dict[int, int] = {}
        for index in range(goal, 0, -1):
            need = takes.get(index)
            if need is None or index in self.given:
                continue
            node = self.geometry.nodes[index]
            if node.mixed:
                need = Interval(0, node.height - 1)
            first = self.done.get(index, self.first[index] - 1) + 1
            if first > need.hi:
                continue
            new[index] = Interval(first, need.hi)
            sources = inputs_of(self.geometry, index, Region(new[index], self.columns[index]))
            for source in self.traced.operations[index].sources:
                last_use.setdefault(source, index)
                y = sources[source].y
                takes[source] = takes[source] | y if source in takes else y
        self.done |= {index: interval.hi for index, interval in new.items()}
        return _Plan(goal, rows, new, takes, last_use)

    def _compute(self, plan: _Plan, keep: Kept) -> Iterable[int]:
        """Compute the new rows of every node; yields the number of leaves that are done."""
        done, leaf, began = 0, "", time.perf_counter()
        for index in sorted(plan.new):
            operation = self.traced.operations[index]
            if leaf and operation.layer != leaf:
                done += 1
                began = self._clock(leaf, began)
                yield done
            leaf = operation.layer
            with torch.inference_mode():  # not around the yield: the mode would stay on in the caller
                self._one(index, operation, plan, keep)
            for source in set(operation.sources):
                if plan.last_use.get(source) == index:
                    self._trim(source, keep)
        if leaf:
            self._clock(leaf, began)
            yield done + 1

    def _clock(self, leaf: str, began: float) -> float:
        devices.synchronise(self.device)
        now = time.perf_counter()
        self.seconds[leaf] = self.seconds.get(leaf, 0.0) + now - began
        return now

    def _one(self, index: int, operation: Operation, plan: _Plan, keep: Kept) -> None:
        wanted = Region(plan.new[index], self.columns[index])
        inputs = [self.have[source] for source in operation.sources]
        kernel = operation.kernel
        if isinstance(kernel, Point) and kernel.inplace is not None and self._may_overwrite(index, wanted, plan, keep):
            made = kernel.run_over(inputs, wanted, self.weights)
        else:
            made = kernel.run(inputs, wanted, self.weights)
        axes = self.traced.axes[index]
        kept = self.have.get(index)
        if kept is not None and kept.region.y.hi + 1 == wanted.y.lo and kept.region.x == wanted.x:
            made = torch.cat([kept.tensor, made], axes[0])
            wanted = Region(kept.region.y | wanted.y, wanted.x)
        self.have[index] = Patch(made, wanted, axes)
        if isinstance(kernel, (Convolution, Deconvolution, ChannelNorm)) or (
            isinstance(kernel, Point) and kernel.fresh
        ):
            self.owned.add(index)
        else:
            self.owned.discard(index)

    def _may_overwrite(self, index: int, wanted: Region, plan: _Plan, keep: Kept) -> bool:
        """Whether the first input is this walk's own, is taken by nothing else, and is just what is needed."""
        first = self.traced.operations[index].sources[0]
        return (
            first in self.owned
            and plan.last_use.get(first) == index
            and self.traced.operations[index].sources.count(first) == 1
            and self.have[first].region == wanted
            and keep.get(first, wanted.y.hi + 1) > wanted.y.hi
            and not self._is_shared(first)
        )

    def _is_shared(self, index: int) -> bool:
        """Whether other maps that are still there are views of the same memory: crops, slices, chunks."""
        memory = self.have[index].tensor.untyped_storage().data_ptr()
        return any(
            other != index and patch.tensor.untyped_storage().data_ptr() == memory for other, patch in self.have.items()
        )

    def _trim(self, index: int, keep: Kept) -> None:
        """Let go of the rows that no later strip needs."""
        if index in self.given or index == self.goal:
            return
        patch = self.have[index]
        rows = patch.region.y
        low = keep.get(index)
        if low is None or low > rows.hi:
            del self.have[index]
        elif low > rows.lo:
            kept = Region(Interval(low, rows.hi), patch.region.x)
            tensor = patch.cut(kept)
            if 2 * (rows.hi - low + 1) < rows.hi - rows.lo + 1:
                tensor = tensor.clone(memory_format=torch.preserve_format)  # or the view would keep all of the strip
            self.have[index] = Patch(tensor, kept, patch.axes)


def _kept(plans: list[_Plan]) -> list[Kept]:
    """For each strip the first row of every node that any later one takes."""
    keeps: list[Kept] = []
    later: Kept = {}
    for plan in reversed(plans):
        keeps.append(dict(later))
        for index, rows in plan.takes.items():
            later[index] = min(rows.lo, later.get(index, rows.lo))
    return keeps[::-1]
