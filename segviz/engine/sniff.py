"""What a file is that somebody gives as a network: found out from its first bytes, before anything reads it.

The name decides nothing that the bytes can tell: a checkpoint named .onnx is a checkpoint. Only Python
source has no mark of its own, and is text that is named .py.
"""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path

from segviz.core.choices import Choice
from segviz.core.errors import SegvizError, named

HEAD = 512  # bytes that tell a format
LARGEST_FILE = 8 * 1024**3  # bytes
LARGEST_HEADER = 100_000_000  # bytes; the limit of the safetensors format


class FileKind(Choice):
    """What a file that networks come in holds: tensors alone, or a program, which runs when it is opened."""

    SAFETENSORS = "safetensors", "safetensors", "tensors and their names"
    ARCHIVE = "archive", "torch checkpoint", "tensors in the archive that torch.save writes"
    PICKLE = "pickle", "pickle", "tensors as torch.save wrote them before version 1.6"
    TORCHSCRIPT = "torchscript", "TorchScript archive", "a network with its program, by torch.jit.save"
    EXPORTED = "exported", "exported program (.pt2)", "a network with its program, by torch.export.save"
    ONNX = "onnx", "ONNX file", "a network as a graph of operators"
    PYTHON = "python", "Python file", "source code that makes a network"


WEIGHTS = (FileKind.SAFETENSORS, FileKind.ARCHIVE, FileKind.PICKLE)
READ = "segviz reads safetensors and torch checkpoints, and opens TorchScript, .pt2, ONNX and Python files"
NAMES_SUFFIX = ".txt"
NAMES = (
    "if it is a list of class names, drop it on the window, name it in the model card under Class names, "
    "or write ?labels= behind the network"
)

