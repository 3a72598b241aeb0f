"""One operation along one axis: which units below it needs, which of its units they reach, and where those sit.

Dumoulin and Visin 2016 (sections 2 and 4) give the arithmetic. A step maps an interval of its own
units backwards to the interval of the units below that it needs (`back`), an interval of the units
below forwards to its own units that they can change (`reach`), and carries positions up (`law`).
`reach` knows no border: its callers cut the interval to the grid.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Interval(NamedTuple):
    """Units lo to hi along one axis, both included."""

    lo: int
    hi: int

    def __or__(self, other: Interval) -> Interval:
        return Interval(min(self.lo, other.lo), max(self.hi, other.hi))

    def within(self, size: int) -> Interval | None:
        """The part on a grid of `size` units; None where there is none."""
        lo, hi = max(0, self.lo), min(size - 1, self.hi)
        return Interval(lo, hi) if lo <= hi else None


class Span(NamedTuple):
    """What is needed along one axis: `nominal` as the kernels reach, `real` as far as there are units.

    Units beyond a map's border are padding and come from no pixel, whatever pixel their kernel would
    reach (a crop below, or a row that a stride leaves over). The real interval ends the field inside
    the image, the nominal one says how far it reaches out of it.
    """

    nominal: Interval
    real: Interval | None

    @classmethod
    def of(cls, unit: int) -> Span:
        """One unit."""
        return cls(Interval(unit, unit), Interval(unit, unit))

    @classmethod
    def all(cls, size: int) -> Span:
        """All units of a grid."""
        return cls(Interval(0, size - 1), Interval(0, size - 1))

    def back(self, step: Step) -> Span:
        """What these units need. Between the windows of a transposed convolution some need nothing at all."""
        nominal, real = step.back(self.nominal), None if self.real is None else step.back(self.real)
        return Span(Interval(*sorted(nominal)), None if real is None or real.lo > real.hi else real)

    def fits(self, size: int) -> bool:
        """Whether some of it is real, and that lies on a grid of `size` units."""
        return self.real is not None and self.real.lo >= 0 and self.real.hi < size

    def on(self, size: int) -> Span:
        if self.real is None or self.fits(size):
            return self
        return Span(self.nominal, self.real and self.real.within(size))

    def joined(self, other: Span) -> Span:
        real = self.real or other.real
        if self.real is not None and other.real is not None:
            real = self.real | other.real
        return Span(self.nominal | other.nominal, real)

    def field(self, size: int) -> Interval:
        """The field on an image of `size` pixels: real inside, nominal outside."""
        if self.real is None:
            return self.nominal
        lo = self.nominal.lo if self.real.lo == 0 and self.nominal.lo < 0 else self.real.lo
        hi = self.nominal.hi if self.real.hi == size - 1 and self.nominal.hi >= size else self.real.hi
        return Interval(lo, hi)


class Law(NamedTuple):
    """Where unit u of a layer sits along one axis: `start + u * stride`, in input pixels."""

    start: float
    stride: float

    def at(self, unit: float) -> float:
        return self.start + unit * self.stride

    def nearest(self, position: float, size: int) -> int:
        """The unit of 0..size-1 nearest to `position`; ties go to the lower index."""
        unit = (position - self.start) / self.stride
        below = int(unit // 1)
        return max(0, min(size - 1, below + (unit - below > 0.5)))


@dataclass(frozen=True, slots=True)
class Window:
    """A kernel that slides: convolution, pooling, padding and cropping, and a dense layer as its own map's kernel."""

    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    before: int = 0  # padding in front of unit 0; negative: cropped there

    def back(self, units: Interval) -> Interval:
        first = units.lo * self.stride - self.before
        return Interval(first, units.hi * self.stride - self.before + self.dilation * (self.kernel - 1))

    def reach(self, units: Interval) -> Interval:
        first = units.lo + self.before - self.dilation * (self.kernel - 1)
        return Interval(-(-first // self.stride), (units.hi + self.before) // self.stride)

    def law(self, below: Law) -> Law:
        middle = self.dilation * (self.kernel - 1) / 2 - self.before
        return Law(below.start + below.stride * middle, below.stride * self.stride)


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Zeros before and after `size` units, so that a convolution answers ceil(size / stride) of them.

    This is TensorFlow's SAME rule: where the total is odd the larger half comes after. The padding
    depends on the size of the input once stride > 1, and moves the grid of units with it.
    """
    total = max(0, (-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size)
    return total // 2, total - total // 2


@dataclass(frozen=True, slots=True)
class Transposed:
    """A transposed convolution: output o takes input i where o = i * stride - padding + dilation * j."""

    kernel: int
    stride: int = 1
    dilation: int = 1
    padding: int = 0

    def back(self, units: Interval) -> Interval:
        reach = self.dilation * (self.kernel - 1)
        first = -((reach - units.lo - self.padding) // self.stride)
        last = (units.hi + self.padding) // self.stride
        return Interval(first, last) if self._is_met(units) else Interval(last + 1, last)

    def _is_met(self, units: Interval) -> bool:
        """Whether any of these units takes one below: with a wide stride, or taps far apart, some take none."""
        if units.hi - units.lo + 1 >= self.stride:
            return True
        taken = range(0, self.dilation * self.kernel, self.dilation)
        places = range(units.lo + self.padding, units.hi + self.padding + 1)
        return any((place - tap) % self.stride == 0 for place in places for tap in taken)

    def reach(self, units: Interval) -> Interval:
        first = units.lo * self.stride - self.padding
        return Interval(first, units.hi * self.stride - self.padding + self.dilation * (self.kernel - 1))

    def law(self, below: Law) -> Law:
        middle = self.padding - self.dilation * (self.kernel - 1) / 2
        return Law(below.start + below.stride * middle / self.stride, below.stride / self.stride)


class Taps(StrEnum):
    """Which input units an interpolated unit mixes."""

    NEAREST = "nearest"
    CENTRE = "nearest-exact"  # torch's word: the unit nearest to the centre, where 'nearest' counts from the corner
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    AREA = "area"  # adaptive pooling


@dataclass(frozen=True, slots=True)
class Resize:
    """Interpolation or adaptive pooling from `size_in` to `size_out` units.

    `factor` is the size_out / size_in that was asked for, None where sizes were: torch rounds the size down and
    goes on with the factor. Aligned corners and adaptive pooling know sizes alone.
    """

    taps: Taps
    size_in: int
    size_out: int
    align_corners: bool = False
    factor: float | None = None

    @property
    def ratio(self) -> float:
        """Units below for one of its own."""
        if self.align_corners:
            return (self.size_in - 1) / max(1, self.size_out - 1)
        return self.size_in / self.size_out if self._fits else 1 / (self.factor or 1)

    @property
    def _fits(self) -> bool:
        """Whether the sizes say how units lie: torch goes by them too where a size stays, or doubles for nearest."""
        if self.factor is None or self.size_in * self.factor == self.size_out:
            return True
        if self.taps is Taps.NEAREST:
            return self.size_out in (self.size_in, 2 * self.size_in)
        return self.size_out == self.size_in and self.taps is Taps.BILINEAR

    def back(self, units: Interval) -> Interval:
        lo, hi = self._taps(units.lo)[0], self._taps(units.hi)[1]
        return Interval(self._on_map(lo), self._on_map(hi))

    def reach(self, units: Interval) -> Interval:
        mine = range(self.size_out)
        first = bisect_left(mine, units.lo, key=lambda unit: self._on_map(self._around(unit)[1]))
        last = bisect_right(mine, units.hi, key=lambda unit: self._on_map(self._around(unit)[0]))
        return Interval(first, last - 1)

    def _on_map(self, unit: int) -> int:
        return max(0, min(self.size_in - 1, unit))

    def _taps(self, unit: int) -> tuple[int, int]:
        if self.taps is Taps.AREA:
            return unit * self.size_in // self.size_out, -(-(unit + 1) * self.size_in // self.size_out) - 1
        if self.taps is Taps.NEAREST:
            at = self._nearest(unit)
            return at, at
        if self.taps is Taps.CENTRE:
            at = math.floor(_single((unit + 0.5) * self._single_ratio))
            return at, at
        floor, whole = self._place(unit)
        if self.taps is Taps.BICUBIC and not whole:
            return floor - 1, floor + 2
        return floor, floor if whole else floor + 1

    def _around(self, unit: int) -> tuple[int, int]:
        """As `_taps`, but never smaller for a later unit: a bicubic unit that lies on one below has one tap of four."""
        if self.taps is not Taps.BICUBIC:
            return self._taps(unit)
        floor, _ = self._place(unit)
        return floor - 1, floor + 2

    def _nearest(self, unit: int) -> int:
        """torch counts in float32, which falls below a whole number now and then, unless the size stays or doubles."""
        if self.size_out in (self.size_in, 2 * self.size_in):
            return unit * self.size_in // self.size_out
        return math.floor(_single(unit * self._single_ratio))

    @property
    def _single_ratio(self) -> float:
        return _single(self.size_in / self.size_out if self.factor is None else 1 / self.factor)

    def _place(self, unit: int) -> tuple[int, bool]:
        """The unit below at or before the place where `unit` lies, and whether it lies right on it."""
        if self.align_corners:
            over, under = unit * (self.size_in - 1), max(1, self.size_out - 1)
        elif self._fits:
            over, under = (2 * unit + 1) * self.size_in - self.size_out, 2 * self.size_out
        else:
            place = (unit + 0.5) * self.ratio - 0.5
            return math.floor(place), place.is_integer()
        return over // under, over % under == 0

    def law(self, below: Law) -> Law:
        if self.align_corners and self.taps is not Taps.AREA:
            return Law(below.start, below.stride * self.ratio)
        return Law(below.start + below.stride * (self.ratio - 1) / 2, below.stride * self.ratio)


def _single(number: float) -> float:
    """The number as float32 has it; without numpy, which is too heavy for what menus need."""
    found: float = struct.unpack("f", struct.pack("f", number))[0]
    return found


@dataclass(frozen=True, slots=True)
class Mirror:
    """Padding with a map's own units, reflected about its first and last of `size` or repeating them.

    `before` units are in front of the first and `after` behind the last; negative: cut off there.
    """

    size: int
    before: int
    after: int
    repeats: bool = False

    def source(self, unit: int) -> int:
        """The unit below that `unit` shows."""
        below, top = unit - self.before, self.size - 1
        if self.repeats:
            return max(0, min(top, below))
        return top - abs(top - abs(below))

    def back(self, units: Interval) -> Interval:
        shown = [self.source(unit) for unit in range(units.lo, units.hi + 1)]
        return Interval(min(shown), max(shown))

    def reach(self, units: Interval) -> Interval:
        first, last, top = units.lo + self.before, units.hi + self.before, self.size - 1
        if self.repeats:
            in_front, behind = units.lo == 0, units.hi == top
            return Interval(0 if in_front else first, last + self.after if behind else last)
        if units.lo <= self.before and units.hi > 0:  # unit k is shown k in front of the first
            first = min(first, self.before - min(self.before, units.hi))
        if units.hi >= top - self.after and units.lo < top:
            last = max(last, self.before + top + min(self.after, top - units.lo))
        return Interval(first, last)

    def law(self, below: Law) -> Law:
        return Law(below.start - below.stride * self.before, below.stride)


Step = Window | Transposed | Resize | Mirror
IDENTITY = Window()  # unit u needs unit u: activations, normalisation, sums
