"""Where the system wants a program to keep what it remembers: the only module that asks for it.

Both processes must mean the same folders. On Windows a folder of the author would lie between
unless `appauthor` is False, so nobody else spells these calls out.
"""

from __future__ import annotations

from pathlib import Path

import platformdirs

NAME = "segviz"


def logs() -> Path:
    return platformdirs.user_log_path(NAME, appauthor=False)


def settings() -> Path:
    return platformdirs.user_config_path(NAME, appauthor=False)


def cache() -> Path:
    return platformdirs.user_cache_path(NAME, appauthor=False)


def data() -> Path:
    """What a person would miss: a cache may be emptied at any time."""
    return platformdirs.user_data_path(NAME, appauthor=False)
