"""What is asked of single units and layers: fields, filters, evidence, sums; each answer by a module of its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

from segviz.core.cams import CamAnswer, CamRequest
from segviz.core.contributions import Contribution, ContributionAnswer, ContributionRequest
from segviz.core.effective import EffectiveField, EffectiveRequest
from segviz.core.errors import SegvizError
from segviz.core.filters import FilterAnswer, FilterRequest
from segviz.core.occlusion import OcclusionAnswer, OcclusionRequest
from segviz.core.requests import Update
from segviz.core.shifting import ShiftAnswer, ShiftRequest
from segviz.core.sizes import SizesAnswer, SizesRequest
from segviz.core.top_patches import TopAnswer, TopRequest
from segviz.core.unit_sums import LayerSum, SumAnswer, SumRequest
from segviz.engine import cams, contributions, shifting, sizes, top_patches, unit_sums
from segviz.engine.effective import effective
from segviz.engine.filters import Refused, filter_of
from segviz.engine.jobs import Jobs
from segviz.engine.occlusion import Occluder, occluded
from segviz.engine.store import Kept


class Insides:
    """Answers with the networks that an engine has; keeps what the next ask about the same image needs."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._occluders: Kept[Occluder] = Kept(1)  # of the dragged square
        self._sums: Kept[unit_sums.Maps] = Kept(1)
        self._summands: Kept[contributions.Summands] = Kept(1)

    def forget(self) -> None:
        """Let go of what holds on to networks."""
        self._occluders.clear()
        self._sums.clear()
        self._summands.clear()

    def occlude(self, request: OcclusionRequest) -> Generator[Update, None, OcclusionAnswer]:
        """The outputs whose scores a grey square changes; of every square but the first only what it reaches is run."""
        started = time.perf_counter()
        job = self._jobs.at_once(request.setup)
        found = self._occluders.find(job.key)
        if found is None:
            found = Occluder(job)
            yield from found.fill()
            self._occluders.put(job.key, found)
        answer = yield from occluded(request, found, started)
        return answer

    def effective(self, request: EffectiveRequest) -> Generator[Update, None, EffectiveField]:
        """What a unit of the convolutional form looks at."""
        job = self._jobs.at_once(request.setup)
        answer = yield from effective(request, job)
        return answer

    def activation(self, request: CamRequest) -> Generator[Update, None, CamAnswer]:
        """Where in a layer the evidence for classes is."""
        answer = yield from cams.answered(request, self._jobs.at_once(request.setup))
        return answer

    def filters(self, request: FilterRequest) -> Generator[Update, None, FilterAnswer]:
        """The filter of one map, of the convolutional form where there is one."""
        started = time.perf_counter()
        yield from ()
        found = filter_of(request, self._jobs.loaded(request.setup))
        refused = found if isinstance(found, Refused) else Refused("")
        made = None if isinstance(found, Refused) else found
        seconds = time.perf_counter() - started
        return FilterAnswer(request, request.layer, made, seconds, refused.reason, refused.maker)

    def top_patches(self, request: TopRequest) -> Generator[Update, None, TopAnswer]:
        """What a channel answers to most strongly, image by image."""
        answer = yield from top_patches.search(request, self._jobs.loaded(request.setup))
        return answer

    def contributions(self, request: ContributionRequest) -> Generator[Update, None, ContributionAnswer]:
        """What each path adds to a logit; a refusal where it is no sum."""
        started = time.perf_counter()
        job = self._jobs.at_once(request.setup)
        channel = contributions.channel_of(request, job)
        found: tuple[tuple[Contribution, ...], float, float] = ((), 0.0, 0.0)
        refused = ""
        try:
            tail = contributions.tail_of(job.traced)
            if job.loaded.entry.sigmoid and request.index == 0:
                raise SegvizError("of two classes with one output the logit of the first is always 0")
        except SegvizError as error:
            refused = f"{job.loaded.entry.title}: {error}"
        else:
            maps = self._summands.find(job.key)
            if maps is None:
                self._summands.clear()
                maps = yield from contributions.summands(job, tail)
                self._summands.put(job.key, maps)
            found = contributions.parts(job, tail, maps, (request.row, request.column), channel)
        yield from ()
        return ContributionAnswer(request, *found, time.perf_counter() - started, refused, job.notes)

    def take_apart(self, request: SumRequest) -> Generator[Update, None, SumAnswer]:
        """The convolution behind a unit; a refusal where there is none."""
        started = time.perf_counter()
        job = self._jobs.at_once(request.setup)
        found: LayerSum | None = None
        refused = ""
        try:
            channel = request.unit[0] if request.unit is not None else 0
            place = unit_sums.place_of(job.traced, request.layer, job.native, channel)
        except SegvizError as error:
            refused = str(error)
        else:
            key = (job.key, place.index)
            maps = self._sums.find(key)
            if maps is None:
                self._sums.clear()
                maps = yield from unit_sums.computed(job, place)
                self._sums.put(key, maps)
            found = unit_sums.told(job, place, maps, request.layer, request.unit)
        yield from ()
        return SumAnswer(request, found, time.perf_counter() - started, refused, job.notes)

    def shift(self, request: ShiftRequest) -> Generator[Update, None, ShiftAnswer]:
        """The network as published on the image and on the shifted image, both as large as its native input."""
        started = time.perf_counter()
        job = self._jobs.of(request.setup, squeeze=True)
        try:
            answer = yield from shifting.answered(job, request, 0.0)
        except SegvizError as error:
            answer = shifting.refused(request, str(error))
        return replace(answer, seconds=time.perf_counter() - started)

    def feed(self, request: SizesRequest) -> Generator[Update, None, SizesAnswer]:
        """The network as published on another size than its own, by tracing alone."""
        started = time.perf_counter()
        answer = sizes.answered(self._jobs.loaded(request.setup), request, 0.0)
        yield from ()
        return replace(answer, seconds=time.perf_counter() - started)


INSIDE: dict[type, Callable[[Insides, Any], Generator[Update, None, Any]]] = {
    OcclusionRequest: Insides.occlude,
    EffectiveRequest: Insides.effective,
    CamRequest: Insides.activation,
    FilterRequest: Insides.filters,
    TopRequest: Insides.top_patches,
    ContributionRequest: Insides.contributions,
    SumRequest: Insides.take_apart,
    ShiftRequest: Insides.shift,
    SizesRequest: Insides.feed,
}
