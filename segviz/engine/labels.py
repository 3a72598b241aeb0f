"""Labels of every pixel from logits on a grid, tile by tile: never classes x height x width.

A tile needs the logits of the few units that its pixels mix. Most of a thousand classes cannot win
there: an upsampled value lies between the smallest and the largest logit that it mixes (a little
beyond them for a kernel with negative weights), so that every class whose upper bound stays below
another's lower bound is left out, without changing a single label.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from segviz.core.choices import Upsampling
from segviz.core.field import Lattice
from segviz.core.requests import Progress
from segviz.core.resample import AxisTaps, axis_taps
from segviz.core.scores import softmax

Floats = npt.NDArray[np.float32]
SIDE = 96  # of a tile, in pixels: the fewer units it mixes the fewer classes can win in it
EPSILON = 1e-6  # of float32 weights that sum to one


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Labels (H, W) as uint8, or uint16 above 256 classes, and the probability of each, 255 for 1."""

    labels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    confidence: npt.NDArray[np.uint8]


def blank(classes: int, height: int, width: int) -> LabelMap:
    kind = np.uint8 if classes <= 256 else np.uint16
    return LabelMap(np.zeros((height, width), kind), np.zeros((height, width), np.uint8))


def interpolated(
    logits: Floats, lattice: Lattice, how: Upsampling, height: int, width: int
) -> Generator[Progress, None, LabelMap]:
    """The argmax of upsampled logits (classes, rows, columns) at every pixel of (height, width)."""
    out = blank(len(logits), height, width)
    law_y, law_x = lattice.laws
    ys = _tiles(axis_taps(how, law_y, lattice.rows, np.arange(height, dtype=np.float64)))
    xs = _tiles(axis_taps(how, law_x, lattice.columns, np.arange(width, dtype=np.float64)))
    for number, y in enumerate(ys):
        for x in xs:
            place = np.s_[y.first : y.end, x.first : x.end]
            labels, confidence = _tile(logits[:, y.units, x.units], y, x)
            out.labels[place] = labels
            out.confidence[place] = confidence
        yield Progress(number + 1, len(ys), "rows of tiles")
    return out


@dataclass(frozen=True, eq=False)
class _Span:
    """Pixels first..end of one axis, the units that they mix, and how: (pixels, units)."""

    first: int
    end: int
    units: slice
    mixing: Floats

    @property
    def bare(self) -> bool:
        """Whether some pixel mixes nothing: beyond the reach of a transposed convolution."""
        return not self.mixing.any(axis=1).all()

    @property
    def overshoot(self) -> float:
        """The largest sum of absolute weights of a pixel."""
        return float(np.abs(self.mixing).sum(axis=1).max())


def _tiles(taps: AxisTaps) -> list[_Span]:
    pixels = len(taps.units)
    spans = []
    for first in range(0, pixels, SIDE):
        end = min(first + SIDE, pixels)
        units, weights = taps.units[first:end], taps.weights[first:end]
        low, high = int(units.min()), int(units.max()) + 1
        mixing = np.zeros((end - first, high - low), np.float32)
        rows = np.arange(end - first)
        for k in range(units.shape[1]):
            np.add.at(mixing, (rows, units[:, k] - low), weights[:, k])
        spans.append(_Span(first, end, slice(low, high), mixing))
    return spans


def _tile(logits: Floats, y: _Span, x: _Span) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint8]]:
    able = _able(logits, (y.overshoot * x.overshoot - 1) / 2)
    if y.bare or x.bare:  # there all classes are equal and the first wins, not the first of those that this tile needs
        able = np.union1d(able, 0)
    winner = _mixed(logits[able], y, x).argmax(axis=-1)
    chances = _mixed(softmax(logits)[able], y, x)
    chance = np.take_along_axis(chances, winner[..., None], axis=-1)[..., 0]
    return able[winner], np.rint(np.clip(chance, 0, 1) * 255).astype(np.uint8)


def _able(logits: Floats, beyond: float) -> npt.NDArray[np.intp]:
    """Indices of the classes that can be the largest anywhere in a tile, in rising order.

    `beyond` is how far, in spreads of a class's own values, a kernel with negative weights leaves them.
    """
    units = logits.reshape(len(logits), -1)
    low, high = units.min(axis=1), units.max(axis=1)
    spread = max(beyond, 0.0) * (high - low)
    able = np.flatnonzero(high + spread >= (low - spread).max())
    if beyond > EPSILON:
        return able
    for best in np.unique(units.argmax(axis=0)):  # beaten at every unit is beaten everywhere between them
        able = able[~(units[best] > units[able]).all(axis=1)]
    return able


def _mixed(maps: Floats, y: _Span, x: _Span) -> Floats:
    """Maps (classes, rows, columns) at the pixels of a tile, classes last: (H, W, classes)."""
    wide = x.mixing @ maps.transpose(1, 2, 0)  # (rows, W, classes)
    tall = y.mixing @ wide.reshape(len(wide), -1)
    return tall.reshape(len(y.mixing), len(x.mixing), -1)


Edges = list[tuple[int, int]]


def direct(logits: Floats, rows: Edges, columns: Edges, height: int, width: int) -> Generator[Progress, None, LabelMap]:
    """Every unit's label given to its whole receptive field (lecture T20); where fields overlap, the surest wins.

    `rows` are (top, bottom) of the fields of each row of the grid, `columns` (left, right) of each
    column, in pixels clipped to (height, width).
    """
    out = blank(len(logits), height, width)
    flat = logits.reshape(len(logits), -1)
    winner = flat.argmax(axis=0)
    chances = np.rint(np.take_along_axis(softmax(flat), winner[None], axis=0)[0] * 255).astype(np.uint8)
    order = np.argsort(chances, kind="stable")
    for number, unit in enumerate(order.tolist()):
        row, column = divmod(unit, len(columns))
        place = np.s_[slice(*rows[row]), slice(*columns[column])]
        out.labels[place] = winner[unit]
        out.confidence[place] = chances[unit]
        if number % 4096 == 0:
            yield Progress(number, len(order), "units")
    return out


def shares(label_map: LabelMap, classes: int) -> tuple[tuple[int, float], ...]:
    """(class index, share of the pixels) of every class that has any, largest first."""
    counts = np.bincount(label_map.labels.ravel(), minlength=classes)
    order = np.argsort(-counts, kind="stable")
    total = max(1, int(counts.sum()))
    return tuple((int(i), float(counts[i]) / total) for i in order if counts[i])
