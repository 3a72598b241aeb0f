"""What is written below the picture of a network: channels, names, fields, open blocks, grids, and the legend."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from segviz.core.folding import Block, Join, Volume
from segviz.core.volume_layout import Grid, Plan
from segviz.gui import theme, words
from segviz.gui.widgets.network_paint import Figure, paint_join
from segviz.gui.widgets.projection import Projection
from segviz.gui.widgets.volumes import paint_box

LINES = 2  # of names
SCALE = "Edges: square root of rows, columns, channels"


def captions_height(plan: Plan) -> float:
    """Screen pixels that all lines below the volumes take."""
    return (2 + LINES + levels(plan.scheme.blocks) + 1) * row_height() + legend_height() + theme.px(theme.L)


def legend_height() -> float:
    return row_height() + theme.px(theme.M)


def row_height() -> float:
    return QFontMetricsF(theme.caption()).height() + theme.px(2)


def levels(blocks: tuple[Block, ...]) -> int:
    """How many open blocks lie in each other at most."""
    return max((_level(block, blocks) + 1 for block in blocks), default=0)


def _level(block: Block, blocks: tuple[Block, ...]) -> int:
    """How many open blocks a block holds, one in the other."""
    inside = [other for other in blocks if other.name.startswith(f"{block.name}.")]
    return 1 + max(_level(other, blocks) for other in inside) if inside else 0


class Captions:
    """Writes below one figure at one projection; the lines stay in `area` when the picture is larger."""

    def __init__(self, painter: QPainter, figure: Figure, at: Projection, area: QRectF, t: theme.Tokens) -> None:
        self._painter, self._figure, self._at, self._area, self._t = painter, figure, at, area, t
        self._plan = figure.plan
        self.brackets: dict[str, QRectF] = {}  # where the names of open blocks are

    def _x(self, x: float) -> float:
        return self._at.left + x * self._at.zoom

    def paint(self) -> None:
        row, plan = row_height(), self._plan
        tall = captions_height(plan)
        top = min(self._at.top + plan.box.bottom * self._at.zoom + theme.px(theme.S), self._area.bottom() - tall)
        ground = QRectF(self._area.left(), top, self._area.width(), self._area.bottom() - top)
        self._painter.fillRect(ground, self._t.color("surround", 0.85))
        items = plan.scheme.items
        channels = {at: words.count(i.extent.channels) for at, i in enumerate(items) if isinstance(i, Volume)}
        self._line(top, channels, theme.numbers(theme.CAPTION), "dim")
        top += row
        left_over: Mapping[int, str] = {at: name for at, name in enumerate(self._figure.names) if name}
        for _ in range(LINES):
            left_over = self._line(top, left_over, theme.caption(), "text")
            top += row
        notes = {at: note for at, note in enumerate(self._figure.notes) if note}
        if self._fits(notes):
            self._line(top, notes, theme.numbers(theme.CAPTION), "dim")
        top += row + theme.px(theme.XS)
        for block in plan.scheme.blocks:
            self._block(block, top + _level(block, plan.scheme.blocks) * row)
        top += levels(plan.scheme.blocks) * row + theme.px(theme.XS)
        end = self._area.left()
        for grid in plan.grids:
            end = self._bracket(self._x(grid.left), self._x(grid.right), top, grid_texts(grid), end)
        self._legend()

    # ------------------------------------------------------------------------------------ lines

    def _spans(self, texts: Mapping[int, str], font: QFont) -> dict[int, tuple[float, float]]:
        """From where to where each text is written, as far as it is in sight."""
        metrics, found = QFontMetricsF(font), {}
        for place, text in texts.items():
            solid, wide = self._plan.solids[place], metrics.horizontalAdvance(text)
            left = self._x(solid.left + solid.depth / 2) - wide / 2
            if left <= self._area.right() and left + wide >= self._area.left():
                left = max(self._area.left() + 4, min(left, self._area.right() - wide - 4))
                found[place] = left, left + wide
        return found

    def _fits(self, texts: Mapping[int, str]) -> bool:
        """Whether all of them have room: numbers with gaps between would be taken for numbers of others."""
        spans = sorted(self._spans(texts, theme.numbers(theme.CAPTION)).values())
        return all(right + 4 <= left for (_, right), (left, _) in pairwise(spans))

    def _line(self, top: float, texts: Mapping[int, str], font: QFont, tone: str) -> dict[int, str]:
        """Write each text below its volume where there is room, the chosen ones first; what had none comes back."""
        chosen = (self._figure.hovered, self._figure.selected)
        spans = self._spans(texts, font)
        taken: list[tuple[float, float]] = []
        left_over: dict[int, str] = {}
        self._painter.setFont(font)
        for place in dict.fromkeys((*(one for one in chosen if one in spans), *spans)):
            assert place is not None
            left, right = spans[place]
            if any(left - 6 < b and right + 6 > a for a, b in taken):
                left_over[place] = texts[place]
                continue
            taken.append((left, right))
            self._painter.setPen(self._t.color("accent" if place == self._figure.selected else tone))
            self._painter.drawText(QRectF(left, top, right - left + 1, row_height()), _LEFT, texts[place])
        return left_over

    def _block(self, block: Block, top: float) -> None:
        left, right = self._x(self._plan.solids[block.first].left), self._x(self._plan.solids[block.last].right)
        own = block.name.rpartition(".")[2]
        self._bracket(left, right, top, (block.name, block.name if own.isdigit() else own), 0.0, "text")
        if block.folds:
            self.brackets[block.name] = QRectF(left, top, right - left, row_height())

    def _bracket(
        self, left: float, right: float, top: float, texts: tuple[str, ...], end: float, tone: str = "dim"
    ) -> float:
        """A line over what it names, and the longest of `texts` that fits; returns where the text ends."""
        left, right = max(left, self._area.left()), min(right, self._area.right())
        if right <= left:
            return end
        painter, font = self._painter, theme.numbers(theme.CAPTION)
        metrics = QFontMetricsF(font)
        painter.setPen(QPen(self._t.color("dim", 0.6), 1))
        painter.drawLine(QPointF(left, top), QPointF(right, top))
        text = next((text for text in texts if metrics.horizontalAdvance(text) <= right - left), texts[-1])
        if tone == "text":
            text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, right - left + theme.px(theme.XS))
        wide = metrics.horizontalAdvance(text)
        at = (left + right - wide) / 2
        if at <= end + 4 and tone == "dim":
            return end
        painter.setFont(font)
        painter.setPen(self._t.color(tone))
        painter.drawText(QRectF(at, top + 1, wide + 1, row_height()), _LEFT, text)
        return at + wide

    # ----------------------------------------------------------------------------------- legend

    def _legend(self) -> None:
        """What the signs mean, of those that are there, as far as there is room."""
        items, plan = self._plan.scheme.items, self._plan
        joins = [item for item in items if isinstance(item, Join)]
        signs = [
            ("lit", f"needed by {self._figure.unit}", bool(self._figure.unit)),
            ("scale", SCALE, True),
            ("folded", "folded block", any(isinstance(item, Volume) and item.folded for item in items)),
            ("join", "sum or concatenation", any(not join.gated for join in joins)),
            ("gate", "gate", any(join.gated for join in joins) or any(arc.wire.gate for arc in plan.arcs)),
        ]
        metrics = QFontMetricsF(theme.caption())
        left, top = self._area.left() + theme.px(theme.M), self._area.bottom() - legend_height()
        self._painter.setFont(theme.caption())
        for sign, text, there in signs:
            wide = theme.px(18) if sign != "scale" else 0
            if not there or left + wide + metrics.horizontalAdvance(text) > self._area.right():
                continue
            self._sign(sign, QRectF(left, top, theme.px(12), row_height()))
            self._painter.setPen(self._t.color("dim"))
            place = QRectF(left + wide, top, metrics.horizontalAdvance(text) + 1, row_height())
            self._painter.drawText(place, _LEFT, text)
            left = place.right() + theme.px(theme.XL)

    def _sign(self, sign: str, room: QRectF) -> None:
        painter, middle, size = self._painter, room.center(), theme.px(5)
        painter.setPen(QPen(self._t.color("accent" if sign == "lit" else "dim"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if sign == "lit":
            painter.setBrush(self._t.color("accent", 0.4))
            corners = ((-0.6, -0.4), (0.6, -1.0), (0.6, 0.4), (-0.6, 1.0))
            painter.drawPolygon(QPolygonF([middle + QPointF(x, y) * size for x, y in corners]))
        elif sign == "folded":
            front = QRectF(middle.x() - size, middle.y() - size * 0.5, size * 1.5, size * 1.3)
            paint_box(painter, front, QPointF(size * 0.4, -size * 0.6), self._t, "dim")
            x = front.center().x()
            painter.drawLine(QPointF(x, front.top()), QPointF(x, front.bottom()))
        elif sign in ("join", "gate"):
            paint_join(painter, middle, size, self._t, "dim", sign == "gate")


def grid_texts(grid: Grid) -> tuple[str, ...]:
    """Rows and columns of a grid, in full and as short as can be."""
    short = f"{grid.height}²" if grid.height == grid.width else f"{grid.height}×{grid.width}"
    return words.shape((grid.height, grid.width)), short


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
