"""What things are called in the window: images, networks, sentences."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from segviz.core import catalogue
from segviz.core.entries import Entry
from segviz.core.errors import UsageError, clean, named
from segviz.core.specs import Kind, parse
from segviz.gui import words

PASTED = "Pasted image"
PASTED_PREFIX = "pasted-"  # of the files in the cache folder that hold pasted pictures
BOARD = "Whiteboard"
SAMPLES = {  # where the file's name does not say it
    "castle-maintenon": "Castle of Maintenon",
    "cell": "Cell under the microscope",
    "chelsea": "Chelsea, a cat",
    "china": "Chinese palace",
    "grace_hopper": "Grace Hopper",
    "ihc": "IHC-stained tissue",
}


# A drawing, its size, and in the end what tells the files of its states apart.
_BOARD = re.compile(r"board-(?P<drawing>[0-9a-f]{8})-(?P<width>\d{1,5})x(?P<height>\d{1,5})-[0-9a-f]{8}\.png")


def is_pasted(path: str | Path) -> bool:
    """Whether the file holds a picture that came from the clipboard."""
    place = Path(path)
    return place.name.startswith(PASTED_PREFIX) and place.parent.name == "pasted"


def board_file(size: tuple[int, int], name: str = "", state: str = "") -> str:
    """What a file of a drawing of (width, height) is called.

    `name` is that of another file of the same drawing; `state` (8 hexadecimal digits) tells the two apart.
    """
    known = _BOARD.fullmatch(name)
    drawing = known["drawing"] if known else secrets.token_hex(4)
    return f"board-{drawing}-{size[0]}x{size[1]}-{state or secrets.token_hex(4)}.png"


def board_size(path: str | Path | None) -> tuple[int, int] | None:
    """(width, height) of a drawing, by the name of its file alone; None for any other image."""
    known = _BOARD.fullmatch(Path(path).name) if path is not None else None
    return (int(known["width"]), int(known["height"])) if known else None


def is_board(path: str | Path | None) -> bool:
    """Whether the file holds a drawing that was made here."""
    return board_size(path) is not None


def same_image(one: str, other: str) -> bool:
    """Whether two paths are one image, or two states of one drawing of one size."""
    a, b = (_BOARD.fullmatch(Path(path).name) for path in (one, other))
    return one == other or (a is not None and b is not None and a.groups() == b.groups())


def image_title(path: str | Path) -> str:
    """The name of an image's file; pasted pictures and drawings have none that says anything."""
    if is_board(path):
        return BOARD
    return PASTED if is_pasted(path) else clean(Path(path).name)


def opening(name: str) -> str:
    """What is said in the place of an image or a network, `name`, until it is open."""
    return f"opening {name}{words.NARROW}…"


def sample_title(path: str | Path) -> str:
    """What a shipped image is called in lists: 'Castle of Maintenon', 'Digits 512 × 512', 'IHC'."""
    if Path(path).stem in SAMPLES:
        return SAMPLES[Path(path).stem]
    known = Path(path).stem.replace("_", "-").split("-")
    text = " ".join(" × ".join(word.split("x")) if word.replace("x", "").isdigit() else word for word in known)
    return text[:1].upper() + text[1:]


def specs(entry: Entry) -> tuple[tuple[str, str], ...]:
    """(spec, title) of a network and its variants; the first variant is what the bare name means."""
    variants = list(entry.variants)[1:]
    more = ((f"{entry.name}?{option}", f"{entry.title}, {option.replace('=', ' ')}") for option in variants)
    return (entry.name, entry.title), *more


def title_of(spec: str) -> str:
    """What people call the network of a spec, however it is viewed: its title in the catalogue, else its name.

    What is no spec, or in no catalogue, is called as it is written.
    """
    try:
        source = parse(spec).opening
    except UsageError:
        return spec
    if source.kind is not Kind.CATALOGUE:
        title = clean(source.title)
        return title.replace("\\", "/").rpartition("/")[2] if source.kind is Kind.PYTHON else title
    bare = str(source.without(*catalogue.GENERAL))
    titles = {known: title for entry in catalogue.ENTRIES for known, title in (*specs(entry), *_first_variant(entry))}
    weights = source.option("weights")
    own = f", {named(weights)}" if weights else ""
    return f"{titles[bare]}{own}" if bare in titles else spec


def _first_variant(entry: Entry) -> tuple[tuple[str, str], ...]:
    """The variant that the bare name means, spelled out."""
    return tuple((f"{entry.name}?{option}", entry.title) for option in list(entry.variants)[:1])


def sentence(text: str) -> str:
    """`text` with a capital first letter, unless it begins with a name: 'net.pth: ...', 'segviz did ...'."""
    first = text.partition(" ")[0]
    return text[:1].upper() + text[1:] if first.isalpha() and first != "segviz" else text
