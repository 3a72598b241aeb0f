"""How an image lies in a view: the one place where pixel positions become places on the screen.

In `core` the centre of a pixel is an integer and a box is given by pixel edges. On the screen the
edge of the first pixel is 0. The half pixel between the two is added in `to_view` and taken away
in `to_pixel`, and nowhere else in the window.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from segviz.core.field import Box

HALF = 0.5  # from a pixel's centre to its edge


@dataclass(frozen=True, slots=True)
class Projection:
    """`zoom` screen pixels per image pixel; (`left`, `top`) is where the image's corner is on the screen."""

    zoom: float = 1.0
    left: float = 0.0
    top: float = 0.0

    def to_view(self, x: float, y: float) -> QPointF:
        """Where the pixel centre (x, y) is on the screen."""
        return QPointF(self.left + (x + HALF) * self.zoom, self.top + (y + HALF) * self.zoom)

    def to_pixel(self, point: QPointF) -> tuple[float, float]:
        """(x, y) of the image at a place on the screen, pixel centres being integers."""
        return (point.x() - self.left) / self.zoom - HALF, (point.y() - self.top) / self.zoom - HALF

    def to_edges(self, point: QPointF) -> tuple[float, float]:
        """(x, y) of the image at a place on the screen in pixel edges: what a pen paints at."""
        return (point.x() - self.left) / self.zoom, (point.y() - self.top) / self.zoom

    def rect(self, box: Box) -> QRectF:
        """Where a box of pixel edges is on the screen."""
        return QRectF(
            self.left + box.left * self.zoom,
            self.top + box.top * self.zoom,
            (box.right - box.left) * self.zoom,
            (box.bottom - box.top) * self.zoom,
        )

    def zoomed(self, zoom: float, about: QPointF) -> Projection:
        """At another zoom, with the image staying where it is under `about`."""
        ratio = zoom / self.zoom
        return Projection(zoom, about.x() - (about.x() - self.left) * ratio, about.y() - (about.y() - self.top) * ratio)

    def moved(self, dx: float, dy: float) -> Projection:
        return Projection(self.zoom, self.left + dx, self.top + dy)


def centred(zoom: float, width: float, height: float, view_width: float, view_height: float) -> Projection:
    """An image of `width` x `height` pixels in the middle of a view; its corner lies on whole screen pixels."""
    return Projection(zoom, round((view_width - width * zoom) / 2), round((view_height - height * zoom) / 2))


def fitting(width: float, height: float, view_width: float, view_height: float, margin: float) -> Projection:
    """The whole image, as large as it fits with `margin` around it."""
    room_x, room_y = max(1.0, view_width - 2 * margin), max(1.0, view_height - 2 * margin)
    zoom = min(room_x / width, room_y / height)
    return centred(zoom, width, height, view_width, view_height)
