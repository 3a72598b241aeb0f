"""Request to answer: the one door of the engine, for its own process and for the command line alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from segviz.core import direct, images, scores
from segviz.core.choices import Device, Method, Pooling, Upsampling
from segviz.core.depths import DepthAnswer, DepthRequest, Depths
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError
from segviz.core.field import Box
from segviz.core.frames import Frame, Lattice
from segviz.core.maps import MapStatistics
from segviz.core.measured import MeasuredField, MeasureRequest
from segviz.core.races import RaceRequest
from segviz.core.refinement import Labelling, Refinement
from segviz.core.refusals import lacks_memory
from segviz.core.regions import mixed
from segviz.core.requests import (
    Answer,
    Badge,
    ClassifyRequest,
    DescribeRequest,
    ExamineRequest,
    FeatureMaps,
    FeatureRequest,
    KeptRequest,
    Network,
    Prediction,
    Progress,
    Request,
    SegmentRequest,
    Setup,
    Update,
    WindowAnswer,
)
from segviz.engine import (
    depths,
    devices,
    flow,
    labels,
    race,
    recording,
    refine,
)
from segviz.engine.cached import Redraws
from segviz.engine.cams import without_cam
from segviz.engine.capabilities import examine
from segviz.engine.graph import Trace, describe_layers
from segviz.engine.inference import METHODS, coarse, resolve, upsampling_of
from segviz.engine.insides import INSIDE, Insides
from segviz.engine.job import Job, LogitGrid, logits_of, size_text
from segviz.engine.jobs import Jobs, frame_at_once, key_of
from segviz.engine.measured import measured
from segviz.engine.prepare import check_multiple, notes_of
from segviz.engine.store import Kept, Loaded, Store
from segviz.engine.windows import Windows, classify_one

Answering = Generator[Update, None, Answer]
SHOWN = 5  # classes of a window that are told


class Engine:
    """Answers requests. `run` is a generator: it yields updates, closing it cancels and leaves no trace."""

    def __init__(self) -> None:
        self.store = Store(self._forget)
        self._grids: Kept[LogitGrid] = Kept(2)
        self._redraws = Redraws()
        self._depths: Kept[Depths] = Kept(1)
        self.jobs = Jobs(self.store)
        self.insides = Insides(self.jobs)

    @property
    def device_text(self) -> str:
        return devices.text(devices.pick(Device.AUTO))

    def entry(self, setup: Setup) -> Entry:
        """What is known of the network of `setup`, which is opened for it. Raises SegvizError where it cannot be."""
        return self._loaded(setup).entry

    def run(self, request: Request) -> Answering:
        """Answer `request`; raises SegvizError with a message for people.

        Where an accelerator's memory runs out the processor begins anew, and the answer's notes say so.
        """
        device = request.setup.device
        try:
            answer = yield from ANSWERS[type(request)](self, request)
            return answer
        except RuntimeError as error:
            place = devices.pick(device)
            if place.type == "cpu" or not lacks_memory(error):
                raise
        devices.let_go()  # behind the except: until then the error holds on to all that was computed
        processor = replace(request, setup=replace(request.setup, device=Device.CPU))
        answer = yield from ANSWERS[type(request)](self, processor)
        note = f"the memory of {devices.text(place)} ran out: computed on {devices.text(torch.device('cpu'))} instead"
        noted: Answer = replace(answer, request=request, notes=(note, *answer.notes))  # type: ignore[arg-type]
        return noted

    # ------------------------------------------------------------------------------- describe

    def describe(self, request: DescribeRequest) -> Generator[Update, None, Network]:
        """Layers, cost and geometry, by tracing alone."""
        loaded = self._loaded(request.setup)
        frame, shape = self._shape(request, loaded)
        traced, seen = self._recorded(request, loaded, frame, shape)
        converted = request.converted and loaded.convertible
        entry = loaded.entry
        parameters = list(loaded.network.parameters())
        yield from ()
        return Network(
            request=request,
            title=entry.title,
            task=entry.task,
            classes=entry.classes,
            input_shape=shape,
            layers=describe_layers(traced),
            total_parameters=sum(p.numel() for p in parameters),
            trainable_parameters=sum(p.numel() for p in parameters if p.requires_grad),
            macs=traced.macs,
            geometry=traced.geometry,
            frame=frame,
            conversion=loaded.conversion.steps if converted else (),
            notes=tuple(filter(None, (recording.note(traced, seen), *loaded.remarks, *notes_of(entry, frame)))),
            refusal=loaded.refusal,
            decides=traced.decides,
            no_cam=without_cam(loaded, traced, converted),
            entry=entry,
            brought=loaded.known,
            window=None if loaded.per_pixel else entry.input_size[1:],
        )

    def measure(self, request: MeasureRequest) -> Generator[Update, None, MeasuredField]:
        """What gradients say of a unit's field, of the network as it is described for the same setup."""
        loaded = self._loaded(request.setup)
        asked = DescribeRequest(request.setup, request.converted, request.input_size)
        frame, shape = self._shape(asked, loaded)
        traced, seen = self._recorded(asked, loaded, frame, shape)
        image = self.jobs.pixels(request.setup.image or "", loaded, frame) if seen else None
        answer = yield from measured(request, loaded, traced, frame, image)
        return answer

    def _recorded(
        self, request: DescribeRequest, loaded: Loaded, frame: Frame, shape: tuple[int, int, int]
    ) -> tuple[Trace, bool]:
        """The trace that is asked for, and whether there is an image, which is looked at where values decide."""
        traced = loaded.traced(request.converted and loaded.convertible, shape)
        seen = request.setup.image is not None and request.input_size is None
        if traced.decides and seen:
            pixels = self.jobs.pixels(request.setup.image or "", loaded, frame)
            traced = loaded.traced(False, shape, image=pixels)
        return traced, seen

    def _shape(self, request: DescribeRequest, loaded: Loaded) -> tuple[Frame, tuple[int, int, int]]:
        native = loaded.entry.input_size
        if request.input_size is not None:
            shape = request.input_size
            if shape[0] != native[0]:
                raise SegvizError(f"{loaded.entry.title} takes {native[0]} channels, not {shape[0]}")
            check_multiple(loaded.entry, shape[1], shape[2])
        elif request.setup.image is None or not request.converted:
            shape = native
        else:
            frame = frame_at_once(loaded, images.probe(request.setup.image), request.setup.scale)
            return frame, (native[0], *frame.outer)
        return Frame(shape[1:], shape[1:], shape[1:]), shape

    # -------------------------------------------------------------------------------- predict

    def predict(self, request: SegmentRequest) -> Generator[Update, None, Prediction]:
        """Logits on the method's grid, then labels of every pixel."""
        started = time.perf_counter()
        loaded = self._loaded(request.setup)
        method, reason = resolve(request, loaded)
        if request.refinement is not None and method is Method.DIRECT:
            raise SegvizError("the direct method labels whole fields: choose another to refine, or do not refine")
        job = replace(self.jobs.of(request.setup), grid_stride=request.grid_stride)
        region = _region(request, job.frame)
        grid = yield from self._grid(job, method, request, region)
        upsampling = upsampling_of(method, request.upsampling)
        plain = yield from _labelled(job, grid, method, upsampling, region)
        seconds = time.perf_counter() - started  # of the network and its labels: refining is no part of a method
        shown, twin = yield from self._refined(request, grid, upsampling, region, plain, loaded)
        return Prediction(
            request=request,
            method=method,
            reason=reason,
            upsampling=upsampling,
            classes=loaded.entry.classes,
            logits=grid.logits,
            lattice=_moved(grid.lattice, region),
            labels=shown.labels,
            confidence=shown.confidence,
            shares=shown.shares,
            levels=shown.levels,
            twin=twin,
            region=region,
            scale=job.frame.inner[1] / job.frame.image[1],
            seconds=seconds,
            device=devices.text(loaded.device),
            notes=(*job.notes, *loaded.unnamed, *notes_of(loaded.entry, job.frame)),
            layer_seconds=grid.layer_seconds,
            exactness=grid.exactness,
        )

    def _refined(
        self,
        request: SegmentRequest,
        grid: LogitGrid,
        upsampling: Upsampling,
        region: Box,
        plain: direct.LabelMap,
        loaded: Loaded,
    ) -> Generator[Update, None, tuple[Labelling, Labelling | None]]:
        """The labels that were asked for and, where they are refined, those before."""
        count, by = len(loaded.entry.classes), request.refinement
        before = _labelling(plain, count)
        if by is None:
            return before, None
        part = np.s_[int(region.top) : int(region.bottom), int(region.left) : int(region.right)]
        pixels = self.store.picture(request.setup.image or "").pixels[part]
        lattice = _moved(grid.lattice, region)
        found = yield from refine.refined(grid.logits, lattice, upsampling, pixels, plain, by, loaded.device)
        return _labelling(found, count, by), before

    def _grid(
        self, job: Job, method: Method, request: SegmentRequest, region: Box
    ) -> Generator[Update, None, LogitGrid]:
        """Logits of the image, or of its `region` alone where that is less work and all of it is not there already."""
        key = (job.key, METHODS[method], request.grid_stride)
        found = self._grids.find((*key, region))
        kept = self._grids.find((*key, None))
        if found is None and kept is not None:
            found = kept if method is Method.DIRECT else part_of(kept, region)
        if found is not None:
            return found
        if METHODS[method] is coarse:
            of_any_image = (*key_of(replace(request.setup, image=None), job.loaded), job.frame)
            ready = yield from self._redraws.logits(of_any_image, job.dense, job.weights, job.image)
            job = replace(job, ready=ready)
        part = None if request.region is None or job.loaded.per_pixel or method is Method.DIRECT else region
        made = yield from METHODS[method](replace(job, region=part))
        self._grids.put((*key, part), made)
        return part_of(made, region) if part is None and method is not Method.DIRECT else made

    # ------------------------------------------------------------------------- features, race

    def features(self, request: FeatureRequest) -> Generator[Update, None, FeatureMaps]:
        """The output of one layer of the convolutional form, with its statistics."""
        started = time.perf_counter()
        job = self.jobs.at_once(request.setup)
        traced = job.traced
        call = traced.call(request.layer)
        devices.check_memory(traced.peak_bytes, job.title)
        steps = flow.run(traced, job.weights, job.image, call.output)
        done = yield from flow.followed(steps, flow.progress)
        values = traced.as_maps(int(call.output or 0), done.output).float().cpu().contiguous().numpy()
        seconds = time.perf_counter() - started
        counted = flow.followed(MapStatistics.counted(values), lambda maps: Progress(maps, len(values), "maps"))
        statistics = yield from counted
        return FeatureMaps(request, call.name, statistics, seconds)

    def race(self, request: RaceRequest) -> Answering:
        """Sliding window against fully convolutional network.

        Pooling keeps its native size whatever was asked for: only so are the grids equal.
        """
        setup = request.setup
        yield from self.store.loading(setup.model, Pooling.WINDOW, setup.device, setup.trust)
        job = self.jobs.of(replace(setup, pooling=Pooling.WINDOW))
        answer = yield from race.race(request, replace(job, grid_stride=request.grid_stride))
        return answer

    def classify(self, request: ClassifyRequest) -> Generator[Update, None, WindowAnswer]:
        """The classifier as published, on one window of its native size: one batch of one, nothing converted."""
        started = time.perf_counter()
        loaded = self._loaded(request.setup)
        if loaded.per_pixel:
            raise SegvizError(f"{loaded.entry.title} answers for every pixel by itself: it has no window to drag")
        job = self.jobs.of(request.setup)
        size = loaded.entry.input_size[1:]
        windows = Windows(job.image, size, 1)
        left, top = job.frame.window(size, request.x, request.y)
        yield from ()
        logits = classify_one(loaded.network, windows, top, left)
        found = scores.softmax(logits_of(loaded, logits[..., None, None]))[:, 0, 0]
        best = np.argsort(-found, kind="stable")[:SHOWN]
        classes = tuple((int(i), loaded.entry.classes[i], float(found[i])) for i in best)
        box = job.frame.window_box(size, request.x, request.y)
        return WindowAnswer(request, box, classes, time.perf_counter() - started)

    def examine(self, request: ExamineRequest) -> Generator[Update, None, Badge]:
        """What the network can do, by trying it."""
        started = time.perf_counter()
        loaded = self._loaded(request.setup)
        found = yield from examine(loaded)
        return Badge(request, found, time.perf_counter() - started, loaded.remarks)

    def score_depths(self, request: DepthRequest) -> Generator[Update, None, DepthAnswer]:
        """The kernels that the network upsamples with, and the scores of its depths where they are asked for."""
        started = time.perf_counter()
        loaded = self._loaded(request.setup)
        refused = depths.refusal(loaded)
        found = None
        if request.scores and not refused:
            job = self.jobs.of(request.setup)
            found = self._depths.find(job.key)
            if found is None:
                found = yield from depths.depths(job)
                self._depths.put(job.key, found)
        yield from ()
        return depths.answered(request, loaded, found, refused, started)

    # ------------------------------------------------------------------------------- together

    def _forget(self) -> None:
        """Let go of what holds on to networks, when the store has let one go."""
        self.jobs.forget()
        self._redraws.forget()
        self.insides.forget()

    def _loaded(self, setup: Setup) -> Loaded:
        return self.jobs.loaded(setup)


