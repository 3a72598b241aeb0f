"""Shapes that do not go together are told in words that a person can act on."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segviz.core.errors import SegvizError
from segviz.engine.graph import trace
from segviz.engine.mismatches import reason_of
from tests.engine.foreign import Classifier


def test_a_size_that_a_dense_layer_does_not_take_is_told_in_numbers_of_it():
    with pytest.raises(SegvizError, match=r"at layer 'fc' \(a dense layer takes 1,014 numbers and gets 858\)"):
        trace(Classifier(), (3, 28, 32))


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_torch_s_own_errors_are_known_with_values_and_without(device):
    """Should torch say it otherwise one day, this fails."""
    with pytest.raises(RuntimeError) as caught:
        nn.Linear(7, 2, device=device)(torch.empty(1, 9, device=device))
    assert reason_of(caught.value) == "a dense layer takes 7 numbers and gets 9"
    with pytest.raises(RuntimeError) as caught:
        nn.Conv2d(4, 2, 3, device=device)(torch.empty(1, 3, 8, 8, device=device))
    assert reason_of(caught.value).startswith("a convolution ")


def test_what_has_no_better_words_stays():
    assert reason_of(RuntimeError("first line\nsecond")) == "first line"
    assert reason_of(KeyError("image")) == "KeyError: 'image'"
