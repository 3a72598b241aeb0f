"""Networks that come as programs: TorchScript, exported programs, ONNX, Python. One opener for each.

All but ONNX run code when they are opened, so each of those asks `core/trust` before anything else reads
the file. What comes out is a module like any other, whose weights are float32 and in eval mode.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from segviz.core import file_notes
from segviz.core import trust as trusts
from segviz.core.choices import Task
from segviz.core.entries import Entry
from segviz.core.errors import UsageError, clean, named
from segviz.core.specs import Spec
from segviz.engine import exported as exports
from segviz.engine import onnx_graph, scripted, source
from segviz.engine.checkpoints import read_tensors
from segviz.engine.strangers import Known, entry_of, one_at_a_time, takes_batches
from segviz.engine.weights import load_into

Found = tuple[Entry, nn.Module, tuple[str, ...]]  # what `opening.Opened` is made of

SCRIPT, PROGRAM, CODE = "a TorchScript archive", "an exported program", "Python code"
FILE_OPTIONS = ("input",)
CODE_OPTIONS = ("input", "classes", "weights")


def torchscript(spec: Spec, trust: bool) -> Found:
    """The network of a TorchScript archive. Raises UntrustedError, or SegvizError where it cannot be read."""
    _check_options(spec, FILE_OPTIONS)
    network = scripted.read(spec.path, trusts.check(spec, trust, SCRIPT))
    return _described(network, spec, Known(named(spec.path), summary=SCRIPT))


def exported(spec: Spec, trust: bool) -> Found:
    """The network of an exported program (.pt2). Raises UntrustedError, or SegvizError where it cannot be read."""
    _check_options(spec, FILE_OPTIONS)
    network, example = exports.read(spec.path, trusts.check(spec, trust, PROGRAM))
    size = example.size if example.fixed else file_notes.input_size(example.note) or example.size
    found = _described(network, spec, Known(named(spec.path), size, PROGRAM, example.note))
    if example.fixed and found[0].task is Task.CLASSIFICATION:
        shown = "x".join(map(str, size))
        told = f"exported for {shown} alone: it was never promised that its operations fit other sizes"
        return *found[:2], (told, *found[2])
    return found


def onnx(spec: Spec, trust: bool) -> Found:
    """The network of an ONNX file, which is data: nothing in it runs but operators of the standard.

    Raises SegvizError where it cannot be read or uses what there is no rule for.
    """
    _check_options(spec, FILE_OPTIONS)
    network, graph = onnx_graph.network_of(spec.path)
    size = onnx_graph.image_size(graph)
    turned = ("takes channels last; its maps are shown with channels first",) if network.turned else ()
    return _described(network, spec, Known(named(spec.path), size, "an ONNX file"), turned)


def python(spec: Spec, trust: bool) -> Found:
    """The network that `python:package.module:callable` makes. Raises UntrustedError, or SegvizError where it fails."""
    _check_options(spec, CODE_OPTIONS)
    program = trusts.check(spec, trust, CODE)
    network = source.of_module(spec.name, trusts.source_of(spec), program, _classes(spec))
    return _of_code(network, spec, Known(spec.name, summary=CODE))


def python_file(spec: Spec, trust: bool) -> Found:
    """The network that a Python file makes, by its option `callable` or by what it holds.

    Raises UntrustedError, or SegvizError where the file fails or holds no network, with what it holds.
    """
    _check_options(spec, (*CODE_OPTIONS, "callable"))
    program = trusts.check(spec, trust, CODE)
    network = source.of_file(spec.path, program, spec.option("callable"), _classes(spec))
    return _of_code(network, spec, Known(named(spec.path), summary=CODE))


def _of_code(network: nn.Module, spec: Spec, known: Known) -> Found:
    weights = spec.option("weights")
    if weights is None:
        note = "its weights are what its code makes, at random if it loads none; ?weights=FILE gives it others"
    else:
        load_into(network, read_tensors(Path(weights)), named(weights), known.title)
        note = f"weights of {named(weights)}"
    return _described(network.float().eval(), spec, known, (note,))


def _described(network: nn.Module, spec: Spec, known: Known, notes: tuple[str, ...] = ()) -> Found:
    entry, told = entry_of(network, spec, known)
    if not takes_batches(network, entry.input_size):
        one_at_a_time(network)
        notes = (*notes, "takes one image at a time: sliding it as a window is slower so")
    return entry, network, (*notes, *told)


def _check_options(spec: Spec, known: tuple[str, ...]) -> None:
    unknown: list[Any] = [key for key, _ in spec.options if key not in known]
    if unknown:
        has = ", ".join(known)
        raise UsageError(f"{clean(spec.title)} has no option '{clean(unknown[0])}'; it has {has}, and those of viewing")


def _classes(spec: Spec) -> int | None:
    text = spec.option("classes")
    if text is not None and not (text.isdecimal() and int(text) > 0):
        raise UsageError(f"classes={text}: a whole number of at least 1")
    return None if text is None else int(text)
