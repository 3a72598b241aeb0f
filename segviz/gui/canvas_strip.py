"""The strip below the canvas: what lies over the image, how strongly, from which confidence, and its legend."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QToolButton, QWidget

from segviz.core.choices import View
from segviz.gui import theme
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.slider import LabelledSlider
from segviz.gui.widgets.swatches import Swatches

# Widths, before `theme.px`, from which the strip has room for its less important parts.
NARROWEST = 460
WITH_BUTTONS, WITH_LEGEND, WITH_VALUES = 520, 660, 800


class CanvasStrip(QWidget):
    """Emits what the person chooses; `show_state` and its kin are silent."""

    view_chosen = Signal(object)
    opacity_moved = Signal(float)
    minimum_moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_surface(self, "surround")
        self.views = Segmented([(view, view.title, f"{view.title}: {view.hint}") for view in View], "What is shown")
        self.opacity = LabelledSlider("Opacity", tooltip="How strongly the overlay covers the image")
        self.minimum = LabelledSlider("Minimum", tooltip="Nothing is painted where the network is less sure than this")
        self.scale, self.legend = ColourBar(), Swatches()
        self._right = QStackedWidget()
        for widget in (self.scale, self.legend, QWidget()):
            self._right.addWidget(widget)
        self.fit = self._button("Show the whole image  (F)")
        theme.set_icon(self.fit, "maximize")
        self.one = self._button("One screen pixel an image pixel  (1)")
        self.one.setText("1:1")
        row = QHBoxLayout(self)
        row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        row.setContentsMargins(theme.M, theme.XS, theme.M, theme.S)
        row.setSpacing(theme.M)
        row.addWidget(self.views)
        row.addWidget(self.opacity, 4)
        row.addWidget(self.minimum, 4)
        row.addWidget(self._right, 5)
        row.addWidget(self.fit)
        row.addWidget(self.one)
        self.views.changed.connect(self.view_chosen)
        self.opacity.moved.connect(self.opacity_moved)
        self.minimum.moved.connect(self.minimum_moved)

    @staticmethod
    def _button(tip: str) -> QToolButton:
        button = QToolButton()
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        theme.set_kind(button, "flat")
        return button

    def minimumSizeHint(self) -> QSize:
        """The choices and the sliders' handles; the rest goes as the room gets narrow (`resizeEvent`)."""
        return QSize(theme.px(NARROWEST), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        width = event.size().width() / theme.text_factor()
        self.opacity.show_value(width >= WITH_VALUES)
        self.minimum.show_value(width >= WITH_VALUES)
        self._right.setVisible(width >= WITH_LEGEND)
        self.fit.setVisible(width >= WITH_BUTTONS)
        self.one.setVisible(width >= WITH_BUTTONS)

    def show_state(self, view: View, opacity: float, minimum: float) -> None:
        """Follow the State; silent."""
        self.views.set_value(view)
        self.opacity.set_value(opacity)
        self.minimum.set_value(minimum)
        pages = {View.HEATMAP: 0, View.LABELS: 1, View.IMAGE: 2}
        self._right.setCurrentIndex(pages[view])
        for slider in (self.opacity, self.minimum):
            slider.setEnabled(view is not View.IMAGE)

    def show_scale(self, title: str, colours: Sequence[int]) -> None:
        """The heatmap's class and colours."""
        self.scale.set_title(title)
        self.scale.set_colours(colours)

    def show_legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """(name, #rrggbb) of the labels' most widespread classes."""
        self.legend.set_entries(entries)
