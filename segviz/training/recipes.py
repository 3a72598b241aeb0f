"""What is trained, on what, and how: everything that decides the weights, seed included."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from segviz.core.choices import DataName, RecipeName
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError, UsageError
from segviz.core.learning import TrainRequest
from segviz.core.recipe_data import check_data
from segviz.core.references import load
from segviz.core.weight_maps import Weighting
from segviz.training.augmentation import Augmentation
from segviz.training.batches import Source

# What makes a source, as 'module:callable', called with (entry, quick, **Recipe.data_options).
SOURCES: dict[DataName, str] = {
    DataName.DIGITS: "segviz.training.pictures:digits",
    DataName.DIGIT_PAGES: "segviz.training.digit_pages:DigitPages",
    DataName.STAMPS: "segviz.training.scenes:stamps",
    DataName.CELLS: "segviz.training.cells:cells",
    DataName.CLOTHES: "segviz.training.pictures:clothes",
}
SEEDS = 2**63  # as many numbers as torch and numpy both begin with
FOLDERS = "segviz.training.crops:folder"  # the same of a person's own folder, called with (path, entry, weighting)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A training run. `network` is a spec of the catalogue; `builder` replaces the entry's, `options` are given to it.

    `data` names a source, `data_options` are given to it; data that a person chooses instead take none, but for
    the `weighting` of pixels, which a folder takes. The learning rate rises for the first share `warm_up` of all
    steps to `learning_rate` and falls to zero along half a cosine; `factors` multiply it for parameters whose names
    begin so. What begins with one of `frozen` learns nothing: no gradient, and its batch normalisation keeps its
    statistics, as does that of what is `steady`.

    The loss is that of `kept` of all pixels, drawn anew in every step, each multiplied by the number of its class
    in `class_weights`; `patches` cuts the patch of every pixel out (T27) instead of taking whole images (T28).
    `undecided` weighs the images that show nothing. With `ladder` the network has a method `ladder(x)`, which gives
    logits of several depths, and the loss is the mean of theirs, weighted by `depth_weights` where it is given. With
    `heatmap` it answers on a grid of its own, each unit for the pixel in the middle of its field.

    Weights begin as torch draws them (`plain`), or after He et al. 2015 and as the network's own paper says;
    `begin` gives submodules (or '' for all) those of a file of `resources/models` instead. The file that comes out
    holds halves where `half` is set. One thread gives the same sums on any number of cores. `tests` is how often
    held-out data are scored. `epoch` is the number of steps in which all images are shown once, 0 where they are
    made anew for every step. `quick` is what changes in the form that shows in seconds that learning works.
    """

    network: str
    data: DataName
    steps: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.0
    builder: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    data_options: Mapping[str, Any] = field(default_factory=dict)
    warm_up: float = 0.1
    factors: tuple[tuple[str, float], ...] = ()
    frozen: tuple[str, ...] = ()
    steady: tuple[str, ...] = ()
    begin: tuple[tuple[str, str], ...] = ()
    plain: bool = False
    kept: float = 1.0
    class_weights: tuple[float, ...] = ()
    patches: bool = False
    undecided: float = 0.0
    ladder: bool = False
    depth_weights: tuple[float, ...] = ()
    heatmap: bool = False
    half: bool = False
    seed: int = 0
    threads: int = 1
    tests: int = 10
    epoch: int = 0
    quick: Mapping[str, Any] = field(default_factory=dict)


_TURNED = Augmentation(shift=3.0, smallest=0.85, largest=1.2, turn=10.0)
_SMALL = {"side": 64}  # pixels of a page, in quick forms
# Paper is nine pixels of ten: in so few steps little else would be learned, were it to count like the rest.
_QUICK_PAPER, _QUICKEST_PAPER = ((paper, *[1.0] * 10) for paper in (0.3, 0.15))
_PAGES: dict[str, Any] = {"data": DataName.DIGIT_PAGES, "batch": 8, "learning_rate": 5e-3, "weight_decay": 0.01}
# What finds edges and textures stays as it is, and the last upsamplings stay bilinear (Long et al. 2015, section 4.3).
_SCENES_FROZEN = (
    *("backbone.stem", "backbone.bn_stem", "backbone.blocks.0", "backbone.blocks.1", "backbone.blocks.2"),
    *("upscore", "upscore16", "upscore8"),
)
_CELLS: dict[str, Any] = {
    "network": "unet-cells",
    "data": DataName.CELLS,
    "steps": 700,
    "batch": 4,
    "learning_rate": 2e-3,
    "plain": True,
    "half": True,
    "threads": 2,
    "tests": 7,
    "quick": {"steps": 50, "batch": 1, "tests": 2, "threads": 1},
}
# The borders weigh so much that at first background everywhere costs least: a quick run would not get beyond it.
_QUICK_BORDERS: dict[str, Any] = {**_CELLS["quick"], "class_weights": (0.4, 1.0)}
_HEADS: dict[str, Any] = {
    "network": "nin-digits",
    "data": DataName.CLOTHES,
    "steps": 1_560,
    "epoch": 156,
    "batch": 64,
    "learning_rate": 5e-3,
    "weight_decay": 0.01,
    "half": True,
    "quick": {"steps": 40, "tests": 2},
}

