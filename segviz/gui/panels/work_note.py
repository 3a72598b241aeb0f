"""What a panel says of work that its answer waits for: words, how far it is, and a button that stops or goes on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from segviz.gui import theme
from segviz.gui.names import opening, sentence, title_of
from segviz.gui.scene import EngineStatus, Job, Kind, Scene
from segviz.gui.toolbar import job_text, show_progress
from segviz.gui.widgets.wrapped import WrappedLabel

LENGTH = 160  # of the bar, before `theme.px`


class WorkNote(QWidget):
    """A line of words; beside it a bar while work is under way, and a button where the panel gives it a word."""

    def __init__(self) -> None:
        super().__init__()
        self.words = WrappedLabel()
        theme.set_role(self.words, "dim")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress")
        self.progress.setFixedWidth(theme.px(LENGTH))
        self.button = QPushButton()
        self.button.hide()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(theme.M)
        self._row.addWidget(self.words, 1)
        for part in (self.progress, self.button):
            self._row.addWidget(part, 0, Qt.AlignmentFlag.AlignVCenter)
        self.show_work("", None)

    def show_work(self, text: str, job: Job | None) -> None:
        """Say `text`, and how far `job` is; silent."""
        self.words.say(text)
        self.progress.setVisible(job is not None)
        if job is not None:
            show_progress(self.progress, job)

    def said(self) -> str:
        return self.words.said()

    def offer(self, word: str, hint: str = "") -> None:
        """The word on the button; '' for none."""
        self.button.setText(word or self.button.text())
        self.button.setToolTip(hint)
        self.button.setVisible(bool(word))


def told(scene: Scene, kind: Kind, text: str) -> str:
    """`text`, which says that work of this kind is on its way, and what it waits for."""
    return f"{text} {held_up(scene, kind)}".strip()


def without_layer(scene: Scene, kind: Kind, text: str) -> str:
    """`text`, which asks for a layer; while the network is on its way, that."""
    if not scene.network_comes:
        return text
    return held_up(scene, kind) or sentence(opening(title_of(scene.state.model)))


def held_up(scene: Scene, kind: Kind) -> str:
    """What work of this kind waits for before it begins, as a sentence; '' where it has begun or is not asked for."""
    job = scene.job(kind)
    if scene.engine is EngineStatus.STARTING:
        return "The engine is starting…"
    if job is not None and job.progress is not None:
        return ""
    other = next((one for one in scene.jobs if one.kind is not kind and one.progress is not None), None)
    if other is None:
        other = next((one for one in scene.jobs if one.kind is Kind.DESCRIPTION), None)
    if other is None:
        return ""
    far = job_text(other)
    return f"Waits for other work: {other.kind.value.lower()}{f', {far}' if far != other.kind.value else ''}."
