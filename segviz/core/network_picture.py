"""What is chosen in the picture of a network: a part of the State, free of arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from segviz.core.paddings import PaddingRule
from segviz.core.session_values import filled
from segviz.core.what_if import LARGEST, Edit

MOST_NAMES = 10_000  # blocks, or edited layers, in a session file


class Part(StrEnum):
    """What of a layer's window can be changed, as `Edit` names it."""

    KERNEL = "kernel"
    STRIDE = "stride"
    DILATION = "dilation"
    PADDING = "padding"

    @property
    def least(self) -> int:
        return 0 if self is Part.PADDING else 1


@dataclass(frozen=True, slots=True)
class NetworkPicture:
    """`toggled` are the blocks that are folded, or unfolded, otherwise than in the overview.

    `focus` is the block or the layer that fills the view; None: the whole network does. `edits` are layers that
    have other windows than in the real network, by their names.
    """

    toggled: frozenset[str] = frozenset()
    focus: str | None = None
    edits: tuple[tuple[str, Edit], ...] = ()


WHOLE = NetworkPicture()


def to_values(picture: NetworkPicture) -> dict[str, Any]:
    """As it stands in a session file."""
    edits = {layer: asdict(edit) for layer, edit in picture.edits}
    return {"toggled": sorted(picture.toggled), "focus": picture.focus, "edits": edits}


def from_values(values: Any) -> NetworkPicture:
    """Of a session file; what is not named keeps its default. Raises ValueError or TypeError for a bad value."""
    return filled(WHOLE, _READERS, values, "a picture of a network")


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no name of a layer")
    return value


def _names(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MOST_NAMES:
        raise ValueError("blocks are a list of names")
    return frozenset(_name(one) for one in value)


def _edits(value: Any) -> tuple[tuple[str, Edit], ...]:
    if not isinstance(value, Mapping) or len(value) > MOST_NAMES:
        raise ValueError("edits are windows by the names of layers")
    return tuple((_name(layer), _edit(window)) for layer, window in value.items())


def _edit(value: Any) -> Edit:
    if not isinstance(value, Mapping):
        raise TypeError(f"{value!r} is no window")
    sizes: dict[str, Any] = {part.value: _size(value[part.value], part) for part in Part if part.value in value}
    return Edit(**sizes)


def _size(value: Any, part: Part) -> tuple[int, int] | PaddingRule:
    return PaddingRule.SAME if part is Part.PADDING and value == PaddingRule.SAME else _pair(value, part.least)


def _pair(value: Any, least: int) -> tuple[int, int]:
    y, x = value
    for one in (y, x):
        if isinstance(one, bool) or not isinstance(one, int) or not least <= one <= LARGEST:
            raise ValueError(f"{one!r} is no size of a window")
    return y, x


_READERS: dict[str, Callable[[Any], Any]] = {
    "toggled": _names,
    "focus": lambda value: None if value is None else _name(value),
    "edits": _edits,
}