def _once_loaded(method: Callable[[Engine, Any], Answering]) -> Callable[[Engine, Any], Answering]:
    """The same behind the loading of the network, told step by step; the method then finds it in the store."""

    def answer(engine: Engine, request: Request) -> Answering:
        setup = request.setup
        yield from engine.store.loading(setup.model, setup.pooling, setup.device, setup.trust)
        found = yield from method(engine, request)
        return found

    return answer


def _inside(method: Callable[[Insides, Any], Answering]) -> Callable[[Engine, Any], Answering]:
    """What `Insides` answers, asked of an engine."""
    return lambda engine, request: method(engine.insides, request)


ANSWERS: dict[type, Callable[[Engine, Any], Answering]] = {
    DescribeRequest: _once_loaded(Engine.describe),
    SegmentRequest: _once_loaded(Engine.predict),
    KeptRequest: _once_loaded(Engine.predict),
    FeatureRequest: _once_loaded(Engine.features),
    RaceRequest: Engine.race,  # with a pooling of its own
    ClassifyRequest: _once_loaded(Engine.classify),
    ExamineRequest: _once_loaded(Engine.examine),
    DepthRequest: _once_loaded(Engine.score_depths),
    MeasureRequest: _once_loaded(Engine.measure),
    **{kind: _once_loaded(_inside(method)) for kind, method in INSIDE.items()},
}


