"""Tensors without values in place of a network's own, and what keeps its values while it is recorded.

Parameters stand on the meta device. What the author's code makes out of sizes alone (a mask, a row
of positions) is computed for real: it is the same for every image of that size, and may be written
to in pieces, which a record of single operations would not see. What it writes down in numbers (a mean,
a list of channels) keeps them too, although it is meant for the device of the image, which has no values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.overrides import TorchFunctionMode

OF_MODULES = vars(nn.Module()).keys()  # attributes that every module has
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


@contextmanager
def untouched(network: nn.Module) -> Iterator[None]:
    """What modules keep for themselves is afterwards as it was before.

    Some keep what they computed once, in a dictionary or under a name: while a network is recorded that has
    no values, and the next record would not see where it came from.
    """
    before = []
    for module in network.modules():
        own = {name: value for name, value in vars(module).items() if name not in OF_MODULES}
        before.append((vars(module), own, [(v, v.copy()) for v in own.values() if isinstance(v, (dict, list))]))
    try:
        yield
    finally:
        for attributes, own, held in before:
            for name in attributes.keys() - own.keys() - OF_MODULES:
                del attributes[name]
            attributes.update(own)
            for kept, content in held:
                kept.clear()
                (kept.update if isinstance(kept, dict) else kept.extend)(content)


def on_processor(value: Any) -> Any:
    """Arguments with the processor in place of the meta device."""
    return each(value, lambda part: PROCESSOR if part == META else part)


def on_meta(value: Any) -> Any:
    """Arguments with tensors without values in place of those that have them; single numbers go with both."""
    return each(value, lambda part: part.to(META) if isinstance(part, Tensor) and part.dim() else part)


def each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Arguments with every part changed, in lists and dictionaries too."""
    if isinstance(value, dict):
        return {key: each(part, change) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(each(part, change) for part in value)
    return value if value is None else change(value)


class Literals(TorchFunctionMode):
    """Tensors made of Python's numbers are made on the processor: on the meta device they would lose their values.

    PyTorch makes them before a dispatch mode sees anything, so this is done one floor higher.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func in OF_NUMBERS:
            given["device"] = _here(given.get("device"))
        elif func is Tensor.new_tensor:
            like, *rest = args
            own = {"dtype": like.dtype} | given
            return torch.tensor(*rest, **own | {"device": _here(given.get("device", like.device))})
        elif func in (Tensor.__getitem__, Tensor.__setitem__):
            args = (args[0], _places(args[1]), *args[2:])
        return func(*args, **given)


OF_NUMBERS = (torch.tensor, torch.as_tensor, torch.asarray)


def _here(device: Any) -> Any:
    return PROCESSOR if device is not None and torch.device(device) == META else device


def _places(index: Any) -> Any:
    """An index with tensors in place of lists and arrays of numbers."""
    if isinstance(index, tuple):
        return tuple(_places(part) for part in index)
    return torch.tensor(index) if isinstance(index, (list, np.ndarray)) else index


def picked_by_numbers(func: OpOverload, args: tuple[Any, ...], is_fixed: Callable[[Tensor], bool]) -> tuple[Any, ...]:
    """Arguments of an index with the numbers of what a constant of true and false picks, which has a shape then."""
    if func.overloadpacket not in (torch.ops.aten.index, torch.ops.aten.index_put_) or len(args) < 2:
        return args
    places: list[Any] = []
    for part in args[1]:
        known = isinstance(part, Tensor) and part.dtype is torch.bool and is_fixed(part)
        places.extend(part.nonzero().unbind(1) if known else (part,))
    return (args[0], places, *args[2:])
