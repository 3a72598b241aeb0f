"""`segviz heatmap`: where one class is (T18, T32)."""

from __future__ import annotations

import argparse
from pathlib import Path

from segviz.cli.console import Console, Report
from segviz.cli.options import (
    add_fast,
    add_image,
    add_model,
    add_scale,
    check_suffix,
    chosen,
    file_name,
    names,
    setup_of,
    size_note,
)
from segviz.cli.table import duration, point, size
from segviz.core import catalogue
from segviz.core.choices import ColourMap, Pooling
from segviz.core.field import pair, tidy
from segviz.core.requests import SegmentRequest
from segviz.core.session import State

HINT = "show where a network sees one class"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_image(parser)
    add_model(parser)
    parser.add_argument("--class", required=True, dest="wanted", metavar="NAME", help="a class by name or number")
    parser.add_argument(
        "--pooling",
        type=chosen(Pooling),
        default=Pooling.AUTO,
        metavar=names(Pooling),
        help="what becomes of global pooling: 'none' gives the class activation map (default where a network ends "
        "in it), 'window' keeps it at its native size",
    )
    add_scale(parser)
    add_fast(parser)
    parser.add_argument("--out", type=Path, metavar="PNG", help="default: IMAGE-CLASS.png in the current folder")


def run(options: argparse.Namespace, console: Console) -> Report:
    from segviz.core import export, images, palettes, scores

    check_suffix(options.out, ".png")
    entry = console.entry(options.model, options.trust)
    index = catalogue.class_index(entry.classes, options.wanted)
    setup = setup_of(options, entry, options.image, options.pooling)
    prediction = console.ask(SegmentRequest(setup))
    name, (maximum, place) = prediction.classes[index], scores.peak(prediction, index)
    for remark in prediction.notes:
        console.note(f"{options.image.name}: {remark}")
    out: Path = options.out or Path(f"{options.image.stem}-{file_name(name)}.png")
    pixels = images.open_picture(options.image).pixels
    heat, table = scores.heatmap(prediction, index), palettes.heat_table(ColourMap.MAGMA)
    export.save_picture(out, export.overlay_heat(pixels, heat, table, State().heat_opacity))
    lattice = prediction.lattice
    data = {
        "image": str(options.image),
        "model": options.model,
        "class": name,
        "index": index,
        "maximum": maximum,
        "maximum_at": tidy(place),
        "grid": [lattice.rows, lattice.columns],
        "stride": pair(lattice.stride[1], lattice.stride[0]),
        "start": tidy(lattice.start),
        "scale": prediction.scale,
        "seconds": prediction.seconds,
        "device": prediction.device,
        "notes": prediction.notes,
        "out": str(out),
    }
    console.note(size_note(options, entry))
    text = (
        f"{name}: at most {maximum:.3f}, at {point(tidy(place))}\n"
        f"  grid {lattice.columns} x {lattice.rows}, stride {size(data['stride'])} pixels, "
        f"{duration(prediction.seconds)}\n"
        f"  picture in {out}"
    )
    return Report(data, text)
