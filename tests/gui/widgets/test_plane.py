from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from segviz.core.frames import Lattice
from segviz.gui.widgets.plane import Place, PlaneLayer, argb, cells_of, edges
from segviz.gui.widgets.projection import Projection

pytestmark = pytest.mark.usefixtures("qapp")
TABLE = np.array([[0, 0, 0, 0], [255, 0, 0, 255], [0, 255, 0, 255], [0, 0, 255, 255]], np.uint8)


def shown(layer: PlaneLayer, projection: Projection, width: int, height: int, ratio: float = 1.0) -> np.ndarray:
    """ARGB of a view of that many screen pixels after the layer was painted on nothing."""
    image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    painter = QPainter(image)
    layer.paint(painter, projection, QRectF(0, 0, width, height))
    painter.end()
    return np.array(image.constBits()).view(np.uint32).reshape(image.height(), image.width())


def layer_of(plane: np.ndarray, place: Place | None = None) -> PlaneLayer:
    layer = PlaneLayer()
    layer.set_plane(plane, place)
    layer.set_table(argb(TABLE))
    return layer


@given(
    zoom=st.floats(0.05, 20),
    left=st.floats(-60, 40),
    top=st.floats(-60, 40),
    place=st.builds(Place, *[st.floats(-5, 5)] * 2, *[st.floats(0.3, 9)] * 2),
    ratio=st.sampled_from([1.0, 1.25, 2.0]),
)
def test_every_screen_pixel_shows_the_cell_under_its_centre(
    zoom: float, left: float, top: float, place: Place, ratio: float
) -> None:
    plane = (np.arange(7 * 5).reshape(7, 5) * 5 % 3 + 1).astype(np.uint8)
    got = shown(layer_of(plane, place), Projection(zoom, left, top), 40, 30, ratio)
    y, x = (np.mgrid[0 : got.shape[0], 0 : got.shape[1]] + 0.5) / ratio
    columns = np.floor(((x - left) / zoom - place.left) / place.width).astype(int)
    rows = np.floor(((y - top) / zoom - place.top) / place.height).astype(int)
    inside = (columns >= 0) & (columns < 5) & (rows >= 0) & (rows < 7)
    expected = np.where(inside, argb(TABLE)[plane[rows.clip(0, 6), columns.clip(0, 4)]], 0)
    assert np.array_equal(got, expected)


def test_premultiplied_colours_as_qt_has_them() -> None:
    for rgba in ([255, 128, 0, 255], [200, 100, 50, 128], [9, 9, 9, 0]):
        image = QImage(1, 1, QImage.Format.Format_ARGB32)
        image.setPixel(0, 0, rgba[3] << 24 | rgba[0] << 16 | rgba[1] << 8 | rgba[2])
        expected = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
        wanted = np.array(expected.constBits()).view(np.uint8).astype(int)
        got = argb(np.array([rgba], np.uint8)).view(np.uint8).astype(int)
        assert np.abs(got - wanted).max() <= 1


def test_edges_are_the_pixels_beside_another_colour() -> None:
    colours = np.zeros((4, 5), np.uint32)
    colours[1, 2] = 7
    expected = np.zeros((4, 5), bool)
    expected[[0, 1, 1, 1, 2], [2, 1, 2, 3, 2]] = True
    assert np.array_equal(edges(colours), expected)


def test_contours_stay_one_pixel_wide() -> None:
    plane = np.ones((4, 4), np.uint8)
    plane[:, 2:] = 2
    layer = PlaneLayer(contour=1)
    layer.set_plane(plane)
    layer.set_table(argb(TABLE))
    layer.opacity = 0.5
    for zoom in (3, 10, 25):
        alpha = shown(layer, Projection(zoom, 0, 0), 4 * zoom, 4 * zoom) >> 24
        assert (alpha[0] == 255).nonzero()[0].tolist() == [2 * zoom - 1, 2 * zoom]


def test_classes_of_one_colour_are_told_apart_by_their_contour() -> None:
    layer = PlaneLayer(contour=1)
    layer.set_plane(np.array([[1, 1, 2, 2]], np.uint8))
    layer.set_table(argb(TABLE[[0, 1, 1, 3]]))
    layer.opacity = 0.5
    alpha = shown(layer, Projection(), 4, 1)[0] >> 24
    assert (alpha == 255).tolist() == [False, True, True, False]


def test_nothing_is_computed_twice() -> None:
    layer = layer_of(np.ones((4, 4), np.uint8))
    here = Projection(2, 0, 0)
    for opacity in (1.0, 0.5, 0.2):
        layer.opacity = opacity
        shown(layer, here, 8, 8)
    assert layer.samplings == 1
    layer.set_minimum(0)
    shown(layer, here, 8, 8)
    assert layer.samplings == 1
    layer.set_table(argb(TABLE[::-1]))
    shown(layer, here, 8, 8)
    assert layer.samplings == 2


def test_the_mask_hides_what_is_below_the_minimum() -> None:
    layer = PlaneLayer()
    layer.set_plane(np.ones((1, 4), np.uint8), mask=np.array([[0, 99, 100, 255]], np.uint8))
    layer.set_table(argb(TABLE))
    layer.set_minimum(100)
    assert (shown(layer, Projection(), 4, 1)[0] > 0).tolist() == [False, False, True, True]


def test_cells_lie_about_their_units() -> None:
    """LeNet-5: unit 0 sees pixels 0 to 31, so it sits between 15 and 16; its cell is one stride wide."""
    assert cells_of(Lattice(3, 3, (15.5, 15.5), (4.0, 4.0))) == Place(14.0, 14.0, 4.0, 4.0)


def test_more_than_256_classes() -> None:
    plane = np.array([[999, 3]], np.uint16)
    table = np.zeros((1000, 4), np.uint8)
    table[999] = (1, 2, 3, 255)
    layer = PlaneLayer()
    layer.set_plane(plane)
    layer.set_table(argb(table))
    assert shown(layer, Projection(), 2, 1)[0].tolist() == [0xFF010203, 0]
