"""A network traced on another size than its own: where it stops, and what its convolutional form makes (T16, T17)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from segviz.core.errors import SegvizError
from segviz.core.sizes import SizeRow, SizesAnswer, SizesRequest
from segviz.engine.graph import attempted
from segviz.engine.recorder import Call
from segviz.engine.store import Loaded

POOLS = (nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d)
ADAPTIVE = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
Shape = tuple[int, ...]


def answered(loaded: Loaded, request: SizesRequest, seconds: float) -> SizesAnswer:
    """Every leaf on both sizes, and the grids of the convolutional form with poolings that round down and up."""
    native = loaded.entry.input_size
    shape = (native[0], *request.size)
    own, stopped = attempted(loaded.network, native)
    if stopped is not None:
        raise SegvizError("where another size stops nobody can tell: it can only be recorded while it runs on an image")
    larger, error = attempted(loaded.network, shape)
    converted = _converted(loaded, shape)
    rows = _rows(own, larger, converted, error)
    ceils = [module.ceil_mode for module in loaded.network.modules() if isinstance(module, POOLS)]
    published = "none" if not ceils else "ceil" if all(ceils) else "floor" if not any(ceils) else "both"
    return SizesAnswer(
        request=request,
        native=native,
        rows=rows,
        squeezes=_squeezing(larger) if error is None else "",
        floor=_grid(loaded, shape, False),
        ceil=_grid(loaded, shape, True),
        published=published,
        seconds=seconds,
        refusal=loaded.refusal,
        notes=loaded.remarks,
    )


def _rows(
    own: tuple[Call, ...], larger: tuple[Call, ...], converted: dict[str, Shape], error: SegvizError | None
) -> tuple[SizeRow, ...]:
    """One row a leaf, in the order of the native size; the first that the larger one does not come out of breaks."""
    there = {call.name: call.output_shape for call in larger if call.output is not None}
    rows, broken = [], error is None
    for call in own:
        if not call.leaf or call.output is None:
            continue
        name = call.name
        stops = "" if broken or name in there else _reason(error)
        broken = broken or bool(stops)
        rows.append(
            SizeRow(name, type(call.module).__name__, call.output_shape, there.get(name), converted.get(name), stops)
        )
    return tuple(rows)


def _reason(error: SegvizError | None) -> str:
    """What is said of the layer that breaks, without the layer's name, which stands beside it."""
    text = str(error)
    return text[text.rfind("(") + 1 : text.rfind(")")] if "(" in text else text


def _squeezing(calls: tuple[Call, ...]) -> str:
    """The adaptive pooling that makes one size of all."""
    return next((call.name for call in calls if isinstance(call.module, ADAPTIVE)), "")


def _converted(loaded: Loaded, shape: tuple[int, int, int]) -> dict[str, Shape]:
    """Output shapes of the convolutional form; none where it has none, or does not take that size."""
    if not loaded.convertible:
        return {}
    try:
        traced = loaded.traced(True, shape, keep=False)
    except SegvizError:
        return {}
    return {call.name: call.output_shape for call in traced.calls}


def _grid(loaded: Loaded, shape: tuple[int, int, int], ceil: bool) -> tuple[int, int] | None:
    """The grid of the convolutional form once all its poolings round that way."""
    if not loaded.convertible:
        return None
    with rounding(loaded.network, ceil):
        calls, error = attempted(loaded.network, shape, loaded.conversion.head)
    found = calls[-1].output_shape if error is None and calls else ()
    last = next((call.output_shape for call in reversed(calls) if len(call.output_shape) == 3), found)
    return (last[1], last[2]) if error is None and len(last) == 3 else None


@contextmanager
def rounding(network: nn.Module, ceil: bool) -> Iterator[None]:
    """All poolings round their number of windows up, or down; as they were afterwards, whatever happens."""
    pools = [module for module in network.modules() if isinstance(module, POOLS)]
    before = [module.ceil_mode for module in pools]
    try:
        for module in pools:
            module.ceil_mode = ceil
        yield
    finally:
        for module, mode in zip(pools, before, strict=True):
            module.ceil_mode = mode
