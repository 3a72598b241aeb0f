"""What each path of a network with skips adds to the score of a class: asked for and answered.

Where a network ends in additions behind which all is linear, as FCNs do (Long, Shelhamer and Darrell 2015, section
4.2), a logit is the sum of what each summand makes of it, and of the biases behind them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from segviz.core.field import Geometry
from segviz.core.field_paths import FieldPath, levels_through

if TYPE_CHECKING:
    from segviz.core.requests import Setup


@dataclass(frozen=True, slots=True)
class ContributionRequest:
    """The parts of the logit of class `index` at unit (row, column) of the network's answer."""

    setup: Setup
    row: int
    column: int
    index: int


@dataclass(frozen=True, slots=True)
class Contribution:
    """One part. `layer` ends the summand's own way, as `core/field_paths` names paths; its maps are those of `node`."""

    layer: str
    node: int
    value: float


@dataclass(frozen=True, slots=True)
class ContributionAnswer:
    """Answer to ContributionRequest: `parts` and `bias` together are the `logit`, up to rounding.

    The deepest part is first. Where the network has no such form `refusal` says why, and there are no parts.
    """

    request: ContributionRequest
    parts: tuple[Contribution, ...]
    bias: float
    logit: float
    seconds: float
    refusal: str = ""
    notes: tuple[str, ...] = ()


def of_paths(answer: ContributionAnswer, geometry: Geometry, found: Sequence[FieldPath]) -> tuple[float, ...]:
    """What each of the unit's paths adds to the logit, in their order: the sum of the parts that are its alone.

    () where there are no parts, and where one is of several paths, which have met before they are added.
    """
    added = [0.0] * len(found)
    for part in answer.parts:
        levels = levels_through(geometry, "last", part.node)
        at = next((at for at, path in enumerate(found) if levels <= path.levels), None)
        if at is None:
            return ()
        added[at] += part.value
    return tuple(added) if answer.parts else ()
