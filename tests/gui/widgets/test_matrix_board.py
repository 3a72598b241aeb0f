"""Cells of a map: either all of them have a number or none has, and pointing at one tells it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSizeF
from PySide6.QtGui import QHelpEvent, QImage, QPainter
from PySide6.QtWidgets import QApplication, QToolTip

from segviz.gui.widgets import cell_images
from segviz.gui.widgets.cell_numbers import fitting
from segviz.gui.widgets.matrix_board import POINT, Matrix, MatrixBoard, MatrixTile
from segviz.gui.widgets.painted import text_width

MAP = [[-0.9996, 0.998, -0.0146], [10.452, -1.44, 0.0]]


@pytest.fixture
def board(qtbot):
    def make(values, side: int = 260, whole: bool = False) -> MatrixBoard:
        numbers = np.array(values, np.float32)
        one = MatrixBoard("Maps")
        qtbot.addWidget(one)
        one.resize(side, side)
        matrix = Matrix("map", numbers, cell_images.about_zero(numbers), whole=whole)
        one.set_tiles((MatrixTile("Map", matrix, note="3 units"),))
        one.show()
        return one

    return make


def written(board: MatrixBoard, asks: bool = True) -> list[str]:
    """All texts that are painted, in their order."""
    texts: list[str] = []

    class Told(QPainter):
        def drawText(self, *given):
            texts.append(given[-1])
            super().drawText(*given)

    image = QImage(board.size(), QImage.Format.Format_RGB32)
    painter = Told(image)
    board.paint(painter, QSizeF(board.size()), asks=asks)
    painter.end()
    return texts


@pytest.mark.parametrize("wide", range(12, 60, 2))
def test_all_numbers_of_a_map_fit_or_none_is_written(qapp, wide):
    found = fitting(MAP, False, wide)
    if found is not None:
        texts, font = found
        assert all(text for row in texts for text in row)
        assert all(text_width(text, font) <= wide for row in texts for text in row)


def test_narrower_cells_have_fewer_decimals_of_all_numbers(qapp):
    kinds = [found[0] for wide in range(60, 8, -1) if (found := fitting(MAP, False, wide)) is not None]
    told = list(dict.fromkeys(tuple(map(tuple, texts)) for texts in kinds))
    assert told == [
        (("-1.00", ".998", "-.0146"), ("10.5", "-1.44", "0")),
        (("-1.00", ".998", "-.015"), ("10.5", "-1.44", "0")),
        (("-1.0", "1.0", "-.01"), ("10", "-1.4", "0")),
    ]
    assert fitting(MAP, False, 8) is None


def test_places_without_a_number_take_no_room(qapp):
    texts, _ = fitting([[float("nan"), 0.5]], False, 12)
    assert texts == [["", ".5"]]


def test_a_count_keeps_all_of_its_figures(qapp):
    assert fitting([[12345.0]], True, 60)[0] == [["12345"]]
    assert fitting([[12345.0]], True, 12) is None


def test_where_numbers_fit_every_cell_has_one(board):
    one = board(MAP)
    texts = written(one)
    assert texts[1] == "3 units"
    assert len(texts) == 2 + 6


def test_where_they_do_not_the_note_says_to_point_at_a_cell(board):
    one = board(np.full((8, 8), 12345.0), whole=True)
    assert written(one) == ["Map", f"3 units · {POINT}"]
    assert written(one, asks=False) == ["Map", "3 units"], "nobody can point at a saved picture"


def test_cells_of_padding_are_hatched_and_their_zeros_written(board):
    """Grey among grey levels they would look like pixels of the image."""
    one = board([[0, 0, 0], [0, 120, 255]])
    plain = one.picture()
    tile = one.tiles[0]
    outside = np.array([[True, True, True], [True, False, False]])
    one.set_tiles((replace(tile, main=replace(tile.main, padding=outside)),))
    assert written(one).count("0") == 4
    hatched, rect, t = one.picture(), one.rects(0)[0], one.colours()
    cell = rect.width() / 3
    for row, column in np.ndindex(2, 3):
        place = QRectF(rect.left() + column * cell, rect.top() + row * cell, cell, cell).adjusted(3, 3, -3, -3)
        part = QRect(*(round(2 * number) for number in place.getRect()))
        now = hatched.copy(part)
        assert (now != plain.copy(part)) == outside[row, column]
        if outside[row, column]:
            colours = {now.pixel(x, y) for x in range(now.width()) for y in range(now.height())}
            assert t.color("raised").rgb() in colours
            assert len(colours) > 2, "lines"
            corner = {now.pixelColor(x, y).lightness() for x in range(20) for y in range(20)}
            assert max(corner) - min(corner) > 30, "that can be seen"
    assert "<image" not in one.svg().decode()


def test_pixels_of_a_picture_are_too_small_to_be_pointed_at(board):
    assert written(board(np.ones((100, 100)))) == ["Map", "3 units"]


def test_pointing_at_a_cell_tells_its_number(board):
    one = board(MAP)
    rect = one.rects(0)[0]
    assert one.told_at(rect.center() + QPointF(-rect.width() / 3, -rect.height() / 4)) == "Map: −1.000"
    assert one.told_at(QPointF(1, 1)) == ""
    at = QPoint(round(rect.left() + 3), round(rect.bottom() - 3))
    QApplication.sendEvent(one, QHelpEvent(QEvent.Type.ToolTip, at, one.mapToGlobal(at)))
    assert QToolTip.text() == "Map: 10.452"
    QToolTip.hideText()


def test_a_note_without_room_says_it_shorter_and_whole(board):
    """A middle left out makes 'rows 10–14…umns 18–22' of it."""
    one = board(MAP)
    long, short = "rows 10–14, columns 18–22", "y 10–14, x 18–22"
    for side, told in ((400, long), (260, long), (150, short)):
        one.resize(side, side)
        one.set_tiles((MatrixTile("Patch", one.tiles[0].main, note=long, short=short),))
        texts = written(one)
        assert texts.count(told) == 1, f"{side}: {texts}"
