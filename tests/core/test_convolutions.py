"""Convolutions in plain numbers, against torch and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segviz.core import convolutions
from segviz.core.convolution_lab import Preset
from segviz.core.convolutions import Sliding
from segviz.core.errors import SegvizError

GEOMETRIES = [(side, width, stride, padding, dilation) for side in (4, 7, 8) for width in (1, 2, 3, 4)
              for stride in (1, 2) for padding in (0, 1) for dilation in (1, 2)
              if dilation * (width - 1) < side + 2 * padding]  # fmt: skip
RNG = np.random.default_rng(5)


def by_torch(plane, kernel, stride=1, padding=0, dilation=1):
    one = F.conv2d(torch.tensor(plane)[None, None], torch.tensor(kernel)[None, None], None, stride, padding, dilation)
    return one[0, 0].numpy()


@pytest.mark.parametrize(("side", "width", "stride", "padding", "dilation"), GEOMETRIES)
def test_the_unrolled_matrix_is_the_convolution(side, width, stride, padding, dilation):
    """Lecture T04: the matrix times the image, the sliding kernel and torch agree."""
    plane, kernel = RNG.normal(size=(side, side)), RNG.normal(size=(width, width))
    wanted = by_torch(plane, kernel, stride, padding, dilation)
    matrix = convolutions.unrolled(side, kernel, stride, padding, dilation)
    sliding = Sliding.over(plane, kernel, stride, padding, dilation)
    assert matrix.outputs == sliding.size == wanted.shape
    np.testing.assert_allclose(matrix.output(plane), wanted, atol=1e-12)
    np.testing.assert_allclose(sliding.output(), wanted, atol=1e-12)
    sums = [sliding.sum(*sliding.place(position)) for position in range(sliding.positions)]
    np.testing.assert_allclose(np.reshape(sums, wanted.shape), wanted, atol=1e-12)


def test_figures_of_a_matrix():
    """A 3x3 kernel on 5x5 pixels: 9 rows of 25 entries with the same nine weights each."""
    matrix = convolutions.unrolled(5, np.ones((3, 3)))
    assert (matrix.entries, matrix.used, matrix.distinct) == (225, 81, 9)
    assert matrix.patch(4) == tuple((row, column) for row in (1, 2, 3) for column in (1, 2, 3))
    assert matrix.place(5) == (1, 2)
    padded = convolutions.unrolled(5, np.ones((3, 3)), padding=1)
    assert (padded.values.shape, len(padded.patch(0)), len(padded.patch(12))) == ((25, 25), 4, 9)


def test_weights_of_zero_are_shared_as_all_others():
    rows = np.asarray(convolutions.kernel_rows(Preset.SOBEL_X))
    assert convolutions.unrolled(4, rows).distinct == 9


@pytest.mark.parametrize("preset", [preset for preset in Preset if preset is not Preset.EDITED])
def test_presets_on_a_constant(preset):
    """What keeps the brightness sums to one; what finds changes sums to zero."""
    total = np.sum(convolutions.kernel_rows(preset))
    finds = preset in (Preset.SOBEL_X, Preset.SOBEL_Y, Preset.LAPLACIAN)
    assert total == pytest.approx(0 if finds else 1)


def test_sobel_x_finds_upright_edges_alone():
    plane = np.zeros((6, 6))
    plane[:, 3:] = 100
    across, down = (
        Sliding.over(plane, np.asarray(convolutions.kernel_rows(preset))).output()
        for preset in (Preset.SOBEL_X, Preset.SOBEL_Y)
    )
    assert across[0].tolist() == [0, 400, 400, 0]
    assert not down.any()


def test_the_identity_keeps_an_f():
    """An F is no mirror image of itself: nothing is turned or transposed."""
    letter = np.asarray([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0]], float)
    kept = Sliding.over(letter, np.asarray(convolutions.kernel_rows(Preset.IDENTITY)), padding=1).output()
    np.testing.assert_array_equal(kept, letter)


def test_shares_begin_with_the_largest_and_end_with_the_output():
    maps, kernel = RNG.normal(size=(7, 3, 3)), RNG.normal(size=(7, 3, 3))
    sliding = Sliding(maps, np.ones((3, 3), bool), kernel, bias=0.7)
    found = convolutions.shares(sliding.products(0, 0), 0.7)
    sizes = [abs(share.value) for share in found]
    assert sizes == sorted(sizes, reverse=True)
    assert sorted(share.channel for share in found) == list(range(7))
    assert found[-1].so_far == pytest.approx(sliding.sum(0, 0))
    assert found[0].so_far == pytest.approx(0.7 + found[0].value)


def test_taps_leave_out_what_dilation_skips():
    sliding = Sliding.over(np.arange(49.0).reshape(7, 7), np.ones((2, 2)), dilation=3)
    assert sliding.size == (4, 4)
    assert sliding.span(1, 2) == (1, 2, 4, 4)
    assert sliding.taps(1, 2) == ((1, 2), (1, 5), (4, 2), (4, 5))
    assert sliding.patch(1, 2)[0].tolist() == [[9, 12], [30, 33]]


def test_a_kernel_that_does_not_fit_is_refused_with_both_sizes():
    with pytest.raises(SegvizError, match="reaches over 9 units and the padded map has 5"):
        Sliding.over(np.zeros((5, 5)), np.ones((5, 5)), dilation=2)


@pytest.mark.parametrize("sizes", [(3, 3), (1, 4), (5, 2)])
def test_two_linear_layers_are_one(sizes):
    """Lecture T05: kernel of kernels; a ReLU between them breaks it."""
    plane, first, second = RNG.normal(size=(12, 12)), *(RNG.normal(size=(size, size)) for size in sizes)
    both = convolutions.composed(first, second)
    assert both.shape == (sum(sizes) - 1,) * 2
    inner = by_torch(plane, first)
    np.testing.assert_allclose(by_torch(inner, second), by_torch(plane, both), atol=1e-12)
    between = by_torch(convolutions.relu(inner), second)
    assert np.abs(between - by_torch(plane, both)).max() > 0.1


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (3, 2), (2, 1), (3, 4)])
def test_pooling_is_that_of_torch(window, stride):
    plane = RNG.normal(size=(9, 11))
    tensor = torch.tensor(plane)[None, None]
    most, mean = (convolutions.pooled(plane, window, stride, average) for average in (False, True))
    wanted, places = F.max_pool2d(tensor, window, stride, return_indices=True)
    np.testing.assert_allclose(most.values, wanted[0, 0].numpy())
    np.testing.assert_allclose(mean.values, F.avg_pool2d(tensor, window, stride)[0, 0].numpy())
    np.testing.assert_array_equal(most.taken.reshape(-1), np.bincount(places.reshape(-1).numpy(), minlength=99))
    assert mean.taken.sum() == window**2 * mean.values.size


def test_max_pooling_over_two_by_two_discards_three_of_four():
    """Lecture T06."""
    assert convolutions.pooled(RNG.normal(size=(8, 8)), 2, 2).survivors == 16


def test_of_equal_samples_the_first_survives():
    assert np.argwhere(convolutions.pooled(np.zeros((4, 4)), 2, 2).taken).tolist() == [[0, 0], [0, 2], [2, 0], [2, 2]]


def test_a_kernel_resized_keeps_its_middle():
    rows = ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0), (7.0, 8.0, 9.0))
    assert convolutions.resized_rows(rows, 1) == ((5.0,),)
    wide = np.asarray(convolutions.resized_rows(rows, 5))
    np.testing.assert_array_equal(wide[1:4, 1:4], rows)
    assert wide.sum() == 45


def test_grey_levels_are_whole():
    pixels = np.asarray([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]], np.uint8)
    assert convolutions.grey(pixels).tolist() == [[255, 0, 76]]
