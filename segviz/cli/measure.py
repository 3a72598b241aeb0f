"""What `segviz field --measure` adds: the box from integers beside the one that gradients measure (T11)."""

from __future__ import annotations

import argparse
from typing import Any

from segviz.cli.console import Console
from segviz.core.errors import SegvizError
from segviz.core.field import Field, tidy
from segviz.core.measured import MeasureRequest, Verdict, compared
from segviz.core.requests import Network

SAID = {
    Verdict.EQUAL: "equal to the box, as far as that lies in the image",
    Verdict.CONTAINED: "contained in the box",
    Verdict.WHOLE: "contained in the whole image, beyond the box",
    Verdict.DIFFERS: "differs from the box",
    Verdict.NONE: "no gradient comes to any pixel",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--measure",
        action="store_true",
        help="also the box that gradients through the running network measure, held against the one from integers",
    )


def added(options: argparse.Namespace, console: Console, network: Network, field: Field) -> tuple[dict[str, Any], str]:
    """A key that comes beside those of the field, and lines of text."""
    asked, (row, column) = network.request, options.unit
    size = asked.input_size or (network.input_shape if asked.setup.image is None else None)
    found = console.ask(MeasureRequest(asked.setup, options.layer, row, column, asked.converted, size))
    if found.refusal:
        raise SegvizError(found.refusal)
    for note in found.notes:
        console.note(note)
    geometry = network.geometry
    told = compared(field, found.box, geometry.width, geometry.height)
    box = None if found.box is None else tidy(found.box)
    data = {"box": box, "by": found.by.value, "verdict": told.verdict.value, "differs": told.differs}
    lines = [f"  measured {'nothing' if box is None else _sides(box)}, by {found.by}"]
    lines.append(f"  {SAID[told.verdict]}{f': {told.differs}' if told.differs else ''}")
    return {"measured": data}, "\n".join(lines)


def _sides(box: list[float]) -> str:
    left, top, right, bottom = box
    return f"x from {left:g} to {right:g}, y from {top:g} to {bottom:g}"
