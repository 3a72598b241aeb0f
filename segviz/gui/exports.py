"""What can leave the window as a file: one table, from which the export dialog is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from segviz.core import catalogue, export, palettes, scores
from segviz.core.choices import View
from segviz.core.field import Box
from segviz.gui import comparing, gestures, pictures, tables, theme
from segviz.gui.background import interruptible
from segviz.gui.kinds import CSV, GIF, NPZ, PNG, SVG
from segviz.gui.panels.base import SaveFunction
from segviz.gui.scene import Scene, pinned
from segviz.gui.widgets.image_view import rendered
from segviz.gui.widgets.network_board import image_of, svg_of
from segviz.gui.widgets.network_paint import Figure
from segviz.gui.widgets.painted import elided

if TYPE_CHECKING:
    from segviz.core.images import Picture
    from segviz.gui.canvas import Canvas

Bytes = npt.NDArray[np.uint8]
Answer = TypeVar("Answer")
LARGEST_VIEW = 40_000_000  # pixels of a picture that is larger than its image: painting them takes 20 bytes each
WALK_SIDE = 640  # longest side of the layer walk's frames
WALK_STEP = 600  # ms that each layer stays


@dataclass(frozen=True, slots=True)
class Export:
    """One kind of file. `prepare` runs in the window once it is known where to, and gives what writes it elsewhere."""

    id: str
    text: str
    hint: str
    suffix: str
    kinds: str
    ready: Callable[[Scene], bool]
    missing: str
    prepare: Callable[[Scene, Canvas, float], SaveFunction]
    scaled: bool = False  # whether a scale can be chosen


# ------------------------------------------------------------------------------------ pictures


def _view(scene: Scene, canvas: Canvas, scale: float) -> SaveFunction:
    ground, factor, chain = canvas.view.ground, view_scale(_there(scene.picture), scale), canvas.chain
    return lambda path: pictures.save_png(whole_view(scene, factor, ground, chain), path)


def whole_view(scene: Scene, scale: float, ground: QColor, chain: tuple[Box, ...] | None = None) -> QImage:
    """The image with everything that the canvas paints on it; `chain`: the boxes of its filmstrip, None without one.

    In any thread: no view shows these layers.
    """
    from segviz.gui.overlays import Overlays

    if comparing.is_side_by_side(scene):
        return side_view(scene, scale, ground)
    overlays, picture = Overlays(), _there(scene.picture)
    if chain is not None:
        overlays.sight.show_chain(chain)
    overlays.show(None, scene)
    return rendered((picture.width, picture.height), interruptible(overlays.layers), scale, ground)


def side_view(scene: Scene, scale: float, ground: QColor) -> QImage:
    """The results that are compared side by side, each under its name. In any thread."""
    results, picture = comparing.side_by_side(scene), _there(scene.picture)
    most = max(1.0, sqrt(LARGEST_VIEW / (len(results) * picture.width * picture.height)))
    parts = [whole_view(comparing.scene_of(scene, one), min(scale, most), ground) for one in results]
    head, gap = theme.px(28), theme.px(theme.S)
    width, height = parts[0].width(), parts[0].height()
    image = QImage(len(parts) * (width + gap) - gap, height + head, QImage.Format.Format_RGB32)
    image.fill(ground)
    painter = QPainter(image)
    painter.setPen(theme.tokens().color("text"))
    painter.setFont(theme.body(strong=True))
    for number, (part, result) in enumerate(zip(parts, results, strict=True)):
        left = number * (width + gap)
        name = elided(result.title, theme.body(strong=True), width - gap)
        painter.drawText(QRectF(left + gap / 2, 0, width - gap, head), Qt.AlignmentFlag.AlignVCenter, name)
        painter.drawImage(left, head, part)
    painter.end()
    return image


def view_scale(picture: Picture, wanted: float) -> float:
    """`wanted`, or as much of it as makes LARGEST_VIEW pixels; an image's own size is always free."""
    return min(wanted, max(1.0, sqrt(LARGEST_VIEW / (picture.width * picture.height))))


