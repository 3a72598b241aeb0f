"""What is shown of receptive fields: a part of the State, free of arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any

from segviz.core.session_values import filled, flag

SMALLEST_SIDE, LARGEST_SIDE = 1, 4096  # of the square, in image pixels


@dataclass(frozen=True, slots=True)
class Sight:
    """How the field of the pinned unit is shown, and what else is asked about what units see.

    `paths`: a box for each path of a network with skips. `filmstrip`: what the unit's forerunners see, from layer to
    layer. `projective`: the units of the layer that the pixel at the cursor can change. `square` is the left top
    corner, in pixel edges of the image, of a grey square that occludes a part of it, `side` its side in image pixels.
    As long as that is not `chosen` by a person, it follows the image.
    """

    paths: bool = True
    filmstrip: bool = False
    projective: bool = False
    square: tuple[float, float] | None = None
    side: int = 32
    chosen: bool = False


USUAL = Sight()


def to_values(sight: Sight) -> dict[str, Any]:
    """As it stands in a session file."""
    return asdict(sight)


def from_values(values: Any) -> Sight:
    """Of a session file; what is not named keeps its default. Raises ValueError or TypeError for a bad value."""
    found = filled(USUAL, _READERS, values, "a view of receptive fields")
    # Files of before `chosen` have another side than the usual one only where somebody chose it.
    return found if "chosen" in values or found.side == USUAL.side else replace(found, chosen=True)


def _point(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    x, y = (float(number) for number in value)
    if not isfinite(x) or not isfinite(y):
        raise ValueError(f"{value!r} is no place in an image")
    return x, y


def _side(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not SMALLEST_SIDE <= value <= LARGEST_SIDE:
        raise ValueError(f"{value!r} is no side of a square: {SMALLEST_SIDE} to {LARGEST_SIDE} pixels")
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "paths": flag,
    "filmstrip": flag,
    "projective": flag,
    "square": _point,
    "side": _side,
    "chosen": flag,
}
