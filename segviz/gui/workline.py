"""The thin line over the canvas while one presents: how far the work is, and a button to stop it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from segviz.gui import theme
from segviz.gui.scene import Scene
from segviz.gui.toolbar import job_text, main_job, show_progress


class WorkLine(QWidget):
    """Lies over the top of `below`, whose size it follows; `stopped` fires for its button."""

    stopped = Signal()

    def __init__(self, below: QWidget) -> None:
        super().__init__(below)
        theme.set_surface(self, "raised")
        self.words = QLabel()
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress")
        self.button = QPushButton("Stop (Esc)")
        self.button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # keys stay the canvas's
        theme.set_icon(self.button, "player-stop")
        self.button.clicked.connect(self.stopped)
        row = QHBoxLayout()
        row.setContentsMargins(theme.M, theme.XS, theme.S, theme.XS)
        row.setSpacing(theme.M)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.progress)
        below.installEventFilter(self)
        self.hide()

    def show_scene(self, scene: Scene, presenting: bool) -> None:
        """Show the job of `scene`; nothing while there is none, or a toolbar that shows it."""
        job = main_job(scene)
        if job is not None:
            self.words.setText(
                f"{job.kind.value}: {job_text(job)}" if job_text(job) != job.kind.value else job_text(job)
            )
            show_progress(self.progress, job)
        self.setVisible(presenting and job is not None)
        self._follow()

    def _follow(self) -> None:
        below = self.parentWidget()
        if self.isVisible() and below is not None:
            self.setGeometry(0, 0, below.width(), self.sizeHint().height())
            self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._follow()
        return super().eventFilter(watched, event)
