"""The layers of a comparison: one result as a plane, two behind a curtain, where two differ. Loads numpy."""

from __future__ import annotations

from math import floor

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from segviz.core import catalogue, differences, export, palettes
from segviz.core.choices import CompareView, View
from segviz.core.requests import Prediction
from segviz.core.session import State
from segviz.gui import comparing, theme
from segviz.gui.heat_planes import heat_plane, heat_step
from segviz.gui.identity import Same
from segviz.gui.scene import Scene
from segviz.gui.widgets.image_view import Layer
from segviz.gui.widgets.marks import LIGHT, UNDER, chip_size, draw_plate
from segviz.gui.widgets.painted import elided
from segviz.gui.widgets.plane import Place, PlaneLayer, argb, cells_of
from segviz.gui.widgets.projection import Projection

STRIPES = 120  # in a diagonal image, so that they are seen at any size
LEAST_STRIPE = 4  # image pixels


class ResultPlane:
    """One result as the canvas would paint it, labels or the heatmap of the shown class."""

    def __init__(self) -> None:
        self.labels = PlaneLayer(contour=1)
        self.heat = PlaneLayer()
        self._key: object = None
        self._view = View.LABELS

    @property
    def layers(self) -> tuple[Layer, ...]:
        return {View.LABELS: (self.labels,), View.HEATMAP: (self.heat,), View.IMAGE: ()}[self._view]

    def show(self, prediction: Prediction | None, scene: Scene) -> None:
        """Paint `prediction` with the colours, class and opacity of the scene's State."""
        state = scene.state
        index = scene.shown_class if prediction is not None and _has_class(prediction, scene) else None
        look = (state.palette, state.hidden, state.solo, state.colour_map, state.heat_minimum)
        key = (Same(prediction), index if state.view is View.HEATMAP else None, look)
        self._view = state.view
        self.labels.opacity, self.heat.opacity = state.opacity, state.heat_opacity
        self.labels.set_minimum(round(state.minimum * 255))
        if key == self._key:
            return
        self._key = key
        self.labels.set_plane(
            None if prediction is None else prediction.labels,
            mask=None if prediction is None else prediction.confidence,
        )
        if prediction is not None:
            self.labels.set_table(argb(table_of(prediction, scene)))
        self.heat.set_plane(None)
        if state.view is View.HEATMAP and prediction is not None and index is not None:
            step = heat_step(prediction)
            self.heat.set_table(argb(palettes.heat_table(state.colour_map, state.heat_minimum)))
            self.heat.set_plane(heat_plane(prediction, index), Place(0, 0, step, step))


def _has_class(prediction: Prediction, scene: Scene) -> bool:
    """Whether the class of the heatmap is one of the prediction's, and its scores were kept."""
    shown = scene.shown_prediction
    return shown is not None and shown.classes == prediction.classes and prediction.logits.size > 0


def table_of(prediction: Prediction, scene: Scene) -> palettes.Colours:
    """RGBA of a result's classes; what is hidden or alone counts where its classes are those of the newest."""
    state, shown = scene.state, scene.shown_prediction
    same = shown is None or shown.classes == prediction.classes
    hidden, solo = (state.hidden, state.solo) if same else (frozenset[int](), None)
    hollow = catalogue.background(prediction.classes)
    return palettes.label_table(len(prediction.classes), state.palette, hidden, solo, hollow)


class CurtainLayer:
    """Paints the kept result left of `end` (image pixels) and the newest right of it, each to its own pixel."""

    def __init__(self) -> None:
        self.end = 0.0
        self.left: tuple[Layer, ...] = ()
        self.right: tuple[Layer, ...] = ()
        self.names = ("", "")
        self.size = (1, 1)  # of the image

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        at = floor(projection.left + self.end * projection.zoom)  # a whole pixel: neither side paints on the other
        edge = min(max(float(at), area.left()), area.right())
        halves = (
            (self.left, QRectF(area.left(), area.top(), edge - area.left(), area.height())),
            (self.right, QRectF(edge, area.top(), area.right() - edge, area.height())),
        )
        for layers, half in halves:
            if half.width() <= 0:
                continue
            painter.save()
            painter.setClipRect(half, Qt.ClipOperation.IntersectClip)
            for layer in layers:
                layer.paint(painter, projection, half)
            painter.restore()
        if area.left() <= at <= area.right():
            self._draw_end(painter, at, projection, area)

    def _draw_end(self, painter: QPainter, at: int, projection: Projection, area: QRectF) -> None:
        top, bottom = projection.top, projection.top + self.size[1] * projection.zoom
        top, bottom = max(top, area.top()), min(bottom, area.bottom())
        if bottom <= top:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.fillRect(QRectF(at - 1, top, 3, bottom - top), UNDER)
        painter.fillRect(QRectF(at, top, 1, bottom - top), LIGHT)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        grip, middle = theme.px(9), QPointF(at + 0.5, (top + bottom) / 2)
        painter.setPen(UNDER)
        painter.setBrush(LIGHT)
        painter.drawEllipse(middle, grip, grip)
        painter.setPen(QColor(theme.DARK.accent))
        for side in (-1, 1):
            tip = middle + QPointF(side * grip * 0.65, 0)
            for up in (-1, 1):
                painter.drawLine(tip, middle + QPointF(side * grip * 0.3, up * grip * 0.35))
        painter.restore()
        self._draw_names(painter, at, top, projection, area)

    def _draw_names(self, painter: QPainter, at: int, top: float, projection: Projection, area: QRectF) -> None:
        """Which result is which, at the top of either side as far as it is seen."""
        left = max(area.left(), projection.left)
        right = min(area.right(), projection.left + self.size[0] * projection.zoom)
        for name, low, high in ((self.names[0], left, float(at)), (self.names[1], float(at), right)):
            room = high - low - theme.px(24)
            if name and room > theme.px(36):
                text = elided(name, theme.numbers(theme.CAPTION), room)
                _draw_name(painter, text, QRectF(low, top, high - low, area.height()))


