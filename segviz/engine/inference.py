"""The methods by which a network answers for a whole image: one generator each, in `METHODS`.

A method yields progress and ends in scores on its own grid. Labels are made from those afterwards,
so that a change of upsampling computes no network again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from segviz.core.choices import Method, Upsampling
from segviz.core.errors import SegvizError
from segviz.core.field import Box, Frame, Lattice
from segviz.core.requests import PartialLabels, Progress, SegmentRequest, Update
from segviz.core.steps import Law
from segviz.engine import devices
from segviz.engine.forward import forward
from segviz.engine.graph import Trace
from segviz.engine.store import Loaded, Version
from segviz.engine.windows import Windows, batch_size, classify

PARTIAL_EVERY = 0.04  # seconds between two maps of a running sliding window


@dataclass(frozen=True, eq=False)
class Job:
    """One network on one image, and its traces: `native` as published, `dense` of its twin on this image."""

    loaded: Loaded
    image: Tensor  # (1, C, H, W)
    version: Version  # of the image's file
    frame: Frame
    native: Trace
    dense: Trace
    grid_stride: int | None = None
    notes: tuple[str, ...] = ()  # of the image's file


@dataclass(frozen=True, eq=False)
class LogitGrid:
    """Logits (classes, rows, columns) and where they sit in the image. `layer_seconds` where layers were timed."""

    logits: npt.NDArray[np.float32]
    lattice: Lattice
    layer_seconds: tuple[tuple[str, float], ...] = ()


Run = Callable[[Job], Generator[Update, None, LogitGrid]]


def dense(job: Job) -> Generator[Update, None, LogitGrid]:
    """One pass of the fully convolutional twin: a unit's logits are the classifier's on its receptive field."""
    devices.check_memory(job.dense.peak_bytes, f"{job.loaded.entry.title} on {size_text(job.frame.outer)}")
    done = yield from forward(job.loaded.conversion.network, job.image)
    logits = logits_of(job.loaded, done.output)
    if job.loaded.per_pixel:
        lattice = per_pixel_lattice(job.frame, (logits.shape[1], logits.shape[2]))
        logits = logits[:, : lattice.rows, : lattice.columns]
    else:
        law_y, law_x = job.dense.geometry.laws("last")
        lattice = job.frame.lattice(logits.shape[1], logits.shape[2], law_y, law_x)
    return LogitGrid(logits, lattice, tuple(done.layer_seconds.items()))


def sliding_window(job: Job) -> Generator[Update, None, LogitGrid]:
    """The classifier on a window at every grid position; the answer belongs to the window's centre."""
    windows = windows_of(job)
    size = windows.size
    lattice = window_lattice(job, windows)
    entry = job.loaded.entry
    what = f"{entry.title} on {len(windows)} windows, {windows.stride} pixels apart,"
    devices.check_memory(4 * entry.class_count * len(windows), what)
    logits: npt.NDArray[np.float32] | None = None
    labels = np.full(len(windows), -1, np.int16)
    done, last = 0, 0.0
    for batch in classify(job.loaded.network, windows, batch_size(largest_map(job.native))):
        found = batch.T.float().cpu().numpy()  # (classes, N)
        if logits is None:
            logits = np.empty((found.shape[0], len(windows)), np.float32)
        end = done + found.shape[1]
        logits[:, done:end] = found
        labels[done:end] = found.argmax(axis=0)
        done = end
        progress = Progress(done, len(windows), "windows")
        if time.monotonic() - last < PARTIAL_EVERY:
            yield progress
            continue
        last = time.monotonic()
        shown = labels.reshape(windows.rows, windows.columns).copy()
        yield PartialLabels(shown, lattice, window_box(job.frame, windows, done - 1, size), progress)
    assert logits is not None  # Windows refuses an image without any
    return LogitGrid(logits.reshape(-1, windows.rows, windows.columns), lattice)


METHODS: dict[Method, Run] = {
    Method.SLIDING_WINDOW: sliding_window,
    Method.DIRECT: dense,
    Method.COARSE: dense,
    Method.UPSAMPLED: dense,
    Method.NATIVE: dense,
}


def resolve(request: SegmentRequest, loaded: Loaded) -> tuple[Method, str]:
    """The method that runs, and why. Raises SegvizError for one that the network cannot do."""
    title, method = loaded.entry.title, request.method
    if method is Method.AUTO:
        if loaded.per_pixel:
            return Method.NATIVE, f"{title} answers for every pixel by itself"
        return Method.UPSAMPLED, f"{title} is a classifier: its logits come on a coarse grid and are upsampled"
    if method is Method.NATIVE and not loaded.per_pixel:
        raise SegvizError(f"{title} is a classifier and does not answer per pixel: take 'upsampled', not 'native'")
    if method is Method.SLIDING_WINDOW and loaded.per_pixel:
        raise SegvizError(f"{title} answers for every pixel, there is nothing to slide: take 'native'")
    if method is Method.DIRECT and loaded.per_pixel:
        raise SegvizError(f"{title} answers for every pixel, which needs no field's label: take 'native'")
    return method, "as asked"


def upsampling_of(method: Method, wanted: Upsampling) -> Upsampling:
    """Coarse grids and sliding windows are shown as the cells that they are."""
    return Upsampling.NEAREST if method in (Method.COARSE, Method.SLIDING_WINDOW, Method.DIRECT) else wanted


def logits_of(loaded: Loaded, output: Tensor) -> npt.NDArray[np.float32]:
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


def per_pixel_lattice(frame: Frame, found: tuple[int, int]) -> Lattice:
    """Where the outputs of a network sit that answers per pixel: centred, a border cut off on both sides if any."""
    laws = []
    sizes = []
    for size_in, size_out, inner in zip(frame.outer, found, frame.inner, strict=True):
        stride = max(1, round(size_in / size_out))
        start = (size_in - size_out * stride) / 2 + (stride - 1) / 2
        laws.append(Law(start, stride))
        sizes.append(min(size_out, int((inner - 1 - start) // stride) + 1))
    return frame.lattice(sizes[0], sizes[1], laws[0], laws[1])


def windows_of(job: Job) -> Windows:
    """The grid of windows of the network's native size; the step is the network's own stride unless given."""
    size = job.loaded.entry.input_size[1:]
    stride = network_stride(job) if job.grid_stride is None else job.grid_stride
    if stride < 1:
        raise SegvizError(f"the grid stride is {stride}; it is at least 1 pixel")
    return Windows(job.image, size, stride)


def network_stride(job: Job) -> int:
    """Pixels between neighbouring units of the fully convolutional twin.

    Raises SegvizError where that is not one whole number for both axes: windows then have no common step.
    """
    y, x = (law.stride for law in job.dense.geometry.laws("last"))
    if y != x or y != int(y):
        raise SegvizError(
            f"{job.loaded.entry.title} has a unit every {y:g} x {x:g} pixels: give a grid stride of your own"
        )
    return int(y)


def window_lattice(job: Job, windows: Windows) -> Lattice:
    laws = [Law((side - 1) / 2, windows.stride) for side in windows.size]
    return job.frame.lattice(windows.rows, windows.columns, laws[0], laws[1])


def window_box(frame: Frame, windows: Windows, index: int, size: tuple[int, int]) -> Box:
    """Window `index` in image pixels."""
    top, left = windows.corner(index)
    return frame.box_to_image(Box(left, top, left + size[1], top + size[0]))


def largest_map(native: Trace) -> int:
    """Elements of the largest feature map for one window."""
    return max(operation.elements for operation in native.operations)


def size_text(size: tuple[int, int]) -> str:
    return f"{size[1]} × {size[0]} pixels"
