"""What is asked of a training process and what it answers: frozen values, as `core/requests` has them.

A run is described by the name of its recipe, by the data, and by what a person changed of it. It reports
how far it is and shows what the network answers on samples that never change. Whoever stops it leaves a
checkpoint, from which the same request goes on with the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from segviz.core.choices import RecipeName
from segviz.core.session_values import filled, flag

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """Train by a recipe, or go on from `checkpoint` where that file exists and belongs to the same request.

    `data` replaces the recipe's own: a name or a folder. `steps` replaces its number of steps. `kept` is the
    share of pixels whose loss counts, drawn anew in every step (loss masking: lecture T28); `class_weights`
    re-weights the loss, one number a class (T28); `patches` trains patch by patch (T27) instead of on whole
    images. None leaves what the recipe says. `out` is where the weights go in the end, None: nowhere. To `finish`
    is to take no more steps: what the checkpoint has learned is tested, and its weights are the result.
    """

    recipe: str
    data: str | None = None
    quick: bool = False
    seed: int | None = None
    steps: int | None = None
    learning_rate: float | None = None
    kept: float | None = None
    class_weights: tuple[float, ...] | None = None
    patches: bool | None = None
    out: str | None = None
    checkpoint: str | None = None
    finish: bool = False

    @property
    def chosen(self) -> TrainRequest:
        """What a person has chosen of it, without the files of one run."""
        return replace(self, out=None, checkpoint=None, finish=False)


USUAL = TrainRequest(RecipeName.LENET5.value, quick=True)  # what is chosen before a person chooses


def to_values(request: TrainRequest) -> dict[str, Any]:
    """What is chosen, as it stands in a session file."""
    values: dict[str, Any] = {name: getattr(request, name) for name in _READERS}
    return values | {"class_weights": None if request.class_weights is None else list(request.class_weights)}


def from_values(values: Any) -> TrainRequest:
    """Of a session file; what is not named keeps its default. Raises ValueError or TypeError for a bad value."""
    return filled(USUAL, _READERS, values, "what a training is asked for")


def _checked(kind: type, holds: Callable[[Any], bool]) -> Callable[[Any], Any]:
    """Reads a value of that very kind for which `holds` is true, or None: as the recipe has it."""

    def read(value: Any) -> Any:
        if value is not None and (type(value) not in ((float, int) if kind is float else (kind,)) or not holds(value)):
            raise ValueError(f"{value!r} is nothing to train with")
        return value

    return read


def _class_weights(values: Any) -> tuple[float, ...] | None:
    read = _checked(float, lambda value: isfinite(value) and value >= 0)
    return None if values is None else tuple(float(read(value)) for value in values)


_READERS: dict[str, Callable[[Any], Any]] = {
    "recipe": lambda value: RecipeName(value).value,
    "data": _checked(str, lambda text: bool(text) and "\0" not in text),
    "quick": flag,
    "seed": _checked(int, lambda number: 0 <= number < 2**63),
    "steps": _checked(int, lambda number: 1 <= number < 2**63),
    "learning_rate": _checked(float, lambda number: isfinite(number) and number > 0),
    "kept": _checked(float, lambda number: 0 < number <= 1),
    "class_weights": _class_weights,
    "patches": _checked(bool, lambda _: True),
}


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far training is: `step` of `steps`. `loss` and `accuracy` are means over the last 20 steps or fewer.

    `held_out` (accuracy) and `mean_iou` are of the newest test, taken after step `tested_at` on data that is never
    trained on; None before the first. They stay in later reports, since a window may be told only the newest.
    `seconds` is the time spent in steps, over all runs of this request.
    """

    step: int
    steps: int
    loss: float
    accuracy: float
    seconds: float
    held_out: float | None = None
    mean_iou: float | None = None
    tested_at: int | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long the other steps will take, if they take as long as those before; None before the first."""
        return self.seconds / self.step * (self.steps - self.step) if self.step else None


@dataclass(frozen=True, eq=False)
class TrainingSamples:
    """What the network answers by now on a few samples that stay the same for the whole run.

    `images` (N, H, W, 3) uint8; for a segmentation network `truth` and `labels` are (N, h, w) uint8, 255 where
    nothing counts, of the middle of the image where h < H; for a classifier both are (N,). `weights` (N, h, w)
    float32 is what each pixel's loss was multiplied with (mask, class weight, weight map of cells), `gradient`
    (N, h, w) float32 how strongly the loss pulls at the pixel's logits; None where nobody computed them.
    `frequencies` are the pixels (images, for a classifier) of each class in all that was learned from until now.
    """

    step: int
    classes: tuple[str, ...]
    images: np.ndarray
    truth: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None = None
    gradient: np.ndarray | None = None
    frequencies: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What came out. The scores are of `tested` images, never trained on; those of pixels are None for a classifier.

    `objects` is the F-score of instances, each matched where it shares more than half of the union with a connected
    part of the answer; `separated` the share of touching pairs that came out as two. None where data tell none apart.
    """

    request: TrainRequest
    title: str
    out: str | None
    steps: int
    seconds: float
    parameters: int
    tested: int
    accuracy: float  # the share of images, or pixels, that are named rightly
    mean_accuracy: float | None = None
    mean_iou: float | None = None
    frequency_weighted_iou: float | None = None
    objects: float | None = None
    separated: float | None = None
    ladder: tuple[float, ...] = ()  # mean IoU of each output, the coarsest first, of a network that has several
    per_class: tuple[tuple[str, float | None], ...] = ()  # name and IoU; for a classifier the share found
    network: str = ""  # what `out` holds the weights of, as the catalogue names it
    notes: tuple[str, ...] = ()


TrainingUpdate = TrainingProgress | TrainingSamples
