"""The field of one unit, measured by gradients through the running network, for networks whose record does not know it.

Two ways, each a lower bound, and both can be left between any two layers. The positive form (`support`) loses nothing
on the way down and needs a network that does the same whatever its weights are. The network's own gradients are of one
image, and lose what ReLUs switch off there. Where a record is sure, the first alone is its equal; where it is not, both
boxes are joined.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

import torch
from torch import Tensor

from segviz.core.errors import SegvizError
from segviz.core.field import Box, Status
from segviz.core.frames import Frame
from segviz.core.measured import By, MeasuredField, MeasureRequest
from segviz.core.refusals import lacks_memory
from segviz.core.requests import Progress
from segviz.engine import devices
from segviz.engine.comparison import noise
from segviz.engine.flow import followed
from segviz.engine.graph import Trace
from segviz.engine.in_steps import Pause, in_steps
from segviz.engine.mismatches import reason_of
from segviz.engine.store import Loaded
from segviz.engine.support import Unit, reach, seen_maps, supports

Way = Callable[[Pause], Box | None]
BYTES = 16  # of an element: float64, and its gradient


def measured(
    request: MeasureRequest, loaded: Loaded, traced: Trace, frame: Frame, image: Tensor | None
) -> Generator[Progress, None, MeasuredField]:
    """Measure a unit of `traced`, on `image` (1, C, H, W) or on noise.

    Raises SegvizError for a unit that there is not. That gradients cannot be followed is an answer.
    """
    started = time.perf_counter()
    unit = _checked(request, loaded, traced)
    known = traced.geometry.field(*unit).status not in (Status.UNKNOWN, Status.DATA)
    found: list[tuple[By, Box | None]] = []
    refused: list[tuple[By, SegvizError]] = []
    ways: dict[By, Way] = {}
    if not traced.decides:  # with other weights it might take another way
        ways[By.POSITIVE] = lambda pause: _positive(loaded, traced, unit, pause)
    ways[By.NOISE if image is None else By.OWN] = lambda pause: _own(loaded, traced, unit, image, pause)
    for by, way in ways.items():
        if found and known:
            break
        progress = Progress(len(found) + len(refused), len(ways))
        yield progress
        try:
            box = yield from followed(_tried(way), lambda _, told=progress: told)  # type: ignore[misc]
            found.append((by, box))
        except SegvizError as error:
            refused.append((by, error))
    by = By.BOTH if len(found) == 2 else found[0][0] if found else next(reversed(ways))
    return MeasuredField(
        request=request,
        layer=unit.layer,
        box=_joined([box for _, box in found]),
        by=by,
        frame=frame,
        seconds=time.perf_counter() - started,
        notes=tuple(f"not measured by {way}: {error}" for way, error in refused) if found else (),
        refusal="" if found else str(refused[-1][1]),
    )


def _checked(request: MeasureRequest, loaded: Loaded, traced: Trace) -> Unit:
    """The unit that is asked for. Raises SegvizError where there is none, or no memory for the way back from it."""
    call = traced.call(request.layer)
    unit, (rows, columns) = Unit(call.name, request.row, request.column), traced.geometry.grid(call.name)
    if not (0 <= unit.row < rows and 0 <= unit.column < columns):
        raise SegvizError(f"unit {unit.row},{unit.column} is outside the {rows}x{columns} grid of layer '{unit.layer}'")
    needed = BYTES * sum(operation.elements for operation in traced.operations[: int(call.output or 0) + 1])
    devices.check_memory(needed, f"{loaded.entry.title} backwards", "close other programs or choose a smaller scale")
    return unit


def _tried(way: Way) -> Generator[None, None, Box | None]:
    try:
        box = yield from in_steps(way)
        return box
    except SegvizError:
        raise
    except Exception as error:  # the edge: the network is a stranger's code
        if lacks_memory(error):
            raise
        raise SegvizError(f"as published it does not get to that layer: {reason_of(error)}", repr(error)) from error


def _positive(loaded: Loaded, traced: Trace, unit: Unit, pause: Pause) -> Box | None:
    return supports(loaded.network, traced, [unit], pause)[0]


def _own(loaded: Loaded, traced: Trace, unit: Unit, image: Tensor | None, pause: Pause) -> Box | None:
    geometry = traced.geometry
    channels = traced.operations[0].elements // (geometry.height * geometry.width)
    pixels = noise(loaded.network, (channels, geometry.height, geometry.width)) if image is None else image
    pixels = pixels.clone().requires_grad_()
    with torch.enable_grad():
        out = seen_maps(loaded.network, traced, {unit.layer}, pixels, pause)[unit.layer]
        weights = torch.rand(out.shape, generator=torch.Generator().manual_seed(0)).to(out)  # so that no sum cancels
        box = reach(out * weights, traced, unit, pixels) if out.requires_grad else None
        if box is None and not _hangs_on(out, pixels):
            raise SegvizError(f"layer '{unit.layer}' is cut off from the image: no gradient goes back to it")
        return box


def _hangs_on(out: Tensor, pixels: Tensor) -> bool:
    """Whether a way of gradients leads back from `out`, be they zero."""
    return out.requires_grad and torch.autograd.grad(out.sum(), pixels, allow_unused=True)[0] is not None


def _joined(boxes: list[Box | None]) -> Box | None:
    there = [box for box in boxes if box is not None]
    if not there:
        return None
    sides = list(zip(*there, strict=True))
    return Box(min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3]))
