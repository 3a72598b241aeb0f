"""Networks with the weights of a file: of the catalogue, or of an architecture that is named or recognised."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import nn

from segviz.core import catalogue, file_notes
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError, UsageError, clean, named
from segviz.core.specs import VIEWING, ZOOS, Kind, Spec
from segviz.engine import architectures, devices, recognise, zoo_weights
from segviz.engine.checkpoints import Checkpoint, open_checkpoint
from segviz.engine.recognise import Candidate
from segviz.engine.weights import channels_first, check, load_into
from segviz.models.untrained import draw

FLOAT = 4  # bytes of a weight
OPTIONS = ("arch", "classes", "flatten")  # of a file of weights

Found = tuple[Entry, nn.Module, tuple[str, ...]]


def of_catalogue(spec: Spec) -> Found:
    """A network of the catalogue: its entry, itself in eval mode, and notes.

    With the weights that are shipped, random ones, or with the option `weights` those of a file; `classes`
    makes its last layer another. Raises SegvizError for weights that do not fit, with the whole report.
    """
    entry = catalogue.entry(str(spec))
    file, classes = spec.option("weights"), _classes(spec)
    own = classes in (None, entry.class_count)
    if file is None and spec.option("flatten"):
        raise UsageError("flatten=hwc is said of a file: give one with weights=FILE")
    if file is None and own:
        return (*architectures.build(str(spec)), ())
    architecture = architectures.of_entry(entry)
    if architecture.fixed and not own:
        raise SegvizError(f"{entry.name} has {entry.class_count} classes, and cannot be made with {classes}")
    if file is None:
        return _random(architecture, classes)
    checkpoint = open_checkpoint(Path(file))
    candidate = recognise.suited(architecture, checkpoint.headers, None if own else classes)
    return _loaded(checkpoint, candidate, spec, ())


def of_weights(spec: Spec) -> Found:
    """The network that a file of weights belongs to, as `arch` says or by its tensors; as `of_catalogue` otherwise."""
    unknown = [key for key, _ in spec.options if key not in (*OPTIONS, *VIEWING)]
    if unknown:
        raise UsageError(
            f"{spec.title} has no option '{clean(unknown[0])}'; a file of weights has {', '.join(OPTIONS)}"
        )
    checkpoint = open_checkpoint(spec.path)
    arch = spec.option("arch")
    if arch is None:
        candidate, notes = recognise.recognised(spec.path, checkpoint.headers)
    else:
        candidate, notes = recognise.suited(architectures.named(arch), checkpoint.headers, _classes(spec)), ()
    entry, network, told = _loaded(checkpoint, candidate, spec, notes)
    title = f"{candidate.architecture.title}, {named(spec.path)}"
    return replace(entry, name=str(spec.opening), title=title, summary=f"weights in {named(spec.path)}"), network, told


def _random(architecture: architectures.Architecture, classes: int | None) -> Found:
    network = architecture.make(classes)
    draw(network)
    return replace(architecture.entry(network, classes), weights=""), network.eval(), ()


def _loaded(checkpoint: Checkpoint, candidate: Candidate, spec: Spec, notes: tuple[str, ...]) -> Found:
    """The network of `candidate` with the tensors of the file, which are read only when all else has been checked."""
    file, title = named(checkpoint.path), candidate.architecture.title
    check(candidate.fit, file, title, strict=False)
    network = candidate.architecture.make(candidate.classes)
    entry, remarks = file_notes.applied(candidate.architecture.entry(network, candidate.classes), checkpoint.said)
    needed = checkpoint.size + FLOAT * entry.parameters
    devices.check_memory(needed, file, "close other programs or take a smaller network")
    tensors = checkpoint.read()
    flatten = spec.option("flatten")
    if flatten not in (None, "hwc", "chw"):
        raise UsageError(f"flatten={flatten}: hwc or chw, the order in which dense layers see a map")
    if flatten == "hwc":
        tensors = {name: tensors[its] for name, its in candidate.fit.names.items()}
        tensors, said = channels_first(network, tensors, entry.input_size)
        notes = (*notes, said)
    done = load_into(network, tensors, file, title, strict=False)
    told = replace(entry, weights=file, licence="that of the file")
    return told, network.eval(), (*checkpoint.notes, *notes, *done, *remarks)


def _classes(spec: Spec) -> int | None:
    told = spec.option("classes")
    if told is None:
        return None
    if not told.isdecimal() or not 1 <= int(told) <= recognise.MOST_CLASSES:
        raise UsageError(f"classes={told}: a whole number of classes, for example classes=21")
    return int(told)


def file_of(spec: Spec) -> str | None:
    """The person's file that the weights of `spec` come from; None where there is none, or a zoo has its own."""
    if spec.kind is Kind.FILE:
        return spec.name
    weights = spec.option("weights")
    return None if weights == zoo_weights.DEFAULT and spec.kind in ZOOS else weights
