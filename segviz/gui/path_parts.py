"""What stands in the rows of the paths to a unit: what each adds to its score, else how large its field is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from segviz.gui import words
from segviz.gui.scene import Scene
from segviz.gui.sighting import Path, contributions
from segviz.gui.widgets.bars import Bar

COMING = "…"
LEAST = 1e-6  # of the largest part: a smaller bias is rounding


@dataclass(frozen=True, slots=True)
class PathParts:
    """The rows, and the numbers of their bars, none where no sum is known; `matched`: the first rows are the paths."""

    bars: tuple[Bar, ...]
    values: tuple[float, ...]
    matched: bool


def path_parts(scene: Scene, found: Sequence[Path], neutral: str, coming: bool = False) -> PathParts:
    """The rows of the paths `found`; `neutral` (#rrggbb) is the colour of the bias. Loads numpy."""
    from segviz.gui.sight_layers import path_colours

    answer, added = scene.shown_contributions, contributions(scene)
    named = [(path.name, colour) for path, colour in zip(found, path_colours(scene, len(found)), strict=True)]
    values = list(added)
    if answer is not None and not added:  # paths have met: the parts have names of their own
        named = [(part.layer, "") for part in answer.parts] or named
        values = [part.value for part in answer.parts]
    if values and answer is not None and abs(answer.bias) > LEAST * max(map(abs, values)):
        named, values = [*named, ("bias", neutral)], [*values, answer.bias]
    told = [_signed(value) for value in values] or [COMING if coming else _size(path) for path in found]
    lengths = [abs(value) for value in values] or [0.0 if coming else path.box.width for path in found]
    most = max(*lengths, 1e-9)
    bars = tuple(
        Bar(name, length / most, text, at, colour)
        for at, ((name, colour), length, text) in enumerate(zip(named, lengths, told, strict=True))
    )
    return PathParts(bars, tuple(values), bool(added))


def _signed(number: float) -> str:
    return f"+{words.value(number)}" if number > 0 else words.value(number)


def _size(path: Path) -> str:
    wide, high = words.length(path.box.width), words.length(path.box.height)
    return wide if wide == high else words.size(path.box.width, path.box.height)
