"""Readers of what stands in a session file: each raises ValueError or TypeError for what it does not take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

Part = TypeVar("Part")


def filled(usual: Part, readers: Mapping[str, Callable[[Any], Any]], values: Any, what: str) -> Part:
    """A part of the State (a dataclass) with `values`, each as its reader takes it; what is not named is as in `usual`.

    `what` says in an error what they should have been.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"not {what}: {values!r}")
    read = {name: readers[name](value) for name, value in values.items() if name in readers}
    return replace(usual, **read)  # type: ignore[type-var]


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def one_of(allowed: tuple[int, ...]) -> Callable[[Any], int]:
    """A reader that takes these numbers alone."""

    def read(value: Any) -> int:
        if isinstance(value, bool) or value not in allowed:
            raise ValueError(f"{value!r} is none of {allowed}")
        return int(value)

    return read
