"""The convolution laboratory: the arithmetic of a layer, by click (lecture T02 to T08, T16, T17)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from segviz.core.convolution_lab import Page
from segviz.gui.panels.base import Area
from segviz.gui.panels.convolution_head import HeadPage
from segviz.gui.panels.convolution_layers import CollapsePage, PoolingPage, ReluPage
from segviz.gui.panels.convolution_matrix import MatrixPage
from segviz.gui.panels.convolution_parameters import ParametersPage
from segviz.gui.panels.convolution_products import ProductsPage, SlidingPage
from segviz.gui.panels.convolution_shift import ShiftPage
from segviz.gui.panels.lab_frame import LabFrame
from segviz.gui.panels.lab_page import LabPage
from segviz.gui.scene import Scene, Tab

if TYPE_CHECKING:
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

COLUMNS = 3  # of the buttons that turn the pages


class ConvolutionPanel:
    """Pages in a `LabFrame`."""

    id = Tab.CONVOLUTION.value
    title = "Convolution"
    area = Area.WORKBENCH

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        change, update = self._change, session.update
        self.pages: dict[Page, LabPage] = {
            Page.PRODUCTS: ProductsPage(change, update, commands),
            Page.SLIDING: SlidingPage(change, update, commands),
            Page.MATRIX: MatrixPage(change, commands),
            Page.RELU: ReluPage(change, commands),
            Page.COLLAPSE: CollapsePage(change, commands),
            Page.POOLING: PoolingPage(change, commands),
            Page.PARAMETERS: ParametersPage(change),
            Page.SHIFT: ShiftPage(change, commands),
            Page.HEAD: HeadPage(change),
        }
        self.frame = LabFrame(self.id, self.pages, COLUMNS, change, commands)
        self.widget = self.frame.widget
        self.stage: QWidget | None = self.frame.stage
        self.header: QWidget | None = self.frame.header

    def show(self, old: Scene | None, new: Scene) -> None:
        lab = new.state.convolution_lab
        self.frame.show(new, lab.page, lab.image)

    def hover(self, point: tuple[float, float] | None) -> None:
        """The mouse is over this pixel of the image."""
        self.frame.hover(point)

    def wants_stage(self, scene: Scene) -> bool:
        lab = scene.state.convolution_lab
        if scene.state.tab != Tab.CONVOLUTION or lab.image:
            return False
        return not self.pages[lab.page].missing(scene)

    def _change(self, **fields: Any) -> None:
        self._session.update(convolution_lab=replace(self._session.state.convolution_lab, **fields))
