"""What is trained, on what, and how: everything that decides the weights, seed included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from segviz.core.errors import UsageError
from segviz.training.augmentation import Augmentation


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training run. `network` is a model spec of the catalogue; its weights are what comes out.

    `nothing` weighs windows without a digit, one for every two digits, that are to be answered with
    equal probabilities (outlier exposure: Hendrycks, Mazeika and Dietterich 2019): a classifier
    without a background class then tells by low confidence that there is nothing to name.

    `steps` limits the steps of an epoch, and None shows all images once. The learning rate rises
    for the first tenth of all steps to `learning_rate` and falls to zero along half a cosine. One
    thread gives the same sums on any number of cores, and for small networks is no slower.
    """

    network: str
    title: str
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float
    augmentation: Augmentation
    nothing: float = 0.0
    seed: int = 0
    steps: int | None = None
    threads: int = 1


RECIPES: dict[str, Recipe] = {
    "lenet5": Recipe(
        network="lenet5",
        title="LeNet-5 on 8,000 handwritten digits",
        epochs=40,
        batch=64,
        learning_rate=4e-3,
        weight_decay=0.02,
        augmentation=Augmentation(shift=3.0, smallest=0.85, largest=1.2, turn=10.0),
        nothing=0.5,
    ),
}

# A quick run shows that learning works, in seconds; its weights are not worth keeping.
QUICK: dict[str, dict[str, Any]] = {"lenet5": {"epochs": 2, "steps": 60, "augmentation": Augmentation(shift=1.0)}}


def recipe(name: str, epochs: int | None = None, quick: bool = False) -> Recipe:
    """The recipe `name`, its quick form if `quick`, with another number of epochs if given.

    Raises UsageError for an unknown name or fewer than one epoch.
    """
    if name not in RECIPES:
        raise UsageError(f"no training recipe '{name}'; there are: {', '.join(RECIPES)}")
    if epochs is not None and epochs < 1:
        raise UsageError(f"{epochs} epochs: at least one is needed")
    found = replace(RECIPES[name], **QUICK[name]) if quick else RECIPES[name]
    return found if epochs is None else replace(found, epochs=epochs)
