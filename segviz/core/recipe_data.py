"""Which recipe can learn from which data, and what these need: torch-free, for help, lists and messages."""

from __future__ import annotations

from pathlib import Path

from segviz.core.choices import DataName, RecipeName
from segviz.core.errors import SegvizError

_PICTURES = (DataName.DIGITS, DataName.CLOTHES)  # ten classes each, one answer for a picture
# The data of segviz that a recipe takes, its own first; they have the classes of its network.
TAKES: dict[RecipeName, tuple[DataName, ...]] = {
    RecipeName.LENET5: _PICTURES,
    RecipeName.DIGITS_FCN: (DataName.DIGIT_PAGES,),
    RecipeName.DIGITS_SEGNET: (DataName.DIGIT_PAGES,),
    RecipeName.DIGITS_ALLCONV: (DataName.DIGIT_PAGES,),
    RecipeName.FCN_SCENES: (DataName.STAMPS,),
    RecipeName.UNET_CELLS: (DataName.CELLS,),
    RecipeName.UNET_CELLS_PLAIN: (DataName.CELLS,),
    RecipeName.HEADS_DENSE: _PICTURES[::-1],
    RecipeName.HEADS_DROPOUT: _PICTURES[::-1],
    RecipeName.HEADS_GAP: _PICTURES[::-1],
}
# Debian's packages with the pictures that data are made of; a quick form takes a few that segviz brings.
PACKAGES: dict[DataName, tuple[str, ...]] = {
    DataName.STAMPS: (
        *("tuxpaint-stamps-default", "mate-backgrounds", "lomiri-wallpapers-16.04"),
        "plasma-workspace-wallpapers",
    )
}


def takes_folder(recipe: RecipeName) -> bool:
    """Whether a person's own images with masks will do: where the network answers for every pixel."""
    return TAKES[recipe][0] not in _PICTURES


def taken(recipe: RecipeName) -> tuple[str, ...]:
    """What `--data` may be for a recipe, its own data first."""
    return (*TAKES[recipe], "FOLDER") if takes_folder(recipe) else TAKES[recipe]


def check_data(recipe: RecipeName, name: str) -> None:
    """Raise SegvizError where `name`, which is no folder, is not data that `recipe` learns from, with what is."""
    if name in TAKES[recipe]:
        return
    from segviz.core.pairs import shipped  # numpy, which help does without

    own = " or ".join(TAKES[recipe]) + (", or from a folder of images with masks" if takes_folder(recipe) else "")
    if name in set(DataName):
        others = ", ".join(other for other, known in TAKES.items() if name in known)
        raise SegvizError(f"{recipe} does not learn from {name}: it learns from {own}; what takes {name}: {others}")
    if name in shipped():
        raise SegvizError(f"{name} are held out, for scores alone (segviz evaluate); {recipe} learns from {own}")
    missing = f" (and there is no folder {Path(name).name} here)" if takes_folder(recipe) else ""
    raise SegvizError(f"no data '{name}' to learn from{missing}; {recipe} learns from {own}")
