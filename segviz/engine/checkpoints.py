"""From a file of weights to tensors by name: checked, described without its values, and only then read.

The order is that for files from strangers: what kind of file it is and how large, its first bytes, its
archive, what it claims to hold and whether it can; then the wrappings that training scripts put around
a state dict. Nothing of a file is ever executed: what a pickle would do besides making tensors is a
reason to refuse it. `READERS` has a reader for each kind of file that holds tensors alone.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import torch
from torch import Tensor

from segviz.core import file_notes
from segviz.core.errors import SegvizError, clean, named, shorten
from segviz.engine import archives, devices, safetensor
from segviz.engine.outline import RefusedError, Sketch, Storage, UnsafeError, outline
from segviz.engine.safetensor import Header
from segviz.engine.sniff import FileKind, what_is

Tensors = dict[str, Tensor]
Headers = Mapping[str, Header]

# Under these names training scripts keep a state dict, beside epochs and optimizers; the first one counts.
WRAPPINGS = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params")
AVERAGED = ("model_ema", "state_dict_ema", "ema_state_dict", "ema", "params_ema")
MOST_WRAPPINGS = 4
MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a file that torch.save wrote before version 1.6
PROTOCOL = 1001  # its second


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a file of weights holds: shapes and types of its tensors by name, and `read`, which gives their values.

    `size` are the bytes that reading takes; `notes` say what was unwrapped. `said` is the note that segviz writes into
    a file of its own, as `core/file_notes` has it; it is a stranger's text.
    """

    path: Path
    title: str
    headers: Headers
    size: int
    read: Callable[[], Tensors]
    notes: tuple[str, ...] = ()
    said: str = ""


class Found(NamedTuple):
    """What a reader finds in a file: tensors without values, below the keys `inside`, and the bytes to be read."""

    headers: Headers
    size: int
    inside: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    said: str = ""


class Reader(NamedTuple):
    """How a kind of file is read: `look` describes what is in it, `read` gives the tensors that were found."""

    look: Callable[[IO[bytes]], Found]
    read: Callable[[IO[bytes], Found], Tensors]


def open_checkpoint(path: Path) -> Checkpoint:
    """What the file of weights at `path` holds, its values not yet read.

    Raises SegvizError where the file is missing, no regular file, too large, no file of weights, damaged, or
    a pickle of more than tensors: then with the safe ways on.
    """
    kind = what_is(path)
    reader = READERS.get(kind)
    if reader is None:
        raise SegvizError(f"{named(path)}: a program ({kind.title}), not a file of weights; open it by itself")
    found: Found = _at_the_edge(path, kind, reader.look)
    return Checkpoint(
        path,
        kind.title,
        found.headers,
        found.size,
        lambda: _at_the_edge(path, kind, lambda file: reader.read(file, found)),
        found.notes,
        found.said,
    )


def read_tensors(path: Path) -> Tensors:
    """All tensors of a checkpoint by name, as they are in the file. Raises SegvizError as `open_checkpoint` does."""
    checkpoint = open_checkpoint(path)
    devices.check_memory(checkpoint.size, named(path), "close other programs")
    return checkpoint.read()


def _at_the_edge(path: Path, kind: FileKind, work: Callable[[IO[bytes]], Any]) -> Any:
    """Every exception becomes one message here: what libraries raise for a broken file is not documented."""
    name = named(path)
    try:
        with path.open("rb") as file:
            return work(file)
    except SegvizError:
        raise
    except UnsafeError as error:
        wanted = clean(str(error)).replace("\n", " ")
        short = shorten(wanted, 70)
        raise SegvizError(
            f"{name}: unsafe: its pickle runs code ('{short}', a class or function, as a whole model or a setting "
            "needs). Only tensors are read: save model.state_dict() or safetensors there",
            f"The pickle names {wanted}, which is neither a tensor nor a plain value.",
        ) from error
    except RefusedError as error:
        raise SegvizError(f"{name}: {error}") from error
    except MemoryError as error:
        raise SegvizError(f"{name}: too large for the free memory; close other programs") from error
    except Exception as error:
        told = shorten(str(error) or type(error).__name__, 120)
        raise SegvizError(
            f"{name}: damaged or incomplete {kind.title} ({told}); fetch or save it again",
            f"{type(error).__name__}: {error}",
        ) from error


# -------------------------------------------------------------------------------------- safetensors


def _look_at_safetensors(file: IO[bytes]) -> Found:
    headers, metadata = safetensor.described(file)
    size = sum(header.bytes for header in headers.values())
    return Found(headers, size, said=metadata.get(file_notes.NAME, ""))


def _read_safetensors(file: IO[bytes], _: Found) -> Tensors:
    return safetensor.read(file)


# ----------------------------------------------------------------------------------- torch's pickles


def _look_at_archive(file: IO[bytes]) -> Found:
    known = archives.records(file)
    pickled = known["data.pkl"]
    file.seek(pickled.start)
    storages: dict[str, Storage] = {}
    made = outline(io.BytesIO(file.read(pickled.size)), storages)
    for storage in storages.values():
        record = known.get(f"data/{storage.key}")
        if record is None:
            raise ValueError(f"the record of storage '{storage.key}' is missing")
        if record.size != storage.bytes:
            raise ValueError(f"size mismatch: storage '{storage.key}' of {storage.bytes:,} bytes has {record.size:,}")
    archives.verify(file, known)
    return _unwrapped(made, storages)


