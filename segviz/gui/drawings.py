"""What is painted, as a drawing: an SVG file whose lines stay lines and whose text stays text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QBuffer, QRect, QSize
from PySide6.QtGui import QPainter

from segviz.gui import theme

if TYPE_CHECKING:
    from pyqtgraph import PlotWidget

SCREEN = 96  # dots an inch, of which pixels of type are counted


def as_svg(size: QSize, title: str, paint: Callable[[QPainter], object], resolution: int = SCREEN) -> bytes:
    """What `paint` paints on `size`, as SVG. At another `resolution` than that of `paint` type grows or shrinks."""
    from PySide6.QtSvg import QSvgGenerator  # not needed before something is saved

    buffer, drawing = QBuffer(), QSvgGenerator()
    drawing.setOutputDevice(buffer)
    drawing.setSize(size)
    drawing.setViewBox(QRect(0, 0, size.width(), size.height()))
    drawing.setResolution(resolution)
    drawing.setTitle(title)
    painter = QPainter(drawing)
    paint(painter)
    painter.end()
    return bytes(buffer.data().data())


def plot_svg(plot: PlotWidget, title: str) -> bytes:
    """A plot as SVG: pyqtgraph's own exporter stumbles over curves of two points."""

    def paint(painter: QPainter) -> None:
        painter.fillRect(plot.rect(), theme.tokens(plot.palette()).color("panel"))
        plot.render(painter)

    # At the screen's resolution, or the axes, which are recorded, shrink beside the curves.
    return as_svg(plot.size(), title, paint, plot.logicalDpiX())
