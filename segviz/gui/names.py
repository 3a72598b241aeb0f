"""What things are called in the window: images, networks, sentences."""

from __future__ import annotations

from pathlib import Path

from segviz.core import catalogue
from segviz.core.errors import clean

PASTED = "Pasted image"
PASTED_PREFIX = "pasted-"  # of the files in the cache folder that hold pasted pictures
SAMPLES = {  # where the file's name does not say it
    "castle-maintenon": "Castle of Maintenon",
    "cell": "Cell under the microscope",
    "chelsea": "Chelsea, a cat",
    "china": "Chinese palace",
    "grace_hopper": "Grace Hopper",
    "ihc": "IHC-stained tissue",
}


def is_pasted(path: str | Path) -> bool:
    """Whether the file holds a picture that came from the clipboard."""
    place = Path(path)
    return place.name.startswith(PASTED_PREFIX) and place.parent.name == "pasted"


def image_title(path: str | Path) -> str:
    """The name of an image's file; a pasted picture has none that says anything."""
    return PASTED if is_pasted(path) else clean(Path(path).name)


def sample_title(path: str | Path) -> str:
    """What a shipped image is called in lists: 'Castle of Maintenon', 'Digits 512 × 512', 'IHC'."""
    if Path(path).stem in SAMPLES:
        return SAMPLES[Path(path).stem]
    known = Path(path).stem.replace("_", "-").split("-")
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


def sentence(text: str) -> str:
    """`text` with a capital first letter, unless it begins with a name: 'net.pth: ...', 'segviz did ...'."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first != "segviz" else text
