"""The operations of TorchScript's graphs: those of Python's numbers and lists, and where PyTorch's are found."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from segviz.core.errors import SegvizError

aten = torch.ops.aten


def _tuple(*values: Any) -> tuple[Any, ...]:
    return values


def _list(*values: Any) -> list[Any]:
    return list(values)


def _unpacked(values: Sequence[Any]) -> Any:
    """One output is entered as it is, several one by one."""
    return values[0] if len(values) == 1 else values


def _dictionary(*values: Any) -> dict[Any, Any]:
    return dict(zip(values[::2], values[1::2], strict=True))


def _same(value: Any, *more: Any) -> Any:
    return value


def _nothing(*values: Any) -> None:
    return None


def _failed(message: str, *more: Any) -> Any:
    raise RuntimeError(message)


def _stored(values: Any, key: Any, value: Any) -> Any:
    values[key] = value
    return values


def _appended(values: list[Any], value: Any) -> list[Any]:
    values.append(value)
    return values


def _extended(values: list[Any], more: Sequence[Any]) -> list[Any]:
    values.extend(more)
    return values


def _inserted(values: list[Any], place: int, value: Any) -> None:
    values.insert(place, value)


def _convolution(
    maps: Tensor, weight: Tensor, bias: Tensor | None, stride: Any, padding: Any, dilation: Any, transposed: bool,
    more: Any, groups: int, *flags: bool,
) -> Tensor:  # fmt: skip
    """What tracing writes for every convolution, as the operation that its author called."""
    if weight.dim() != 4:
        return torch._convolution(maps, weight, bias, stride, padding, dilation, transposed, more, groups, *flags)
    if transposed:
        return torch.conv_transpose2d(maps, weight, bias, stride, padding, more, groups, dilation)
    return torch.conv2d(maps, weight, bias, stride, padding, dilation, groups)


def _sizes(maps: Tensor, dim: int | None = None) -> Any:
    return list(maps.shape) if dim is None else int(maps.shape[dim])


def _slice(values: Any, *args: Any) -> Any:
    """Of a list, or of a tensor's dimension."""
    if isinstance(values, Tensor):
        return aten.slice(values, *args)
    return values[slice(*args)]


def _item(values: Any, key: Any, *more: Any) -> Any:
    return values[key]


def _tuple_part(values: Sequence[Any], place: int) -> Any:
    return values[place]


def _number(kind: type) -> Callable[[Any], Any]:
    return lambda value: kind(value.item() if isinstance(value, Tensor) else value)


def _added(first: Any, second: Any, *more: Any) -> Any:
    """Numbers, lists and words are added as Python does, tensors as PyTorch does."""
    if isinstance(first, Tensor):
        return aten.add(first, second, **({"alpha": more[0]} if more else {}))
    return first + second


BUILTINS: dict[str, Callable[..., Any]] = {
    "prim::TupleConstruct": _tuple,
    "prim::ListConstruct": _list,
    "prim::DictConstruct": _dictionary,
    "prim::TupleUnpack": _unpacked,
    "prim::ListUnpack": _unpacked,
    "prim::TupleIndex": _tuple_part,
    "prim::NumToTensor": torch.tensor,
    "prim::unchecked_cast": _same,
    "prim::unchecked_unwrap_optional": _same,
    "prim::Uninitialized": _nothing,
    "prim::Print": _nothing,
    "prim::RaiseException": _failed,
    "prim::device": lambda tensor: tensor.device,
    "prim::dtype": lambda tensor: tensor.dtype,
    "prim::layout": lambda tensor: tensor.layout,
    "prim::is_cuda": lambda tensor: tensor.is_cuda,
    "prim::requires_grad": lambda tensor: tensor.requires_grad,
    "prim::data": _same,
    "aten::warn": _nothing,
    "aten::format": lambda text, *values: text.format(*values),
    "aten::__is__": operator.is_,
    "aten::__isnot__": operator.is_not,
    "aten::__not__": operator.not_,
    "aten::__contains__": operator.contains,
    "aten::__getitem__": _item,
    "aten::_set_item": _stored,
    "aten::append": _appended,
    "aten::extend": _extended,
    "aten::insert": _inserted,
    "aten::len": len,
    "aten::size": _sizes,
    "aten::dim": lambda tensor: tensor.dim(),
    "aten::numel": lambda tensor: tensor.numel(),
    "aten::is_floating_point": lambda tensor: tensor.is_floating_point(),
    "aten::list": list,
    "aten::keys": list,
    "aten::values": lambda values: list(values.values()),
    "aten::items": lambda values: list(values.items()),
    "aten::slice": _slice,
    "aten::Int": _number(int),
    "aten::Float": _number(float),
    "aten::Bool": _number(bool),
    "aten::IntImplicit": _number(int),
    "aten::ScalarImplicit": lambda value: value.item() if isinstance(value, Tensor) else value,
    "aten::add": _added,
    "aten::_convolution": _convolution,
}
LISTS: dict[str, Callable[..., Any]] = {  # of Python's lists, where the same operation of a tensor is another one
    "aten::add_": _extended,
    "aten::reverse": list.reverse,
    "aten::copy": list.copy,
    "aten::clear": list.clear,
    "aten::pop": list.pop,
    "aten::remove": list.remove,
    "aten::index": list.index,
    "aten::count": list.count,
    "aten::mul": operator.mul,
    "aten::sort": lambda values, falling=False: values.sort(reverse=falling),
    "aten::sorted": sorted,
    "aten::tensor": lambda values, dtype=None, device=None, trained=False: torch.tensor(
        values, dtype=dtype, device=device
    ),
}
REFUSED = {"aten::save", "aten::from_file"}  # what reaches out of the network


def operation(node: Any) -> Callable[..., Any]:
    """The operation of PyTorch that a node of a graph calls; where there is none, it raises SegvizError when called.

    Not before that: archives hold branches for training that nobody takes.
    """
    kind = node.kind()
    space, _, name = kind.partition("::")
    if space not in ("aten", "prim") or kind in REFUSED or not node.schema().startswith(kind):
        return _refusing(kind)
    schema = torch._C.parse_schema(node.schema())
    overload = getattr(getattr(getattr(torch.ops, space), name), schema.overload_name or "default")
    plain = [argument.name for argument in schema.arguments if not argument.kwarg_only]
    named = [argument.name for argument in schema.arguments if argument.kwarg_only]

    def run(*args: Any) -> Any:
        if kind in LISTS and isinstance(args[0], list):
            return LISTS[kind](*args)
        return overload(*args[: len(plain)], **dict(zip(named, args[len(plain) :], strict=False)))

    return run


def _refusing(kind: str) -> Callable[..., Any]:
    def run(*args: Any) -> Any:
        raise SegvizError(f"the archive uses '{kind}', which segviz does not run: save the network without it")

    return run
