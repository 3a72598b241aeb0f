"""Activations that are equal to about 1e-7 and take a quarter of the time: for weights that allow it (`fast`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def tanh(x: Tensor) -> Tensor:
    """tanh(x) = 2 / (1 + exp(-2 x)) - 1, at most 2e-7 off: torch has a quick logistic function and a slow tanh."""
    return tanh_(x.clone(memory_format=torch.preserve_format))


def tanh_(x: Tensor) -> Tensor:
    """The same, written over `x`."""
    return x.mul_(2).sigmoid_().mul_(2).sub_(1)


QUICKER: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.tanh.default: tanh,
    torch.ops.aten.tanh_.default: tanh_,
}