def _region(request: SegmentRequest, frame: Frame) -> Box:
    """The part of the image that was asked for, all of it without a region. Raises SegvizError outside the image."""
    height, width = frame.image
    if request.region is None:
        return Box(0, 0, width, height)
    x, y, w, h = request.region
    box = Box(x, y, x + w, y + h).clipped(width, height)
    if box.width < 1 or box.height < 1:
        raise SegvizError(f"the region {x},{y},{w},{h} has no pixel of the image of {size_text(frame.image)}")
    return box


def _labelling(found: direct.LabelMap, classes: int, by: Refinement | None = None) -> Labelling:
    levels = scores.levels(found.labels, found.confidence, classes)
    return Labelling(by, found.labels, found.confidence, scores.shares(levels), levels)


def part_of(grid: LogitGrid, region: Box) -> LogitGrid:
    """The units that the pixels of a region mix, of a grid of the whole image; itself where that is all of them."""
    lattice, (y, x) = grid.lattice, grid.lattice.laws
    rows = mixed(y, region.top, region.bottom, lattice.rows)
    columns = mixed(x, region.left, region.right, lattice.columns)
    if (rows.hi - rows.lo + 1, columns.hi - columns.lo + 1) == (lattice.rows, lattice.columns):
        return grid
    logits = np.ascontiguousarray(grid.logits[:, rows.lo : rows.hi + 1, columns.lo : columns.hi + 1])
    start = lattice.position_of(rows.lo, columns.lo)
    return replace(grid, logits=logits, lattice=Lattice(logits.shape[1], logits.shape[2], start, lattice.stride))


