"""What units see as layers of an image view: chains and paths of boxes, a grey square, the reach of a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen

from segviz.core.field import Box
from segviz.gui import theme
from segviz.gui.widgets.mark_layers import ACCENT, UnitLayer
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
    """A box for each path of a network with skips, each with its name in a corner of it."""

    def __init__(self) -> None:
        self.marks: tuple[PathMarks, ...] = ()

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        for marks in self.marks:
            draw_box(painter, projection.rect(marks.box), QColor(marks.colour))
        rects = [projection.rect(marks.box) for marks in self.marks]
        metrics = QFontMetrics(theme.numbers(theme.CAPTION))
        sizes = [
            QSizeF(metrics.horizontalAdvance(marks.text) + theme.px(8), metrics.height() + theme.px(2))
            for marks in self.marks
        ]
        for marks, tag in zip(self.marks, placed_tags(rects, sizes, area), strict=True):
            if not tag.isEmpty():
                _paint_tag(painter, marks, tag)


def _paint_tag(painter: QPainter, marks: PathMarks, tag: QRectF) -> None:
    painter.save()
    painter.setFont(theme.numbers(theme.CAPTION))
    painter.fillRect(tag, QColor(marks.colour))
    painter.setPen(UNDER if QColor(marks.colour).lightness() > 110 else LIGHT)
    painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, marks.text)
    painter.restore()


def placed_tags(rects: Sequence[QRectF], sizes: Sequence[QSizeF], area: QRectF) -> list[QRectF]:
    """Where the names of boxes stand, the widest box first: none on another, each at an edge of its own box.

    Of a box that `area` does not show the name is empty, too. A corner that it shows is better than one beyond it, a
    place inside the box than one beside it. Least of all may a name cover that of another, or a smaller box.
    """
    found: list[QRectF] = []
    for at, (rect, size) in enumerate(zip(rects, sizes, strict=True)):
        if not rect.intersects(area):
            found.append(QRectF())
            continue
        tags = _tags_at(rect, size, area)
        smaller = [other.adjusted(-1, -1, 1, 1) for other in rects[at + 1 :]]
        found.append(min(tags, key=lambda tag: _trouble(tag, found, smaller, area)))
        while (
            any(found[-1].intersects(other) for other in found[:-1]) and found[-1].top() >= area.top() + size.height()
        ):
            found[-1].translate(0, -size.height())
    return found


def _tags_at(rect: QRectF, size: QSizeF, area: QRectF) -> list[QRectF]:
    """The places at a box, the better first: corners that are seen, then those where it leaves `area`."""
    seen = rect.intersected(area)
    lefts, tops = (seen.left(), seen.right() - size.width()), (seen.bottom() - size.height(), seen.top())
    beyond = {
        lefts[0]: rect.left() < area.left(),
        lefts[1]: rect.right() > area.right(),
        tops[0]: rect.bottom() > area.bottom(),
        tops[1]: rect.top() < area.top(),
    }
    inside = sorted(((x, y) for y in tops for x in lefts), key=lambda place: beyond[place[0]] + beyond[place[1]])
    gap = theme.px(2)
    under, over = seen.bottom() + gap, seen.top() - size.height() - gap
    beside = [
        (lefts[0], under),
        (lefts[1], under),
        (seen.right() + gap, tops[0]),
        (seen.left() - size.width() - gap, tops[0]),
    ]
    beside += [
        (lefts[0], over),
        (lefts[1], over),
        (seen.right() + gap, tops[1]),
        (seen.left() - size.width() - gap, tops[1]),
    ]
    return [QRectF(round(x), round(y), size.width(), size.height()) for x, y in (*inside, *beside)]


def _trouble(tag: QRectF, taken: Sequence[QRectF], smaller: Sequence[QRectF], area: QRectF) -> tuple[bool, int]:
    """How bad a place is: names on names or outside what is seen first, then how many smaller boxes it covers."""
    covered = not area.contains(tag) or any(tag.intersects(other) for other in taken)
    return covered, sum(tag.intersects(other) for other in smaller)


class SquareLayer:
    """The grey square over a part of the image, with corners to catch, and the cells that it can change, dashed.

    `note` is said beside it.
    """

    def __init__(self) -> None:
        self.box: Box | None = None
        self.possible: Box | None = None
        self.note = ""

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        if self.box is None:
            return
        if self.possible is not None:
            _dashed(painter, projection.rect(self.possible))
        rect = projection.rect(self.box)
        painter.fillRect(rect, GREY)
        draw_box(painter, rect, LIGHT)
        draw_corners(painter, rect, ACCENT)
        if self.note:
            draw_chip(painter, self.note, rect, area, below=True)


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
    """A projective field: the cells of the units that one pixel can change, and the pixel.

    `below` is what is painted before and has a label of its own.
    """

    def __init__(self, below: UnitLayer | None = None) -> None:
        self.marks: ReachMarks | None = None
        self._below = below

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        marks = self.marks
        if marks is None:
            return
        rect = projection.rect(marks.box)
        _grid(painter, rect, marks.rows, marks.columns)
        _dashed(painter, rect)
        draw_cell(painter, projection.rect(marks.pixel), LIGHT)
        taken = self._below.label if self._below is not None else None
        draw_chip(painter, marks.text, rect, area, below=True, taken=taken)


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
