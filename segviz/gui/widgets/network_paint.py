"""The picture of a network on a painter: boxes, wires, the light of the receptive field, and what is written below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import copysign

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen, QPolygonF, QTransform

from segviz.core.field import Box
from segviz.core.folding import Block, Volume
from segviz.core.volume_layout import Arc, Grid, Plan, Solid
from segviz.gui import theme, words
from segviz.gui.widgets.projection import Projection
from segviz.gui.widgets.volumes import front_face, paint_box, right_face, top_face

CORNER = 14.0  # radius of an arc's corners
HEAD = 4.0  # of an arrow
SMALLEST = 4.0  # pixels of what is lit
LINES = 2  # of names below the picture
PLATES = 3  # lines on the front of a folded block


@dataclass(frozen=True)
class Figure:
    """What is drawn: a plan, the words for its items, and what is lit.

    `lit` are the parts of volumes that the pinned unit needs, in shares of columns and rows; `photograph` is drawn on
    the image's face at `placed` (shares, too). `remarks` are short words above items that differ from what they were.
    """

    plan: Plan
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    selected: int | None = None
    hovered: int | None = None
    lit: Mapping[int, Box] = field(default_factory=dict)
    photograph: QImage | None = None
    remarks: Mapping[int, str] = field(default_factory=dict)


def captions_height(plan: Plan) -> float:
    """Screen pixels that are written in below the volumes: channels, names, open blocks, grids, the legend."""
    rows = 2 + LINES + 1 + levels(plan.scheme.blocks) + 1
    return rows * row_height() + theme.px(theme.L)


def row_height() -> float:
    return QFontMetricsF(theme.caption()).height() + theme.px(2)


def levels(blocks: tuple[Block, ...]) -> int:
    """How many open blocks lie in each other at most."""
    return max((_level(block, blocks) + 1 for block in blocks), default=0)


def _level(block: Block, blocks: tuple[Block, ...]) -> int:
    """How many open blocks a block holds, one in the other."""
    inside = [other for other in blocks if other.name.startswith(f"{block.name}.")]
    return 1 + max(_level(other, blocks) for other in inside) if inside else 0


class NetworkPainter:
    """Paints one figure at one projection. Text and lines keep their size whatever the zoom."""

    def __init__(self, painter: QPainter, figure: Figure, at: Projection, area: QRectF, t: theme.Tokens) -> None:
        self._painter, self._figure, self._at, self._area, self._t = painter, figure, at, area, t
        self._plan = figure.plan

    def paint(self) -> None:
        painter = self._painter
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._wires()
        for place in self._visible():
            self._beams(place)
            self._item(place)
        self._captions()
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
            self._count(front, back, item.folded, tone)
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

    def _count(self, front: QRectF, back: QPointF, count: int, tone: str) -> None:
        """How many volumes a block unfolds into, above it."""
        font, text = theme.numbers(theme.CAPTION), f"×{count}"
        wide = QFontMetricsF(font).horizontalAdvance(text)
        middle = front.left() + (front.width() + back.x()) / 2
        self._painter.setFont(font)
        self._painter.setPen(self._t.color("accent" if tone == "accent" else "dim"))
        place = QRectF(middle - wide / 2, front.top() + back.y() - row_height() - 1, wide + 1, row_height())
        self._painter.drawText(place, _LEFT, text)

    def _join(self, solid: Solid, gated: bool, place: int) -> None:
        middle = self._point(solid.middle, 0)
        radius = solid.height / 2 * self._at.zoom
        tone = "text" if place == self._figure.hovered else "dim"
        self._painter.setPen(QPen(self._t.color(tone), 1))
        self._painter.setBrush(self._t.color("surround"))
        self._painter.drawEllipse(middle, radius, radius)
        arm = radius * 0.45
        if gated:
            self._painter.drawLine(middle + QPointF(-arm, -arm), middle + QPointF(arm, arm))
            self._painter.drawLine(middle + QPointF(-arm, arm), middle + QPointF(arm, -arm))
            return
        self._painter.setBrush(self._t.color(tone))
        self._painter.drawEllipse(middle, radius * 0.35, radius * 0.35)

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
        """The units that are needed, on the face; those too small to be seen as a dot."""
        patch, least = self._patch(solid, self._figure.lit[place]), SMALLEST * theme.text_factor()
        painter, bounds = self._painter, self._patch(solid, self._figure.lit[place]).boundingRect()
        if bounds.height() < least or bounds.width() < least:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._t.color("accent"))
            painter.drawEllipse(bounds.center(), max(least, bounds.width()) / 2, max(least, bounds.height()) / 2)
            return
        painter.setPen(QPen(self._t.color("accent"), 1.2))
        painter.setBrush(self._t.color("accent", 0.4))
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
        here, there = self._patch(source, lit[place - 1]), self._patch(target, lit[place], near=False)
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(self._t.color("accent", 0.16))
        for at in range(4):
            side = QPolygonF([here[at], here[(at + 1) % 4], there[(at + 1) % 4], there[at]])
            self._painter.drawPolygon(side)
        self._painter.setPen(QPen(self._t.color("accent", 0.6), 1))
        for at in range(4):
            self._painter.drawLine(here[at], there[at])

    # ------------------------------------------------------------------------------------ text

    def _captions(self) -> None:
        row, plan = row_height(), self._plan
        below = self._point(0, plan.box.bottom).y() + theme.px(theme.S)
        top = min(below, self._area.bottom() - captions_height(plan))
        tall = captions_height(plan) - row - theme.px(theme.S)
        self._painter.fillRect(QRectF(self._area.left(), top, self._area.width(), tall), self._t.color("surround", 0.8))
        self._line(top, self._numbers(), theme.numbers(theme.CAPTION), "dim")
        names = {place: self._figure.names[place] for place in self._visible()}
        left_over = self._line(top + row, names, theme.caption(), "text")
        for _ in range(LINES - 1):
            top += row
            left_over = self._line(top + row, left_over, theme.caption(), "text")
        top += 2 * row
        self._line(top, dict(enumerate(self._figure.notes)), theme.numbers(theme.CAPTION), "dim")
        top += row + theme.px(theme.XS)
        for block in plan.scheme.blocks:
            self._block(block, top + _level(block, plan.scheme.blocks) * row)
        top += levels(plan.scheme.blocks) * row + theme.px(theme.XS)
        end = -1e9
        for grid in plan.grids:
            left, right = self._point(grid.left, 0).x(), self._point(grid.right, 0).x()
            end = self._bracket(left, right, top, grid_text(grid), end)

    def _numbers(self) -> dict[int, str]:
        items = self._plan.scheme.items
        return {
            place: words.count(item.extent.channels)
            for place, item in enumerate(items)
            if isinstance(item, Volume)
        }

    def _line(self, top: float, texts: Mapping[int, str], font: QFont, tone: str) -> dict[int, str]:
        """Write each text below its volume where there is room, the chosen ones first; what had none comes back."""
        painter, metrics = self._painter, QFontMetricsF(font)
        painter.setFont(font)
        first = [place for place in (self._figure.hovered, self._figure.selected) if place in texts]
        taken: list[tuple[float, float]] = []
        left_over: dict[int, str] = {}
        for place in dict.fromkeys((*first, *texts)):
            text, solid = texts[place], self._plan.solids[place]
            wide = metrics.horizontalAdvance(text)
            left = self._point(solid.left + solid.depth / 2, 0).x() - wide / 2
            if not text or left > self._area.right() or left + wide < self._area.left():
                continue
            left = max(self._area.left() + 4, min(left, self._area.right() - wide - 4))
            if any(left - 6 < b and left + wide + 6 > a for a, b in taken):
                left_over[place] = text
                continue
            taken.append((left, left + wide))
            chosen = place == self._figure.selected
            painter.setPen(self._t.color("accent" if chosen else tone))
            painter.drawText(QRectF(left, top, wide + 1, row_height()), _LEFT, text)
        return left_over

    def _block(self, block: Block, top: float) -> None:
        left = self._point(self._plan.solids[block.first].left, 0).x()
        right = self._point(self._plan.solids[block.last].right, 0).x()
        self._bracket(left, right, top, (block.name, block.name.rpartition(".")[2]), -1e9, "text")

    def _bracket(
        self, left: float, right: float, top: float, texts: tuple[str, ...], end: float, tone: str = "dim"
    ) -> float:
        """A line over what it names, and the longest of `texts` that fits; returns where the text ends."""
        painter, font = self._painter, theme.numbers(theme.CAPTION)
        metrics = QFontMetricsF(font)
        painter.setPen(QPen(self._t.color("dim", 0.6), 1))
        painter.drawLine(QPointF(left, top), QPointF(right, top))
        fitting = [text for text in texts if metrics.horizontalAdvance(text) <= right - left]
        text = fitting[0] if fitting else texts[-1]
        wide = metrics.horizontalAdvance(text)
        at = (max(left, self._area.left()) + min(right, self._area.right()) - wide) / 2
        if at <= end + 4:
            return end
        painter.setFont(font)
        painter.setPen(self._t.color(tone))
        painter.drawText(QRectF(at, top + 1, wide + 1, row_height()), _LEFT, text)
        return at + wide


def grid_text(grid: Grid) -> tuple[str, ...]:
    """Rows and columns of a grid, in full and as short as can be."""
    short = f"{grid.height}²" if grid.height == grid.width else f"{grid.height}×{grid.width}"
    return words.shape((grid.height, grid.width)), short


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


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
