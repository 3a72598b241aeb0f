"""What is there, for paths that may come from anywhere: a session file, the settings, a drop.

`Path.is_file` raises for what no system could hold (a name of 300 letters) and for what this person
may not look into. Here the answer to all of that is no.
"""

from __future__ import annotations

import os
from pathlib import Path

from segviz.core.formats import IMAGE_SUFFIXES


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether `path` leads to a regular file; False also where the question itself fails."""
    return os.path.isfile(path)  # noqa: PTH113  it catches OSError and ValueError, pathlib does not


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether something is at `path` that is neither a file nor a folder: a pipe, a device."""
    return os.path.exists(path) and not is_file(path) and not is_folder(path)  # noqa: PTH110  it catches, too


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether `path` leads to a folder; False also where the question itself fails."""
    return os.path.isdir(path)  # noqa: PTH112


def images_in(folder: Path) -> list[Path]:
    """The images of a folder, by name without regard to case. Raises OSError where it cannot be read."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES]
    return sorted(found, key=lambda path: path.name.lower())
