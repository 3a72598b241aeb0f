"""Options that several verbs have, and how their values are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from segviz.core import catalogue, places
from segviz.core.choices import Choice, Device, Pooling, Task
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError, UsageError
from segviz.core.refinement import COLOUR, COLOURS, SMOOTHNESS, SMOOTHNESSES, WIDTH, WIDTHS, Refinement
from segviz.core.requests import LARGEST_SCALE, SMALLEST_SCALE, Setup
from segviz.core.specs import Kind, parse

NETWORK = "a network: 'segviz models' lists them"


def add_common(parser: argparse.ArgumentParser) -> None:
    """What every verb understands."""
    group = parser.add_argument_group("every command")
    group.add_argument("--json", action="store_true", help="print one JSON object, and nothing else")
    group.add_argument(
        "--device", type=chosen(Device), default=Device.AUTO, metavar=names(Device), help="default: auto"
    )
    group.add_argument("--quiet", action="store_true", help="no progress, no notes")
    group.add_argument("--trust", action="store_true", help="let a program in a file run: TorchScript, .pt2, Python")
    group.add_argument("--debug", action="store_true", help="show the traceback of a failure")


def add_image(parser: argparse.ArgumentParser, several: bool = False) -> None:
    parser.add_argument("image", nargs="+" if several else None, type=Path, metavar="IMAGE", help="image file")


def add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=network, required=True, metavar="SPEC", help=NETWORK)


def add_spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", type=network, metavar="SPEC", help=NETWORK)


def network(text: str) -> str:
    """A model spec; where the catalogue has no such name and a file is called so, whatever its ending, that file."""
    head, mark, options = text.strip().partition("?")
    if not places.is_file(head) or parse(head).kind is not Kind.CATALOGUE:
        return text
    try:
        catalogue.entry(head)
    except SegvizError:
        return f"./{head}{mark}{options}"
    return text


def add_fast(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fast", action="store_true", help="arithmetic that is equal only to about 1e-5 (Winograd's convolutions)"
    )


def add_scale(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--scale",
        type=scale,
        metavar="F",
        help="resize the image by this factor before the network sees it, or 'auto' for the size that suits the "
        "network; default: 1, and auto for networks that answer per pixel",
    )


def add_refinement(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--refine", action="store_true", help="move labels to the edges of the image by a dense CRF")
    parser.add_argument(
        "--refine-by",
        type=refinement,
        metavar="WIDTH,COLOUR,SMOOTHNESS",
        help="the same with other strengths: how far pixels of one colour draw each other (pixels), how alike they "
        f"must be (levels of 255) and the weight of smooth borders; default: {WIDTH:g},{COLOUR:g},{SMOOTHNESS:g}",
    )


def refinement(text: str) -> Refinement:
    """`WIDTH,COLOUR,SMOOTHNESS`."""
    limits = (WIDTHS, COLOURS, SMOOTHNESSES)
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != len(limits) or not all(low <= v <= high for v, (low, high) in zip(values, limits, strict=True)):
        ranges = ", ".join(f"{low:g} to {high:g}" for low, high in limits)
        raise argparse.ArgumentTypeError(f"'{text}' is not WIDTH,COLOUR,SMOOTHNESS ({ranges}), for example 40,20,5")
    return Refinement(*values)


def refinement_of(options: argparse.Namespace) -> Refinement | None:
    """The refinement that was asked for; strengths of its own are word enough."""
    chosen: Refinement | None = options.refine_by
    return chosen or (Refinement() if options.refine else None)


def names(choice: type[Choice]) -> str:
    """`auto|cpu|cuda`, as help shows it."""
    return "|".join(member.value for member in choice)


C = TypeVar("C", bound=Choice)


def chosen(choice: type[C]) -> Callable[[str], C]:
    """A reader of one member of `choice`."""

    def read(text: str) -> C:
        try:
            return choice(text)
        except ValueError:
            known = ", ".join(member.value for member in choice)
            raise argparse.ArgumentTypeError(f"'{text}' is none of {known}") from None

    return read


def _whole_numbers(text: str, separator: str, what: str, count: Sequence[int]) -> tuple[int, ...]:
    try:
        values = tuple(int(part) for part in text.lower().split(separator))
    except ValueError:
        values = ()
    if len(values) not in count:
        raise argparse.ArgumentTypeError(f"'{text}' is not {what}")
    return values


def _sizes(text: str, what: str, count: Sequence[int]) -> tuple[int, ...]:
    values = _whole_numbers(text, "x", what, count)
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f"'{text}': a size is at least 1")
    return values


def unit(text: str) -> tuple[int, int]:
    """`Y,X`: row and column of a unit."""
    y, x = _whole_numbers(text, ",", "a unit Y,X (row and column), for example 3,5", (2,))
    return y, x


def window_size(text: str) -> tuple[int, int]:
    """`WxH` of a window, in pixels."""
    width, height = _sizes(text, "a window size WxH, for example 1440x900", (2,))
    return width, height


def input_size(text: str) -> tuple[int, ...]:
    """`HxW` or `CxHxW` of a network's input."""
    return _sizes(text, "an input size HxW or CxHxW, for example 3x224x224", (2, 3))


