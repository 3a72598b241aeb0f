"""Frames that only the window's thread can paint, taken one an event-loop turn, so that the window lives on."""

from __future__ import annotations

from collections.abc import Callable, Generator

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QImage

Frames = Generator[QImage, None, None]  # closing it tidies up whatever it has painted on


class Filming(QObject):
    """Takes all `frames`, then calls `then` with them and is gone; `stop` ends it before that."""

    def __init__(self, frames: Frames, then: Callable[[list[QImage]], None], parent: QObject) -> None:
        super().__init__(parent)
        self._frames, self._then = frames, then
        self._taken: list[QImage] = []
        self._turn = QTimer(self)
        self._turn.setSingleShot(True)
        self._turn.timeout.connect(self._take)
        self._turn.start(0)

    def _take(self) -> None:
        """One frame; started again only after it, so that one that fails is the last."""
        image = next(self._frames, None)
        if image is not None:
            self._taken.append(image)
            self._turn.start(0)
            return
        self.stop()
        self._then(self._taken)

    def stop(self) -> None:
        self._turn.stop()
        self._frames.close()
        self.deleteLater()
