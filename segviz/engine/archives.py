"""The zip archives that torch.save writes, checked before any of their records is read.

torch trusts an archive: two records of one name, sizes that the file does not have and wrong checksums
go unnoticed in it. Here an archive is what torch writes (records side by side, stored as they are, all
in one folder, none of them a program), or it is refused.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from segviz.engine.outline import RefusedError

NEWEST_VERSION = 10  # of the archive's own format, as torch counts
MOST_RECORDS = 100_000
CHUNK = 1 << 20  # bytes that are read at once
_LOCAL = 30  # bytes before the name of a record, where it lies
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_BELONGS = re.compile(r"data\.pkl|byteorder|version|data/[^/]+|\..+")  # torch's own notes begin with a dot
_WRITES = re.compile(r"(^|/)\.\.(/|$)|\\|:|\0|^/")  # a name that would leave its folder


@dataclass(frozen=True, slots=True)
class Record:
    """A file in the archive: where its bytes begin, how many there are, and the checksum (0: none was made)."""

    start: int
    size: int
    checksum: int


def records(file: IO[bytes]) -> dict[str, Record]:
    """The records of the archive in `file` by their names below its one folder: 'data.pkl', 'data/0'.

    Raises RefusedError for what torch would never write, ValueError where the archive is damaged, and
    what zipfile raises for what is no archive.
    """
    with zipfile.ZipFile(file) as archive:
        found, end = archive.infolist(), archive.start_dir
    if len(found) > MOST_RECORDS:
        raise RefusedError(f"its archive has {len(found):,} records; torch checkpoints have at most {MOST_RECORDS:,}")
    folder = found[0].filename.partition("/")[0]
    known: dict[str, Record] = {}
    for info in found:
        top, _, name = info.filename.partition("/")
        _check_name(info, name)
        if top != folder:
            raise RefusedError("its archive has two folders, which torch never writes")
        if name in known:
            raise RefusedError(f"its archive has two records named '{name}': which one counts cannot be told")
        if not _BELONGS.fullmatch(name):
            raise RefusedError(f"its archive holds '{name}', which has no place in a file of weights")
        known[name] = Record(_start(file, info), info.file_size, info.CRC)
    _check_places(known, end)
    _check_notes(file, known)
    return known


def _check_name(info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise RefusedError("its archive is encrypted; save it without a password")
    if info.compress_type != zipfile.ZIP_STORED:
        raise RefusedError(f"its archive is compressed ('{name}'), which hides its size; save it again by torch.save")
    if info.file_size != info.compress_size:
        raise ValueError(f"record '{name}' has two sizes")
    if _WRITES.search(info.filename):
        raise RefusedError(f"its archive has a record whose name leaves its folder ('{name}')")


def _start(file: IO[bytes], info: zipfile.ZipInfo) -> int:
    """Where the bytes of a record begin, by the words in front of them, which must say the same as the contents."""
    file.seek(info.header_offset)
    head = file.read(_LOCAL)
    if len(head) < _LOCAL or head[:4] != b"PK\x03\x04":
        raise ValueError(f"record '{info.filename}' is not where the contents say")
    name_length, more_length = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
    if file.read(name_length) != info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437"):
        raise ValueError(f"record '{info.filename}' has two names")
    return info.header_offset + _LOCAL + name_length + more_length


def _check_places(known: dict[str, Record], end: int) -> None:
    """Every record in front of the next one, the last one in front of the contents."""
    in_order = sorted(known.items(), key=lambda item: item[1].start)
    following = [record.start for _, record in in_order[1:]]
    for (name, record), limit in zip(in_order, [*following, end], strict=True):
        if record.start + record.size > limit:
            raise ValueError(f"record '{name}' has a size of {record.size:,} bytes, more than there are")


def _check_notes(file: IO[bytes], known: dict[str, Record]) -> None:
    if "data.pkl" not in known:
        raise RefusedError("a zip archive, but not a torch checkpoint (no data.pkl)")
    version = _word(file, known, "version")
    if not version.isdecimal() or int(version) < 1:
        raise ValueError("its version is missing")
    if int(version) > NEWEST_VERSION:
        raise RefusedError(f"written by a newer torch (archive version {int(version):,}); save it with an older one")
    if "byteorder" in known and _word(file, known, "byteorder") not in ("little", "big"):
        raise ValueError("its byte order is neither little nor big")


def _word(file: IO[bytes], known: dict[str, Record], name: str) -> str:
    record = known.get(name)
    if record is None or record.size > 16:
        return ""
    file.seek(record.start)
    return file.read(record.size).decode("ascii", "replace").strip()


def verify(file: IO[bytes], known: dict[str, Record]) -> None:
    """Read every record once and compare it with its checksum. Raises ValueError where they differ.

    An archive whose checksums are all 0 was written without them (torch.serialization.set_crc32_options).
    """
    if not any(record.checksum for record in known.values()):
        return
    for name, record in known.items():
        checksum = 0
        for part in _parts(file, record):
            checksum = zlib.crc32(part, checksum)
        if checksum != record.checksum:
            raise ValueError(f"record '{name}' has another checksum (CRC) than was written")


def _parts(file: IO[bytes], record: Record) -> Iterator[bytes]:
    file.seek(record.start)
    left = record.size
    while left:
        part = file.read(min(left, CHUNK))
        if not part:
            raise ValueError("it ends too early")
        left -= len(part)
        yield part
