"""`segviz field`: what one unit sees (T11)."""

from __future__ import annotations

import argparse
from math import ceil
from typing import Any

from segviz.cli import contributions, effective, measure, table
from segviz.cli.console import Console, Report
from segviz.cli.options import add_spec, input_size, unit
from segviz.cli.summary import full_size
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError
from segviz.core.field import Field, Geometry, Status, pair, tidy
from segviz.core.field_paths import FieldPath, Link, chain, paths
from segviz.core.regions import Region, projective
from segviz.core.requests import DescribeRequest, Network, Setup
from segviz.core.steps import Interval

HINT = "show the receptive field of a unit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec(parser)
    parser.add_argument("--layer", required=True, metavar="NAME", help="a layer of 'segviz summary', or 'last'")
    parser.add_argument("--unit", required=True, type=unit, metavar="Y,X", help="row and column of the unit")
    parser.add_argument(
        "--input",
        type=input_size,
        metavar="HxW",
        help="input size; without it the native one, else the least on which the converted network has the unit",
    )
    parser.add_argument(
        "--chain", action="store_true", help="also what the unit needs of every layer before it, from the image on"
    )
    parser.add_argument(
        "--pixel", type=unit, metavar="Y,X", help="also which units of the layer this pixel of the input can change"
    )
    measure.add_arguments(parser)
    contributions.add_arguments(parser)
    effective.add_arguments(parser)


def run(options: argparse.Namespace, console: Console) -> Report:
    contributions.check(options)
    effective.check(options)
    setup = effective.setup(options, console) if options.effective or options.paths else None
    network = _network_with(options, console) if setup is None else console.ask(DescribeRequest(setup))
    row, column = options.unit
    geometry = network.geometry
    rows, columns = geometry.grid(options.layer)
    if not _within(network, options.layer, row, column):
        raise SegvizError(
            f"unit {row},{column} is outside the {rows}x{columns} grid of layer '{options.layer}' on an input of "
            f"{geometry.height}x{geometry.width}: rows are 0 to {rows - 1}, columns 0 to {columns - 1}"
        )
    for note in network.notes if network.refusal else ():
        console.note(note)
    field = geometry.field(options.layer, row, column)
    data = _described(options, network, field)
    if options.chain:
        data["chain"] = [_linked(link) for link in chain(geometry, options.layer, row, column)]
    if options.pixel:
        data["pixel"], data["reaches"] = options.pixel, _reached(geometry, options.layer, *options.pixel)
    text = _text(data, network.entry, assumed=options.input is None and setup is None)
    if options.measure:
        more, lines = measure.added(options, console, network, field)
        data, text = data | more, f"{text}\n{lines}"
    if options.paths and setup is not None:
        more, lines = contributions.added(options, console, network, setup, data["paths"])
        data, text = data | more, f"{text}\n\n{lines}"
    if options.effective and setup is not None:
        more, lines = effective.added(options, console, setup)
        data, text = data | more, f"{text}\n{lines}"
    return Report(data, text)


def _network_with(options: argparse.Namespace, console: Console) -> Network:
    """The network on the input that was asked for; without one, on an input that has the unit, if there is any.

    That is the native size, of the published network, else of its twin; else as much more for the
    twin as the unit is beyond the grid. A unit that does not exist has no field: below it are units
    that nothing computes.
    """
    setup = Setup(options.spec, device=options.device, trust=options.trust)
    if options.input is not None:
        return console.ask(
            DescribeRequest(setup, True, full_size(console.entry(options.spec, options.trust), options.input))
        )
    for converted in (False, True):
        network = console.ask(DescribeRequest(setup, converted))
        if _within(network, options.layer, *options.unit):
            return network
    return console.ask(DescribeRequest(setup, True, _larger(options, network)))


def _larger(options: argparse.Namespace, network: Network) -> tuple[int, int, int]:
    """An input (C, H, W) on which the layer's grid reaches to the unit. Raises SegvizError above the size of images."""
    from segviz.core.images import LIMITS

    geometry, entry = network.geometry, network.entry
    sides = []
    for side, have, wanted, law in zip(
        (geometry.height, geometry.width),
        geometry.grid(options.layer),
        options.unit,
        geometry.laws(options.layer),
        strict=True,
    ):
        needed = side + ceil(max(0, wanted - (have - 1)) * law.stride)
        sides.append(entry.fitting(needed - 2 * entry.border))
    if max(sides) > LIMITS.side:
        row, column = options.unit
        raise SegvizError(
            f"unit {row},{column} of layer '{options.layer}' needs an input of {sides[0]}x{sides[1]}; an image has at "
            f"most {LIMITS.side:,} pixels a side: choose a unit nearer to 0,0"
        )
    return network.input_shape[0], sides[0], sides[1]


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
        "mirrored": network.entry.border,
        "outside": round(field.box.outside(geometry.width, geometry.height), 4),
        "status": field.status.value,
        "reason": field.reason,
        "paths": [_path(path) for path in paths(geometry, options.layer, *options.unit)],
    }


