"""Results side by side: up to four pictures with linked zoom and cursor, each under its name. Loads numpy."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from segviz.gui import comparing, overlays, theme
from segviz.gui.comparing import VIEWS, Result
from segviz.gui.scene import Scene
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.image_view import ImageView
from segviz.gui.widgets.swatches import Swatches

WAITING = "being computed"


class Pane(QWidget):
    """One result: its name, its picture, its classes."""

    def __init__(self, number: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.title = ElidedLabel()
        theme.set_role(self.title, "title")
        self.view = ImageView(f"Result {number}")
        self.legend = Swatches()
        self._overlays = overlays.Overlays()
        self._shown: Scene | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addWidget(self.title)
        column.addWidget(self.view, 1)
        column.addWidget(self.legend)

    def show_result(self, result: Result, scene: Scene) -> None:
        here = comparing.scene_of(scene, result)
        waits = "" if result.prediction is not None else f" ({WAITING})"
        self.title.setText(f"{result.title}{' (newest)' if result.index is None else ''}{waits}")
        self._overlays.show(self._shown, here)
        self._shown = here
        picture = here.picture
        size = (picture.width, picture.height) if picture is not None else None
        self.view.set_content(size, self._overlays.layers)
        self.legend.set_entries(overlays.legend(here))

    def point_at(self, point: tuple[float, float] | None) -> None:
        if self._overlays.cross.at != point:
            self._overlays.cross.at = point
            self.view.update()


class CompareStage(QWidget):
    """`hovered` carries (x, y) in image pixels or None, `clicked` x and y."""

    hovered = Signal(object)
    clicked = Signal(float, float)
    zoomed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("stage-compare")
        self.setAccessibleName("Results side by side")
        theme.set_surface(self, "panel")
        self.panes = tuple(Pane(number + 1, self) for number in range(VIEWS))
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        self._grid.setSpacing(theme.M)
        self.setFocusProxy(self.panes[0].view)
        self._placed = 0
        self._linking = False
        for pane in self.panes:
            pane.view.view_changed.connect(lambda here=pane.view: self._link(here))
            pane.view.hovered.connect(lambda x, y: self._hover((x, y)))
            pane.view.left.connect(lambda: self._hover(None))
            pane.view.clicked.connect(self.clicked)
        self.panes[0].view.zoomed.connect(self.zoomed)

    @property
    def shown(self) -> tuple[Pane, ...]:
        """The panes that have a result."""
        return self.panes[: self._placed]

    def _place(self, count: int) -> None:
        """Two or three in a row, four in two rows: all of one size, or their views could not agree."""
        if count == self._placed:
            return
        self._placed = count
        columns = 2 if count == VIEWS else count
        for number, pane in enumerate(self.panes):
            self._grid.removeWidget(pane)
            pane.setVisible(number < count)
            if number < count:
                self._grid.addWidget(pane, number // columns, number % columns)
        for at in range(VIEWS):
            self._grid.setColumnStretch(at, int(at < columns))
            self._grid.setRowStretch(at, int(at < -(-count // columns)))
        self._share()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share()

    def _share(self) -> None:
        """Margins that leave whole pixels for every pane: fitted views of unequal sizes would have unequal zooms."""
        columns = 2 if self._placed == VIEWS else max(1, self._placed)
        rows = -(-self._placed // columns) or 1
        over_x = (self.width() - 2 * theme.M - (columns - 1) * theme.M) % columns
        over_y = (self.height() - 2 * theme.S - (rows - 1) * theme.M) % rows
        self._grid.setContentsMargins(theme.M, theme.S, theme.M + over_x, theme.S + over_y)

    def show_scene(self, scene: Scene) -> None:
        """The results of the scene, each with all that the canvas shows."""
        results = comparing.side_by_side(scene.seen)
        self._place(len(results))
        for pane, result in zip(self.panes, results, strict=False):
            pane.show_result(result, scene.seen)

    def _link(self, here: ImageView) -> None:
        """What one view shows, the others show."""
        if self._linking:
            return
        self._linking = True
        for pane in self.shown:
            if pane.view is not here and here.fitted:
                pane.view.fit()
            elif pane.view is not here:
                pane.view.view_transform = here.view_transform
        self._linking = False

    def _hover(self, point: tuple[float, float] | None) -> None:
        self.point_at(point)
        self.hovered.emit(point)

    def point_at(self, point: tuple[float, float] | None) -> None:
        """A cross at this pixel in every picture but the one under the mouse."""
        for pane in self.shown:
            pane.point_at(None if pane.view.underMouse() else point)

    def fit(self) -> None:
        """Show the whole image."""
        self.panes[0].view.fit()

    @property
    def shown_zoom(self) -> float:
        """Screen pixels per pixel of what is shown, 0 without an image."""
        return self.panes[0].view.projection.zoom

    def zoom_one(self) -> None:
        """One screen pixel an image pixel."""
        self.panes[0].view.zoom_one()

    def zoom(self, factor: float) -> None:
        """Magnify by `factor` about the middle."""
        self.panes[0].view.zoom(factor)
