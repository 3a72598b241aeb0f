"""What is chosen in the picture of a network: a part of the State, free of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

MOST_TOGGLED = 10_000  # blocks in a session file


@dataclass(frozen=True, slots=True)
class NetworkPicture:
    """`toggled` are the blocks that are folded, or unfolded, otherwise than in the overview.

    `focus` is the block or the layer that fills the view; None: the whole network does.
    """

    toggled: frozenset[str] = frozenset()
    focus: str | None = None


WHOLE = NetworkPicture()


def to_values(picture: NetworkPicture) -> dict[str, Any]:
    """As it stands in a session file."""
    return {"toggled": sorted(picture.toggled), "focus": picture.focus}


def from_values(values: Any) -> NetworkPicture:
    """Of a session file; what is not named keeps its default. Raises ValueError or TypeError for a bad value."""
    if not isinstance(values, Mapping):
        raise TypeError(f"not a picture of a network: {values!r}")
    known = {field.name for field in fields(NetworkPicture)}
    return replace(WHOLE, **{name: _READERS[name](value) for name, value in values.items() if name in known})


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no name of a layer")
    return value


def _names(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MOST_TOGGLED:
        raise ValueError("blocks are a list of names")
    return frozenset(_name(one) for one in value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "toggled": _names,
    "focus": lambda value: None if value is None else _name(value),
}
