"""From any model spec to a network with its weights: one opener for each kind of source, in `OPENERS`.

Data is read without asking. What runs code when it is opened (a TorchScript archive, an exported
program, Python) asks `core/trust` first, in its opener.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from segviz.core.entries import Entry
from segviz.core.errors import SegvizError, named
from segviz.core.specs import VIEWING, Kind, Spec, parse
from segviz.engine import networks, programs, zoo
from segviz.engine.sniff import WEIGHTS, FileKind, what_is


@dataclass(frozen=True, eq=False)
class Opened:
    """A network with its weights, float32 and in eval mode, and all that is known of it.

    `notes` say, for people, what had to be done to open it: tensors that were left out, names that were
    changed, an architecture that was guessed.
    """

    entry: Entry
    network: nn.Module
    notes: tuple[str, ...] = ()


Opener = Callable[[Spec, bool], Opened]  # the spec without its viewing options, and whether programs are trusted


def opened(spec: str, trust: bool = False) -> Opened:
    """Open the network of `spec`, whatever its viewing options are.

    Raises SegvizError where there is none, where it cannot be read or does not fit, and UntrustedError
    for a program that nobody trusts.
    """
    wanted = parse(spec)
    opener = OPENERS.get(wanted.kind)
    if opener is None:
        raise SegvizError(f"'{spec}': networks from {wanted.kind.title} cannot be opened yet")
    if wanted.kind in SIZED:
        return opener(wanted.without(*(key for key in VIEWING if key != "input")), trust)
    return opener(wanted.opening, trust)


def _of_catalogue(spec: Spec, trust: bool) -> Opened:
    return Opened(*networks.of_catalogue(spec))


def _of_file(spec: Spec, trust: bool) -> Opened:
    kind = what_is(spec.path)
    if kind in WEIGHTS:
        return Opened(*networks.of_weights(spec))
    opener = PROGRAMS.get(kind)
    if opener is None:
        raise SegvizError(f"{named(spec.path)}: {kind.title}, which is unsupported here")
    return opener(spec, trust)


# Files that are programs, by what they are: each opener asks for trust before it opens one.
PROGRAMS: dict[FileKind, Opener] = {
    FileKind.TORCHSCRIPT: lambda spec, trust: Opened(*programs.torchscript(spec, trust)),
    FileKind.EXPORTED: lambda spec, trust: Opened(*programs.exported(spec, trust)),
    FileKind.ONNX: lambda spec, trust: Opened(*programs.onnx(spec, trust)),
    FileKind.PYTHON: lambda spec, trust: Opened(*programs.python_file(spec, trust)),
}

SIZED = (Kind.FILE, Kind.PYTHON)  # may not say themselves what size they are for: they are told the option `input`

OPENERS: dict[Kind, Opener] = {
    Kind.CATALOGUE: _of_catalogue,
    Kind.FILE: _of_file,
    Kind.PYTHON: lambda spec, trust: Opened(*programs.python(spec, trust)),
    Kind.TORCHVISION: lambda spec, trust: Opened(*zoo.torchvision(spec)),
    Kind.TIMM: lambda spec, trust: Opened(*zoo.timm(spec)),
    Kind.SMP: lambda spec, trust: Opened(*zoo.smp(spec)),
}