def _path(path: FieldPath) -> dict[str, Any]:
    box = path.field.box
    return {
        "layer": path.name,
        "box": tidy(box),
        "size": pair(box.height, box.width),
        "stride": tidy((path.stride,))[0],
        "status": path.field.status.value,
    }


def _linked(link: Link) -> dict[str, Any]:
    return {"layer": link.layer, "rows": link.rows, "columns": link.columns, "box": tidy(link.box)}


def _reached(geometry: Geometry, layer: str, y: int, x: int) -> dict[str, Interval] | None:
    if not (0 <= y < geometry.height and 0 <= x < geometry.width):
        raise SegvizError(f"pixel {y},{x} is outside the input of {geometry.height}x{geometry.width}")
    found = projective(geometry, layer, Region(Interval(y, y), Interval(x, x)))
    return None if found is None else {"rows": found.y, "columns": found.x}


def _text(data: dict[str, Any], entry: Entry, assumed: bool) -> str:
    left, top, right, bottom = data["box"]
    row, column = data["unit"]
    lines = [
        f"{data['model']}, layer {data['layer']}, unit {row},{column}, {_on(data, entry, assumed)}",
        f"  sees    x from {left:g} to {right:g}, y from {top:g} to {bottom:g} (the end not included)",
        f"  size    {table.size(data['size'])}, centre {table.point(data['center'])}",
        f"  stride  {table.size(data['stride'])}",
    ]
    lines += _beyond(data["outside"], entry)
    if data["status"] != Status.EXACT:
        lines.append(f"  {data['status']}: {data['reason']}")
    lines += _ways(data) + _links(data)
    if "pixel" in data:
        y, x = data["pixel"]
        lines.append(f"  pixel {y},{x} can change {_units(data['reaches'])}")
    return "\n".join(lines)


def _ways(data: dict[str, Any]) -> list[str]:
    if not data["paths"]:
        return []
    rows = []
    for path in data["paths"]:
        left, top, right, bottom = path["box"]
        sides = f"{left:g} to {right:g}", f"{top:g} to {bottom:g}"
        rows.append((path["layer"], f"{path['stride']:g}", table.size(path["size"]), *sides))
    return ["", table.table(("path through", "stride", "size", "x", "y"), rows)]


def _links(data: dict[str, Any]) -> list[str]:
    rows = []
    for link in data.get("chain", ()):
        left, top, right, bottom = link["box"]
        units = (f"{first} to {last}" for first, last in (link["rows"], link["columns"]))
        rows.append((link["layer"], *units, f"{left:g} to {right:g}", f"{top:g} to {bottom:g}"))
    return ["", table.table(("needs of", "rows", "columns", "x", "y"), rows)] if rows else []


def _units(found: dict[str, Interval] | None) -> str:
    if found is None:
        return "no unit of this layer"
    (top, bottom), (left, right) = found["rows"], found["columns"]
    return f"the units in rows {top} to {bottom}, columns {left} to {right}"


def _on(data: dict[str, Any], entry: Entry, assumed: bool) -> str:
    """The input, and why it is that one where nobody has named it: fields at the border depend on it."""
    height, width = data["input"]
    why = "its native size" if [height, width] == list(entry.input_size[1:]) else "the least that has the unit"
    return f"on {height}x{width} pixels" + (f" ({why})" if assumed else "")


def _beyond(outside: float, entry: Entry) -> list[str]:
    """What the unit sees beyond the input's border, and what of the input is no image but its mirror."""
    lines = []
    if outside:
        lines.append(f"  beyond  {outside:.1%} of the field lies outside the input, where the network pads")
    if entry.mirrors:
        lines.append(
            f"  border  {entry.border} pixels on each side of the input mirror the image: "
            f"its pixel 0,0 is input pixel {entry.border},{entry.border}"
        )
    return lines
