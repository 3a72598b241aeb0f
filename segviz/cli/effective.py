"""What `segviz field --effective` adds: where in its field a unit looks, on an image (T11, T13)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segviz.cli import table
from segviz.cli.console import Console
from segviz.cli.options import add_scale, check_suffix, chosen, names, positive, setup_of
from segviz.core.choices import BackRule, ColourMap
from segviz.core.effective import MOST_IMAGES, EffectiveField, EffectiveRequest, Ellipse
from segviz.core.errors import UsageError
from segviz.core.field import tidy
from segviz.core.requests import Setup

if TYPE_CHECKING:
    from segviz.core.energy import Bytes

NEEDS = ("channel", "rule", "images", "out")  # options that mean nothing without --effective
ON_IMAGE = ("image", "scale")  # that mean nothing without it or --paths


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("effective field")
    group.add_argument("--effective", action="store_true", help="also where in its field the unit looks, on an image")
    group.add_argument("--image", type=Path, metavar="IMAGE", help="image file; the unit is one of the network on it")
    group.add_argument("--channel", type=int, metavar="C", help="map of the unit; default: the one with most to say")
    group.add_argument(
        "--rule",
        type=chosen(BackRule),
        metavar=names(BackRule),
        help="what a ReLU lets through on the way back; default: gradient",
    )
    group.add_argument(
        "--images", type=positive, metavar="N", help="average over N images, others of the image's folder included"
    )
    add_scale(group)
    group.add_argument("--out", type=Path, metavar="PNG", help="save the field's energy, or the back-projection")


def check(options: argparse.Namespace) -> None:
    """Raise UsageError for options that do not go together."""
    needs = NEEDS if options.paths else ON_IMAGE + NEEDS
    given = [name for name in needs if getattr(options, name) is not None]
    if not options.effective and given:
        raise UsageError(f"--{given[0]} is for the effective field: add --effective")
    if not options.effective:
        return
    if options.image is None:
        raise UsageError("--effective needs an image to look at: add --image IMAGE")
    if options.input is not None:
        raise UsageError("--effective looks at an image, whose size counts: leave --input out")
    if options.channel is not None and options.channel < 0:
        raise UsageError(f"--channel {options.channel}: the first is number 0")
    if (options.images or 1) > 1 and (options.rule or BackRule.GRADIENT) is not BackRule.GRADIENT:
        raise UsageError(f"--rule {options.rule} shows what is in one image: leave --images out")
    if (options.images or 1) > MOST_IMAGES:
        raise UsageError(f"--images {options.images}: at most {MOST_IMAGES}")
    check_suffix(options.out, ".png")


def setup(options: argparse.Namespace, console: Console) -> Setup:
    """The network on the image."""
    entry = console.entry(options.spec, options.trust)
    return setup_of(argparse.Namespace(**vars(options), model=options.spec, fast=False), entry, options.image)


def added(options: argparse.Namespace, console: Console, at: Setup) -> tuple[dict[str, Any], str]:
    """Keys that come beside those of the field, and lines of text."""
    from segviz.core import export

    (row, column), rule, images = options.unit, options.rule or BackRule.GRADIENT, options.images or 1
    found = console.ask(EffectiveRequest(at, options.layer, options.channel, row, column, rule, images))
    for note in found.notes:
        console.note(note)
    if options.out is not None:
        export.save_picture(options.out, _picture(found))
    data = {
        "image": str(options.image),
        "channel": found.channel,
        "value": found.value,
        "rule": rule.value,
        "images": found.images,
        "crop": tidy(found.crop),
        "energy_in": None if found.spread is None else round(found.spread, 4),
        "ellipses": [_described(ellipse) for ellipse in found.ellipses],
        "through_all": found.whole,
        "seconds": found.seconds,
        "notes": found.notes,
        "out": None if options.out is None else str(options.out),
    }
    return data, _text(found, options)


def _picture(found: EffectiveField) -> Bytes:
    from segviz.core import palettes

    gradient = found.request.rule is BackRule.GRADIENT
    signed = None if gradient else found.picture
    return palettes.colour_map(ColourMap.MAGMA)[found.glow] if signed is None else signed


def _described(ellipse: Ellipse) -> dict[str, Any]:
    return {
        "share": ellipse.share,
        "center": [round(part, 2) for part in ellipse.center],
        "half_axes": [round(part, 2) for part in ellipse.half_axes],
        "angle": round(ellipse.angle, 1),
    }


def _text(found: EffectiveField, options: argparse.Namespace) -> str:
    mean = f", mean of {found.images} images" if found.images > 1 else ""
    lines = [f"  looks   map {found.channel}, value {found.value:.4g}, {found.request.rule.title.lower()}{mean}"]
    if found.spread is not None:
        lines.append(f"          95 % of the energy in {100 * found.spread:.3g} % of the field inside the image")
    for ellipse in found.ellipses:
        longer, shorter = ellipse.half_axes
        center = table.point([round(part, 1) for part in ellipse.center])
        lines.append(f"          {ellipse.share:.0%}: {2 * longer:.3g} x {2 * shorter:.3g}, about {center}")
    if found.whole:
        lines.append(f"          through the whole image: {found.whole}")
    if options.out is not None:
        lines.append(f"          picture in {options.out}")
    return "\n".join(lines)
