"""What `segviz field --paths` adds: what each path of a network with skips adds to a class's score, on an image."""

from __future__ import annotations

import argparse
from typing import Any

from segviz.cli import table
from segviz.cli.console import Console
from segviz.core import catalogue
from segviz.core.contributions import ContributionAnswer, ContributionRequest, of_paths
from segviz.core.errors import SegvizError, UsageError
from segviz.core.field_paths import paths
from segviz.core.requests import Network, Setup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what each path adds to a score, where that is a sum")
    group.add_argument("--paths", action="store_true", help="on an image, of a unit of the network's answer")
    group.add_argument("--class", dest="wanted", metavar="NAME", help="a class by name or number")


def check(options: argparse.Namespace) -> None:
    """Raise UsageError for options that do not go together."""
    if not options.paths:
        if options.wanted is not None:
            raise UsageError("--class names whose score is taken apart: add --paths")
        return
    if options.image is None or options.wanted is None:
        raise UsageError("--paths takes apart the score of a class on an image: add --image IMAGE and --class NAME")
    if options.input is not None:
        raise UsageError("--paths looks at an image, whose size counts: leave --input out")


def added(
    options: argparse.Namespace, console: Console, network: Network, at: Setup, boxes: list[dict[str, Any]]
) -> tuple[dict[str, Any], str]:
    """Keys that come beside those of the field, and lines of text; `boxes` are what is told of each path already.

    Raises SegvizError where the score is no sum.
    """
    geometry, (row, column) = network.geometry, options.unit
    if geometry.index(options.layer) != geometry.index("last"):
        raise SegvizError(
            f"layer '{options.layer}' has no scores of classes: '--paths' takes apart those of '{geometry.last}'"
        )
    index = catalogue.class_index(network.classes, options.wanted)
    found = console.ask(ContributionRequest(at, row, column, index))
    if found.refusal:
        raise SegvizError(found.refusal)
    for note in found.notes:
        console.note(note)
    seen = paths(geometry, options.layer, row, column)
    sums = of_paths(found, geometry, seen)
    data = {
        "image": str(options.image),
        "class": network.classes[index],
        "logit": found.logit,
        "bias": found.bias,
        "paths": [box | {"adds": value} for box, value in zip(boxes, sums, strict=True)] if sums else boxes,
        "parts": [{"layer": part.layer, "value": part.value} for part in found.parts],
        "seconds": found.seconds,
        "notes": found.notes,
    }
    told = [(path.name, value) for path, value in zip(seen, sums, strict=False)]
    return data, _text(network.classes[index], told, found)


def _text(name: str, told: list[tuple[str, float]], found: ContributionAnswer) -> str:
    """Paths where each is `told` alone, else the parts of the score."""
    told = told or [(part.layer, part.value) for part in found.parts]
    told = [*told, ("bias", found.bias), (f"score of {name}", found.logit)]
    return table.table(("path through", "adds"), [(of, f"{value:+.4f}") for of, value in told])
