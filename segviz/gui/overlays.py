"""From a scene to the layers over the photograph. Loads numpy: imported once there is something to show."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import numpy.typing as npt

from segviz.core import catalogue, palettes, scores
from segviz.core.agreement import Agreement
from segviz.core.choices import CompareView, View
from segviz.core.field import Box
from segviz.core.requests import Prediction
from segviz.gui import cam_planes, glow_layers, sighting, unit_words, words
from segviz.gui.compare_layers import ComparedLayers
from segviz.gui.glow_layers import GlowLayers
from segviz.gui.heat_planes import heat_plane, heat_step
from segviz.gui.scene import Scene, dragged, pinned
from segviz.gui.sight_layers import SightLayers, strongest
from segviz.gui.widgets.image_view import Layer
from segviz.gui.widgets.labels import Labels
from segviz.gui.widgets.mark_layers import (
    BoxLayer,
    CrossLayer,
    UnitLayer,
    UnitMarks,
    VeilLayer,
    WindowLayer,
    WindowMarks,
)
from segviz.gui.widgets.photo import GreyLayer, PhotoLayer, photo_of
from segviz.gui.widgets.plane import Place, PlaneLayer, argb, cells_of, rgb

HEAT_KEPT = 12  # classes whose heatmaps are kept
TITLES = 12  # classes in the small legend, as far as there is room
# RGBA of the error map: vermilion and blue, which colour-blind people tell apart; what does not count is veiled.
WRONG, RIGHT, VEILED, OF_CELL = (213, 94, 0, 205), (86, 180, 233, 80), (52, 56, 64, 190), (255, 214, 64, 120)
CHANGE = "Change of a score"  # by a grey square
WORTH = 0.01  # probability from which the tag of a window names a class


class Overlays:
    """All layers of the canvas. `show` brings them up to a scene and recomputes only what differs."""

    def __init__(self) -> None:
        self.photo: PhotoLayer | None = None
        self.grey: GreyLayer | None = None  # the same, below a signed map
        self.ink: Layer | None = None  # a drawing that is being made, in the photograph's place
        self.labels = PlaneLayer(contour=1)
        self.heat = PlaneLayer()
        self.cam = cam_planes.CamLayer()  # in its place, where what speaks for a class is asked
        self.evidence = False
        self.partial = PlaneLayer()
        self.errors = PlaneLayer()
        self.marked = False  # whether errors are shown, instead of the view
        self.window = BoxLayer()
        self.veil = VeilLayer()
        self.notes = Labels()
        self.unit = UnitLayer(self.notes)
        self.dragged = WindowLayer()
        self.cross = CrossLayer()
        self.compared = ComparedLayers()
        self.sight = SightLayers(self.notes)
        self.glow = GlowLayers(self.notes)
        self.view = View.LABELS
        self._heats: OrderedDict[int, npt.NDArray[np.uint8]] = OrderedDict()
        self._peaks: dict[int, float] = {}
        self.heatmaps = 0  # how many were computed: for tests

    @property
    def layers(self) -> tuple[Layer, ...]:
        """From the photograph up to the marks, as `view` wants them."""
        ground = self.ink or (self.grey if self.greyed else self.photo)
        if ground is None:
            return ()
        planes: dict[View, tuple[Layer, ...]] = {
            View.LABELS: (self.labels, self.partial, self.window),
            View.HEATMAP: (self.cam if self.evidence else self.heat, self.window),
            View.IMAGE: (),
        }
        shown = (self.errors,) if self.marked else self.compared.over(planes[self.view])
        if self.bare:
            shown = ()
        glow = (self.glow.rings,) if self.sight.occludes else self.glow.layers  # a glow has the colours of what changes
        marks = (*self.sight.below, self.unit, *self.sight.above, self.notes, self.dragged, self.cross)
        return (ground, *shown, self.veil, *glow, *marks)

    @property
    def bare(self) -> bool:
        """Whether the result makes way for what is asked about the field: two kinds of colours say nothing."""
        alike = self.glow.glows and self.view is View.HEATMAP  # in the colours of a heatmap, which says something else
        return self.sight.occludes or alike

    @property
    def greyed(self) -> bool:
        """Whether the photograph is grey, below a signed map: a sky is blue and a brick red without any evidence."""
        shown = self.view is View.HEATMAP and not (self.marked or self.bare)
        return shown and self.evidence and self.cam.signed and self.compared.view is not CompareView.DIFFERENCE

    def show(self, old: Scene | None, new: Scene) -> None:
        """Bring the layers from scene `old` (None: from nothing) to `new`.

        A picture that belongs to another network stays as it was, behind a veil; unit and window are the new one's.
        """
        self._show_unit(new)
        self._show_dragged(new)
        self.sight.show(new)
        self.glow.show(new)
        self.veil.drawn = new.before is not None
        old, new = old.seen if old is not None else None, new.seen
        if self.ink is not None or new.picture is None:  # a drawing changes too often to be made ready for zooming out
            self.photo = self.grey = None
        elif old is None or old.picture is not new.picture or self.photo is None:
            self.photo = photo_of(new.picture.pixels)
            self.grey = GreyLayer(self.photo)
        self.view = new.state.view
        self._show_labels(old, new)
        self._show_heat(old, new)
        self.evidence = cam_planes.is_shown(new)
        if self.evidence and self.view is View.HEATMAP:
            self.cam.show(new)
        self._show_partial(old, new)
        self._show_errors(old, new)
        self.compared.show(new)
        for plane in (self.labels, self.partial):
            plane.opacity = new.state.opacity
        self.heat.opacity = self.cam.opacity = new.state.heat_opacity

    def _show_labels(self, old: Scene | None, new: Scene) -> None:
        prediction = new.shown_prediction
        if old is None or prediction is not old.shown_prediction:
            self._heats.clear()
            self._peaks.clear()
            # While the sliding window runs its own cells grow on the bare photograph.
            self.labels.set_plane(
                None if prediction is None else prediction.labels,
                mask=None if prediction is None else prediction.confidence,
            )
        if old is None or _colours_differ(old, new):
            self.labels.set_table(argb(label_table(new)))
        for plane in (self.labels, self.partial):
            plane.set_minimum(round(new.state.minimum * 255))
        self.labels.hidden = new.partial is not None

    def _show_heat(self, old: Scene | None, new: Scene) -> None:
        state, prediction = new.state, new.shown_prediction
        if state.view is not View.HEATMAP:
            return
        before = old.state if old is not None and old.state.view is View.HEATMAP else None
        look = (state.colour_map, state.heat_minimum)
        if before is None or (before.colour_map, before.heat_minimum) != look:
            self.heat.set_table(argb(palettes.heat_table(*look)))
        index = new.shown_class
        if prediction is None or index is None:
            self.heat.set_plane(None)
        elif before is None or old is None or prediction is not old.shown_prediction or index != old.shown_class:
            plane = self._heat(prediction, index)
            step = heat_step(prediction)
            self.heat.set_plane(plane, Place(0, 0, step, step))

    def _heat(self, prediction: Prediction, index: int) -> npt.NDArray[np.uint8]:
        if index not in self._heats:
            self.heatmaps += 1
            self._heats[index] = heat_plane(prediction, index)
            if len(self._heats) > HEAT_KEPT:
                self._heats.popitem(last=False)
        self._heats.move_to_end(index)
        return self._heats[index]

    def peak(self, scene: Scene) -> float | None:
        """The largest probability of the class whose heatmap is shown, on the grid; None without a result."""
        prediction, index = scene.shown_prediction, scene.shown_class
        if prediction is None or index is None or scene.state.view is not View.HEATMAP or self.evidence:
            return None
        if glow_layers.shown(scene) is not None or sighting.changes(scene) is not None:
            return None
        if index not in self._peaks:
            self._peaks[index] = scores.peak(prediction, index)[0]
        return self._peaks[index]

    def _show_partial(self, old: Scene | None, new: Scene) -> None:
        partial = new.partial
        if old is None or old.partial is not partial:
            if partial is None:
                self.partial.set_plane(None)
            else:
                self.partial.set_plane(partial.labels + 1, cells_of(partial.lattice), partial.confidence)
            self.window.box = partial.box if partial is not None else None
        if partial is not None and (old is None or old.partial is None or _colours_differ(old, new)):
            table = np.concatenate([np.zeros((1, 4), np.uint8), label_table(new)])
            self.partial.set_table(argb(table))

    def _show_errors(self, old: Scene | None, new: Scene) -> None:
        found = new.shown_agreement
        self.marked = marks_errors(new)
        if found is None or not self.marked:
            self.errors.set_plane(None)
            return
        before = old.shown_agreement if old is not None and marks_errors(old) else None
        if before is None or before.pairs is not found.pairs:
            self.errors.set_plane(found.pairs)
        if before is None or before.pairs is not found.pairs or old is None or old.state.cell != new.state.cell:
            self.errors.set_table(argb(error_table(found, new.state.cell)))

    def _show_unit(self, new: Scene) -> None:
        found = pinned(new) if new.picture is not None else None
        self.unit.marks = (
            None
            if found is None
            else UnitMarks(
                found.field,
                found.cell,
                found.center,
                unit_words.chip(found, new.network),
                unit_words.outside(found, new.network),
            )
        )
        if new.picture is not None:
            self.notes.image = Box(0, 0, new.picture.width, new.picture.height)

    def _show_dragged(self, new: Scene) -> None:
        found = dragged(new)
        self.dragged.marks = (
            None
            if found is None
            else WindowMarks(found.box, tuple((name, words.probability(p)) for _, name, p in told(found.classes)))
        )


def marks_errors(scene: Scene) -> bool:
    """Whether the errors, or the pixels of a cell of the confusion matrix, are shown."""
    found = scene.shown_agreement
    return found is not None and (scene.state.errors or found.has(scene.state.cell))


def error_table(found: Agreement, cell: tuple[int, int] | None) -> npt.NDArray[np.uint8]:
    """RGBA of every number in `found.pairs`: right and wrong pixels, or one cell's with all others veiled."""
    size = len(found.confusion.classes)
    table = np.empty((1 + size * size, 4), np.uint8)
    if cell is not None and found.has(cell):
        table[:] = VEILED
        table[found.pair(cell)] = OF_CELL
        return table
    table[1:] = WRONG
    table[1 :: size + 1] = RIGHT
    table[0] = VEILED
    return table


