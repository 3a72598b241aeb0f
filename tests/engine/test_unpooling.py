"""Max-unpooling on parts of maps against torch on the whole, and its fields against what changes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core.errors import SegvizError
from segviz.core.field import Status
from segviz.core.regions import Region
from segviz.core.steps import Interval
from segviz.engine.cached import Cached
from segviz.engine.dilation import dilated
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import Trace, trace


class Unpooled(nn.Module):
    """A pooling and its reverse between two convolutions, values changed on the way."""

    def __init__(self, kernel: int = 2, stride: int = 2, padding: int = 0, ceil: bool = True) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil, return_indices=True)
        self.first, self.last = nn.Conv2d(2, 3, 3, padding=1), nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        maxima, switches = self.pool(x)
        kernel, stride = self.pool.kernel_size, self.pool.stride
        back = F.max_unpool2d(maxima.tanh(), switches, kernel, stride, self.pool.padding, x.shape[2:])
        out: Tensor = self.last(back)
        return out


def ready(network: nn.Module, height: int, width: int) -> tuple[Trace, NetworkWeights, Tensor, Tensor]:
    """Its trace, its weights, an image and what it answers, in float64."""
    network = network.double().eval()
    image = torch.rand(1, 2, height, width, dtype=torch.float64)
    with torch.inference_mode():
        answer = network(image)
    return trace(network, (2, height, width)), NetworkWeights(network), image, answer


@settings(max_examples=25)
@given(
    st.integers(1, 3), st.integers(1, 3), st.booleans(), st.integers(7, 20), st.integers(7, 20), st.integers(1, 4),
    st.data(),
)  # fmt: skip
def test_strips_and_regions_equal_the_whole(kernel, stride, ceil, height, width, rows, data):
    torch.manual_seed(1)
    padding = data.draw(st.integers(0, kernel // 2))
    try:
        traced, weights, image, answer = ready(Unpooled(kernel, stride, padding, ceil), height, width)
    except (RuntimeError, ValueError):  # torch unpools to sizes alone that are near the pooled one times the stride
        assume(False)
    assert not any(node.reason or node.mixed for node in traced.geometry.nodes)
    streamed = finished(run(traced, weights, image, rows=rows)).output
    assert (streamed - answer).abs().max() < 1e-12
    top, left = (data.draw(st.integers(0, side - 1)) for side in (height, width))
    bottom, right = data.draw(st.integers(top, height - 1)), data.draw(st.integers(left, width - 1))
    part = finished(run(traced, weights, image, region=Region(Interval(top, bottom), Interval(left, right)))).output
    assert (part - answer[:, :, top : bottom + 1, left : right + 1]).abs().max() < 1e-12


def test_switches_of_a_part_count_units_of_the_whole():
    traced, weights, image, _ = ready(Unpooled(), 11, 9)
    switches = next(index for index, value in enumerate(traced.operations) if type(value.kernel).__name__ == "Switches")
    first = finished(run(traced, weights, image, target=1)).output
    _, wanted = F.max_pool2d(first, 2, 2, ceil_mode=True, return_indices=True)
    region = Region(Interval(2, 5), Interval(1, 4))
    found = finished(run(traced, weights, image, target=switches, region=region)).output
    assert found.dtype == torch.int64
    assert torch.equal(found, wanted[:, :, 2:6, 1:5])


@pytest.mark.parametrize(("row", "top", "bottom"), [(6, 3, 8), (7, 5, 10)])
def test_an_unpooled_unit_sees_what_its_window_saw(row, top, bottom):
    """A convolution takes units row - 1 to row + 1, their windows begin at even ones, and see one more on each side."""
    traced, *_ = ready(Unpooled(), 16, 16)
    field = traced.geometry.field("last", row, row)
    assert field.status is Status.EXACT
    assert (field.box.top, field.box.bottom - 1) == (top, bottom)
    assert traced.geometry.position_of("last", row, row) == (row, row)


def test_nothing_outside_the_field_changes_a_unit():
    torch.manual_seed(2)
    network = Unpooled()
    traced, _, image, answer = ready(network, 16, 16)
    box = traced.geometry.field("last", 7, 7).box.clipped(16, 16)
    left, top, right, bottom = (int(edge) for edge in box)
    other = torch.rand_like(image)
    other[:, :, top:bottom, left:right] = image[:, :, top:bottom, left:right]
    with torch.inference_mode():
        assert torch.equal(network(other)[:, :, 7, 7], answer[:, :, 7, 7])


def test_an_edit_of_the_image_is_followed_through_switches():
    traced, weights, image, _ = ready(Unpooled(), 24, 40)
    cached = Cached(traced, weights, image)
    finished(cached.fill())
    edit = image.clone()
    edit[:, :, 9:12, 20:23] = 3.0
    finished(cached.update(edit, Region(Interval(9, 11), Interval(20, 22))))
    assert (cached.logits - finished(run(traced, weights, edit)).output).abs().max() < 1e-12


class Foreign(Unpooled):
    """Switches of one map put to use in another: torch takes them, by their number."""

    def forward(self, x: Tensor) -> Tensor:
        maxima, switches = self.pool(self.first(x))
        size = (2 * maxima.shape[2], 2 * maxima.shape[3] + 1)
        out: Tensor = self.last(F.max_unpool2d(maxima, switches, 2, 2, 0, size))
        return out


def test_switches_of_another_map_are_computed_whole_and_said_to_depend_on_the_image():
    torch.manual_seed(3)
    traced, weights, image, answer = ready(Foreign(), 12, 12)
    assert (finished(run(traced, weights, image, rows=2)).output - answer).abs().max() < 1e-12
    field = traced.geometry.field("last", 5, 5)
    assert field.status is Status.DATA
    assert "no pooling of this network" in field.reason


def test_unpooling_has_no_dense_form():
    with pytest.raises(SegvizError, match="cannot be made dense"):
        dilated(ready(nn.Sequential(nn.Conv2d(2, 2, 1, 2), Unpooled()), 32, 32)[0])
