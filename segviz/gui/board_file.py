"""The files of drawings: in the cache folder, beside the pasted pictures, each written whole or not at all."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QImage, QImageWriter

from segviz.core import folders
from segviz.core.errors import SegvizError
from segviz.gui import names

if TYPE_CHECKING:
    from segviz.core.images import Picture

TRIES, PAUSE = 10, 0.02  # to replace a file that is being read: how often, seconds between
QUICK = 80  # of Qt's 0 to 100 for PNG: little compression, since a drawing is written many times a second


def folder() -> Path:
    """Where drawings are kept."""
    return folders.cache() / "boards"


@dataclass
class _Written:
    """The number of the newest state in one file; who holds the lock writes it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    number: int = 0


class Filing:
    """Writes the states of drawings from any thread. In no file an older state replaces a newer one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # of the table alone: nobody holds it while a file is written
        self._files: dict[Path, _Written] = {}
        self._asked = 0

    def number(self) -> int:
        """For the state as it is now; to be asked for in the window's thread."""
        self._asked += 1
        return self._asked

    def keep(self, number: int, image: QImage, file: Path) -> Picture | None:
        """Write a state and return it as its file will be read; None if a newer one is there already.

        Waits for another state of the same file, and for no other file. Raises SegvizError where it
        cannot be written.
        """
        with self._lock:
            written = self._files.setdefault(file, _Written())
        with written.lock:
            if number < written.number:
                return None
            grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
            _write(grey, file)
            written.number = number
        return picture_of(grey, str(file))


def _write(image: QImage, file: Path) -> None:
    """In one step, so that the engine never reads half a drawing; not flushed to the disk ten times a second."""
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        writer = QImageWriter(str(part), b"png")
        writer.setQuality(QUICK)
        if not writer.write(image):
            raise SegvizError(f"The drawing cannot be kept in {file.parent}: is the disk full?")
        _replace(part, file)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SegvizError(f"The drawing cannot be kept in {file.parent}: {error}") from error


def _replace(part: Path, file: Path) -> None:
    """Put it in place. Windows does not let go of a file that the engine is reading: that lasts a moment."""
    for _ in range(TRIES - 1):
        try:
            part.replace(file)
            return
        except PermissionError:
            time.sleep(PAUSE)
    part.replace(file)


def picture_of(grey: QImage, path: str) -> Picture:
    """A drawing of a byte a pixel as what reading its file gives."""
    import numpy as np

    from segviz.core.images import Picture

    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    pixels = np.repeat(rows[:, : grey.width(), None], 3, axis=2)
    pixels.flags.writeable = False
    return Picture(path, pixels, "grey")


def image_of(picture: Picture) -> QImage:
    """A picture of a drawing's file as an image of its own."""
    pixels, width, height = picture.pixels, picture.width, picture.height
    return QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def kept_copy(path: str, folder: Path) -> str:
    """A copy of a drawing in `folder`, that of a session file, which it travels with: the drawing itself goes on.

    Raises OSError where it cannot be made.
    """
    file = Path(path)
    content = file.read_bytes()
    state = hashlib.sha256(content).hexdigest()[:8]
    copy = folder / names.board_file(names.board_size(path) or (0, 0), file.name, state)
    if not copy.is_file():
        copy.write_bytes(content)
    return str(copy)
