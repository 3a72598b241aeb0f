"""The glow in the pinned unit's field on the canvas. Loads numpy: imported once there is something to show."""

from __future__ import annotations

from segviz.core import palettes
from segviz.core.choices import BackRule
from segviz.core.effective import EffectiveField
from segviz.gui import words
from segviz.gui.scene import Scene
from segviz.gui.widgets.glow_marks import Ring, RingLayer
from segviz.gui.widgets.image_view import Layer
from segviz.gui.widgets.labels import Labels
from segviz.gui.widgets.plane import Place, PlaneLayer, argb


class GlowLayers:
    """The plane of the energy and its ellipses; `show` brings them up to a scene."""

    def __init__(self, labels: Labels) -> None:
        self.plane = PlaneLayer()
        self.rings = RingLayer(labels)
        self._shown: EffectiveField | None = None
        self._colours: object = None

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (self.plane, self.rings)

    @property
    def glows(self) -> bool:
        return self._shown is not None

    def show(self, scene: Scene) -> None:
        found = shown(scene)
        if found is not None and self._colours != scene.state.colour_map:
            self._colours = scene.state.colour_map
            self.plane.set_table(argb(palettes.heat_table(scene.state.colour_map)))
        if found is self._shown:
            return
        self._shown = found
        self.plane.set_plane(None if found is None else found.glow, None if found is None else _place(found))
        self.rings.rings = () if found is None else rings(found)


def shown(scene: Scene) -> EffectiveField | None:
    """What glows on the canvas."""
    return scene.shown_effective if scene.picture is not None else None


def rings(found: EffectiveField) -> tuple[Ring, ...]:
    """The ellipses of an effective field; a back-projection says what there is, not how far a unit sees."""
    if found.request.rule is not BackRule.GRADIENT:
        return ()
    return tuple(Ring(one.on_image(found.frame), words.share(one.share)) for one in found.ellipses)


def _place(found: EffectiveField) -> Place:
    box, (rows, columns) = found.box, found.glow.shape
    return Place(box.left, box.top, box.width / columns, box.height / rows)
