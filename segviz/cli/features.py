"""`segviz features`: the feature maps of a layer as pictures (T13)."""

from __future__ import annotations

import argparse
from pathlib import Path

from segviz.cli.console import Console, Report
from segviz.cli.options import add_image, add_model, add_scale, setup_of
from segviz.cli.table import duration
from segviz.core.requests import FeatureRequest

HINT = "save the feature maps of a layer"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_image(parser)
    add_model(parser)
    parser.add_argument("--layer", required=True, metavar="NAME", help="a layer of 'segviz summary', or 'last'")
    add_scale(parser)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the pictures")


def run(options: argparse.Namespace, console: Console) -> Report:
    from segviz.core import export

    maps = console.ask(FeatureRequest(setup_of(options, options.image), options.layer))
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    digits = len(str(len(maps.values) - 1))
    files = []
    for index, values in enumerate(maps.values):
        file = out / f"{export.file_name(maps.layer)}-{index:0{digits}}.png"
        export.save_png(export.grey(values), file)
        files.append(file)
    sheet = out / f"{export.file_name(maps.layer)}-all.png"
    export.save_png(export.contact_sheet([export.grey(values) for values in maps.values]), sheet)
    channels, rows, columns = maps.values.shape
    data = {
        "image": str(options.image),
        "model": options.model,
        "layer": maps.layer,
        "shape": [channels, rows, columns],
        "files": [str(file) for file in files],
        "index": str(sheet),
        "ranges": [[float(values.min()), float(values.max())] for values in maps.values],
        "seconds": maps.seconds,
    }
    text = f"{maps.layer}: {channels} maps of {rows} x {columns} in {out} ({duration(maps.seconds)})\n  all: {sheet}"
    return Report(data, text)
