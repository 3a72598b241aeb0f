"""A forward pass that is watched, stopped and leaves nothing behind."""

import threading

import pytest
import torch
from torch import Tensor, nn

from segviz.engine.checkpoints import build
from segviz.engine.forward import forward


def ended(generator):
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value


def hooks(network):
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules())


def test_every_layer_is_reported_and_timed():
    _, network = build("lenet5")
    run = forward(network, torch.zeros(1, 1, 32, 32))
    steps = []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as end:
            done = end.value
            break
    assert [step.done for step in steps] == list(range(1, 9))
    assert list(done.layer_seconds) == ["c1", "s2", "c3", "s4", "flatten", "c5", "f6", "output"]
    assert torch.equal(done.output, network(torch.zeros(1, 1, 32, 32)))


def test_a_layer_is_captured_and_the_rest_is_not_computed():
    _, network = build("lenet5")
    image = torch.rand(1, 1, 32, 32)
    done = ended(forward(network, image, "c3"))
    assert torch.equal(done.output, network.c3(network.s2(network.c1(image).tanh())))
    assert "c5" not in done.layer_seconds


def test_closing_stops_the_pass_between_layers_and_removes_every_hook():
    _, network = build("efficientnet_lite0")
    before = threading.active_count()
    run = forward(network, torch.zeros(1, 3, 224, 224))
    next(run)
    assert hooks(network) > 0
    run.close()
    assert hooks(network) == 0
    assert threading.active_count() == before


def test_an_error_inside_the_network_is_raised_here_and_leaves_no_hooks():
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            raise ValueError(f"no good at {self.conv(x).shape[-1]}")

    network = Broken()
    with pytest.raises(ValueError, match="no good at 6"):
        ended(forward(network, torch.zeros(1, 1, 8, 8)))
    assert hooks(network) == 0
