"""Where the energy of a gradient lies: ellipses that hold what they say, the least area, pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segviz.core import energy
from segviz.core.effective import SHARES, Ellipse
from segviz.core.frames import Frame


def hill(rows: int, columns: int, center: tuple[float, float], axes: tuple[float, float], angle: float) -> np.ndarray:
    """A Gaussian with these standard deviations, the longer one `angle` degrees clockwise from x."""
    y, x = np.mgrid[:rows, :columns] - np.array(center[::-1])[:, None, None]
    turn = np.radians(angle)
    along, across = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    return np.exp(-((along / axes[0]) ** 2 + (across / axes[1]) ** 2) / 2).astype(np.float32)


def inside(ellipse: Ellipse, shape: tuple[int, int], scale: float = 1.0) -> np.ndarray:
    """Which pixels have their centre in the ellipse, written out from its axes and angle."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    x, y = x - ellipse.center[0], y - ellipse.center[1]
    turn, (longer, shorter) = np.radians(ellipse.angle), ellipse.half_axes
    along, across = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    return (along / longer) ** 2 + (across / shorter) ** 2 <= scale**2


@pytest.mark.parametrize("angle", [0, 30, -70])
def test_the_ellipses_of_a_gaussian_are_its_own(angle):
    """Of a Gaussian, 50 % lie within 1.1774 and 95 % within 2.4477 standard deviations: sqrt(-2 ln(1 - share))."""
    values = hill(200, 240, (130.5, 90.25), (20, 9), angle)
    for ellipse, share in zip(energy.ellipses(values, 7, 11), SHARES, strict=True):
        reach = np.sqrt(-2 * np.log(1 - share))
        assert ellipse.share == share
        assert ellipse.center == pytest.approx((137.5, 101.25), abs=0.05)
        assert ellipse.half_axes == pytest.approx((20 * reach, 9 * reach), rel=0.02)
        assert ellipse.angle == pytest.approx(angle, abs=0.5)


def test_an_f_leans_the_way_that_rows_count():
    """More energy at the lower right and upper left: the long axis falls to the right, at a positive angle."""
    values = np.zeros((9, 9), np.float32)
    values[range(9), range(9)] = 1
    assert energy.ellipses(values)[1].angle == pytest.approx(45)
    assert energy.ellipses(values[:, ::-1])[1].angle == pytest.approx(-45)


sizes = st.tuples(st.integers(1, 12), st.integers(1, 12))
fields = arrays(np.uint8, sizes).map(lambda levels: np.maximum(levels.astype(np.float32) - 100, 0) / 16)


@given(fields)
def test_an_ellipse_holds_its_share_and_a_smaller_one_less(values):
    """Counted pixel by pixel, whatever the form of the energy is."""
    found, total = energy.ellipses(values), values.sum(dtype=np.float64)
    assert len(found) == (2 if total > 0 else 0)
    for ellipse in found:
        held = values[inside(ellipse, values.shape, 1 + 1e-6)].sum(dtype=np.float64)
        assert held >= (ellipse.share - 1e-6) * total
        if ellipse.half_axes[1] > energy.LEAST_AXIS * 1.01:
            within = values[inside(ellipse, values.shape, 1 - 1e-6)].sum(dtype=np.float64)
            assert within < (ellipse.share + 1e-6) * total


@given(fields)
def test_the_least_area_that_holds_most_of_it(values):
    found = energy.spread(values)
    if values.sum() == 0:
        assert found is None
        return
    count, ranked = round(found * values.size), np.sort(values, axis=None)[::-1].astype(np.float64)
    assert ranked[:count].sum() >= 0.95 * ranked.sum() - 1e-6
    assert ranked[: count - 1].sum() < 0.95 * ranked.sum() + 1e-6


def test_shares_of_even_and_of_lone_energy():
    assert energy.spread(np.ones((10, 10), np.float32)) == 0.95
    lone = np.zeros((10, 10), np.float32)
    lone[3, 6] = 2
    assert energy.spread(lone) == 0.01
    assert [ellipse.half_axes for ellipse in energy.ellipses(lone)] == [pytest.approx((0.5, 0.5))] * 2
    assert energy.ellipses(lone)[0].center == (6, 3)


def test_energy_is_the_magnitude_summed_over_channels():
    projection = np.array([[[1.0, -2.0]], [[-3.0, 0.5]]], np.float32)
    assert energy.energy(projection).tolist() == [[4.0, 2.5]]


def test_an_ellipse_on_the_image_lies_as_in_the_network():
    """Resized by 2 along x and 4 along y: points on the one are points on the other."""
    ellipse = Ellipse(0.5, (40.0, 30.0), (90.0, 25.0, 60.0))
    frame = Frame((50, 100), (200, 200), (208, 208), (4, 4))
    moved = ellipse.on_image(frame)
    for turn in np.linspace(0, 6, 7):
        (longer, shorter), lean = ellipse.half_axes, np.radians(ellipse.angle)
        along, across = longer * np.cos(turn), shorter * np.sin(turn)
        x = ellipse.center[0] + along * np.cos(lean) - across * np.sin(lean)
        y = ellipse.center[1] + along * np.sin(lean) + across * np.cos(lean)
        dx, dy = np.subtract(frame.to_image(x, y), moved.center)
        xx, xy, yy = moved.moments
        assert np.array([dx, dy]) @ np.linalg.inv([[xx, xy], [xy, yy]]) @ [dx, dy] == pytest.approx(1)


def test_a_glow_is_smooth_and_keeps_its_place():
    values = np.zeros((160, 200), np.float32)
    values[50, 120] = 3
    shown = energy.glow(values)
    assert np.unravel_index(shown.argmax(), shown.shape) == (50, 120)
    assert shown.max() == 255
    assert shown[50, 124] > 100  # of a single pixel
    assert shown[50, 150] == 0
    assert not energy.glow(np.zeros((5, 4), np.float32)).any()
    small = np.array([[0, 1], [2, 4]], np.float32)  # too small to be smoothed
    assert energy.glow(small).tolist() == [[0, 64], [128, 255]]


def test_a_picture_of_what_came_back_is_grey_where_that_is_nothing():
    projection = np.zeros((3, 4, 5), np.float32)
    projection[0, 1, 2], projection[2, 3, 4] = 2, -2
    shown = energy.picture(projection)
    assert shown.shape == (4, 5, 3)
    assert shown[1, 2].tolist() == [255, 128, 128]
    assert shown[3, 4].tolist() == [128, 128, 0]
    assert (energy.picture(np.zeros((1, 4, 5), np.float32)) == 128).all()
    assert energy.picture(projection[:1])[1, 2].tolist() == [255, 255, 255]  # one channel is grey
