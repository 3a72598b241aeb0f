"""From a scene to the small map and its results: pure functions of arrays. Loads numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from segviz.core import upsamplers
from segviz.core.choices import Upsampling
from segviz.core.depths import LearnedKernel
from segviz.core.errors import SegvizError
from segviz.core.frames import Lattice
from segviz.core.laboratory import LARGEST_KERNEL, Kernel, Laboratory, Source, Way
from segviz.core.upsamplers import MapDifference, Pooled
from segviz.gui.identity import Same
from segviz.gui.scene import Scene

Map = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """Units of a map about one of them: `values` from (`top`, `left`) on, of the `whole` map at `lattice`.

    `channel` is the map's number, `name` what it is called, `key` what it all depends on.
    """

    values: Map
    top: int
    left: int
    whole: Map
    lattice: Lattice
    channel: int
    name: str
    key: object

    def pixel(self, fy: float, fx: float) -> tuple[float, float]:
        """Where a share of the neighbourhood's height and width is in the image, (x, y)."""
        rows, columns = self.values.shape
        y, x = self.lattice.laws
        return x.at(self.left - 0.5 + fx * columns), y.at(self.top - 0.5 + fy * rows)

    def share(self, x: float, y: float) -> tuple[float, float] | None:
        """The share (fy, fx) at which a pixel of the image lies in it; None outside."""
        rows, columns = self.values.shape
        law_y, law_x = self.lattice.laws
        fy = ((y - law_y.start) / law_y.stride + 0.5 - self.top) / rows
        fx = ((x - law_x.start) / law_x.stride + 0.5 - self.left) / columns
        return (fy, fx) if 0 <= fy < 1 and 0 <= fx < 1 else None


