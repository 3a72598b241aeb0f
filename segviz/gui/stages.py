"""What has the middle of the window: the canvas, or what takes its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QApplication, QWidget

from segviz.core.choices import NetworkView, TrainingPage
from segviz.gui.panels.base import Panel
from segviz.gui.scene import Scene, Tab

if TYPE_CHECKING:
    from segviz.gui.canvas import Canvas
    from segviz.gui.compare_stage import CompareStage
    from segviz.gui.network_stage import NetworkStage
    from segviz.gui.window import MainWindow


class Stages:
    """Turns the pages of the window's centre.

    A view of the network comes first, since a person has asked for it; then what the tab in front wants, then
    results side by side, then the canvas.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._network: NetworkStage | None = None  # made when it is first wanted

    @property
    def network(self) -> NetworkStage | None:
        """The view of the network while it is in front."""
        return self._network if self._network is not None and self._in_front(self._network) else None

    @property
    def zooming(self) -> Canvas | CompareStage | NetworkStage | None:
        """What fits and zooms: the canvas, or what stands in its place and can do so."""
        return self.network or self._window.comparison.in_front or self._window.canvas

    @property
    def covers(self) -> bool:
        """Whether a panel's stage stands in the canvas's place."""
        return any(panel.stage is not None and self._in_front(panel.stage) for panel in self._window.panels)

    def uncovering(self) -> dict[str, Any]:
        """What brings the image back in the place of that stage; nothing where it stays while its tab is in front."""
        state = self._window.desk.session.state
        if state.tab == Tab.UPSAMPLING:
            return {"upsampling_lab": replace(state.upsampling_lab, image=True)}
        if state.tab == Tab.CONVOLUTION:
            return {"convolution_lab": replace(state.convolution_lab, image=True)}
        return {"training_page": TrainingPage.IMAGE} if state.tab == Tab.TRAINING else {}

    def _in_front(self, stage: QWidget) -> bool:
        return self._window.centre.currentWidget() is stage

    def show(self, scene: Scene, front: Panel | None) -> None:
        """Bring what the scene wants to the front; `front` is the panel of the tab that is shown."""
        window = self._window
        of_tab = front.stage if front is not None and front.wants_stage(scene) else None
        wanted = self._network_for(scene) or of_tab or window.comparison.stage_for(scene) or window.canvas
        if wanted is None:
            return
        if self._in_front(wanted):
            self.tell_zoom()  # its pages may have been turned
            return
        focus = QApplication.focusWidget()
        inside = focus is not None and window.centre.isAncestorOf(focus)
        window.centre.setCurrentWidget(wanted)
        self.tell_zoom()
        if inside or wanted is self._network:  # else Qt gives the keys to the next line of text
            wanted.setFocus()

    def tell_zoom(self) -> None:
        """The status bar has the zoom of what is in front, whichever view has moved; none of what cannot zoom."""
        shown = self.zooming
        zoom = shown.shown_zoom if shown is not None and self._in_front(shown) else 0.0
        self._window.status.show_zoom(zoom)

    def _network_for(self, scene: Scene) -> NetworkStage | None:
        if scene.state.network_view is NetworkView.NONE or scene.network is None:
            return None
        if self._network is None:
            from segviz.gui.network_stage import NetworkStage

            self._network = NetworkStage(self._window.desk.session, self._window.desk)
            self._network.zoomed.connect(self.tell_zoom)
            self._window.centre.addWidget(self._network)
        self._network.show_scene(scene)
        return self._network


def turning_to(scene: Scene, panel: Panel) -> dict[str, Any]:
    """What a person changes who turns to a tab: its stage is not hidden behind a view of the network."""
    there = replace(scene, state=replace(scene.state, tab=panel.id))
    images = {Tab.CONVOLUTION: scene.state.convolution_lab.image, Tab.UPSAMPLING: scene.state.upsampling_lab.image}
    comes = panel.id in (Tab.CONVOLUTION, Tab.UPSAMPLING) and not images[Tab(panel.id)]  # once it has its answer
    covered = panel.stage is not None and (comes or panel.wants_stage(there))
    return {"tab": panel.id} | ({"network_view": NetworkView.NONE} if covered else {})
