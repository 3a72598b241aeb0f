"""The parts of a logit: that they add up, and what is said where there are none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core.contributions import ContributionRequest
from segviz.core.errors import SegvizError
from segviz.core.export import save_picture
from segviz.core.field_paths import paths
from segviz.core.requests import Setup
from segviz.engine.contributions import parts, tail_of
from segviz.engine.flow import NetworkWeights, finished, outputs
from segviz.engine.graph import Trace, trace
from segviz.engine.run import Engine
from segviz.models.fcn import FCNOverDigits, FCNOverVGG16
from segviz.models.lenet5 import LeNet5
from segviz.models.unet import UNet


def shaken(network: nn.Module) -> nn.Module:
    """All numbers drawn, biases too, so that nothing adds up by being zero; in float64."""
    generator = torch.Generator().manual_seed(0)
    network = network.double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) * 0.1)
    return network


def apart(network: nn.Module, traced: Trace, image: Tensor, unit: tuple[int, int], channel: int):
    """The parts, the bias and the logit of a unit of a network on an image."""
    weights, tail = NetworkWeights(network), tail_of(traced)
    job: Any = SimpleNamespace(traced=traced, weights=weights)
    return parts(job, tail, finished(outputs(traced, weights, image, tail.cuts)), unit, channel)


class Small(FCNOverVGG16):
    """The paper's crops and its padding of 100 over thinner maps, in a fiftieth of the time."""

    WIDTHS = (16, 8, 8)

    def __init__(self, skips: int) -> None:
        super().__init__(skips, classes=3)
        below = 3
        for name, module in list(self.named_modules()):
            if isinstance(module, nn.Conv2d) and not name.startswith("score"):
                maps = 16 if name.startswith("fc") else 8
                self.set_submodule(name, nn.Conv2d(below, maps, module.kernel_size, padding=module.padding))
                below = maps


class Refined(nn.Module):
    """No FCN: two levels of scores, interpolated, subtracted and smoothed."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Conv2d(3, 4, 3, padding=1)
        self.coarse = nn.Conv2d(4, 4, 3, 4, 1)
        self.smooth = nn.Conv2d(4, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.fine(x)
        coarse = F.interpolate(self.coarse(fine.relu()), scale_factor=4, mode="bilinear")
        out: Tensor = self.smooth(fine - coarse)
        return out


SUMS = {
    "FCN-16s": (lambda: FCNOverDigits(1), (1, 64, 96), ["score_fr", "score_pool4"]),
    "FCN-8s": (lambda: FCNOverDigits(2), (1, 64, 96), ["score_fr", "score_pool4", "score_pool3"]),
    "FCN-8s over VGG16": (lambda: Small(2), (3, 40, 56), ["score_fr", "score_pool4", "score_pool3"]),
    "of another kind": (Refined, (3, 32, 40), ["coarse", "fine"]),
}


@pytest.mark.parametrize("name", SUMS)
def test_the_parts_and_the_bias_are_the_logit(name: str) -> None:
    """float64, to 1e-9 of the largest part."""
    make, shape, layers = SUMS[name]
    network = shaken(make())
    image = torch.rand((1, *shape), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    with torch.inference_mode():
        wanted = network(image)
    traced = trace(network, shape)
    for unit, channel in (((0, 0), 0), ((17, 23), 1), ((shape[1] - 1, shape[2] - 1), 1)):
        found, bias, logit = apart(network, traced, image, unit, channel)
        assert [part.layer for part in found] == layers
        largest = max(abs(part.value) for part in found)
        assert logit == pytest.approx(float(wanted[0, channel, unit[0], unit[1]]), rel=1e-9, abs=1e-9 * largest)
        assert sum(part.value for part in found) + bias == pytest.approx(logit, rel=1e-9, abs=1e-9 * largest)
        assert largest > 0


def test_parts_have_the_names_of_the_paths() -> None:
    traced = trace(FCNOverDigits(2).eval(), (1, 64, 96))
    network = shaken(FCNOverDigits(2))
    image = torch.rand(1, 1, 64, 96, dtype=torch.float64)
    found, *_ = apart(network, traced, image, (20, 30), 0)
    assert {part.layer for part in found} == {path.name for path in paths(traced.geometry, "last", 20, 30)}


def test_a_part_is_what_its_skip_adds() -> None:
    """Without the scores of pool4 the logit is less by that part, of which their bias is one."""
    network = shaken(FCNOverDigits(1))
    image = torch.rand(1, 1, 64, 96, dtype=torch.float64)
    traced = trace(network, (1, 64, 96))
    found, _, logit = apart(network, traced, image, (20, 30), 2)
    with torch.no_grad():
        for parameter in network.get_submodule("score_pool4").parameters():
            parameter.zero_()
        without = float(network(image)[0, 2, 20, 30])
    assert found[1].value == pytest.approx(logit - without, rel=1e-9)


class Activated(Refined):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).relu()


@pytest.mark.parametrize(
    ("network", "shape", "said"),
    [
        (UNet("same", base=2, poolings=2), (1, 16, 16), "joined by concatenation"),
        (Activated(), (3, 16, 16), "'relu' behind the sum is not linear"),
        (LeNet5(), (1, 32, 32), "one path alone"),
    ],
    ids=["concatenation", "non-linear", "no join"],
)
def test_where_there_is_no_sum_it_is_said(network: nn.Module, shape: tuple[int, int, int], said: str) -> None:
    traced = trace(network.eval(), shape)
    with pytest.raises(SegvizError, match=said):
        tail_of(traced)


def test_the_engine_answers_for_an_image(tmp_path) -> None:
    path = tmp_path / "image.png"
    save_picture(path, np.random.default_rng(0).integers(0, 255, (64, 96)).astype(np.uint8))
    engine, setup = Engine(), Setup("fcn8s-digits", str(path), 1.0)
    answer = finished(engine.run(ContributionRequest(setup, 30, 40, 3)))
    assert [part.layer for part in answer.parts] == ["score_fr", "score_pool4", "score_pool3"]
    together = sum(part.value for part in answer.parts) + answer.bias
    assert together == pytest.approx(answer.logit, abs=1e-4)
    assert answer.refusal == ""
    with pytest.raises(SegvizError, match="unit 64,0 is outside the answer of 64x96"):
        finished(engine.run(ContributionRequest(setup, 64, 0, 3)))
    with pytest.raises(SegvizError, match="no class 11"):
        finished(engine.run(ContributionRequest(setup, 0, 0, 11)))
    refused = finished(engine.run(ContributionRequest(Setup("lenet5", str(path), 1.0), 0, 0, 3)))
    assert (refused.parts, "one path alone" in refused.refusal) == ((), True)
