"""Shift and stitch: the coarse network on every shift of the image, the answers interleaved (lecture T23).

Sermanet et al. 2014; Long et al. 2015, section 3.2. At each pixel it says what the a trous form says
(`engine/dilation`), and takes about twice as long: it is here because it is how the grid gets finer.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from math import gcd

import numpy as np

from segviz.core.regions import Region, mixed, needed
from segviz.core.requests import Progress, Update
from segviz.core.steps import Interval, Law
from segviz.engine import devices
from segviz.engine.exactness import exactness
from segviz.engine.flow import followed, run
from segviz.engine.job import Floats, Job, LogitGrid, compared, logits_of, network_stride, step_of
from segviz.engine.kernels import AveragePool, ChannelNorm, Convolution, MaxPool, Point, Same, View
from segviz.engine.sketch import Sketch

CHAIN = (Convolution, MaxPool, AveragePool, ChannelNorm, Point, Same, View)  # whose grids follow from windows alone


def shift_and_stitch(job: Job) -> Generator[Update, None, LogitGrid]:
    """Logits with a unit every `grid_stride` pixels, of the shifts that these need. Yields the labels so far."""
    step, own = step_of(job), network_stride(job)
    every = gcd(step, own)
    wanted = _stitched(job, own, step)
    rows, columns = (len(range(units.lo, units.hi + 1, every)) for units in wanted)
    classes = job.loaded.entry.class_count
    devices.check_memory(4 * classes * rows * columns, f"{job.title}, shifted and stitched,")
    y, x = (Law(law.at(units.lo / own), every) for law, units in zip(_laws(job), wanted, strict=True))
    lattice = job.frame.lattice(rows, columns, y, x)
    full, sketch = np.zeros((classes, rows, columns), np.float32), Sketch(rows, columns)
    macs, spare = 0, _spare(job)
    shifts = [(down, across) for down in range(0, own, every) for across in range(0, own, every)]
    for number, shift in enumerate(shifts):
        progress = Progress(number, len(shifts), "shifts")
        yield sketch.so_far(lattice, None, progress) if number else progress
        found = yield from _shifted(job, shift, own, wanted, spare, progress)
        if found is not None:
            macs += found.macs
            place = _between(found.region, shift, own, wanted, every)
            full[(slice(None), *place)] = found.logits
            sketch.enter(place, found.logits)
    thinned = np.ascontiguousarray(full[:, :: step // every, :: step // every])
    lattice = job.frame.lattice(thinned.shape[1], thinned.shape[2], Law(y.start, step), Law(x.start, step))
    proof = exactness(job.native, job.dense, job.loaded.entry, job.fast)
    checked = yield from compared(job, LogitGrid(thinned, lattice, (), proof), macs)
    return checked


def _laws(job: Job) -> tuple[Law, Law]:
    return job.dense.geometry.laws("last")


def _stitched(job: Job, own: int, step: int) -> Region:
    """The units of all shifts together, one a pixel, that are wanted: those that the job's box mixes.

    Along each axis the last shifts have a unit fewer where they push its window out of the image.
    """
    native, sides = job.loaded.entry.input_size[1:], zip(job.frame.outer, job.dense.geometry.grid("last"), strict=True)
    sizes = [(n - 1) * own + min(own, 1 + max(0, side - native[axis]) % own) for axis, (side, n) in enumerate(sides)]
    box, (y, x) = job.box, _laws(job)
    return Region(
        mixed(Law(y.start, 1), box.top, box.bottom, sizes[0], step),
        mixed(Law(x.start, 1), box.left, box.right, sizes[1], step),
    )


@dataclass(frozen=True, eq=False)
class _Shifted:
    """Logits (classes, rows, columns) of a `region` of the coarse units of one shift, and what they took."""

    region: Region
    logits: Floats
    macs: int


def _spare(job: Job) -> tuple[int, int] | None:
    """The rows and columns that the first unit's field takes, where the pixels behind the last field may be cut off.

    So it is in a chain of windows without padding or ceil mode: whether those pixels are there changes no
    unit and no grid. None where they may matter: padding would then begin elsewhere.
    """
    for operation in job.dense.operations[1:]:
        kernel = operation.kernel
        plain = isinstance(kernel, CHAIN) and not operation.pads and len(operation.sources) == 1
        if not plain or (isinstance(kernel, (MaxPool, AveragePool)) and kernel.ceil):
            return None
    box = job.dense.geometry.field("last", 0, 0).box
    return int(box.bottom), int(box.right)


def _shifted(
    job: Job,
    shift: tuple[int, int],
    own: int,
    wanted: Region,
    spare: tuple[int, int] | None,
    progress: Progress,
) -> Generator[Update, None, _Shifted | None]:
    """The coarse network on the image without its first rows and columns; None where that has no unit wanted.

    A region of it is a region of the whole shifted image: its border is padded as that of the whole is.
    Without padding the image is cut to what the units see (`_spare`), so that all shifts have one or two
    sizes along each axis, and as many traces; otherwise each has one of its own, which nobody asks for again.
    """
    image = job.image[:, :, shift[0] :, shift[1] :]
    native = job.loaded.entry.input_size[1:]
    height, width = (int(side) for side in image.shape[2:])
    if height < native[0] or width < native[1]:
        return None
    if spare is not None:
        height, width = (
            max(least, side - (side - field) % own)
            for side, field, least in zip((height, width), spare, native, strict=True)
        )
    image = image[:, :, :height, :width]
    traced = job.loaded.traced(True, (int(image.shape[1]), height, width), keep=spare is not None)
    found = [
        Interval(-((by - units.lo) // own), (units.hi - by) // own).within(size)
        for units, by, size in zip(wanted, shift, traced.geometry.grid("last"), strict=True)
    ]
    rows, columns = found
    if rows is None or columns is None:
        return None
    region = Region(rows, columns)
    done = yield from followed(run(traced, job.weights, image, region=region), lambda _: progress)
    macs = traced.macs_of(needed(traced.geometry, {traced.output: region}))
    return _Shifted(region, logits_of(job.loaded, done.output), macs)


def _between(region: Region, shift: tuple[int, int], own: int, wanted: Region, every: int) -> tuple[slice, slice]:
    """Where the coarse units of a shift lie among those of all shifts, `every` pixels apart."""
    first = [(units.lo * own + by - all_.lo) // every for units, by, all_ in zip(region, shift, wanted, strict=True)]
    gap = own // every
    rows, columns = (slice(at, at + (n - 1) * gap + 1, gap) for at, n in zip(first, region.shape, strict=True))
    return rows, columns
