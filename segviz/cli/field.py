"""`segviz field`: what one unit sees (T11)."""

from __future__ import annotations

import argparse
from typing import Any

from segviz.cli import table
from segviz.cli.console import Console, Report
from segviz.cli.options import input_size, unit
from segviz.cli.summary import full_size
from segviz.core.errors import SegvizError
from segviz.core.field import Field, Status, pair, tidy
from segviz.core.requests import DescribeRequest, Network, Setup

HINT = "show the receptive field of a unit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="a network: 'segviz models' lists them")
    parser.add_argument("--layer", required=True, metavar="NAME", help="a layer of 'segviz summary', or 'last'")
    parser.add_argument("--unit", required=True, type=unit, metavar="Y,X", help="row and column of the unit")
    parser.add_argument(
        "--input",
        type=input_size,
        metavar="HxW",
        help="input size; without it the converted network answers, units outside its native grid too",
    )


def run(options: argparse.Namespace, console: Console) -> Report:
    shape = full_size(options.spec, options.input)
    setup, (row, column) = Setup(options.spec, device=options.device), options.unit
    network = console.ask(DescribeRequest(setup, False, shape)) if shape is None else None
    if network is None or not _within(network, options.layer, row, column):
        network = console.ask(DescribeRequest(setup, True, shape))
    geometry = network.geometry
    rows, columns = geometry.grid(options.layer)
    if options.input is not None and not _within(network, options.layer, row, column):
        raise SegvizError(
            f"unit {row},{column} is outside the {rows}x{columns} grid of layer '{options.layer}' on an input of "
            f"{geometry.height}x{geometry.width}: rows are 0 to {rows - 1}, columns 0 to {columns - 1}"
        )
    data = _described(options, network, geometry.field(options.layer, row, column))
    return Report(data, _text(data))


def _within(network: Network, layer: str, row: int, column: int) -> bool:
    rows, columns = network.geometry.grid(layer)
    return 0 <= row < rows and 0 <= column < columns


def _described(options: argparse.Namespace, network: Network, field: Field) -> dict[str, Any]:
    geometry = network.geometry
    law_y, law_x = geometry.laws(options.layer)
    return {
        "model": options.spec,
        "layer": geometry.last if options.layer == "last" else options.layer,
        "unit": options.unit,
        "grid": geometry.grid(options.layer),
        "input": [geometry.height, geometry.width],
        "box": tidy(field.box),
        "size": pair(field.box.height, field.box.width),
        "stride": pair(law_y.stride, law_x.stride),
        "center": tidy(field.center),
        "outside": round(field.box.outside(geometry.width, geometry.height), 4),
        "status": field.status.value,
        "reason": field.reason,
    }


def _text(data: dict[str, Any]) -> str:
    left, top, right, bottom = data["box"]
    row, column = data["unit"]
    lines = [
        f"{data['model']}, layer {data['layer']}, unit {row},{column}",
        f"  sees    x from {left:g} to {right:g}, y from {top:g} to {bottom:g} (the end not included)",
        f"  size    {table.size(data['size'])}, centre {table.point(data['center'])}",
        f"  stride  {table.size(data['stride'])}",
    ]
    if data["status"] != Status.EXACT:
        lines.append(f"  {data['status']}: {data['reason']}")
    return "\n".join(lines)
