"""The one toolbar: what is shown and how, how far the work is, and Run or Stop."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QProgressBar,
    QPushButton,
    QToolBar,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from segviz.core.choices import Device, Method
from segviz.gui import theme
from segviz.gui.actions import find, tooltip
from segviz.gui.menus import fill_choice, fill_images, fill_networks
from segviz.gui.names import image_title, title_of
from segviz.gui.pace import clock
from segviz.gui.scene import Job, Kind, Scene
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.pill import Pill
from segviz.gui.widgets.slider import LabelledSlider, percent

if TYPE_CHECKING:
    from segviz.core.entries import Entry
    from segviz.gui.window import MainWindow

SMALLEST, LARGEST = 1 / 16, 2.0
OCTAVE = 40  # steps of the slider from one scale to the double: 25, 50, 100 and 200 % are among them
WORDS = 160  # room for how far the work is, before the pills may keep their captions
NAME = 148  # width of an image's name, before `theme.px`
CHOICES = ("method", "upsampling", "device")


class ScalePopup(QWidget):
    """Below the scale pill: automatic, or 6 to 200 % on a logarithmic slider."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__()
        self._window = window
        theme.set_surface(self, "panel")
        self._shown = 1.0
        self.automatic = QCheckBox(automatic_text(None))
        self.automatic.toggled.connect(self._automatic)
        self.slider = LabelledSlider(
            "Scale",
            low=math.log(SMALLEST),
            high=math.log(LARGEST),
            steps=round(OCTAVE * math.log2(LARGEST / SMALLEST)),
            write=self._write,
            tooltip="The size of the image that the network sees; an object's size decides what it finds",
        )
        self.slider.moved.connect(lambda value: window.desk.session.update(scale=round(math.exp(value), 3)))
        self.slider.setMinimumWidth(theme.px(340))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.M, theme.M, theme.M, theme.M)
        layout.setSpacing(theme.M)
        layout.addWidget(self.automatic)
        layout.addWidget(self.slider)

    def _write(self, value: float) -> str:
        """The scale at a place of the slider: what the pill says, where that lies between two steps."""
        near = abs(value - math.log(self._shown)) <= math.log(2) / OCTAVE / 2
        return percent(self._shown if near else math.exp(value))

    def _automatic(self, on: bool) -> None:
        scale = None if on else round(math.exp(self.slider.value), 3)
        self._window.desk.session.update(scale=scale)

    def show_scene(self, scene: Scene) -> None:
        with QSignalBlocker(self.automatic):
            self.automatic.setChecked(scene.state.scale is None)
        self.automatic.setText(automatic_text(scene.entry))
        self._shown = scene.state.scale or automatic_scale(scene) or 1.0
        self.slider.set_value(math.log(min(LARGEST, max(SMALLEST, self._shown))))


