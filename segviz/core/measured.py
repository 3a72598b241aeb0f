"""The field of a unit as gradients measure it: asked for, answered, and held against the box from integers.

What is measured is a lower bound: a pixel whose gradient is not zero does change the unit, others may, too. ReLUs that
are off, maxima elsewhere and whatever a network computes outside torch lose some.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from segviz.core.field import Box, Field, Status
from segviz.core.frames import Frame

if TYPE_CHECKING:
    from segviz.core.requests import Setup


class By(StrEnum):
    """Whose gradients they are."""

    POSITIVE = "gradients of its connections, all weights positive"
    OWN = "gradients of the network at work on this image"
    NOISE = "gradients of the network at work on noise"
    BOTH = "gradients of its connections, all weights positive, and of the network at work"


class Verdict(StrEnum):
    """What was measured, beside the box from integers as far as that lies in the image."""

    EQUAL = "equal"
    CONTAINED = "contained"
    WHOLE = "contained in the whole image"
    DIFFERS = "differs"
    NONE = "no gradient"


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """The field of a unit, measured through the running network; `converted` and `input_size` as to describe it."""

    setup: Setup
    layer: str
    row: int
    column: int
    converted: bool = True
    input_size: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class MeasuredField:
    """Answer to MeasureRequest: `box` in pixels of the network's input, None where no gradient comes to any pixel.

    `refusal` is why gradients could not be followed at all; '' where they were.
    """

    request: MeasureRequest
    layer: str
    box: Box | None
    by: By
    frame: Frame
    seconds: float
    notes: tuple[str, ...] = ()
    refusal: str = ""

    def field(self, known: Field) -> Field:
        """The field to be shown in place of one that is `known` as far as it is."""
        if self.box is None:
            return replace(known, reason=f"{known.reason}; {self.refusal or 'no gradient comes to any pixel'}")
        return Field(self.box, Status.MEASURED, f"{self.by}, since {known.reason}")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was measured against what was counted; `differs` names the sides that it reaches beyond."""

    verdict: Verdict
    differs: str = ""


def compared(field: Field, seen: Box | None, width: int, height: int) -> Comparison:
    """Hold the box that was `seen` on an input of `height` x `width` pixels against a field from integers."""
    box = field.box.clipped(width, height)
    if min(box.width, box.height) <= 0:
        return Comparison(Verdict.EQUAL) if seen is None else Comparison(Verdict.DIFFERS, "it sees pixels, not padding")
    if seen is None:
        return Comparison(Verdict.NONE)
    if seen == box:
        return Comparison(Verdict.EQUAL)
    beyond = {
        "left": box.left - seen.left,
        "top": box.top - seen.top,
        "right": seen.right - box.right,
        "bottom": seen.bottom - box.bottom,
    }
    further = [f"{by:g} px further {side}" for side, by in beyond.items() if by > 0]
    if not further:
        return Comparison(Verdict.CONTAINED)
    return Comparison(Verdict.WHOLE if field.status is Status.WHOLE else Verdict.DIFFERS, ", ".join(further))
