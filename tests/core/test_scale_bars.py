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


@pytest.mark.parametrize("side", [120, 300, 2200])
def test_the_middle_of_a_signed_bar_is_named_below_the_colour_that_it_is_of(side):
    """Where colours change sides a person must not have to guess that the value there is 0."""
    plain, named = (
        scale_bars.with_scale(np.zeros((10, side, 3), np.uint8), COLOURS, "-0.0123 against", "for 0.0123", *more)[10:]
        for more in ((), ("0",))
    )
    assert named.shape == plain.shape
    half = len(named) // 2
    bar = np.flatnonzero((abs(named[half].astype(int) - scale_bars.GROUND) > 12).any(1))
    row = named[half].astype(int)
    first, last = (np.flatnonzero((abs(row - COLOURS[at]) <= 12).all(1)) for at in (0, -1))
    middle = (first[0] + last[-1]) / 2
    assert bar[0] < middle < bar[-1]
    tall = round(scale_bars.BAR * max(1, side / scale_bars.WIDE))
    below = named[round(len(named) * scale_bars.HIGHER + tall / 2) + 1 :]
    written = np.flatnonzero((below[:, first[0] : last[-1]].min(2) > 150).any(0)) + first[0]
    assert len(written)
    assert abs((written[0] + written[-1]) / 2 - middle) <= 0.02 * side
    assert not (below[-1].min(1) > 150).any(), "the text is inside the strip"
