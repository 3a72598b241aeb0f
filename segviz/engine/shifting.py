"""A shifted image through a network as it was published: maps shift along, dense outputs do not (lecture T08)."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from segviz.core.errors import SegvizError
from segviz.core.field import Geometry, Status
from segviz.core.requests import Progress
from segviz.core.shifting import MOST, DenseChange, ShiftAnswer, ShiftRequest
from segviz.engine import devices, flow
from segviz.engine.graph import Trace
from segviz.engine.job import Job
from segviz.engine.recorder import Call

Floats = npt.NDArray[np.float32]


class Compared(NamedTuple):
    """How two maps differ: `inside` counts the units whose fields lie in both images."""

    inside: int
    difference: float
    overall: float


def shifted(image: Tensor, dx: int, dy: int) -> Tensor:
    """An image (1, C, H, W) moved right by `dx` and down by `dy` pixels; its border is repeated where it came from."""
    height, width = image.shape[2:]
    rows = (torch.arange(height) - dy).clamp(0, height - 1).to(image.device)
    columns = (torch.arange(width) - dx).clamp(0, width - 1).to(image.device)
    return image.index_select(2, rows).index_select(3, columns)


def answered(job: Job, request: ShiftRequest, seconds: float) -> Generator[Progress, None, ShiftAnswer]:
    """The maps and the dense outputs of both images.

    A vector has no place to shift to: the last maps before it are shown in its place. Raises SegvizError where there
    are none.
    """
    traced = job.native
    call = _with_maps(traced, request.layer)
    count, _, _ = traced.maps_of(traced.geometry.index(call.name))
    channel = min(request.channel, count - 1) if call.name == traced.call(request.layer).name else 0
    laws = traced.geometry.laws(call.name)
    stride = laws[0].stride, laws[1].stride
    by = max(1, round(stride[1])) if request.dx is None else request.dx, request.dy
    devices.check_memory(traced.peak_bytes, job.title)
    images = job.image, shifted(job.image, *by)
    goals, place = _dense(traced), traced.geometry.index(call.name)
    maps, vectors = [], []
    for image in images:
        found = yield from flow.outputs(traced, job.weights, image, {place, *(node for _, node in goals)})
        maps.append(_numbers(traced.as_maps(place, found[place])[channel]))
        vectors.append([_numbers(found[node].reshape(-1)) for _, node in goals])
    moved = by[1] / stride[0], by[0] / stride[1]
    compared = _compared(traced.geometry, call.name, by, (maps[0], maps[1]), (round(moved[0]), round(moved[1])))
    middle = traced.geometry.field(call.name, maps[0].shape[0] // 2, maps[0].shape[1] // 2)
    return ShiftAnswer(
        request=request,
        seen=(_seen(images[0], images[0]), _seen(images[1], images[0])),
        maps=(maps[0], maps[1]),
        stride=stride,
        moved=moved,
        inside=compared.inside,
        difference=compared.difference,
        overall=compared.overall,
        scale=max(float(np.abs(values).max()) for values in maps),
        dense=tuple(_change(name, *pair) for (name, _), pair in zip(goals, zip(*vectors, strict=True), strict=True)),
        seconds=seconds,
        notes=job.notes,
        layer=call.name,
        channel=channel,
        by=by,
        status=middle.status,
        reason=middle.reason,
    )


def _with_maps(traced: Trace, layer: str) -> Call:
    """The layer where it makes maps of more than one unit, else the last one before it that does."""
    asked = traced.call(layer)
    before = traced.calls[: traced.calls.index(asked)]
    for call in (asked, *(call for call in reversed(before) if call.leaf)):
        if traced.maps_of(traced.geometry.index(call.name))[1:] != (1, 1):
            return call
    raise SegvizError(f"'{layer}' answers with a vector, which has no place to shift to, and no maps come before it")


def refused(request: ShiftRequest, reason: str) -> ShiftAnswer:
    """There is nothing to shift, and why."""
    return ShiftAnswer(request, None, None, (1, 1), (0, 0), 0, 0.0, 0.0, 0.0, (), 0.0, reason)


def _dense(traced: Trace) -> list[tuple[str, int]]:
    """The leaves that answer with a vector and have weights of their own, and their nodes."""
    return [
        (call.name, call.output)
        for call in traced.calls
        if call.leaf
        and call.output is not None
        and len(call.output_shape) == 1
        and any(True for _ in call.module.parameters())
    ]


def _compared(
    geometry: Geometry, layer: str, by: tuple[int, int], maps: tuple[Floats, Floats], moved: tuple[int, int]
) -> Compared:
    """Units of the first map against those of the second that they moved to."""
    first, second = maps
    rows, columns = first.shape
    down, across = moved
    y = np.arange(max(0, -down), min(rows, rows - down))
    x = np.arange(max(0, -across), min(columns, columns - across))
    if not len(y) or not len(x):
        return Compared(0, 0.0, 0.0)
    apart = np.abs(first[np.ix_(y, x)] - second[np.ix_(y + down, x + across)])
    size = geometry.height, geometry.width
    inside = np.outer(
        [_is_inside(geometry, layer, (int(at), 0), 0, by[1], size[0]) for at in y],
        [_is_inside(geometry, layer, (0, int(at)), 1, by[0], size[1]) for at in x],
    )
    return Compared(int(inside.sum()), float(apart[inside].max(initial=0.0)), float(apart.max()))


def _is_inside(geometry: Geometry, layer: str, unit: tuple[int, int], axis: int, shift: int, size: int) -> bool:
    """Whether a unit's field lies inside the image along one axis, and still does when it has moved."""
    field = geometry.field(layer, *unit)
    low, high = (field.box.top, field.box.bottom) if axis == 0 else (field.box.left, field.box.right)
    return field.status is Status.EXACT and min(low, low + shift) >= 0 and max(high, high + shift) <= size


def _change(name: str, first: Floats, second: Floats) -> DenseChange:
    apart = np.abs(first - second)
    return DenseChange(name, len(first), first[:MOST], second[:MOST], float(apart.max()), float(apart.mean()))


def _numbers(values: Tensor) -> Floats:
    return np.asarray(values.float().cpu().contiguous().numpy().copy())


def _seen(image: Tensor, like: Tensor) -> Floats:
    """An input as grey levels 0 to 1, in the range of another one."""
    low, high = float(like.min()), float(like.max())
    return _numbers((image[0].mean(0) - low) / ((high - low) or 1.0))
