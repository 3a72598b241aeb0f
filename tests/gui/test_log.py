"""Nothing unforeseen goes unnoticed: every kind of exception reaches the log file and one banner."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings

import pytest
from PySide6.QtCore import QThread, qWarning

from segviz.core import folders
from segviz.gui.log import ENDED_BADLY, Log, log_file


@pytest.fixture
def heard():
    return []


@pytest.fixture
def log(qapp, heard):
    made = Log(lambda text, details: heard.append((text, details, QThread.currentThread())))
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    made.install()
    yield made
    made.remove()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


def raised(error: Exception) -> Exception:
    """`error` with a traceback."""
    try:
        raise error
    except type(error) as caught:
        return caught


def test_an_exception_reaches_log_and_banner(qtbot, log, heard):
    error = raised(ZeroDivisionError("by nothing"))
    sys.excepthook(type(error), error, error.__traceback__)
    qtbot.waitUntil(lambda: bool(heard))
    text, details, _ = heard[0]
    assert "ZeroDivisionError" in text
    assert "by nothing" in details
    assert "by nothing" in log_file().read_text(encoding="utf-8")


def test_an_exception_in_a_thread_is_shown_in_the_windows_thread(qtbot, log, heard, qapp):
    def work() -> None:
        raise LookupError("in a thread")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(heard))
    assert "in a thread" in heard[0][1]
    assert heard[0][2] is qapp.thread()


def test_what_cannot_be_raised_is_logged_too(qtbot, log, heard):
    class Bad:
        def __del__(self) -> None:
            raise OSError("while dying")

    Bad()
    qtbot.waitUntil(lambda: bool(heard))
    assert "while dying" in heard[0][1]


def test_qts_own_words_are_kept(qtbot, log):
    qWarning("a word of Qt")
    assert "a word of Qt" in log_file().read_text(encoding="utf-8")


def test_interrupting_is_no_failure(qtbot, log, heard):
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    qtbot.wait(20)
    assert heard == []


def test_without_a_place_for_the_log_the_window_still_starts(qapp, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(folders, "logs", lambda: tmp_path / "file" / "below")
    made = Log(lambda text, details: None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.install()
        made.remove()


def test_a_run_that_died_is_told_of_once(qtbot, log, heard):
    """Another process dies with the mark set; this one finds it, and says what was noted."""
    dies = (
        "import os; from PySide6.QtCore import QCoreApplication; from segviz.gui.log import Log;"
        "app = QCoreApplication([]); log = Log(lambda text, details: None); log.install(); log.watch(); os.abort()"
    )
    dead = subprocess.run([sys.executable, "-c", dies], check=False)
    assert dead.returncode != 0
    log.watch()
    qtbot.waitUntil(lambda: bool(heard))
    assert heard[0][0] == ENDED_BADLY
    assert "Aborted" in heard[0][1]
    log.remove()
    log.install()
    log.watch()
    qtbot.wait(20)
    assert len(heard) == 1


def test_a_second_window_says_nothing_of_the_first(qtbot, log, heard):
    log.watch()
    runs_too = (
        "from PySide6.QtCore import QCoreApplication; from segviz.gui.log import Log;"
        "app = QCoreApplication([]); log = Log(lambda text, details: print(text)); log.install(); log.watch();"
        "app.processEvents(); log.remove()"
    )
    second = subprocess.run([sys.executable, "-c", runs_too], check=True, capture_output=True, text=True)
    assert second.stdout == ""
    log.remove()
    log.install()
    log.watch()
    qtbot.wait(20)
    assert heard == []
