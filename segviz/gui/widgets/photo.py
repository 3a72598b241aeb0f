"""The photograph as a layer of a view: pixels stay pixels when magnified, smooth when it shrinks. Loads numpy."""

from __future__ import annotations

from math import floor, log2

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from segviz.core.export import DIMMED
from segviz.gui.widgets.projection import Projection

CONVERTED = 8_000_000  # pixels up to which a copy in the screen's format, which paints faster, is worth its memory


class PhotoLayer:
    """Paints `image` with halved copies of it, made when a zoom first needs them.

    With them no paint reads more than four image pixels a screen pixel, so that a photograph of
    24 megapixels pans as fluidly as a small one. `keep` is held for as long as the image uses its memory.
    """

    def __init__(self, image: QImage, keep: object = None) -> None:
        if image.width() * image.height() <= CONVERTED:
            image, keep = image.convertToFormat(QImage.Format.Format_RGB32), None
        self._levels = [image]
        self._keep = keep
        self._grey: tuple[int, QImage] | None = None  # the copy that was last wanted grey, and which it is

    def level(self, zoom: float) -> tuple[QImage, int]:
        """The smallest copy that is still at least as large as shown, and how often it was halved."""
        wanted = max(0, floor(log2(1 / zoom) + 1e-9)) if zoom < 1 else 0
        while len(self._levels) <= wanted and min(self._levels[-1].width(), self._levels[-1].height()) > 1:
            last = self._levels[-1]
            half = last.scaled(
                max(1, last.width() // 2),
                max(1, last.height() // 2),
                Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            self._levels.append(half.convertToFormat(QImage.Format.Format_RGB32))
        index = min(wanted, len(self._levels) - 1)
        return self._levels[index], index

    def grey(self, zoom: float) -> QImage:
        """The copy for this zoom grey and dimmed, so that the colours of what lies on it are the only ones."""
        image, index = self.level(zoom)
        if self._grey is None or self._grey[0] != index:
            self._grey = index, _dimmed(image)
        return self._grey[1]

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        self.draw(painter, projection, self.level(_zoom(painter, projection))[0])

    def draw(self, painter: QPainter, projection: Projection, image: QImage) -> None:
        """Paint `image`, whatever its size, in the place of the photograph."""
        whole = self._levels[0]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, projection.zoom < 1)
        painter.translate(projection.left, projection.top)
        painter.scale(
            projection.zoom * whole.width() / image.width(), projection.zoom * whole.height() / image.height()
        )
        painter.drawImage(0, 0, image)
        painter.restore()


class GreyLayer:
    """The same photograph, grey and dimmed: what signed maps lie on, whose red and blue mean something."""

    def __init__(self, photo: PhotoLayer) -> None:
        self._photo = photo

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        self._photo.draw(painter, projection, self._photo.grey(_zoom(painter, projection)))


def _zoom(painter: QPainter, projection: Projection) -> float:
    """Pixels of the device for each of the image."""
    return projection.zoom * painter.device().devicePixelRatioF()


def _dimmed(image: QImage) -> QImage:
    """A grey and darker copy."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    darker = np.rint(np.arange(256) * DIMMED).astype(np.uint8)
    levels = darker[np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())]
    shown = QImage(levels.data, grey.width(), grey.height(), grey.bytesPerLine(), QImage.Format.Format_Grayscale8)
    return shown.convertToFormat(QImage.Format.Format_RGB32) if image.depth() == 32 else shown.copy()


def photo_of(pixels: npt.NDArray[np.uint8]) -> PhotoLayer:
    """Pixels (H, W, 3) as a layer; a large photograph shares their memory."""
    whole = np.ascontiguousarray(pixels)
    height, width, _ = whole.shape
    return PhotoLayer(QImage(whole.data, width, height, 3 * width, QImage.Format.Format_RGB888), keep=whole)
