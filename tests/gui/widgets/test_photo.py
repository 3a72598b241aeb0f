from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from segviz.core.export import DIMMED
from segviz.gui.widgets.image_view import Layer
from segviz.gui.widgets.photo import GreyLayer, photo_of
from segviz.gui.widgets.projection import Projection, fitting

pytestmark = pytest.mark.usefixtures("qapp")


def shown(layer: Layer, projection: Projection, width: int, height: int) -> np.ndarray:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    layer.paint(painter, projection, QRectF(0, 0, width, height))
    painter.end()
    return np.array(image.constBits()).reshape(height, width, 4)[..., 2::-1]


def test_at_one_to_one_every_pixel_is_itself(f_shape: np.ndarray) -> None:
    assert np.array_equal(shown(photo_of(f_shape), Projection(), 16, 24), f_shape)


def test_magnified_pixels_stay_pixels(f_shape: np.ndarray) -> None:
    got = shown(photo_of(f_shape), Projection(7, 0, 0), 16 * 7, 24 * 7)
    assert np.array_equal(got, f_shape.repeat(7, 0).repeat(7, 1))


def test_a_shrunk_chessboard_is_grey() -> None:
    """Without halved copies every eighth pixel alone would be seen: all black or all white."""
    board = ((np.indices((256, 256)).sum(0) % 2) * 255).astype(np.uint8)
    got = shown(photo_of(np.repeat(board[..., None], 3, 2)), Projection(0.125, 0, 0), 32, 32)
    assert np.abs(got.astype(int) - 127).max() <= 3


def test_copies_are_halved_as_needed() -> None:
    layer = photo_of(np.zeros((400, 600, 3), np.uint8))
    assert layer.level(1.0)[1] == layer.level(3.0)[1] == layer.level(0.6)[1] == 0
    assert layer.level(0.5)[1] == 1
    assert layer.level(0.13)[1] == 2
    assert (layer.level(0.25)[0].width(), layer.level(0.25)[0].height()) == (150, 100)


def test_a_very_small_image_ends_at_one_pixel() -> None:
    assert photo_of(np.zeros((1, 5, 3), np.uint8)).level(0.001)[0].height() == 1


def test_fitting_keeps_the_margin_and_the_shape() -> None:
    found = fitting(400, 100, 240, 200, 20)
    assert found == Projection(0.5, 20, 75)


@pytest.mark.parametrize("zoom", [1.0, 0.25])
def test_the_grey_copy_is_dimmed_and_lies_where_the_photograph_does(zoom: float) -> None:
    """Of a width that is no multiple of four, so that rows are padded; a grey of 200 is a known grey in the copy."""
    pixels = np.zeros((48, 37, 3), np.uint8)
    pixels[:24] = 200
    pixels[24:] = (200, 40, 90)
    layer = photo_of(pixels)
    got = shown(GreyLayer(layer), Projection(zoom, 0, 0), round(37 * zoom), round(48 * zoom)).astype(int)
    assert np.ptp(got, axis=2).max() == 0
    top, bottom = got[2, 4, 0], got[-3, 4, 0]
    assert top == round(200 * DIMMED)
    assert 40 * DIMMED < bottom < 200 * DIMMED
    assert np.array_equal(shown(layer, Projection(), 37, 48), pixels), "the photograph itself stays as it is"


def test_a_large_photograph_is_greyed_in_its_own_format() -> None:
    pixels = np.full((2001, 4001, 3), 100, np.uint8)
    got = shown(GreyLayer(photo_of(pixels)), Projection(2, 0, 0), 30, 20)
    assert got.min() == got.max() == round(100 * DIMMED)
