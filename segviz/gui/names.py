"""What things are called in the window: images, networks, sentences."""

from __future__ import annotations

from pathlib import Path

from segviz.core import catalogue
from segviz.core.errors import clean

PASTED = "Pasted image"
PASTED_PREFIX = "pasted-"  # of the files in the cache folder that hold pasted pictures
ABBREVIATIONS = {"ihc": "IHC"}


def is_pasted(path: str | Path) -> bool:
    """Whether the file holds a picture that came from the clipboard."""
    place = Path(path)
    return place.name.startswith(PASTED_PREFIX) and place.parent.name == "pasted"


def image_title(path: str | Path) -> str:
    """The name of an image's file; a pasted picture has none that says anything."""
    return PASTED if is_pasted(path) else clean(Path(path).name)


def sample_title(path: str | Path) -> str:
    """What a shipped image is called in lists: 'Castle maintenon', 'Digits 512 × 512', 'IHC'."""
    words = Path(path).stem.replace("_", "-").split("-")
    known = [ABBREVIATIONS.get(word, word) for word in words]
    text = " ".join(" × ".join(word.split("x")) if word.replace("x", "").isdigit() else word for word in known)
    return text[:1].upper() + text[1:]


def specs(entry: catalogue.Entry) -> tuple[tuple[str, str], ...]:
    """(spec, title) of a network and its variants; the first variant is what the bare name means."""
    variants = list(entry.variants)[1:]
    more = ((f"{entry.name}?{option}", f"{entry.title}, {option.replace('=', ' ')}") for option in variants)
    return (entry.name, entry.title), *more


def title_of(spec: str) -> str:
    """What people call the network of a spec; the spec itself where the catalogue does not have it."""
    for entry in catalogue.ENTRIES:
        for known, title in specs(entry):
            if known == spec:
                return title
    return spec


def caution_of(spec: str) -> str:
    """What to know before one believes the network of a spec; empty where there is nothing, or no such network."""
    name = spec.partition("?")[0]
    return next((entry.caution for entry in catalogue.ENTRIES if entry.name == name), "")


def sentence(text: str) -> str:
    """`text` with a capital first letter, unless it begins with a name: 'net.pth: ...', 'segviz did ...'."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first != "segviz" else text
