"""Qt's images into files and arrays. Loads no numpy before it is asked for one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QFile, QIODevice
from PySide6.QtGui import QImage, QImageWriter

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def save_png(image: QImage, path: Path) -> Path:
    """Save `image` as PNG, whole or not at all. May run in any thread.

    Raises SegvizError that says why it cannot be saved: Qt only answers no, and would leave what it
    has written of the picture in the place of the old one.
    """
    from segviz.core import export

    return export.replace_file(path, lambda part: _write_png(image, part))


def _write_png(image: QImage, path: Path) -> None:
    """Raises OSError with what the system said, where it said anything."""
    file = QFile(str(path))
    if not file.open(QIODevice.OpenModeFlag.WriteOnly):
        raise OSError(file.errorString())
    writer = QImageWriter(file, b"png")
    done = writer.write(image) and file.flush()  # the end of the file may still wait to be written
    why = file.errorString() if file.error() != QFile.FileError.NoError else writer.errorString()
    file.close()
    if not done:
        raise OSError(why)


def to_array(image: QImage) -> npt.NDArray[np.uint8]:
    """An image as RGB bytes (H, W, 3)."""
    import numpy as np

    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    return rows[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3).copy()