def position(text: str) -> tuple[float, float]:
    """`X,Y`: a place in image pixels."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a place X,Y in pixels, for example 120,80") from None
    if not (0 <= x < float("inf") and 0 <= y < float("inf")):
        raise argparse.ArgumentTypeError(f"'{text}': a place lies inside the image")
    return x, y


def region(text: str) -> tuple[int, int, int, int]:
    """`X,Y,W,H`: a rectangle in image pixels."""
    x, y, width, height = _whole_numbers(text, ",", "a region X,Y,W,H, for example 10,20,200,100", (4,))
    if x < 0 or y < 0 or width < 1 or height < 1:
        raise argparse.ArgumentTypeError(f"'{text}': a region starts inside the image and is at least 1x1")
    return x, y, width, height


def positive(text: str) -> int:
    (value,) = _whole_numbers(text, ",", "a whole number of at least 1", (1,))
    if value < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least 1")
    return value


def share(text: str) -> float:
    """A number from 0 to 1, also as per cent: 0.8, 80%."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is neither from 0 to 1 nor from 0% to 100%")
    return value


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return value


AUTO_SCALE = "auto"


def scale(text: str) -> float | str:
    """A factor, or 'auto'."""
    if text == AUTO_SCALE:
        return text
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not SMALLEST_SCALE <= value <= LARGEST_SCALE:
        raise argparse.ArgumentTypeError(f"'{text}' is neither 'auto' nor from {SMALLEST_SCALE} to {LARGEST_SCALE:g}")
    return value


def setup_of(options: argparse.Namespace, entry: Entry, image: Path, pooling: Pooling = Pooling.AUTO) -> Setup:
    """The setup that model, image, scale and device of a command line describe.

    Without --scale the network sees the image as it is, unless it answers per pixel: such networks
    are trained for one size. Raises SegvizError where the image is not a file.
    """
    if not image.is_file():
        raise SegvizError(f"{image}: {'not a file' if image.exists() else 'no such file'}")
    wanted: float | str | None = options.scale
    if wanted is None:
        wanted = AUTO_SCALE if sees_one_size(entry) else 1.0
    factor = None if isinstance(wanted, str) else wanted
    place = str(image.resolve())
    return Setup(options.model, place, factor, pooling, options.device, fast=options.fast, trust=options.trust)


def sees_one_size(entry: Entry) -> bool:
    """Whether a network wants images of the size that it was trained on."""
    return entry.task is Task.SEGMENTATION or entry.multiple > 1


def size_note(options: argparse.Namespace, entry: Entry) -> str:
    """What to say to a person who let the scale be and whose network would see more at another one."""
    if options.scale is not None or entry.longest_side is None or sees_one_size(entry):
        return ""
    return (
        f"{entry.title} sees objects best in images of about {entry.longest_side} pixels; this one is taken "
        "as it is. Try '--scale auto'."
    )


def file_name(text: str) -> str:
    """`text` as part of a file name: letters and digits of any language, all else as hyphens."""
    words = "".join(c if c.isalnum() or c in "_." else " " for c in text).split()
    return "-".join(words)[:80] or "unnamed"


def check_suffix(out: Path | None, suffix: str) -> None:
    """Raise UsageError where a file would be given another ending than its contents have."""
    if out is not None and out.suffix.lower() != suffix:
        raise UsageError(f"{out}: what is saved is a {suffix} file; end its name so")
