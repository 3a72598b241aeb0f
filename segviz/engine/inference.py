"""The methods by which a network answers for a whole image: one generator each, in `METHODS`.

A method yields progress and what it has found so far, and ends in logits on its own grid. Labels of
pixels are made from those afterwards, so that a change of upsampling computes no network again. With
a region only the units are computed that its pixels mix.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import numpy as np

from segviz.core.capabilities import unfit
from segviz.core.choices import Equality, Method, Upsampling
from segviz.core.errors import SegvizError
from segviz.core.field import Box
from segviz.core.frames import Frame, Lattice
from segviz.core.regions import Region, needed, units_in, whole
from segviz.core.requests import Exactness, Progress, SegmentRequest, Update
from segviz.core.steps import Interval, Law
from segviz.engine import devices
from segviz.engine.exactness import exactness
from segviz.engine.flow import Pass, followed, run
from segviz.engine.graph import Trace
from segviz.engine.job import Floats, Job, LogitGrid, compared, logits_of, network_stride, step_of
from segviz.engine.patches import Patch
from segviz.engine.sketch import Sketch
from segviz.engine.stitching import shift_and_stitch
from segviz.engine.store import Loaded
from segviz.engine.strips import Strip
from segviz.engine.windows import Windows, batch_size, classify

STEPS = 7  # of a window to the next, where a network has no stride of its own
PARTIAL_EVERY = 0.04  # seconds between two maps of a running method

Run = Callable[[Job], Generator[Update, None, LogitGrid]]


# ------------------------------------------------------------------------------------- coarse, native


def coarse(job: Job) -> Generator[Update, None, LogitGrid]:
    """One pass of the fully convolutional network: a unit's logits are the classifier's on its receptive field."""
    if job.loaded.per_pixel:
        done = yield from _passed(job, job.dense, whole(job.dense.geometry.nodes[job.dense.output]))
        logits = logits_of(job.loaded, done.output)
        lattice = job.frame.per_pixel_lattice((logits.shape[1], logits.shape[2]), job.dense.geometry.laws("last"))
        return LogitGrid(logits[:, : lattice.rows, : lattice.columns], lattice, tuple(done.layer_seconds.items()))
    grid = yield from _mapped(job, job.dense, (1, 1))
    return grid


def dense(job: Job) -> Generator[Update, None, LogitGrid]:
    """The a trous network: strides become dilation, so that there is a unit every `grid_stride` pixels (T23)."""
    step = step_of(job)
    traced = job.loaded.dilated(job.dense, step)
    down, across = (max(1, round(step / law.stride)) for law in traced.geometry.laws("last"))
    grid = yield from _mapped(job, traced, (down, across))
    return grid


def _mapped(job: Job, traced: Trace, every: tuple[int, int]) -> Generator[Update, None, LogitGrid]:
    """The logits of a trace on the job's region, of each `every`-th unit (down, across)."""
    geometry = traced.geometry
    lo = units_in(geometry, "last", job.box, every)
    entry = job.loaded.entry
    rows, columns = (-(-units // nth) for units, nth in zip(lo.shape, every, strict=True))
    what = f"{job.title} ({lo.shape[0]} x {lo.shape[1]} units)"
    devices.check_memory(4 * entry.class_count * rows * columns + _held(traced, lo), what)
    y, x = (
        Law(law.at(units.lo), law.stride * nth)
        for law, units, nth in zip(geometry.laws("last"), lo, every, strict=True)
    )
    lattice = job.frame.lattice(rows, columns, y, x)
    done = yield from _passed(job, traced, lo, lattice, every)
    logits = logits_of(job.loaded, done.output)[:, :: every[0], :: every[1]]
    proof = exactness(job.native, traced, entry, job.fast)
    grid = LogitGrid(np.ascontiguousarray(logits), lattice, tuple(done.layer_seconds.items()), proof)
    parts = needed(traced.geometry, {traced.output: lo})
    checked = yield from compared(job, grid, traced.macs_of(parts))
    return checked


def _held(traced: Trace, region: Region) -> int:
    """About the bytes of a walk in strips: the largest rows that are alive at once, of the columns that are needed.

    Twice the logits besides: as they come, and as they leave.
    """
    nodes, (rows, columns) = traced.geometry.nodes, region.shape
    out, image = nodes[traced.output], needed(traced.geometry, {traced.output: region})[0]
    row = traced.peak_bytes / max(1, out.height) * image.shape[1] / nodes[0].width
    share = rows * columns / max(1, out.height * out.width)
    return int(row * min(rows, 4) + 2 * 4 * share * traced.operations[traced.output].elements)


def _passed(
    job: Job, traced: Trace, region: Region, lattice: Lattice | None = None, every: tuple[int, int] = (1, 1)
) -> Generator[Update, None, Pass]:
    """Walk to the logits of a region; shows the labels of the strips that are done, where a `lattice` is given."""
    if job.ready is not None and traced is job.dense:
        everything = whole(traced.geometry.nodes[traced.output])
        return Pass(Patch(job.ready, everything).cut(region))
    sketch = None if lattice is None else Sketch(lattice.rows, lattice.columns)
    last, told = Progress(0, 0), time.monotonic()

    def show(step: Progress | Strip) -> Update | None:
        nonlocal last, told
        if isinstance(step, Progress):
            last = step
            return step
        if sketch is None or lattice is None or step.maps.shape[2] == region.shape[0]:
            return None
        _enter(sketch, step, region, every, job.loaded)
        if time.monotonic() - told < PARTIAL_EVERY:
            return None
        told = time.monotonic()
        return sketch.so_far(lattice, None, last)

    steps: Generator[Update, None, Pass] = followed(run(traced, job.weights, job.image, region=region), show)
    answer = yield from steps
    return answer


def _enter(sketch: Sketch, strip: Strip, region: Region, every: tuple[int, int], loaded: Loaded) -> None:
    """Each `every`-th unit (down, across) of a strip into the sketch of those that are known."""
    (down, across), first = every, strip.rows.lo - region.y.lo
    skip = -first % down
    maps = strip.maps[:, :, skip::down, ::across]
    if maps.shape[2]:
        row = (first + skip) // down
        sketch.enter(np.s_[row : row + maps.shape[2]], logits_of(loaded, maps))


# ------------------------------------------------------------------------------- windows, shifts


def sliding_window(job: Job) -> Generator[Update, None, LogitGrid]:
    """The classifier on a window at every grid position; the answer belongs to the window's centre."""
    windows = windows_of(job)
    size = windows.size
    lattice = window_lattice(job.frame, windows)
    entry = job.loaded.entry
    what = f"{entry.title} on {len(windows)} windows, {windows.stride} pixels apart,"
    devices.check_memory(4 * entry.class_count * len(windows), what)
    logits: Floats | None = None
    sketch = Sketch(windows.rows, windows.columns)
    done, last = 0, 0.0
    for batch in classify(job.loaded.network, windows, batch_size(largest_map(job.native))):
        found = batch.T.float().cpu().numpy()  # (classes, N)
        if logits is None:
            logits = np.empty((found.shape[0], len(windows)), np.float32)
        end = done + found.shape[1]
        logits[:, done:end] = found
        sketch.enter_flat(done, end, found)
        done = end
        progress = Progress(done, len(windows), "windows")
        if time.monotonic() - last < PARTIAL_EVERY:
            yield progress
            continue
        last = time.monotonic()
        yield sketch.so_far(lattice, window_box(job.frame, windows, done - 1, size), progress)
    assert logits is not None  # Windows refuses an image without any
    itself = Exactness(Equality.EVERYWHERE, "these are the windows that other methods are compared with")
    return LogitGrid(logits.reshape(-1, windows.rows, windows.columns), lattice, (), itself)


METHODS: dict[Method, Run] = {
    Method.SLIDING_WINDOW: sliding_window,
    Method.DIRECT: coarse,
    Method.COARSE: coarse,
    Method.UPSAMPLED: coarse,
    Method.SHIFT_AND_STITCH: shift_and_stitch,
    Method.DENSE: dense,
    Method.NATIVE: coarse,
}
CELLS = (Method.COARSE, Method.SLIDING_WINDOW, Method.DIRECT, Method.SHIFT_AND_STITCH, Method.DENSE)


def resolve(request: SegmentRequest, loaded: Loaded) -> tuple[Method, str]:
    """The method that runs, and why. Raises SegvizError for one that the network cannot do."""
    title, method = loaded.entry.title, request.method
    if method is Method.AUTO:
        if loaded.per_pixel:
            return Method.NATIVE, f"{title} answers for every pixel by itself"
        if not loaded.convertible:
            return Method.SLIDING_WINDOW, f"{title} has no fully convolutional form: {loaded.refusal}"
        return _finer(request, loaded) or (
            Method.UPSAMPLED,
            f"{title} is a classifier: its logits come on a coarse grid and are upsampled",
        )
    why = unfit(method, title, loaded.per_pixel)
    if why:
        raise SegvizError(why)
    return method, "as asked"


def _finer(request: SegmentRequest, loaded: Loaded) -> tuple[Method, str] | None:
    """How to answer on a grid that is finer than the network's own; None where none was asked for."""
    native = loaded.traced(True, loaded.entry.input_size)
    own = max(law.stride for law in native.geometry.laws("last"))
    if request.grid_stride is None or request.grid_stride >= own:
        return None
    asked = f"a unit every {request.grid_stride} pixels was asked for, and {loaded.entry.title} has one every {own:g}"
    try:
        loaded.dilated(native, request.grid_stride)
    except SegvizError as error:
        return Method.SHIFT_AND_STITCH, f"{asked}: the image is shifted, since {error}"
    return Method.DENSE, f"{asked}: its strides become dilation"


def upsampling_of(method: Method, wanted: Upsampling) -> Upsampling:
    """Coarse grids, sliding windows and dense maps are shown as the cells that they are."""
    return Upsampling.NEAREST if method in CELLS else wanted


# --------------------------------------------------------------------------------------- together


def windows_of(job: Job) -> Windows:
    """The grid of windows of the network's native size; the step is the network's own stride unless given.

    With a region only the windows whose centres its pixels mix.
    """
    size = job.loaded.entry.input_size[1:]
    own = network_stride(job) if job.loaded.convertible else max(1, size[0] // STEPS)
    stride = own if job.grid_stride is None else job.grid_stride
    if stride < 1:
        raise SegvizError(f"the grid stride is {stride}; it is at least 1 pixel")
    windows = Windows(job.image, (size[0], size[1]), stride)
    if job.region is None:
        return windows
    box = job.box
    rows = _centred(box.top, box.bottom, size[0], stride, windows.rows)
    columns = _centred(box.left, box.right, size[1], stride, windows.columns)
    top, left = rows.lo * stride, columns.lo * stride
    bottom, right = rows.hi * stride + size[0], columns.hi * stride + size[1]
    return Windows(job.image[:, :, top:bottom, left:right], (size[0], size[1]), stride, (top, left))


def _centred(low: float, high: float, side: int, stride: int, count: int) -> Interval:
    """The windows along one axis whose centres lie in low..high or next to it."""
    middle = (side - 1) / 2
    first, last = int((low - middle) // stride), int(-((middle - (high - 1)) // stride))
    return Interval(*(max(0, min(count - 1, number)) for number in (first, last)))


def window_lattice(frame: Frame, windows: Windows) -> Lattice:
    laws = [
        Law(corner + (side - 1) / 2, windows.stride) for side, corner in zip(windows.size, windows.origin, strict=True)
    ]
    return frame.lattice(windows.rows, windows.columns, laws[0], laws[1])


def window_box(frame: Frame, windows: Windows, index: int, size: tuple[int, int]) -> Box:
    """Window `index` in image pixels."""
    top, left = windows.corner(index)
    return frame.box_to_image(Box(left, top, left + size[1], top + size[0]))


def largest_map(native: Trace) -> int:
    """Elements of the largest feature map for one window."""
    return max(operation.elements for operation in native.operations)
