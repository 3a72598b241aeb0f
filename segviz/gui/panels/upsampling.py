"""The upsampling laboratory: from a coarse map to pixels in every way of the lecture (T20, T22 to T26)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QWidget

from segviz.core.choices import Method
from segviz.core.laboratory import Laboratory, Page
from segviz.gui import gestures
from segviz.gui.panels.base import Area
from segviz.gui.panels.lab_frame import LabFrame
from segviz.gui.panels.lab_page import LabPage
from segviz.gui.panels.upsampling_shifts import DirectPage, ShiftsPage
from segviz.gui.panels.upsampling_skips import DepthsPage
from segviz.gui.panels.upsampling_steps import InsertionPage
from segviz.gui.panels.upsampling_ways import WaysPage
from segviz.gui.scene import Scene, Tab

if TYPE_CHECKING:
    from segviz.core.session import Session
    from segviz.gui.panels.base import Commands

COLUMNS = 2  # of the buttons that turn the pages


class UpsamplingPanel:
    """Pages in a `LabFrame`."""

    id = Tab.UPSAMPLING.value
    title = "Upsampling"
    area = Area.WORKBENCH

    def __init__(self, session: Session, commands: Commands) -> None:
        self._session = session
        self._scene: Scene | None = None
        self.pages: dict[Page, LabPage] = {
            Page.WAYS: WaysPage(self._change, self._pin, commands),
            Page.INSERTION: InsertionPage(self._change, commands),
            Page.SKIPS: DepthsPage(self._change, commands),
            Page.DEPTHS: DepthsPage(self._change, commands, alone=True),
            Page.DIRECT: DirectPage(commands, self._choose_method),
            Page.SHIFTS: ShiftsPage(commands, self._choose_method),
        }
        self.frame = LabFrame(self.id, self.pages, COLUMNS, self._change, commands)
        self.widget = self.frame.widget
        self.stage: QWidget | None = self.frame.stage
        self.header: QWidget | None = self.frame.header

    def show(self, old: Scene | None, new: Scene) -> None:
        self._scene = new
        self.frame.show(new, new.state.upsampling_lab.page, new.state.upsampling_lab.image)

    def hover(self, point: tuple[float, float] | None) -> None:
        """The cross follows the mouse on the image."""
        self.frame.hover(point)

    def wants_stage(self, scene: Scene) -> bool:
        laboratory = scene.state.upsampling_lab
        if scene.state.tab != Tab.UPSAMPLING or laboratory.image:
            return False
        return not self.pages[laboratory.page].missing(scene)

    # ------------------------------------------------------------------------------- gestures

    def _change(self, **fields: Any) -> None:
        self._session.update(upsampling_lab=changed(self._session.state.upsampling_lab, **fields))

    def _choose_method(self, method: Method) -> None:
        if self._scene is not None:
            self._session.update(**gestures.choose_method(self._scene, method))

    def _pin(self, channel: int, row: int, column: int) -> None:
        """A unit of the whole map was clicked: pin what sits there."""
        scene = self._scene
        if scene is None:
            return
        from segviz.gui.panels import upsampling_maps

        near = upsampling_maps.neighbourhood(scene)
        if near is not None:
            self._session.update(**gestures.pin(scene, *near.lattice.position_of(row, column)))


def changed(laboratory: Laboratory, **fields: Any) -> Laboratory:
    """The laboratory with some fields changed; another factor brings a kernel of one's own that fits it."""
    if fields.get("factor", laboratory.factor) != laboratory.factor:
        fields.setdefault("edited", ())
    return replace(laboratory, **fields)
