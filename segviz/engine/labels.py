"""Labels of every pixel from logits on a grid, tile by tile: never classes x height x width.

A tile needs the logits of the few units that its pixels mix. Most of a thousand classes cannot win
there, and are left out without changing a single label. For nearest and bilinear upsampling every
value lies between those at the corners of the pieces on which it is bilinear: a class that another
beats at all corners is beaten everywhere. For the other kernels tiles are small against a cell, so
that each unit's weight lies in a narrow range, and with it the lead of one class over another.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segviz.core.choices import Upsampling
from segviz.core.direct import LabelMap, blank
from segviz.core.frames import Lattice
from segviz.core.requests import Progress
from segviz.core.resample import AxisTaps, axis_taps
from segviz.core.scores import softmax
from segviz.core.steps import Law

Floats = npt.NDArray[np.float32]
SIDE = 96  # of a tile, in pixels: the fewer units it mixes the fewer classes can win in it
PIECEWISE_LINEAR = (Upsampling.NEAREST, Upsampling.BILINEAR)  # from one change of the mixed units to the next
FEW = 32  # classes that are not worth sorting out


def interpolated(
    logits: Floats, lattice: Lattice, how: Upsampling, height: int, width: int
) -> Generator[Progress, None, LabelMap]:
    """The argmax of upsampled logits (classes, rows, columns) at every pixel of (height, width).

    Beyond the outermost cells the nearest labels go on, with confidence 0.
    """
    out = blank(len(logits), height, width)
    law_y, law_x = lattice.laws
    ys, xs = (
        _tiles(axis_taps(how, law, size, np.arange(pixels, dtype=np.float64)), how, len(logits), law.stride)
        for law, size, pixels in ((law_y, lattice.rows, height), (law_x, lattice.columns, width))
    )
    for number, y in enumerate(ys):
        for x in xs:
            place = np.s_[y.first : y.end, x.first : x.end]
            labels, confidence = _tile(logits[:, y.units, x.units], y, x)
            out.labels[place] = labels
            out.confidence[place] = confidence
        yield Progress(number + 1, len(ys), "rows of tiles")
    _doubt_beyond(out.confidence, law_y, lattice.rows)
    _doubt_beyond(out.confidence.T, law_x, lattice.columns)
    return out


def _doubt_beyond(confidence: npt.NDArray[np.uint8], law: Law, size: int) -> None:
    """No confidence in rows beyond the outermost cells: a network without padding answers for none of them."""
    above, below = math.ceil(law.at(-0.5)), math.floor(law.at(size - 0.5))
    confidence[: max(0, above)] = 0
    confidence[max(0, below + 1) :] = 0


@dataclass(frozen=True, eq=False)
class _Span:
    """Pixels first..end of one axis, the units that they mix, and how: (pixels, units).

    `knots` are the pixels, counted from the first, between which every value runs in a straight
    line; None where it does not.
    """

    first: int
    end: int
    units: slice
    mixing: Floats
    knots: npt.NDArray[np.intp] | None

    @property
    def range(self) -> tuple[Floats, Floats]:
        """The smallest and the largest weight of each unit."""
        return self.mixing.min(axis=0), self.mixing.max(axis=0)


def _tiles(taps: AxisTaps, how: Upsampling, classes: int, stride: float) -> list[_Span]:
    pixels, straight = len(taps.units), how in PIECEWISE_LINEAR
    # Where weights bend, only a small part of a cell has weights that are nearly the same.
    side = SIDE if straight or classes <= FEW else min(SIDE, max(8, round(stride / 4)))
    spans = []
    for first in range(0, pixels, side):
        end = min(first + side, pixels)
        units, weights = taps.units[first:end], taps.weights[first:end]
        low, high = int(units.min()), int(units.max()) + 1
        mixing = np.zeros((end - first, high - low), np.float32)
        rows = np.arange(end - first)
        for k in range(units.shape[1]):
            np.add.at(mixing, (rows, units[:, k] - low), weights[:, k])
        knots = _knots(units) if straight else None
        spans.append(_Span(first, end, slice(low, high), mixing, knots))
    return spans


def _knots(units: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """The first and the last pixel, and both pixels wherever other units begin to be mixed."""
    turns = np.flatnonzero((units[1:] != units[:-1]).any(axis=1))
    return np.unique(np.concatenate([[0, len(units) - 1], turns, turns + 1]))


def _tile(logits: Floats, y: _Span, x: _Span) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint8]]:
    able = _able_in(logits, y, x)
    winner = _mixed(logits[able], y.mixing, x.mixing).argmax(axis=-1)
    winners, at = np.unique(winner, return_inverse=True)
    chances = _mixed(softmax(logits)[able[winners]], y.mixing, x.mixing)
    chance = np.take_along_axis(chances, at.reshape(*winner.shape, 1), axis=-1)[..., 0]
    return able[winner], np.rint(np.clip(chance, 0, 1) * 255).astype(np.uint8)


def _able_in(logits: Floats, y: _Span, x: _Span) -> npt.NDArray[np.intp]:
    """Indices of the classes that can be the largest somewhere in a tile, in rising order."""
    if y.knots is not None and x.knots is not None:
        corners = _mixed(logits, y.mixing[y.knots], x.mixing[x.knots])  # of the pieces, (rows, columns, classes)
        return _unbeaten(corners.reshape(-1, len(logits)).T)
    if len(logits) <= FEW:
        return np.arange(len(logits))
    products = np.stack([np.multiply.outer(a, b).ravel() for a in y.range for b in x.range])
    return _unbeaten(logits.reshape(len(logits), -1), products.min(axis=0), products.max(axis=0))


def _unbeaten(values: Floats, low: Floats | None = None, high: Floats | None = None) -> npt.NDArray[np.intp]:
    """Classes of values (classes, points) that no other beats everywhere, in rising order.

    Without weights, on all points and so on everything between them; with them, in every sum of the
    points whose weights lie between `low` and `high`.
    """
    able = np.arange(len(values))
    for best in np.unique(values.argmax(axis=0)):
        lead = values[best] - values[able]
        if low is None or high is None:
            beaten = (lead > 0).all(axis=1)
        else:
            beaten = np.where(lead > 0, lead * low, lead * high).sum(axis=1) > 0
        able = able[~beaten | (able == best)]
    return able


def _mixed(maps: Floats, y: Floats, x: Floats) -> Floats:
    """Maps (classes, rows, columns) at pixels that mix them by `y` (H, rows) and `x` (W, columns): (H, W, classes)."""
    wide = x @ maps.transpose(1, 2, 0)  # (rows, W, classes)
    return (y @ wide.reshape(len(wide), -1)).reshape(len(y), len(x), -1)
