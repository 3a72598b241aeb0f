"""What the model card says of a network, and how what a person types there becomes a viewing option of its spec."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from segviz.core.capabilities import Ability, Verdict
from segviz.core.choices import Task
from segviz.core.errors import clean
from segviz.core.specs import Kind, Spec, parse
from segviz.gui import words
from segviz.gui.names import sentence

if TYPE_CHECKING:
    from segviz.core.entries import Entry
    from segviz.core.requests import Badge, Network

FLOAT = 4  # bytes of a weight
PREVIEW = 6  # names of classes that are told
NOT_EXAMINED = "not examined"
UNKNOWN = "unknown"


class Fact(NamedTuple):
    """One line of the card; `tip` is what does not fit on it."""

    name: str
    text: str
    tip: str = ""


class Finding(NamedTuple):
    """What is known of one ability; `verdict` None: nobody has tried."""

    ability: Ability
    verdict: Verdict | None
    reason: str = ""


class Field(NamedTuple):
    """One viewing option that can be changed on the card."""

    option: str
    caption: str
    tip: str
    placeholder: str = ""


FIELDS = (
    Field(
        "mean",
        "Mean",
        "Taken off every value of a pixel, from 0 to 255, before the network sees it: one number, or one a channel",
    ),
    Field("std", "Standard deviation", "What is left after the mean is divided by it: one number, or one a channel"),
    Field("channels", "Channels", "The order of colours that the network was trained on; L is grey"),
    Field("minimum", "Minimum", "The confidence below which a label of this network says nothing"),
    Field("input", "Input", "Channels × height × width of the image that the network was made for"),
    Field(
        "longest",
        "Longest side",
        "With the scale automatic, a larger image is reduced to so many pixels; empty: none is",
        "own size",
    ),
    Field("labels", "Class names", "A text file with one name a line, in the order of the classes"),
)


# --------------------------------------------------------------------------------------- facts


def facts(network: Network) -> tuple[Fact, ...]:
    """What `network` is and where it comes from, in the order of the card."""
    entry, spec = network.entry, parse(network.request.setup.model)
    found = (
        *_source(entry, spec),
        Fact("Task", entry.task.title, entry.task.hint),
        Fact("Parameters", words.count(network.total_parameters)),
        Fact("Memory", f"{words.short_count(FLOAT * network.total_parameters)}B of weights"),
        Fact("Classes", _classes(network.classes)),
        Fact("Names", names_from(entry, spec), spec.option("labels") or ""),
    )
    return tuple(fact for fact in found if fact.text)


def origin(entry: Entry) -> tuple[Fact, ...]:
    """Under which licence the network is, and who made it, as far as that is known."""
    licence = Fact("Licence", entry.licence or UNKNOWN)
    return (licence, Fact("Reference", entry.source)) if entry.source else (licence,)


def _source(entry: Entry, spec: Spec) -> tuple[Fact, ...]:
    own = spec.option("weights")
    weights = Fact("Weights", Path(own).name if own and Path(own).suffix else own or entry.weights_text, own or "")
    path = spec.name.rpartition(":")[0] or spec.name
    is_file = spec.kind is Kind.FILE or (spec.kind is Kind.PYTHON and path.endswith(".py"))
    if spec.kind is Kind.FILE:
        path = spec.name
    if not is_file:
        name = "" if spec.kind is Kind.CATALOGUE else f", {clean(spec.name)}"
        return Fact("Source", f"{spec.kind.title}{name}"), weights
    place = Path(path)
    where = (Fact("File", clean(place.name), clean(path)), Fact("Folder", clean(str(place.parent))))
    return (*where, weights) if own or not entry.trained else where


def _classes(names: tuple[str, ...]) -> str:
    if not names:
        return UNKNOWN
    more = ", …" if len(names) > PREVIEW else ""
    return f"{words.count(len(names))}: {', '.join(names[:PREVIEW])}{more}"


def names_from(entry: Entry, spec: Spec) -> str:
    """Where the names of the classes come from."""
    own = spec.option("labels")
    if own:
        return f"from {clean(Path(own).name)}"
    if entry.labels:
        return f"from {entry.labels}"
    if not entry.class_list:
        return "none, but numbers"
    return "from the catalogue" if spec.kind is Kind.CATALOGUE else "from the network"


def notes(network: Network) -> tuple[str, ...]:
    """What was done to open the network and to make the image fit, in sentences; the caution stands elsewhere."""
    return tuple(f"{sentence(_on_the_card(note))}." for note in network.notes if note != network.entry.caution)


def _on_the_card(note: str) -> str:
    """A note that names an option of a spec names the field of the card instead, where it has one."""
    captions = {field.option: field.caption for field in FIELDS}
    return re.sub(
        r"\?(\w+)=(?:CxHxW\b)?", lambda found: f'"{captions[found[1]]}"' if found[1] in captions else found[0], note
    )


# --------------------------------------------------------------------------------------- badge


def findings(network: Network, badge: Badge | None) -> tuple[Finding, ...]:
    """What can be done with `network`: as it was examined; else what its description says already."""
    if badge is not None:
        return tuple(Finding(one.ability, one.verdict, one.reason) for one in badge.capabilities)
    known = {Ability.CONVERTS: _converts(network)}
    return tuple(known.get(ability) or Finding(ability, None) for ability in Ability)


def _converts(network: Network) -> Finding:
    if network.refusal:
        return Finding(Ability.CONVERTS, Verdict.NO, network.refusal)
    steps = len(network.conversion)
    if steps:
        reason = f"{words.many(steps, 'layer')} {'becomes a convolution' if steps == 1 else 'become convolutions'}"
    else:
        per_pixel = network.entry.task is Task.SEGMENTATION
        reason = "it answers per pixel by itself" if per_pixel else "it is convolutional from the start"
    return Finding(Ability.CONVERTS, Verdict.YES, reason)


def said(finding: Finding) -> str:
    """A finding for those who do not see its sign: 'Converts: no, layer head mixes all positions'."""
    verdict = finding.verdict.value if finding.verdict is not None else NOT_EXAMINED
    return f"{finding.ability.title}: {verdict}" + (f", {finding.reason}" if finding.reason else "")


# -------------------------------------------------------------------------------------- fields


def shown(entry: Entry, spec: Spec, option: str) -> str:
    """What stands in the field of a viewing option."""
    seen = entry.preprocessing
    texts = {
        "mean": _numbers(seen.mean),
        "std": _numbers(seen.std),
        "channels": seen.channels,
        "minimum": f"{entry.minimum * 100:g} %",
        "input": words.shape(entry.input_size),
        "longest": "" if entry.longest_side is None else words.count(entry.longest_side),
        "labels": spec.option("labels") or "",
    }
    return texts[option]


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.7g}" for value in values)


def typed(option: str, text: str) -> str | None:
    """The value of a viewing option that a person means by `text`; None: what the network brings.

    What makes no sense is passed on, to be refused in words by whoever knows what would.
    """
    text = text.replace("−", "-").strip()
    if option in ("mean", "std"):
        return ",".join(part for part in re.split(r"[,;\s]+", text) if part)
    if option == "input":
        return re.sub(r"[\s,]", "", text.replace("×", "x"))
    if option == "longest":
        return re.sub(r"[\s,]|px$", "", text) or "0"
    if option == "minimum":
        return _share(text)
    if option == "labels":
        return str(Path(text).expanduser().absolute()) if text else None
    return text


def _share(text: str) -> str:
    """'80 %', '80' and '0.8' are one."""
    number = text.removesuffix("%").strip()
    try:
        value = float(number)
    except ValueError:
        return text
    return f"{value / 100 if text.endswith('%') or value > 1 else value:.6g}"


# --------------------------------------------------------------------------------------- table


def rows(network: Network, badge: Badge | None) -> list[list[object]]:
    """The card as a table, its head first."""
    spec = parse(network.request.setup.model)
    about = [(fact.name, fact.text) for fact in (*facts(network), *origin(network.entry))]
    fields = [(field.caption, shown(network.entry, spec, field.option)) for field in FIELDS if field.option != "labels"]
    found = (said(finding).partition(": ") for finding in findings(network, badge))
    noted = [("Note", note) for note in (network.entry.caution, *notes(network)) if note]
    head = [("fact", "value"), ("Name", network.entry.title), ("Spec", network.request.setup.model)]
    told = [*head, *about, *fields, *((name, text) for name, _, text in found), *noted]
    return [list(row) for row in told]
