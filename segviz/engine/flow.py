"""A traced network at work, in strips: every layer keeps only the rows that the next strip needs.

Nothing is computed twice and memory follows the width of the image, not its height ("row
streaming"). A part of the image, or all of it in one strip, is the same walk (`engine/strips`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from torch import Tensor, nn

from segviz.core.regions import Region, needed, whole
from segviz.core.requests import Progress
from segviz.engine.graph import Trace
from segviz.engine.kernels import DENSE_WEIGHT, Convolution
from segviz.engine.patches import Patch, Weight
from segviz.engine.strips import Strip, Walk

Step = TypeVar("Step")
Shown = TypeVar("Shown")
Answer = TypeVar("Answer")

MOST_LAID = 2**35  # multiplications of a dense layer at once, between two moments at which a walk can be closed


class NetworkWeights:
    """The tensors of a network by their names, and what is made of them once: other layouts, transforms.

    `fast` allows methods that are equal only to about 1e-5 (`engine/winograd`, `engine/quick`); `others`
    are taken in place of the network's own tensors of these names.
    """

    def __init__(self, network: nn.Module, fast: bool = False, others: Mapping[str, Tensor] | None = None) -> None:
        self.fast = fast
        named = (*network.named_parameters(remove_duplicate=False), *network.named_buffers(remove_duplicate=False))
        self._named: dict[str, Tensor] = {name: tensor.detach() for name, tensor in named} | dict(others or {})
        self._prepared: dict[Any, Tensor] = {}
        self._trace: Trace | None = None  # that says what weights with numbers are
        self._values: dict[Any, Any] = {}  # of those by number, and what was prepared of them by its key
        self._bound: dict[tuple[Trace, bool], NetworkWeights] = {}  # to the trace that was used last

    def allowing(self, fast: bool) -> NetworkWeights:
        """The same tensors, with `fast` arithmetic or without."""
        if fast is self.fast:
            return self
        other = copy.copy(self)
        other.fast = fast
        return other

    def of(self, traced: Trace) -> NetworkWeights:
        """The same for the operations of `traced`, which may make tensors of parameters of their own.

        Those are numbered anew in every trace: hence an object of its own, which a walk keeps while others begin.
        """
        if self._trace is traced:
            return self
        key = traced, self.fast
        if key not in self._bound:
            other = copy.copy(self)
            other._trace, other._values, other._bound = traced, {}, {}
            self._bound.clear()
            self._bound[key] = other
        return self._bound[key]

    def __getitem__(self, weight: Any) -> Any:
        if not isinstance(weight, Weight):
            return weight
        if isinstance(weight.key, str):
            return self._named[weight.key]
        if weight.key not in self._values:
            assert self._trace is not None  # numbers come from a trace, whose kernels run with `of` it
            self._values[weight.key] = self._trace.made[weight.key].value(self)
        return self._values[weight.key]

    def prepared(self, key: Any, make: Callable[[], Tensor]) -> Tensor:
        """What `make` made of the weight `key[1]`, made once."""
        if not isinstance(key[1], Weight):
            return make()  # a tensor without a name
        kept = self._prepared if isinstance(key[1].key, str) else self._values
        if key not in kept:
            kept[key] = make()
        return kept[key]

    @property
    def prepared_bytes(self) -> int:
        """Bytes of what was prepared of the network's tensors; what is only another view of one weighs nothing."""
        own = {tensor.untyped_storage().data_ptr() for tensor in self._named.values()}
        return sum(made.nbytes for made in self._prepared.values() if made.untyped_storage().data_ptr() not in own)


@dataclass
class Pass:
    """What a walk answers: the last node's maps (1, C, rows, columns) of the region, and the seconds of each leaf.

    `seconds` of a leaf hold what the network does between its modules before it.
    """

    output: Tensor
    layer_seconds: dict[str, float] = field(default_factory=dict)