def view_size(picture: Picture, wanted: float) -> str:
    """What will be saved: '512 × 340 pixels', and why it is not what was wanted."""
    scale = view_scale(picture, wanted)
    size = f"{round(picture.width * scale):,} × {round(picture.height * scale):,} pixels"
    return size if scale == wanted else f"{size}: more than {LARGEST_VIEW // 1_000_000} megapixels are not painted"


def _shown(scene: Scene, canvas: Canvas, scale: float) -> SaveFunction:
    image = canvas.view.grab().toImage()
    return lambda path: pictures.save_png(image, path)


def _image(scene: Scene, canvas: Canvas, scale: float) -> SaveFunction:
    pixels = _there(scene.picture).pixels
    return lambda path: export.save_picture(path, pixels)


def _labels(scene: Scene, canvas: Canvas, scale: float) -> SaveFunction:
    found = _there(scene.prediction)
    return lambda path: export.save_labels(path, found.labels, len(found.classes), scene.state.palette)


def _overlay(scene: Scene, canvas: Canvas, scale: float) -> SaveFunction:
    found, state, pixels = _there(scene.prediction), scene.state, _there(scene.picture).pixels
    if state.view is View.HEATMAP:
        shown = scene.shown_class or 0
        table = palettes.heat_table(state.colour_map, state.heat_minimum)
        return lambda path: export.save_picture(
            path, export.overlay_heat(pixels, scores.heatmap(found, shown), table, state.heat_opacity)
        )
    count = len(found.classes)
    colours = palettes.class_colours(state.palette, count)
    visible = palettes.visible_classes(count, state.hidden, state.solo, catalogue.background(found.classes))
    return lambda path: export.save_picture(
        path,
        export.overlay_labels(pixels, found.labels, colours, visible, found.confidence, state.minimum, state.opacity),
    )


def _probabilities(scene: Scene, canvas: Canvas, scale: float) -> SaveFunction:
    found = _there(scene.prediction)
    return lambda path: export.save_probabilities(path, scores.softmax(found.logits), found.lattice)


def _table(rows: tables.Rows) -> SaveFunction:
    return lambda path: export.save_table(path, rows)


def _there(answer: Answer | None) -> Answer:
    """What `ready` has found to be there."""
    assert answer is not None
    return answer


# ----------------------------------------------------------------------------------- animation


def _walk(scene: Scene, canvas: Canvas, scale: float) -> SaveFunction:
    return lambda path: export.save_animation(path, interruptible(walk_frames(scene)), WALK_STEP)


def walk_frames(scene: Scene) -> Iterator[Bytes]:
    """The box of the unit at the cursor in every layer, growing over the image: uint8 (H, W, 3) each. In any thread."""
    network, picture = _there(scene.network), _there(scene.picture)
    height, width = picture.pixels.shape[:2]
    zoom = min(1.0, WALK_SIDE / max(height, width))
    pixels = np.ascontiguousarray(picture.pixels)
    small = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888).scaled(
        max(1, round(width * zoom)), max(1, round(height * zoom)), mode=Qt.TransformationMode.SmoothTransformation
    )
    cursor = scene.state.cursor or (width / 2, height / 2)
    boxes: list[QRectF] = []
    for layer in gestures.top_rows(network):
        at = replace(scene, state=replace(scene.state, cursor=cursor))
        unit = pinned(replace(at, state=replace(at.state, **gestures.select_layer(at, layer))))
        if unit is None:
            continue
        box = unit.field
        boxes.append(QRectF(box.left * zoom, box.top * zoom, box.width * zoom, box.height * zoom))
        yield _frame(small, boxes, f"{layer}  {box.width:.0f} × {box.height:.0f} px")


