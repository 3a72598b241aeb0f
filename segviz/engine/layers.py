"""Operations as layers: what a program that has no modules, or none under a name, is taken apart into.

A network that comes from a file as a list of operations is run by modules of ours, one an operation,
so that the recorder (`engine/graph`) finds layers with names in it. The weights stay in one place,
under the names that the file gives them, and are handed to a layer when it is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)
Held = tuple[nn.Module, str]  # a module and the name of a tensor in it


class Layer(nn.Module):
    """One operation as a layer: `forward` is `function`. `holds` says where the tensors lie that it is given.

    They are not its own, so that a network does not hold them twice; `named_parameters` names them all
    the same, since a table of layers counts them here.
    """

    def __init__(self, function: Callable[..., Any], holds: Sequence[Held] = ()) -> None:
        super().__init__()
        self._function = function
        self.holds = tuple(holds)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        for holder, name in self.holds:
            tensor = getattr(holder, name)
            if isinstance(tensor, nn.Parameter):
                yield f"{prefix}.{name}" if prefix else name, tensor


def titled(module: Module, title: str) -> Module:
    """`module`, which calls its type `title` from now on: `Conv2d`, where it stands for one."""
    word = "".join(c if c.isalnum() or c == "_" else "_" for c in title) or "Module"
    module.__class__ = type(word, (type(module),), {})
    return module


def holder_of(root: nn.Module, name: str) -> Held:
    """The module and the last word of a dotted name, as `layer1.0.weight`; modules on the way are made."""
    *path, last = name.split(".")
    holder = root
    for word in path:
        child = holder._modules.get(word)
        if child is None:
            child = nn.Module()
            holder._modules[word] = child
        holder = child
    return holder, last


def hold(root: nn.Module, name: str, tensor: Tensor, trained: bool) -> Held:
    """Put `tensor` into `root` under its dotted name: as a parameter if it was `trained`, or else as a buffer."""
    holder, last = holder_of(root, name)
    if trained:
        holder._parameters[last] = nn.Parameter(tensor.detach())
    else:
        holder.register_buffer(last, tensor.detach())
    return holder, last
