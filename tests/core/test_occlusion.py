"""The grey square in pixels of the network, and what it can reach, held against receptive fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segviz.core.field import Box
from segviz.core.frames import Frame
from segviz.core.occlusion import covered, square_box
from segviz.core.regions import Region, projective
from segviz.core.steps import Interval
from tests.core import networks

SIZES = st.integers(1, 300)


@given(SIZES, SIZES, st.floats(0.05, 4), st.floats(-500, 500), st.floats(-500, 500), st.integers(1, 400))
def test_it_is_whole_pixels_inside_the_image(
    height: int, width: int, scale: float, x: float, y: float, side: int
) -> None:
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    outer = inner[0] + 44 + 61, inner[1] + 44 + 44
    found = covered(Frame((height, width), inner, outer, (44, 44)), x, y, side)
    assert 44 <= found.y.lo <= found.y.hi < 44 + inner[0]
    assert 44 <= found.x.lo <= found.x.hi < 44 + inner[1]


def test_without_a_scale_it_covers_what_was_drawn() -> None:
    frame = Frame((100, 80), (100, 80), (112, 96), (5, 3))
    square = covered(frame, 20.0, 30.0, 16)
    assert square == Region(Interval(35, 50), Interval(23, 38))
    assert square_box(frame, square) == Box(20, 30, 36, 46)


def test_at_half_the_scale_it_covers_a_quarter_of_the_pixels() -> None:
    frame = Frame((100, 80), (50, 40), (50, 40))
    square = covered(frame, 20.0, 30.0, 16)
    assert square.shape == (8, 8)
    assert square_box(frame, square) == Box(20, 30, 36, 46)


@pytest.mark.parametrize("layer", ["conv1_2", "pool3", "conv5_3", "dense"])
def test_a_unit_is_reached_where_its_field_meets_the_square(layer: str) -> None:
    """On VGG16, padded: the smallest rectangle around the units whose fields have a pixel of the square."""
    geometry = networks.vgg(size=320)
    square = Region(Interval(100, 119), Interval(40, 49))
    rows, columns = geometry.grid(layer)
    fields = [geometry.field(layer, unit, unit).box for unit in range(min(rows, columns))]
    down = [unit for unit, box in enumerate(fields) if box.top <= square.y.hi and box.bottom > square.y.lo]
    across = [unit for unit, box in enumerate(fields) if box.left <= square.x.hi and box.right > square.x.lo]
    wanted = Region(Interval(down[0], down[-1]), Interval(across[0], across[-1]))
    assert projective(geometry, layer, square) == wanted