def _frame(photograph: QImage, boxes: list[QRectF], words: str) -> Bytes:
    image = photograph.convertToFormat(QImage.Format.Format_RGB888)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    newest = len(boxes) - 1
    for index, box in enumerate(boxes):
        strength = 1.0 if index == newest else 0.35
        for color, width in ((QColor(0, 0, 0), 3.0), (theme.DARK.color("accent"), 1.5)):
            color.setAlphaF(strength)
            painter.setPen(QPen(color, width))
            painter.drawRect(box)
    painter.setFont(theme.body(strong=True))
    label = painter.fontMetrics().boundingRect(words).adjusted(-8, -4, 8, 4)
    label.moveTopLeft(image.rect().topLeft())
    painter.fillRect(label, QColor(0, 0, 0, 200))
    painter.setPen(QColor("white"))
    painter.drawText(label, Qt.AlignmentFlag.AlignCenter, words)
    painter.end()
    return pictures.to_array(image)


# ------------------------------------------------------------------------------------- network


def _network(scene: Scene, canvas: Canvas, scale: float) -> SaveFunction:
    figure, look = _figure(scene), theme.tokens()
    return lambda path: pictures.save_png(image_of(figure, look), path)


def _network_drawing(scene: Scene, canvas: Canvas, scale: float) -> SaveFunction:
    drawing = svg_of(_figure(scene), theme.tokens(), _there(scene.network).title)
    return lambda path: export.replace_file(path, lambda part: part.write_bytes(drawing))


def _figure(scene: Scene) -> Figure:
    from segviz.gui.network_figure import Figures

    return _there(Figures().figure(scene))


# --------------------------------------------------------------------------------------- table

EXPORTS: tuple[Export, ...] = (
    Export("view", "Whole image", "the whole image with everything painted on it, at a scale of its own pixels",
           "view.png", PNG,
           lambda scene: scene.picture is not None, "open an image first", _view, scaled=True),
    Export("image", "Image alone", "the image, or the drawing, with nothing painted on it", "image.png", PNG,
           lambda scene: scene.picture is not None, "open an image first", _image),
    Export("overlay", "Overlay", "labels or heatmap over the photograph, pixel for pixel", "overlay.png", PNG,
           lambda scene: scene.prediction is not None and scene.picture is not None, "run a network first", _overlay),
    Export("window", "What the window shows now", "the middle of the window as it is, zoomed and moved",
           "window.png", PNG, lambda scene: scene.picture is not None, "open an image first", _shown),
    Export("labels", "Label map", "class numbers: an indexed PNG up to 256 classes, above a PNG of 16 bit",
           "labels.png", PNG,
           lambda scene: scene.prediction is not None, "run a network first", _labels),
    Export("probabilities", "Probabilities", "classes × rows × columns of the network's grid, with stride and start",
           "probabilities.npz", NPZ, lambda scene: scene.prediction is not None, "run a network first", _probabilities),
    Export("layers", "Layer table", "shapes, parameters, cost and receptive fields", "layers.csv", CSV,
           lambda scene: scene.network is not None, "choose a network first",
           lambda scene, canvas, scale: _table(tables.layer_rows(_there(scene.network)))),
    Export("network", "Picture of the network", "all layers as volumes to scale", "network.png", PNG,
           lambda scene: scene.network is not None, "choose a network first", _network),
    Export("network-drawing", "Drawing of the network", "the same as SVG, in which text stays text", "network.svg", SVG,
           lambda scene: scene.network is not None, "choose a network first", _network_drawing),
    Export("classes", "Class table", "the classes that label the image, with their shares", "classes.csv", CSV,
           lambda scene: scene.prediction is not None, "run a network first",
           lambda scene, canvas, scale: _table(tables.class_rows(_there(scene.prediction)))),
    Export("race", "Race table", "times, outputs and differences of the last race", "race.csv", CSV,
           lambda scene: scene.race is not None, "run a race first",
           lambda scene, canvas, scale: _table(tables.race_rows(_there(scene.race)))),
    Export("walk", "Layer walk", "the receptive field growing through the layers, as an animation", "layers.gif", GIF,
           lambda scene: scene.network is not None and scene.picture is not None, "choose an image and a network first",
           _walk),
)  # fmt: skip
