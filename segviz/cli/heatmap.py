"""`segviz heatmap`: where one class is, or what speaks for it in a layer (T18, T32)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    position,
    region,
    setup_of,
    size_note,
)
from segviz.cli.table import duration, point, size
from segviz.core import catalogue
from segviz.core.cams import CamAnswer, CamRequest
from segviz.core.choices import Area, ColourMap, Heat, Pooling
from segviz.core.entries import Entry
from segviz.core.errors import UsageError
from segviz.core.field import pair, tidy
from segviz.core.frames import Lattice
from segviz.core.requests import SegmentRequest
from segviz.core.session import State

if TYPE_CHECKING:
    from segviz.core.export import Bytes

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
    evidence = parser.add_argument_group("what speaks for the class, in place of its probability")
    shown = evidence.add_mutually_exclusive_group()
    shown.add_argument("--cam", action="store_true", help="the class activation map, before global average pooling")
    shown.add_argument("--grad-cam", metavar="LAYER", help="Grad-CAM at a layer of 'segviz summary'")
    where = evidence.add_mutually_exclusive_group()
    where.add_argument("--at", type=position, metavar="X,Y", help="the score of the unit that answers for this pixel")
    where.add_argument("--box", type=region, metavar="X,Y,W,H", help="the score over a box of image pixels")
    evidence.add_argument("--signed", action="store_true", help="what speaks against the class, too: without the ReLU")
    add_scale(parser)
    add_fast(parser)
    parser.add_argument("--out", type=Path, metavar="PNG", help="default: IMAGE-CLASS.png in the current folder")


def run(options: argparse.Namespace, console: Console) -> Report:
    from segviz.core import export, images, palettes, scores

    check_suffix(options.out, ".png")
    entry = console.entry(options.model, options.trust)
    index = catalogue.class_index(entry.classes, options.wanted)
    if options.cam or options.grad_cam is not None:
        return _evidence(options, console, entry, index)
    if options.at is not None or options.box is not None or options.signed:
        raise UsageError("--at, --box and --signed belong to --cam or --grad-cam LAYER: name one of them")
    setup = setup_of(options, entry, options.image, options.pooling)
    prediction = console.ask(SegmentRequest(setup))
    name, (maximum, place) = prediction.classes[index], scores.peak(prediction, index)
    for remark in prediction.notes:
        console.note(f"{options.image.name}: {remark}")
    out: Path = options.out or Path(f"{options.image.stem}-{file_name(name)}.png")
    pixels = images.open_picture(options.image).pixels
    heat, table = scores.heatmap(prediction, index), palettes.heat_table(ColourMap.MAGMA)
    export.save_picture(out, export.overlay_heat(pixels, heat, table, State().heat_opacity))
    console.note(size_note(options, entry))
    data = {
        "image": str(options.image),
        "model": options.model,
        "class": name,
        "index": index,
        "maximum": maximum,
        "maximum_at": tidy(place),
        **_grid_of(prediction.lattice),
        "scale": prediction.scale,
        "seconds": prediction.seconds,
        "device": prediction.device,
        "notes": prediction.notes,
        "out": str(out),
    }
    text = f"{name}: at most {maximum:.3f}, at {point(tidy(place))}\n{_end(prediction.lattice, data)}"
    return Report(data, text)


def _grid_of(lattice: Lattice) -> dict[str, Any]:
    return {
        "grid": [lattice.rows, lattice.columns],
        "stride": pair(lattice.stride[1], lattice.stride[0]),
        "start": tidy(lattice.start),
    }


def _end(lattice: Lattice, data: dict[str, Any]) -> str:
    """The lines that both kinds of heatmaps end with."""
    grid = f"grid {lattice.rows} x {lattice.columns}, stride {size(data['stride'])} pixels"
    return f"  {grid}, {duration(data['seconds'])}\n  picture in {data['out']}"


def _evidence(options: argparse.Namespace, console: Console, entry: Entry, index: int) -> Report:
    from segviz.core import export, images

    setup = setup_of(options, entry, options.image, options.pooling)
    heat = Heat.CAM if options.cam else Heat.GRAD_CAM
    area = Area.UNIT if options.at else Area.BOX if options.box else Area.AUTO
    request = CamRequest(setup, heat, options.grad_cam or "last", (index,), 1, area, options.box, options.at)
    found = console.ask(request)
    for remark in (*found.notes, entry.caution, *found.remarks):
        console.note(remark)
    name = found.names[0]
    pixels = images.open_picture(options.image).pixels
    out: Path = options.out or Path(f"{options.image.stem}-{file_name(f'{name}-{heat.value}')}.png")
    export.save_picture(out, _painted(pixels, found, options.signed))
    data = _data_of(found, options, out)
    console.note(size_note(options, entry))
    text = (
        f"{name}, {heat.title} at {found.layer}: at most {data['maximum']:.4g}, at {point(data['maximum_at'])}\n"
        f"  score {found.scores[0]:.4g} over {found.units[0]} units of the answer ({found.area.title.lower()})\n"
        f"{_signs(found, options.signed)}{_end(found.lattice, data)}"
    )
    return Report(data, text)


def _signs(found: CamAnswer, signed: bool) -> str:
    """The line that says what the colours of a signed map are."""
    reach = found.reach(0, True)
    return f"  red speaks for it, blue against it: colours from {-reach:.4g} to {reach:.4g}\n" if signed else ""


def _data_of(found: CamAnswer, options: argparse.Namespace, out: Path) -> dict[str, Any]:
    import numpy as np

    values, lattice = found.maps[0], found.lattice
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return {
        "image": str(options.image),
        "model": options.model,
        "class": found.names[0],
        "index": found.classes[0],
        "shows": found.request.heat.value,
        "layer": found.layer,
        "area": found.area.value,
        "units": found.units[0],
        "score": found.scores[0],
        "maximum": float(values.max()),
        "maximum_at": tidy(lattice.position_of(int(row), int(column))),
        "minimum": float(values.min()),
        **_grid_of(lattice),
        "remark": found.remarks[0],
        "seconds": found.seconds,
        "notes": found.notes,
        "out": str(out),
    }


def _painted(pixels: Bytes, found: CamAnswer, signed: bool) -> Bytes:
    """The map over the image, each unit where its layer has it; a signed one over grey, above its scale.

    A sky is blue and a brick red without any evidence: under two colours that mean something, nothing else has any.
    """
    import numpy as np

    from segviz.core import cams, export, palettes, resample, scale_bars

    wide = resample.upsample(found.shown(0, signed), found.lattice, State().upsampling, *pixels.shape[:2])
    reach = found.reach(0, signed)
    heat = np.rint(cams.levels(wide, reach, signed) * 255).astype(np.uint8)
    if not signed:
        return export.overlay_heat(pixels, heat, palettes.heat_table(ColourMap.MAGMA), State().heat_opacity)
    painted = export.overlay_heat(export.greyed(pixels), heat, palettes.signed_table())
    return scale_bars.with_scale(painted, export.signed_scale(), f"-{reach:.4g} against", f"for {reach:.4g}", "0")
