"""From arrays to Qt's images, and the crop of what a unit sees. The way back is in `segviz.gui.pictures`."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter

from segviz.core.field import Box

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def to_image(pixels: npt.NDArray[np.uint8]) -> QImage:
    """Grey (H, W) or RGB (H, W, 3) bytes as an image that owns its memory."""
    height, width = pixels.shape[:2]
    coloured = pixels.ndim == 3
    form = QImage.Format.Format_RGB888 if coloured else QImage.Format.Format_Grayscale8
    return QImage(pixels.tobytes(), width, height, width * (3 if coloured else 1), form).copy()


def crop(pixels: npt.NDArray[np.uint8], box: Box, longest: int) -> QImage:
    """What lies in `box` (image pixels), at its own aspect, `longest` pixels on the longer side.

    The part outside the image stays transparent; pixels stay square blocks when magnified.
    """
    zoom = longest / max(box.width, box.height, 1e-6)
    out = QImage(max(1, round(box.width * zoom)), max(1, round(box.height * zoom)), QImage.Format.Format_ARGB32)
    out.fill(Qt.GlobalColor.transparent)
    height, width = pixels.shape[:2]
    inside = box.clipped(width, height)
    left, top, right, bottom = floor(inside.left), floor(inside.top), ceil(inside.right), ceil(inside.bottom)
    if right <= left or bottom <= top:
        return out
    step = max(1, floor(0.5 / zoom))  # a crop of a huge image is thinned before it is smoothed
    part = to_image(pixels[top:bottom:step, left:right:step])
    painter = QPainter(out)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom < 1)
    across, down = part.width() * step * zoom, part.height() * step * zoom
    painter.drawImage(QRectF((left - box.left) * zoom, (top - box.top) * zoom, across, down), part)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Clear)
    for rest in _around(inside, box, zoom, out):
        painter.fillRect(rest, Qt.GlobalColor.transparent)
    painter.end()
    return out


def _around(inside: Box, box: Box, zoom: float, out: QImage) -> tuple[QRectF, ...]:
    """The four strips of the crop that lie outside the image."""
    left, top = (inside.left - box.left) * zoom, (inside.top - box.top) * zoom
    right, bottom = (inside.right - box.left) * zoom, (inside.bottom - box.top) * zoom
    return (
        QRectF(0, 0, left, out.height()),
        QRectF(right, 0, out.width() - right, out.height()),
        QRectF(0, 0, out.width(), top),
        QRectF(0, bottom, out.width(), out.height() - bottom),
    )


def hatched(image: QImage, background: QColor, line: QColor) -> QImage:
    """`image` with its transparent part hatched: what a unit sees of the padding is zeros."""
    out = QImage(image.size(), QImage.Format.Format_RGB32)
    painter = QPainter(out)
    painter.fillRect(out.rect(), background)
    painter.fillRect(out.rect(), QBrush(line, Qt.BrushStyle.BDiagPattern))
    painter.drawImage(0, 0, image)
    painter.end()
    return out
