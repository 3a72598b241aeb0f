"""What a grey square over the image changes in the network's outputs (Zeiler and Fergus 2014, section 4.2).

The maps of the image are computed once and kept; of every square only what it reaches is computed again (`cached`),
so that the answer follows a square that is dragged. A network whose maps are too many to keep computes for each
square what the outputs that it can reach need.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from segviz.core import scores
from segviz.core.frames import Frame, Lattice
from segviz.core.occlusion import CHANGED, GREY, OcclusionAnswer, OcclusionRequest, covered, square_box
from segviz.core.regions import Region, reached, whole
from segviz.core.requests import Progress
from segviz.engine import devices, flow
from segviz.engine.cached import Cached, has_room
from segviz.engine.job import Floats, Job, logits_of
from segviz.engine.patches import Patch
from segviz.engine.prepare import tensor_of

ONE_PIXEL = Frame((1, 1), (1, 1), (1, 1))


class Occluder:
    """A network on one image, its logits and, where there is room, all its maps. `fill` computes them first.

    `logits` (classes, rows, columns) are those of the image as it is, `largest` is their largest absolute value.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.traced = job.traced
        grey = np.full((1, 1, 3), GREY, np.uint8)
        self._grey = tensor_of(grey, job.loaded.entry.preprocessing, ONE_PIXEL).to(job.image.device)
        self._cached: Cached | None = None
        self.logits: Floats = np.empty((0, 0, 0), np.float32)
        self.largest = 0.0

    def fill(self) -> Generator[Progress, None, None]:
        """Compute the maps of the image as it is."""
        if has_room(self.traced):
            cached = Cached(self.traced, self.job.weights, self.job.image)
            yield from cached.fill()
            self._cached = cached
            self._take(cached.logits)
            return
        devices.check_memory(self.traced.peak_bytes, self.job.title)
        steps = flow.run(self.traced, self.job.weights, self.job.image)
        done = yield from flow.followed(steps, flow.progress)
        self._take(done.output)

    def _take(self, output: Tensor) -> None:
        self.logits = self._plain(output.clone())  # `Cached` writes to its own for every square
        self.largest = max(float(self.logits.max()), -float(self.logits.min()))

    @property
    def lattice(self) -> Lattice:
        """Where the outputs sit in the image."""
        rows, columns = self.logits.shape[1:]
        laws = self.traced.geometry.laws_at(self.traced.output)
        if self.job.loaded.per_pixel:
            return self.job.frame.per_pixel_lattice((rows, columns), laws)
        return self.job.frame.lattice(rows, columns, *laws)

    def under(self, square: Region) -> Generator[Progress, None, Under | None]:
        """The logits that `square`, in pixels of the network's input, may change by being grey; None where none."""
        image, nodes = self.job.image.clone(), self.traced.geometry.nodes
        Patch(image, whole(nodes[0])).cut(square).copy_(self._grey)
        if self._cached is not None:
            found = yield from self._cached.glanced(image, square)
            return None if found is None else self._placed(*found)
        reach = reached(self.traced.geometry, square).get(self.traced.output)
        if reach is None:
            return None
        steps = flow.run(self.traced, self.job.weights, image, region=reach)
        done = yield from flow.followed(steps, flow.progress)
        return self._placed(reach, done.output)

    def _placed(self, reach: Region, output: Tensor) -> Under:
        logits = self._plain(output)
        return Under(reach.y.lo, reach.x.lo, logits) if output.dim() == 4 else Under(0, 0, logits)

    def _plain(self, output: Tensor) -> Floats:
        """Of a vector, which an answer without maps is, one unit."""
        return logits_of(self.job.loaded, output if output.dim() == 4 else output.reshape(1, -1, 1, 1))


@dataclass(frozen=True, eq=False)
class Under:
    """The logits (classes, rows, columns) that a square may change, from (`top`, `left`) of the grid on."""

    top: int
    left: int
    logits: Floats

    def within(self, rows: int, columns: int) -> Under:
        """The part on a grid of that size."""
        return Under(self.top, self.left, self.logits[:, : max(0, rows - self.top), : max(0, columns - self.left)])

    @property
    def units(self) -> tuple[slice, slice]:
        """The rows and columns of the grid that these are."""
        rows, columns = self.logits.shape[1:]
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)

    def at(self, row: int, column: int) -> Floats | None:
        """The logits of a unit of the grid; None where they are as they were."""
        y, x = self.units
        if not (y.start <= row < y.stop and x.start <= column < x.stop):
            return None
        return np.asarray(self.logits[:, row - self.top, column - self.left])


def occluded(request: OcclusionRequest, occluder: Occluder, begun: float) -> Generator[Progress, None, OcclusionAnswer]:
    """The answer to a request that began at `begun` (seconds of `time.perf_counter`).

    Only the outputs that the square reaches are compared: there may be a thousand classes at every pixel.
    """
    job, before, lattice = occluder.job, occluder.logits, occluder.lattice
    square = covered(job.frame, request.x, request.y, request.side)
    found = yield from occluder.under(square)
    row, column = lattice.cell_at(*square_box(job.frame, square).center)
    change = np.zeros((lattice.rows, lattice.columns), np.float32)
    here = there = before[:, row, column]
    if found is not None:
        under = found.within(lattice.rows, lattice.columns)
        change[under.units] = np.abs(under.logits - before[:, *under.units]).max(0)
        instead_of = under.at(row, column)
        there = here if instead_of is None else instead_of
    here, there = scores.softmax(here), scores.softmax(there)
    best, instead, classes = int(here.argmax()), int(there.argmax()), job.loaded.entry.classes
    return OcclusionAnswer(
        request=request,
        change=change,
        least=CHANGED * occluder.largest,
        lattice=lattice,
        label=(best, classes[best]),
        before=float(here[best]),
        under=float(there[best]),
        instead=(instead, classes[instead]),
        seconds=time.perf_counter() - begun,
        notes=job.notes,
    )
