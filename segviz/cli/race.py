"""`segviz race`: sliding window against fully convolutional network (T15, T18, T19)."""

from __future__ import annotations

import argparse
import textwrap
from typing import Any

from segviz.cli.console import Console, Report
from segviz.cli.options import add_fast, add_image, add_model, add_scale, positive, seconds, setup_of
from segviz.cli.table import count, duration, table
from segviz.core.field import pair, tidy
from segviz.core.races import Lane, RaceRequest, RaceResult

HINT = "time the sliding window against the fully convolutional network"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_image(parser)
    add_model(parser)
    add_scale(parser)
    add_fast(parser)
    parser.add_argument("--grid-stride", type=positive, metavar="N", help="step of the window; default: the network's")
    parser.add_argument(
        "--budget",
        type=seconds,
        default=20.0,
        metavar="SECONDS",
        help="time that the sliding window may take; what is left is extrapolated (default: 20)",
    )


def run(options: argparse.Namespace, console: Console) -> Report:
    setup = setup_of(options, console.entry(options.model, options.trust), options.image)
    request = RaceRequest(setup, options.grid_stride, options.budget)
    result = console.ask(request)
    data = {
        "image": str(options.image),
        "model": options.model,
        "sliding_window": _lane(result.sliding_window),
        "one_by_one": _lane(result.one_by_one),
        "fully_convolutional": _lane(result.fully_convolutional),
        "speedup": result.speedup,
        "speedup_one_by_one": result.speedup_one_by_one,
        "max_abs_difference": result.max_abs_difference,
        "label_agreement": result.label_agreement,
        "center_offset": tidy(result.center_offset),
        "exact": result.exact,
        "reason": result.reason,
        "grid": [result.lattice.rows, result.lattice.columns],
        "window": result.window,
        "redundancy": result.redundancy,
        "without_padding": _without_padding(result),
        "speedup_by_stride": [
            {"grid_stride": found.stride, "outputs": found.outputs, "speedup": found.speedup}
            for found in result.by_stride
        ],
        "notes": result.notes,
    }
    return Report(data, _text(result))


def _without_padding(result: RaceResult) -> dict[str, Any] | None:
    check = result.field_check
    if check is None:
        return None
    return {"field": pair(*check.size), "sample": check.sample, "max_abs_difference": check.difference}


def _lane(lane: Lane) -> dict[str, Any]:
    return {
        "seconds": lane.seconds,
        "outputs": lane.outputs,
        "extrapolated": lane.extrapolated,
        "measured": lane.measured,
        "repeats": lane.repeats,
        "batch": lane.batch,
        "macs": lane.macs,
        "bytes": lane.bytes,
    }


def _how(lane: Lane) -> str:
    """Where the time comes from: 'extrapolated from 512, median of 3'."""
    sample = f"extrapolated from {count(lane.measured)}" if lane.extrapolated else ""
    median = f"median of {lane.repeats}" if lane.repeats > 1 else ""
    return ", ".join(part for part in (sample, median) if part)


def _text(result: RaceResult) -> str:
    head = ("", "time", "outputs", "outputs/s", "MACs", "")
    lanes = (
        (f"sliding window, {result.sliding_window.batch} at once", result.sliding_window),
        ("sliding window, one by one", result.one_by_one),
        ("fully convolutional", result.fully_convolutional),
    )
    rows = [
        (
            name,
            duration(lane.seconds),
            count(lane.outputs),
            count(round(lane.outputs / lane.seconds)),
            count(lane.macs),
            _how(lane),
        )
        for name, lane in lanes
    ]
    lattice, (height, width) = result.lattice, result.window
    where = f"Grid of {lattice.columns} x {lattice.rows} outputs, window {width}x{height}"
    said = (verdict(result), *without_padding(result), costs(result), *result.notes)
    return "\n".join([where, "", table(head, rows), "", *map(wrapped, said)])


def wrapped(text: str) -> str:
    return textwrap.fill(text, 100)


def verdict(result: RaceResult) -> str:
    """The sentence that closes a race."""
    faster = f"The fully convolutional network is {_times(result.speedup)} faster than the best batch"
    faster += f" and {_times(result.speedup_one_by_one)} faster than one window at a time"
    if result.exact:
        return f"{faster}; both give the same numbers (largest difference {result.max_abs_difference:.1e})."
    agreement = f"labels agree for {result.label_agreement:.0%}"
    cause = result.reason.rstrip(".")
    return f"{faster}; the numbers differ (by up to {result.max_abs_difference:.2g}, {agreement}): {cause}."


def without_padding(result: RaceResult) -> tuple[str, ...]:
    """That padding alone makes the difference, where that could be shown."""
    check = result.field_check
    if check is None:
        return ()
    height, width = check.size
    if not check.sample:
        return (f"Without padding nothing could be compared: no field of {width} x {height} pixels lies in the image.",)
    if not check.equal:
        return (
            f"Without padding {check.sample} units differ by {check.difference:.2g} still, from their full field of "
            f"{width} x {height} pixels alone: padding is not the whole cause.",
        )
    return (
        f"Without padding there is none: {check.sample} units computed from their full field of "
        f"{width} x {height} pixels alone, where nothing is padded, differ by {check.difference:.1g} at most.",
    )


def costs(result: RaceResult) -> str:
    """What the factor is made of, and what becomes of it when windows lie further apart."""
    windows, once = result.sliding_window.bytes, result.fully_convolutional.bytes
    apart = ", ".join(f"{found.stride} px: {found.speedup:.3g}" for found in result.by_stride)
    return (
        f"The windows multiply {_times(result.redundancy or 1)} as often and make {windows / 1e6:,.0f} MB of "
        f"feature maps where {once / 1e6:,.0f} MB do. Speed-up by how far windows lie apart: {apart}."
    )


def _times(factor: float) -> str:
    return f"{factor:,.0f} times" if factor >= 10 else f"{factor:.1f} times"
