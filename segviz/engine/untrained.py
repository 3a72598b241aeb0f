"""Random weights for networks that come without: the same numbers on every machine and in every run.

After He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015, equation 10: a variance of
2 / fan-in keeps the size of activations through layers that end in ReLU. Uniform, not normal, since
torch's normal numbers depend on the vector instructions of the processor.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from segviz.core.errors import SegvizError

SEED = 0


def draw(network: nn.Module) -> None:
    """Give `network`, which may be without memory (meta device), random weights and biases of zero.

    The random numbers of the process are left alone. Raises SegvizError for a layer of another kind
    than convolution and dense that has weights.
    """
    network.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for name, module in network.named_modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                bound = math.sqrt(6 / module.weight[0].numel())  # of a uniform distribution with variance 2 / fan-in
                module.weight.uniform_(generator=generator).sub_(0.5).mul_(2 * bound)
                if module.bias is not None:
                    module.bias.zero_()
            elif any(True for _ in (*module.parameters(recurse=False), *module.buffers(recurse=False))):
                raise SegvizError(f"layer '{name}' ({type(module).__name__}): no rule draws random weights for it")
