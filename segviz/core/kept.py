"""What is kept for a comparison: how a result was made, so that it can be made again, for any image."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from segviz.core.choices import Device, Method, Pooling, Upsampling
from segviz.core.refinement import COLOUR, SMOOTHNESS, WIDTH

MOST = 8  # results that are kept


@dataclass(frozen=True, slots=True)
class Kept:
    """One result by description: fields of a State under their own names, and what a person calls it, '' for nothing.

    The image is not among them: what is compared is made of the image that is shown.
    """

    model: str
    method: Method = Method.AUTO
    upsampling: Upsampling = Upsampling.BILINEAR
    pooling: Pooling = Pooling.AUTO
    scale: float | None = None
    grid_stride: int | None = None
    device: Device = Device.AUTO
    fast: bool = False
    refine: bool = False
    refine_width: float = WIDTH
    refine_colour: float = COLOUR
    refine_smoothness: float = SMOOTHNESS
    name: str = ""

    @property
    def changes(self) -> dict[str, Any]:
        """What of a State makes this result, as changes."""
        return {name: getattr(self, name) for name in FIELDS}

    @classmethod
    def of(cls, state: Any) -> Kept:
        """How the result of `state` is made."""
        return cls(**{name: getattr(state, name) for name in FIELDS})


FIELDS = tuple(field.name for field in fields(Kept) if field.name != "name")
