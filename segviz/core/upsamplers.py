"""A small map made larger in every way that the lecture names, in plain numbers (lecture T24).

A map is (rows, columns); `factor` is how many times as large it becomes. Unit u of an axis has the pixels
factor u to factor (u + 1) - 1, its position is their middle. Nearest, bilinear and bicubic are the tables of
`core/resample`, which also paint labels and heatmaps. A transposed convolution is computed twice: by adding
a kernel for every unit, and as a convolution over the map with zeros inserted, which is its other name.

Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 4; unpooling with
switches: Zeiler and Fergus 2014; checkerboards: Odena et al. 2016.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from segviz.core import resample
from segviz.core.choices import Upsampling
from segviz.core.errors import SegvizError
from segviz.core.frames import Lattice

Map = npt.NDArray[np.floating[Any]]
Counts = npt.NDArray[np.int64]


# ------------------------------------------------------------------------------ interpolation


def lattice_of(rows: int, columns: int, factor: int) -> Lattice:
    """Where the units of a map sit among its pixels: each in the middle of its own factor x factor."""
    middle = (factor - 1) / 2
    return Lattice(rows, columns, (middle, middle), (factor, factor))


def interpolated(plane: Map, factor: int, how: Upsampling) -> Map:
    """`plane` (rows, columns) as `core/resample` upsamples it: (factor rows, factor columns), float32."""
    rows, columns = plane.shape
    taken = plane.astype(np.float32)
    return resample.upsample(taken, lattice_of(rows, columns, factor), how, rows * factor, columns * factor)


def bed_of_nails(plane: Map, factor: int) -> Map:
    """Each value at the first pixel of its unit, zeros on all others: (factor rows, factor columns)."""
    out = np.zeros((plane.shape[0] * factor, plane.shape[1] * factor), plane.dtype)
    out[::factor, ::factor] = plane
    return out


# ------------------------------------------------------------------------ transposed convolution


def bilinear_kernel(factor: int, odd: bool = False) -> Map:
    """The kernel (k, k) that upsamples bilinearly: k is 2 factor, or 2 factor - 1 where it is `odd`.

    Along a row for factor 2: 0.25 0.75 0.75 0.25. The kernel of even width sums to factor squared, so that a
    constant stays what it is.
    """
    width = 2 * factor - odd
    row = 1 - np.abs(np.arange(width) - (width - 1) / 2) / factor
    return np.outer(row, row)


def uneven_kernel(factor: int) -> Map:
    """A constant kernel (k, k) whose width the stride does not divide: outputs get different numbers of products.

    k is 3, 6, 12 for the factors 2, 4, 8. It sums to factor squared, as the bilinear kernel does.
    """
    width = factor + max(1, factor // 2)
    return np.full((width, width), (factor / width) ** 2)


def cut(kernel: int, factor: int) -> int:
    """Rows that are cut off at the top, so that of a transposed convolution the middle is left, factor a unit."""
    return (kernel - factor) // 2


def transposed(plane: Map, kernel: Map, factor: int) -> Map:
    """The transposed convolution of a map with a kernel (k, k), by its definition: a kernel added for every unit.

    (factor rows, factor columns), the middle of the whole; the type of `plane`. Raises SegvizError for a
    kernel that does not reach all pixels of a unit.
    """
    size = _wide(plane, factor)
    return np.asarray(transposed_maps(plane[None], kernel[None, None], factor, _middle(kernel, factor), size)[0])


def transposed_maps(maps: Map, kernel: Map, stride: int, corner: tuple[int, int], size: tuple[int, int]) -> Map:
    """The transposed convolution of maps (in, rows, columns) with a kernel (in, out, k, l), of any layer.

    (out, *size), from `corner` (y, x) of the whole on, which has (rows - 1) stride + k rows; zeros behind its
    end. The same as torch's conv_transpose2d with that kernel, stride, and what lies outside cropped.
    """
    ins, rows, columns = maps.shape
    _, outs, tall, wide = kernel.shape
    down, across = -(-tall // stride), -(-wide // stride)  # units whose kernels reach a pixel, along each axis
    top, left = corner[0] // stride, corner[1] // stride  # in blocks of stride x stride, as far as they are asked for
    deep = max(0, min(rows + down - 1, -(-(corner[0] + size[0]) // stride)) - top)
    broad = max(0, min(columns + across - 1, -(-(corner[1] + size[1]) // stride)) - left)
    padded = np.pad(maps, ((0, 0), (down - 1, down - 1), (across - 1, across - 1)))
    reaching = np.zeros((ins, down * across, deep, broad), maps.dtype)  # the unit of each tap, for every block
    for tap in range(down * across):
        y, x = top + down - 1 - tap // across, left + across - 1 - tap % across
        reaching[:, tap] = padded[:, y : y + deep, x : x + broad]
    taps = np.zeros((ins, outs, down * stride, across * stride), maps.dtype)
    taps[:, :, :tall, :wide] = kernel
    taps = taps.reshape(ins, outs, down, stride, across, stride).transpose(0, 1, 3, 5, 2, 4)
    if ins == outs and _is_apart(kernel):
        own = taps[range(ins), range(ins)].reshape(ins, stride**2, -1)
        blocks = own @ reaching.reshape(ins, down * across, -1)
    else:
        mixing = taps.transpose(1, 2, 3, 0, 4, 5).reshape(outs * stride**2, -1)
        blocks = mixing @ reaching.reshape(ins * down * across, -1)
    whole = blocks.reshape(outs, stride, stride, deep, broad).transpose(0, 3, 1, 4, 2)
    whole = whole.reshape(outs, deep * stride, broad * stride)
    out = np.zeros((outs, *size), maps.dtype)
    y, x = corner[0] - top * stride, corner[1] - left * stride
    found = whole[:, y : y + size[0], x : x + size[1]]
    out[:, : found.shape[1], : found.shape[2]] = found
    return out


def _is_apart(kernel: Map) -> bool:
    """Whether each output map takes of the input map of its own number alone."""
    return not kernel[~np.eye(len(kernel), dtype=bool)].any()


def _middle(kernel: Map, factor: int) -> tuple[int, int]:
    if min(kernel.shape) < factor:
        raise SegvizError(
            f"a kernel of {kernel.shape[1]} x {kernel.shape[0]} leaves pixels without a value when it upsamples "
            f"{factor} times: make it at least {factor} x {factor}"
        )
    return cut(kernel.shape[0], factor), cut(kernel.shape[1], factor)


def _wide(plane: Map, factor: int) -> tuple[int, int]:
    return plane.shape[0] * factor, plane.shape[1] * factor


def overlaps(rows: int, columns: int, kernel: tuple[int, int], factor: int) -> Counts:
    """How many units' kernels reach each output (factor rows, factor columns): even, or a checkerboard."""
    counted = transposed(np.ones((rows, columns)), np.ones(kernel), factor)
    return np.rint(counted).astype(np.int64)


