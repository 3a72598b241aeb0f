"""The strip below the canvas: what lies over the image, how strongly, from which confidence, and its legend."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QToolButton, QWidget

from segviz.core.choices import View
from segviz.gui import theme
from segviz.gui.actions import find, tooltip
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.slider import LabelledSlider
from segviz.gui.widgets.swatches import Swatches


class CanvasStrip(QWidget):
    """Emits what the person chooses; `show_state` and its kin are silent."""

    view_chosen = Signal(object)
    opacity_moved = Signal(float)
    minimum_moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_surface(self, "surround")
        self.views = Segmented(
            [(view, view.title, tooltip(find(f"view-{view.value}"))) for view in View], "What is shown"
        )
        self.opacity = LabelledSlider("Opacity", tooltip="How strongly the overlay covers the image")
        self.minimum = LabelledSlider("Minimum", tooltip="Nothing is painted where the network is less sure than this")
        self.scale, self.legend = ColourBar(), Swatches()
        self._right = QStackedWidget()
        self._right.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for widget in (self.scale, self.legend, QWidget()):
            self._right.addWidget(widget)
        self.fit = self._button("fit")
        theme.set_icon(self.fit, "maximize")
        self.one = self._button("zoom-one")
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
    def _button(identifier: str) -> QToolButton:
        """A button that says what the action of that id says."""
        action = find(identifier)
        button = QToolButton()
        button.setToolTip(tooltip(action))
        button.setAccessibleName(action.tip)
        theme.set_kind(button, "flat")
        return button

    def minimumSizeHint(self) -> QSize:
        """The choices and the sliders; the rest goes as the room gets narrow (`resizeEvent`)."""
        return QSize(self._needed(), self.sizeHint().height())

    def _needed(self, *more: int) -> int:
        """The least width of the choices and the sliders with parts of these widths beside them."""
        widths = [self.views.sizeHint().width(), self.opacity.least(), self.minimum.least(), *more]
        margins = self.layout().contentsMargins()
        return sum(widths) + theme.M * (len(widths) - 1) + margins.left() + margins.right()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as much as there is room for: first the legend, then the buttons, then the sliders' numbers."""
        super().resizeEvent(event)
        width = event.size().width()
        legend = self.scale.minimumSizeHint().width()
        buttons = (self.fit.sizeHint().width(), self.one.sizeHint().width())
        numbers = self.opacity.value_width() + self.minimum.value_width()
        self._right.setVisible(width >= self._needed(legend))
        for button in (self.fit, self.one):
            button.setVisible(width >= self._needed(legend, *buttons))
        for slider in (self.opacity, self.minimum):
            slider.show_value(width >= self._needed(legend, *buttons) + numbers)

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
