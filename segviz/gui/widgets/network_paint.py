"""The picture of a network on a painter: boxes, wires, and the light of a receptive field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import copysign

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from segviz.core.field import Box
from segviz.core.folding import Volume
from segviz.core.volume_layout import Arc, Plan, Solid
from segviz.gui import theme
from segviz.gui.widgets.projection import Projection
from segviz.gui.widgets.volumes import front_face, paint_box, right_face, top_face

CORNER = 14.0  # radius of an arc's corners
HEAD = 4.0  # of an arrow
SMALLEST = 4.0  # pixels of what is lit
LIT, LIT_IMAGE, BEAM = 0.34, 0.12, 0.12  # how strong the light is: on volumes, on the image, between volumes
PLATES = 3  # lines on the front of a folded block


@dataclass(frozen=True)
class Figure:
    """What is drawn: a plan, the words for its items, and what is lit.

    `lit` are the parts of volumes that the pinned unit needs, in shares of columns and rows; `photograph` is drawn on
    the image's face. `unit` says in words which unit that is, `notes` are said below volumes where there is room, and
    `remarks` above items that differ from what they were.
    """

    plan: Plan
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    selected: int | None = None
    hovered: int | None = None
    lit: Mapping[int, Box] = field(default_factory=dict)
    photograph: QImage | None = None
    unit: str = ""
    remarks: Mapping[int, str] = field(default_factory=dict)


class NetworkPainter:
    """Paints one figure at one projection. Text and lines keep their size whatever the zoom."""

    def __init__(self, painter: QPainter, figure: Figure, at: Projection, area: QRectF, t: theme.Tokens) -> None:
        self._painter, self._figure, self._at, self._area, self._t = painter, figure, at, area, t
        self._plan = figure.plan
        self.counts: dict[str, QRectF] = {}  # where the counts of folded blocks are, by their names
        self.remarks: list[QRectF] = []  # where remarks are

    def paint(self) -> None:
        painter = self._painter
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._wires()
        for place in self._visible():
            self._beams(place)
            self._item(place)
        self._remarks()
        painter.restore()

    # -------------------------------------------------------------------------------- geometry

    def _point(self, x: float, y: float) -> QPointF:
        return QPointF(self._at.left + x * self._at.zoom, self._at.top + y * self._at.zoom)

    def _front(self, solid: Solid) -> QRectF:
        corner = self._point(solid.left, solid.top + solid.back_y)
        return QRectF(corner.x(), corner.y(), solid.depth * self._at.zoom, solid.height * self._at.zoom)

    def _back(self, solid: Solid) -> QPointF:
        return QPointF(solid.back_x, -solid.back_y) * self._at.zoom

    def _visible(self) -> Iterator[int]:
        for place, solid in enumerate(self._plan.solids):
            left, right = self._point(solid.left, 0).x(), self._point(solid.right, 0).x()
            if right >= self._area.left() - 40 and left <= self._area.right() + 40:
                yield place

    # ----------------------------------------------------------------------------------- wires

    def _wires(self) -> None:
        painter, plan = self._painter, self._plan
        for wire in plan.straight:
            source, target = plan.solids[wire.source], plan.solids[wire.target]
            painter.setPen(QPen(self._t.color("dim", 0.8), 1))
            start = self._point(source.right - source.back_x / 2, 0)
            if not source.depth:
                start = self._point(source.right, 0)
            end = self._point(target.left, 0)
            painter.drawLine(start, end)
            self._head(end, QPointF(1, 0))
        touched = self._touched()
        for arc in sorted(plan.arcs, key=lambda arc: bool(touched & {arc.wire.source, arc.wire.target})):
            self._arc(arc, bool(touched & {arc.wire.source, arc.wire.target}))

    def _touched(self) -> set[int]:
        return {place for place in (self._figure.selected, self._figure.hovered) if place is not None}

    def _arc(self, arc: Arc, bright: bool) -> None:
        start, end = self._point(*arc.start), self._point(*arc.end)
        level = self._point(0, arc.level).y()
        pen = QPen(self._t.color("accent" if bright else "dim", 1.0 if bright else 0.75), 1.5 if bright else 1)
        if arc.wire.gate:
            pen.setStyle(Qt.PenStyle.DashLine)
        self._painter.setPen(pen)
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.drawPath(bridge(start, end, level))
        self._head(end, QPointF(0, 1))

    def _head(self, at: QPointF, way: QPointF) -> None:
        side = QPointF(-way.y(), way.x())
        size = HEAD * theme.text_factor()
        self._painter.setBrush(self._painter.pen().color())
        pen = self._painter.pen()
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.drawPolygon(
            QPolygonF([at, at - way * size * 1.5 + side * size * 0.6, at - way * size * 1.5 - side * size * 0.6])
        )
        self._painter.setPen(pen)

    # ----------------------------------------------------------------------------------- items

    def _item(self, place: int) -> None:
        item, solid = self._plan.scheme.items[place], self._plan.solids[place]
        if not isinstance(item, Volume):
            self._join(solid, item.gated, place)
            return
        front, back = self._front(solid), self._back(solid)
        chosen = place == self._figure.selected
        tone = "accent" if chosen else ("text" if place == self._figure.hovered else "dim")
        self._ground(front, back)
        paint_box(self._painter, front, back, self._t, tone, 1.5 if chosen else 1.0)
        if item.folded:
            self._plates(front, back, tone)
            self._count(front, back, item, tone)
        if place == 0 and self._figure.photograph is not None:
            self._photograph(front, back)
        if place in self._figure.lit:
            self._light(place, solid)

    def _ground(self, front: QRectF, back: QPointF) -> None:
        """Hide wires behind the box."""
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(self._t.color("surround"))
        for face in (front_face(front), top_face(front, back), right_face(front, back)):
            self._painter.drawPolygon(face)

    def _plates(self, front: QRectF, back: QPointF, tone: str) -> None:
        """A folded block: lines as between the pages of a book."""
        self._painter.setPen(QPen(self._t.color(tone, 0.5), 1))
        for at in range(1, PLATES):
            x = front.left() + front.width() * at / PLATES
            self._painter.drawLine(QPointF(x, front.top()), QPointF(x, front.bottom()))
            self._painter.drawLine(QPointF(x, front.top()), QPointF(x, front.top()) + back)

    def _count(self, front: QRectF, back: QPointF, block: Volume, tone: str) -> None:
        """How many volumes a block unfolds into, above it."""
        font, text = theme.numbers(theme.CAPTION), f"×{block.folded}"
        wide = QFontMetricsF(font).horizontalAdvance(text)
        middle, tall = front.left() + (front.width() + back.x()) / 2, QFontMetricsF(font).height()
        self._painter.setFont(font)
        self._painter.setPen(self._t.color("accent" if tone == "accent" else "dim"))
        place = QRectF(middle - wide / 2, front.top() + back.y() - tall, wide + 1, tall)
        if any(place.intersects(other) for other in self.counts.values()):
            return
        self.counts[block.name] = place
        self._painter.fillRect(place.adjusted(0, 2, 0, -1), self._t.color("surround", 0.85))  # an arc may end here
        self._painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _remarks(self) -> None:
        """What is another here than in the real network, above the volumes and what else is written there."""
        for place in self._visible():
            if place in self._figure.remarks:
                solid, taken = self._plan.solids[place], (*self.counts.values(), *self.remarks)
                text = self._figure.remarks[place]
                self.remarks.append(self._remark(self._front(solid), self._back(solid), text, taken))

    def _remark(self, front: QRectF, back: QPointF, text: str, taken: Sequence[QRectF]) -> QRectF:
        """Write `text` above the volume, clear of what is `taken`; returns where it is."""
        font = theme.caption()
        metrics = QFontMetricsF(font)
        wide, tall = metrics.horizontalAdvance(text), metrics.height()
        middle = front.left() + (front.width() + back.x()) / 2
        left = max(self._area.left() + 4, min(middle - wide / 2, self._area.right() - wide - 4))
        place = QRectF(left - 2, front.top() + back.y() - tall - 1, wide + 4, tall)
        while any(place.intersects(other) for other in taken) and place.top() > self._area.top():
            place.translate(0, -tall)
        place.moveTop(max(self._area.top(), place.top()))
        self._painter.fillRect(place, self._t.color("surround", 0.85))
        self._painter.setFont(font)
        self._painter.setPen(self._t.color("warn"))
        self._painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
        return place

    def _join(self, solid: Solid, gated: bool, place: int) -> None:
        tone = "text" if place == self._figure.hovered else "dim"
        radius = solid.height / 2 * self._at.zoom
        paint_join(self._painter, self._point(solid.middle, 0), radius, self._t, tone, gated)

    def _photograph(self, front: QRectF, back: QPointF) -> None:
        """The image on the face of its volume."""
        image = self._figure.photograph
        assert image is not None
        corner = front.topRight()
        self._painter.save()
        self._painter.setTransform(
            QTransform(back.x() / image.width(), back.y() / image.width(), 0, front.height() / image.height(),
                       corner.x(), corner.y()),
            True,
        )  # fmt: skip
        self._painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._painter.drawImage(QPointF(0, 0), image)
        self._painter.restore()

    # ----------------------------------------------------------------------------------- light

    def _patch(self, solid: Solid, box: Box, near: bool = True) -> QPolygonF:
        corners = ((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom))
        return QPolygonF([self._point(*solid.on_map(x, y, near)) for x, y in corners])

    def _light(self, place: int, solid: Solid) -> None:
        """The units that are needed, on the face; what is too small to be seen as a dot."""
        patch, least = self._patch(solid, self._figure.lit[place]), SMALLEST * theme.text_factor()
        painter, bounds = self._painter, patch.boundingRect()
        if bounds.height() < least and bounds.width() < least:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._t.color("accent"))
            painter.drawEllipse(bounds.center(), least / 2, least / 2)
            return
        painter.setPen(QPen(self._t.color("accent"), 1.2))
        painter.setBrush(self._t.color("accent", LIT_IMAGE if place == 0 and self._figure.photograph else LIT))
        painter.drawPolygon(patch)

    def _beams(self, place: int) -> None:
        """The light that falls into a volume from the one before: what is needed there narrows to what is needed here.

        Painted before the volume, which hides its end.
        """
        lit, plan = self._figure.lit, self._plan
        if place not in lit or not any(wire.target == place for wire in plan.straight) or place - 1 not in lit:
            return
        source, target = plan.solids[place - 1], plan.solids[place]
        if not source.depth or not target.depth:
            return
        here, there = self._patch(source, lit[place - 1]).toList(), self._patch(target, lit[place], near=False).toList()
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(self._t.color("accent", BEAM))
        for at in range(4):
            side = QPolygonF([here[at], here[(at + 1) % 4], there[(at + 1) % 4], there[at]])
            self._painter.drawPolygon(side)
        self._painter.setPen(QPen(self._t.color("accent", 0.6), 1))
        for at in range(4):
            self._painter.drawLine(here[at], there[at])


def paint_join(painter: QPainter, middle: QPointF, radius: float, t: theme.Tokens, tone: str, gated: bool) -> None:
    """Where volumes meet: a circle with a dot, or with a cross where maps are multiplied by a gate."""
    painter.setPen(QPen(t.color(tone), 1))
    painter.setBrush(t.color("surround"))
    painter.drawEllipse(middle, radius, radius)
    arm = radius * 0.45
    if gated:
        painter.drawLine(middle + QPointF(-arm, -arm), middle + QPointF(arm, arm))
        painter.drawLine(middle + QPointF(-arm, arm), middle + QPointF(arm, -arm))
        return
    painter.setBrush(t.color(tone))
    painter.drawEllipse(middle, radius * 0.35, radius * 0.35)


def bridge(start: QPointF, end: QPointF, level: float) -> QPainterPath:
    """From `start` up to `level`, over, and down to `end`, with round corners."""
    path = QPainterPath(start)
    way = copysign(1.0, end.x() - start.x())
    wide = min(CORNER, abs(end.x() - start.x()) / 2)
    for down, corner in ((start, False), (end, True)):
        tall = min(CORNER, abs(down.y() - level))
        if corner:
            path.lineTo(end.x() - way * wide, level)
            path.quadTo(end.x(), level, end.x(), level + tall)
        else:
            path.lineTo(start.x(), level + tall)
            path.quadTo(start.x(), level, start.x() + way * wide, level)
    path.lineTo(end)
    return path
