"""Every way of upsampling against torch's own function, and against the numbers that papers and lecture give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segviz.core import upsamplers
from segviz.core.choices import Upsampling
from segviz.core.errors import SegvizError
from segviz.core.upsamplers import Insertion

FACTORS = (2, 4, 8)


def plane(rows: int = 5, columns: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns))


def of_torch(values: np.ndarray, factor: int, mode: str) -> np.ndarray:
    tensor, other = torch.from_numpy(values)[None, None], {} if mode == "nearest" else {"align_corners": False}
    return F.interpolate(tensor, scale_factor=factor, mode=mode, **other)[0, 0].numpy()


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("how", [Upsampling.NEAREST, Upsampling.BILINEAR, Upsampling.BICUBIC])
def test_interpolation_is_torchs(how, factor):
    values = plane()
    assert np.abs(upsamplers.interpolated(values, factor, how) - of_torch(values, factor, how.value)).max() < 2e-6


@pytest.mark.parametrize("factor", FACTORS)
def test_a_bed_of_nails_has_each_value_once_and_zeros_between(factor):
    values = plane()
    nails = upsamplers.bed_of_nails(values, factor)
    assert nails.shape == (5 * factor, 7 * factor)
    assert np.array_equal(nails[::factor, ::factor], values)
    assert np.count_nonzero(nails) == values.size


def test_the_bilinear_kernel_of_the_oracles():
    """oracles.md: 0.25 0.75 0.75 0.25 along a row; kernels of 4, 16, 32, 64 sum to 4, 64, 256, 1024."""
    row = np.array([0.25, 0.75, 0.75, 0.25])
    assert np.array_equal(upsamplers.bilinear_kernel(2), np.outer(row, row))
    sums = {2: 4.0, 8: 64.0, 16: 256.0, 32: 1024.0}
    assert {factor: upsamplers.bilinear_kernel(factor).sum() for factor in sums} == sums
    assert np.array_equal(upsamplers.bilinear_kernel(2, odd=True)[1], [0.5, 1, 0.5])


@pytest.mark.parametrize("factor", [2, 4, 8, 16, 32])
def test_a_bilinear_transposed_convolution_interpolates_in_the_interior_alone(factor):
    """oracles.md: equal to 1.4e-15 inside, in float64; at the border it has nothing to add and fades."""
    values = plane()
    found = upsamplers.transposed(values, upsamplers.bilinear_kernel(factor), factor)
    wanted = of_torch(values, factor, "bilinear")
    inside = np.s_[factor // 2 : -(factor // 2), factor // 2 : -(factor // 2)]
    assert np.abs(found[inside] - wanted[inside]).max() <= 1e-12
    assert np.abs(found - wanted)[0].max() > 1e-3


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("width", [0, 1, 2, 5])
def test_a_transposed_convolution_is_torchs(factor, width):
    """Kernels as wide as the factor and wider: torch's whole result, of which the middle is taken."""
    values, kernel = plane(), plane(factor + width, factor + width, 1)
    whole = F.conv_transpose2d(
        torch.from_numpy(values)[None, None], torch.from_numpy(kernel)[None, None], stride=factor
    )[0, 0].numpy()
    first = upsamplers.cut(factor + width, factor)
    wanted = whole[first : first + 5 * factor, first : first + 7 * factor]
    assert np.abs(upsamplers.transposed(values, kernel, factor) - wanted).max() < 1e-12


@pytest.mark.parametrize("mixed", [True, False])
def test_maps_that_mix_and_maps_that_do_not_are_torchs(mixed):
    maps, kernel = np.random.default_rng(2).normal(size=(3, 4, 5)), np.zeros((3, 3, 5, 5))
    for ours in range(3):
        for other in range(3) if mixed else (ours,):
            kernel[ours, other] = plane(5, 5, 3 * ours + other)
    whole = F.conv_transpose2d(torch.from_numpy(maps)[None], torch.from_numpy(kernel), stride=3)[0].numpy()
    found = upsamplers.transposed_maps(maps, kernel, 3, (1, 2), (12, 15))
    assert np.abs(found[:, :12, :15] - whole[:, 1:13, 2:17]).max() < 1e-12


