"""After a local edit of the image only what the edit can reach is computed again: dirty rectangles.

Every layer's maps are kept; the edited rectangle is followed up through the graph (`core/regions`),
and of each layer its rectangle alone is computed, from maps that are up to date already.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from segviz.core.field import Node
from segviz.core.regions import Region, needed, reached, whole
from segviz.core.requests import Progress
from segviz.core.steps import Interval
from segviz.engine import devices
from segviz.engine.flow import NetworkWeights
from segviz.engine.graph import Trace
from segviz.engine.patches import Patch

LARGEST_EDIT = 0.25  # of the image; a larger one is computed as another image
FEWEST = 16  # columns at once: for fewer some convolutions of oneDNN sum in another order, to other last bits
SMALL = 2**27  # multiplications: to wake a second thread for each layer would take longer than all of them
FLOAT = 4  # bytes of an element
MOST_KEPT = 2**27  # elements of all maps together; a larger network is computed anew each time


class Cached:
    """A network's maps on one image (1, C, H, W), all of them, and what an edit changes of them.

    `fill` computes them first. Both generators report every layer and can be closed between two; what
    was closed or failed in an `update` is of no image any more and is to be dropped.
    """

    def __init__(self, traced: Trace, weights: NetworkWeights, image: Tensor) -> None:
        self.traced = traced
        self._weights = weights.of(traced)
        nodes = traced.geometry.nodes
        self._used = sorted(needed(traced.geometry, {traced.output: whole(nodes[traced.output])}))
        self._patches = {0: Patch(image.clone(), whole(nodes[0]))}

    def fill(self) -> Generator[Progress, None, None]:
        """Compute all maps."""
        nodes, layers = self.traced.geometry.nodes, self._used[1:]
        for done, index in enumerate(layers, 1):
            with torch.inference_mode():  # not around the yield: the mode would stay on in the caller
                maps = self._computed(index, whole(nodes[index]))
            self._patches[index] = Patch(maps, whole(nodes[index]), self.traced.axes[index])
            yield Progress(done, len(layers), "layers")

    def _computed(self, index: int, wanted: Region) -> Tensor:
        operation = self.traced.operations[index]
        inputs = [self._patches[source] for source in operation.sources]
        return operation.kernel.run(inputs, wanted, self._weights)

    @property
    def image(self) -> Tensor:
        return self._patches[0].tensor

    @property
    def logits(self) -> Tensor:
        return self._patches[self.traced.output].tensor

    def update(self, image: Tensor, region: Region) -> Generator[Progress, None, Region | None]:
        """Take over the `region` of another image of the same size; the region of the logits that may have changed.

        A small edit is one step: it takes milliseconds.
        """
        nodes = self.traced.geometry.nodes
        dirty = reached(self.traced.geometry, region)
        parts = {index: _widened(dirty[index], nodes[index]) for index in self._used[1:] if index in dirty}
        self._patches[0].cut(region).copy_(Patch(image, self._patches[0].region).cut(region))
        if self.traced.macs_of(parts) <= SMALL:
            with torch.inference_mode(), devices.one_thread():
                for index, part in parts.items():
                    self._renew(index, part)
            return dirty.get(self.traced.output)
        for done, (index, part) in enumerate(parts.items(), 1):
            with torch.inference_mode():
                self._renew(index, part)
            yield Progress(done, len(parts), "layers")
        return dirty.get(self.traced.output)

    def glanced(self, image: Tensor, region: Region) -> Generator[Progress, None, tuple[Region, Tensor] | None]:
        """Where the logits of another image, that differs in `region`, may be others, and what they are there.

        None where it reaches none of them. All maps then are as they were, closed half-way too.
        """
        nodes = self.traced.geometry.nodes
        dirty = reached(self.traced.geometry, region)
        parts = {index: _widened(dirty[index], nodes[index]) for index in self._used[1:] if index in dirty}
        parts[0] = region
        before = {index: self._part(index, part).clone() for index, part in parts.items()}
        try:
            reach = yield from self.update(image, region)
            return None if reach is None else (reach, self._part(self.traced.output, reach).clone())
        finally:
            with torch.inference_mode():
                for index, maps in before.items():
                    self._part(index, parts[index]).copy_(maps)

    def _part(self, index: int, part: Region) -> Tensor:
        """A part of a node's maps, of a vector all of it; a view."""
        kept = self._patches[index]
        return kept.cut(part) if kept.tensor.dim() == 4 else kept.tensor

    def _renew(self, index: int, part: Region) -> None:
        """Compute a part of a node's maps again."""
        made = self._computed(index, part)
        self._part(index, part).copy_(made)


def _widened(region: Region, node: Node) -> Region:
    """The region with at least `FEWEST` columns, as far as the map has them."""
    low = max(0, min(region.x.lo, node.width - FEWEST))
    return Region(region.y, Interval(low, max(region.x.hi, min(node.width, low + FEWEST) - 1)))


def edited(before: Tensor, after: Tensor) -> Region | None:
    """The smallest region of an image (1, C, H, W) that holds every difference; None where there is none."""
    differs = (before != after).any(1)[0]  # (H, W)
    rows, columns = differs.any(1).nonzero(), differs.any(0).nonzero()
    if not len(rows):
        return None
    return Region(
        Interval(int(rows[0]), int(rows[-1])),
        Interval(int(columns[0]), int(columns[-1])),
    )


@dataclass(eq=False)
class _Seen:
    key: Hashable
    image: Tensor
    cached: Cached | None = None


class Redraws:
    """Logits of an image that is being drawn: recognised by itself, since each differs little from the one before."""

    def __init__(self) -> None:
        self._seen: _Seen | None = None

    def logits(
        self, key: Hashable, traced: Trace, weights: NetworkWeights, image: Tensor
    ) -> Generator[Progress, None, Tensor | None]:
        """Logits of `image`, if it is an edit of the one seen last under the same `key`; else None, to be computed.

        None too where there is no memory for the maps of all layers: in strips they take less.
        """
        seen = self._seen
        region = None
        if seen is not None and seen.key == key and seen.image.shape == image.shape:
            region = edited(seen.image, image)
        if seen is None or region is None or not _small(region, image) or not _keepable(traced):
            same = seen is not None and seen.key == key and region is None and torch.equal(seen.image, image)
            if not same:
                self._seen = _Seen(key, image)
            return None
        cached, seen.cached = seen.cached, None  # what fails or is closed half-way is of neither image
        if cached is not None and cached.traced is traced:
            yield from cached.update(image, region)
        elif devices.fits(FLOAT * _kept_elements(traced)):
            cached = Cached(traced, weights, image)
            yield from cached.fill()
        else:
            self._seen = _Seen(key, image)
            return None
        seen.cached, seen.image = cached, image
        return cached.logits.clone()

    def forget(self) -> None:
        """Let go of the image and of the network's maps."""
        self._seen = None


def _small(region: Region, image: Tensor) -> bool:
    rows, columns = region.shape
    return rows * columns <= LARGEST_EDIT * image.shape[2] * image.shape[3]


def _keepable(traced: Trace) -> bool:
    """An edit changes what a network that decides by values may do, and so nothing is kept of it."""
    return traced.seen is None and _kept_elements(traced) <= MOST_KEPT


def has_room(traced: Trace) -> bool:
    """Whether the maps of all layers can be kept."""
    return _keepable(traced) and devices.fits(FLOAT * _kept_elements(traced))


def _kept_elements(traced: Trace) -> int:
    return sum(operation.elements for operation in traced.operations)
