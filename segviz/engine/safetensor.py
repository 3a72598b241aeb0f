"""Files of safetensors: a header in JSON, then the numbers of its tensors one after the other.

The format: https://github.com/huggingface/safetensors, "Format". Tensors are read one by one into memory
of our own, since a file that shrinks while it is mapped would end the process.
"""

from __future__ import annotations

import io
import json
import math
from dataclasses import dataclass
from typing import IO, Any

import torch
from torch import Tensor

from segviz.engine.sniff import LARGEST_HEADER

MOST_DIMENSIONS = 64  # of a tensor, as many as torch has; products of more take for ever
LARGEST_SIDE = 1 << 63
LENGTH = 8  # bytes in front of the header, which hold its length
METADATA = "__metadata__"
DTYPES: dict[str, torch.dtype] = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U64": torch.uint64,
    "U32": torch.uint32,
    "U16": torch.uint16,
    "U8": torch.uint8,
    "BOOL": torch.bool,
    "C64": torch.complex64,
}


@dataclass(frozen=True, slots=True)
class Header:
    """Shape and type of a tensor whose values have not been read."""

    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def count(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        return self.count * self.dtype.itemsize


def described(file: IO[bytes]) -> tuple[dict[str, Header], dict[str, str]]:
    """The tensors of a file by name, in the order of their numbers, and its metadata.

    Raises ValueError where anything is amiss.
    """
    headers, metadata, _ = _checked(file)
    return headers, metadata


def read(file: IO[bytes]) -> dict[str, Tensor]:
    """The tensors of a file by name. Raises ValueError where anything is amiss."""
    headers, _, start = _checked(file)
    file.seek(start)
    return {name: _tensor(file, header) for name, header in headers.items()}


def _tensor(file: IO[bytes], header: Header) -> Tensor:
    if not header.count:
        return torch.empty(header.shape, dtype=header.dtype)
    room = bytearray(file.read(header.bytes))
    if len(room) < header.bytes:
        raise ValueError("it ends too early")
    return torch.frombuffer(room, dtype=header.dtype).reshape(header.shape)


def _checked(file: IO[bytes]) -> tuple[dict[str, Header], dict[str, str], int]:
    """The tensors, the metadata, and where the numbers begin: side by side, none missing, none over."""
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(LENGTH), "little")
    start = LENGTH + length
    if length > LARGEST_HEADER or start > end:
        raise ValueError("the header is longer than the file: truncated")
    told = json.loads(file.read(length), object_pairs_hook=_once)
    if not isinstance(told, dict):
        raise ValueError("the header is no object")
    metadata = told.pop(METADATA, {})
    _check_metadata(metadata)
    found = sorted((_described(name, item) for name, item in told.items()), key=lambda item: item[2:])
    place = 0
    for name, header, begin, behind in found:
        if begin != place or behind != begin + header.bytes:
            raise ValueError(f"the header says that '{name}' lies where it cannot")
        place = behind
    if start + place != end:
        raise ValueError(f"the header promises {place:,} bytes of tensors, the file has {end - start:,}")
    return {name: header for name, header, _, _ in found}, metadata, start


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("the header has a name twice")
    return found


def _check_metadata(told: Any) -> None:
    if not isinstance(told, dict) or not all(isinstance(value, str) for value in told.values()):
        raise ValueError("the metadata in the header are no texts")


def _described(name: str, item: Any) -> tuple[str, Header, int, int]:
    shape, (begin, behind), kind = item["shape"], item["data_offsets"], item["dtype"]
    numbers = [*shape, begin, behind]
    if not all(type(number) is int and 0 <= number < LARGEST_SIDE for number in numbers):
        raise ValueError(f"the header has no whole numbers for '{name}'")
    if len(shape) > MOST_DIMENSIONS:
        raise ValueError(f"the header gives '{name}' {len(shape):,} dimensions")
    if kind not in DTYPES:
        raise ValueError(f"the header gives '{name}' the unknown type {kind}")
    return name, Header(tuple(shape), DTYPES[kind]), begin, behind
