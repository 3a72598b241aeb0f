from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from segviz.core.steps import same_padding
from segviz.models.layers import SameConv2d

SIZES = st.integers(1, 40)


@given(SIZES, st.integers(1, 7), st.integers(1, 4), st.integers(1, 3))
def test_same_padding_gives_one_unit_for_each_stride(size: int, kernel: int, stride: int, dilation: int) -> None:
    before, after = same_padding(size, kernel, stride, dilation)
    padded, reach = size + before + after, dilation * (kernel - 1)
    assert after - before in (0, 1)
    if before or after:
        assert (padded - reach - 1) // stride + 1 == -(-size // stride)
        assert padded == (-(-size // stride) - 1) * stride + reach + 1  # no zero more than is needed


def test_same_padding_of_the_stems() -> None:
    assert same_padding(224, 3, 2) == (0, 1)  # even sizes: the zero comes after
    assert same_padding(225, 3, 2) == (1, 1)
    assert same_padding(14, 5, 2) == (1, 2)
    assert same_padding(10, 1, 2) == (0, 0)


@pytest.mark.parametrize(("height", "width"), [(9, 8), (8, 9), (7, 7), (16, 16), (1, 5)])
@pytest.mark.parametrize(("kernel", "stride", "dilation"), [(3, 1, 1), (3, 2, 1), (5, 2, 1), (4, 1, 1), (3, 1, 2)])
def test_convolution_equals_padding_by_hand(height: int, width: int, kernel: int, stride: int, dilation: int) -> None:
    torch.manual_seed(0)
    layer = SameConv2d(2, 3, kernel, stride, dilation=dilation).double()
    x = torch.randn(2, 2, height, width, dtype=torch.float64)
    left, right = same_padding(width, kernel, stride, dilation)
    top, bottom = same_padding(height, kernel, stride, dilation)
    by_hand = F.conv2d(F.pad(x, (left, right, top, bottom)), layer.weight, layer.bias, stride, 0, dilation)
    out = layer(x)
    assert out.shape == (2, 3, -(-height // stride), -(-width // stride))
    torch.testing.assert_close(out, by_hand, rtol=0, atol=1e-14)


def test_odd_padding_lies_at_the_bottom_and_at_the_right() -> None:
    layer = SameConv2d(1, 1, 2, bias=False)
    layer.weight.data = torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]])  # answers with the pixel to the right
    x = torch.arange(1.0, 7.0).reshape(1, 1, 2, 3)
    assert layer(x)[0, 0].tolist() == [[2, 3, 0], [5, 6, 0]]
