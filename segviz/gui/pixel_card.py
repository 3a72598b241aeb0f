"""What did this pixel see? One picture of fixed proportions that fits a slide: fields, classes, filmstrip, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QImage, QPainter, QPen

from segviz.core import scores
from segviz.core.effective import RULES, EffectiveField
from segviz.core.field import Box
from segviz.gui import glowing, theme, unit_words, words
from segviz.gui.film import grid_text, inner_of, picture_of, size_text, titles
from segviz.gui.glow_layers import GlowLayers
from segviz.gui.names import image_title, title_of
from segviz.gui.panels.pixels import seen
from segviz.gui.path_parts import PathParts, path_parts
from segviz.gui.scene import Pinned, Scene, pinned
from segviz.gui.sight_layers import path_marks
from segviz.gui.sighting import paths, stills
from segviz.gui.widgets.bars import Bar
from segviz.gui.widgets.filmstrip import draw_inner
from segviz.gui.widgets.labels import Labels
from segviz.gui.widgets.marks import draw_box
from segviz.gui.widgets.projection import Projection
from segviz.gui.widgets.wrapped import breakable

WIDE, HIGH, SCALE = 960, 540, 2  # 16:9; the picture has SCALE times as many pixels
MARGIN, GAP = 28, 20
TILES, TILE, TILE_GAP = 11, 62, 22
PICTURES, PICTURE_TOP = 250, 92  # height of the pictures, and where they begin
WIDTHS = ((330, 250), (236, 206))  # of the whole image and of each other picture at most: of two, and of three
ROWS, ROW = 5, 21  # classes at most
MOST_PATHS = 6
HEAD, LINE, GAP_BELOW = 18, 17, 10  # of a section of numbers: its heading, a line of it, the room behind it
COLUMN = PICTURES + 36  # height of the numbers beside the pictures
LEAST_TYPE = 9  # what does not fit is written smaller, down to this
LEAST_BAR = 28
MOST_LINES = 4  # of what is too long for one line
WRAPPED = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
UNDER = QColor(0, 0, 0, 200)


@dataclass(frozen=True, eq=False)
class Panel:
    """One of the pictures of the card, with the line below it, and what stands in the line below that."""

    image: QImage
    caption: str
    note: str = ""


def card(scene: Scene, tokens: theme.Tokens) -> QImage | None:
    """The card of the pinned unit, WIDE x HIGH times SCALE pixels; None where no unit is pinned. In any thread."""
    unit = pinned(scene)
    if unit is None or scene.picture is None:
        return None
    image = QImage(WIDE * SCALE, HIGH * SCALE, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(SCALE)
    image.fill(tokens.color("panel"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    _Card(painter, tokens, scene, unit).paint()
    painter.end()
    return image


def _font(size: float, strong: bool = False) -> QFont:
    """The type of the interface at a size of the card, whatever the window's."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    font.setPixelSize(round(size))
    font.setFeature(QFont.Tag("tnum"), 1)
    font.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    return font


