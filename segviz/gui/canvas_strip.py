"""The strip below the canvas: what lies over the image, how strongly, from which confidence, and its legend."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from segviz.core.choices import View
from segviz.gui import theme
from segviz.gui.actions import find, tooltip
from segviz.gui.widgets.colour_bar import ColourBar
from segviz.gui.widgets.segmented import Segmented
from segviz.gui.widgets.slider import LabelledSlider
from segviz.gui.widgets.swatches import Swatches

ERRORS = "errors"  # what is chosen beside the views, where there is ground truth
NO_ENDS = ("", "")  # of colours that no map is painted in
LEGEND = 206  # width that the legend gets beside the sliders at least, before `theme.px`


class CanvasStrip(QWidget):
    """Emits what the person chooses; `show_state` and its kin are silent."""

    view_chosen = Signal(object)
    opacity_moved = Signal(float)
    minimum_moved = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme.set_surface(self, "surround")
        self.views = Segmented(
            [
                *((view, view.title, tooltip(find(f"view-{view.value}"))) for view in View),
                (ERRORS, "Errors", tooltip(find("errors"))),
            ],
            "What is shown",
        )
        self.views.button(ERRORS).hide()
        self.opacity = LabelledSlider("Opacity", tooltip="How strongly the overlay covers the image")
        self.minimum = LabelledSlider("Minimum", tooltip="Nothing is painted where the network is less sure than this")
        self.scale, self.legend, self._nothing = ColourBar(), Swatches(), QWidget()
        self._right = QStackedWidget()
        self._right.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for widget in (self.scale, self.legend, self._nothing):
            self._right.addWidget(widget)
        self.fit = self._button("fit")
        theme.set_icon(self.fit, "maximize")
        self.one = self._button("zoom-one")
        self.one.setText("1:1")
        self._first, self._second = QHBoxLayout(), QHBoxLayout()
        rows = self._column = QVBoxLayout(self)
        rows.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        rows.setContentsMargins(theme.M, theme.XS, theme.M, theme.S)
        rows.setSpacing(theme.XS)
        for row in (self._first, self._second):
            row.setSpacing(theme.M)
            rows.addLayout(row)
        for widget, stretch in ((self.views, 0), (self._right, 8), (self.fit, 0), (self.one, 0)):
            self._first.addWidget(widget, stretch)
        self._rows = 0
        self._arrange(1)
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

    def _arrange(self, rows: int) -> None:
        """The sliders between the choices and the legend, or in a row of their own below them."""
        if rows == self._rows:
            return
        self._rows = rows
        for at, slider in enumerate((self.opacity, self.minimum)):
            for row in (self._first, self._second):
                row.removeWidget(slider)
            if rows == 1:
                self._first.insertWidget(1 + at, slider, 4)
            else:
                self._second.addWidget(slider, 1)
        self.updateGeometry()

    def minimumSizeHint(self) -> QSize:
        """The choices with the buttons, the sliders below them."""
        return QSize(max(self._needed(*self._choices()), self._needed(*self._sliders())), self.sizeHint().height())

    def _choices(self) -> tuple[int, ...]:
        return self.views.sizeHint().width(), self.fit.sizeHint().width(), self.one.sizeHint().width()

    def _sliders(self) -> tuple[int, ...]:
        return tuple(slider.least() + slider.value_width() for slider in (self.opacity, self.minimum))

    def _needed(self, *widths: int) -> int:
        """The least width of a row with parts of these widths."""
        margins = self._column.contentsMargins()
        return sum(widths) + theme.M * (len(widths) - 1) + margins.left() + margins.right()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Nothing goes where the room gets narrow: the sliders get a row of their own."""
        super().resizeEvent(event)
        legend = theme.px(LEGEND)
        self._arrange(1 if event.size().width() >= self._needed(*self._choices(), *self._sliders(), legend) else 2)

    def show_state(self, view: View, opacity: float, minimum: float) -> None:
        """Follow the State; silent."""
        self.views.set_value(view)
        self.opacity.set_value(opacity)
        self.minimum.set_value(minimum)
        pages = {View.HEATMAP: 0, View.LABELS: 1, View.IMAGE: 2}
        self._right.setCurrentIndex(pages[view])
        for slider in (self.opacity, self.minimum):
            slider.setEnabled(view is not View.IMAGE)

    def show_errors(self, there: bool, shown: bool) -> None:
        """Whether there are errors to be shown, and whether they are, instead of the view; silent."""
        self.views.button(ERRORS).setVisible(there)
        if shown:
            self.views.set_value(ERRORS)
            self._right.setCurrentIndex(1)
            for slider in (self.opacity, self.minimum):
                slider.setEnabled(False)

    def show_scale(
        self, title: str, colours: Sequence[int], most: str = "", ends: tuple[str, str] = ("0", "1")
    ) -> None:
        """The heatmap's class, how probable it gets, the colours and what the first and last of them stand for.

        Where these stand for nothing the map is not there, and no bar is shown. After `show_state`.
        """
        if ends == NO_ENDS and self._right.currentWidget() is self.scale:
            self._right.setCurrentWidget(self._nothing)
        self.scale.set_range(*ends)
        self.scale.set_title(title, f": at most {most}" if most else "")
        self.scale.set_colours(colours)

    def show_legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """(name, #rrggbb) of the labels' most widespread classes."""
        self.legend.set_entries(entries)
