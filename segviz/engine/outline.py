"""What a pickle would make, found out without making it: dicts, numbers, and tensors as shapes without values.

A pickle is a program for a small machine with a stack. This one knows the instructions that state
dicts are written with, and calls nothing: a name that is to be called must be one of `CALLS`, which only
describe. So a pickle from a stranger is judged as a whole before torch reads any of it, and a claim that
its file cannot keep costs neither time nor memory.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, Protocol, cast

import torch

from segviz.engine.safetensor import LARGEST_SIDE, MOST_DIMENSIONS

MOST_INSTRUCTIONS = 1_000_000  # optimizer and weights of 3,000 tensors have half as many

NEWEST_PROTOCOL = 3  # that torch understands without executing anything


class UnsafeError(Exception):
    """The pickle wants the program's class or function that the message names."""


class RefusedError(Exception):
    """What the pickle describes is sound but not taken; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The numbers that tensors look at: `count` of them, `size` bytes each, in the record `key`; None: bytes."""

    key: str
    dtype: torch.dtype | None
    count: int

    @property
    def size(self) -> int:
        return 1 if self.dtype is None else self.dtype.itemsize

    @property
    def bytes(self) -> int:
        return self.count * self.size


@dataclass(frozen=True, slots=True)
class Sketch:
    """A tensor without its values."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    storage: Storage


@dataclass(frozen=True, slots=True)
class Name:
    """A name of torch or Python that a pickle may mention: 'torch.FloatStorage'."""

    name: str


class Something:
    """A value that is no tensor, and that nobody looks at: a set, a size, a device."""


SOMETHING = Something()

_STORAGES = {
    f"torch.{name}Storage": dtype
    for name, dtype in {
        "Float": torch.float32,
        "Double": torch.float64,
        "Half": torch.float16,
        "BFloat16": torch.bfloat16,
        "Long": torch.int64,
        "Int": torch.int32,
        "Short": torch.int16,
        "Char": torch.int8,
        "Byte": torch.uint8,
        "Bool": torch.bool,
        "ComplexFloat": torch.complex64,
        "ComplexDouble": torch.complex128,
    }.items()
}
_BYTES = ("torch.UntypedStorage", "torch.storage.UntypedStorage")
_DTYPES = {f"torch.{name}": value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
_TYPES = ("torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.Parameter")
_HARMLESS = (
    "torch.Size",
    "torch.device",
    "torch.serialization._get_layout",
    "_codecs.encode",
    "collections.Counter",
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("set", "complex")),
)
_OTHERWISE_STORED = {
    "torch._utils._rebuild_sparse_tensor": "a sparse tensor; save it dense, with to_dense()",
    "torch._utils._rebuild_sparse_csr_tensor": "a sparse tensor; save it dense, with to_dense()",
    "torch._utils._rebuild_nested_tensor": "a nested tensor, a layout that is not read",
    "torch._utils._rebuild_qtensor": "a quantized tensor; save it with dequantize()",
    "torch._utils._rebuild_meta_tensor_no_storage": "a tensor without values (on the meta device)",
    "torch._utils._rebuild_wrapper_subclass": "a tensor of a kind of its own; save plain tensors",
}


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> Sketch:
    """torch._utils._rebuild_tensor_v2: a dense view of a storage, inside of it and no larger than it."""
    return _sketched(storage, offset, shape, stride, storage.dtype if isinstance(storage, Storage) else None)


def _typed_tensor(storage: Any, offset: Any, shape: Any, stride: Any, _: Any, __: Any, dtype: Any, *___: Any) -> Sketch:
    """torch._utils._rebuild_tensor_v3: of a type that has no storage of its own, such as float8."""
    return _sketched(storage, offset, shape, stride, _DTYPES.get(dtype.name) if isinstance(dtype, Name) else None)


def _sketched(storage: Any, offset: Any, shape: Any, stride: Any, dtype: torch.dtype | None) -> Sketch:
    if not isinstance(storage, Storage) or dtype is None:
        raise ValueError("a tensor without a storage")
    shape, stride = _sizes(shape), _sizes(stride)
    if len(shape) != len(stride) or not isinstance(offset, int) or offset < 0:
        raise ValueError("offset or stride of a tensor cannot be")
    count, last = 1, offset
    for side, step in zip(shape, stride, strict=True):
        count *= side
        last += (side - 1) * step
    there = storage.bytes // dtype.itemsize
    if count and (last >= there or count > there):
        raise ValueError(f"size mismatch: a tensor of {_text(shape)} is out of bounds of its storage of {there:,}")
    return Sketch(shape, dtype, storage)


def _sizes(value: Any) -> tuple[int, ...]:
    if not isinstance(value, tuple) or not all(type(n) is int and 0 <= n < LARGEST_SIDE for n in value):
        raise ValueError("shape or stride of a tensor is no tuple of whole numbers")
    if len(value) > MOST_DIMENSIONS:
        raise ValueError(f"a tensor of {len(value):,} dimensions")
    return value


def _text(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _of_type(function: Any, _: Any, arguments: Any, __: Any) -> Any:
    """torch._tensor._rebuild_from_type_v2: a tensor that had attributes of its own."""
    return _called(function, arguments)


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    return dict(pairs)


# What a pickle may call -> what is described instead of calling it.
CALLS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _typed_tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _of_type,
    "collections.OrderedDict": _ordered,
    **dict.fromkeys(_HARMLESS, lambda *_: SOMETHING),
}
KNOWN = {*CALLS, *_STORAGES, *_BYTES, *_DTYPES, *_TYPES}


def _called(function: Any, arguments: Any) -> Any:
    described = CALLS.get(function.name) if isinstance(function, Name) else None
    if described is None or not isinstance(arguments, tuple):
        raise ValueError("something is called that cannot be")
    return described(*arguments)


class Source(Protocol):
    """What a pickle is read from."""

    def read(self, count: int = -1, /) -> bytes: ...

    def readline(self) -> bytes: ...

    def tell(self) -> int: ...


def outline(file: Source, storages: dict[str, Storage] | None = None) -> Any:
    """What the pickle at the current place of `file` makes; the file is then behind it.

    Storages that it refers to are added to `storages`. Raises UnsafeError for a name that is not in
    `KNOWN`, RefusedError for what is described but not taken, ValueError for anything that no pickle
    of tensors says, and whatever Python raises for instructions that do not fit together.
    """
    return _Machine({} if storages is None else storages).run(file)


class _Machine:
    """Stack, marks and memory of a pickle."""

    def __init__(self, storages: dict[str, Storage]) -> None:
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memory: dict[int, Any] = {}
        self.storages = storages
        self.protocol = 0

    def run(self, file: Source) -> Any:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(cast(IO[bytes], file))):
            if count > MOST_INSTRUCTIONS:
                raise RefusedError(
                    f"a structure of more than {MOST_INSTRUCTIONS:,} instructions; save the tensors alone"
                )
            if opcode.name in _CONSTANTS:
                self.stack.append(argument)
            elif opcode.name == "STOP":
                return self.finish()
            else:
                step = _STEPS.get(opcode.name)
                if step is None:
                    raise ValueError(f"the instruction {opcode.name} has no place in it")
                step(self, argument)
        raise ValueError("it ends too early")

    def finish(self) -> Any:
        if self.protocol > NEWEST_PROTOCOL:
            raise RefusedError(
                f"a pickle of protocol {self.protocol}, of which torch reads none safely; "
                "save it by torch.save as it is (protocol 2), or as safetensors"
            )
        return self.stack.pop()

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def pop_mark(self) -> list[Any]:
        above, self.stack = self.stack, self.marks.pop()
        return above

    def mark(self, _: Any) -> None:
        self.marks.append(self.stack)
        self.stack = []

    def pop(self, _: Any) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.pop_mark()

    def remember(self, place: Any) -> None:
        self.memory[len(self.memory) if place is None else int(place)] = self.stack[-1]

    def recall(self, place: Any) -> None:
        self.stack.append(self.memory[int(place)])

    def name(self, argument: Any) -> None:
        self._mention(".".join(argument.split(" ", 1)))

    def stacked_name(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self._mention(f"{module}.{name}")

    def _mention(self, name: str) -> None:
        if name in _OTHERWISE_STORED:
            raise RefusedError(f"it holds {_OTHERWISE_STORED[name]}")
        if name not in KNOWN:
            raise UnsafeError(name)
        self.stack.append(Name(name))

    def call(self, _: Any) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        self.stack.append(_called(function, arguments))

    def build(self, _: Any) -> None:
        """The attributes of an OrderedDict: the versions of the modules, which nobody needs."""
        self.stack.pop()
        if not isinstance(self.stack[-1], dict):
            raise ValueError("attributes are set where none can be")

    def storage(self, _: Any) -> None:
        told = self.stack.pop()
        if not isinstance(told, tuple) or len(told) < 5 or told[0] != "storage" or not isinstance(told[1], Name):
            raise ValueError("it refers to something that is no storage")
        _, kind, key, _, count = told[:5]
        if kind.name not in (*_STORAGES, *_BYTES) or not isinstance(count, int) or count < 0:
            raise ValueError("type or size of a storage cannot be")
        found = Storage(str(key), _STORAGES.get(kind.name), count)
        if self.storages.setdefault(found.key, found).bytes != found.bytes:
            raise ValueError(f"storage '{found.key}' has two sizes")
        self.stack.append(found)

    def put_all(self, given: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise ValueError("an item is set where there are none (SETITEM)")
        if not all(isinstance(key, str | int | float) for key in given[::2]):  # others may take for ever to hash
            raise ValueError("a key is neither text nor number")
        target.update(zip(given[::2], given[1::2], strict=True))

    def put(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.put_all([key, value])

    def dict(self, _: Any) -> None:
        given = self.pop_mark()
        self.stack.append({})
        self.put_all(given)

    def append_all(self, given: list[Any]) -> None:
        if not isinstance(self.stack[-1], list):
            raise ValueError("something is appended to what is no list")
        self.stack[-1].extend(given)

    def tuple_of(self, count: int) -> None:
        """The last `count` values; counted from the start, so that too few are noticed."""
        if len(self.stack) < count:
            raise ValueError("values are missing")
        start = len(self.stack) - count
        self.stack[start:] = [tuple(self.stack[start:])]


# Instructions that give what stands in them.
_TEXTS = {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
_NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
_CONSTANTS = _TEXTS | _NUMBERS | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
_STEPS: dict[str, Callable[[_Machine, Any], Any]] = {
    "PROTO": lambda machine, number: setattr(machine, "protocol", number),
    "FRAME": lambda machine, _: None,
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "EMPTY_SET": lambda machine, _: machine.push(SOMETHING),
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": lambda machine, _: machine.pop_mark(),
    "DUP": lambda machine, _: machine.push(machine.stack[-1]),
    "LIST": lambda machine, _: machine.push(machine.pop_mark()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_mark())),
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "DICT": _Machine.dict,
    "APPEND": lambda machine, _: machine.append_all([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.append_all(machine.pop_mark()),
    "ADDITEMS": lambda machine, _: machine.pop_mark(),
    "SETITEM": _Machine.put,
    "SETITEMS": lambda machine, _: machine.put_all(machine.pop_mark()),
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.stacked_name,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.build,
    "BINPERSID": _Machine.storage,
    "PUT": _Machine.remember,
    "BINPUT": _Machine.remember,
    "LONG_BINPUT": _Machine.remember,
    "MEMOIZE": _Machine.remember,
    "GET": _Machine.recall,
    "BINGET": _Machine.recall,
    "LONG_BINGET": _Machine.recall,
}
