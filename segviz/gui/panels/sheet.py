"""A contact sheet: many small pictures with captions on one, to copy or to save."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, sqrt
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QFontMetrics, QImage, QPainter

from segviz.gui import kinds, pictures, theme

if TYPE_CHECKING:
    from segviz.gui.panels.base import Commands

SMALLEST, LARGEST = 64, 256  # longer side of a tile
WIDEST = 4096  # of the sheet


class Sheet(NamedTuple):
    """What the sheet holds: a title, and `tiles` of `aspect` whose longer side has `native` pixels."""

    title: str
    tiles: int
    aspect: float
    native: int


Paint = Callable[[], QImage]  # of a sheet as it was when it was asked for, in any thread


def copy_sheet(commands: Commands, paint: Paint | None) -> None:
    """Copy what `paint` paints beside the window's thread: a sheet may have thousands of tiles."""
    if paint is not None:
        commands.copy_made(paint)


def save_sheet(commands: Commands, paint: Paint | None, name: str) -> None:
    """Ask where, `name` to begin with, and save it as PNG; it is painted where it is written."""
    if paint is not None:
        commands.save_with(f"{name}.png", kinds.PNG, lambda path: pictures.save_png(paint(), path))


def contact_sheet(what: Sheet, tile: Callable[[int], QImage], caption: Callable[[int], str], t: theme.Tokens) -> QImage:
    """The tiles in rows, wider than tall."""
    longest = max(SMALLEST, min(LARGEST, what.native * ceil(SMALLEST / max(1, what.native))))
    wide = longest if what.aspect >= 1 else max(8, round(longest * what.aspect))
    tall = longest if what.aspect < 1 else max(8, round(longest / what.aspect))
    text = QFontMetrics(theme.caption()).height()
    gap, margin, head = theme.S, theme.L, QFontMetrics(theme.title()).height() + theme.S
    columns = ceil(sqrt(what.tiles * 1.6 * (tall + text) / wide))
    columns = max(1, min(columns, what.tiles, WIDEST // (wide + gap)))
    rows = ceil(what.tiles / columns)
    width = max(columns * (wide + gap) - gap, QFontMetrics(theme.title()).horizontalAdvance(what.title))
    height = head + rows * (tall + text + gap)
    out = QImage(width + 2 * margin, height + 2 * margin, QImage.Format.Format_RGB32)
    out.fill(t.color("panel"))
    painter = QPainter(out)
    painter.setPen(t.color("text"))
    painter.setFont(theme.title())
    painter.drawText(QRect(margin, margin, width, head), Qt.AlignmentFlag.AlignLeft, what.title)
    painter.setFont(theme.caption())
    for index in range(what.tiles):
        row, column = divmod(index, columns)
        place = QRect(margin + column * (wide + gap), margin + head + row * (tall + text + gap), wide, tall)
        image = tile(index)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, image.width() > wide)
        painter.drawImage(place, image)
        under = QRect(place.left(), place.bottom() + 1, wide, text)
        painter.drawText(under, Qt.AlignmentFlag.AlignLeft, caption(index))
    painter.end()
    return out