# ------------------------------------------------------------------------------ zero insertion


def zero_inserted(plane: Map, factor: int) -> Map:
    """The map with factor - 1 zeros between neighbours: ((rows - 1) factor + 1, (columns - 1) factor + 1)."""
    rows, columns = plane.shape
    out = np.zeros(((rows - 1) * factor + 1, (columns - 1) * factor + 1), plane.dtype)
    out[::factor, ::factor] = plane
    return out


@dataclass(frozen=True, eq=False)
class Insertion:
    """A transposed convolution as a convolution: the map with zeros inserted and around it, and the kernel turned.

    Output (y, x) is the sum of `padded[y : y + k, x : x + l] * turned`; there are `size` of them.
    """

    padded: Map
    turned: Map
    size: tuple[int, int]
    border: tuple[int, int]  # zeros above and to the left

    @classmethod
    def of(cls, plane: Map, kernel: Map, factor: int) -> Insertion:
        """Of the same outputs as `transposed` gives. Raises SegvizError as it does."""
        inserted, (tall, wide) = zero_inserted(plane, factor), kernel.shape
        top, left = (side - 1 - first for side, first in zip((tall, wide), _middle(kernel, factor), strict=True))
        size = _wide(plane, factor)
        padded = np.zeros((size[0] + tall - 1, size[1] + wide - 1), plane.dtype)
        there = inserted[: padded.shape[0] - top, : padded.shape[1] - left]
        padded[top : top + there.shape[0], left : left + there.shape[1]] = there
        return cls(padded, kernel[::-1, ::-1].astype(plane.dtype), size, (top, left))

    @property
    def positions(self) -> int:
        return self.size[0] * self.size[1]

    def place(self, position: int) -> tuple[int, int]:
        """(row, column) of the output that the kernel makes at its `position`, row by row."""
        return divmod(position, self.size[1])

    def products(self, position: int) -> Map:
        """What the kernel multiplies at a position: (k, l); their sum is the output."""
        y, x = self.place(position)
        tall, wide = self.turned.shape
        return np.asarray(self.padded[y : y + tall, x : x + wide] * self.turned)

    def outputs(self) -> Iterator[float]:
        """All outputs in the order of their positions."""
        return (float(self.products(position).sum()) for position in range(self.positions))

    def output(self) -> Map:
        """The whole result (factor rows, factor columns)."""
        return np.fromiter(self.outputs(), self.padded.dtype, self.positions).reshape(self.size)


