"""What a person can ask of what units see: rows of the table of actions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segviz.gui import sighting
from segviz.gui.action import Action, gesture
from segviz.gui.scene import Scene

if TYPE_CHECKING:
    from segviz.gui.window import MainWindow

MENU = "View/Receptive field"


def _has_field(scene: Scene) -> bool:
    return scene.state.unit is not None and scene.network is not None and scene.picture is not None


def _has_both(scene: Scene) -> bool:
    return scene.picture is not None and scene.network is not None


def _has_square(scene: Scene) -> bool:
    return scene.state.sight.square is not None


def _flag(name: str, identifier: str, text: str, key: str, icon: str, tip: str) -> Action:
    """A flag of `State.sight`; its key takes it back, too."""
    return Action(
        identifier,
        text,
        MENU,
        gesture(sighting.toggle, name),
        (key,),
        icon,
        tip,
        checked=lambda window: bool(getattr(window.desk.session.state.sight, name)),
        enabled=_has_both,
    )


def _paths(window: MainWindow) -> None:
    """The boxes of the paths, or none any more; said, since nothing changes where there is one path alone."""
    window.desk.session.update(**sighting.toggle(window.desk.scene, "paths"))
    window.desk.said.emit(sighting.paths_words(window.desk.scene))


def _occlude(window: MainWindow) -> None:
    """The square, or none any more; where there can be none, why."""
    scene = window.desk.scene
    reason = sighting.no_square(scene)
    if reason:
        window.desk.say(reason)
    else:
        window.desk.session.update(**sighting.toggle_square(scene))


SIGHT = (
    Action("field-fit", "Fit image and field", MENU, lambda w: w.sight.fit(), ("Shift+F",), "maximize",
           "Zoom out until the whole field of the pinned unit is seen, its part outside the image too",
           enabled=_has_field),
    Action("field-paths", "Boxes of the paths", MENU, _paths, ("B",), "layers",
           "Show or hide, in networks with skips, what each path to the unit sees and its share of the score",
           checked=lambda w: w.desk.session.state.sight.paths, enabled=_has_both),
    _flag("filmstrip", "filmstrip", "Filmstrip of the layers", "T", "stack",
          "The chain of fields from the image to the pinned unit, as a strip of tiles below the image"),
    _flag("projective", "projective", "Projective field", "J", "focus",
          "The units of the layer that the pixel at the mouse, or the pinned one, can change"),
    Action("occlude", "Occlude with a grey square", MENU, _occlude, ("Q",), "drag-drop",
           "Drag a grey square over the image: outputs whose scores change are outlined",
           checked=lambda w: w.desk.session.state.sight.square is not None, separator=True),
    Action("occlude-larger", "Larger square", MENU, gesture(sighting.resize_square, 1), ("Shift+Q",), "plus",
           "Occlude more of the image", enabled=_has_square),
    Action("occlude-smaller", "Smaller square", MENU, gesture(sighting.resize_square, -1), ("Alt+Q",), "minus",
           "Occlude less of the image", enabled=_has_square),
    Action("card-copy", "Copy the card of this pixel", MENU, lambda w: w.sight.copy_card(), ("Ctrl+Shift+C",), "copy",
           "What did this pixel see? Crop, classes, filmstrip and numbers as one picture that fits a slide",
           enabled=_has_field, separator=True),
    Action("card-save", "Save the card of this pixel…", MENU, lambda w: w.sight.save_card(), ("Ctrl+Shift+E",),
           "download", "The same picture as PNG, 1920 × 1080 pixels", enabled=_has_field),
)  # fmt: skip
