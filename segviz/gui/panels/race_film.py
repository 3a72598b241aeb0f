"""The race once more, as frames of what the stage showed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from segviz.core.races import RaceUpdate
from segviz.gui.filming import Frames
from segviz.gui.panels.race_stage import RaceStage
from segviz.gui.scene import Scene


def film(like: RaceStage, scene: Scene, updates: Sequence[RaceUpdate]) -> Frames:
    """A frame for each of `updates`, in their order, and one of the scene's result.

    They are painted on a stage of their own, which nobody sees, as large and zoomed as `like` is
    when the first one is taken: the person may go on using that one.
    """
    stage = RaceStage()
    try:
        stage.footer.hide()
        stage.resize(like.lanes.size())
        stage.show_picture(scene)
        stage.lanes.grab()  # lays it out, so that its views have their sizes
        for here, there in ((stage.slow.view, like.slow.view), (stage.fast.view, like.fast.view)):
            if not there.fitted:
                here.view_transform = there.view_transform
        difference = like.difference.isChecked()
        newest: dict[str, RaceUpdate] = {}
        for update in updates:
            newest[update.side] = update
            stage.show_running(replace(scene, race=None, race_updates=tuple(newest.values())))
            yield stage.lanes.grab().toImage()
        if scene.race is not None:
            stage.show_result(scene.race, scene, difference)
            yield stage.lanes.grab().toImage()
    finally:
        stage.close()
        stage.deleteLater()