def error_legend(scene: Scene) -> list[tuple[str, str]]:
    """What the colours of the errors mean: (words, #rrggbb)."""
    found, cell = scene.shown_agreement, scene.state.cell
    if found is None:
        return []
    if cell is not None and found.has(cell):
        true, label = (found.classes[index] for index in cell)
        return [(f"{true} → {label}", _hex(OF_CELL))]
    right, beside = found.scores.pixel_accuracy, found.counted < found.truth.size
    shown = [(f"wrong {words.share(1 - right)}", _hex(WRONG)), (f"right {words.share(right)}", _hex(RIGHT))]
    return shown + ([("not counted", _hex(VEILED))] if beside else [])


def _hex(colour: tuple[int, int, int, int]) -> str:
    return "#" + bytes(colour[:3]).hex()


def told(classes: tuple[tuple[int, str, float], ...]) -> tuple[tuple[int, str, float], ...]:
    """The classes that the tag of a window names: the best, and others that are worth a word."""
    return tuple(found for rank, found in enumerate(classes) if rank == 0 or found[2] >= WORTH)


def classes_of(scene: Scene) -> tuple[str, ...]:
    """The classes that labels of the scene are indices of."""
    if scene.prediction is not None and scene.partial is None:
        return scene.prediction.classes
    return scene.network.classes if scene.network is not None else ()


