"""A record that computes something else than the network is found out when the network is opened."""

import pytest
import torch
from torch import nn

from segviz.core.errors import SegvizError
from segviz.core.specs import parse
from segviz.engine import comparison, kernels, rules
from segviz.engine.graph import trace
from segviz.engine.strangers import Known, entry_of

SIZE = (3, 24, 20)


def network(between=nn.Identity):
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), between(), nn.Sigmoid(), nn.Conv2d(4, 2, 1)).eval()


class Turned(nn.Module):
    def forward(self, x):
        return x.flip(1)


def forgets_to_turn(use):
    """A wrong rule: it takes a flip for nothing. Mean and size of the maps stay."""
    return rules._same(use)


def test_a_right_record_needs_no_note():
    assert comparison.compared(network(Turned), trace(network(Turned), SIZE)) == ""


def test_a_wrong_record_is_refused_with_its_first_layer(monkeypatch):
    monkeypatch.setitem(rules.RULES, torch.ops.aten.flip, forgets_to_turn)
    with pytest.raises(SegvizError, match="first at layer '1'"):
        entry_of(network(Turned), parse("net.pt?input=3x24x20"), Known("net.pt"))


def test_a_network_that_draws_its_answer_gets_a_note():
    class Noisy(nn.Module):
        def forward(self, x):
            return x * torch.rand(1).item()

    drawn = network(Noisy)
    assert "another answer each time" in comparison.compared(drawn, trace(drawn, SIZE))


def test_what_breaks_on_noise_gets_a_note(monkeypatch):
    def broken(self, inputs, wanted, weights):
        raise RuntimeError("out of order")

    monkeypatch.setattr(kernels.Convolution, "run", broken)
    assert "it breaks on noise (out of order)" in comparison.compared(network(), trace(network(), SIZE))


def test_what_does_not_fit_into_memory_is_not_compared(monkeypatch):
    monkeypatch.setattr("segviz.engine.devices.available_bytes", lambda: 1000)
    assert "too little memory" in comparison.compared(network(), trace(network(), SIZE))
