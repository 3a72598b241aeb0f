"""What the window knows as tables, their heads first: plain values, to be copied or saved as CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from segviz.core.races import RaceResult
from segviz.core.requests import Network, Prediction
from segviz.gui.race_words import Side, lane_of, rate, ratio

if TYPE_CHECKING:
    from segviz.core.maps import MapStatistics

Rows = list[list[object]]


def layer_rows(network: Network) -> Rows:
    """The layers; sizes, strides and starts in pixels of the network's input."""
    head: list[object] = [
        "name", "type", "output shape", "parameters", "macs", "field height", "field width", "stride y", "stride x",
        "start x", "start y", "field",
    ]  # fmt: skip
    rows: Rows = [head]
    for layer in network.layers:
        pairs = [*(layer.size or ("", "")), *(layer.stride or ("", "")), *(layer.start or ("", ""))]
        shape = " x ".join(str(size) for size in layer.output_shape)
        rows.append([layer.name, layer.type, shape, layer.parameters, layer.macs, *pairs, layer.status])
    return rows


def class_rows(prediction: Prediction) -> Rows:
    """The classes that label some of the image, the most widespread first."""
    shares = ([index, prediction.classes[index], share] for index, share in prediction.shares)
    return [["index", "name", "share"], *shares]


def map_rows(statistics: MapStatistics, named: Callable[[int], str], cell: tuple[int, int] | None) -> Rows:
    """The statistics of feature maps, a line each; `cell` is (row, column) of the pinned unit. Looks at all values."""
    head: list[object] = ["map", "class", "lowest", "highest", "mean", "deviation", "zeros", "remark"]
    rows: Rows = [head + (["row", "column", "response"] if cell is not None else [])]
    columns = (statistics.low, statistics.high, statistics.mean, statistics.deviations(), statistics.sparsity)
    for channel in range(len(statistics.values)):
        row: list[object] = [channel, named(channel), *(float(column[channel]) for column in columns)]
        row.append(statistics.remarks[channel])
        rows.append(row + ([*cell, float(statistics.values[(channel, *cell)])] if cell is not None else []))
    return rows


LANE = (
    "side", "seconds", "outputs", "outputs_per_second", "macs", "batch", "extrapolated", "measured", "repeats", "bytes"
)  # fmt: skip


def race_rows(result: RaceResult) -> Rows:
    """A race: one row a side, then what the comparison found, named as `segviz race --json` names it."""
    rows: Rows = [list(LANE)]
    for side in Side:
        lane = lane_of(result, side)
        counts = [lane.seconds, lane.outputs, rate(lane), lane.macs, lane.batch, lane.extrapolated, lane.measured]
        rows.append([side.value, *counts, lane.repeats, lane.bytes])
    fast = result.fully_convolutional.seconds
    facts: dict[str, object] = {
        "speedup": ratio(result.sliding_window.seconds, fast),
        "speedup_one_by_one": ratio(result.one_by_one.seconds, fast),
        "max_abs_difference": result.max_abs_difference,
        "label_agreement": result.label_agreement,
        "center_offset_x": result.center_offset[0],
        "center_offset_y": result.center_offset[1],
        "exact": result.exact,
        "reason": result.reason,
        "redundancy": result.redundancy,
        "difference_without_padding": result.field_check.difference if result.field_check is not None else "",
    }
    speeds: Rows = [[f.stride, f.outputs, f.speedup] for f in result.by_stride]
    return [
        *rows,
        [],
        *([name, value] for name, value in facts.items()),
        [],
        ["grid_stride", "outputs", "speedup"],
        *speeds,
    ]


def as_text(rows: Rows) -> str:
    """Rows as a spreadsheet takes them from the clipboard."""
    return "\n".join("\t".join(str(cell) for cell in row) for row in rows)
