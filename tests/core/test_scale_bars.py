"""The scale below a picture: the picture whole, the colours in order, the texts never cut."""

from __future__ import annotations

import numpy as np
import pytest

from segviz.core import palettes, scale_bars
from segviz.core.choices import ColourMap

COLOURS = palettes.colour_map(ColourMap.DIVERGING)


@pytest.mark.parametrize("size", [(20, 32), (300, 400), (900, 3000)])
def test_the_picture_stays_and_the_bar_goes_from_the_first_colour_to_the_last(size):
    pixels = np.random.default_rng(1).integers(0, 256, (*size, 3), np.uint8)
    made = scale_bars.with_scale(pixels, COLOURS, "-0.0123 against", "for 0.0123")
    height, width = size
    assert np.array_equal(made[:height, :width], pixels)
    strip = made[height:]
    row = strip[len(strip) // 2].astype(int)
    first, last = (np.flatnonzero((abs(row - COLOURS[at]) <= 12).all(1)) for at in (0, -1))
    assert len(first)
    assert first[0] < last[-1]
    written = np.flatnonzero((strip.min(2) > 150).any(0))  # letters stand left and right of the bar, inside the strip
    assert 0 < written[0] < first[0]
    assert last[-1] < written[-1] < made.shape[1] - 1


def test_a_larger_picture_has_a_larger_scale():
    heights = []
    for side in (500, 3000):
        made = scale_bars.with_scale(np.zeros((10, side, 3), np.uint8), COLOURS, "-1", "1")
        heights.append(len(made) - 10)
    assert heights[1] > 2 * heights[0]
