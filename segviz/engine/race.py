"""Sliding window against fully convolutional network, on equal grids, with clocks on both (lecture T19).

Both sides see the image cropped to window + m x stride, so that neither has a position that the
other lacks. The sliding window is given its best batch, and one window at a time besides. Warm-up
is outside the clock, and what a side is said to take is the median of several runs. When the windows
would take longer than the budget, some are computed, drawn by chance from the whole grid, and the rest
is extrapolated and said to be; the runs are then parts of that sample.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from segviz.core.choices import Equality
from segviz.core.errors import SegvizError
from segviz.core.races import Lane, RaceRequest, RaceResult, RaceUpdate, StrideSpeed
from segviz.core.requests import Progress
from segviz.core.scores import softmax
from segviz.engine import devices
from segviz.engine.exactness import exactness
from segviz.engine.flow import Pass, run
from segviz.engine.graph import Trace, first_tensor
from segviz.engine.inference import largest_map, window_box, window_lattice
from segviz.engine.job import Job, logits_of, network_stride, size_text
from segviz.engine.microscope import without_padding
from segviz.engine.sketch import Sketch
from segviz.engine.windows import LARGEST_BATCH, Windows, batch_size

WARMING_UP = Progress(0, 0)  # nothing that is timed runs yet
EXACT = 1e-5  # largest difference of probabilities that counts as equal
REPEATS, WINDOW_REPEATS = 5, 3  # of the whole image at once, of all windows
PARTIAL_EVERY = 0.033  # seconds; the window's box moves at most 30 times a second
DENSE_SHARE, BATCHED_SHARE, SINGLE_SHARE = 0.2, 0.5, 0.3  # of the budget

Floats = npt.NDArray[np.float32]
Updates = Generator[RaceUpdate | Progress, None, None]


@dataclass(frozen=True, eq=False)
class _Course:
    """What both sides run on."""

    job: Job
    windows: Windows
    dense: Trace
    image: Tensor  # cropped (1, C, H, W)
    skip: int  # grid stride over the network's stride

    @property
    def outputs(self) -> int:
        return len(self.windows)


@dataclass
class _Clock:
    """Time of the side that runs, and what it has found: logits (classes, outputs) where `found` (outputs,).

    `runs` are the seconds that the `measured` outputs took, once for every run over them; `seconds` those
    of the first, as far as it has come.
    """

    measured: int = 0
    seconds: float = 0.0
    runs: list[float] = field(default_factory=list)
    logits: npt.NDArray[np.float32] | None = None
    found: npt.NDArray[np.bool_] | None = None

    @property
    def each(self) -> float:
        """Seconds of one output, in the median run."""
        return statistics.median(self.runs) / self.measured

    def enter(self, first: int, end: int, logits: npt.NDArray[np.float32], outputs: int) -> None:
        """Keep the logits (classes, N) of the outputs first..end."""
        if self.logits is None or self.found is None:
            self.logits = np.zeros((logits.shape[0], outputs), np.float32)
            self.found = np.zeros(outputs, np.bool_)
        self.logits[:, first:end] = logits
        self.found[first:end] = True
        self.measured += end - first


def race(request: RaceRequest, job: Job) -> Generator[RaceUpdate | Progress, None, RaceResult]:
    """Run the race of `request`; yields what each side has found so far.

    Raises SegvizError for a network without a fixed window, for an image smaller than the window
    and for a grid stride that the fully convolutional network does not have.
    """
    course = _prepare(job, request)
    yield WARMING_UP
    dense, repeats = yield from _run_dense(course, request.budget * DENSE_SHARE)
    full = _Clock(course.outputs, runs=repeats)
    whole = Progress(course.outputs, course.outputs)
    yield _update(course, "fully_convolutional", statistics.median(repeats), Sketch.of(dense), whole)
    batch = yield from _best_batch(course, request.budget * BATCHED_SHARE)
    batched = _Clock()
    yield from _run_windows(course, "sliding_window", batch, request.budget * BATCHED_SHARE, batched)
    single = _Clock()
    yield from _run_windows(course, "one_by_one", 1, request.budget * SINGLE_SHARE, single)
    result = _result(request, course, dense, full, batched, single, batch)
    if not course.job.native.padded:
        return result
    check = yield from without_padding(course.dense, course.job.weights, course.image, dense, course.skip)
    return replace(result, field_check=check)


def _prepare(job: Job, request: RaceRequest) -> _Course:
    loaded = job.loaded
    if loaded.per_pixel:
        raise SegvizError(
            f"{loaded.entry.title} answers for every pixel already: the race needs a classifier with a fixed window"
        )
    own = network_stride(job)
    stride = own if request.grid_stride is None else request.grid_stride
    if stride % own or stride < 1:
        raise SegvizError(
            f"the grid stride is {stride}; the fully convolutional {loaded.entry.title} has a position every {own} "
            f"pixels: take {own}, {2 * own}, {3 * own}, ..."
        )
    inner = job.image[:, :, : job.frame.inner[0], : job.frame.inner[1]]
    windows = Windows(inner, loaded.entry.input_size[1:], stride)
    counts = (windows.rows, windows.columns)
    height, width = (size + (n - 1) * stride for size, n in zip(windows.size, counts, strict=True))
    image = inner[:, :, :height, :width].contiguous(memory_format=torch.channels_last)
    dense = loaded.traced(True, (int(image.shape[1]), height, width))
    devices.check_memory(dense.peak_bytes, f"{loaded.entry.title} on {size_text((height, width))}")
    return _Course(job, Windows(image, windows.size, stride), dense, image, stride // own)


def _run_dense(course: _Course, budget: float) -> Generator[Progress, None, tuple[Floats, list[float]]]:
    """The whole image at once, after a warm-up, several times within the budget.

    A first pass that is over the budget already is the only one, and counts although it was cold:
    the clock then errs against this side. Returns logits (classes, rows, columns) on the windows'
    grid, and the seconds of each pass.
    """
    output, taken = yield from _timed_pass(course)  # shows how long a pass takes
    seconds: list[float] = [taken] if taken > budget else []
    while not seconds or (len(seconds) < REPEATS and sum(seconds) + taken <= budget):
        output, taken = yield from _timed_pass(course)
        seconds.append(taken)
    logits = logits_of(course.job.loaded, output)[:, :: course.skip, :: course.skip]
    rows, columns = course.windows.rows, course.windows.columns
    if logits.shape[1] < rows or logits.shape[2] < columns:
        raise SegvizError(
            f"the grids differ: {rows}x{columns} windows, {logits.shape[1]}x{logits.shape[2]} dense outputs"
        )
    return np.ascontiguousarray(logits[:, :rows, :columns]), seconds


def _timed_pass(course: _Course) -> Generator[Progress, None, tuple[Tensor, float]]:
    """One pass over the whole image: its logits and its seconds. It can be closed after every layer.

    The clock stands while whoever asked has the word, as it does between two batches of windows; nothing
    is computed meanwhile, since progress is told only when the device has done all that was begun.
    """
    image, seconds = course.image, 0.0
    with closing(run(course.dense, course.job.weights, image)) as steps:
        while True:
            started = time.perf_counter()
            try:
                while not isinstance(next(steps), Progress):
                    pass
            except StopIteration as end:
                devices.synchronise(image.device)
                done: Pass = end.value
                return done.output, seconds + time.perf_counter() - started
            seconds += time.perf_counter() - started
            yield WARMING_UP


def _best_batch(course: _Course, budget: float) -> Generator[Progress, None, int]:
    """The batch with the most windows a second, the better of two tries each; this is also the warm-up.

    Batches so large that their two tries would take longer than `budget` are not tried.
    """
    suited = batch_size(largest_map(course.job.native))
    candidates = {size for size in (suited // 4, suited, suited * 4) if 1 < size <= min(course.outputs, LARGEST_BATCH)}
    rates: dict[int, float] = {}
    for size in sorted(candidates | {min(suited, course.outputs)}):
        if rates and 2 * size / max(rates.values()) > budget:
            break
        rates[size] = size / (yield from _pilot(course, size))
    return max(rates, key=lambda size: rates[size])


def _run_windows(course: _Course, side: str, batch: int, budget: float, clock: _Clock) -> Updates:
    """Windows through the classifier, `batch` at a time; all of them, or a sample spread over the grid."""
    pilot = yield from _pilot(course, batch)
    shown, order = 0.0, list(_order(course.outputs, batch, pilot, budget))
    planned = sum(min(first + batch, course.outputs) - first for first in order)
    found, each = Sketch(course.windows.rows, course.windows.columns), list[tuple[int, float]]()
    for first in order:
        end = min(first + batch, course.outputs)
        seconds, logits = _timed(course, first, end)
        each.append((end - first, seconds))
        clock.seconds += seconds
        clock.enter(first, end, logits, course.outputs)
        found.enter_flat(first, end, logits)
        now = time.monotonic()
        progress = Progress(clock.measured, planned, "windows")
        if now - shown >= PARTIAL_EVERY or clock.measured == planned:
            shown = now
            yield _update(course, side, clock.seconds, found, progress, end - 1)
        else:
            yield progress
    if clock.measured < course.outputs:
        clock.runs += _parts(each)
    else:
        yield from _again(course, order, batch, budget, clock)


def _again(course: _Course, order: list[int], batch: int, budget: float, clock: _Clock) -> Updates:
    """All windows once more, as often as the budget lets, for the clock alone."""
    clock.runs.append(clock.seconds)
    while len(clock.runs) < WINDOW_REPEATS and sum(clock.runs) + clock.seconds <= budget:
        seconds = 0.0
        for first in order:
            end = min(first + batch, course.outputs)
            seconds += _timed(course, first, end)[0]
            yield Progress(end, course.outputs, "windows")
        clock.runs.append(seconds)


def _parts(each: list[tuple[int, float]]) -> Iterator[float]:
    """A sample as several runs: what each part of its batches (outputs, seconds) says that all of them take."""
    parts = min(WINDOW_REPEATS, len(each))
    for part in range(parts):
        outputs, seconds = (sum(column) for column in zip(*each[part::parts], strict=True))
        yield seconds * sum(count for count, _ in each) / outputs


def _timed(course: _Course, first: int, end: int) -> tuple[float, Floats]:
    """Seconds that the windows first..end take, and their logits (classes, N)."""
    with torch.inference_mode():
        started = time.perf_counter()
        output = first_tensor(course.job.loaded.network(course.windows.batch(first, end))).flatten(1)
        devices.synchronise(course.image.device)
        seconds = time.perf_counter() - started
    return seconds, output.T.float().cpu().numpy()


def _pilot(course: _Course, batch: int) -> Generator[Progress, None, float]:
    """Seconds that one batch takes, warm: the shorter of two tries."""
    tries: list[float] = []
    for _ in range(2):
        tries.append(_timed(course, 0, min(batch, course.outputs))[0])
        yield WARMING_UP
    return min(tries)


def _order(outputs: int, batch: int, seconds: float, budget: float) -> Iterator[int]:
    """First windows of the batches to compute: every one if they fit the budget, else some drawn by chance.

    By chance, since evenly spread ones fall into step with the rows of the grid and leave out whole
    columns; with a fixed seed, since the same race is to measure the same windows again.
    """
    starts = range(0, outputs, batch)
    affordable = max(1, int(budget / max(seconds, 1e-9)))
    yield from starts if affordable >= len(starts) else sorted(random.Random(0).sample(starts, affordable))


def _update(
    course: _Course, side: str, seconds: float, found: Sketch, progress: Progress, newest: int | None = None
) -> RaceUpdate:
    windows = course.windows
    box = None if newest is None else window_box(course.job.frame, windows, newest, windows.size)
    lattice = window_lattice(course.job.frame, windows)
    return RaceUpdate(side, seconds, found.so_far(lattice, box, progress))


def _lane(clock: _Clock, outputs: int, macs: int, made: int, batch: int = 1) -> Lane:
    """Seconds for all outputs; extrapolated where only some were computed."""
    extrapolated = clock.measured < outputs
    return Lane(clock.each * outputs, outputs, extrapolated, macs, batch, clock.measured, made, len(clock.runs))


def _result(
    request: RaceRequest,
    course: _Course,
    dense: npt.NDArray[np.float32],
    full: _Clock,
    batched: _Clock,
    single: _Clock,
    batch: int,
) -> RaceResult:
    assert batched.logits is not None  # a race without windows was refused
    assert batched.found is not None
    measured, flat = batched.found, dense.reshape(len(dense), -1)
    grid = course.windows.rows, course.windows.columns
    slid, whole = Sketch.of(batched.logits.reshape(-1, *grid)), Sketch.of(dense)
    slid.labels[~measured.reshape(grid)] = -1
    largest, difference = _difference(batched.logits, flat, measured)
    macs = course.job.native.macs * course.outputs
    windows, once = _map_bytes(course.job.native) * course.outputs, _map_bytes(course.dense)
    exact, reason = _verdict(course, largest)
    return RaceResult(
        request=request,
        sliding_window=_lane(batched, course.outputs, macs, windows, batch),
        one_by_one=_lane(single, course.outputs, macs, windows),
        fully_convolutional=_lane(full, course.outputs, course.dense.macs, once),
        max_abs_difference=largest,
        label_agreement=_agreement(softmax(flat[:, measured]), slid.labels.ravel()[measured]),
        center_offset=_offset(course),
        exact=exact,
        reason=reason,
        lattice=window_lattice(course.job.frame, course.windows),
        window=course.windows.size,
        classes=course.job.loaded.entry.classes,
        sliding_labels=slid.labels,
        dense_labels=whole.labels,
        difference=difference.reshape(grid),
        sliding_confidence=slid.confidence,
        dense_confidence=whole.confidence,
        notes=_notes(course, int(measured.sum())),
        by_stride=tuple(_by_stride(course, batched.each, full.each * full.measured)),
    )


def _map_bytes(traced: Trace) -> int:
    """Bytes of all feature maps of one pass, in float32."""
    return 4 * sum(operation.elements for operation in traced.operations[1:])


def _by_stride(course: _Course, window: float, dense: float) -> Iterator[StrideSpeed]:
    """The speed-up for windows further and further apart: `window` seconds each, against `dense` seconds in all."""
    windows, every = course.windows, 1
    while every == 1 or every * windows.stride <= max(windows.size):
        outputs = -(-windows.rows // every) * -(-windows.columns // every)
        yield StrideSpeed(every * windows.stride, outputs, outputs * window / dense)
        every *= 2


def _notes(course: _Course, measured: int) -> tuple[str, ...]:
    sampled = f"difference and agreement were measured on {measured:,} of {course.outputs:,} windows, drawn by chance"
    caution = course.job.loaded.entry.caution
    return tuple(note for note in (caution, "" if measured == course.outputs else sampled) if note)


def _difference(windows: Floats, dense: Floats, measured: npt.NDArray[np.bool_]) -> tuple[float, Floats]:
    """Largest difference of probabilities, over all outputs (NaN if either side answers so) and of each (outputs,)."""
    each = np.full(len(measured), np.nan, np.float32)
    each[measured] = np.abs(softmax(windows[:, measured]) - softmax(dense[:, measured])).max(0)
    return float(each[measured].max()), each


def _agreement(probabilities: Floats, labels: npt.NDArray[np.int16]) -> float:
    """The share of positions whose window's label is the dense side's too, or tied with it to rounding.

    A classifier is undecided on bare paper: its best classes differ by less there than two orders of summing.
    """
    of_label = np.take_along_axis(probabilities, labels[None].astype(np.intp), axis=0)[0]
    return float((probabilities.max(0) - of_label <= EXACT).mean())


def _offset(course: _Course) -> tuple[float, float]:
    """From the windows' centres to those of the dense units' fields, (x, y) in network pixels."""
    y, x = course.dense.geometry.laws("last")
    height, width = course.windows.size
    return x.start - (width - 1) / 2, y.start - (height - 1) / 2


def _verdict(course: _Course, largest: float) -> tuple[bool, str]:
    """Whether both sides are equal by proof and by measurement, and why, in a sentence."""
    proof = exactness(course.job.native, course.dense, course.job.loaded.entry, course.job.fast)
    if proof.equality is not Equality.EVERYWHERE:
        measured = f"; outputs differ by {largest:.1g} at most" if "proven" in proof.reason else ""
        return False, proof.reason + measured
    if not largest <= EXACT:  # NaN is not equal to anything
        return False, f"no padding and no ceil mode, and yet the outputs differ by {largest:.1g}"
    return True, f"{proof.reason}; outputs differ by {largest:.1g} at most"
