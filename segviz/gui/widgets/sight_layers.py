"""What units see as layers of an image view: chains and paths of boxes, a grey square, the reach of a pixel."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from segviz.core.field import Box
from segviz.gui import theme
from segviz.gui.widgets.labels import Label, Labels, Rank, tag_places, tag_size
from segviz.gui.widgets.mark_layers import ACCENT
from segviz.gui.widgets.marks import LIGHT, cell_mark, draw_box, draw_cell, draw_corners
from segviz.gui.widgets.projection import Projection

FAINTEST = 0.25  # of the first box of a chain
GREY = QColor(128, 128, 128)
FAINT = 0.6  # opacity of the borders between cells
CHANGEABLE_DASHES = (6.0, 3.0)  # of what can be changed: strokes and gaps, see `draw_box`
CLEAR = 3.0  # screen pixels between the dashes and the cells that they surround
FINEST = 5  # screen pixels of a cell from which on its borders are drawn


class ChainLayer:
    """The boxes of a unit's forerunners, from the first layer on in steps of opacity."""

    def __init__(self) -> None:
        self.boxes: tuple[Box, ...] = ()

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        for at, box in enumerate(self.boxes):
            painter.save()
            painter.setOpacity(FAINTEST + (1 - FAINTEST) * at / len(self.boxes))
            draw_box(painter, projection.rect(box), ACCENT)
            painter.restore()


@dataclass(frozen=True, slots=True)
class PathMarks:
    """The field of one path: its box in image pixels, #rrggbb and dashes of its line, and what it is called."""

    box: Box
    colour: str
    dashes: tuple[float, ...]
    text: str


class PathLayer:
    """A box for each path of a network with skips, the widest first, each with its name at an edge of it."""

    def __init__(self, labels: Labels) -> None:
        self.marks: tuple[PathMarks, ...] = ()
        self._labels = labels

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        rects = [projection.rect(marks.box) for marks in self.marks]
        for at, (marks, rect) in enumerate(zip(self.marks, rects, strict=True)):
            colour = QColor(marks.colour)
            draw_box(painter, rect, colour, dashes=marks.dashes)
            smaller = tuple(other.adjusted(-1, -1, 1, 1) for other in rects[at + 1 :])
            places = tag_places(rect, tag_size(marks.text), area)
            self._labels.add(Label(marks.text, rect, places, Rank.PATH, colour, smaller=smaller))


class SquareLayer:
    """The grey square over a part of the image, with corners to catch, and the cells that it can change, dashed.

    `note` is said beside it.
    """

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self.box: Box | None = None
        self.possible: Box | None = None
        self.note = ""

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        if self.box is None:
            return
        if self.possible is not None:
            gap = CLEAR * theme.text_factor()  # beside the outline of what does change, where that is all of it
            _dashed(painter, projection.rect(self.possible).adjusted(-gap, -gap, gap, gap))
        rect = projection.rect(self.box)
        painter.fillRect(rect, GREY)
        draw_box(painter, rect, LIGHT)
        draw_corners(painter, rect, ACCENT)
        self._labels.keep_free(rect)
        if self.note:
            self._labels.chip(self.note, rect, area, projection, Rank.SQUARE, below=True)


def _dashed(painter: QPainter, rect: QRectF) -> None:
    """The outline of `rect` in dashes, light on dark."""
    draw_box(painter, rect, LIGHT, dashes=CHANGEABLE_DASHES)


@dataclass(frozen=True, slots=True)
class ReachMarks:
    """The units that a pixel can change: their cells in `rows` and `columns`, the pixel, a label. In image pixels."""

    box: Box
    rows: int
    columns: int
    pixel: Box
    text: str


class ReachLayer:
    """A projective field: the cells of the units that one pixel can change, and the pixel."""

    def __init__(self, labels: Labels) -> None:
        self.marks: ReachMarks | None = None
        self._labels = labels

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        marks = self.marks
        if marks is None:
            return
        rect = projection.rect(marks.box)
        _grid(painter, rect, marks.rows, marks.columns)
        _dashed(painter, rect)
        draw_cell(painter, projection.rect(marks.pixel), LIGHT)
        self._labels.keep_free(cell_mark(projection.rect(marks.pixel)))
        self._labels.chip(marks.text, rect, area, projection, Rank.REACH, below=True)


def _grid(painter: QPainter, rect: QRectF, rows: int, columns: int) -> None:
    """The borders between the cells of `rect`, where they are wide enough to be told apart."""
    across, down = rect.width() / columns, rect.height() / rows
    if min(across, down) < FINEST * theme.text_factor():
        return
    edges = [rect.left() + column * across for column in range(1, columns)]
    lines = [QLineF(x, rect.top(), x, rect.bottom()) for x in edges]
    edges = [rect.top() + row * down for row in range(1, rows)]
    lines += [QLineF(rect.left(), y, rect.right(), y) for y in edges]
    ink = QColor(LIGHT)
    ink.setAlphaF(FAINT)
    painter.save()
    painter.setPen(QPen(ink, theme.text_factor()))
    painter.drawLines(lines)
    painter.restore()
