"""What is said of the marks on a picture: the labels of one painting are placed together and stand above all lines.

A layer says what it wants while it is painted; `Labels`, the last of the layers, finds a place for each. No label
covers another or what is kept free, as the pinned unit is: where there is no such place, a label is left out, but for
those that must be said (`Label.must`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, qGray

from segviz.core.field import Box
from segviz.gui import theme
from segviz.gui.widgets.marks import LIGHT, UNDER, chip_size, draw_plate
from segviz.gui.widgets.projection import Projection

MOVES = 12  # heights of a label by which it is moved at most where all its places are taken
LARGE = 0.25  # share of the view from which on nothing can be kept free: one has zoomed into it
DARK = 110  # grey level of a tag up to which its letters are light
INK = QColor("#101317")
FAR = 12  # pixels between a label and its box from which on a line leads from one to the other, before `theme.px`


class Rank(IntEnum):
    """Who chooses first."""

    UNIT = 0
    PATH = 1
    SQUARE = 2
    REACH = 3
    RING = 4
    STRIP = 5


@dataclass(frozen=True, slots=True)
class Label:
    """A label of the box `box`, on the screen: where it may stand, the better places first.

    `colour` is the ground of a tag, None of a dark chip. `must`: rather on something else than left out. `smaller`
    are boxes that it had better not cover.
    """

    text: str
    box: QRectF
    places: tuple[QRectF, ...]
    rank: Rank
    colour: QColor | None = None
    must: bool = False
    bold: bool = False
    smaller: tuple[QRectF, ...] = ()


@dataclass(eq=False)
class Labels:
    """The labels of one painting; the last layer. `image` is the photograph, in image pixels.

    `aside`: labels larger than their boxes stand beside the photograph, so that they hide nothing of it. `covered` is
    where something else lies on the view.
    """

    image: Box = field(default_factory=lambda: Box(0, 0, 0, 0))
    aside: bool = False
    covered: Callable[[], QRectF] = QRectF
    shown: tuple[tuple[Label, QRectF], ...] = ()  # of the last painting
    _wanted: list[Label] = field(default_factory=list)
    _free: list[QRectF] = field(default_factory=list)

    def keep_free(self, rect: QRectF) -> None:
        """No label shall cover `rect`."""
        self._free.append(rect)

    def add(self, *labels: Label) -> None:
        """Paint these above everything."""
        self._wanted += labels

    def chip(
        self, text: str, box: QRectF, area: QRectF, projection: Projection, rank: Rank, below: bool = False
    ) -> None:
        """A dark chip above the left end of `box`, or `below` it; it always finds a place inside `area`."""
        size = chip_size(text)
        image = projection.rect(self.image) if self.aside else None
        self.add(Label(text, box, tuple(_chip_places(box, size, area, below, image)), rank, must=True))

    def paint(self, painter: QPainter, projection: Projection, area: QRectF) -> None:
        labels = sorted(self._wanted, key=lambda label: label.rank)
        found = placed(labels, [*self._free, self.covered()], area)
        self._wanted, self._free = [], []
        self.shown = tuple((label, rect) for label, rect in zip(labels, found, strict=True) if not rect.isEmpty())
        for label, rect in self.shown:
            if label.must:
                _lead(painter, label.box, rect)
            font = theme.numbers(theme.CAPTION)
            font.setWeight(QFont.Weight.DemiBold if label.bold else QFont.Weight.Normal)
            if label.colour is None:
                draw_plate(painter, rect, label.text, font)
            else:
                _paint_tag(painter, rect, label.text, label.colour, font)


def placed(labels: Sequence[Label], free: Sequence[QRectF], area: QRectF) -> list[QRectF]:
    """Where the labels stand, in their order; an empty rectangle for one that has no place."""
    kept = [rect for rect in free if _extent(rect.intersected(area)) < LARGE * _extent(area)]
    found: list[QRectF] = []
    for label in labels:
        taken = [rect for rect in found if not rect.isEmpty()]
        own = [label.box] if label.places and _hides(label.places[0], label.box) else []
        best = _best(label.places, taken, kept + own, label.smaller, area)
        if best is not None and _trouble(best, taken, kept + own, (), area) > (0, 0):
            best = _best(_moved(label.places), taken, kept + own, label.smaller, area)
        bad = best is None or _trouble(best, taken, kept, (), area) > (0, 0)
        found.append(QRectF() if best is None or (bad and not label.must) else best)
    return found


def _hides(label: QRectF, box: QRectF) -> bool:
    """Whether a label on a box would hide the box."""
    return not box.isEmpty() and (box.width() < label.width() or box.height() < 2 * label.height())


def _extent(rect: QRectF) -> float:
    return max(0.0, rect.width()) * max(0.0, rect.height())


def _best(
    places: Sequence[QRectF], taken: Sequence[QRectF], free: Sequence[QRectF], smaller: Sequence[QRectF], area: QRectF
) -> QRectF | None:
    return min(places, key=lambda place: _trouble(place, taken, free, smaller, area), default=None)


def _trouble(
    place: QRectF, taken: Sequence[QRectF], free: Sequence[QRectF], smaller: Sequence[QRectF], area: QRectF
) -> tuple[int, ...]:
    """How bad a place is: outside what is seen or on other labels, on what is kept free, on how many smaller boxes."""
    covered = (not area.contains(place)) + sum(place.intersects(other) for other in taken)
    found = covered, sum(place.intersects(rect) for rect in free)
    return (*found, sum(place.intersects(other) for other in smaller)) if smaller else found


def _moved(places: Sequence[QRectF]) -> list[QRectF]:
    """The places, and those up and down from each, the nearer first."""
    steps = [0, *(sign * step for step in range(1, MOVES + 1) for sign in (1, -1))]
    return [place.translated(0, step * (place.height() + 1)) for step in steps for place in places]


def _chip_places(box: QRectF, size: QSizeF, area: QRectF, below: bool, image: QRectF | None) -> list[QRectF]:
    """The places of a chip at a box: beside the `image` if one is given, over or under the box, else in `area`."""
    gap, edge = theme.px(5), theme.px(4)
    lefts = box.left(), box.right() - size.width()
    xs = [max(area.left() + edge, min(x, area.right() - size.width() - edge)) for x in lefts]
    tops = [box.top() - size.height() - gap, box.bottom() + gap]
    ends = [area.top() + edge, area.bottom() - size.height() - edge]
    ys = [*reversed(tops), *reversed(ends)] if below else [*tops, *ends]
    spots = [(x, y) for y in ys[:2] for x in xs]
    spots += [(box.right() + gap, box.top()), (box.left() - gap - size.width(), box.top())]
    spots += [(x, y) for y in ys[2:] for x in xs]
    found = [QRectF(QPointF(round(x), round(y)), size) for x, y in spots]
    if image is not None and _hides(found[0], box) and image.contains(box.center()):
        found = [*_aside(box, size, area, image), *found]
    return found


def _aside(box: QRectF, size: QSizeF, area: QRectF, image: QRectF) -> list[QRectF]:
    """The places left and right of the photograph where there is room, the nearer first."""
    gap, y = theme.px(8), box.center().y() - size.height() / 2
    y = max(area.top(), min(y, area.bottom() - size.height()))
    left, right = image.left() - gap - size.width(), image.right() + gap
    sides = [left, right] if box.center().x() < image.center().x() else [right, left]
    places = [QRectF(QPointF(round(x), round(y)), size) for x in sides]
    return [place for place in places if area.contains(place)]


def tag_places(rect: QRectF, size: QSizeF, area: QRectF) -> tuple[QRectF, ...]:
    """The places of a tag at a box, the better first: corners that are seen, then those where it leaves `area`.

    A place inside the box is better than one beside it, as long as it does not hide the box. None where the box is not
    seen.
    """
    if not rect.intersects(area):
        return ()
    seen, gap = rect.intersected(area), theme.px(3)
    lefts, tops = (seen.left(), seen.right() - size.width()), (seen.bottom() - size.height(), seen.top())
    beyond = {
        lefts[0]: rect.left() < area.left(),
        lefts[1]: rect.right() > area.right(),
        tops[0]: rect.bottom() > area.bottom(),
        tops[1]: rect.top() < area.top(),
    }
    inside = sorted(((x, y) for y in tops for x in lefts), key=lambda place: beyond[place[0]] + beyond[place[1]])
    beside = []
    for y, beside_y in ((seen.bottom() + gap, tops[0]), (seen.top() - size.height() - gap, tops[1])):
        beside += [(lefts[0], y), (lefts[1], y)]
        beside += [(seen.right() + gap, beside_y), (seen.left() - size.width() - gap, beside_y)]
    hides = _hides(QRectF(QPointF(), size), rect)
    return tuple(
        QRectF(QPointF(round(x), round(y)), size) for x, y in ((*beside, *inside) if hides else (*inside, *beside))
    )


def tag_size(text: str) -> QSizeF:
    """The size of the tag that says `text`."""
    metrics = QFontMetrics(theme.numbers(theme.CAPTION))
    return QSizeF(metrics.horizontalAdvance(text) + theme.px(8), metrics.height() + theme.px(2))


def strip_label(text: str, box: QRectF, image: QRectF, area: QRectF) -> Label:
    """`text` in the middle of the parts of `box` outside `image` that `area` shows, the largest first."""
    seen, size = box.intersected(area), chip_size(text, bold=True)
    strips = (
        QRectF(seen.left(), seen.top(), seen.width(), image.top() - seen.top()),
        QRectF(seen.left(), image.bottom(), seen.width(), seen.bottom() - image.bottom()),
        QRectF(seen.left(), seen.top(), image.left() - seen.left(), seen.height()),
        QRectF(image.right(), seen.top(), seen.right() - image.right(), seen.height()),
    )
    room = theme.px(4)
    wide = [s for s in strips if s.width() >= size.width() + room and s.height() >= size.height() + room]
    places = []
    for strip in sorted(wide, key=_extent, reverse=True):
        place = QRectF(QPointF(), size)
        place.moveCenter(strip.center())
        places.append(place)
    return Label(text, QRectF(), tuple(places), Rank.STRIP, bold=True)


def _lead(painter: QPainter, box: QRectF, label: QRectF) -> None:
    """A thin line from a box to its label where that stands far from it."""
    if box.isEmpty() or box.adjusted(*(theme.px(FAR) * sign for sign in (-1, -1, 1, 1))).intersects(label):
        return
    y = box.center().y()
    ends = (label.right(), box.left()) if label.right() < box.left() else (label.left(), box.right())
    if not label.top() <= y <= label.bottom() or not (label.right() < box.left() or label.left() > box.right()):
        return
    gap = theme.px(3) if ends[0] < ends[1] else -theme.px(3)
    painter.save()
    painter.setOpacity(0.6)
    for pen in (QPen(UNDER, 2.0 * theme.text_factor()), QPen(LIGHT, theme.text_factor(), Qt.PenStyle.DotLine)):
        painter.setPen(pen)
        painter.drawLine(QLineF(ends[0], y, ends[1] - gap, y))
    painter.restore()


def _paint_tag(painter: QPainter, rect: QRectF, text: str, colour: QColor, font: QFont) -> None:
    painter.save()
    painter.setFont(font)
    painter.fillRect(rect, colour)
    painter.setPen(INK if qGray(colour.rgb()) > DARK else LIGHT)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
