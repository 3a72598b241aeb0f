"""The scores of an FCN's depths and what a network upsamples with."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
import torch
from torch import nn

from segviz.core import fading
from segviz.core.depths import DepthRequest
from segviz.core.export import save_picture
from segviz.core.requests import SegmentRequest, Setup
from segviz.engine import depths
from segviz.engine.flow import finished
from segviz.engine.run import Engine
from segviz.models.fcn import FCN, FCNOverEfficientNet, FCNOverVGG16
from segviz.models.segnet import SegNet
from segviz.models.unet import UNet

NETWORKS = [f"fcn{stride}s-efficientnet_lite0" for stride in (32, 16, 8)]


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("depths") / "image.png"
    save_picture(path, np.random.default_rng(0).integers(0, 255, (90, 130, 3)).astype(np.uint8))
    return str(path)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def shaken(network: nn.Module) -> None:
    """Skips that add something and upsamplings that mix classes, as after training: at first they do neither."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, module in network.named_modules():
            if name.startswith("score_") or isinstance(module, nn.ConvTranspose2d):
                module.weight.add_(torch.randn_like(module.weight) * 0.05)


@pytest.mark.parametrize("spec", NETWORKS)
def test_all_depths_together_are_what_the_network_answers(engine, image, spec):
    """Through the engine's own walk, for weights that are not bilinear any more."""
    setup = Setup(spec, image, 0.9)
    shaken(engine._loaded(setup).network)
    found = finished(engine.run(DepthRequest(setup, True))).depths
    wanted = finished(engine.run(SegmentRequest(setup)))
    together = np.concatenate(list(fading.faded(found, [1] * len(found.maps))), 1)
    assert together.shape == wanted.logits.shape
    assert found.lattice == wanted.lattice
    assert np.abs(together - wanted.logits).max() < 1e-4 * np.abs(wanted.logits).max()
    assert len(found.maps) == len(found.layers) == len(found.strides) == NETWORKS.index(spec) + 1
    if found.skips:
        cut = np.concatenate(list(fading.faded(found, found.with_skips(0))), 1)
        assert np.abs(cut - together).max() > 1e-3


@pytest.mark.parametrize("skips", [0, 1, 2])
@pytest.mark.parametrize("classes", [7, 21])
def test_parts_add_up_to_the_forward_pass_for_any_number_of_classes(skips, classes):
    """Over EfficientNet-Lite0, and over VGG16 with its crops; there on maps of random numbers."""
    torch.manual_seed(1)
    for network, sizes in (
        (FCNOverEfficientNet(skips, classes), ((2, 3), (4, 6), (8, 12))),
        (_without_backbone(skips, classes), ((3, 4), (17, 19), (33, 37))),
    ):
        shaken(network)
        network.eval()
        maps = [torch.randn(1, width, *size) for width, size in zip(network.WIDTHS, sizes, strict=True)]
        network.maps = lambda x, maps=maps: maps  # type: ignore[method-assign, assignment, misc]
        image = torch.zeros(1, 3, 64, 96) if isinstance(network, FCNOverEfficientNet) else torch.zeros(1, 3, 60, 70)
        with torch.inference_mode():
            heads = [network.get_submodule(name) for name in depths.SCORES[: skips + 1]]
            parts = network.parts([head(one) for head, one in zip(heads, maps, strict=False)])
            assert len({part.shape for part in parts}) == 1
            together, wanted = network.finish(sum(parts), image), network(image)
        assert torch.allclose(together, wanted, atol=1e-4)


class _VGGHeads(FCN):
    """The heads and crops of FCN over VGG16, on narrow maps."""

    WIDTHS = (8, 4, 4)
    CROPS, MARGINS = FCNOverVGG16.CROPS, FCNOverVGG16.MARGINS


def _without_backbone(skips: int, classes: int) -> FCN:
    return _VGGHeads(skips, classes)


def test_the_second_answer_is_the_first_without_work(engine, image):
    setup = Setup(NETWORKS[2], image, 0.9)
    first = finished(engine.run(DepthRequest(setup, True))).depths
    assert finished(engine.run(DepthRequest(setup, True))).depths is first
    assert finished(engine.run(DepthRequest(Setup(NETWORKS[2])))).depths is None


def test_closing_half_way_leaves_nothing(engine, image):
    setup = Setup(NETWORKS[2], image, 0.7)
    with closing(engine.run(DepthRequest(setup, True))) as steps:
        told = [next(steps) for _ in range(5)]
    assert told[-1].total
    assert all(key[0].scale != 0.7 for key in engine._depths._values)


def test_a_network_without_depths_says_what_to_choose(engine, image):
    answer = finished(engine.run(DepthRequest(Setup("lenet5", image), True)))
    assert answer.depths is None
    assert "begins with 'fcn'" in answer.refusal
    assert answer.kernels == ()


def test_learned_kernels_are_those_of_each_map():
    network = FCNOverEfficientNet(2, 7)
    network.start()
    found = {kernel.layer: kernel for kernel in depths.learned(network)}
    assert {name: kernel.factor for name, kernel in found.items()} == {"upscore2": 2, "upscore_pool4": 2, "upscore8": 8}
    assert np.array_equal(found["upscore2"].kernels[3], np.outer([0.5, 1, 0.5], [0.5, 1, 0.5]))
    assert not found["upscore2"].mixes
    shaken(network)
    changed = {kernel.layer: kernel for kernel in depths.learned(network)}["upscore2"]
    assert changed.mixes
    assert np.array_equal(changed.kernels[2], network.upscore2.weight[2, 2].detach().numpy())


def test_kernels_of_other_networks_are_found_too():
    assert {kernel.factor for kernel in depths.learned(UNet())} == {2}
    assert depths.learned(SegNet()) == ()
    grouped = depths.learned(nn.Sequential(nn.ConvTranspose2d(4, 4, 4, 2, groups=4)))[0]
    assert grouped.kernels.shape == (4, 4, 4)
    assert not grouped.mixes
