"""Convolutions in plain numbers: patch times weights, unrolled matrix, two layers as one, pooling (lecture T02 to T06).

Maps are (C, rows, columns), a kernel is (C, k, l). As in every deep-learning library a convolution does not turn its
kernel: output (r, c) is the sum of w(c, y, x) I(c, r + y, c + x) (Dumoulin and Visin 2016, section 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from segviz.core.convolution_lab import Preset
from segviz.core.errors import SegvizError
from segviz.core.steps import Interval, Window

Map = npt.NDArray[np.floating[Any]]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

GREY = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601

_FIXED: dict[Preset, tuple[tuple[float, ...], ...]] = {
    Preset.SHARPEN: ((0, -1, 0), (-1, 5, -1), (0, -1, 0)),
    Preset.SOBEL_X: ((-1, 0, 1), (-2, 0, 2), (-1, 0, 1)),
    Preset.SOBEL_Y: ((-1, -2, -1), (0, 0, 0), (1, 2, 1)),
    Preset.LAPLACIAN: ((0, 1, 0), (1, -4, 1), (0, 1, 0)),
    Preset.EMBOSS: ((-2, -1, 0), (-1, 1, 1), (0, 1, 2)),
    Preset.IDENTITY: ((0, 0, 0), (0, 1, 0), (0, 0, 0)),
    Preset.BLUR: ((1 / 9,) * 3,) * 3,
}


def kernel_rows(preset: Preset, edited: tuple[tuple[float, ...], ...] = ()) -> tuple[tuple[float, ...], ...]:
    """The numbers of a preset, or of the `edited` kernel: at first the identity."""
    if preset is Preset.EDITED:
        return edited or _FIXED[Preset.IDENTITY]
    return _FIXED[preset]


def resized_rows(rows: tuple[tuple[float, ...], ...], width: int) -> tuple[tuple[float, ...], ...]:
    """The same kernel with rows and columns cut off, or zeros put, at its right bottom and then its left top."""
    lost = len(rows) - width
    top = max(0, lost) // 2
    out = np.zeros((width, width))
    kept = np.asarray(rows)[top : top + width, top : top + width]
    at = max(0, -lost) // 2
    out[at : at + len(kept), at : at + len(kept)] = kept
    return tuple(tuple(float(number) for number in row) for row in out)


def grey(pixels: npt.NDArray[np.uint8]) -> Map:
    """Whole grey levels 0 to 255, float64 (H, W), of pixels (H, W, 3)."""
    return np.asarray(np.rint(pixels[..., :3].astype(np.float64) @ np.asarray(GREY)))


# ------------------------------------------------------------------------------ a kernel that slides


@dataclass(frozen=True, eq=False)
class Sliding:
    """A convolution over maps that hold all that its outputs see, padding included.

    `maps` (C, h, w) have zeros where `real` (h, w) says that the input ends. Outputs lie `stride` (y, x) units apart,
    the taps of the kernel (C, k, l) `dilation` (y, x) units.
    """

    maps: Map
    real: Flags
    kernel: Map
    bias: float = 0.0
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)

    @classmethod
    def over(cls, plane: Map, kernel: Map, stride: int = 1, padding: int = 0, dilation: int = 1) -> Sliding:
        """Over one whole map (rows, columns) with zeros around it. Raises SegvizError where the kernel does not fit."""
        maps = np.pad(plane[None].astype(np.float64), ((0, 0), (padding, padding), (padding, padding)))
        real = np.pad(np.ones(plane.shape, bool), padding)
        span = dilation * (len(kernel) - 1) + 1
        if span > min(real.shape):
            raise SegvizError(
                f"the kernel reaches over {span} units and the padded map has {min(real.shape)}: "
                "make the kernel, its dilation or its padding fit"
            )
        return cls(maps, real, kernel[None].astype(np.float64), 0.0, (stride, stride), (dilation, dilation))

    @property
    def windows(self) -> tuple[Window, Window]:
        """Along y and x, as `core/steps` has them, without padding: it is part of the maps here."""
        y, x = (
            Window(size, stride, dilation)
            for size, stride, dilation in zip(self.kernel.shape[1:], self.stride, self.dilation, strict=True)
        )
        return y, x

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the outputs."""
        rows, columns = (
            (side - window.back(Interval(0, 0)).hi - 1) // window.stride + 1
            for side, window in zip(self.real.shape, self.windows, strict=True)
        )
        return rows, columns

    @property
    def positions(self) -> int:
        return self.size[0] * self.size[1]

    def place(self, position: int) -> tuple[int, int]:
        """(row, column) of the output at a position of the kernel, row by row."""
        return divmod(position, self.size[1])

    def span(self, row: int, column: int) -> tuple[int, int, int, int]:
        """(row, column, rows, columns) of the maps that an output reaches over."""
        y, x = (window.back(Interval(at, at)) for at, window in zip((row, column), self.windows, strict=True))
        return y.lo, x.lo, y.hi - y.lo + 1, x.hi - x.lo + 1

    def taps(self, row: int, column: int) -> tuple[tuple[int, int], ...]:
        """(row, column) of the maps under each weight, where dilation leaves some of the span out."""
        top, left, tall, wide = self.span(row, column)
        down, across = self.dilation
        return tuple((y, x) for y in range(top, top + tall, down) for x in range(left, left + wide, across))

    def patch(self, row: int, column: int) -> Map:
        """What the weights of an output meet: (C, k, l)."""
        top, left, tall, wide = self.span(row, column)
        down, across = self.dilation
        return np.asarray(self.maps[:, top : top + tall : down, left : left + wide : across])

    def products(self, row: int, column: int) -> Map:
        """Patch times weights, float64 (C, k, l)."""
        return np.asarray(self.patch(row, column).astype(np.float64) * self.kernel)

    def sum(self, row: int, column: int) -> float:
        """The output: all products, and the bias."""
        return float(self.products(row, column).sum()) + self.bias

    def output(self) -> Map:
        """All outputs, float64 (rows, columns)."""
        rows, columns = self.size
        out = np.full((rows, columns), self.bias)
        (down, across), (step_y, step_x) = self.dilation, self.stride
        for y in range(self.kernel.shape[1]):
            for x in range(self.kernel.shape[2]):
                top, left = y * down, x * across
                seen = self.maps[:, top : top + (rows - 1) * step_y + 1 : step_y]
                seen = seen[:, :, left : left + (columns - 1) * step_x + 1 : step_x]
                out += np.tensordot(self.kernel[:, y, x].astype(np.float64), seen, axes=1)
        return out


