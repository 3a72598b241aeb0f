"""The strip above a picture whose labels are refined: how strongly, and what it was before."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from segviz.core.refinement import COLOURS, SMOOTHNESSES, WIDTHS
from segviz.core.session import Session
from segviz.gui import theme
from segviz.gui.scene import Scene
from segviz.gui.widgets.heading import flat_button
from segviz.gui.widgets.slider import LabelledSlider

SLIDERS = {
    "refine_width": ("Width", WIDTHS, "px", "Up to which distance pixels of one colour draw each other's labels"),
    "refine_colour": ("Colour", COLOURS, "", "How unlike colours may be and still count as one, in levels of 255"),
    "refine_smoothness": ("Smoothness", SMOOTHNESSES, "", "How strongly borders are smoothed whatever the colours"),
}


class RefineStrip(QWidget):
    """Sliders of the refinement. `closed` fires when the labels of before are wanted again."""

    closed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        theme.set_surface(self, "surround")
        self._session = session
        self.title = QLabel("Refined")
        theme.set_role(self.title, "dim")
        row = self._row = QHBoxLayout(self)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(theme.M, theme.S, theme.M, theme.XS)
        row.setSpacing(theme.M)
        row.addWidget(self.title)
        self.sliders: dict[str, LabelledSlider] = {}
        for field, (name, (low, high), unit, tip) in SLIDERS.items():
            slider = LabelledSlider(
                name, low=low, high=high, steps=round(high - low), tooltip=tip,
                write=lambda value, unit=unit: f"{value:.0f} {unit}".strip(),  # type: ignore[misc]
            )  # fmt: skip
            slider.moved.connect(lambda value, field=field: self._session.update(**{field: float(round(value))}))
            self.sliders[field] = slider
            row.addWidget(slider, 1)
        self.close_button = flat_button("x", "Show the labels as they were before  (R)")
        self.close_button.clicked.connect(lambda: self.closed.emit())
        row.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignRight)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room the title goes first, then the numbers, which tooltips have; no name is cut."""
        super().resizeEvent(event)
        margins, gap = self._row.contentsMargins(), self._row.spacing()
        room = self.width() - margins.left() - margins.right() - self.close_button.sizeHint().width()
        room -= sum(slider.least() + gap for slider in self.sliders.values())
        numbers = sum(slider.value_width() for slider in self.sliders.values())
        self.title.setVisible(room >= numbers + self.title.sizeHint().width() + gap)
        for slider in self.sliders.values():
            slider.show_value(room >= numbers)

    def show_scene(self, scene: Scene) -> None:
        """Follow the State; silent."""
        for field, slider in self.sliders.items():
            slider.set_value(getattr(scene.state, field))