def label_table(scene: Scene) -> npt.NDArray[np.uint8]:
    """RGBA of every class of the scene, transparent where it is hidden or background."""
    classes, state = classes_of(scene), scene.state
    hollow = catalogue.background(classes)
    return palettes.label_table(len(classes), state.palette, state.hidden, state.solo, hollow)


def _colours_differ(old: Scene, new: Scene) -> bool:
    a, b = old.state, new.state
    return (a.palette, a.hidden, a.solo) != (b.palette, b.hidden, b.solo) or classes_of(old) != classes_of(new)


def legend(scene: Scene) -> list[tuple[str, str]]:
    """(name, #rrggbb) of the most widespread classes that are painted."""
    prediction = scene.shown_prediction
    if prediction is None:
        return []
    table = label_table(scene)
    shares = scores.shares(prediction.levels, scene.state.minimum)
    seen = [index for index, _ in shares if index < len(table) and table[index, 3]]
    return [(prediction.classes[i], "#" + bytes(table[i, :3].tolist()).hex()) for i in seen[:TITLES]]


def scale(scene: Scene) -> tuple[str, list[int]]:
    """The class of the heatmap, as it is said beside numbers, or what lies in its place, and its colours 0xRRGGBB."""
    if sighting.changes(scene) is not None:
        return CHANGE, rgb(palettes.colour_map(scene.state.colour_map))
    if glow_layers.shown(scene) is not None:
        return scene.state.glow.title, rgb(palettes.colour_map(scene.state.colour_map))
    index, classes = scene.shown_class, classes_of(scene)
    title = classes[index] if index is not None and index < len(classes) else ""
    if cam_planes.is_shown(scene):
        return f"{scene.state.cams.heat.title} of {unit_words.quoted(title)}", cam_planes.scale(scene.state)
    return unit_words.quoted(title), rgb(palettes.colour_map(scene.state.colour_map))


def scale_ends(scene: Scene) -> tuple[str, str]:
    """What the ends of that scale stand for."""
    changes = sighting.changes(scene)
    if changes is not None:
        return "0", words.value(strongest(changes))
    if glow_layers.shown(scene) is not None:
        return "0", "most"
    if not cam_planes.is_shown(scene):
        return "0", "1"
    answer, index = scene.shown_cams, scene.shown_class
    place = answer.place(index) if answer is not None and index is not None else None
    return cam_planes.ends(answer, place, scene.state.cams.signed)
