"""The grid of windows: which piece of the image each of them is."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from segviz.core.errors import SegvizError
from segviz.engine.windows import LARGEST_BATCH, Windows, batch_size, classify


@given(st.data(), st.integers(4, 17), st.integers(5, 19), st.integers(1, 4), st.integers(1, 5), st.integers(1, 6))
def test_a_batch_is_cut_out_of_the_image_row_by_row(data, height, width, rows, columns, stride):
    image = torch.arange(2 * height * width, dtype=torch.float32).reshape(1, 2, height, width)
    windows = Windows(image, (rows, columns), stride)
    assert len(windows) == ((height - rows) // stride + 1) * ((width - columns) // stride + 1)
    first = data.draw(st.integers(0, len(windows) - 1))
    end = data.draw(st.integers(first + 1, len(windows)))
    batch = windows.batch(first, end)
    assert batch.shape == (end - first, 2, rows, columns)
    for place, window in enumerate(batch, start=first):
        top, left = windows.corner(place)
        assert torch.equal(window, image[0, :, top : top + rows, left : left + columns])


def test_windows_larger_than_the_image_are_refused_with_the_remedy():
    with pytest.raises(SegvizError, match=r"the image is 31x40 for the network, .* window of 32x32: raise the scale"):
        Windows(torch.zeros(1, 1, 31, 40), (32, 32), 4)


def test_answers_come_in_the_order_of_the_grid_and_the_last_batch_may_be_short():
    windows = Windows(torch.arange(35.0).reshape(1, 1, 5, 7), (1, 1), 1)
    batches = list(classify(nn.Flatten(), windows, 8))
    assert [len(batch) for batch in batches] == [8, 8, 8, 8, 3]
    assert torch.cat(batches).flatten().tolist() == list(range(35))


@pytest.mark.parametrize(
    ("elements", "batch"), [(1, LARGEST_BATCH), (2**20, 16), (3 * 2**20, 4), (2**30, 1), (0, LARGEST_BATCH)]
)
def test_the_larger_the_maps_the_smaller_the_batch(elements, batch):
    assert batch_size(elements) == batch