def test_what_lies_behind_the_end_of_a_transposed_convolution_is_zero():
    found = upsamplers.transposed_maps(np.ones((1, 2, 2)), np.ones((1, 1, 2, 2)), 2, (0, 0), (6, 5))
    assert found[0].sum() == 16
    assert not found[0, 4:].any()


def test_a_kernel_that_leaves_holes_is_refused_with_the_remedy():
    with pytest.raises(SegvizError, match="at least 4 x 4"):
        upsamplers.transposed(plane(), np.ones((3, 3)), 4)


@pytest.mark.parametrize("factor", FACTORS)
def test_overlaps_are_even_only_where_the_factor_divides_the_kernel(factor):
    """Odena et al. 2016: that is where checkerboards come from."""
    inside = np.s_[2 * factor : -2 * factor, 2 * factor : -2 * factor]
    even = upsamplers.overlaps(6, 6, upsamplers.bilinear_kernel(factor).shape, factor)[inside]
    uneven = upsamplers.overlaps(6, 6, upsamplers.uneven_kernel(factor).shape, factor)[inside]
    assert set(even.ravel()) == {4}
    assert set(uneven.ravel()) == {1, 2, 4}


@pytest.mark.parametrize("factor", FACTORS)
def test_an_uneven_kernel_keeps_the_mean_and_paints_a_checkerboard(factor):
    kernel = upsamplers.uneven_kernel(factor)
    assert kernel.sum() == pytest.approx(factor**2)
    assert kernel.shape[0] % factor
    result = upsamplers.transposed(np.ones((6, 6)), kernel, factor)[2 * factor : -2 * factor, 2 * factor : -2 * factor]
    assert result.max() == pytest.approx(4 * result.min())


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("width", [0, 1, 3])
def test_a_convolution_after_zero_insertion_is_the_transposed_convolution(factor, width):
    """Dumoulin and Visin 2016, section 4; the kernel is not symmetric, so that turning it counts."""
    values, kernel = plane(3, 4), plane(factor + width, factor + width, 1)
    insertion = Insertion.of(values, kernel, factor)
    direct = upsamplers.transposed(values, kernel, factor)
    assert insertion.positions == direct.size
    assert np.abs(insertion.output() - direct).max() < 1e-12


def test_a_position_shows_what_is_multiplied():
    values, kernel = plane(3, 4), plane(3, 3, 1)
    insertion = Insertion.of(values, kernel, 2)
    direct = upsamplers.transposed(values, kernel, 2)
    for position in range(insertion.positions):
        assert insertion.products(position).sum() == pytest.approx(direct[insertion.place(position)])
    assert np.count_nonzero(insertion.padded) == values.size


@pytest.mark.parametrize("window", [2, 3, 4])
def test_pooling_and_unpooling_are_torchs(window):
    values = plane(6, 8)
    pooled, where = F.max_pool2d(torch.from_numpy(values)[None, None], window, ceil_mode=True, return_indices=True)
    back = F.max_unpool2d(pooled, where, window, output_size=(6, 8))
    found = upsamplers.max_pooled(values, window)
    assert np.array_equal(found.values, pooled[0, 0].numpy())
    assert np.array_equal(found.switches[..., 0] * 8 + found.switches[..., 1], where[0, 0].numpy())
    assert np.array_equal(found.unpooled(), back[0, 0].numpy())


def test_unpooling_keeps_one_value_a_window_at_its_maximum():
    """oracles.md. Of equal values the first is kept."""
    values = np.array([[1.0, 9, 2, 2], [3, 4, 2, 2]])
    found = upsamplers.max_pooled(values, 2)
    assert np.array_equal(found.unpooled(), [[0, 9, 2, 0], [0, 0, 0, 0]])
    assert np.array_equal(found.survivors, [[False, True, True, False], [False] * 4])


def test_a_difference_has_its_largest_and_its_mean_whatever_the_sizes():
    found = upsamplers.difference(np.array([[1.0, 2], [3, 4]]), np.zeros((4, 4)))
    assert (found.maximum, found.mean) == (4.0, 2.5)
    assert found.values.shape == (4, 4)
    assert upsamplers.difference(np.zeros((2, 2)), np.full((2, 2), 0.5)).values[0, 0] == -0.5