def run(
    traced: Trace,
    weights: NetworkWeights,
    image: Tensor,
    target: int | None = None,
    region: Region | None = None,
    rows: int | None = None,
    have: Mapping[int, Patch] | None = None,
) -> Generator[Progress | Strip, None, Pass]:
    """Compute a `region` of node `target` (all of the logits unless given) on `image` (1, C, H, W).

    Yields every strip, and progress after every leaf of it; `rows` a strip instead of as many as the
    cache suits. `have` are whole maps of nodes that need not be computed again. Closing the generator stops
    the walk between two operations.
    """
    goal = traced.output if target is None else target
    wanted = region or whole(traced.geometry.nodes[goal])
    traced.check(image)
    seconds: dict[str, float] = {}
    start = {0: Patch(image, whole(traced.geometry.nodes[0])), **(have or {})}
    dense, before = _dense_layer(traced, goal), 0
    if dense is not None and rows is None and dense not in start:
        source = traced.operations[dense].sources[0]
        rows = max(1, MOST_LAID // (_taps(traced, dense) * wanted.shape[1]))
        if source not in start:
            needs = needed(traced.geometry, {goal: wanted})[source]
            head = Walk(traced, weights, {source: Patch(image, needs)}, goal, wanted, rows, {}).leaves()
            walk = Walk(traced, weights, start, source, needs, None, seconds)
            maps = yield from followed(walk.run(0, head), progress)
            start, before = {source: Patch(maps, needs)}, walk.total
    walk = Walk(traced, weights, start, goal, wanted, rows, seconds)
    maps = yield from walk.run(before, 0)
    return Pass(maps, seconds)


def outputs(
    traced: Trace, weights: NetworkWeights, image: Tensor, goals: Collection[int]
) -> Generator[Progress, None, dict[int, Tensor]]:
    """The whole maps of several nodes on `image` (1, C, H, W), each operation computed once.

    One walk follows the other, to these nodes and to those where the ways to them part, each from what those before it
    have made.
    """
    nodes, stops = traced.geometry.nodes, set(goals)
    while forks := _forks(traced, stops) - stops:
        stops |= forks
    ways, done = _fresh(traced, sorted(stops)), 0
    total = sum(map(len, ways.values()))
    have = {0: Patch(image, whole(nodes[0]))}
    for stop, way in ways.items():

        def shown(step: Progress | Strip, before: int = done, share: int = len(way)) -> Progress | None:
            told = progress(step)
            return told and Progress(before + int(told.fraction * share), total, "operations")

        found = yield from followed(run(traced, weights, image, stop, have=have), shown)
        have[stop], done = Patch(found.output, whole(nodes[stop]), traced.axes[stop]), done + len(way)
    return {goal: have[goal].tensor for goal in goals}


def _fresh(traced: Trace, stops: Sequence[int]) -> dict[int, set[int]]:
    """For each of some nodes, in order: it and what is on the ways to it behind those before it."""
    found: dict[int, set[int]] = {}
    known = {0}
    for stop in stops:
        way = {stop} - known
        for index in range(stop, 0, -1):
            if index in way:
                way.update(set(traced.operations[index].sources) - known)
        found[stop] = way
        known |= way
    return found


def _forks(traced: Trace, stops: Collection[int]) -> set[int]:
    """The nodes on the way to one of these from which the way to a later one goes on."""
    forks: set[int] = set()
    known: set[int] = set()
    for way in _fresh(traced, sorted(stops)).values():
        forks |= {source for index in way for source in traced.operations[index].sources if source in known}
        known |= way
    return forks


def followed(
    steps: Generator[Step, None, Answer], show: Callable[[Step], Shown | None]
) -> Generator[Shown, None, Answer]:
    """The same walk, seen as `show` sees each of its steps; what that answers with None is not told."""
    with closing(steps):
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                answer: Answer = end.value
                return answer
            told = show(step)
            if told is not None:
                yield told


def finished(steps: Generator[Any, None, Answer]) -> Answer:
    """Walk to the end at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            answer: Answer = end.value
            return answer


def progress(step: Progress | Strip) -> Progress | None:
    """For `followed`: progress alone, no strips."""
    return step if isinstance(step, Progress) else None


def _dense_layer(traced: Trace, goal: int) -> int | None:
    """The first layer whose weight is so large that it should be read as few times as can be.

    None where a skip goes around it: all that is before it would have to be kept, or computed twice.
    """
    for index, operation in enumerate(traced.operations[: goal + 1]):
        kernel = operation.kernel
        if isinstance(kernel, Convolution) and operation.sources != (0,) and _taps(traced, index) >= DENSE_WEIGHT:
            return None if _goes_around(traced, goal, operation.sources[0]) else index
    return None


def _goes_around(traced: Trace, goal: int, node: int) -> bool:
    """Whether a way from the image to `goal` leaves `node` out."""
    found = {goal}
    for index in range(goal, 0, -1):
        if index in found and index != node:
            found.update(traced.operations[index].sources)
    return 0 in found and node != 0


def _taps(traced: Trace, index: int) -> int:
    """Multiplications of a node for each of its units, those of all channels."""
    node = traced.geometry.nodes[index]
    return traced.operations[index].macs // max(1, node.height * node.width)
