"""What is chosen in the upsampling laboratory: a part of the State, free of arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from segviz.core.choices import Choice
from segviz.core.session_values import filled, flag, one_of

FACTORS = (2, 4, 8)
SIDES = (4, 6, 8)  # units of the neighbourhood along each axis
LARGEST_KERNEL = 8  # of one that is edited by hand
LARGEST_NUMBER = 1e6  # in it


class Page(Choice):
    """The pages of the laboratory (lecture T20, T22 to T26)."""

    WAYS = "ways", "Ways", "a small map through every way of upsampling, side by side"
    INSERTION = "insertion", "Zero insertion", "a transposed convolution as a convolution over inserted zeros"
    SKIPS = "skips", "Skips", "FCN-32s, 16s and 8s side by side; fade the skip connections in and out"
    DEPTHS = "depths", "Depths", "what each depth of an FCN says alone"
    DIRECT = "direct", "Direct", "a label for the whole receptive field against one for its central pixel"
    SHIFTS = "shifts", "Shift and stitch", "the coarse maps of all shifts interleave, pass by pass"


class Source(Choice):
    """Which map the neighbourhood is cut from."""

    CLASS = "class", "Class", "the logits of the class that is shown"
    FEATURE = "feature", "Feature map", "the feature map of the pinned unit"


class Way(Choice):
    """Ways to make a map larger (lecture T24)."""

    NEAREST = "nearest", "Nearest", "every pixel of a unit takes its value"
    NAILS = "nails", "Bed of nails", "the value at the first pixel of its unit, zeros elsewhere"
    BILINEAR = "bilinear", "Bilinear", "linear between the four units around a pixel"
    BICUBIC = "bicubic", "Bicubic", "cubic through sixteen units; it overshoots at edges"
    TRANSPOSED = "transposed", "Transposed", "a kernel added for every unit, its sums where kernels overlap"
    UNPOOLED = "unpooled", "Max-unpooling", "the map is pooled, and its maxima are put back where they were"


class Kernel(Choice):
    """The kernel of the transposed convolution."""

    BILINEAR = "bilinear", "Bilinear", "twice as wide as the factor: upsamples bilinearly"
    LEARNED = "learned", "Learned", "of the layer of the network that upsamples as many times"
    UNEVEN = "uneven", "Checkerboard", "constant, of a width that the factor does not divide"
    EDITED = "edited", "Edited", "your own numbers"


@dataclass(frozen=True, slots=True)
class Laboratory:
    """What the upsampling tab shows. `fades` are the weights of the skips of pool4 and pool3, 0 to 1.

    `edited` are the rows of the kernel of one's own; empty: not edited yet. `first` and `second` are compared.
    `image` shows the photograph in place of the laboratory.
    """

    page: Page = Page.WAYS
    source: Source = Source.CLASS
    side: int = 4
    factor: int = 2
    kernel: Kernel = Kernel.BILINEAR
    edited: tuple[tuple[float, ...], ...] = ()
    first: Way = Way.BILINEAR
    second: Way = Way.TRANSPOSED
    fades: tuple[float, float] = (1.0, 1.0)
    image: bool = False


USUAL = Laboratory()


def to_values(laboratory: Laboratory) -> dict[str, Any]:
    """As it stands in a session file."""
    return asdict(laboratory)


def from_values(values: Any) -> Laboratory:
    """Of a session file; what is not named keeps its default. Raises ValueError or TypeError for a bad value."""
    return filled(USUAL, _READERS, values, "a laboratory")


def _share(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not 0 <= number <= 1:
        raise ValueError(f"{value!r} is no share from 0 to 1")
    return number


def _fades(value: Any) -> tuple[float, float]:
    first, second = value
    return _share(first), _share(second)


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not isfinite(number) or abs(number) > LARGEST_NUMBER:
        raise ValueError(f"{value!r} is no number for a kernel")
    return number


def kernel(value: Any) -> tuple[tuple[float, ...], ...]:
    """A square of numbers, of a session file. Raises ValueError or TypeError for anything else."""
    rows = tuple(tuple(_number(number) for number in row) for row in value)
    if len(rows) > LARGEST_KERNEL or any(len(row) != len(rows) for row in rows):
        raise ValueError(f"a kernel has as many rows as columns, at most {LARGEST_KERNEL}")
    return rows


_READERS: dict[str, Callable[[Any], Any]] = {
    "page": Page,
    "source": Source,
    "side": one_of(SIDES),
    "factor": one_of(FACTORS),
    "kernel": Kernel,
    "edited": kernel,
    "first": Way,
    "second": Way,
    "fades": _fades,
    "image": flag,
}
