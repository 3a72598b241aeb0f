"""What is known of one network: how it is built, what it wants to see, how its answers are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from segviz.core import assets
from segviz.core.choices import Task

GREY = "L"
CHANNELS = ("RGB", "BGR", GREY)  # orders of colours
GREY_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601 luma of R, G, B


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From pixels 0..255 to what a network sees: `(pixel - mean) / std`, by channel.

    `channels` is the order of colours that the network was trained on: RGB, BGR or L (grey).
    """

    channels: str = "RGB"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (255.0,)

    @property
    def planes(self) -> int:
        """Channels that an image has when it goes in: three of colours, or grey in as many as mean or deviation has."""
        return max(len(self.mean), len(self.std)) if self.channels == GREY else 3


@dataclass(frozen=True, slots=True)
class Entry:
    """One network of the catalogue.

    `input_size` is (C, H, W) of the native input. `longest_side` is the image size, in pixels,
    at which the network sees objects as large as those it was trained on; None: as large as they
    are. `minimum` is the confidence below which a label of a network without a background class
    means that there is nothing to name. Height and width of an input leave `remainder` when they are divided
    by `multiple`; the answer for every pixel lacks `border` pixels of them on each side.
    `sees` says what alone it knows, where a picture may well have nothing of it at the size that it is taught.
    `sample_scale` brings the sample to the size that the network knows, where `longest_side` does not.
    `variants` maps an option of the spec ('pooling=floor') to what it changes here. `weights` is a
    file of `resources/models`, or empty: then they are drawn at random, from a fixed seed.
    """

    name: str
    title: str
    task: Task
    builder: str
    parameters: int
    input_size: tuple[int, int, int]
    class_count: int
    stride: int
    receptive_field: int
    weights: str
    licence: str
    preprocessing: Preprocessing
    summary: str
    labels: str = ""
    class_list: tuple[str, ...] = ()
    sigmoid: bool = False
    longest_side: int | None = None
    minimum: float = 0.0
    multiple: int = 1
    remainder: int = 0
    border: int = 0
    sees: str = ""
    sample: str = ""
    sample_scale: float | None = None
    source: str = ""
    options: tuple[tuple[str, str], ...] = ()
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, 'class 7' where one has none; a network with one sigmoid output has two."""
        known = self.class_list or (assets.class_names(self.labels) if self.labels else ())
        return known + tuple(f"class {index}" for index in range(len(known), self.class_count))

    def taught(self, names: tuple[str, ...], count: int | None = None) -> Entry:
        """The same network taught other classes, `count` or as many as there are names.

        What it knew before, and the sample that shows it, are not of these.
        """
        many = len(names) if count is None else count
        return replace(self, class_count=many, class_list=names, labels="", sees="", sample="", sample_scale=None)

    @property
    def mirrors(self) -> bool:
        """Whether the network sees the image mirrored beyond its ends (Ronneberger et al. 2015, figure 2)."""
        return self.border > 0

    @property
    def trained(self) -> bool:
        """Whether weights are shipped, and not drawn at random."""
        return bool(self.weights)

    @property
    def weights_text(self) -> str:
        """Where the weights come from: the file's name, or that they are random."""
        return self.weights or "random (seeded)"

    @property
    def caution(self) -> str:
        """What a person must know who reads an answer of this network; empty where there is nothing."""
        if self.trained:
            return ""
        return f"{self.title} has random weights: its labels mean nothing, its speed and geometry do"

    def fitting(self, side: int) -> int:
        """The smallest height or width of an input, in pixels, whose answer covers `side` pixels."""
        least = max(1, side) + 2 * self.border
        return least + (self.remainder - least) % self.multiple


IMAGENET = Preprocessing(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
