"""What goes wrong unforeseen: every exception reaches a rotated log file, and one banner tells of it.

A slot that raises must neither end the program nor go unnoticed. No dialog is opened from a hook:
it would run an event loop inside whatever broke.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import TextIO

from PySide6.QtCore import QLockFile, QMessageLogContext, QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

from segviz.core import folders

LARGEST = 512 * 1024  # bytes of one log file
KEPT = 3
LONGEST_CRASH = 20_000  # characters of the last crash that are shown: its end
ENDED_BADLY = "segviz did not end as it should the last time"
LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def log_file() -> Path:
    return folders.logs() / "segviz.log"


def crash_file() -> Path:
    """What Python was doing when the process died, written by `faulthandler`."""
    return folders.logs() / "crash.log"


class Log(QObject):
    """Hooks for the time between `install` and `remove`. `failed(text, details)` arrives in the window's thread."""

    failed = Signal(str, str)

    def __init__(self, show: Callable[[str, str], None]) -> None:
        super().__init__()
        self.failed.connect(show, Qt.ConnectionType.QueuedConnection)
        self._logger = logging.getLogger("segviz.gui")
        self._handler: logging.Handler | None = None
        self._crashes: TextIO | None = None
        self._running: QLockFile | None = None
        self._before = (sys.excepthook, threading.excepthook, sys.unraisablehook)

    def install(self) -> None:
        """Listen to all of Python and Qt; without a log file where its folder cannot be written."""
        try:
            folders.logs().mkdir(parents=True, exist_ok=True)
            self._handler = RotatingFileHandler(log_file(), maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8")
            self._crashes = crash_file().open("a", encoding="utf-8")
            faulthandler.enable(self._crashes)
        except OSError:
            self._handler = logging.NullHandler()
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._logger.addHandler(self._handler)
        self._logger.setLevel(logging.INFO)
        self._logger.propagate = False
        sys.excepthook = self._excepthook
        threading.excepthook = lambda args: self._excepthook(args.exc_type, args.exc_value, args.exc_traceback)
        sys.unraisablehook = lambda args: self._excepthook(args.exc_type, args.exc_value, args.exc_traceback)
        qInstallMessageHandler(self._qt_message)

    def watch(self) -> None:
        """Tell of the last run if it never came to its end, and mark this one until `remove`.

        The mark is a lock file: Qt gives it to the next process once its owner is dead. While
        another window has it, that window is the one that is watched.
        """
        running = QLockFile(str(folders.logs() / "running.lock"))
        running.setStaleLockTime(0)  # stale by its owner's death, never by its age
        left_behind = Path(running.fileName()).exists()
        if not running.tryLock(0):
            return
        self._running = running
        if left_behind:
            self._logger.error(ENDED_BADLY)
            self.failed.emit(ENDED_BADLY, _last_crash() or "Nothing was noted: it was killed, or the power went.")
        if self._crashes is not None:
            self._crashes.truncate(0)  # told; the next crash stands alone

    def remove(self) -> None:
        """Give back what was there before."""
        if self._running is not None:
            self._running.unlock()
            self._running = None
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
        qInstallMessageHandler(None)
        if self._crashes is not None:
            faulthandler.disable()
            self._crashes.close()
            self._crashes = None
        if self._handler is not None:
            self._logger.removeHandler(self._handler)
            self._handler.close()
            self._handler = None

    def _excepthook(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        self._logger.error("unforeseen\n%s", details)
        self.failed.emit(f"Something unforeseen happened ({kind.__name__}); segviz goes on", details)

    def _qt_message(self, level: QtMsgType, context: QMessageLogContext, text: str) -> None:
        self._logger.log(LEVELS.get(level, logging.INFO), "Qt: %s", text)


def _last_crash() -> str:
    try:
        return crash_file().read_text(encoding="utf-8", errors="replace")[-LONGEST_CRASH:].strip()
    except OSError:
        return ""