def _draw_name(painter: QPainter, text: str, room: QRectF) -> None:
    """On a plate at the upper left of `room`, which it fits into."""
    rect = QRectF(QPointF(), chip_size(text))
    rect.moveTo(round(room.left() + theme.px(4)), round(room.top() + theme.px(5)))
    draw_plate(painter, rect, text, theme.numbers(theme.CAPTION))


class ComparedLayers:
    """What the canvas paints in the place of its overlay while two results are compared on it."""

    def __init__(self) -> None:
        self.kept = ResultPlane()
        self.curtain = CurtainLayer()
        self.differing = PlaneLayer()
        self.apart = PlaneLayer()
        self._probable = False  # whether `apart` has the place of labels
        self._between: tuple[Same, Same] | None = None
        self._apart: tuple[Same, Same] | None = None
        self._look: object = None
        self.view = CompareView.NONE

    def show(self, scene: Scene) -> None:
        """Follow the scene; without a kept result that is computed there is nothing to compare."""
        state, index = scene.state, comparing.chosen(scene.state)
        kept, newest = None if index is None else comparing.found(scene, index), scene.shown_prediction
        compares = kept is not None and newest is not None and scene.partial is None
        self.view = state.compare if compares else CompareView.NONE
        if kept is None or newest is None or scene.picture is None or index is None:
            return
        if self.view is CompareView.CURTAIN:
            names = comparing.titles(state)
            self.kept.show(kept, scene)
            self.curtain.names = names[index], names[-1]
            self.curtain.size = scene.picture.width, scene.picture.height
            self.curtain.end = state.curtain * scene.picture.width
        elif self.view is CompareView.DIFFERENCE:
            self._show_difference(kept, newest, scene)

    def _show_difference(self, kept: Prediction, newest: Prediction, scene: Scene) -> None:
        state = scene.state
        self._probable = state.view is View.HEATMAP and not differences.not_comparable(newest, kept)
        if self._probable:
            self._show_probabilities(kept, newest, state)
            return
        self.differing.opacity = max(state.opacity, 0.85)
        if self._between != (both := (Same(kept), Same(newest))):
            self._between = both
            self.differing.set_plane(striped(kept, newest))
            self._look = None
        look = _look_of(state)
        if look != self._look:
            self._look = look
            tables = [np.zeros((1, 4), np.uint8), _whole(table_of(newest, scene)), _whole(table_of(kept, scene))]
            self.differing.set_table(argb(np.concatenate(tables)))

    def _show_probabilities(self, kept: Prediction, newest: Prediction, state: State) -> None:
        """The largest difference of any class at each unit, the largest of all in the brightest colour."""
        self.apart.opacity = max(state.heat_opacity, 0.85)
        self.apart.set_table(argb(palettes.heat_table(state.colour_map)))
        if self._apart != (both := (Same(kept), Same(newest))):
            self._apart = both
            found = differences.largest(newest, kept)
            levels = np.rint(found / max(float(found.max(initial=0)), 1e-12) * 255).astype(np.uint8)
            self.apart.set_plane(levels, cells_of(newest.lattice))

    def over(self, shown: tuple[Layer, ...]) -> tuple[Layer, ...]:
        """The layers in the place of those of the newest result, `shown`."""
        if self.view is CompareView.CURTAIN:
            self.curtain.left, self.curtain.right = self.kept.layers, shown
            return (self.curtain,)
        if self.view is CompareView.DIFFERENCE:
            return (self.apart if self._probable else self.differing,)
        return shown


def _look_of(state: State) -> object:
    return state.palette, state.hidden, state.solo


def _whole(table: palettes.Colours) -> palettes.Colours:
    """The table with grey for what is not painted elsewhere: that one result has a background is a difference, too."""
    out = table.copy()
    out[table[:, 3] == 0] = (128, 128, 128, 255)
    return out


def striped(kept: Prediction, newest: Prediction) -> npt.NDArray[np.uint16]:
    """Indices (H, W): 0 where labels agree, else in stripes 1 + the newest label and behind all those the kept one."""
    height, width = newest.labels.shape
    stripe = max(LEAST_STRIPE, round((height + width) / STRIPES))
    out = np.zeros((height, width), np.uint16)
    apart = differences.differing(newest, kept)
    across = np.arange(width)
    for row in range(height):  # row by row: a large image needs no second plane of 32 bits
        turn = (across + row) // stripe % 2 == 0
        both = np.where(turn, newest.labels[row].astype(np.int32), len(newest.classes) + kept.labels[row])
        out[row] = np.where(apart[row], both + 1, 0)
    return out


def thumbnail(prediction: Prediction, scene: Scene, height: int) -> QImage:
    """A result over its picture, `height` pixels high."""
    picture, state = scene.picture, scene.state
    if picture is None:
        return QImage()
    rows, columns = prediction.labels.shape
    width = min(2 * height, max(1, round(height * columns / rows)))
    taken = np.ix_(*(np.arange(n) * side // n for n, side in ((height, rows), (width, columns))))
    table = table_of(prediction, scene)
    visible = table[:, 3] > 0
    pixels = np.ascontiguousarray(
        export.overlay_labels(
            picture.pixels[taken], prediction.labels[taken], table[:, :3], visible, prediction.confidence[taken],
            state.minimum, max(state.opacity, 0.4),
        )
    )  # fmt: skip
    return QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
