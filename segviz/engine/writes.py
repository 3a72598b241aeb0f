"""Tensors that share memory while a network is recorded, and what is written into it.

A record knows values and no memory. Where the author's code writes into a part of a tensor
(`x[:, :4] += 10`), the part gets a new value, and with it all other tensors that lie in that memory:
they are made anew once somebody asks for them, the owner of the memory out of its parts, every view
out of the owner. The same idea as PyTorch's functionalisation (`torch.func.functionalize`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from segviz.core.errors import SegvizError
from segviz.engine.uses import functional

aten = torch.ops.aten

Func = torch._ops.OpOverload


@dataclass(frozen=True, eq=False)
class View:
    """How a tensor was made that shares the memory of `base`: result `number` of `func`, arguments by their names."""

    base: Tensor
    made: Tensor
    func: Func
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    given: Mapping[str, Any]
    number: int


Record = Callable[[Func, tuple[Any, ...], Mapping[str, Any]], Any]
Become = Callable[[Tensor, Tensor], None]  # a tensor has the value of another from now on
Inverse = Callable[[View, Tensor, Tensor, Record], Tensor]


class Memory:
    """Which tensors of a recording share memory. `record` notes an operation, `become` gives a tensor a new value."""

    def __init__(self, record: Record, become: Become) -> None:
        self._record, self._become = record, become
        self._views: dict[int, View] = {}  # by the tensor's id
        self._writes: dict[int, list[tuple[Tensor, Tensor]]] = {}  # by the memory: what was written to, its new value
        self._seen: dict[int, int] = {}  # how many of them a tensor has
        self._kept: list[Tensor] = []  # ids stay unique while their tensors live

    def note(self, call: tuple[Func, tuple[Any, ...], Mapping[str, Any]], base: Tensor, made: list[Tensor]) -> None:
        """Enter those results of a call that lie in the memory of its argument `base`."""
        func, args, kwargs = call
        for number, tensor in enumerate(made):
            if tensor is not base and _place(tensor) == _place(base):
                self._views[id(tensor)] = View(base, tensor, func, args, kwargs, by_name(func, args, kwargs), number)
                self._seen[id(tensor)] = len(self._writes.get(_place(base), ()))

    def wrote(self, tensor: Tensor, value: Tensor) -> None:
        """`tensor` was written to and has the value of another now."""
        self._become(tensor, value)
        writes = self._writes.setdefault(_place(tensor), [])
        writes.append((tensor, value))
        self._seen[id(tensor)] = len(writes)

    def is_stale(self, tensor: Tensor) -> bool:
        """Whether something was written into its memory that it does not know of."""
        writes = self._writes.get(_place(tensor)) if self._writes else None
        return writes is not None and self._seen.get(id(tensor), 0) < len(writes)

    def refresh(self, tensor: Tensor) -> None:
        """Give a tensor the value that it has by what was written into its memory."""
        if not self.is_stale(tensor):
            return
        writes, view = self._writes[_place(tensor)], self._views.get(id(tensor))
        if view is None:
            for written, value in writes[self._seen.get(id(tensor), 0) :]:
                self._become(tensor, self._put_back(tensor, written, value))
        else:
            self.refresh(view.base)
            self._become(tensor, self._again(view, view.base))
        self._kept.append(tensor)
        self._seen[id(tensor)] = len(writes)

    def _put_back(self, owner: Tensor, written: Tensor, value: Tensor) -> Tensor:
        """The value of the `owner` of a memory after a view of it was given another."""
        path: list[View] = []
        while written is not owner:
            view = self._views.get(id(written))
            if view is None:
                raise unknown_write("a tensor of unknown origin")
            path.append(view)
            written = view.base
        bases = [owner]
        for view in path[:0:-1]:
            bases.append(self._again(view, bases[-1]))
        for view, base in zip(path, reversed(bases), strict=True):
            inverse = INVERSES.get(view.func.overloadpacket)
            if inverse is None:
                raise unknown_write(f"what '{_name(view.func)}' shows of it")
            value = inverse(view, base, value, self._record)
        return value

    def _again(self, view: View, base: Tensor) -> Tensor:
        """What a view shows of another value of its base."""
        args = tuple(base if part is view.base else part for part in view.args)
        kwargs = {key: base if part is view.base else part for key, part in view.kwargs.items()}
        made: Any = self._record(view.func, args, kwargs)
        return made if isinstance(made, Tensor) else made[view.number]


def _place(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _name(func: Func) -> str:
    return str(func._schema.name).removeprefix("aten::")


def by_name(func: Func, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of an operation by their names, defaults included."""
    arguments = func._schema.arguments
    named = {a.name: a.default_value for a in arguments if a.has_default_value()}
    named |= {a.name: value for a, value in zip(arguments, args, strict=False)}
    return named | dict(kwargs)