class _Card:
    """Paints one card."""

    def __init__(self, painter: QPainter, tokens: theme.Tokens, scene: Scene, unit: Pinned) -> None:
        self._painter, self._tokens, self._scene, self._unit = painter, tokens, scene, unit
        self._paths = path_marks(scene)

    def paint(self) -> None:
        self._head()
        left = float(MARGIN)
        for panel in self._panels():
            left = self._picture(panel, left) + GAP
        self._numbers(QRectF(left + 4, PICTURE_TOP, WIDE - MARGIN - left - 4, COLUMN))
        self._film(PICTURE_TOP + PICTURES + 60)

    def _text(self, rect: QRectF, text: str, font: QFont, ink: str = "text", right: bool = False) -> None:
        self._draw(rect, text, font, ink, Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft)

    def _draw(self, rect: QRectF, text: str, font: QFont, ink: str, side: Qt.AlignmentFlag) -> None:
        """`text` in one line: smaller where it does not fit, and only then shortened."""
        font = _fitting(font, text, rect.width())
        self._painter.setFont(font)
        self._painter.setPen(self._tokens.color(ink))
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideMiddle, rect.width())
        self._painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | side, shown)

    def _wrapped(self, rect: QRectF, text: str, font: QFont, ink: str = "text") -> None:
        """`text` smaller where it does not fit, then in several lines within `rect`."""
        if _fits(text, rect.width()):
            self._text(rect, text, font, ink)
            return
        self._painter.setFont(_font(LEAST_TYPE))
        self._painter.setPen(self._tokens.color(ink))
        self._painter.drawText(rect, WRAPPED, _shortened(text, rect.width()))

    def _head(self) -> None:
        unit, state, width = self._unit, self._scene.state, WIDE - 2 * MARGIN
        x, y = state.cursor or unit.center
        self._text(QRectF(MARGIN, 20, width, 34), "What did this pixel see?", _font(24, True))
        told = (
            f"pixel {words.point(round(x), round(y))} of {image_title(state.image or '')}",
            title_of(state.model),
            self._place(),
        )
        self._text(QRectF(MARGIN, 54, width, 22), " · ".join(told), _font(13), "dim")

    def _place(self) -> str:
        unit, network = self._unit, self._scene.network
        name = unit_words.class_of_map(network, unit.layer, unit.channel)
        return f"{unit.layer}, map {unit_words.captioned(unit.channel, name)}"

    # ------------------------------------------------------------------------------- pictures

    def _panels(self) -> list[Panel]:
        """The image with the box, what lies in the box, and what of it counts, where that is known."""
        unit, picture, effective = self._unit, self._scene.picture, self._scene.shown_effective
        assert picture is not None
        widest = WIDTHS[effective is not None]
        field = unit.field
        around = Box(
            min(0, field.left), min(0, field.top), max(picture.width, field.right), max(picture.height, field.bottom)
        )
        whole, seen = self._hatched(around, widest[0]), self._hatched(field, widest[1])
        self._mark(whole, around)
        size = unit_words.field_size(unit, self._scene.network)
        outside = unit_words.outside(unit, self._scene.network)
        panels = [Panel(whole, "where it looks"), Panel(seen, f"what it sees: {size}", outside)]
        if effective is not None:
            panels.append(Panel(self._glowing(seen), *_spread(effective)))
        return panels

    def _hatched(self, box: Box, widest: float) -> QImage:
        """What lies in `box`, as large as its place on the card, hatched outside the image."""
        assert self._scene.picture is not None
        zoom = min(widest / box.width, PICTURES / box.height) * SCALE
        longest = max(1, round(zoom * max(box.width, box.height)))
        mirrors = unit_words.mirrors(self._scene.network)
        return seen(self._scene.picture.pixels, box, longest, self._tokens, mirrors)

    def _mark(self, image: QImage, around: Box) -> None:
        """The field and the cell of the unit, and the field of each path, on a picture of `around`."""
        zoom = image.width() / around.width
        painter = QPainter(image)
        paths = [(path.box, QColor(path.colour), path.dashes) for path in self._paths]
        accent, white = self._tokens.color("accent"), QColor("white")
        for box, color, dashes in ((self._unit.field, accent, ()), *paths, (self._unit.cell, white, ())):
            left, top = (box.left - around.left) * zoom, (box.top - around.top) * zoom
            draw_box(painter, QRectF(left, top, box.width * zoom, box.height * zoom), color, SCALE, dashes)
        painter.end()

    def _glowing(self, seen: QImage) -> QImage:
        """What the unit sees, with what lights up in it on top."""
        field, image = self._unit.field, QImage(seen)
        zoom = image.width() / field.width
        layers = GlowLayers(Labels())
        layers.show(self._scene)
        painter = QPainter(image)
        layers.plane.paint(painter, Projection(zoom, -field.left * zoom, -field.top * zoom), QRectF(image.rect()))
        painter.end()
        return image

    def _picture(self, panel: Panel, left: float) -> float:
        """Paint one picture at `left`, its two lines right below it; returns its right edge."""
        size = QSizeF(panel.image.size()) / SCALE
        place = QRectF(QPointF(left, PICTURE_TOP), size)
        self._painter.drawImage(place, panel.image)
        row = QRectF(left, place.bottom() + 4, max(size.width(), 120), 16)
        self._text(row, panel.caption, _font(11), "dim")
        below = row.translated(0, 15)
        below.setHeight(max(below.height(), _lines_high(panel.note, below.width())))
        self._wrapped(below, panel.note, _font(11), "dim")
        return float(place.right())

    # -------------------------------------------------------------------------- numbers, film

    def _numbers(self, room: QRectF) -> None:
        """The most probable classes at the pixel, the paths to the unit, and its numbers: as many lines as there is
        room for.
        """
        facts = self._facts()
        paths = self._path_parts()
        bars = paths.bars if paths is not None else ()
        left = room.height() - HEAD - len(facts) * LINE
        if bars:
            left -= HEAD + sum(self._heights(room, bars, LINE)) + GAP_BELOW
        top = self._classes(room, left)
        if paths is not None:
            top = self._heading(room, top, "EACH PATH ADDS" if paths.values else "PATHS")
            top = self._bars(room, top, bars, LINE) + GAP_BELOW
        top = self._heading(room, top, "UNIT")
        wide = max(QFontMetricsF(_font(12)).horizontalAdvance(name) for name, _ in facts) + 10
        for name, value in facts:
            self._text(QRectF(room.left(), top, wide, LINE), name, _font(12), "dim")
            self._text(QRectF(room.left() + wide, top, room.width() - wide, LINE), value, _font(12))
            top += LINE

    def _classes(self, room: QRectF, high: float) -> float:
        """The most probable classes in a part of `room` that is `high`; returns its lower edge."""
        prediction = self._scene.shown_prediction
        row = ROW if high >= HEAD + ROWS * ROW + GAP_BELOW else LINE
        most = min(ROWS, int((high - HEAD - GAP_BELOW) // row))
        if prediction is None or self._scene.before is not None or most < 1:
            return room.top()
        x, y = self._scene.state.cursor or self._unit.center
        bars = tuple(
            Bar(found.name, found.probability, words.probability(found.probability))
            for found in scores.ranking(prediction, x, y, most)
        )
        while len(bars) > 1 and HEAD + sum(self._heights(room, bars, row)) + GAP_BELOW > high:
            bars = bars[:-1]
        top = self._heading(room, room.top(), "CLASSES HERE")
        return self._bars(room, top, bars, row) + GAP_BELOW

    def _path_parts(self) -> PathParts | None:
        """The rows of the paths, where their boxes are shown; the smallest are left out where there are too many."""
        if not self._paths:
            return None
        found = path_parts(self._scene, paths(self._scene), self._tokens.dim)
        kept = sorted(found.bars, key=lambda bar: -bar.fraction)[:MOST_PATHS]
        return replace(found, bars=tuple(bar for bar in found.bars if bar in kept))

    def _facts(self) -> tuple[tuple[str, str], ...]:
        """What the pictures' captions do not say."""
        unit = self._unit
        return (
            ("Cell", f"row {words.count(unit.row)}, column {words.count(unit.column)}"),
            ("Value", words.value(unit.value)),
            ("Centre", words.point(*unit.center)),
        )

    def _heading(self, room: QRectF, top: float, text: str) -> float:
        self._text(QRectF(room.left(), top, room.width(), HEAD - 2), text, _font(11, True), "dim")
        return top + HEAD

    def _columns(self, room: QRectF, bars: Sequence[Bar]) -> tuple[float, float]:
        """Widths of names and values: the names have what the values and the least bars leave."""
        metrics = QFontMetricsF(_font(12))
        value = max(metrics.horizontalAdvance(bar.value) for bar in bars)
        names = max(metrics.horizontalAdvance(bar.name) for bar in bars) + 1
        return min(max(names, room.width() * 0.42), room.width() - value - LEAST_BAR - 16), value

    def _heights(self, room: QRectF, bars: Sequence[Bar], high: int) -> list[float]:
        """The height of each row: `high`, and more where a name needs further lines in the smallest type."""
        label, _ = self._columns(room, bars)
        return [max(high, _lines_high(bar.name, label)) for bar in bars]

    def _bars(self, room: QRectF, top: float, bars: Sequence[Bar], least: int) -> float:
        """Rows of name, bar and value, each at least so high."""
        label, value = self._columns(room, bars)
        for bar, high in zip(bars, self._heights(room, bars, least), strict=True):
            row = QRectF(room.left(), top, room.width(), high)
            self._wrapped(QRectF(row.left(), top, label, high), bar.name, _font(12))
            self._text(row, bar.value, _font(12), right=True)
            track = QRectF(row.left() + label + 8, row.center().y() - 4, row.width() - label - value - 16, 8)
            self._painter.fillRect(track, self._tokens.color("raised"))
            track.setWidth(max(2.0, track.width() * bar.fraction))
            self._painter.fillRect(track, QColor(bar.colour) if bar.colour else self._tokens.color("accent"))
            if bar.colour:  # pale ones show on light ground
                self._painter.setPen(QPen(self._tokens.color("dim"), 1))
                self._painter.drawRect(track)
            top += high
        return top

    def _film(self, top: float) -> None:
        """The filmstrip over the whole width, the pinned unit last."""
        found = stills(self._scene, TILES)
        if not found or self._scene.picture is None:
            return
        line = QPen(self._tokens.color("line"), 1)
        self._painter.setPen(line)
        self._painter.drawLine(QPointF(MARGIN, top - 18), QPointF(WIDE - MARGIN, top - 18))
        for at, (still, title) in enumerate(zip(found, titles(found), strict=True)):
            place = QRectF(MARGIN + at * (TILE + TILE_GAP), top, TILE, TILE)
            image = picture_of(still, self._scene, TILE * SCALE, self._tokens)
            shown = QRectF(QPointF(0, 0), QSizeF(image.size()) / SCALE)
            shown.moveCenter(place.center())
            self._painter.drawImage(shown, image)
            last = at == len(found) - 1
            self._painter.setPen(QPen(self._tokens.color("accent" if last else "line"), 2 if last else 1))
            self._painter.drawRect(shown)
            draw_inner(self._painter, shown, inner_of(found, at), 1.0)
            wide = place.adjusted(-TILE_GAP / 2 + 2, TILE + 5, TILE_GAP / 2 - 2, 22)
            self._centred(QRectF(wide.left(), wide.top(), wide.width(), 15), title, "accent" if last else "text")
            for below, text in enumerate((size_text(still), grid_text(still, self._scene)), 1):
                self._centred(QRectF(wide.left(), wide.top() + 15 * below, wide.width(), 15), text, "dim")

    def _centred(self, rect: QRectF, text: str, ink: str) -> None:
        self._draw(rect, text, _font(11), ink, Qt.AlignmentFlag.AlignHCenter)


def _fitting(font: QFont, text: str, width: float) -> QFont:
    """`font`, smaller where `text` is wider than `width`."""
    found = QFont(font)
    while found.pixelSize() > LEAST_TYPE and QFontMetricsF(found).horizontalAdvance(text) > width:
        found.setPixelSize(found.pixelSize() - 1)
    return found


def _fits(text: str, width: float) -> bool:
    """Whether a text fits into one line in the smallest type."""
    return QFontMetricsF(_font(LEAST_TYPE)).horizontalAdvance(text) <= width


def _shortened(text: str, width: float) -> str:
    """A text that can be broken into lines, without its middle where it needs more than MOST_LINES."""
    metrics = QFontMetricsF(_font(LEAST_TYPE))
    shown, room = breakable(text), MOST_LINES * width
    while room > 0 and _high(metrics, shown, width) > MOST_LINES * metrics.lineSpacing():
        shown = metrics.elidedText(breakable(text), Qt.TextElideMode.ElideMiddle, room)
        room -= width / 8  # lines end before their words do not fit
    return shown


def _lines_high(text: str, width: float) -> float:
    """The height of a text in the smallest type, in as many lines as it needs, at most MOST_LINES."""
    return _high(QFontMetricsF(_font(LEAST_TYPE)), _shortened(text, width), width) + 2


def _high(metrics: QFontMetricsF, text: str, width: float) -> float:
    return float(metrics.boundingRect(QRectF(0, 0, width, WIDE), WRAPPED, text).height())


def _spread(effective: EffectiveField) -> tuple[str, str]:
    """What is said of what lights up: its name, and how little of the field holds nearly all of it."""
    name = next(glow for glow, rule in RULES.items() if rule is effective.request.rule).title.lower()
    if effective.spread is None:
        return f"what counts: {name}", ""
    return f"what counts: {name}", glowing.figures(effective)
