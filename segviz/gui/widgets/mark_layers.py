"""Marks as layers of an image view: a unit with its field, a window, the cursor of the other views."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from segviz.core.field import Box
from segviz.gui import theme
from segviz.gui.widgets.labels import Labels, Rank, strip_label
from segviz.gui.widgets.marks import (
    LIGHT,
    cell_mark,
    draw_box,
    draw_cell,
    draw_corners,
    draw_cross,
    draw_hatched,
    draw_tag,
)
from segviz.gui.widgets.projection import Projection

VEIL = 0.55  # of what is below, that it hides
ACCENT = QColor(theme.DARK.accent)  # on a picture in both themes: it lies on its own dark line


@dataclass(frozen=True, slots=True)
class UnitMarks:
    """What is drawn of a unit, in image pixels: the box that it sees, its cell, the field's centre, a label.

    `outside` is said in the part of the field that lies outside the image; '' for nothing.
    """

    field: Box
    cell: Box
    center: tuple[float, float]
    text: str
    outside: str = ""


class VeilLayer:
    """Dims all that lies below it, while `drawn`."""

    def __init__(self) -> None:
        self.drawn = False

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        if self.drawn:
            painter.fillRect(area, theme.tokens().color("surround", VEIL))


class UnitLayer:
    """A receptive field: box, hatching where it leaves the image, the unit's cell, the centre, a label."""

    def __init__(self, labels: Labels) -> None:
        self.marks: UnitMarks | None = None
        self._labels = labels

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        marks, labels = self.marks, self._labels
        if marks is None:
            return
        field, cell = projection.rect(marks.field), projection.rect(marks.cell)
        image = projection.rect(labels.image)
        draw_hatched(painter, field, image, area, ACCENT)
        draw_box(painter, field, ACCENT)
        draw_cell(painter, cell, ACCENT)
        if max(cell.width(), cell.height()) > 12 * theme.text_factor():
            draw_cross(painter, projection.to_view(*marks.center), theme.px(5), LIGHT)
        labels.keep_free(cell_mark(cell))
        labels.chip(marks.text, field, area, projection, Rank.UNIT)
        if marks.outside:
            labels.add(strip_label(marks.outside, field, image, area))


class BoxLayer:
    """One box in the accent colour: the newest window of a sliding window, filled so that one sees it move."""

    def __init__(self) -> None:
        self.box: Box | None = None

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        if self.box is not None:
            draw_cell(painter, projection.rect(self.box), ACCENT)


@dataclass(frozen=True, slots=True)
class WindowMarks:
    """A window to drag, in image pixels, and the (class, probability) of its tag, the best first."""

    box: Box
    rows: tuple[tuple[str, str], ...]


class WindowLayer:
    """A window that a person drags: its frame with corners to catch, and what the network says of it beside it."""

    def __init__(self) -> None:
        self.marks: WindowMarks | None = None

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        if self.marks is None:
            return
        rect = projection.rect(self.marks.box)
        draw_box(painter, rect, LIGHT)
        draw_corners(painter, rect, ACCENT)
        if self.marks.rows:
            draw_tag(painter, self.marks.rows, rect, area)


class CrossLayer:
    """A cross at a pixel: where the mouse is in another view."""

    def __init__(self) -> None:
        self.at: tuple[float, float] | None = None

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        if self.at is not None:
            draw_cross(painter, projection.to_view(*self.at), theme.px(8), LIGHT)
