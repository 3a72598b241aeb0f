"""Random weights for networks that come without: the same numbers on every machine and in every run.

After He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015, equation 10: a variance of
2 / fan-in keeps the size of activations through layers that end in ReLU. Uniform, not normal, since
torch's normal numbers depend on the vector instructions of the processor.
"""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from segviz.core.errors import SegvizError

SEED = 0


@runtime_checkable
class Starting(Protocol):
    """A network whose paper says with which numbers some of its layers start."""

    def start(self) -> None:
        """Set those; all others are drawn already."""


def draw(network: nn.Module, seed: int = SEED) -> None:
    """Give `network`, which may be without memory (meta device), random weights and biases of zero.

    Batch normalisation changes nothing, and what a network of kind `Starting` knows better is its own. The
    random numbers of the process are left alone. Raises SegvizError for a layer of another kind that
    has weights.
    """
    network.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, (nn.Conv2d, nn.Linear, nn.ConvTranspose2d)):
                bound = math.sqrt(6 / _fan_in(module))  # of a uniform distribution with variance 2 / fan-in
                module.weight.uniform_(generator=generator).sub_(0.5).mul_(2 * bound)
                if module.bias is not None:
                    module.bias.zero_()
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()
            elif any(True for _ in (*module.parameters(recurse=False), *module.buffers(recurse=False))):
                raise SegvizError(f"layer '{name}' ({type(module).__name__}): no rule draws random weights for it")
    if isinstance(network, Starting):
        network.start()


def _fan_in(layer: nn.Conv2d | nn.Linear | nn.ConvTranspose2d) -> float:
    """How many products an output sums; of a transposed convolution as many as reach one output on average."""
    weight = layer.weight
    if isinstance(layer, nn.ConvTranspose2d):
        return weight.shape[0] / layer.groups * weight[0, 0].numel() / math.prod(layer.stride)
    return weight[0].numel()
