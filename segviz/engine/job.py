"""One network on one image: what every method of inference is given, and the logits on a grid that it answers with."""

from __future__ import annotations

from collections.abc import Generator, Hashable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from segviz.core.errors import SegvizError
from segviz.core.field import Box
from segviz.core.frames import Frame, Lattice
from segviz.core.requests import Exactness, Progress
from segviz.engine.exactness import CentredWindows, deviation
from segviz.engine.flow import NetworkWeights
from segviz.engine.graph import Trace
from segviz.engine.store import Loaded

LARGEST_SAMPLE = 16  # windows that a map is compared with
SAMPLE_SHARE = 0.1  # of what the map itself took, which the comparison may add

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Job:
    """One network on one image, and its trace as published, `native`.

    `key` is another one as soon as the network or the image is, or what is made of them. `region` is the part of the
    image that is wanted, None for all of it. `ready` are the convolutional form's maps of logits where they are known
    already.
    """

    loaded: Loaded
    image: Tensor  # (1, C, H, W)
    key: Hashable
    frame: Frame
    native: Trace
    grid_stride: int | None = None
    notes: tuple[str, ...] = ()  # of the image's file
    region: Box | None = None
    ready: Tensor | None = None
    fast: bool = False  # arithmetic that is equal only to about 1e-5

    @property
    def dense(self) -> Trace:
        """The trace of the fully convolutional form on this image. Raises SegvizError where there is none."""
        return self.loaded.traced(True, (int(self.image.shape[1]), *self.frame.outer), image=self.image)

    @property
    def traced(self) -> Trace:
        """The trace that takes all of the image at once: of the convolutional form where there is one."""
        return self.dense if self.loaded.convertible else self.native

    @property
    def weights(self) -> NetworkWeights:
        return self.loaded.weights.allowing(self.fast)

    @property
    def box(self) -> Box:
        """The part that is wanted, in network pixels."""
        if self.region is None:
            height, width = self.frame.outer
            return Box(0, 0, width, height)
        (left, top), (right, bottom) = (
            self.frame.to_network(self.region.left, self.region.top),
            self.frame.to_network(self.region.right - 1, self.region.bottom - 1),
        )
        return Box(left, top, right + 1, bottom + 1)

    @property
    def title(self) -> str:
        return f"{self.loaded.entry.title} on {size_text(self.frame.outer)}"


@dataclass(frozen=True, eq=False)
class LogitGrid:
    """Logits (classes, rows, columns) and where they sit in the image. `layer_seconds` where layers were timed."""

    logits: Floats
    lattice: Lattice
    layer_seconds: tuple[tuple[str, float], ...] = ()
    exactness: Exactness | None = None


def step_of(job: Job) -> int:
    """Pixels between units as asked for, 1 unless given. Raises SegvizError for less."""
    step = 1 if job.grid_stride is None else job.grid_stride
    if step < 1:
        raise SegvizError(f"the grid stride is {step}; it is at least 1 pixel")
    return step


def network_stride(job: Job) -> int:
    """Pixels between neighbouring units of the fully convolutional network.

    Raises SegvizError where that is not one whole number for both axes: windows then have no common step.
    """
    y, x = (law.stride for law in job.dense.geometry.laws("last"))
    if y != x or y != int(y):
        raise SegvizError(
            f"{job.loaded.entry.title} has a unit every {y:g} x {x:g} pixels: give a grid stride of your own"
        )
    return int(y)


def logits_of(loaded: Loaded, output: Tensor) -> Floats:
    """Logits (classes, rows, columns) of an output (1, K, rows, columns).

    A network with one sigmoid output z answers as two classes with logits (0, z).
    """
    if output.dim() != 4:
        raise SegvizError(
            f"{loaded.entry.title} answers with {tuple(output.shape)}, not with maps: use the sliding window"
        )
    maps = output[0]
    if loaded.entry.sigmoid:
        maps = torch.cat([torch.zeros_like(maps), maps])
    return maps.float().cpu().contiguous().numpy()


def compared(job: Job, grid: LogitGrid, macs: int) -> Generator[Progress, None, LogitGrid]:
    """The same with the largest difference of probabilities on some windows, drawn by chance, from the classifier's.

    `macs` are the multiplications that the grid took; the windows are so many that they take a tenth of it.
    """
    if grid.exactness is None:
        return grid
    affordable = int(SAMPLE_SHARE * macs / max(1, job.native.macs))
    windows = CentredWindows(job.image, job.loaded.entry.input_size[1:], job.frame)
    count = max(1, min(LARGEST_SAMPLE, affordable))
    found = yield from deviation(job.loaded.network, windows, grid.logits, grid.lattice, count)
    return replace(grid, exactness=replace(grid.exactness, deviation=found[0], sample=found[1])) if found else grid


def size_text(size: tuple[int, int]) -> str:
    return f"{size[1]} × {size[0]} pixels"
