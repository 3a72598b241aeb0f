"""What the classifiers of the zoo are built of becomes convolutional (`docs/conversion.md` has the zoo itself)."""

import pytest
import torch
from torch import Tensor, nn

from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace
from segviz.engine.surgery import convert
from tests.engine.constructs import CONSTRUCTS, Construct, built


def maps_of(network: nn.Module, construct: Construct, image: Tensor) -> Tensor:
    made = convert(network, construct.native)
    channels, height, width = image.shape[1:]
    return finished(run(trace(network, (channels, height, width), made.head), NetworkWeights(network), image)).output


@pytest.mark.parametrize("name", [name for name, construct in CONSTRUCTS.items() if not construct.window])
def test_the_mean_of_the_maps_is_the_answer_on_any_size(name):
    network = built(CONSTRUCTS[name])
    image = torch.rand(1, 2, 29, 22)
    with torch.inference_mode():
        maps = maps_of(network, CONSTRUCTS[name], image)
        assert min(maps.shape[2:]) > 1
        assert (maps.mean((2, 3)) - network(image)).abs().max() < 1e-6


@pytest.mark.parametrize("name", [name for name, construct in CONSTRUCTS.items() if construct.window])
def test_every_unit_is_the_answer_on_its_window(name):
    construct = CONSTRUCTS[name]
    network, (_, side, _) = built(construct), construct.native
    image = torch.rand(1, 2, side + 7, side + 4)
    with torch.inference_mode():
        maps = maps_of(network, construct, image)
        for row in range(4):
            for column in range(3):
                top, left = row * construct.window, column * construct.window
                window = image[:, :, top : top + side, left : left + side]
                assert (network(window)[0] - maps[0, :, row, column]).abs().max() < 2e-6


@pytest.mark.parametrize("construct", CONSTRUCTS.values(), ids=CONSTRUCTS)
def test_the_proof_means_something(construct):
    """Logits depend on the image: an untouched bias would be equal in any network."""
    network = built(construct)
    with torch.inference_mode():
        first, second = (network(torch.rand(1, *construct.native)) for _ in range(2))
    assert (first - second).abs().max() > 1e-4 * first.abs().max()