@dataclass(frozen=True, slots=True)
class Share:
    """What one input map adds to a sum: its number among the kernel's, its own sum, and all of those until it."""

    channel: int
    value: float
    so_far: float


def shares(products: Map, bias: float = 0.0) -> tuple[Share, ...]:
    """The sums of each input map's products (C, k, l), the largest of absolute value first, beginning with the bias."""
    sums = products.sum((1, 2))
    order = np.argsort(-np.abs(sums), kind="stable")
    running = bias + np.cumsum(sums[order])
    return tuple(Share(int(at), float(sums[at]), float(total)) for at, total in zip(order, running, strict=True))


# -------------------------------------------------------------------------------- the unrolled matrix


@dataclass(frozen=True, eq=False)
class Unrolled:
    """A convolution as a dense layer: output = `values` @ the image as a vector, row by row (lecture T04).

    `values` is (outputs, inputs); `weights` the number of the weight at each entry, row by row of the kernel from 1
    on, 0 where there is none. `outputs` and `inputs` are (rows, columns).
    """

    values: Map
    weights: Counts
    outputs: tuple[int, int]
    inputs: tuple[int, int]

    @property
    def entries(self) -> int:
        return int(self.values.size)

    @property
    def used(self) -> int:
        """Entries that a position of the kernel falls on; the others are zero whatever the kernel is."""
        return int(np.count_nonzero(self.weights))

    @property
    def distinct(self) -> int:
        """Positions of the kernel that the rows share: weights of their own, though some may be equal numbers."""
        return len(np.unique(self.weights[self.weights > 0]))

    def patch(self, row: int) -> tuple[tuple[int, int], ...]:
        """(row, column) of the image that an output takes."""
        return tuple(divmod(int(at), self.inputs[1]) for at in np.flatnonzero(self.weights[row]))

    def place(self, row: int) -> tuple[int, int]:
        """(row, column) of the output that a row of the matrix makes."""
        return divmod(row, self.outputs[1])

    def output(self, plane: Map) -> Map:
        """The image (rows, columns) times the matrix, as a map."""
        return np.asarray((self.values @ plane.reshape(-1)).reshape(self.outputs))


def unrolled(side: int, kernel: Map, stride: int = 1, padding: int = 0, dilation: int = 1) -> Unrolled:
    """The matrix of the convolution of a `side` x `side` image. Raises SegvizError where the kernel does not fit."""
    numbers = np.arange(side * side, dtype=np.float64).reshape(side, side)
    sliding = Sliding.over(numbers, kernel, stride, padding, dilation)
    rows, columns = sliding.size
    weights = np.zeros((rows * columns, side * side), np.int64)
    for position in range(sliding.positions):
        taps = sliding.taps(*sliding.place(position))
        for number, (y, x) in enumerate(taps):
            if sliding.real[y, x]:
                weights[position, (y - padding) * side + x - padding] = number + 1
    values = np.concatenate([[0.0], kernel.reshape(-1)])[weights]
    return Unrolled(values, weights, (rows, columns), (side, side))


# -------------------------------------------------------------------------------- two layers, pooling


def composed(first: Map, second: Map) -> Map:
    """The one kernel (k + l - 1 along each axis) that does what `first` and then `second` do (lecture T05)."""
    (tall, wide), (high, broad) = first.shape, second.shape
    out = np.zeros((tall + high - 1, wide + broad - 1))
    for y in range(high):
        for x in range(broad):
            out[y : y + tall, x : x + wide] += second[y, x] * first
    return out


def relu(values: Map) -> Map:
    """max(0, x)."""
    return np.maximum(values, 0)


@dataclass(frozen=True, eq=False)
class Pooling:
    """A map after pooling, and how often each of its samples is taken: for a maximum by the windows it wins."""

    values: Map  # (rows, columns)
    taken: Counts  # of the map before

    @property
    def survivors(self) -> int:
        """Samples that are the maximum of a window."""
        return int(np.count_nonzero(self.taken))


def pooled(plane: Map, window: int, stride: int, average: bool = False) -> Pooling:
    """Max or average pooling of a map (rows, columns) without padding, overhanging windows left out (lecture T06).

    Of equal values the first counts, row by row, as in torch. Raises SegvizError for a map smaller than the window.
    """
    if min(plane.shape) < window:
        raise SegvizError(
            f"a window of {window} x {window} does not fit into {plane.shape[0]} x {plane.shape[1]} units"
        )
    rows, columns = ((side - window) // stride + 1 for side in plane.shape)
    values, taken = np.empty((rows, columns)), np.zeros(plane.shape, np.int64)
    for row in range(rows):
        for column in range(columns):
            top, left = row * stride, column * stride
            part = plane[top : top + window, left : left + window]
            if average:
                values[row, column] = part.mean()
                taken[top : top + window, left : left + window] += 1
                continue
            y, x = divmod(int(part.argmax()), window)
            values[row, column] = part[y, x]
            taken[top + y, left + x] += 1
    return Pooling(values, taken)
