"""A layer's volume as a glyph: its height from the map's size, its width from the channels.

Both on logarithmic scales, since a network spans 3 to 1,280 channels and 1,024 to 7 pixels.
"""

from __future__ import annotations

from math import log2

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPen

from segviz.gui import theme

LEAST = 2.0  # no side is thinner
MOST_CHANNELS = 1280
OCTAVES_SHOWN = 7.0  # a map 2**7 times smaller than the image is as flat as a glyph gets


def volume_size(channels: int, side: float, largest: float) -> tuple[float, float]:
    """(width, height), in 0 to 1 of the glyph's room, of a layer of `channels` maps of `side` units.

    `largest` is the side of the image: its glyph fills the height.
    """
    wide = log2(max(1, channels)) / log2(MOST_CHANNELS)
    tall = 1 - max(0.0, log2(max(1.0, largest) / max(1.0, side))) / OCTAVES_SHOWN
    return min(1.0, wide * wide), max(0.0, min(1.0, tall))


def paint_volume(painter: QPainter, room: QRectF, size: tuple[float, float], t: theme.Tokens) -> None:
    """Paint a glyph at the left of `room`, centred in its height."""
    wide, tall = max(LEAST, size[0] * room.width()), max(LEAST + 2, size[1] * room.height())
    box = QRectF(room.left() + 0.5, room.center().y() - tall / 2, wide, tall)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(t.color("accent"), 1))
    painter.setBrush(t.color("accent", 0.35))
    painter.drawRoundedRect(box, 1, 1)
    painter.restore()
