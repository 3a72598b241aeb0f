"""`segviz convert`: a classifier saved as the fully convolutional network that it is (T17 to T19)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segviz.cli import table
from segviz.cli.console import Console, Report
from segviz.cli.options import add_spec, chosen, input_size, names, positive
from segviz.cli.summary import full_size
from segviz.core.choices import Device, Pooling
from segviz.core.errors import SegvizError, UsageError
from segviz.core.field import pair, tidy

if TYPE_CHECKING:
    from segviz.engine.export import Exported
    from segviz.engine.store import Loaded

HINT = "save a network with its dense layers as convolutions"

WEIGHTS, PROGRAM = ".safetensors", ".pt2"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec(parser)
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help=f"{WEIGHTS}: the weights, those of dense layers reshaped; {PROGRAM}: a program that answers for images of "
        "any size, run by torch alone",
    )
    parser.add_argument(
        "--pooling",
        type=chosen(Pooling),
        default=Pooling.AUTO,
        metavar=names(Pooling),
        help="what becomes of global pooling, as for 'segviz heatmap'",
    )
    parser.add_argument("--input", type=input_size, metavar="CxHxW", help=f"{PROGRAM} for images of this size alone")
    parser.add_argument(
        "--grid-stride",
        type=positive,
        metavar="N",
        help=f"{PROGRAM} with a unit every N pixels: later strides become dilation (default: all stay strides)",
    )
    parser.add_argument("--multiple", type=positive, metavar="N", help=f"{PROGRAM} for images of multiples of N alone")


def run(options: argparse.Namespace, console: Console) -> Report:
    out, only = _checked(options, console)
    from segviz.engine import export
    from segviz.engine.store import Store

    loaded = Store().network(options.spec, options.pooling, Device.CPU, options.trust)
    if out.suffix.lower() == WEIGHTS:
        saved = export.save_weights(loaded, out)
    else:
        saved = export.save_program(loaded, out, options.multiple, only, options.grid_stride)
    data = _described(options, loaded, saved)
    return Report(data, _text(data))


def _checked(options: argparse.Namespace, console: Console) -> tuple[Path, tuple[int, int, int] | None]:
    """The file and the only size that it is for. Raises SegvizError for what cannot be."""
    out: Path = options.out
    if out.suffix.lower() not in (WEIGHTS, PROGRAM):
        raise UsageError(f"{out}: what is saved ends in {WEIGHTS} (weights) or {PROGRAM} (a program); end its name so")
    if options.device not in (Device.AUTO, Device.CPU):
        raise UsageError(f"--device {options.device}: what is saved runs anywhere, and is made on the CPU")
    if options.input is not None and options.multiple is not None:
        raise UsageError("--input names one size and --multiple many: give one of the two")
    if out.suffix.lower() == WEIGHTS and (options.input or options.multiple or options.grid_stride):
        raise UsageError(f"weights fit every size and stride: --input, --multiple and --grid-stride are for {PROGRAM}")
    if not out.absolute().parent.is_dir():
        raise SegvizError(f"{out}: there is no folder {out.absolute().parent} to save it in; make it first")
    return out, full_size(console.entry(options.spec, options.trust), options.input)


def _notes(loaded: Loaded) -> list[str]:
    """What a person must know: that there was nothing to convert, that weights are random."""
    already = "answers per pixel" if loaded.per_pixel else "is fully convolutional"
    nothing = f"{loaded.entry.title} {already} as it is: nothing was to be converted"
    told = ("" if loaded.conversion.steps else nothing, loaded.entry.caution)
    return [words for words in told if words]


def _described(options: argparse.Namespace, loaded: Loaded, saved: Exported) -> dict[str, Any]:
    conversion = loaded.conversion
    return {
        "model": options.spec,
        "title": loaded.entry.title,
        "converted": [{"layer": step.layer, "from": step.before, "to": step.after} for step in conversion.steps],
        "pooling": conversion.head.pooling.value,
        "max_abs_difference": conversion.max_abs_difference,
        "proven_on": conversion.proven_on,
        "reloaded_difference": saved.reloaded_difference,
        "reloaded_sizes": [list(size) for size in saved.reloaded_sizes],
        "input_size": loaded.entry.input_size,
        "sizes": saved.sizes,
        "stride": pair(*saved.stride),
        "start": tidy(saved.start),
        "notes": _notes(loaded),
        "out": str(options.out),
        "bytes": saved.out.stat().st_size,
    }


def _text(data: dict[str, Any]) -> str:
    steps = [(step["layer"], step["from"], step["to"]) for step in data["converted"]]
    compared = " and ".join(table.size(size) for size in data["reloaded_sizes"])
    takes = "any size" if data["sizes"] == "any" else data["sizes"]
    rows = table.table(("layer", "was", "is"), steps, left=3)
    lines = [
        *([f"{data['title']}, made fully convolutional", "", rows, ""] if steps else []),
        *data["notes"],
        f"Same logits on {'the native' if data['proven_on'] == data['input_size'] else 'an'} input of "
        f"{table.size(data['proven_on'][1:])}: largest difference "
        f"{data['max_abs_difference']:.2g}",
        f"Read again and compared on {compared}: largest difference {data['reloaded_difference']:.2g}",
        f"Takes images of {takes}; a unit every {table.size(data['stride'])} pixels",
        f"Saved in {data['out']} ({data['bytes'] / 1e6:.1f} MB)",
    ]
    return "\n".join(lines)