def neighbourhood(scene: Scene) -> Neighbourhood | None:
    """The units about the pinned place, else about the map's largest value; None before there is a map."""
    found = _SOURCES[scene.state.upsampling_lab.source](scene)
    if found is None:
        return None
    plane, lattice, channel, name, at, owner = found
    whole = np.nan_to_num(plane.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    rows, columns = (min(scene.state.upsampling_lab.side, size) for size in whole.shape)
    row, column = at if at is not None else divmod(int(whole.argmax()), whole.shape[1])
    top = max(0, min(whole.shape[0] - rows, row - rows // 2))
    left = max(0, min(whole.shape[1] - columns, column - columns // 2))
    values = whole[top : top + rows, left : left + columns]
    return Neighbourhood(
        values, top, left, whole, lattice, channel, name, (Same(owner), channel, top, left, rows, columns)
    )


Found = tuple[Map, Lattice, int, str, tuple[int, int] | None, object]


def _of_class(scene: Scene) -> Found | None:
    prediction, index = scene.prediction, scene.shown_class
    if prediction is None or index is None or scene.before is not None:
        return None
    cursor = scene.state.cursor
    at = prediction.lattice.cell_at(*cursor) if cursor is not None else None
    return prediction.logits[index], prediction.lattice, index, prediction.classes[index], at, prediction


def _of_feature(scene: Scene) -> Found | None:
    features, network, unit = scene.shown_features, scene.known, scene.state.unit
    if features is None or network is None or network.layer(features.layer) is None:
        return None
    maps, rows, columns = features.values.shape
    channel = unit.channel if unit is not None and unit.channel < maps else 0
    at = (unit.row, unit.column) if unit is not None and unit.row < rows and unit.column < columns else None
    lattice = network.frame.lattice(rows, columns, *network.geometry.laws(features.layer))
    return features.values[channel], lattice, channel, f"{features.layer}, map {channel}", at, features


_SOURCES: dict[Source, Callable[[Scene], Found | None]] = {Source.CLASS: _of_class, Source.FEATURE: _of_feature}


# -------------------------------------------------------------------------------------- kernels


def learned_kernel(kernels: Sequence[LearnedKernel], factor: int, channel: int) -> tuple[Map | None, str]:
    """The network's own kernel that upsamples `factor` times, for a map; and what is to be said of it."""
    fitting = [kernel for kernel in kernels if kernel.factor == factor]
    if not fitting:
        others = sorted({kernel.factor for kernel in kernels})
        if not others:
            return None, "the network has no transposed convolution to learn one"
        return None, f"no layer upsamples {factor} times, but {' and '.join(f'{other} times' for other in others)}"
    found = fitting[0]
    index = channel if channel < len(found.kernels) else 0
    mixes = ", without the other maps that it mixes" if found.mixes else ""
    return found.kernels[index].astype(np.float64), f"{found.layer}, map {index}{mixes}"


def kernel_of(laboratory: Laboratory, kernels: Sequence[LearnedKernel], channel: int) -> tuple[Map | None, str]:
    """The kernel of the transposed convolution, and what is to be said of it; None where there is none of the kind."""
    factor = laboratory.factor
    if laboratory.kernel is Kernel.LEARNED:
        return learned_kernel(kernels, factor, channel)
    if laboratory.kernel is Kernel.EDITED:
        edited = np.asarray(edited_rows(laboratory))
        if len(edited) < factor:
            return None, f"a kernel of {len(edited)} × {len(edited)} is too small for {factor} times"
        return edited, f"edited, sum {edited.sum():.4g}"
    if laboratory.kernel is Kernel.UNEVEN:
        made = upsamplers.uneven_kernel(factor)
        return made, f"{len(made)} wide, stride {factor} does not divide it"
    made = upsamplers.bilinear_kernel(factor)
    return made, f"{len(made)} wide, sum {made.sum():.4g}"


def edited_rows(laboratory: Laboratory) -> tuple[tuple[float, ...], ...]:
    """The numbers of the kernel of one's own: at first the bilinear ones, or ones where those have no room."""
    if laboratory.edited:
        return laboratory.edited
    return starting_rows(laboratory.factor, min(LARGEST_KERNEL, 2 * laboratory.factor))


def starting_rows(factor: int, width: int) -> tuple[tuple[float, ...], ...]:
    """The kernel of `width` to begin with: bilinear where it is twice as wide as the factor, else constant."""
    even = np.full((width, width), round((factor / width) ** 2, 4))
    made = upsamplers.bilinear_kernel(factor) if width == 2 * factor else even
    return tuple(tuple(float(number) for number in row) for row in made)


# -------------------------------------------------------------------------------------- results


@dataclass(frozen=True, eq=False)
class Result:
    """What a way made of the map. `kernel` and `overlap` are None where there are none; `note` says what is special."""

    values: Map
    kernel: Map | None
    overlap: npt.NDArray[np.int64] | None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Results:
    """All ways; one that cannot be taken is missing, `missing` says why. `pooled` is what unpooling began with."""

    near: Neighbourhood
    by_way: dict[Way, Result]
    missing: dict[Way, str]
    pooled: Pooled
    difference: MapDifference | None

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value of map and results, which one scale bar stands for."""
        every = [self.near.values, *(result.values for result in self.by_way.values())]
        low, high = min(float(one.min()) for one in every), max(float(one.max()) for one in every)
        return (low, high) if high > low else (low, low + 1)


def results(near: Neighbourhood, laboratory: Laboratory, kernels: Sequence[LearnedKernel]) -> Results:
    """The map through every way, and the difference of the two that are compared."""
    plane, factor = near.values, laboratory.factor
    found = {way: _interpolation(plane, factor, how) for way, how in INTERPOLATIONS.items()}
    nails = np.zeros((factor, factor))
    nails[0, 0] = 1
    found[Way.NAILS] = _result(upsamplers.bed_of_nails(plane, factor), nails, plane.shape, factor)
    kernel, said = kernel_of(laboratory, kernels, near.channel)
    missing: dict[Way, str] = {}
    if kernel is None:
        missing[Way.TRANSPOSED] = said
    else:
        try:
            found[Way.TRANSPOSED] = _result(
                upsamplers.transposed(plane, kernel, factor), kernel, plane.shape, factor, said
            )
        except SegvizError as error:
            missing[Way.TRANSPOSED] = str(error)
    window = min(factor, *plane.shape)
    pooled = upsamplers.max_pooled(plane, window)
    kept = int(pooled.survivors.sum())
    said = f"{window} × {window} windows, {kept} of {plane.size} back"
    found[Way.UNPOOLED] = Result(pooled.unpooled(), None, None, said)
    pair = [found.get(way) for way in (laboratory.first, laboratory.second)]
    compared = None if None in pair else upsamplers.difference(pair[0].values, pair[1].values)  # type: ignore[union-attr]
    return Results(near, {way: found[way] for way in Way if way in found}, missing, pooled, compared)


INTERPOLATIONS = {
    Way.NEAREST: Upsampling.NEAREST,
    Way.BILINEAR: Upsampling.BILINEAR,
    Way.BICUBIC: Upsampling.BICUBIC,
}


def _interpolation(plane: Map, factor: int, how: Upsampling) -> Result:
    values = upsamplers.interpolated(plane, factor, how).astype(np.float64)
    return _result(values, response(how, factor), plane.shape, factor)


def response(how: Upsampling, factor: int) -> Map:
    """The kernel that an interpolation amounts to: what it makes of a single 1, without the zeros around it."""
    single = np.zeros((7, 7))
    single[3, 3] = 1
    wide = upsamplers.interpolated(single, factor, how).astype(np.float64)
    there = np.flatnonzero(np.abs(wide).max(axis=1) > 1e-9)
    return wide[there[0] : there[-1] + 1, there[0] : there[-1] + 1]


def _result(values: Map, kernel: Map, shape: tuple[int, ...], factor: int, note: str = "") -> Result:
    reached = upsamplers.transposed(np.ones(shape), (kernel != 0).astype(np.float64), factor)
    counts = np.rint(reached).astype(np.int64)
    low, high = int(counts.min()), int(counts.max())
    overlap = f"{low} to {high}" if low < high else f"{low}"
    said = note or f"kernel {len(kernel)} × {len(kernel)}, overlap {overlap}"
    return Result(values, kernel, counts, said)
