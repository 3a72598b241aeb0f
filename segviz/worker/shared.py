"""Values with large arrays from one process to another, through shared memory.

A value is pickled with its buffers out of band (PEP 574). Buffers of 64 kB and more lie side by side
in one block of shared memory, whose name travels with the pickled rest; the receiver copies them out,
once, into read-only arrays and unlinks the block. The sender holds a block until it hears that it was
taken: Windows frees a block with its last handle.

Names are counted up after a prefix that the receiver gave out, so that it can also unlink the one
block that a sender which died may have made without announcing it.
"""

from __future__ import annotations

import io
import os
import pickle
import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.reduction import ForkingPickler
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SMALLEST = 64 * 1024  # bytes; below, the pipe is as fast
ALIGNMENT = 64
FAMILY = "segviz"
MEMORY_FILES = Path("/dev/shm")  # where Linux shows blocks as files
STRAY_AFTER = 600.0  # seconds; a block in use lives for less than one


@dataclass(frozen=True, slots=True)
class Parcel:
    """A value ready for a pipe: pickled, with large buffers in `block`, or `inline` where no block could be made."""

    data: bytes
    sizes: tuple[int, ...] = ()
    block: str | None = None
    inline: tuple[bytes, ...] = ()


class _Pickler(ForkingPickler):
    """Gives out every plain array as one read-only buffer, also those that are slices of others."""

    def reducer_override(self, value: Any) -> Any:
        if type(value) is not np.ndarray or value.dtype.hasobject:
            return NotImplemented
        array = value.view() if value.flags.forc else value.copy()
        array.flags.writeable = False
        return array.__reduce_ex__(pickle.HIGHEST_PROTOCOL)


def prefix_for_this_process() -> str:
    """A prefix of block names that tells whose they are; short, since macOS allows 30 characters in all."""
    return f"{FAMILY}_{os.getpid():x}_{os.urandom(3).hex()}"


def block_name(prefix: str, serial: int) -> str:
    return f"{prefix}_{serial:x}"


def serial_of(block: str) -> int:
    return int(block.rsplit("_", 1)[1], 16)


class Shelf:
    """The sender's side: makes blocks and holds them until they are taken."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._serial = 0
        self._held: dict[str, SharedMemory] = {}

    def pack(self, value: Any) -> Parcel:
        """`value` as a parcel. What pickle raises for values that cannot travel comes through."""
        large: list[memoryview] = []

        def keep(buffer: pickle.PickleBuffer) -> bool:
            raw = buffer.raw()
            if raw.nbytes < SMALLEST:
                return True  # stays in the pickle
            large.append(raw)
            return False

        out = io.BytesIO()
        _Pickler(out, pickle.HIGHEST_PROTOCOL, True, keep).dump(value)
        if not large:
            return Parcel(out.getvalue())
        sizes = tuple(raw.nbytes for raw in large)
        try:
            block = self._block(sum(map(_aligned, sizes)))
        except OSError:  # no shared memory here, or no room left in it: the pipe is slower, but it carries
            return Parcel(out.getvalue(), sizes, None, tuple(bytes(raw) for raw in large))
        offset = 0
        for raw in large:
            np.copyto(_part(block, offset, raw.nbytes), np.frombuffer(raw, np.uint8))
            offset += _aligned(raw.nbytes)
        return Parcel(out.getvalue(), sizes, block.name)

    def _block(self, size: int) -> SharedMemory:
        block = SharedMemory(block_name(self._prefix, self._serial + 1), create=True, size=size)
        try:
            _reserve(block, size)
        except OSError:
            block.close()
            block.unlink()
            raise
        self._serial += 1  # not before: the receiver looks for a lost block under the next number alone
        self._held[block.name] = block
        return block

    def release(self, block: str) -> None:
        """The receiver took this block and unlinked it."""
        held = self._held.pop(block, None)
        if held is not None:
            held.close()

    def clear(self) -> None:
        """There is no receiver any more: unlink all that it did not take."""
        for name in list(self._held):
            _unlink(self._held[name])

    @property
    def held(self) -> tuple[str, ...]:
        return tuple(self._held)


def _part(block: SharedMemory, offset: int, size: int) -> npt.NDArray[np.uint8]:
    assert block.buf is not None  # it is open
    return np.frombuffer(block.buf, np.uint8, size, offset)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _reserve(block: SharedMemory, size: int) -> None:
    """Raise OSError now if there is no room; Linux would otherwise kill the process at the first write.

    Containers often have no more than 64 MB of shared memory.
    """
    file = MEMORY_FILES / block.name
    if sys.platform == "linux" and file.exists():
        with file.open("r+b") as opened:
            os.posix_fallocate(opened.fileno(), 0, size)


def _unlink(block: SharedMemory) -> None:
    with suppress(FileNotFoundError):
        block.unlink()


def unpack(parcel: Parcel) -> Any:
    """The value of a parcel; its block is copied out and unlinked. All large arrays are read-only.

    Raises FileNotFoundError when the block is gone, MemoryError when there is no room for the copy;
    the block is unlinked in any case.
    """
    if parcel.block is None:
        return ForkingPickler.loads(parcel.data, buffers=parcel.inline)
    block = SharedMemory(parcel.block)
    try:
        buffers = _copies(block, parcel.sizes)
    finally:
        block.close()
        _unlink(block)
    return ForkingPickler.loads(parcel.data, buffers=buffers)


def _copies(block: SharedMemory, sizes: tuple[int, ...]) -> list[npt.NDArray[np.uint8]]:
    """Each buffer copied on its own, so that one array does not keep the others alive.

    `np.copyto` lets other threads run meanwhile; slicing bytes would stop the window for the time of the copy.
    """
    copies, offset = [], 0
    for size in sizes:
        copy = np.empty(size, np.uint8)
        np.copyto(copy, _part(block, offset, size))
        copy.flags.writeable = False
        copies.append(copy)
        offset += _aligned(size)
    return copies


def discard(block: str) -> None:
    """Unlink a block that nobody wants; one that does not exist is no error."""
    try:
        found = SharedMemory(block)
    except (FileNotFoundError, ValueError):  # ValueError: its maker died before giving it a size
        return
    found.close()
    _unlink(found)


def sweep_strays() -> list[str]:
    """Unlink blocks of processes that were killed together with all that would have tidied up.

    Only where blocks are files (Linux), only ours, only old ones whose process is gone: blocks of a
    neighbour in another process namespace are never old. Returns the names.
    """
    swept = []
    for file in MEMORY_FILES.glob(f"{FAMILY}_*") if MEMORY_FILES.is_dir() else ():
        match = re.fullmatch(rf"{FAMILY}_([0-9a-f]+)_[0-9a-f]{{6}}_[0-9a-f]+", file.name)
        with suppress(OSError):
            if match and _abandoned(file, int(match[1], 16)):
                file.unlink()
                swept.append(file.name)
    return swept


def _abandoned(file: Path, pid: int) -> bool:
    status = file.stat()
    if status.st_uid != os.getuid() or time.time() - status.st_mtime < STRAY_AFTER:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
