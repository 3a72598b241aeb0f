"""Views of one image side by side that zoom and pan together, each with a title above and words below."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from segviz.gui import theme
from segviz.gui.widgets.elided import ElidedLabel
from segviz.gui.widgets.image_view import ImageView, Layer
from segviz.gui.widgets.mark_layers import CrossLayer


class LinkedView(QWidget):
    """One view; `place` shows where the mouse is in the others."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.title, self.note = ElidedLabel(title), ElidedLabel()
        self.view = ImageView(title)
        self.place = CrossLayer()
        theme.set_role(self.note, "caption")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.XS)
        column.addWidget(self.title)
        column.addWidget(self.view, 1)
        column.addWidget(self.note)

    def set_content(self, size: tuple[int, int] | None, layers: Sequence[Layer]) -> None:
        self.view.set_content(size, (*layers, self.place))

    def say(self, title: str, note: str = "") -> None:
        self.title.setText(title)
        self.note.setText(note)
        self.view.setAccessibleName(f"{title}: {note}" if note else title)


class LinkedViews(QWidget):
    """`count` views in as many columns as make them largest. `hovered` and `clicked` carry (x, y) of the image."""

    hovered = Signal(float, float)
    clicked = Signal(float, float)
    left = Signal()

    def __init__(self, name: str, count: int) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._linking = False
        self._count, self._columns = count, 0
        self._grid = QGridLayout(self)
        self.views = [LinkedView(name) for _ in range(count)]
        theme.set_surface(self, "panel")
        self._grid.setContentsMargins(theme.M, theme.S, theme.M, theme.S)
        self._grid.setSpacing(theme.S)
        for one in self.views:
            one.view.view_changed.connect(lambda here=one.view: self._link(here))
            one.view.hovered.connect(self._hovered)
            one.view.left.connect(self._left)
            one.view.clicked.connect(self.clicked)
        self._arrange()

    @property
    def seen(self) -> list[LinkedView]:
        """The views that are shown."""
        return self.views[: self._count]

    def show_count(self, count: int) -> None:
        """Show the first so many views."""
        if count != self._count:
            self._count = count
            for index, one in enumerate(self.views):
                one.setVisible(index < count)
            self._columns = 0
            self._arrange()

    def point_at(self, point: tuple[float, float] | None) -> None:
        """A cross at this pixel in every view; silent."""
        for one in self.views:
            if one.place.at != point:
                one.place.at = point
                one.view.update()

    def _hovered(self, x: float, y: float) -> None:
        self.point_at((x, y))
        self.hovered.emit(x, y)

    def _left(self) -> None:
        self.point_at(None)
        self.left.emit()

    def _link(self, here: ImageView) -> None:
        if self._linking:
            return
        self._linking = True
        for there in (one.view for one in self.views if one.view is not here):
            if here.fitted:
                there.fit()
            else:
                there.view_transform = here.view_transform
        self._linking = False

    def _arrange(self) -> None:
        columns = self._best()
        if columns == self._columns:
            return
        self._columns = columns
        for index, one in enumerate(self.views):
            self._grid.addWidget(one, *divmod(index, columns))
        for column in range(len(self.views)):
            self._grid.setColumnStretch(column, column < columns)
        for row in range(len(self.views)):
            self._grid.setRowStretch(row, row < ceil(len(self.seen) / columns))

    def _best(self) -> int:
        """The number of columns that makes the image largest in its view."""
        count = max(1, len(self.seen))
        width, height = (self.views[0].view.image_size if self.views else None) or (4, 3)

        def zoom(columns: int) -> float:
            rows = ceil(count / columns)
            wide, tall = self.width() / columns - theme.px(60), self.height() / rows - theme.px(90)
            return min(wide / width, tall / height)

        return max(range(1, count + 1), key=zoom)

    def arrange(self) -> None:
        """Arrange them anew: another image may have another shape."""
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in theme.LOOK_CHANGES:
            self._arrange()

    def picture(self) -> QImage:
        """All views with their words, as they are on the screen."""
        return self.grab().toImage()
