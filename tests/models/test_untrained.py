"""Random weights: always the same, of a size that keeps activations in bounds, and nobody else's random numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from segviz.core import assets, catalogue
from segviz.core.errors import SegvizError
from segviz.core.frames import Frame
from segviz.engine.architectures import build, skeleton
from segviz.engine.prepare import tensor_of
from segviz.models.untrained import draw


def photograph(side: int) -> Tensor:
    """A photograph as the networks of ImageNet see it: (1, 3, side, side)."""
    with Image.open(assets.sample("castle-maintenon.jpg")) as image:
        pixels = np.asarray(image.convert("RGB").resize((side, side)))
    return tensor_of(pixels, catalogue.entry("vgg16").preprocessing, Frame(*[(side, side)] * 3))


def small() -> nn.Module:
    with torch.device("meta"):
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(), nn.Linear(32, 5, bias=False))


def test_weights_are_the_same_each_time_and_leave_other_random_numbers_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    one, other = small(), small()
    draw(one)
    draw(other)
    assert torch.equal(torch.rand(4), expected)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_weights_are_as_wide_as_the_layers_inputs_ask_for() -> None:
    """He et al. 2015, equation 10: variance 2 / fan-in; here of 512 x 9 = 4,608 inputs."""
    with torch.device("meta"):
        layer = nn.Conv2d(512, 64, 3)
    draw(layer)
    bound = math.sqrt(6 / 4608)
    assert -bound <= layer.weight.min().item() < -0.999 * bound
    assert 0.999 * bound < layer.weight.max().item() <= bound
    assert layer.weight.var().item() == pytest.approx(2 / 4608, rel=0.01)
    assert layer.weight.mean().item() == pytest.approx(0, abs=bound / 100)
    assert layer.bias is not None
    assert not layer.bias.any()


def test_alexnet_is_ready_to_run_and_answers_in_bounds() -> None:
    """The first numbers are torch 2.14's: a change of them changes what everybody sees."""
    _, network = build("alexnet")
    first = network.get_parameter("features.0.weight").flatten()[:3].tolist()
    assert first == pytest.approx([-0.00096254, 0.06896780, -0.10581469], rel=1e-5)
    with torch.inference_mode():
        logits = network(photograph(224))
    assert logits.isfinite().all()
    assert 0.1 < logits.std().item() < 100


def test_activations_neither_vanish_nor_explode_in_the_deepest_network() -> None:
    """The 16 convolutions of VGG19 alone: its dense layers are most of the weights and little of the depth."""
    features = skeleton(catalogue.entry("vgg19")).get_submodule("features").eval()
    draw(features)
    x, sizes = photograph(96), []
    with torch.inference_mode():
        for layer in features.children():
            x = layer(x)
            if isinstance(layer, nn.Conv2d):
                sizes.append(x.std().item())
    assert len(sizes) == 16
    assert all(0.1 < size < 100 for size in sizes), sizes


def test_a_layer_that_no_rule_draws_is_named() -> None:
    with pytest.raises(SegvizError, match=r"layer '1' \(PReLU\): no rule"):
        draw(nn.Sequential(nn.Conv2d(1, 2, 3), nn.PReLU()))


def test_a_transposed_convolution_counts_the_products_that_reach_an_output() -> None:
    """2x2 with stride 2 in a U-Net: one tap of each of 512 maps; four of a kernel of twice the stride."""
    with torch.device("meta"):
        apart, over = nn.ConvTranspose2d(512, 8, 2, 2), nn.ConvTranspose2d(512, 8, 4, 2, groups=2)
    draw(nn.ModuleList([apart, over]))
    for layer, fan_in in ((apart, 512), (over, 1024)):
        bound = math.sqrt(6 / fan_in)
        assert 0.99 * bound < layer.weight.max().item() <= bound


def test_batch_normalisation_starts_by_changing_nothing() -> None:
    with torch.device("meta"):
        norm = nn.BatchNorm2d(3).eval()
    draw(norm)
    x = torch.randn(2, 3, 4, 4)
    assert torch.allclose(norm(x), x, rtol=1e-5)


def test_what_the_paper_starts_with_is_set_last() -> None:
    class Zero(nn.Sequential):
        def start(self) -> None:
            nn.init.zeros_(self[1].weight)

    with torch.device("meta"):
        network = Zero(nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1))
    draw(network)
    assert network[0].weight.item() != 0
    assert network[1].weight.item() == 0