RECIPES: dict[RecipeName, Recipe] = {
    RecipeName.LENET5: Recipe(
        network="lenet5",
        data=DataName.DIGITS,
        data_options={"augmentation": _TURNED, "undecided": True},
        steps=5_000,
        epoch=125,
        batch=64,
        learning_rate=4e-3,
        weight_decay=0.02,
        undecided=0.5,
        plain=True,
        quick={"steps": 120, "data_options": {"augmentation": Augmentation(shift=1.0), "undecided": True}},
    ),
    RecipeName.DIGITS_FCN: Recipe(
        network="fcn8s-digits",
        builder="segviz.models.fcn:fcn_digits_ladder",
        ladder=True,
        half=True,
        steps=1_500,
        quick={"steps": 80, "batch": 3, "class_weights": _QUICK_PAPER, "tests": 2, "data_options": _SMALL},
        **_PAGES,
    ),
    RecipeName.DIGITS_SEGNET: Recipe(
        network="segnet-digits",
        half=True,
        steps=800,
        quick={"steps": 60, "batch": 5, "tests": 2, "data_options": _SMALL},
        **_PAGES,
    ),
    RecipeName.DIGITS_ALLCONV: Recipe(
        network="onlyconv-digits",
        half=True,
        steps=1_500,
        quick={"steps": 60, "batch": 2, "class_weights": _QUICKEST_PAPER, "tests": 2, "data_options": _SMALL},
        **_PAGES,
    ),
    RecipeName.FCN_SCENES: Recipe(
        network="fcn8s-efficientnet_lite0",
        builder="segviz.models.fcn:fcn_scenes_ladder",
        data=DataName.STAMPS,
        ladder=True,
        depth_weights=(0.5, 0.75, 1.75),
        begin=(("backbone", "efficientnet_lite0_imagenet.safetensors"),),
        frozen=_SCENES_FROZEN,
        steady=("backbone",),
        factors=(("backbone", 0.2),),
        class_weights=(0.6, *[1.0] * 6),
        steps=1_200,
        batch=8,
        learning_rate=1.5e-3,
        weight_decay=0.02,
        warm_up=0.05,
        half=True,
        tests=4,
        quick={"steps": 24, "batch": 3, "tests": 1, "learning_rate": 4e-3},
    ),
    RecipeName.UNET_CELLS: Recipe(data_options={"weighting": Weighting.BORDERS}, **{**_CELLS, "quick": _QUICK_BORDERS}),
    RecipeName.UNET_CELLS_PLAIN: Recipe(
        data_options={"weighting": Weighting.CLASSES}, **{**_CELLS, "network": "unet-cells-plain"}
    ),
    RecipeName.HEADS_DENSE: Recipe(options={"head": "dense"}, **_HEADS),
    RecipeName.HEADS_DROPOUT: Recipe(options={"head": "dropout"}, **_HEADS),
    RecipeName.HEADS_GAP: Recipe(options={"head": "gap"}, **_HEADS),
}


def recipe(request: TrainRequest) -> Recipe:
    """The recipe that `request` names, with what it changes.

    Raises UsageError for a name that there is not and for numbers that make no sense.
    """
    if request.recipe not in RECIPES:
        raise UsageError(f"no training recipe '{request.recipe}'; there are: {', '.join(RECIPES)}")
    found = RECIPES[RecipeName(request.recipe)]
    if request.quick:
        found = replace(found, **found.quick)
    if request.data not in (None, found.data):
        found = replace(found, class_weights=())  # they are those of its own classes
    wanted = ("seed", "steps", "learning_rate", "kept", "class_weights", "patches")
    changes = {name: getattr(request, name) for name in wanted if getattr(request, name) is not None}
    found = replace(found, **changes)
    for value, holds, text in (
        (found.steps, found.steps >= 1, "steps: at least one is needed"),
        (found.learning_rate, 0 < found.learning_rate < math.inf, "is no learning rate: it is a number above 0"),
        (found.seed, 0 <= found.seed < SEEDS, f"is no seed: it is a whole number from 0 to {SEEDS - 1}"),
        (found.kept, 0 < found.kept <= 1, "is no share of pixels to keep: it is above 0 and at most 1"),
        (found.class_weights, all(weight >= 0 for weight in found.class_weights), "as class weights: none is below 0"),
    ):
        if not holds:
            raise UsageError(f"{value} {text}")
    return found


def steps_of(name: str, epochs: int) -> int:
    """So many rounds over all images, in steps. Raises UsageError where a recipe has no rounds, or there is none."""
    found = recipe(TrainRequest(name))
    if not found.epoch:
        raise UsageError(f"--epochs {epochs}: {name} makes its images anew for every step; say --steps")
    return epochs * found.epoch


def source_of(plan: Recipe, request: TrainRequest, entry: Entry) -> Source:
    """What `plan` learns from, or the data of `request` instead. Raises SegvizError for data that there are not."""
    name = plan.data if request.data is None else request.data
    if name not in SOURCES and (Path(name).exists() or len(Path(name).parts) > 1):
        # The weights of pixels belong to the recipe, whatever data it is given.
        own: Source = load(FOLDERS)(Path(name), entry, plan.data_options.get("weighting", Weighting.NONE))
        return own
    check_data(RecipeName(request.recipe), name)
    options = plan.data_options if name == plan.data else {}
    made: Source = load(SOURCES[DataName(name)])(entry, request.quick, **options)
    return made


def entry_for(plan: Recipe, classes: tuple[str, ...], entry: Entry, request: TrainRequest) -> Entry:
    """What is known of the network, which other data may give other classes, and a person's folder another number.

    Raises SegvizError where class weights and data, or patches and network, do not go together.
    """
    if plan.class_weights and len(plan.class_weights) != len(classes):
        raise SegvizError(f"{len(plan.class_weights)} class weights for {len(classes)} classes: give one for each")
    if plan.patches and plan.ladder:
        raise SegvizError("a network with several outputs cannot learn patch by patch; train it on whole images")
    return entry if classes == entry.classes else entry.taught(classes)
