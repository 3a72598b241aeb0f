"""What units see as layers of an image view: chains and paths of boxes, a grey square, the reach of a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from segviz.core.field import Box
from segviz.gui import theme
from segviz.gui.widgets.mark_layers import ACCENT
from segviz.gui.widgets.marks import LIGHT, UNDER, draw_box, draw_cell, draw_chip, draw_corners
from segviz.gui.widgets.projection import Projection

FAINTEST = 0.25  # of the first box of a chain
GREY = QColor(128, 128, 128)
FAINT = 0.6  # opacity of the borders between cells
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
    """The field of one path: its box in image pixels, #rrggbb, and what it is called."""

    box: Box
    colour: str
    text: str


class PathLayer:
    """A box for each path of a network with skips, each with its name on its lower left corner."""

    def __init__(self) -> None:
        self.marks: tuple[PathMarks, ...] = ()

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        for marks in self.marks:
            draw_box(painter, projection.rect(marks.box), QColor(marks.colour))
        taken: list[QRectF] = []
        for marks in self.marks:
            taken.append(_corner_tag(painter, marks, projection.rect(marks.box), area, taken))


def _corner_tag(painter: QPainter, marks: PathMarks, rect: QRectF, area: QRectF, taken: Sequence[QRectF]) -> QRectF:
    """The name of a path in the lower left corner of its box, as far as that is seen, above those that are `taken`."""
    font = theme.numbers(theme.CAPTION)
    painter.save()
    painter.setFont(font)
    words = painter.fontMetrics().size(0, marks.text)
    tag = QRectF(0, 0, words.width() + theme.px(8), words.height() + theme.px(2))
    left = max(area.left(), min(rect.left(), area.right() - tag.width()))
    bottom = min(rect.bottom(), area.bottom())
    tag.moveTo(round(left), round(max(area.top(), bottom - tag.height())))
    while any(tag.intersects(other) for other in taken):
        tag.translate(0, -tag.height())
    painter.fillRect(tag, QColor(marks.colour))
    painter.setPen(UNDER if QColor(marks.colour).lightness() > 110 else LIGHT)
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, marks.text)
    painter.restore()
    return tag


class SquareLayer:
    """The grey square over a part of the image, with corners to catch, and the cells that it can change, dashed."""

    def __init__(self) -> None:
        self.box: Box | None = None
        self.possible: Box | None = None

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        if self.box is None:
            return
        if self.possible is not None:
            _dashed(painter, projection.rect(self.possible))
        rect = projection.rect(self.box)
        painter.fillRect(rect, GREY)
        draw_box(painter, rect, LIGHT)
        draw_corners(painter, rect, ACCENT)


def _dashed(painter: QPainter, rect: QRectF) -> None:
    """The outline of `rect` in dashes, light on dark."""
    painter.save()
    for ink, width, style in ((UNDER, 3.0, Qt.PenStyle.SolidLine), (LIGHT, 1.5, Qt.PenStyle.DashLine)):
        painter.setPen(QPen(ink, width * theme.text_factor(), style))
        painter.drawRect(rect)
    painter.restore()


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

    def __init__(self) -> None:
        self.marks: ReachMarks | None = None

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        marks = self.marks
        if marks is None:
            return
        rect = projection.rect(marks.box)
        _grid(painter, rect, marks.rows, marks.columns)
        _dashed(painter, rect)
        draw_cell(painter, projection.rect(marks.pixel), LIGHT)
        draw_chip(painter, marks.text, rect, area, below=True)  # above stands what is said of the pinned unit


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