# ----------------------------------------------------------------------------------- unpooling


@dataclass(frozen=True, eq=False)
class Pooled:
    """A map after max pooling, and its switches: where in the map each maximum was, (row, column)."""

    values: Map  # (rows, columns)
    switches: Counts  # (rows, columns, 2)
    shape: tuple[int, int]  # of the map before

    @property
    def survivors(self) -> npt.NDArray[np.bool_]:
        """Which samples of the map survive, bool of its shape: one a window."""
        kept = np.zeros(self.shape, bool)
        kept[self.switches[..., 0], self.switches[..., 1]] = True
        return kept

    def unpooled(self) -> Map:
        """Each value back at its switch, zeros elsewhere: the shape of the map before."""
        out = np.zeros(self.shape, self.values.dtype)
        out[self.switches[..., 0], self.switches[..., 1]] = self.values
        return out


def max_pooled(plane: Map, window: int) -> Pooled:
    """Max pooling in windows of `window` x `window` side by side; the last ones may be smaller (ceil mode).

    Of equal values the first counts, row by row, as in torch.
    """
    rows, columns = (-(-side // window) for side in plane.shape)
    values = np.empty((rows, columns), plane.dtype)
    switches = np.empty((rows, columns, 2), np.int64)
    for row in range(rows):
        for column in range(columns):
            top, left = row * window, column * window
            part = plane[top : top + window, left : left + window]
            y, x = divmod(int(part.argmax()), part.shape[1])
            values[row, column] = part[y, x]
            switches[row, column] = top + y, left + x
    return Pooled(values, switches, (plane.shape[0], plane.shape[1]))


# ---------------------------------------------------------------------------------- comparison


@dataclass(frozen=True, eq=False)
class MapDifference:
    """The first of two results less the second, with the largest and the mean of its absolute values."""

    values: Map
    maximum: float
    mean: float


def difference(first: Map, second: Map) -> MapDifference:
    """Results of one size, or of sizes of which the larger is a multiple: then each value counts for all its pixels."""
    size = tuple(max(sides) for sides in zip(first.shape, second.shape, strict=True))
    one, other = (_spread(values.astype(np.float64), size) for values in (first, second))
    values = one - other
    return MapDifference(values, float(np.abs(values).max()), float(np.abs(values).mean()))


def _spread(values: Map, size: tuple[int, ...]) -> Map:
    rows, columns = (wanted // side for wanted, side in zip(size, values.shape, strict=True))
    return values.repeat(rows, 0).repeat(columns, 1)
