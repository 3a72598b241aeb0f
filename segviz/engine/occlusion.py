"""What a grey square over the image changes in the network's outputs (Zeiler and Fergus 2014, section 4.2).

The maps of the image are computed once and kept; of every square only what it reaches is computed again (`cached`),
so that the answer follows a square that is dragged. A network whose maps are too many to keep computes for each
square what the outputs that it can reach need.
"""

from __future__ import annotations

import time
from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor

from segviz.core import scores
from segviz.core.frames import Frame, Lattice
from segviz.core.occlusion import CHANGED, GREY, OcclusionAnswer, OcclusionRequest, covered, square_box
from segviz.core.regions import Region, reached, whole
from segviz.core.requests import Progress
from segviz.engine import devices, flow
from segviz.engine.cached import Cached, has_room
from segviz.engine.inference import per_pixel_lattice
from segviz.engine.job import Floats, Job, logits_of
from segviz.engine.patches import Patch
from segviz.engine.prepare import tensor_of

ONE_PIXEL = Frame((1, 1), (1, 1), (1, 1))


class Occluder:
    """A network on one image, its logits and, where there is room, all its maps. `fill` computes them first."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.traced = job.traced
        grey = np.full((1, 1, 3), GREY, np.uint8)
        self._grey = tensor_of(grey, job.loaded.entry.preprocessing, ONE_PIXEL).to(job.image.device)
        self._cached: Cached | None = None
        self._logits = torch.empty(0)

    def fill(self) -> Generator[Progress, None, None]:
        """Compute the maps of the image as it is."""
        if has_room(self.traced):
            cached = Cached(self.traced, self.job.weights, self.job.image)
            yield from cached.fill()
            self._cached, self._logits = cached, cached.logits
            return
        devices.check_memory(self.traced.peak_bytes, self.job.title)
        steps = flow.run(self.traced, self.job.weights, self.job.image)
        done = yield from flow.followed(steps, flow.progress)
        self._logits = done.output

    @property
    def logits(self) -> Floats:
        """Of the image as it is: (classes, rows, columns)."""
        return self._plain(self._logits)

    @property
    def lattice(self) -> Lattice:
        """Where the outputs sit in the image."""
        rows, columns = self.logits.shape[1:]
        laws = self.traced.geometry.laws_at(self.traced.output)
        if self.job.loaded.per_pixel:
            return per_pixel_lattice(self.job.frame, (rows, columns), laws)
        return self.job.frame.lattice(rows, columns, *laws)

    def under(self, square: Region) -> Generator[Progress, None, Floats]:
        """The logits with `square`, in pixels of the network's input, in grey."""
        image, nodes = self.job.image.clone(), self.traced.geometry.nodes
        Patch(image, whole(nodes[0])).cut(square).copy_(self._grey)
        if self._cached is not None:
            found = yield from self._cached.glanced(image, square)
            return self._plain(found)
        logits, dirty = self._logits.clone(), reached(self.traced.geometry, square).get(self.traced.output)
        if dirty is not None:
            steps = flow.run(self.traced, self.job.weights, image, region=dirty)
            done = yield from flow.followed(steps, flow.progress)
            Patch(logits, whole(nodes[self.traced.output])).cut(dirty).copy_(done.output)
        return self._plain(logits)

    def _plain(self, output: Tensor) -> Floats:
        """Of a vector, which an answer without maps is, one unit."""
        return logits_of(self.job.loaded, output if output.dim() == 4 else output.reshape(1, -1, 1, 1))


def occluded(request: OcclusionRequest, occluder: Occluder, begun: float) -> Generator[Progress, None, OcclusionAnswer]:
    """The answer to a request that began at `begun` (seconds of `time.perf_counter`)."""
    job, before, lattice = occluder.job, occluder.logits, occluder.lattice
    square = covered(job.frame, request.x, request.y, request.side)
    under = yield from occluder.under(square)
    before, under = (logits[:, : lattice.rows, : lattice.columns] for logits in (before, under))
    row, column = lattice.cell_at(*square_box(job.frame, square).center)
    here, there = (scores.softmax(logits[:, row, column]) for logits in (before, under))
    best, instead, classes = int(here.argmax()), int(there.argmax()), job.loaded.entry.classes
    return OcclusionAnswer(
        request=request,
        change=np.abs(under - before).max(0),
        least=CHANGED * float(np.abs(before).max()),
        lattice=lattice,
        label=(best, classes[best]),
        before=float(here[best]),
        under=float(there[best]),
        instead=(instead, classes[instead]),
        seconds=time.perf_counter() - begun,
        notes=job.notes,
    )
