"""Signals end the window as its close button does. Each in a process of its own, which is then to be gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from segviz.core import assets, folders
from segviz.gui.interrupts import Interrupts

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")
ROOT = Path(__file__).resolve().parents[2]

# A window that says when it is there, and does `then` beforehand.
WINDOW = """
import sys
from PySide6.QtCore import QTimer
from segviz.gui import app, window

class Window(window.MainWindow):
    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.filled.connect(self.tell)

    def tell(self):
        {then}
        QTimer.singleShot({wait}, lambda: print("up", flush=True))

app.MainWindow = Window
sys.exit(app.main(app.LaunchOptions(image={image!r}, model="lenet5", screenshot={screenshot})))
"""


def started(then: str = "pass", wait: int = 0, screenshot: str = "None", **options) -> subprocess.Popen[str]:
    code = WINDOW.format(then=then, wait=wait, screenshot=screenshot, image=str(assets.sample("digits-512x512.png")))
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, **options
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n", process.communicate()[1]
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Status and streams; the engine has the same output, so that this waits for its end, too."""
    try:
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_a_signal_closes_the_window_and_leaves_nothing(number):
    process = started(wait=300)  # the loop is idle, and the engine is starting
    assert (folders.logs() / "running.lock").exists()
    process.send_signal(number)
    assert ended(process) == (0, "", "")
    assert not (folders.logs() / "running.lock").exists()  # else the next start would tell of a bad end


@pytest.mark.parametrize("wait", [0, 700])
def test_it_does_so_with_a_dialog_open(wait):
    """A file dialog has a loop of its own, within which the window is closed."""
    then = "QTimer.singleShot(50, self.files.open_image_dialog); QTimer.singleShot(50, self.dialogs.shortcuts)"
    process = started(then, wait)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (0, "", "")


def test_several_at_once_are_one():
    process = started()
    for _ in range(3):
        process.send_signal(signal.SIGINT)
    assert ended(process) == (0, "", "")


def test_a_signal_that_was_to_be_ignored_is(tmp_path):
    process = started(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1.5)
    process.send_signal(signal.SIGINT)
    assert ended(process) == (0, "", "")


def test_waiting_for_a_picture_can_be_ended_too(tmp_path):
    picture = tmp_path / "shot.png"
    process = started(screenshot=f"__import__('pathlib').Path({str(picture)!r})")
    process.send_signal(signal.SIGINT)
    assert ended(process) == (1, "", "segviz: stopped before there was a picture\n")
    assert not picture.exists()


def test_handlers_are_given_back(qtbot):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    heard: list[bool] = []
    interrupts = Interrupts(lambda: heard.append(True))
    interrupts.install()
    os.kill(os.getpid(), signal.SIGTERM)
    qtbot.waitUntil(lambda: bool(heard))
    interrupts.remove()
    interrupts.remove()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    assert signal.set_wakeup_fd(-1) == -1
