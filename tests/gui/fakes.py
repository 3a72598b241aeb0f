"""An engine's client that does nothing by itself: tests answer for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from segviz.core.cams import CamRequest
from segviz.core.contributions import ContributionRequest
from segviz.core.depths import DepthAnswer, DepthRequest
from segviz.core.effective import EffectiveRequest
from segviz.core.errors import SegvizError
from segviz.core.filters import FilterAnswer, FilterRequest
from segviz.core.images import Picture, open_picture
from segviz.core.occlusion import OcclusionRequest
from segviz.core.races import RaceRequest
from segviz.core.requests import (
    Badge,
    ClassifyRequest,
    DescribeRequest,
    ExamineRequest,
    FeatureRequest,
    Request,
    SegmentRequest,
)
from segviz.core.shifting import ShiftRequest
from segviz.core.sizes import SizesRequest
from segviz.core.top_patches import TopRequest
from segviz.core.unit_sums import SumRequest
from segviz.gui.jobs import PictureOpened, PictureRefused
from segviz.worker.messages import Answered, Cancelled, EngineDied, EngineReady, EngineStarting, Refused, Updated
from tests.gui import convolution_scenes, scenes


class FakeJobs(QObject):
    """Records asks; `answer`, `refuse`, ... end them. With `prompt`, every ask is answered at once by LeNet-5."""

    told = Signal(object)

    def __init__(self, prompt: bool = False, pictures: dict[str, Picture] | None = None) -> None:
        super().__init__()
        self.prompt = prompt
        self.pictures = pictures or {}
        self.asked: dict[int, Request] = {}
        self.history: list[Request] = []
        self.opened: list[str] = []
        self.cancelled: list[type | None] = []
        self.started = self.closed = False

    def start(self) -> None:
        self.started = True
        self.told.emit(EngineStarting(1))
        self.told.emit(EngineReady(1, "CPU, 2 threads"))

    def ask(self, request: Request) -> int:
        ticket = len(self.history) + 1
        self.history.append(request)
        self.asked[ticket] = request
        return ticket

    def cancel(self, kind: type | None = None) -> None:
        self.cancelled.append(kind)

    def open_picture(self, path: str) -> None:
        self.opened.append(path)

    def close(self, patience: float = 0) -> None:
        self.closed = True

    # ------------------------------------------------------------------------- what tests do

    def open(self, path: str | None = None, picture: Picture | None = None) -> None:
        """Deliver the newest picture asked for: one of `pictures`, the file itself, or a gradient."""
        path = path or self.opened[-1]
        found = picture or self.pictures.get(path) or scenes.picture()
        self.told.emit(PictureOpened(path, replace(found, path=path)))

    def open_file(self, path: str) -> None:
        try:
            self.told.emit(PictureOpened(path, open_picture(path)))
        except SegvizError as error:
            self.told.emit(PictureRefused(path, str(error), error.details))

    def refuse_picture(self, path: str, message: str = "not an image") -> None:
        self.told.emit(PictureRefused(path, message, ""))

    def ticket(self, kind: type) -> int:
        """The newest ask of a kind."""
        return max(ticket for ticket, request in self.asked.items() if isinstance(request, kind))

    def pending(self, kind: type) -> bool:
        return any(isinstance(request, kind) for request in self.asked.values())

    def answer(self, kind: type, answer: Any = None) -> None:
        """End the newest ask of a kind with `answer`, by default LeNet-5's."""
        ticket = self.ticket(kind)
        request = self.asked.pop(ticket)
        self.told.emit(Answered(ticket, request, answer or lenet_answers(request)))

    def update(self, kind: type, update: Any) -> None:
        ticket = self.ticket(kind)
        self.told.emit(Updated(ticket, self.asked[ticket], update))

    def refuse(self, kind: type, message: str = "no such thing", details: str = "traceback", trust: str = "") -> None:
        ticket = self.ticket(kind)
        self.told.emit(Refused(ticket, self.asked.pop(ticket), message, details, trust))

    def end(self, kind: type) -> None:
        ticket = self.ticket(kind)
        self.told.emit(Cancelled(ticket, self.asked.pop(ticket)))

    def die(self, kind: type | None = None, text: str = "the engine stopped unexpectedly") -> None:
        ticket = self.ticket(kind) if kind else 0
        request = self.asked.pop(ticket) if kind else None
        self.told.emit(EngineDied(ticket, request, text))
        self.told.emit(EngineStarting(2))
        self.told.emit(EngineReady(2, "CPU, 2 threads"))


def lenet_answers(request: Request) -> Any:
    """What LeNet-5 answers on the gradient of `scenes.picture`."""
    makers = {
        DescribeRequest: lambda: replace(scenes.lenet(), request=request),
        SegmentRequest: lambda: replace(scenes.prediction(), request=request),
        FeatureRequest: lambda: replace(scenes.features(layer=request.layer), request=request),
        RaceRequest: lambda: replace(scenes.race(), request=request),
        ClassifyRequest: lambda: scenes.window_answer(request),
        ExamineRequest: lambda: Badge(request, (), 0.0),
        OcclusionRequest: lambda: scenes.occlusion(request),
        FilterRequest: lambda: FilterAnswer(request, request.layer, scenes.a_filter(), 0.0),
        DepthRequest: lambda: DepthAnswer(request, (), None, 0.0, "LeNet-5 has no skips"),
        ContributionRequest: lambda: scenes.contributions(request),
        EffectiveRequest: lambda: scenes.effective(scenes.lenet(), request),
        TopRequest: lambda: scenes.top_answer(request),
        CamRequest: lambda: scenes.cam_answer(request),
        SumRequest: lambda: convolution_scenes.answer_to(request),
        ShiftRequest: lambda: replace(convolution_scenes.shift_answer(scenes.full()), request=request),
        SizesRequest: lambda: replace(convolution_scenes.sizes_answer(scenes.full()), request=request),
    }
    return makers[type(request)]()