class Toolbar(QToolBar):
    """Pills, progress and the primary button. Silent while it shows a scene."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__("Toolbar", window)
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._window = window
        self.image = Pill("Image", "Image shown", longest=NAME)
        self.image.reserve("m" * NAME)
        self.network = Pill("Network", "Network")
        self.method = Pill("Method", "How the network answers for the whole image")
        self.upsampling = Pill("Upsampling", "How the grid becomes pixels")
        self.scale = Pill("Scale", "Size of the image that the network sees")
        self.device = Pill("Device", "Where the network runs")
        self.method.reserve(Method.AUTO.title, Method.UPSAMPLED.title)
        self.scale.reserve("Automatic", "Auto, 100 %")
        for pill in self.pills:
            self.addWidget(pill)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress")
        self.progress.setMinimumWidth(60)
        self.words = ElidedLabel()
        theme.set_role(self.words, "caption")
        self.words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.button = QPushButton("Run")
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        theme.set_kind(self.button, "primary")
        self.button.clicked.connect(self._run_or_stop)
        self._arrange()
        self._fill_menus()
        self._runs: bool | None = None

    @property
    def pills(self) -> tuple[Pill, ...]:
        return self.image, self.network, self.method, self.upsampling, self.scale, self.device

    def _arrange(self) -> None:
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(theme.S, 0, theme.S, 0)
        column.setSpacing(2)
        column.addStretch(1)
        column.addWidget(self.words)
        column.addWidget(self.progress)
        column.addStretch(1)
        for widget in (self.words, self.progress):
            policy = widget.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            widget.setSizePolicy(policy)
        middle.setMinimumWidth(60)
        self.addWidget(middle)
        middle.setSizePolicy(middle.sizePolicy().Policy.Expanding, middle.sizePolicy().Policy.Preferred)
        self.addWidget(self.button)

    def _fill_menus(self) -> None:
        window = self._window
        self.image.menu().aboutToShow.connect(lambda: fill_images(self.image.menu(), window))
        self.network.menu().aboutToShow.connect(lambda: fill_networks(self.network.menu(), window))
        self.network.menu().setToolTipsVisible(True)
        for name in CHOICES:
            menu = getattr(self, name).menu()
            menu.aboutToShow.connect(lambda m=menu, n=name: fill_choice(m, window, f"{n}-"))
        self.popup = ScalePopup(window)
        inside = QWidgetAction(self.scale.menu())
        inside.setDefaultWidget(self.popup)
        self.scale.menu().addAction(inside)

    def show_scale(self) -> None:
        """Open the slider of the scale."""
        self.scale.menu().popup(self.scale.mapToGlobal(self.scale.rect().bottomLeft()))

    def _run_or_stop(self) -> None:
        self._window.do("stop" if self._runs else "run")

    # ------------------------------------------------------------------------------ showing

    def show_scene(self, scene: Scene) -> None:
        """Show what `scene` says; changes nothing."""
        state, prediction = scene.state, scene.answer
        self.image.set_value(image_title(state.image) if state.image else "none", state.image or "")
        entry = scene.entry
        about = "\n".join(part for part in (state.model, entry.caution if entry is not None else "") if part)
        self.network.set_value(title_of(state.model) if state.model else "none", about)
        self.method.set_value(state.method.title, state.method.hint)
        if prediction is not None and state.method is Method.AUTO:
            self.method.set_value(prediction.method.title, f"chosen automatically: {prediction.reason}")
        self.upsampling.set_value(state.upsampling.title, state.upsampling.hint)
        self.scale.set_value(scale_text(scene), automatic_text(entry) if state.scale is None else "")
        self.device.set_value(device_text(scene) if state.device is Device.AUTO else state.device.title, scene.device)
        self.popup.show_scene(scene)
        self._show_jobs(scene)
        self._show_captions()

    def _show_captions(self) -> None:
        """Captions go before values are cut: those first whose values say what they are of, a file or a network."""
        parts = [*(pill.bare_width() for pill in self.pills), theme.px(WORDS), self.button.sizeHint().width()]
        needed = sum(parts) + theme.px(theme.S) * (len(parts) + 1)
        for pill in (self.upsampling, self.method, self.scale, self.device, self.network, self.image):
            needed += pill.caption_room()
            pill.show_caption(self.width() >= needed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_captions()

    def _show_jobs(self, scene: Scene) -> None:
        job = main_job(scene)
        self.words.setVisible(job is not None)
        self.progress.setVisible(job is not None)
        if job is not None:
            show_progress(self.progress, job)
            self.words.setText(job_text(job))
        self._show_button(scene)

    def _keep_width(self) -> None:
        """Run and Stop are equally wide."""
        said = self.button.text()
        widths = []
        for text in ("Run", "Stop"):
            self.button.setText(text)
            widths.append(self.button.sizeHint().width())
        self.button.setText(said)
        self.button.setMinimumWidth(max(widths))

    def _show_button(self, scene: Scene) -> None:
        runs = can_stop(scene)
        self.button.setEnabled(runs or bool(scene.state.image and scene.state.model))
        if runs == self._runs:
            return
        self._runs = runs
        action = find("stop" if runs else "run")
        self.button.setText("Stop" if runs else "Run")
        self.button.setToolTip(tooltip(action))
        theme.set_icon(self.button, action.icon)
        self._keep_width()


def main_job(scene: Scene) -> Job | None:
    """The job that the toolbar shows: a race before all, else what takes longest, else what else is on its way."""
    order = (Kind.RACE, Kind.PREDICTION, Kind.FEATURES, Kind.DESCRIPTION, Kind.IMAGE)
    first = next((job for kind in order if (job := scene.job(kind))), None)
    return first or next((job for job in scene.jobs if job.progress is not None and job.kind is not Kind.WINDOW), None)


def can_stop(scene: Scene) -> bool:
    """Whether the button stops: feature maps that only wait for their turn, and one window, leave it at Run."""
    passing = (Kind.FEATURES, Kind.WINDOW, Kind.BADGE)
    return any(job.kind not in passing or job.progress is not None for job in scene.jobs)


def show_progress(bar: QProgressBar, job: Job) -> None:
    """How far `job` is; a busy bar while that is unknown."""
    known = job.progress is not None and job.progress.total > 1
    bar.setRange(0, 1000 if known else 0)
    if known and job.progress is not None:
        bar.setValue(round(job.progress.fraction * 1000))


def job_text(job: Job) -> str:
    """'62 % · 41 windows/s · 0:03 left', as far as it is known; other units than windows say nothing to people."""
    if job.progress is None or job.progress.total <= 1:
        return job.kind.value
    parts = [f"{job.progress.fraction * 100:.0f} %"]
    if job.rate is not None and job.progress.unit == "windows":
        rate = f"{job.rate:,.0f}" if job.rate >= 10 else f"{job.rate:.1f}"
        parts.append(f"{rate} windows/s")
    if job.remaining is not None:
        parts.append(f"{clock(job.remaining)} left")
    return " · ".join(parts)


def scale_text(scene: Scene) -> str:
    """'50 %', or 'Auto, 37 %' with the scale that came of it."""
    if scene.state.scale is not None:
        return percent(scene.state.scale)
    found = automatic_scale(scene)
    return f"Auto, {percent(found)}" if found is not None else "Automatic"


def automatic_scale(scene: Scene) -> float | None:
    """The scale that the automatic one has come to; None until the network that is chosen has answered at it."""
    answer = scene.answer
    return answer.scale if answer is not None and answer.request.setup.scale is None else None


def automatic_text(entry: Entry | None) -> str:
    """What the automatic scale means for a network."""
    if entry is None or entry.longest_side is None:
        return "Automatic: the image as large as it is"
    return f"Automatic: at most {entry.longest_side} pixels long, the size in which this network knows objects"


def device_text(scene: Scene) -> str:
    """The device that the engine chose ('CPU, 2 threads' -> 'CPU')."""
    return scene.device.partition(",")[0] or "Automatic"
