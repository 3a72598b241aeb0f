"""Compare and refine in the window: their strips above the picture, the stage in its place, the curtain's handle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from segviz.core.choices import CompareView
from segviz.gui import comparing
from segviz.gui.compare_strip import CompareStrip
from segviz.gui.refine_strip import RefineStrip
from segviz.gui.scene import Scene
from segviz.gui.widgets.curtain_tool import CurtainTool

if TYPE_CHECKING:
    from segviz.gui.canvas import Canvas
    from segviz.gui.compare_stage import CompareStage
    from segviz.gui.window import MainWindow


class Comparison(QObject):
    """Follows the scene; what a person does ends in the window's session.

    `hovered` carries (x, y) in image pixels or None, `clicked` x and y: of the results side by side.
    """

    hovered = Signal(object)
    clicked = Signal(float, float)

    def __init__(self, window: MainWindow, canvas: Canvas) -> None:
        super().__init__(window)
        self._window = window
        self.stage: CompareStage | None = None  # made when it is first wanted
        self.curtain = CurtainTool(self)
        self.curtain.moved.connect(lambda share: window.desk.session.update(curtain=share))
        canvas.add_tool(self.curtain)
        self.refine = RefineStrip(window.desk.session)
        self.refine.closed.connect(lambda: window.do("refine"))
        canvas.add_strip(self.refine)
        self.strip = CompareStrip()
        self.strip.wanted.connect(window.do)
        self.strip.view_chosen.connect(self._compare)
        self.strip.chosen.connect(lambda index: window.desk.session.update(compared=index))
        self.strip.named.connect(lambda name: self._change(comparing.rename(window.desk.scene, name)))
        window.add_above(self.strip)
        self.refine.hide()
        self.strip.hide()

    def _change(self, changes: comparing.Changes) -> None:
        if changes:
            self._window.desk.session.update(**changes)

    def _compare(self, view: CompareView) -> None:
        if view is not self._window.desk.session.state.compare:
            self.toggle(view)

    @property
    def _behind(self) -> bool:
        """Whether something else has the place of the picture."""
        return self._window.centre.currentWidget() not in (self._window.canvas, self.stage)

    def toggle(self, view: CompareView) -> None:
        """Compare in that way, or no longer; the stage of a tab makes room, behind which nothing would be seen."""
        window = self._window
        scene = window.desk.scene
        behind = self._behind
        if behind and view is scene.state.compare:
            changes: comparing.Changes = {}
        else:
            changes = comparing.show(scene, view)
            behind = behind and changes.get("compare", CompareView.NONE) is not CompareView.NONE
        self._change(changes | (comparing.room(scene.state) if behind else {}))

    def keep(self) -> None:
        """Put the newest result on the shelf; where the shelf is out of sight, say that it is there."""
        desk = self._window.desk
        self._change(comparing.keep(desk.scene))
        if self._behind:
            desk.said.emit("Kept for comparison: the shelf is above the image")

    def rename(self) -> None:
        """Let the person type a name for the chosen result, on the shelf."""
        if self._behind:
            self._change(comparing.room(self._window.desk.session.state))
        self.strip.edit_name()

    def show_scene(self, scene: Scene) -> None:
        state = scene.state
        self.refine.setVisible(state.refine and scene.picture is not None)
        self.refine.show_scene(scene)
        if state.kept:
            self.strip.show_scene(scene)
        drawn = state.compare is CompareView.CURTAIN and scene.picture is not None and _there(scene)
        self.curtain.at = state.curtain * scene.picture.width if drawn and scene.picture is not None else None
        self.curtain.width = scene.picture.width if scene.picture is not None else 1
        if comparing.is_side_by_side(scene):
            self._stage().show_scene(scene)

    def show_strip(self, scene: Scene) -> None:
        """The shelf belongs to the picture: it is there where the canvas is, or results side by side are."""
        self.strip.setVisible(not self._behind and bool(scene.state.kept) and scene.picture is not None)

    def _stage(self) -> CompareStage:
        if self.stage is None:
            from segviz.gui.compare_stage import CompareStage  # loads numpy

            window = self._window
            self.stage = CompareStage()
            self.stage.hovered.connect(self.hovered)
            self.stage.clicked.connect(self.clicked)
            self.stage.zoomed.connect(window.stages.tell_zoom)
            window.centre.addWidget(self.stage)
        return self.stage

    def stage_for(self, scene: Scene) -> CompareStage | None:
        """The stage where results stand side by side."""
        return self.stage if comparing.is_side_by_side(scene) else None

    @property
    def in_front(self) -> CompareStage | None:
        """The stage while it has the canvas's place."""
        return self.stage if self.stage is not None and self._window.centre.currentWidget() is self.stage else None

    def point_at(self, point: tuple[float, float] | None) -> None:
        """The mouse is over this pixel in another view."""
        if self.in_front is not None:
            self.in_front.point_at(point)


def _there(scene: Scene) -> bool:
    index = comparing.chosen(scene.state)
    return index is not None and comparing.found(scene, index) is not None and scene.shown_prediction is not None
