"""Which architecture a bare state dict belongs to: found out from the names and shapes of its tensors.

Every network of the catalogue is held against the file, then those of torchvision. One that wants exactly
these tensors is the one; a last layer of another size is another number of classes. Where several fit or
none does, people are told which, and how well.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from segviz.core.errors import SegvizError, named
from segviz.engine.architectures import Architecture, of_catalogue, of_torchvision, signature
from segviz.engine.safetensor import Header
from segviz.engine.weights import Fit, Headers, fit, renamed

LEAST_SHARE = 0.9  # of all tensors on both sides must fit, if nobody has named the architecture
LEAST_RESEMBLANCE = 0.25  # of all tensors on both sides must have the same names, where a network is called the closest
COMPARED = 6  # candidates that are looked at closely
FAMILIES = 3  # of torchvision's, that are tried before all others
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
    """Whether a tensor is one of the last layer's, made for another number of classes: as large for each of them."""
    if own.shape[:1] != (classes,) or not its.count or own.shape[0] == its.shape[0]:
        return False
    return own.count // own.shape[0] == its.count // its.shape[0]


def _candidates(path: Path, headers: Headers) -> list[Candidate]:
    """The closest architectures, the best first. Rounds end with the first in which one fits exactly."""
    found: list[Candidate] = []
    for architectures in _rounds(path, headers):
        seen = {id(candidate.architecture) for candidate in found}
        fresh = [one for one in architectures if id(one) not in seen]
        found = sorted([*found, *_closest(fresh, headers)], key=_merit)[:COMPARED]
        if found and found[0].fit.complete and found[0].fit.share == 1:
            break
    return found


def _rounds(path: Path, headers: Headers) -> Iterator[list[Architecture]]:
    """Architectures in the order of what it costs to build them, and of how likely they are.

    All of torchvision's take seconds, so that those named like the file come first, then families one of
    which resembles it.
    """
    yield list(of_catalogue().values())
    zoo = [one for name, one in of_torchvision().items() if name not in of_catalogue()]  # some are in both
    yield [one for one in zoo if one.name in path.stem.lower()]
    families: dict[str, list[Architecture]] = {}
    for one in zoo:
        families.setdefault(re.split(r"[\d_]", one.name)[0], []).append(one)
    first = {id(members[0]): members for members in families.values()}
    for close in _most_common([members[0] for members in families.values()], headers, FAMILIES):
        yield first[id(close)]
    yield zoo


def _closest(architectures: list[Architecture], headers: Headers) -> list[Candidate]:
    """Those that have most names in common with the file, looked at closely."""
    return [suited(architecture, headers) for architecture in _most_common(architectures, headers, COMPARED)]


def _most_common(architectures: list[Architecture], headers: Headers, count: int) -> list[Architecture]:
    """The `count` architectures that have most names in common with the file, of all that either has."""
    names = [set(short) for _, short in renamed(headers)]

    def common(architecture: Architecture) -> float:
        own = signature(architecture).keys()
        return max(len(own & some) / len(own | some) for some in names)

    return heapq.nlargest(count, architectures, key=common)


def _merit(candidate: Candidate) -> tuple[bool, float]:
    return not candidate.fit.complete, -candidate.fit.share


def _unknown(path: Path, found: list[Candidate], count: int) -> SegvizError:
    close = [candidate for candidate in found if candidate.fit.names or candidate.fit.misshaped]
    told = "no matching tensor in any"
    if close:
        best = max(close, key=lambda candidate: candidate.fit.resemblance)
        closest = f"closest is {best.architecture.title} ({best.fit.closely})"
        told = closest if best.fit.resemblance >= LEAST_RESEMBLANCE else "none of its networks is close"
    report = "\n\n".join(f"{candidate.architecture.title}: {candidate.fit.report}" for candidate in close)
    return SegvizError(
        f"{named(path)}: {_counted(count)} of another model than segviz knows; {told}. Name it with ?arch=, "
        "or bring its code: a .py, TorchScript, .pt2 or ONNX file",
        report,
    )


def _counted(tensors: int) -> str:
    return "its one tensor is" if tensors == 1 else f"its {tensors:,} tensors are"
