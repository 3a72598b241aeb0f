"""From a scene to the layers that show what units see and what pixels reach. Loads numpy."""

from __future__ import annotations

import numpy as np

from segviz.core import palettes
from segviz.core.field import Box
from segviz.core.occlusion import OcclusionAnswer
from segviz.gui import sighting, theme, words
from segviz.gui.scene import Scene
from segviz.gui.widgets.image_view import Layer
from segviz.gui.widgets.labels import Labels
from segviz.gui.widgets.plane import PlaneLayer, argb, cells_of
from segviz.gui.widgets.sight_layers import ChainLayer, PathLayer, PathMarks, ReachLayer, ReachMarks, SquareLayer

MOST_BOXES = 12  # of the chain of a unit, where no filmstrip says which
CHANGED = (255, 122, 0)  # what an occlusion changes: orange shows on photographs and on grey
OLD = 0.35  # opacity of what another square has changed, while there is no answer for the new one
COMPUTING = "computing what changes…"


# Strokes and gaps of the lines of paths, so that they are told apart without their colours, too.
PATH_DASHES: tuple[tuple[float, ...], ...] = ((), (10.0, 4.0), (8.0, 3.0, 2.0, 3.0), (2.5, 2.5))


def path_colours(scene: Scene, count: int) -> list[str]:
    """#rrggbb of so many paths: none of them is near to the colour of a class, of a field or of what changes."""
    classes = len(scene.network.classes) if scene.network is not None else 0
    others = (theme.DARK.accent.lstrip("#"), bytes(CHANGED).hex())
    found = palettes.path_colours(scene.state.palette, classes, count, others)
    return ["#" + bytes(colour.tolist()).hex() for colour in found]


def path_marks(scene: Scene) -> tuple[PathMarks, ...]:
    """A box for each path to the pinned unit, where they are wanted."""
    if scene.picture is None or not scene.state.sight.paths:
        return ()
    found = sighting.paths(scene)
    return tuple(
        PathMarks(path.box, colour, PATH_DASHES[at % len(PATH_DASHES)], f"{path.name} /{path.stride:g}")
        for at, (path, colour) in enumerate(zip(found, path_colours(scene, len(found)), strict=True))
    )


def reached(found: sighting.Influence) -> str:
    """How many units a pixel reaches, as rows × columns; those over padding besides."""
    rows, columns = found.padded
    besides = [words.many(count, noun) for count, noun in ((rows, "row"), (columns, "column")) if count]
    padding = f" + {' and '.join(besides)} of padding" if besides else ""
    return f"{words.shape(found.region.shape)} units of {found.layer} reached{padding}"


def strongest(answer: OcclusionAnswer) -> float:
    """The change that the last of the colours stands for."""
    return max(float(answer.change.max()), answer.least)


class SightLayers:
    """All of these layers; `show` brings them up to a scene. `below` lie under the unit's own box, `above` over it."""

    def __init__(self, labels: Labels) -> None:
        self.chain = ChainLayer()
        self.paths = PathLayer(labels)
        self.reach = ReachLayer(labels)
        self.square = SquareLayer(labels)
        self.strength = PlaneLayer()
        self.changed = PlaneLayer(contour=2)
        self.changed.opacity = 0.1
        self._labels = labels
        self._answer: OcclusionAnswer | None = None
        self._scene: Scene | None = None
        self._key: object = None
        self._chain: tuple[Box, ...] | None = None  # as a filmstrip has it
        self._square_key: object = None
        self._occluded: sighting.Occluded | None = None
        self._point: tuple[float, float] | None = None
        self._colours: object = None
        self.changed.set_table(argb(np.array([[0, 0, 0, 0], [*CHANGED, 255]])))

    @property
    def below(self) -> tuple[Layer, ...]:
        return self.strength, self.chain

    @property
    def above(self) -> tuple[Layer, ...]:
        return self.changed, self.paths, self.square, self.reach

    def show(self, scene: Scene) -> None:
        """Follow the scene."""
        self._scene = scene
        state = scene.state
        key = (scene.network, scene.picture, state.layer, state.unit, state.cursor, state.sight, state.palette)
        if key != self._key:  # progress is told many times a second, and changes none of it
            self._key = key
            if self._chain is None:
                wanted = state.sight.filmstrip and scene.picture is not None
                self.chain.boxes = sighting.chain_of(sighting.stills(scene, MOST_BOXES)) if wanted else ()
            self.paths.marks = path_marks(scene)
        self._show_square(scene)
        self._show_reach()

    def show_chain(self, boxes: tuple[Box, ...]) -> bool:
        """The boxes of a filmstrip beside the image, from now on; returns whether anything looks otherwise now."""
        before, self._chain = self.chain.boxes, boxes
        self.chain.boxes = boxes
        return boxes != before

    def reach_from(self, point: tuple[float, float] | None) -> bool:
        """The mouse is over this pixel of the image, or has left it; returns whether anything looks otherwise now."""
        before, self._point = self.reach.marks, point
        self._show_reach()
        return self.reach.marks != before

    def _show_reach(self) -> None:
        scene = self._scene
        wanted = scene is not None and scene.state.sight.projective
        found = sighting.influence(scene, self._point) if scene is not None and wanted else None
        self.reach.marks = None
        if found is not None:
            self.reach.marks = ReachMarks(found.box, *found.region.shape, found.pixel, reached(found))
        self._labels.aside = found is not None  # to tell which pixels are reached is what this is about

    @property
    def occludes(self) -> bool:
        """Whether what a square changes lies over the image."""
        return self._answer is not None

    def _show_square(self, scene: Scene) -> None:
        self._show_occluded(scene)
        self.square.note = COMPUTING if sighting.occlusion_comes(scene, self._occluded) else ""
        self.strength.opacity = 1.0 if self._occluded is None or self._occluded.fresh else OLD
        if self._colours != scene.state.colour_map:
            self._colours = scene.state.colour_map
            self.strength.set_table(argb(palettes.heat_table(scene.state.colour_map)))

    def _show_occluded(self, scene: Scene) -> None:
        key = sighting.square_key(scene)
        if key == self._square_key:
            return
        self._square_key = key
        self._occluded = found = sighting.occluded(scene)
        self.square.box = found.box if found is not None else None
        self.square.possible = found.possible if found is not None else None
        answer = found.answer if found is not None else None
        if answer is self._answer:
            return
        self._answer = answer
        if answer is None:
            self.strength.set_plane(None)
            self.changed.set_plane(None)
            return
        most = strongest(answer)
        place = cells_of(answer.lattice)
        self.strength.set_plane((answer.change * (255 / most if most > 0 else 0)).astype(np.uint8), place)
        self.changed.set_plane(answer.changed.astype(np.uint8), place)