# (offset, bytes) of files that people take for networks -> what they are, and what to do.
_STRANGERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"version https://git-lfs", "a Git LFS pointer instead of the file itself; fetch it with 'git lfs pull'"),
    (0, b"\x89hdf\r\n\x1a\n", "an HDF5 file (Keras), a format that is not read; save its weights as safetensors"),
    (0, b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (0, b"bzh", "compressed with bzip2; unpack it first"),
    (0, b"\xfd7zxz\0", "compressed with xz; unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "compressed with 7-Zip; unpack it first"),
    (0, b"rar!", "compressed with RAR; unpack it first"),
    (257, b"ustar", "a tar archive; unpack it, and open the checkpoint in it"),
    (0, b"\x93numpy", "a NumPy file, which is unsupported; save its weights as safetensors"),
    (0, b"\x89png", "an image (PNG), not a checkpoint; open it as an image"),
    (0, b"\xff\xd8\xff", "an image (JPEG), not a checkpoint; open it as an image"),
    (0, b"gif8", "an image (GIF), not a checkpoint; open it as an image"),
    (0, b"<!doctype", "a web page (HTML), not a checkpoint: the download failed; fetch it again"),
    (0, b"<html", "a web page (HTML), not a checkpoint: the download failed; fetch it again"),
    (0, b"<?xml", "XML text, not a checkpoint; fetch it again"),
    (4, b"tfl3", "a TensorFlow Lite file, which is unsupported; convert it to ONNX"),
    (0, b"gguf", "a GGUF file, which is unsupported; segviz opens networks for images"),
    (0, b"\x7felf", "a program for this computer, not a network; it is not opened"),
)
_PICKLES = (
    re.compile(rb"\x80[\x01-\x05]"),  # protocols 1 to 5 say so
    re.compile(rb"\(*[dl]?p?\d*\n?\(*c[\w.]+\n[\w.]+\n"),  # protocol 0: the name of something to call, in plain text
    re.compile(rb"\([dl]p\d+\n"),
)
# ir_version, then any of the fields 2 to 8 of ModelProto (onnx.proto).
_ONNX = re.compile(rb"\x08[\x01-\x40][\x12\x1a\x22\x28\x32\x3a\x42]")
_EXPORTED = ("archive_format", "serialized_exported_program.json", "models/", "data/aotinductor/")
_SCRIPTED = ("constants.pkl", "code/", "bytecode.pkl")


def what_is(path: Path) -> FileKind:
    """What the file at `path` is. Nothing of it is read but its first bytes, and the list of contents of a zip archive.

    Raises SegvizError where there is no such file, where it is no regular one, empty or too large, and
    where it is of no kind that networks come in: then with what it is, as far as that can be seen.
    """
    head = head_of(path)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_archive(path)
    if looks_like_safetensors(head):
        return FileKind.SAFETENSORS
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for offset, mark, what in _STRANGERS:
        if head.lower().startswith(mark, offset) or (offset == 0 and lowered.startswith(mark)):
            raise SegvizError(f"{named(path)}: {what}")
    if path.suffix.lower() == NAMES_SUFFIX and _is_text(head):  # 'cat', 'dog' a line each would be a pickle's names
        raise _stranger(path, head)
    if any(mark.match(head) for mark in _PICKLES):
        return FileKind.PICKLE
    if _ONNX.match(head):
        return FileKind.ONNX
    if path.suffix.lower() == ".py" and b"\0" not in head:
        return FileKind.PYTHON
    raise _stranger(path, head)


def head_of(path: Path) -> bytes:
    """The first bytes of a regular file of sensible size. Raises SegvizError where `path` is none."""
    name = named(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SegvizError(f"{name}: a folder; choose the file of weights in it")
        if not stat.S_ISREG(status.st_mode):  # before opening: opening a pipe would wait for ever
            raise SegvizError(f"{name}: not a regular file; give the file of weights itself")
        if status.st_size == 0:
            raise SegvizError(f"{name}: the file is empty; fetch it again")
        if status.st_size > LARGEST_FILE:
            raise SegvizError(
                f"{name}: {status.st_size / 1024**3:.1f} GiB; segviz reads weights of up to "
                f"{LARGEST_FILE // 1024**3} GiB"
            )
        with path.open("rb") as file:
            return file.read(HEAD)
    except FileNotFoundError:
        link = "; it is a link to nothing" if path.is_symlink() else ""
        raise SegvizError(f"{name}: not found, there is no such file{link}; was it moved or renamed?") from None
    except PermissionError:
        raise SegvizError(f"{name}: no permission to read it; change the file's permissions") from None
    except (OSError, ValueError) as error:  # a link to itself, a name with a null character
        reason = getattr(error, "strerror", None) or error
        raise SegvizError(f"{name}: cannot be read ({reason}); check links and path") from error


def looks_like_safetensors(head: bytes) -> bool:
    """Eight bytes with the length of a header in JSON, then the header."""
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= LARGEST_HEADER


def _of_archive(path: Path) -> FileKind:
    name = named(path)
    try:
        with zipfile.ZipFile(path) as archive:
            full = archive.namelist()
    except Exception as error:  # the edge: zipfile raises half a dozen types for damaged archives
        raise SegvizError(f"{name}: the archive is damaged or incomplete ({error}); fetch it again") from error
    names = [entry.partition("/")[2] for entry in full]
    if any(entry.startswith(_EXPORTED) for entry in names):
        return FileKind.EXPORTED
    if "data.pkl" in names:
        scripted = any(entry.startswith(_SCRIPTED) for entry in names)
        return FileKind.TORCHSCRIPT if scripted else FileKind.ARCHIVE
    if any(entry.endswith(".npy") for entry in full):
        raise SegvizError(f"{name}: a NumPy archive, which is unsupported; save its weights as safetensors")
    if any(entry.endswith(".weights.h5") for entry in full):
        raise SegvizError(f"{name}: a Keras archive, a format that is not read; save its weights as safetensors")
    raise SegvizError(f"{name}: a zip archive, but not a torch checkpoint (no data.pkl); unpack it first")


def _is_text(head: bytes) -> bool:
    return len(head) > 1 and all(byte >= 32 or byte in b"\t\r\n" for byte in head)


def _stranger(path: Path, head: bytes) -> SegvizError:
    """Why a file of no known kind is refused; what it should have been, its name may say."""
    name, suffix = named(path), path.suffix.lower()
    if suffix == ".safetensors":
        return SegvizError(f"{name}: not safetensors or damaged (its header is invalid); fetch or save it again")
    if suffix == ".onnx":
        return SegvizError(f"{name}: not an ONNX file, or damaged; fetch or save it again")
    if _is_text(head):
        return SegvizError(f"{name}: text, not a file of weights; {NAMES if suffix == NAMES_SUFFIX else READ}")
    return SegvizError(f"{name}: not a file of weights, or damaged; {READ}")