def _look_at_pickle(file: IO[bytes]) -> Found:
    """The older format: three small pickles, that of the tensors, that of their storages' keys, then their bytes."""
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    bounded = _Bounded(file, end)
    if outline(bounded) != MAGIC or outline(bounded) != PROTOCOL or not isinstance(outline(bounded), dict):
        raise RefusedError("a pickle, but not one of torch.save; save the state_dict with torch.save or safetensors")
    storages: dict[str, Storage] = {}
    made = outline(bounded, storages)
    keys = outline(bounded)
    if sorted(keys) != sorted(storages):  # one that is not among them would be room without numbers
        raise ValueError("its storages are others than its tensors need")
    for storage in map(storages.__getitem__, keys):
        count = int.from_bytes(file.read(8), "little")
        if count != storage.count or file.tell() + storage.bytes > end:
            raise ValueError(f"size mismatch: storage '{storage.key}' claims {storage.bytes:,} bytes")
        file.seek(storage.bytes, io.SEEK_CUR)
    return _unwrapped(made, storages)


class _Bounded:
    """A file that gives no more than it has: asked for a terabyte, Python would make room for it first."""

    def __init__(self, file: IO[bytes], end: int) -> None:
        self._file = file
        self._end = end

    def read(self, count: int = -1, /) -> bytes:
        left = self._end - self._file.tell()
        return self._file.read(left if count < 0 else min(count, left))

    def readline(self) -> bytes:
        return self._file.readline()

    def tell(self) -> int:
        return self._file.tell()


def _unwrapped(made: Any, storages: Mapping[str, Storage]) -> Found:
    """The state dict in what a pickle makes, at most `MOST_WRAPPINGS` levels down."""
    inside: list[str] = []
    notes: tuple[str, ...] = ()
    while isinstance(made, dict):
        wrapping = _wrapping(made)
        if wrapping is None:
            break
        if len(inside) == MOST_WRAPPINGS:
            raise RefusedError(f"not a state_dict: its structure has more than {MOST_WRAPPINGS} wrappings")
        averaged = [key for key in AVERAGED if key in made and key != wrapping]
        if averaged:
            notes = (f"taken from '{wrapping}'; averaged weights are in '{averaged[0]}' and left aside",)
        inside.append(wrapping)
        made = made[wrapping]
    headers = _headers(made)
    return Found(headers, sum(storage.bytes for storage in storages.values()), tuple(inside), notes)


def _wrapping(made: Mapping[Any, Any]) -> str | None:
    """The key of the state dict in `made`; None where it is one itself, as far as it is any."""
    known = next((key for key in (*WRAPPINGS, *AVERAGED) if isinstance(made.get(key), dict)), None)
    if known is not None or _holds_tensors(made):
        return known
    filled = [key for key, value in made.items() if isinstance(key, str) and _holds_tensors(value)]
    return filled[0] if len(filled) == 1 else None


def _holds_tensors(made: Any) -> bool:
    return isinstance(made, dict) and any(isinstance(value, Sketch) for value in made.values())


def _headers(made: Any) -> Headers:
    if not isinstance(made, dict):
        kind = "tensor" if isinstance(made, Sketch) else type(made).__name__
        raise RefusedError(f"not a state_dict: its structure is a {kind}; save model.state_dict()")
    if not made:
        raise RefusedError("not a state_dict: it is empty, there are no tensors in it; save model.state_dict()")
    headers: dict[str, Header] = {}
    for key, value in made.items():
        if not isinstance(key, str):
            raise RefusedError(f"not a state_dict: a key is {shorten(repr(key), 40)}, no name; save model.state_dict()")
        if isinstance(value, Sketch):
            headers[key] = Header(value.shape, value.dtype)
        elif not key.endswith("_extra_state"):
            raise RefusedError(
                f"not a state_dict: '{shorten(key, 60)}' is no tensor but a {type(value).__name__}; "
                "save model.state_dict() alone"
            )
    return headers


def _read_pickle(file: IO[bytes], found: Found) -> Tensors:
    file.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a newer pickle protocol, or of a storage's old type: both were outlined
        made = torch.load(file, map_location="cpu", weights_only=True)
    for key in found.inside:
        made = made[key]
    tensors = {name: made[name].detach() for name in found.headers}
    for name, tensor in tensors.items():
        header = found.headers[name]
        if tensor.layout != torch.strided or tuple(tensor.shape) != header.shape or tensor.dtype != header.dtype:
            raise ValueError(f"'{name}' is another tensor than the file said")
    return tensors


READERS: dict[FileKind, Reader] = {
    FileKind.SAFETENSORS: Reader(_look_at_safetensors, _read_safetensors),
    FileKind.ARCHIVE: Reader(_look_at_archive, _read_pickle),
    FileKind.PICKLE: Reader(_look_at_pickle, _read_pickle),
}
