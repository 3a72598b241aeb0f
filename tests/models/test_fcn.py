"""FCN-32s, 16s and 8s on one set of weights: what fewer skips answer is a rung of the ladder."""

from __future__ import annotations

import pytest
import torch

from segviz.models.fcn import FCN, FCNOverEfficientNet


def started(skips: int, ladder: bool = False) -> FCNOverEfficientNet:
    network = FCNOverEfficientNet(skips, classes=4, ladder=ladder)
    network.start()
    with torch.no_grad():
        for name in ("score_fr", "score_pool4", "score_pool3"):
            if hasattr(network, name):
                torch.nn.init.normal_(network.get_submodule(name).weight, std=30.0, generator=seeded())
    return network.eval()


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


@pytest.fixture(scope="module")
def eights() -> FCN:
    torch.manual_seed(0)
    return started(2, ladder=True)


@pytest.mark.parametrize("skips", [0, 1, 2])
@torch.inference_mode()
def test_a_rung_of_the_ladder_is_the_network_with_so_many_skips(eights: FCN, skips: int) -> None:
    fewer = started(skips)
    shared = {name: tensor for name, tensor in eights.state_dict().items() if name in fewer.state_dict()}
    missing, unexpected = fewer.load_state_dict(shared, strict=False)
    assert (missing, unexpected) == ([], [])  # one file holds a ladder
    image = torch.rand(1, 3, 64, 96, generator=seeded())
    rungs = eights.ladder(image)
    assert [tuple(rung.shape) for rung in rungs] == [(1, 4, 64, 96)] * 3
    torch.testing.assert_close(rungs[skips], fewer(image), atol=1e-5, rtol=1e-4)
    if skips:
        assert (rungs[skips] - rungs[skips - 1]).abs().max() > 1e-3  # a skip says something of its own


@torch.inference_mode()
def test_skips_start_without_a_say() -> None:
    """New skip parameters start at zero (Long et al. 2015, section 4.2)."""
    network = FCNOverEfficientNet(2, classes=4)
    network.start()
    network.eval()
    with torch.no_grad():
        network.score_fr.weight.zero_()
        network.score_fr.bias.zero_()
    assert network(torch.rand(1, 3, 64, 64)).abs().max() == 0
