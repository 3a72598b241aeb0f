"""Upsampling against torch, and aligned by unit positions where no stretching would be right."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from segviz.core.choices import Upsampling
from segviz.core.frames import Lattice
from segviz.core.resample import UPSAMPLINGS, axis_taps, upsample


def stretched(rows: int, columns: int, factor: int) -> Lattice:
    """The lattice whose cells cover an image of `factor` times its size: what interpolate() assumes."""
    start = (factor - 1) / 2
    return Lattice(rows, columns, (start, start), (factor, factor))


def torch_upsampled(plane: np.ndarray, factor: int, mode: str) -> np.ndarray:
    align = {} if mode == "nearest" else {"align_corners": False}
    x = torch.from_numpy(plane)[None, None]
    return functional.interpolate(x, scale_factor=factor, mode=mode, **align)[0, 0].numpy()


@pytest.fixture
def plane() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(5, 7)).astype(np.float32)


def test_every_upsampling_has_its_kernel():
    assert set(UPSAMPLINGS) == set(Upsampling)


@pytest.mark.parametrize("how", [Upsampling.BILINEAR, Upsampling.BICUBIC])
@pytest.mark.parametrize("factor", [2, 3, 8])
def test_equals_interpolate(plane, how, factor):
    ours = upsample(plane, stretched(5, 7, factor), how, 5 * factor, 7 * factor)
    np.testing.assert_allclose(ours, torch_upsampled(plane, factor, how.value), atol=3e-6)


@pytest.mark.parametrize("factor", [3, 5])  # odd: even factors put no pixel on a tie either, see below
def test_nearest_equals_interpolate(plane, factor):
    ours = upsample(plane, stretched(5, 7, factor), Upsampling.NEAREST, 5 * factor, 7 * factor)
    np.testing.assert_array_equal(ours, torch_upsampled(plane, factor, "nearest"))


def test_nearest_ties_take_the_lower_unit():
    lattice = Lattice(1, 2, (0, 0), (2, 2))  # pixel 1 lies between the units at 0 and 2
    assert upsample(np.array([[5, 9]], np.float32), lattice, Upsampling.NEAREST, 1, 3).tolist() == [[5, 5, 9]]


@pytest.mark.parametrize("factor", [2, 4, 8, 32])
def test_transposed_is_a_bilinear_transposed_convolution(plane, factor):
    """Kernel 2f, stride f, padding f/2 (Long et al. 2015), at the border too, where it fades."""
    reach = 1 - np.abs(np.arange(2 * factor) - (factor - 0.5)) / factor
    kernel = torch.from_numpy(np.outer(reach, reach).astype(np.float32))[None, None]
    assert float(kernel.sum()) == pytest.approx(factor**2)
    x = torch.from_numpy(plane)[None, None]
    expected = functional.conv_transpose2d(x, kernel, stride=factor, padding=factor // 2)[0, 0].numpy()
    ours = upsample(plane, stretched(5, 7, factor), Upsampling.TRANSPOSED, 5 * factor, 7 * factor)
    np.testing.assert_allclose(ours, expected, atol=3e-6)
    inside = slice(factor, -factor)
    bilinear = torch_upsampled(plane, factor, "bilinear")
    np.testing.assert_allclose(ours[inside, inside], bilinear[inside, inside], atol=3e-6)


starts, strides = st.floats(-40, 80), st.floats(0.5, 40)


@given(how=st.sampled_from(list(Upsampling)), start=starts, stride=strides, rows=st.integers(1, 6))
def test_a_constant_stays_constant(how, start, stride, rows):
    lattice = Lattice(rows, rows, (start, start), (stride, stride))
    wide = upsample(np.full((rows, rows), 3.0, np.float32), lattice, how, 30, 20)
    law, _ = lattice.laws
    positions = np.arange(30)
    inside = (positions >= law.at(0)) & (positions <= law.at(rows - 1))
    if how is Upsampling.TRANSPOSED:
        wide = wide[inside][:, inside[:20]]
        assert wide.shape == (inside.sum(), inside[:20].sum())
    assert np.allclose(wide, 3.0, atol=1e-5)


@given(
    how=st.sampled_from(list(Upsampling)), start=st.integers(0, 15), stride=st.integers(2, 9), seed=st.integers(0, 9)
)
def test_a_pixel_at_a_unit_takes_its_score(how, start, stride, seed):
    plane = np.random.default_rng(seed).normal(size=(4, 5)).astype(np.float32)
    lattice = Lattice(4, 5, (start, start + 3), (stride, stride + 1))
    wide = upsample(plane, lattice, how, 80, 80)
    found = wide[start + 3 :: stride + 1, start::stride][:4, :5]
    np.testing.assert_allclose(found, plane, atol=1e-5)


def test_lenet_grid_is_not_stretched_over_the_image():
    """LeNet-5 on 96 pixels: 17 units from 15.5 to 79.5. Stretching would put the step elsewhere."""
    plane = np.repeat((np.arange(17) >= 8).astype(np.float32)[None], 17, 0)
    wide = upsample(plane, Lattice(17, 17, (15.5, 15.5), (4, 4)), Upsampling.BILINEAR, 96, 96)
    half = np.interp(0.5, wide[0, 40:56], np.arange(40, 56))
    assert half == pytest.approx(15.5 + 7.5 * 4)
    np.testing.assert_array_equal(wide[:, :16], wide[:, 15:16].repeat(16, 1))  # beyond the units: the border's score


def test_a_linear_ramp_stays_linear_between_units():
    plane = np.arange(6, dtype=np.float32)[None].repeat(3, 0) * 8
    wide = upsample(plane, Lattice(3, 6, (4.0, 4.0), (8.0, 8.0)), Upsampling.BILINEAR, 24, 48)
    np.testing.assert_allclose(wide[5, 4:45], np.arange(41), atol=1e-5)


@given(how=st.sampled_from(list(Upsampling)), start=starts, stride=strides, size=st.integers(1, 9))
def test_taps_are_units_of_the_grid(how, start, stride, size):
    lattice = Lattice(size, size, (start, start), (stride, stride))
    taps = axis_taps(how, lattice.laws[0], size, np.arange(50, dtype=np.float64))
    assert taps.units.shape == taps.weights.shape
    assert taps.units.min() >= 0
    assert taps.units.max() < size
    if how is not Upsampling.TRANSPOSED:
        np.testing.assert_allclose(taps.weights.sum(1), 1, atol=1e-6)
