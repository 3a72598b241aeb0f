"""The effective field of a unit of a network at work, of one image or averaged over several (Luo et al. 2016)."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from math import ceil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from segviz.core import assets, energy, images
from segviz.core.choices import BackRule
from segviz.core.effective import EffectiveField, EffectiveRequest
from segviz.core.errors import SegvizError
from segviz.core.field import Box, Geometry, Status
from segviz.core.frames import Frame
from segviz.core.places import images_in
from segviz.core.regions import Region
from segviz.core.requests import Progress
from segviz.core.steps import Interval
from segviz.engine.back import Projection, projected
from segviz.engine.flow import followed
from segviz.engine.job import Job
from segviz.engine.prepare import tensor_of

Floats = npt.NDArray[np.float32]


def effective(request: EffectiveRequest, job: Job) -> Generator[Progress, None, EffectiveField]:
    """The answer to `request` on the network and image of `job`. Raises SegvizError where there is no such unit."""
    started = time.perf_counter()
    traced = job.traced
    call = traced.call(request.layer)
    _check(request, traced.geometry, call.name)
    back = yield from _of(request, job, job.image)
    box, came = _box(back.region, job.frame), _coloured(back, job)
    values, count, notes = energy.energy(came), 1, list(job.notes)
    if request.images > 1:
        values, count, refused = yield from _averaged(request, job, back, values)
        notes += refused
    single = count == 1
    return EffectiveField(
        request=request,
        layer=call.name,
        channel=back.channel,
        value=back.value,
        frame=job.frame,
        crop=box,
        values=values,
        projection=came if single else None,
        glow=energy.glow(values),
        picture=energy.picture(came) if single else None,
        ellipses=energy.ellipses(values, box.left, box.top),
        spread=energy.spread(values),
        images=count,
        seconds=time.perf_counter() - started,
        whole=_whole(request, traced.geometry, back.region),
        notes=(*notes, *_remarks(request, back, values)),
    )


def _check(request: EffectiveRequest, geometry: Geometry, layer: str) -> None:
    rows, columns = geometry.grid(layer)
    if not (0 <= request.row < rows and 0 <= request.column < columns):
        raise SegvizError(
            f"unit {request.row},{request.column} is outside the {rows}x{columns} grid of layer '{layer}' on an input "
            f"of {geometry.height}x{geometry.width}: rows are 0 to {rows - 1}, columns 0 to {columns - 1}"
        )
    if request.channel is not None and request.channel < 0:
        raise SegvizError(f"map {request.channel}: the first is number 0")


def _of(
    request: EffectiveRequest, job: Job, image: torch.Tensor, channel: int | None = None
) -> Generator[Progress, None, Projection]:
    traced = job.traced
    target = traced.call(request.layer).output
    assert target is not None
    unit = (request.channel if channel is None else channel, request.row, request.column)
    what = f"the way back through {job.title}"
    back = yield from projected(traced, job.weights, image, target, unit, request.rule, what)
    return back


def _averaged(
    request: EffectiveRequest, job: Job, first: Projection, values: Floats
) -> Generator[Progress, None, tuple[Floats, int, list[str]]]:
    """The mean energy of the same unit over several images, how many these are, and which could not be read."""
    assert request.setup.image is not None
    others = list(beside(request.setup.image))
    wanted, total, count, refused = min(request.images, len(others) + 1), values.astype(np.float64), 1, []
    for path in others:
        if count == wanted:
            break
        told = Progress(count, wanted, "images")
        yield told
        try:
            pixels = images.open_picture(path).pixels
        except SegvizError as error:
            refused.append(f"left out: {error}")
            continue
        image = tensor_of(covering(pixels, job.frame.image), job.loaded.entry.preprocessing, job.frame)
        way = _of(request, job, image.to(job.image.device), first.channel)
        back = yield from followed(way, lambda _, told=told: told)  # type: ignore[misc]
        total += energy.energy(_coloured(back, job))
        count += 1
    return (total / count).astype(np.float32), count, refused


def beside(image: str) -> Iterator[Path]:
    """The other images of an image's folder, from it on and around; of the shipped ones, those of its kind."""
    place = Path(image)
    found = images_in(place.parent)
    if place.parent == assets.images():
        found = [path for path in found if assets.is_page(path) == assets.is_page(place)]
    here = found.index(place) if place in found else -1
    yield from (path for path in (*found[here + 1 :], *found[: max(here, 0)]))


def covering(pixels: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The middle of another image, resized so that it covers (height, width)."""
    height, width = size
    factor = max(height / pixels.shape[0], width / pixels.shape[1])
    rows, columns = (max(side, ceil(own * factor)) for side, own in zip(size, pixels.shape, strict=False))
    larger = images.resize(pixels, rows, columns)
    top, left = (rows - height) // 2, (columns - width) // 2
    return larger[top : top + height, left : left + width]


def _coloured(back: Projection, job: Job) -> Floats:
    """(C, H, W), red first, of the pixels of `_box`."""
    box, (y, x) = _box(back.region, job.frame), back.region
    values = back.values[:, box.top - y.lo : box.bottom - y.lo, box.left - x.lo : box.right - x.lo]
    values = values.flip(0) if job.loaded.entry.preprocessing.channels == "BGR" else values
    return values.detach().float().cpu().contiguous().numpy()


def _box(region: Region, frame: Frame) -> Box:
    """The part of a region that the image fills: what comes back to padding has come back outside of it.

    All of a region of padding alone, which has no other part.
    """
    (top, left), (rows, columns), (y, x) = frame.corner, frame.inner, region
    seen = Box(max(x.lo, left), max(y.lo, top), min(x.hi + 1, left + columns), min(y.hi + 1, top + rows))
    there = seen.left < seen.right and seen.top < seen.bottom
    return seen if there else Box(x.lo, y.lo, x.hi + 1, y.hi + 1)


def _whole(request: EffectiveRequest, geometry: Geometry, region: Region) -> str:
    """Why the crop is the whole image; '' where it is not, or where the field is as large by itself."""
    field = geometry.field(request.layer, request.row, request.column)
    all_of_it = region == Region(Interval(0, geometry.height - 1), Interval(0, geometry.width - 1))
    return field.reason if all_of_it and field.status is not Status.EXACT else ""


def _remarks(request: EffectiveRequest, back: Projection, values: Floats) -> tuple[str, ...]:
    if not values.any() and not back.values.any():
        return ("nothing comes back to the pixels: the unit, or all that it is made of, is switched off by ReLU here",)
    if request.rule is not BackRule.GRADIENT and not back.rectified:
        return (f"no ReLU lies below this unit: {request.rule.title} is the gradient",)
    return ()
