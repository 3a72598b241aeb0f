"""What can be done with a network, and why the rest cannot: what an examination finds out by trying."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from segviz.core.choices import Choice, Method


class Verdict(StrEnum):
    """The answer to one question."""

    YES = "yes"
    PARTLY = "partly"
    NO = "no"


class Ability(Choice):
    """What is asked of every network, in this order."""

    RUNS = "runs", "Runs", "answers on its native input with finite numbers"
    SIZES = "sizes", "Other input sizes", "runs on images that are larger, smaller or of another shape"
    FEATURES = "features", "Feature maps", "every layer's maps can be computed, and are what the layer makes"
    GRADIENTS = "gradients", "Gradients", "the answer can be traced back to the pixels it depends on"
    FIELD = "field", "Receptive field", "the pixels that a unit sees are known exactly"
    CONVERTS = "converts", "Converts", "can be made fully convolutional with the same weights"


@dataclass(frozen=True, slots=True)
class Capability:
    """One answer; `reason` says why wherever it is not a plain yes, and may say how else."""

    ability: Ability
    verdict: Verdict
    reason: str = ""


# What a network has nothing to gain from that answers for every pixel by itself.
FOR_CLASSIFIERS = (Method.SLIDING_WINDOW, Method.DIRECT, Method.SHIFT_AND_STITCH, Method.DENSE)


def unfit(method: Method, title: str, per_pixel: bool) -> str:
    """Why the network called `title` does not answer by `method`; '' where it does."""
    if method is Method.NATIVE and not per_pixel:
        return f"{title} is a classifier and does not answer per pixel: take 'upsampled', not 'native'"
    if method in FOR_CLASSIFIERS and per_pixel:
        return f"{title} answers for every pixel, '{method.value}' has nothing to add: take 'native'"
    return ""