def _moved(lattice: Lattice, region: Box) -> Lattice:
    """Positions counted from the region's corner."""
    start = (lattice.start[0] - region.left, lattice.start[1] - region.top)
    return Lattice(lattice.rows, lattice.columns, start, lattice.stride)


def _labelled(
    job: Job, grid: LogitGrid, method: Method, upsampling: Upsampling, region: Box
) -> Generator[Update, None, direct.LabelMap]:
    height, width = int(region.height), int(region.width)
    lattice = _moved(grid.lattice, region)
    if method is not Method.DIRECT:
        found = yield from labels.interpolated(grid.logits, lattice, upsampling, height, width)
        return found
    rows, columns = _field_edges(job, lattice, region)
    found = yield from direct.direct(grid.logits, rows, columns, height, width)
    return found


def _field_edges(job: Job, lattice: Lattice, region: Box) -> tuple[direct.Edges, direct.Edges]:
    """Top and bottom of the fields of each row, left and right of each column, clipped to the region."""

    def box(row: int, column: int) -> Box:
        found = job.frame.box_to_image(job.dense.geometry.field("last", row, column).box)
        moved = Box(*(edge - corner for edge, corner in zip(found, 2 * (region.left, region.top), strict=True)))
        return Box(*(round(edge) for edge in moved.clipped(region.width, region.height)))

    down = [box(row, 0) for row in range(lattice.rows)]
    across = [box(0, column) for column in range(lattice.columns)]
    return [(int(b.top), int(b.bottom)) for b in down], [(int(b.left), int(b.right)) for b in across]
