"""Buttons that walk through the steps of something: play, stop, one back, one on, and how fast."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QWidget

from segviz.gui import theme
from segviz.gui.widgets.figure import Figure
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.segmented import Segmented

SPEEDS = (
    (400, "Slow", "Two or three steps a second"),
    (100, "Medium", "Ten a second"),
    (33, "Fast", "Thirty a second"),
)


class Player(QWidget):
    """A position from 0 to `set_count` - 1. It never begins by itself: who wants less motion is left in peace.

    `moved` fires with the new position for the person and while it plays, never for `set_count`.
    """

    moved = Signal(int)

    def __init__(self, what: str, parent: QWidget | None = None) -> None:
        """`what` the steps are, in the plural: 'positions'."""
        super().__init__(parent)
        self._count, self._what = 1, what
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.play = flat_button("player-play", f"Play the {what}")
        self.back = flat_button("arrow-left", "One step back")
        self.forth = flat_button("arrow-right", "One step on")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(what.capitalize())
        self.slider.setToolTip(f"Go to any of the {what}")
        self.slider.setMinimumWidth(theme.px(80))
        self.figure = Figure("1024 of 1024")
        self.speed = Segmented(SPEEDS, "Speed")
        self.speed.set_value(SPEEDS[1][0])
        self._timer = QTimer(self)
        self._timer.setInterval(SPEEDS[1][0])
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.XS)
        for part in (self.play, self.back, self.forth):
            row.addWidget(part)
        row.addWidget(self.slider, 1)
        row.addWidget(self.figure)
        row.addWidget(self.speed)
        self.play.clicked.connect(self.toggle)
        self.back.clicked.connect(lambda: self.go(self.position - 1))
        self.forth.clicked.connect(lambda: self.go(self.position + 1))
        self.slider.valueChanged.connect(self._slid)
        self.speed.changed.connect(lambda wait: self._timer.setInterval(int(str(wait))))
        self._timer.timeout.connect(self._next)
        self.set_count(1)

    @property
    def position(self) -> int:
        return self.slider.value()

    @property
    def count(self) -> int:
        return self._count

    @property
    def playing(self) -> bool:
        return self._timer.isActive()

    def set_count(self, count: int) -> None:
        """So many positions, beginning at the first; silent, and stopped."""
        self.stop()
        self._count = max(1, count)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, self._count - 1)
            self.slider.setPageStep(max(1, self._count // 10))
            self.slider.setValue(0)
        self._tell()

    def go(self, position: int) -> None:
        """To a position, as the person does."""
        self.slider.setValue(max(0, min(self._count - 1, position)))

    def toggle(self) -> None:
        """Play from here, from the first position at the end; or stop."""
        if self.playing:
            self.stop()
            return
        if self.position == self._count - 1:
            self.go(0)
        self._timer.start()
        self._show_button()

    def stop(self) -> None:
        self._timer.stop()
        self._show_button()

    def _next(self) -> None:
        self.go(self.position + 1)
        if self.position == self._count - 1:
            self.stop()

    def _slid(self, position: int) -> None:
        self._tell()
        self.moved.emit(position)

    def _tell(self) -> None:
        self.figure.set_text(f"{self.position + 1} of {self._count}")
        self.back.setEnabled(self.position > 0)
        self.forth.setEnabled(self.position < self._count - 1)
        self.play.setEnabled(self._count > 1)

    def _show_button(self) -> None:
        name = f"Stop at this of the {self._what}" if self.playing else f"Play the {self._what}"
        theme.set_icon(self.play, "player-stop" if self.playing else "player-play")
        self.play.setToolTip(name)
        self.play.setAccessibleName(name)

    def hideEvent(self, event: object) -> None:
        """What nobody sees does not play."""
        self.stop()
        super().hideEvent(event)  # type: ignore[arg-type]
