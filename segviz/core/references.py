"""What 'module:name' stands for, in tables that must not import what they name."""

from __future__ import annotations

import importlib
from typing import Any


def load(reference: str) -> Any:
    """The function or class that 'module:name' names; imports the module."""
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)
