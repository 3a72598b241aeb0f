"""`segviz field --measure`: the box from integers beside the one that gradients measure."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Segviz

CODE = """
import numpy as np
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, between):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 3, padding=1)
        self.between = between

    def forward(self, x):
        return self.last(self.between(self.first(x)))


def branched():
    return Net(lambda x: nn.functional.avg_pool2d(x, 5, 1, 2) if x.mean() < 1e9 else x)


def transformed():
    return Net(lambda x: torch.fft.irfft2(torch.fft.rfft2(x) ** 2, s=x.shape[2:]))


def through_numpy():
    return Net(lambda x: torch.from_numpy(np.tanh(x.detach().numpy())))
"""


@pytest.fixture
def net(tmp_path: Path) -> str:
    (tmp_path / "net.py").write_text(CODE, encoding="utf-8")
    return "net.py?input=3x24x20&callable="


@pytest.mark.parametrize(
    ("spec", "layer", "unit", "box"),
    [
        ("lenet5", "last", "0,0", [0, 0, 32, 32]),  # oracles.md: LeNet-5's output sees 32 pixels, S4 16 of stride 4
        ("lenet5", "s4", "3,4", [16, 12, 32, 28]),
        ("lenet5", "s4", "9,9", [36, 36, 52, 52]),  # beyond the native grid, before the dense layer
        ("vgg11", "features.5", "0,3", [9, 0, 19, 7]),  # 10 pixels, stride 4, the first from -3 on
    ],
)
def test_the_numbers_of_the_oracles_are_measured(
    segviz: Segviz, spec: str, layer: str, unit: str, box: list[int]
) -> None:
    data = segviz("field", spec, "--layer", layer, "--unit", unit, "--measure", "--json").data
    assert data["status"] == "exact"
    measured = data["measured"]
    assert (measured["box"], measured["verdict"], measured["differs"]) == (box, "equal", "")
    assert "all weights positive" in measured["by"]


def test_the_text_says_both_boxes(segviz: Segviz) -> None:
    text = segviz("field", "lenet5", "--layer", "last", "--unit", "0,0", "--measure").out
    assert "measured x from 0 to 32, y from 0 to 32, by gradients of its connections, all weights positive" in text
    assert "equal to the box" in text


def test_a_unit_of_the_converted_network_alone_cannot_be_measured(segviz: Segviz) -> None:
    done = segviz("field", "lenet5", "--layer", "last", "--unit", "2,5", "--measure")
    assert (done.status, done.out) == (1, "")
    assert "does not get to that layer: a dense layer takes 400 numbers and gets 1,120" in done.err


def test_a_network_that_branches_is_recorded_on_noise_and_says_so(segviz: Segviz, net: str) -> None:
    done = segviz("field", f"{net}branched", "--trust", "--layer", "last", "--unit", "9,9", "--measure", "--json")
    assert "recorded on noise, as there is no image: its code takes a number" in done.err
    assert (done.data["box"], done.data["status"]) == ([5, 5, 14, 14], "data-dependent")
    assert done.data["measured"]["by"] == "gradients of the network at work on noise"
    assert done.data["measured"]["verdict"] == "equal"


def test_an_operation_without_a_rule_is_measured(segviz: Segviz, net: str) -> None:
    done = segviz("field", f"{net}transformed", "--trust", "--layer", "last", "--unit", "9,9", "--measure", "--json")
    assert done.data["status"] == "unknown"
    assert done.data["measured"]["box"] == [0, 0, 20, 24]  # a product of spectra mixes all positions
    assert done.data["measured"]["verdict"] == "differs"


def test_what_gradients_cannot_follow_is_one_line(segviz: Segviz, net: str) -> None:
    done = segviz("field", f"{net}through_numpy", "--trust", "--layer", "last", "--unit", "9,9", "--measure", "--quiet")
    assert (done.status, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "cut off from the image" in done.err


def test_the_branch_is_the_images(segviz: Segviz, net: str, photo: Path) -> None:
    """All of the image at once, and a region of it: the same labels, of the way that the whole image takes."""
    spec = f"{net}branched"
    found = segviz("segment", photo, "--model", spec, "--trust", "--out", "all", "--json").data["results"][0]
    part = ("--region", "8,8,16,12")
    assert segviz("segment", photo, "--model", spec, "--trust", "--out", "part", *part).status == 0
    with Image.open(found["labels"]) as whole, Image.open(Path("part") / Path(found["labels"]).name) as region:
        assert list(whole.crop((8, 8, 24, 20)).get_flattened_data()) == list(region.get_flattened_data())
    refused = segviz("convert", spec, "--trust", "--out", "net.pt2")
    assert refused.status == 1
    assert "a file would hold the way of one image alone: its code takes a number" in refused.err
    assert segviz("convert", spec, "--trust", "--input", "3x24x20", "--out", "net.pt2").status == 1
    assert not Path("net.pt2").exists()
