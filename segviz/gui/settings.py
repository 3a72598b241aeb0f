"""Where the window keeps what it remembers: layout, theme, recent files. Nothing else is stored."""

from __future__ import annotations

from PySide6.QtCore import QSettings

from segviz.core import folders
from segviz.core.choices import Theme

LONGEST_RECENT = 12


def settings() -> QSettings:
    """The settings file, in the place that the system has for it."""
    return QSettings(str(folders.settings() / "window.ini"), QSettings.Format.IniFormat)


def recent() -> tuple[str, ...]:
    """Files opened lately, newest first."""
    stored = settings().value("recent")
    if isinstance(stored, str):
        stored = [stored]
    return tuple(str(path) for path in stored or ())[:LONGEST_RECENT]


def add_recent(path: str) -> None:
    """Put `path` in front of the recent files."""
    paths = (path, *(other for other in recent() if other != path))[:LONGEST_RECENT]
    settings().setValue("recent", list(paths))


def folded(section: str) -> bool:
    """Whether a section of a panel was folded away."""
    return settings().value(f"folded/{section}") in (True, "true")


def set_folded(section: str, folded: bool) -> None:
    settings().setValue(f"folded/{section}", folded)


def folder() -> str:
    """Where the last file dialog ended; empty before there was one."""
    return str(settings().value("folder") or "")


def set_folder(path: str) -> None:
    settings().setValue("folder", path)


def clear_recent() -> None:
    settings().remove("recent")


def glides() -> bool:
    """Whether the picture of a network glides from place to place instead of jumping."""
    return settings().value("glides") not in (False, "false")


def set_glides(wanted: bool) -> None:
    settings().setValue("glides", wanted)


def theme() -> Theme:
    stored = settings().value("theme")
    return Theme(stored) if stored in list(Theme) else Theme.SYSTEM


def set_theme(wanted: Theme) -> None:
    settings().setValue("theme", wanted.value)
