"""Windows for tests: real widgets and events, an engine that tests answer for; nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtWidgets import QApplication

from segviz.core.cams import CamRequest
from segviz.core.choices import Theme
from segviz.core.contributions import ContributionRequest
from segviz.core.depths import DepthRequest
from segviz.core.effective import EffectiveRequest
from segviz.core.occlusion import OcclusionRequest
from segviz.core.requests import (
    ClassifyRequest,
    DescribeRequest,
    ExamineRequest,
    FeatureRequest,
    SegmentRequest,
)
from segviz.core.session import Session, State
from segviz.core.shifting import ShiftRequest
from segviz.core.sizes import SizesRequest
from segviz.core.top_patches import TopRequest
from segviz.core.unit_sums import SumRequest
from segviz.gui import settings, theme
from segviz.gui.window import MainWindow
from tests.gui.fakes import FakeJobs

PAGE = "/pictures/page.png"
KINDS = (
    DescribeRequest,
    SegmentRequest,
    FeatureRequest,
    ClassifyRequest,
    ExamineRequest,
    DepthRequest,
    EffectiveRequest,
    ContributionRequest,
    OcclusionRequest,
    CamRequest,
    TopRequest,
    SumRequest,
    ShiftRequest,
    SizesRequest,
)


@pytest.fixture
def look(qapp: QApplication) -> theme.Look:
    return theme.apply(qapp, Theme.DARK)


class Bench:
    """A window with its fake engine."""

    def __init__(self, qtbot, state: State, size: tuple[int, int], prompt: bool) -> None:
        self.qtbot = qtbot
        self.jobs = FakeJobs()
        self.window = MainWindow(Session(state), lambda: self.jobs, remembers=False)
        self.window.resize(*size)
        with qtbot.waitSignal(self.window.filled):
            self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)
        if prompt:
            self.bring_up()

    @property
    def desk(self):
        return self.window.desk

    @property
    def scene(self):
        return self.window.desk.scene

    @property
    def state(self) -> State:
        return self.window.desk.session.state

    def panel(self, identifier: str):
        return next(panel for panel in self.window.panels if panel.id == identifier)

    def turn(self) -> None:
        """Let the desk plan and tell, and the window paint."""
        self.qtbot.waitUntil(lambda: not self.desk._asking.isActive() and not self.desk._tell.isActive())
        QApplication.sendPostedEvents()

    def bring_up(self, all_but: type | None = None) -> None:
        """Answer all that is asked, until nothing is left, or nothing but one kind."""
        self.turn()
        while not self.desk.idle:
            if self.desk._opening is not None:
                self.jobs.open()
            asked = [kind for kind in KINDS if kind is not all_but and self.jobs.pending(kind)]
            if all_but is not None and not asked and self.jobs.pending(all_but):
                return
            for kind in asked:
                if self.jobs.pending(kind):
                    self.jobs.answer(kind)
            self.turn()


@pytest.fixture
def bench(qtbot, look) -> Iterator[Callable[..., Bench]]:
    """Makes windows: `bench()` shows the test page with LeNet-5 and all answers; `bench(State())` is empty."""
    made: list[Bench] = []
    settings.settings().clear()

    def make(state: State | None = None, size: tuple[int, int] = (1280, 800), prompt: bool = True) -> Bench:
        made.append(Bench(qtbot, state or State(image=PAGE, model="lenet5"), size, prompt))
        return made[-1]

    yield make
    for one in made:
        one.window.close()
        one.window.deleteLater()
    settings.settings().clear()
