"""What takes long to paint or to write does not hold up the window, and is asked for before it is begun."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage

from segviz.core import assets, export
from segviz.core.choices import View
from segviz.core.races import RaceRequest
from segviz.gui import exports
from segviz.gui.background import Background, interruptible
from segviz.gui.dialogs import ExportDialog
from segviz.gui.exports import EXPORTS, LARGEST_VIEW, view_scale, view_size
from segviz.gui.filming import Filming
from tests.gui import scenes

ROOT = Path(__file__).resolve().parents[2]
VIEW = EXPORTS[0]


def images_equal(a: QImage, b: QImage) -> bool:
    form = QImage.Format.Format_RGB32
    return a.convertToFormat(form) == b.convertToFormat(form)


# ------------------------------------------------------------------------------------ the view


@pytest.mark.parametrize("view", list(View))
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_exported_view_is_what_the_canvas_shows(bench, tmp_path, monkeypatch, view, scale):
    one = bench()
    one.desk.session.update(view=view, layer="s4", minimum=0.3, cursor=(60.0, 40.0))
    one.desk.session.update(**exports.gestures.select_layer(one.scene, "s4"))
    one.bring_up()
    file = tmp_path / "view.png"
    monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds: file)
    with one.qtbot.waitSignal(one.desk.said):
        one.window.export(VIEW, scale)
    assert images_equal(QImage(str(file)), one.window.canvas.render_image(scale))


def test_the_place_is_asked_for_first_and_the_view_is_painted_elsewhere(bench, tmp_path, monkeypatch):
    one = bench()
    order: list[object] = []
    rendered = exports.rendered

    def spy(*arguments):
        order.append(threading.current_thread() is threading.main_thread())
        return rendered(*arguments)

    def ask(name, kinds):
        order.append("asked")
        return tmp_path / "view.png"

    monkeypatch.setattr(exports, "rendered", spy)
    monkeypatch.setattr(one.window.files, "ask_save", ask)
    with one.qtbot.waitSignal(one.desk.said):
        one.window.export(VIEW, 1.0)
    assert order == ["asked", False]
    monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds: None)
    for other in EXPORTS:
        prepared = replace(other, prepare=lambda *_: pytest.fail("made although it goes nowhere"))
        one.window.export(prepared, 1.0)


def test_the_window_lives_on_while_a_large_view_is_written(bench, tmp_path, monkeypatch):
    """The loop turns many times before the file is there: how fast is for the benchmarks to say."""
    one = bench()
    large = replace(one.scene, picture=scenes.picture(1500, 2000), prediction=None)
    turns: list[float] = []
    beat = QTimer()
    beat.timeout.connect(lambda: turns.append(time.monotonic()))
    monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds: tmp_path / "view.png")
    one.desk.scene = large
    beat.start(1)
    with one.qtbot.waitSignal(one.desk.said, timeout=60_000):
        one.window.export(VIEW, 2.0)
        before = len(turns)
    assert len(turns) - before > 10
    assert QImage(str(tmp_path / "view.png")).width() == 4000


def test_what_leaves_is_what_was_chosen_whatever_comes_while_the_dialog_is_open(bench, tmp_path, monkeypatch):
    one = bench()
    before = one.window.canvas.render_image(1.0)

    def ask(name, kinds):
        one.desk._show(prediction=None, picture=None)  # the image went while the person thought
        return tmp_path / "view.png"

    monkeypatch.setattr(one.window.files, "ask_save", ask)
    with one.qtbot.waitSignal(one.desk.said):
        one.window.export(VIEW, 1.0)
    assert images_equal(QImage(str(tmp_path / "view.png")), before)


def test_a_view_has_at_most_so_many_pixels_and_the_dialog_says_so(bench):
    small, large, huge = (scenes.picture(*size) for size in ((96, 128), (4000, 6000), (8000, 8000)))
    assert view_scale(small, 4.0) == 4.0
    assert view_scale(large, 1.0) == 1.0
    assert (4000 * view_scale(large, 4.0)) * (6000 * view_scale(large, 4.0)) == pytest.approx(LARGEST_VIEW)
    assert view_scale(huge, 4.0) == 1.0
    assert view_scale(huge, 0.5) == 0.5
    assert view_size(small, 2.0) == "256 × 192 pixels"
    assert view_size(large, 4.0).startswith("7,746 × 5,164 pixels: more than 40 megapixels")
    one = bench()
    one.window.do("export")
    dialog = one.window.findChild(ExportDialog)
    assert dialog.size_label.text() == "128 × 96 pixels"
    one.qtbot.mouseClick(dialog.scale.button(4.0), Qt.MouseButton.LeftButton)
    assert dialog.size_label.text() == "512 × 384 pixels"
    dialog.reject()


# ------------------------------------------------------------------------------------ the film


def raced(bench):
    one = bench()
    one.window.do("race")
    one.turn()
    for update in scenes.race_updates():
        one.jobs.update(RaceRequest, update)
        one.turn()
    one.jobs.answer(RaceRequest)
    one.turn()
    panel = next(panel for panel in one.window.panels if panel.id == "race")
    one.qtbot.waitUntil(panel._film.isEnabled)
    return one, panel


def test_a_race_is_filmed_behind_the_window_and_a_frame_a_turn(bench, tmp_path, monkeypatch):
    one, panel = raced(bench)
    file = tmp_path / "race.gif"
    turns: list[int] = []
    beat = QTimer()
    beat.timeout.connect(lambda: turns.append(len(one.window.files.findChildren(Filming)[0]._taken)))
    before = panel.race_stage.lanes.grab().toImage()

    def ask(name, kinds):
        assert not one.window.files.findChildren(Filming)
        beat.start(0)
        return file

    monkeypatch.setattr(one.window.files, "ask_save", ask)
    with one.qtbot.waitSignal(one.desk.said) as said:
        one.qtbot.mouseClick(panel._film, Qt.MouseButton.LeftButton)
        assert images_equal(panel.race_stage.lanes.grab().toImage(), before)
        one.qtbot.waitUntil(lambda: len(turns) > 1)
        beat.stop()
    assert said.args == ["Saved race.gif"]
    assert {0, 1} <= set(turns)  # the loop turned between two frames
    assert images_equal(panel.race_stage.lanes.grab().toImage(), before)  # the visible stage was left alone
    with Image.open(file) as film:
        assert film.n_frames >= 2


def test_a_film_that_nobody_wants_is_not_begun(bench, monkeypatch):
    one, panel = raced(bench)
    monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds: None)
    one.qtbot.mouseClick(panel._film, Qt.MouseButton.LeftButton)
    assert not one.window.files.findChildren(Filming)


def test_closing_ends_a_film_and_lets_it_tidy_up(qtbot, bench, tmp_path, monkeypatch):
    one = bench()
    monkeypatch.setattr(one.window.files, "ask_save", lambda name, kinds: tmp_path / "race.gif")
    ended: list[bool] = []

    def frames():
        try:
            while True:
                yield QImage(4, 4, QImage.Format.Format_RGB32)
        finally:
            ended.append(True)

    one.window.files.save_film("race.gif", frames)
    qtbot.waitUntil(lambda: len(one.window.files.findChildren(Filming)[0]._taken) > 2)
    one.window.close()
    assert ended == [True]
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------------------------ the end


def endless(begun: threading.Event):
    while True:
        begun.set()
        yield np.zeros((8, 8, 3), np.uint8)


def test_closing_waits_for_what_comes_to_its_end_and_interrupts_the_rest(qtbot, tmp_path):
    old, short = tmp_path / "old.gif", tmp_path / "short.txt"
    old.write_bytes(b"old")
    background, begun, told = Background(), threading.Event(), []

    def soon() -> None:
        time.sleep(0.2)
        short.write_text("whole")

    background.run(lambda: export.save_animation(old, interruptible(endless(begun))), told.append)
    background.run(soon, told.append)
    assert begun.wait(30)
    assert background.close(patience=2.0)
    assert short.read_text() == "whole"
    assert old.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.gif", "short.txt"]
    qtbot.wait(10)
    assert told == []


def test_closing_leaves_behind_what_does_not_listen(qtbot):
    background, go_on = Background(), threading.Event()
    background.run(lambda: go_on.wait(60), lambda error: None)
    started = time.monotonic()
    assert not background.close(patience=0.3)
    assert time.monotonic() - started < 10
    go_on.set()
    qtbot.waitUntil(lambda: not background.busy)


def test_in_other_threads_nothing_is_interrupted():
    assert list(interruptible(range(3))) == [0, 1, 2]


CLOSED_WHILE_SAVING = """
import sys, threading, time
from pathlib import Path
from PySide6.QtCore import QTimer
from segviz.gui import app, window

class Window(window.MainWindow):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.filled.connect(self.begin)

    def begin(self):
        self.files.write(Path({place!r}), self.write)
        QTimer.singleShot(300, self.end)

    def write(self, path):
        from segviz.core import export
        export.replace_file(path, lambda part: (part.write_bytes(b"torn"), time.sleep(600)))

    def end(self):
        started = time.monotonic()
        self.close()
        print("closed in", time.monotonic() - started, flush=True)

app.MainWindow = Window
sys.exit(app.main(app.LaunchOptions(image={image!r}, model="lenet5")))
"""


def test_a_save_without_end_keeps_no_closed_window_alive(tmp_path):
    place = tmp_path / "old.png"
    place.write_bytes(b"old")
    code = CLOSED_WHILE_SAVING.format(place=str(place), image=str(assets.sample("digits-512x512.png")))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout.rpartition(" ")[2]) < 10  # seconds; the work would take ten minutes
    assert place.read_bytes() == b"old"
