"""The training laboratory with its real process: a quick recipe from the start to its network in the window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from segviz.core.choices import RecipeName
from segviz.core.session import Session, State
from segviz.gui import run_files, settings
from segviz.gui.app import make_trainer
from segviz.gui.panels.training import network_of
from segviz.gui.runs import Phase
from segviz.gui.window import MainWindow
from tests.gui.fakes import FakeJobs

PATIENCE = 120_000  # ms; a busy machine starts a process slowly


@pytest.fixture
def window(qtbot, look, tmp_path, monkeypatch) -> Iterator[MainWindow]:
    """A window on the training tab: a fake engine inspects, the real process trains."""
    monkeypatch.setattr(run_files, "folder", lambda: tmp_path / "training")
    settings.settings().clear()
    one = MainWindow(Session(State(tab="training")), FakeJobs, remembers=False, make_trainer=make_trainer)
    one.resize(1280, 800)
    with qtbot.waitSignal(one.filled):
        one.show()
    yield one
    one.close()
    one.deleteLater()
    settings.settings().clear()


def test_a_quick_recipe_pauses_goes_on_and_ends_in_a_network_that_opens(window, qtbot, tmp_path):
    panel = next(panel for panel in window.panels if panel.id == "training")
    desk = window.desk

    def training():
        return desk.scene.training

    panel.form.recipe.choose(RecipeName.LENET5)
    qtbot.mouseClick(panel.main, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: training().phase is Phase.RUNNING and training().run.step > 2, timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.centre.currentWidget() is panel.stage)
    qtbot.mouseClick(panel.main, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: training().phase is Phase.PAUSED, timeout=PATIENCE)
    paused = training().run
    assert Path(paused.request.checkpoint).is_file()
    qtbot.mouseClick(panel.main, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: training().phase is Phase.IDLE, timeout=PATIENCE)
    run = training().run
    assert run.trouble == ""
    assert run.points[: len(paused.points)] == paused.points, "what was told before the pause stays"
    steps = [point.step for point in run.points]
    assert steps == sorted(steps)
    assert run.points[-1].loss < run.points[0].loss
    assert run.result.accuracy > 0.5  # chance: 0.1
    assert run.samples is not None
    assert not Path(run.request.checkpoint).exists()
    assert network_of(run.result).endswith("?arch=lenet5")
    qtbot.waitUntil(lambda: panel.open.isVisible())
    qtbot.mouseClick(panel.open, Qt.MouseButton.LeftButton)
    assert desk.session.state.model == network_of(run.result)


def test_closing_the_window_leaves_a_checkpoint_for_the_next(window, qtbot):
    panel = next(panel for panel in window.panels if panel.id == "training")
    panel.form.recipe.choose(RecipeName.LENET5)
    qtbot.mouseClick(panel.main, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.desk.scene.training.run is not None)
    qtbot.waitUntil(lambda: window.desk.scene.training.run.step > 2, timeout=PATIENCE)
    step = window.desk.scene.training.run.step
    window.close()
    assert window.desk.training._worker is None
    (left,) = run_files.left()
    assert 2 < left.step <= step + 1