class Unrecorded(SegvizError):
    """What a network does that its record would not compute; whoever records says at which layer."""


def unknown_write(what: str) -> Unrecorded:
    return Unrecorded(
        f"it writes over a part of a tensor, {what}, and segviz cannot follow that: "
        "put the parts together with torch.cat or torch.where instead"
    )


def written_by(func: Func, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    """The argument that an operation writes to.

    Raises SegvizError, naming the operation, where it writes to several, or changes what shape a tensor has.
    """
    given = by_name(func, args, kwargs)
    names = [a.name for a in func._schema.arguments if a.alias_info is not None and a.alias_info.is_write]
    written: list[Tensor] = [given[name] for name in names if isinstance(given.get(name), Tensor)]
    if len(names) != 1 or len(written) != 1 or torch.Tag.inplace_view in func.tags:
        raise unknown_write(f"by '{_name(func)}'")
    return written[0]


def without_writing(func: Func) -> Func:
    """The operation that makes what `func` writes. Raises SegvizError, naming it, where there is none."""
    packet = func.overloadpacket.__name__
    if packet.startswith("__i"):  # &=, |=, ^=
        beside: Func = getattr(getattr(aten, f"__{packet[3:]}"), func._overloadname)
        return beside
    plain: Func = functional(func)
    if plain._schema.is_mutable:
        raise unknown_write(f"by '{_name(func)}'")
    return plain


# ----------------------------------------------------------- from the value of a view to that of its base


def _selected(view: View, base: Tensor, value: Tensor, record: Record) -> Tensor:
    dim, index = int(view.given["dim"]), view.given["index"]
    return record(aten.select_scatter.default, (base, value, dim, int(index)), {})  # type: ignore[no-any-return]


def _unbound(view: View, base: Tensor, value: Tensor, record: Record) -> Tensor:
    args = (base, value, int(view.given["dim"]), view.number)
    return record(aten.select_scatter.default, args, {})  # type: ignore[no-any-return]


def _sliced(view: View, base: Tensor, value: Tensor, record: Record) -> Tensor:
    place = tuple(view.given[key] for key in ("dim", "start", "end", "step"))
    return record(aten.slice_scatter.default, (base, value, *place), {})  # type: ignore[no-any-return]


def _cut(view: View, base: Tensor, value: Tensor, record: Record) -> Tensor:
    """One of the pieces that a tensor was cut in: where it begins is told by where it lies in the memory."""
    dim = int(view.given["dim"]) % view.base.dim()
    start = (view.made.storage_offset() - view.base.storage_offset()) // max(1, view.base.stride(dim))
    args = (base, value, dim, start, start + int(view.made.shape[dim]))
    return record(aten.slice_scatter.default, args, {})  # type: ignore[no-any-return]


def _reshaped(view: View, base: Tensor, value: Tensor, record: Record) -> Tensor:
    return record(aten.reshape.default, (value, list(base.shape)), {})  # type: ignore[no-any-return]


def _permuted(view: View, base: Tensor, value: Tensor, record: Record) -> Tensor:
    order = [int(dim) % base.dim() for dim in view.given["dims"]]
    return record(aten.permute.default, (value, [order.index(dim) for dim in range(base.dim())]), {})  # type: ignore[no-any-return]


def _swapped(view: View, base: Tensor, value: Tensor, record: Record) -> Tensor:
    return record(view.func, (value, *view.args[1:]), dict(view.kwargs))  # type: ignore[no-any-return]


def _same(view: View, base: Tensor, value: Tensor, record: Record) -> Tensor:
    return value


INVERSES: dict[Any, Inverse] = {
    aten.select: _selected,
    aten.unbind: _unbound,
    aten.slice: _sliced,
    aten.narrow: _cut,
    aten.chunk: _cut,
    aten.split: _cut,
    aten.split_with_sizes: _cut,
    aten.tensor_split: _cut,
    aten.view: _reshaped,
    aten.reshape: _reshaped,
    aten.flatten: _reshaped,
    aten.unflatten: _reshaped,
    aten.squeeze: _reshaped,
    aten.unsqueeze: _reshaped,
    aten.view_as: _reshaped,
    aten.reshape_as: _reshaped,
    aten.permute: _permuted,
    aten.transpose: _swapped,
    aten.swapaxes: _swapped,
    aten.t: _swapped,
    aten.mT: _swapped,
    aten.detach: _same,
    aten.alias: _same,
}
