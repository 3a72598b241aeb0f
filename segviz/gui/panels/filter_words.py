"""What is said of a filter: how its layer is applied, one weight of it, and all of them as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segviz.core.filters import FilterKind
from segviz.gui import words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from segviz.core.filters import Filter

PLANES = ("red", "green", "blue")
CROSS = "\u202f×\u202f"


def reach(weights: npt.NDArray[np.float32]) -> float:
    """The largest finite magnitude of some weights."""
    import numpy as np

    return float(np.abs(np.nan_to_num(weights, nan=0.0, posinf=0.0, neginf=0.0)).max(initial=0.0))


def described(layer: str, found: Filter) -> str:
    """'c3 · filter 5 of 16 · 6 × 5 × 5 · stride 2 · bias 0.12': maps that are read, rows and columns of a slice."""
    rows, columns = found.size
    parts = [layer]
    if found.kind is not FilterKind.CONVOLUTION:
        parts.append(found.kind.title.lower())
    parts.append(f"filter {found.channel} of {words.count(found.channels)}")
    if found.depthwise:
        parts.append(f"{columns}{CROSS}{rows}, reads map {found.first} alone")
    else:
        parts.append(words.shape((found.inputs, rows, columns)))
    if found.groups > 1 and not found.depthwise:
        last = found.first + found.inputs - 1
        parts.append(f"group of maps {found.first} to {last}, one of {found.groups}")
    if found.stride != (1, 1):
        parts.append(f"stride {_axes(found.stride)}")
    if found.dilation != (1, 1):
        parts.append(f"dilation {_axes(found.dilation)}")
    if found.bias is not None:
        parts.append(f"bias {words.value(found.bias)}")
    if len(found.slices) < found.inputs:
        parts.append(f"the first {words.count(len(found.slices))} slices")
    return " · ".join(parts)


def _axes(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else f"{pair[1]}{CROSS}{pair[0]}"


def weight(found: Filter, index: int, fx: float, fy: float) -> str:
    """The weight at a point of a tile: of slice `index`, or of filter `index` where each filter is one picture."""
    rows, columns = found.size
    row, column = min(rows - 1, int(fy * rows)), min(columns - 1, int(fx * columns))
    where = f"row {row}, column {column}"
    if found.pictures is None:
        return f"for map {found.first + index} · {where} · {words.value(float(found.slices[index, row, column]))}"
    planes = [words.value(float(number)) for number in found.pictures[index, :, row, column]]
    told = planes[0] if len(planes) == 1 else ", ".join(map(" ".join, zip(PLANES, planes, strict=True)))
    return f"filter {index} · {where} · {told}"


def rows(found: Filter) -> list[list[object]]:
    """The weights as a table: a line for each slice, or for each plane of every filter."""
    down, across = found.size
    places = [f"r{row}c{column}" for row in range(down) for column in range(across)]
    if found.pictures is None:
        table: list[list[object]] = [["filter", "map", *places]]
        for index, part in enumerate(found.slices):
            table.append([found.channel, found.first + index, *map(float, part.ravel())])
        return table
    coloured = found.pictures.shape[1] > 1
    table = [["filter", "plane", *places]]
    for channel, planes in enumerate(found.pictures):
        for plane, part in enumerate(planes):
            table.append([channel, PLANES[plane] if coloured else plane, *map(float, part.ravel())])
    return table
