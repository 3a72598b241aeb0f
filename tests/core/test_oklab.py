"""The colour space against known values, and what is built on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segviz.core.oklab import blended, far_apart, to_oklab, to_rgb

byte = st.integers(0, 255)


def test_white_grey_and_black_have_no_hue():
    np.testing.assert_allclose(to_oklab([[255, 255, 255], [0, 0, 0]]), [[1, 0, 0], [0, 0, 0]], atol=1e-6)
    assert np.abs(to_oklab([119, 119, 119])[1:]).max() < 1e-6


def test_red_as_its_author_computes_it():
    """Ottosson 2020: sRGB red is L 0.628, a 0.225, b 0.126."""
    np.testing.assert_allclose(to_oklab([255, 0, 0]), [0.62796, 0.22486, 0.12585], atol=1e-4)


@given(st.tuples(byte, byte, byte))
def test_there_and_back(colour):
    assert to_rgb(to_oklab(colour)).tolist() == list(colour)


def test_blending_meets_its_anchors():
    anchors = np.array([[0, 0, 80], [40, 120, 140], [200, 200, 60], [255, 240, 230]])
    curve = blended(anchors, 31)
    np.testing.assert_array_equal(curve[::10], anchors)
    assert np.abs(np.diff(curve.astype(int), axis=0)).max() < 30  # no jumps between them


def test_far_apart_starts_with_what_it_is_given():
    first = np.array([[230, 159, 0], [86, 180, 233]])
    colours = far_apart(first, 12)
    np.testing.assert_array_equal(colours[:2], first)
    lab = to_oklab(np.concatenate([[[0, 0, 0], [255, 255, 255], [128, 128, 128]], colours]))
    near = [min(np.linalg.norm(lab[i] - lab[j]) for j in range(i)) for i in range(5, 15)]
    assert near == sorted(near, reverse=True)  # greedy: each is as far as can be, so ever nearer
    assert min(near) > 0.15
    np.testing.assert_array_equal(far_apart(first, 5), colours[:5])


@pytest.mark.parametrize("count", [1, 2])
def test_far_apart_of_few_is_the_beginning(count):
    first = [[1, 2, 3], [200, 10, 30]]
    assert far_apart(first, count).tolist() == first[:count]
