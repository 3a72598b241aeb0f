"""Tensors without values in place of a network's own, and what keeps its values while it is recorded.

Parameters stand on the meta device. What the author's code makes out of sizes alone (a mask, a row
of positions) is computed for real: it is the same for every image of that size, and may be written
to in pieces, which a record of single operations would not see.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

META, PROCESSOR = torch.device("meta"), torch.device("cpu")
OF_A_SIZE = {  # operations that take an image for its size alone
    *("new_zeros", "new_ones", "new_full", "new_empty"),
    *("zeros_like", "ones_like", "full_like", "empty_like"),
}


@contextmanager
def stood_in(network: nn.Module, state: Mapping[str, Tensor]) -> Iterator[None]:
    """Give `network` the tensors `state` in place of those of the same names, for as long as the block runs.

    A module or tensor with several names is given one and the same. (`torch.func.functional_call` would
    leave the stand-ins behind in a module that is reached by several names.)
    """
    named = [*network.named_parameters(), *network.named_buffers()]
    of_own = {id(own): state[name] for name, own in named if name in state}
    before = [(module, dict(module._parameters), dict(module._buffers)) for module in network.modules()]
    try:
        for module, parameters, buffers in before:
            for kept, own in ((module._parameters, parameters), (module._buffers, buffers)):
                changed: dict[str, Any] = {key: of_own.get(id(tensor), tensor) for key, tensor in own.items()}
                kept.update(changed)
        yield
    finally:
        for module, parameters, buffers in before:
            module._parameters.clear()
            module._parameters.update(parameters)
            module._buffers.clear()
            module._buffers.update(buffers)


def on_processor(value: Any) -> Any:
    """Arguments with the processor in place of the meta device."""
    return _each(value, lambda part: PROCESSOR if part == META else part)


def on_meta(value: Any) -> Any:
    """Arguments with tensors without values in place of those that have them; single numbers go with both."""
    return _each(value, lambda part: part.to(META) if isinstance(part, Tensor) and part.dim() else part)


def _each(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {key: _each(part, change) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_each(part, change) for part in value)
    return value if value is None else change(value)
