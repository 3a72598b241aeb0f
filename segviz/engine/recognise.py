"""Which architecture a bare state dict belongs to: found out from the names and shapes of its tensors.

Every network of the catalogue is held against the file, then those of torchvision. One that wants exactly
these tensors is the one; a last layer of another size is another number of classes. Where several fit or
none does, people are told which, and how well.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from segviz.core.errors import SegvizError, named
from segviz.engine.architectures import Architecture, of_catalogue, of_torchvision, signature
from segviz.engine.safetensor import Header
from segviz.engine.weights import Fit, Headers, fit, renamed

LEAST_SHARE = 0.9  # of all tensors on both sides must fit, if nobody has named the architecture
COMPARED = 6  # candidates that are looked at closely
MOST_CLASSES = 1_000_000


@dataclass(frozen=True, eq=False)
class Candidate:
    """An architecture, how a file suits it, and the number of classes that the file has (None: its own)."""

    architecture: Architecture
    fit: Fit
    classes: int | None = None

    @property
    def text(self) -> str:
        return f"{self.architecture.title} ({self.fit.text})"


def recognised(path: Path, headers: Headers) -> tuple[Candidate, tuple[str, ...]]:
    """The architecture of the tensors in `path`, and notes on it.

    Raises SegvizError where none fits: with the closest ones, and how to name one.
    """
    found = _candidates(path, headers)
    fitting = [candidate for candidate in found if candidate.fit.complete and candidate.fit.share >= LEAST_SHARE]
    if not fitting:
        raise _unknown(path, found, len(headers))
    best, others = fitting[0], fitting[1:]
    notes = [f"recognised as {best.architecture.title} by its tensors: {best.fit.text}"]
    if others:
        also = ", ".join(candidate.text for candidate in others)
        notes.append(f"it fits others too: {also}; ?arch= names one")
    return best, tuple(notes)


def suited(architecture: Architecture, headers: Headers, classes: int | None = None) -> Candidate:
    """How a file suits one architecture, with as many classes as `classes` says or else its last layer has."""
    if classes is not None:
        return Candidate(architecture, fit(signature(architecture, classes), headers), classes)
    found = fit(signature(architecture), headers)
    counted = None if architecture.fixed or not found.misshaped else _classes(architecture, headers, found)
    if counted is None:
        return Candidate(architecture, found)
    other = fit(signature(architecture, counted), headers)
    better = len(other.misshaped) < len(found.misshaped)
    return Candidate(architecture, other, counted) if better else Candidate(architecture, found)


def _classes(architecture: Architecture, headers: Headers, found: Fit) -> int | None:
    """The one number that the file has wherever the architecture has its number of classes."""
    told = set()
    for name, own in signature(architecture).items():
        its = headers.get(found.prefix + name)
        if its is not None and _is_last(own, its, architecture.classes):
            told.add(its.shape[0])
    return told.pop() if len(told) == 1 and max(told) <= MOST_CLASSES else None


def _is_last(own: Header, its: Header, classes: int) -> bool:
    """Whether a tensor is one of the last layer's, made for another number of classes."""
    return own.shape != its.shape and own.shape[:1] == (classes,) and len(own.shape) == len(its.shape)


def _candidates(path: Path, headers: Headers) -> list[Candidate]:
    """The closest architectures, the best first. torchvision's are built only where the catalogue has none."""
    found = _closest(of_catalogue().values(), headers)
    if found and found[0].fit.complete and found[0].fit.share == 1:
        return found
    zoo = of_torchvision()
    hinted = [one for one in zoo.values() if one.name in path.stem.lower()]
    likely = _closest(hinted, headers)
    if not (likely and likely[0].fit.complete and likely[0].fit.share == 1):
        likely = _closest(zoo.values(), headers)
    return sorted([*found, *likely], key=_merit)[:COMPARED]


def _closest(architectures: Iterable[Architecture], headers: Headers) -> list[Candidate]:
    """Those that have most names in common with the file, looked at closely, the best first."""
    names = [set(short) for _, short in renamed(headers)]

    def common(architecture: Architecture) -> float:
        own = signature(architecture).keys()
        return max(len(own & some) / len(own | some) for some in names)

    close = heapq.nlargest(COMPARED, architectures, key=common)
    return sorted((suited(architecture, headers) for architecture in close), key=_merit)


def _merit(candidate: Candidate) -> tuple[bool, float]:
    return not candidate.fit.complete, -candidate.fit.share


def _unknown(path: Path, found: list[Candidate], count: int) -> SegvizError:
    close = [candidate for candidate in found if candidate.fit.names]
    told = f"closest is {close[0].text}" if close else "no matching tensor in any"
    report = "\n\n".join(f"{candidate.architecture.title}: {candidate.fit.report}" for candidate in close)
    return SegvizError(
        f"{named(path)}: its {count:,} tensors are of another model than segviz knows; {told}. Name it with ?arch=, "
        "or bring its code: a .py, TorchScript, .pt2 or ONNX file",
        report,
    )
