"""A slider with its name before it and its value behind it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QWidget

from segviz.gui import theme
from segviz.gui.widgets.figure import Figure

SHORTEST = 48  # pixels of a slider


def percent(value: float) -> str:
    return f"{value * 100:.0f} %"


class LabelledSlider(QWidget):
    """A number from `low` to `high` in `steps` steps. `moved` fires for the person, never for `set_value`."""

    moved = Signal(float)

    def __init__(
        self,
        name: str,
        *,
        low: float = 0.0,
        high: float = 1.0,
        steps: int = 100,
        write: Callable[[float], str] = percent,
        tooltip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._low, self._high, self._steps, self._write = low, high, steps, write
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._label = QLabel(name)
        theme.set_role(self._label, "dim")
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, steps)
        self.slider.setPageStep(max(1, steps // 10))
        self.slider.setAccessibleName(name)
        self._tip = tooltip or name
        self._label.setToolTip(tooltip or name)
        self._label.setBuddy(self.slider)
        widest = max((write(low), write(high)), key=len)
        self._number = Figure(widest, align=Qt.AlignmentFlag.AlignLeft)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.S)
        row.addWidget(self._label)
        row.addWidget(self.slider, 1)
        row.addWidget(self._number)
        self.slider.valueChanged.connect(self._moved)
        self.slider.setMinimumWidth(SHORTEST)
        self._tell(self.value)

    @property
    def value(self) -> float:
        return self._low + (self._high - self._low) * self.slider.value() / self._steps

    def set_value(self, value: float) -> None:
        """Show `value`: the slider at the nearest step, the number as it is; silent."""
        with QSignalBlocker(self.slider):
            self.slider.setValue(round((value - self._low) / (self._high - self._low) * self._steps))
        self._tell(value)

    def show_value(self, shown: bool) -> None:
        """Leave the number out where there is no room; it is in the tooltip all the same."""
        self._number.setVisible(shown)

    def least(self) -> int:
        """The width below which the slider without its number cannot be used."""
        return self._label.sizeHint().width() + theme.S + theme.px(SHORTEST)

    def value_width(self) -> int:
        """What the number adds to that."""
        return theme.S + self._number.sizeHint().width()

    def _moved(self) -> None:
        self._tell(self.value)
        self.moved.emit(self.value)

    def _tell(self, value: float) -> None:
        self._number.set_text(self._write(value))
        self.slider.setToolTip(f"{self._tip}: {self._write(value)}")
