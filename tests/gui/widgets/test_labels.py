"""Where labels stand: seen, clear of each other and of the pinned unit, as near to their boxes as that allows."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QColor, QImage, QPainter

from segviz.core.field import Box
from segviz.gui.widgets.labels import Label, Labels, Rank, placed, strip_label, tag_places
from segviz.gui.widgets.mark_layers import UnitLayer, UnitMarks
from segviz.gui.widgets.projection import Projection
from segviz.gui.widgets.sight_layers import PathLayer, PathMarks, ReachLayer, ReachMarks

AREA = QRectF(0, 0, 600, 400)
SIZE = QSizeF(70, 15)


def tags(rects: list[QRectF], area: QRectF, free: tuple[QRectF, ...] = ()) -> list[QRectF]:
    labels = [
        Label(str(at), rect, tag_places(rect, SIZE, area), Rank.PATH, smaller=tuple(rects[at + 1 :]))
        for at, rect in enumerate(rects)
    ]
    return placed(labels, free, area)


@pytest.mark.parametrize("reach", [0, 40, 90, 300])
def test_names_of_paths_never_cover_each_other(look, reach: int):
    """Boxes about one place, in the middle of what is seen or beyond its corner, the widest first."""
    area = QRectF(0, 0, 400, 300)
    rects = [QRectF(200 - reach - half, 150 - half, 2 * half, 2 * half) for half in (900, 160, 60, 13, 4)]
    found = tags(rects, area)
    for at, tag in enumerate(found):
        assert tag.isEmpty() is not rects[at].intersects(area)
        assert tag.isEmpty() or area.contains(tag), (at, tag)
        assert not any(tag.intersects(other) for other in found[:at]), (at, found)


def test_a_name_stands_at_a_corner_that_is_seen(look):
    (tag,) = tags([QRectF(-200, 100, 300, 400)], QRectF(0, 0, 400, 300))
    assert (tag.right(), tag.top()) == (100, 100)  # only the right top corner is in view


def test_a_name_that_would_hide_its_box_stands_beside_it(look):
    (tag,) = tags([QRectF(200, 100, 14, 14)], AREA)
    assert not tag.intersects(QRectF(200, 100, 14, 14))
    assert tag.top() - 114 < 10  # right below it


def test_a_label_keeps_off_what_else_lies_on_the_view(look):
    """As a banner does, which says whose result is seen."""
    labels, canvas = Labels(), QImage(600, 400, QImage.Format.Format_RGB32)

    def stands() -> QRectF:
        labels.chip("c3 · map 5 · field 14 × 14 px", QRectF(220, 60, 120, 120), AREA, Projection(1.0), Rank.UNIT)
        painter = QPainter(canvas)
        labels.paint(painter, Projection(1.0), AREA)
        painter.end()
        return labels.shown[0][1]

    banner = stands()
    labels.covered = lambda: banner
    assert not stands().intersects(banner)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(x=st.integers(0, 590), y=st.integers(0, 390), halves=st.sets(st.integers(2, 500), min_size=1, max_size=4))
def test_no_label_covers_the_pinned_unit_or_another(look, x: int, y: int, halves: set[int]):
    """A unit anywhere in the view, boxes of paths of any size about it, its chip, and what it reaches."""
    labels, projection = Labels(), Projection(1.0)
    labels.image = Box(0, 0, 600, 400)
    unit, paths, reach = UnitLayer(labels), PathLayer(labels), ReachLayer(labels)
    boxes = [Box(x - half, y - half, x + half, y + half) for half in sorted(halves, reverse=True)]
    cell = Box(x - 3, y - 3, x + 3, y + 3)
    unit.marks = UnitMarks(boxes[0], cell, (x, y), "output · map 1 mammal · field 85 × 85 px", "12 % of this field")
    paths.marks = tuple(PathMarks(box, "#36ffa2", (), f"score_pool{at} /8") for at, box in enumerate(boxes))
    reach.marks = ReachMarks(boxes[-1], 5, 5, cell, "5 × 5 units of c1 reached")
    image = QImage(600, 400, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    for layer in (unit, paths, reach, labels):
        layer.paint(painter, projection, AREA)
    painter.end()
    shown = [rect for _, rect in labels.shown]
    assert len(shown) >= 2  # the unit's and what it reaches, at least
    for at, rect in enumerate(shown):
        assert AREA.contains(rect)
        assert not rect.intersects(projection.rect(cell)), (labels.shown[at], x, y)
        assert not any(rect.intersects(other) for other in shown[:at]), labels.shown


def test_what_a_pixel_reaches_is_said_beside_the_photograph_where_there_is_room(look):
    """On a page of digits a label next to a box of few pixels would hide the digits about it."""
    labels = Labels(image=Box(0, 0, 100, 100), aside=True)
    area, projection = QRectF(0, 0, 600, 200), Projection(2.0, 200, 0)
    labels.chip("5 × 5 units", projection.rect(Box(20, 40, 25, 45)), area, projection, Rank.REACH)
    image = QImage(600, 200, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    labels.paint(painter, projection, area)
    painter.end()
    ((_, rect),) = labels.shown
    assert not rect.intersects(projection.rect(labels.image))
    assert rect.right() < 200  # the nearer side
    assert rect.top() < 85 < rect.bottom()  # at the height of its box


def test_labels_are_painted_once(look):
    labels = Labels()
    image = QImage(100, 100, QImage.Format.Format_RGB32)
    image.fill(QColor("#808080"))
    painter = QPainter(image)
    labels.add(Label("here", QRectF(), (QRectF(10, 10, 60, 20),), Rank.RING))
    labels.paint(painter, Projection(), QRectF(image.rect()))
    assert [rect for _, rect in labels.shown] == [QRectF(10, 10, 60, 20)]
    labels.paint(painter, Projection(), QRectF(image.rect()))
    assert labels.shown == ()  # what is no longer wanted is gone
    painter.end()
    assert image.pixelColor(40, 12) != QColor("#808080")


def test_what_is_said_of_padding_stands_in_the_widest_strip_or_nowhere(look):
    image = QRectF(200, 50, 200, 300)
    label = strip_label("78 % of this field is padding", QRectF(-500, 40, 1400, 320), image, AREA)
    assert [image.intersects(place) for place in label.places] == [False, False]  # left and right of the photograph
    assert strip_label("78 % of this field is padding", QRectF(190, 40, 220, 320), image, AREA).places == ()
