"""What each path of a network with skips adds to the score of a class: asked for and answered.

Where a network ends in additions behind which all is linear, as FCNs do (Long, Shelhamer and Darrell 2015, section
4.2), a logit is the sum of what each summand makes of it, and of the biases behind them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """One part. `layer` ends the summand's own way, and names the path as `core/field_paths` does."""

    layer: str
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
