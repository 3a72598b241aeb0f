"""`segviz features`: the feature maps of a layer as pictures (T13)."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from segviz.cli.console import Console, Report
from segviz.cli.options import add_fast, add_image, add_model, add_scale, file_name, setup_of
from segviz.cli.table import duration
from segviz.core.requests import FeatureRequest

if TYPE_CHECKING:
    from segviz.core.export import Bytes

HINT = "save the feature maps of a layer"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_image(parser)
    add_model(parser)
    parser.add_argument("--layer", required=True, metavar="NAME", help="a layer of 'segviz summary', or 'last'")
    add_scale(parser)
    add_fast(parser)
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the pictures")


GAP, PAPER = 2, 255  # between the maps of the sheet, in pixels; its grey level


def run(options: argparse.Namespace, console: Console) -> Report:
    from segviz.core import export, maps

    entry = console.entry(options.model, options.trust)
    found = console.ask(FeatureRequest(setup_of(options, entry, options.image), options.layer))
    notes = [note for note in (entry.caution, *found.notes) if note]
    for note in notes:
        console.note(note)
    out: Path = options.out
    name = file_name(found.layer)
    files = export.save_feature_maps(out, name, found.values)
    sheet = export.save_picture(out / f"{name}-all.png", contact_sheet(maps.pictures(found.values)))
    channels, rows, columns = found.values.shape
    data = {
        "image": str(options.image),
        "model": options.model,
        "layer": found.layer,
        "shape": [channels, rows, columns],
        "files": [str(file) for file in files],
        "index": str(sheet),
        "ranges": [[float(values.min()), float(values.max())] for values in found.values],
        "seconds": found.seconds,
        "notes": notes,
    }
    noun = "map" if channels == 1 else "maps"
    size = f"{channels} {noun} of {columns} x {rows}"
    text = f"{found.layer}: {size} in {out} ({duration(found.seconds)})\n  all: {sheet}"
    return Report(data, text)


def contact_sheet(maps: Bytes) -> Bytes:
    """All maps (C, H, W) on one sheet, row by row, about as wide as high in maps."""
    import numpy as np

    channels, height, width = maps.shape
    columns = math.ceil(math.sqrt(channels))
    rows = math.ceil(channels / columns)
    sheet = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP), PAPER, np.uint8)
    for index, levels in enumerate(maps):
        top, left = GAP + index // columns * (height + GAP), GAP + index % columns * (width + GAP)
        sheet[top : top + height, left : left + width] = levels
    return sheet
