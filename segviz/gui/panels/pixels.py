"""From arrays to Qt's images, and the crop of what a unit sees. The way back is in `segviz.gui.pictures`."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QImage, QPainter, QPainterPath

from segviz.core.field import Box
from segviz.gui import theme

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

VEIL, FAINT = 0.45, 0.4  # opacities of what lies over mirrored pixels: the surface, and the lines on it


def to_image(pixels: npt.NDArray[np.uint8]) -> QImage:
    """Grey (H, W) or RGB (H, W, 3) bytes as an image that owns its memory."""
    height, width = pixels.shape[:2]
    coloured = pixels.ndim == 3
    form = QImage.Format.Format_RGB888 if coloured else QImage.Format.Format_Grayscale8
    return QImage(pixels.tobytes(), width, height, width * (3 if coloured else 1), form).copy()


def seen(pixels: npt.NDArray[np.uint8], box: Box, longest: int, colours: theme.Tokens, mirrors: bool = False) -> QImage:
    """What a unit with the field `box` sees, marked where that lies outside the image."""
    height, width = pixels.shape[:2]
    return marked(crop(pixels, box, longest, mirrors), box, (width, height), colours, mirrors)


def crop(pixels: npt.NDArray[np.uint8], box: Box, longest: int, mirrors: bool = False) -> QImage:
    """What lies in `box` (image pixels), at its own aspect, `longest` pixels on the longer side.

    The part outside the image shows it mirrored, or stays transparent; pixels stay square blocks when magnified.
    """
    zoom = longest / max(box.width, box.height, 1e-6)
    out = QImage(max(1, round(box.width * zoom)), max(1, round(box.height * zoom)), QImage.Format.Format_ARGB32)
    out.fill(Qt.GlobalColor.transparent)
    height, width = pixels.shape[:2]
    shown = box if mirrors else box.clipped(width, height)
    left, top, right, bottom = floor(shown.left), floor(shown.top), ceil(shown.right), ceil(shown.bottom)
    if right <= left or bottom <= top:
        return out
    step = max(1, floor(0.5 / zoom))  # a crop of a huge image is thinned before it is smoothed
    part = to_image(_thinned(pixels, (left, top, right, bottom), step, mirrors))
    painter = QPainter(out)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom < 1)
    across, down = part.width() * step * zoom, part.height() * step * zoom
    painter.drawImage(QRectF((left - box.left) * zoom, (top - box.top) * zoom, across, down), part)
    if not mirrors:
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
        painter.fillPath(_beyond(out, box, (width, height)), Qt.GlobalColor.transparent)
    painter.end()
    return out


def _thinned(
    pixels: npt.NDArray[np.uint8], edges: tuple[int, int, int, int], step: int, mirrors: bool
) -> npt.NDArray[np.uint8]:
    """Every so many pixels between edges (left, top, right, bottom), which lie in the image unless it is mirrored."""
    left, top, right, bottom = edges
    if not mirrors:
        return pixels[top:bottom:step, left:right:step]
    import numpy as np

    from segviz.core.images import mirrored

    rows, columns = mirrored(np.arange(top, bottom, step), len(pixels)), np.arange(left, right, step)
    return pixels[np.ix_(rows, mirrored(columns, pixels.shape[1]))]


def marked(image: QImage, box: Box, size: tuple[int, int], colours: theme.Tokens, mirrors: bool = False) -> QImage:
    """A picture of `box`, hatched outside an image of `size` (width, height); what is mirrored shines through."""
    out = QImage(image.size(), QImage.Format.Format_RGB32)
    out.fill(colours.color("raised"))
    beyond = _beyond(out, box, size)
    veil, lines = colours.color("raised"), colours.color("dim")
    if mirrors:
        veil, lines = colours.color("raised", VEIL), colours.color("text", FAINT)  # strong enough on any pixel
    painter = QPainter(out)
    painter.drawImage(0, 0, image)
    painter.fillPath(beyond, veil)
    painter.fillPath(beyond, QBrush(lines, Qt.BrushStyle.BDiagPattern))
    painter.end()
    return out


def _beyond(picture: QImage, box: Box, size: tuple[int, int]) -> QPainterPath:
    """The part of a picture of `box` that lies outside an image of `size` (width, height)."""
    zoom_x, zoom_y = picture.width() / max(box.width, 1e-6), picture.height() / max(box.height, 1e-6)
    inside = box.clipped(*size)
    around, image = QPainterPath(), QPainterPath()
    around.addRect(QRectF(picture.rect()))
    left, top = (inside.left - box.left) * zoom_x, (inside.top - box.top) * zoom_y
    image.addRect(QRectF(left, top, inside.width * zoom_x, inside.height * zoom_y))
    return around.subtracted(image)
