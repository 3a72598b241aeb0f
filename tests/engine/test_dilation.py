"""Strides that become dilation where they are not the same along both axes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from segviz.core import assets, catalogue
from segviz.core.choices import Device, Method, Pooling
from segviz.core.errors import SegvizError
from segviz.core.requests import SegmentRequest, Setup
from segviz.core.specs import Kind
from segviz.engine import export, opening
from segviz.engine.flow import finished
from segviz.engine.run import Engine
from segviz.engine.store import Store


class Uneven(nn.Module):
    """A classifier of windows of 15 x 11 pixels, with a unit every 4 rows and every 2 columns."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, (2, 1)), nn.Conv2d(4, 4, 3, (2, 2))
        self.flatten, self.fc = nn.Flatten(), nn.Linear(4 * 3 * 4, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.flatten(self.second(torch.relu(self.first(x))).relu()))


@pytest.fixture
def uneven(monkeypatch):
    torch.manual_seed(2)
    network = Uneven().eval()
    entry = replace(catalogue.entry("lenet5"), name="uneven", title="Uneven", input_size=(1, 15, 11))
    monkeypatch.setitem(opening.OPENERS, Kind.PYTHON, lambda spec, trust: opening.Opened(entry, network))
    return "python:own.nets:Uneven"


@pytest.fixture
def page(tmp_path):
    with Image.open(assets.sample("digits-256x256.png")) as image:
        image.crop((20, 30, 69, 74)).save(tmp_path / "page.png")
    return str(tmp_path / "page.png")


@pytest.mark.parametrize("grid_stride", [2, 4, 6])
@pytest.mark.parametrize("region", [None, (9, 7, 21, 18)])
def test_a_dense_map_has_the_stride_that_was_asked_for_along_both_axes(uneven, page, grid_stride, region):
    """Of strides (4, 2) the first, (2, 1), stays for 2; then every second column counts."""
    engine, setup = Engine(), Setup(uneven, page, 1.0)
    fine = finished(engine.run(SegmentRequest(setup, Method.DENSE, grid_stride=1)))
    assert fine.lattice.stride == (1, 1)
    found = finished(engine.run(SegmentRequest(setup, Method.DENSE, grid_stride=grid_stride, region=region)))
    assert found.lattice.stride == (grid_stride, grid_stride)
    left, top = (region or (0, 0))[:2]
    for row, column in ((0, 0), (found.lattice.rows - 1, found.lattice.columns - 1)):
        x, y = found.lattice.position_of(row, column)
        at = fine.lattice.cell_at(x + left, y + top)
        assert fine.lattice.position_of(*at) == (x + left, y + top)
        assert np.abs(found.logits[:, row, column] - fine.logits[:, at[0], at[1]]).max() < 1e-5


def test_a_program_with_such_a_grid_is_refused_with_the_strides_that_there_are(uneven, tmp_path):
    loaded = Store().network(uneven, Pooling.AUTO, Device.CPU)
    with pytest.raises(SegvizError, match=r"no unit every 2 pixels.*: 2 x 1 comes nearest"):
        export.save_program(loaded, tmp_path / "net.pt2", grid_stride=2)
