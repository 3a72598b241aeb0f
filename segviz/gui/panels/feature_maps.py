"""The tab of feature maps: what the selected layer makes of the image, and of what it makes it, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from segviz.core.choices import MapPage
from segviz.gui import theme
from segviz.gui.panels.base import Area
from segviz.gui.panels.feature_maps_filters import FiltersPage
from segviz.gui.panels.feature_maps_grid import MapsPage
from segviz.gui.panels.feature_maps_page import FeaturePage
from segviz.gui.panels.feature_maps_patches import PatchesPage
from segviz.gui.scene import Scene, Tab
from segviz.gui.workbench import Headers, Pages

if TYPE_CHECKING:
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands


class FeatureMapsPanel:
    """Pages behind a column of buttons: the tab is wide and low, and its header is full."""

    id = Tab.FEATURE_MAPS.value
    title = "Feature maps"
    area = Area.WORKBENCH
    stage: QWidget | None = None

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._front: FeaturePage | None = None
        self.pages: dict[MapPage, FeaturePage] = {
            MapPage.MAPS: MapsPage(session, commands),
            MapPage.FILTERS: FiltersPage(session, commands),
            MapPage.PATCHES: PatchesPage(session, commands),
        }
        self.widget = QWidget()
        self.widget.setObjectName("panel-feature-maps")
        theme.set_surface(self.widget, "panel")
        self._headers, self._stack = Headers(), Pages()
        for page in self.pages.values():
            self._headers.addWidget(page.header)
            self._stack.addWidget(page.widget)
        self.header: QWidget | None = self._headers
        self.buttons: dict[MapPage, QPushButton] = {}
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(self._make_buttons())
        row.addWidget(self._stack, 1)
        column = QVBoxLayout(self.widget)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addLayout(row, 1)

    def _make_buttons(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(theme.M, theme.S, theme.XS, theme.S)
        column.setSpacing(theme.XS)
        group = QButtonGroup(self.widget)
        for page in self.pages:
            button = QPushButton(page.title)
            button.setCheckable(True)
            button.setToolTip(page.hint[:1].upper() + page.hint[1:])
            button.clicked.connect(lambda _, p=page: self._session.update(map_page=p))
            group.addButton(button)
            column.addWidget(button)
            self.buttons[page] = button
        column.addStretch(1)
        return column

    def show(self, old: Scene | None, new: Scene) -> None:
        page = self.pages[new.state.map_page]
        self.buttons[new.state.map_page].setChecked(True)
        self._headers.setCurrentWidget(page.header)
        self._stack.setCurrentWidget(page.widget)
        before, self._front = self._front, page
        page.show(old if page is before else None, new)

    def hover(self, point: tuple[float, float] | None) -> None:
        """The cross follows the mouse on the image."""
        if self._front is not None:
            self._front.hover(point)

    def wants_stage(self, scene: Scene) -> bool:
        return False
