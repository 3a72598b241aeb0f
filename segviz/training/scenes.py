"""Scenes: cut-out things on photographs and textures, with exact labels.

Things are drawn class by class, at any scale, flipped, turned, brighter or darker, over each other and over
the border; things of no class stand among them and are background. What is learned from and what is tested
on share neither things nor what is behind them.

`python -m segviz.training.scenes FOLDER` makes the held-out scenes that segviz ships, the same every time.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from segviz.core import assets, export
from segviz.core.entries import Entry, Preprocessing
from segviz.core.images import open_picture
from segviz.core.masks import open_mask
from segviz.training import backdrops, cutouts
from segviz.training.batches import Batch
from segviz.training.cutouts import OTHER, Cutout, Cutouts

SIZE = 256  # pixels, of the shipped scenes
SCENES = 60  # that are shipped
SIZES = (160, 192, 224, 256)  # of those that are learned from
QUICK_SIZES, QUICK_SCENES = (128,), 8  # of a quick run: sizes to learn from, scenes to be tested on
SWAPPED = 0.3  # of all backgrounds have their colours swapped: there are few of them
PHOTOGRAPH = 0.75  # of all scenes have one behind; the others a texture
MOST_THINGS, MOST_OTHERS = 4, 3
CROWDED = 0.15  # of all scenes have many things of one class
CROWD = 0.2, 0.45  # side of each of them, of the scene's
SMALLEST = 0.3  # longest side of a thing, of the scene's
MAGNIFIED = 3.0  # things at most: some are 50 pixels large
TURNS = {
    "background": 20,
    "mammal": 15,
    "bird": 25,
    "vehicle": 10,
}  # degrees to either side; what lies or hangs is turned all around
GRAINS, GREY, MOST_NOISE = (3, 9, 27, 81), 0.6, 0.12  # of textures: cells along a side, share without colour, strength
SEEN = 0.12  # of a thing at least stays inside the scene and uncovered when it is drawn
BATCH = 10  # held-out scenes at once


@dataclass(frozen=True, slots=True)
class Variety:
    """How much things differ: `largest` is the longest side, of the scene's.

    `relit` is how much the light changes, `greyed` the share of things without colour.
    """

    largest: float
    relit: float
    greyed: float


# What is learned from differs more than what is tested on: things are few, and would be learned by heart.
VARIETY = {
    "learn": Variety(largest=1.5, relit=0.5, greyed=0.1),
    "test": Variety(largest=1.0, relit=0.3, greyed=0.0),
}

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Put = tuple[int, Cutout, float]  # label, thing, longest side as a share of the scene's
T = TypeVar("T")


@dataclass(frozen=True)
class Scene:
    """`pixels` (H, W, 3) and `labels` (H, W), uint8."""

    pixels: Pixels
    labels: Pixels


class Composer:
    """Makes scenes of given things; all that is random comes from the generator that it is handed."""

    def __init__(self, things: Cutouts, split: str, behind: Sequence[Pixels]) -> None:
        self.names = [name for name in cutouts.classes() if things.get(name)]
        self.things = things
        self.photographs = behind
        self.variety = VARIETY[split]

    def scene(self, size: int, chance: np.random.Generator) -> Scene:
        """One scene of `size` x `size` pixels."""
        picture = self._behind(size, chance)
        labels = np.zeros((size, size), np.uint8)
        put = self._crowd(chance) if chance.random() < CROWDED else self._mixed(chance)
        for label, thing, side in put:
            posed = _posed(thing, side * size, cutouts.classes()[label], chance)
            _put(picture, labels, label, posed, self.variety, chance)
        return Scene(_finished(picture, chance), labels)

    def _mixed(self, chance: np.random.Generator) -> list[Put]:
        """Things of any class and things of none, in any order."""
        names = [OTHER] * int(chance.integers(0, MOST_OTHERS + 1))
        names += [_any(self.names, chance) for _ in range(chance.integers(1, MOST_THINGS + 1))]
        put = [self._one(name, chance) for name in names]
        return [put[index] for index in chance.permutation(len(put))]

    def _one(self, name: str, chance: np.random.Generator) -> Put:
        return _label(name), _any(self.things[name], chance), _between(SMALLEST, self.variety.largest, chance)

    def _crowd(self, chance: np.random.Generator) -> list[Put]:
        """Many things of one class, about equally large, side by side and over each other."""
        name, side = _any(self.names, chance), _between(*CROWD, chance)
        some = [_any(self.things[name], chance) for _ in range(3)]
        count = int(chance.uniform(0.4, 1.6) / side**2)
        return [(_label(name), _any(some, chance), side * chance.uniform(0.8, 1.25)) for _ in range(count)]

    def _behind(self, size: int, chance: np.random.Generator) -> Floats:
        """(size, size, 3), 0 to 1."""
        if chance.random() < PHOTOGRAPH:
            picture = _crop(_any(self.photographs, chance), size, chance)
        else:
            picture = _texture(size, chance)
        if chance.random() < SWAPPED:
            picture = picture[..., chance.permutation(3)]
        return _recoloured(picture, chance, 0.35)


def _label(name: str) -> int:
    return 0 if name == OTHER else cutouts.classes().index(name)


def _between(low: float, high: float, chance: np.random.Generator) -> float:
    """Every scale as likely as every other."""
    return float(low * (high / low) ** chance.random())


def _any(of: Sequence[T], chance: np.random.Generator) -> T:
    return of[int(chance.integers(len(of)))]


def _floats(image: Image.Image) -> Floats:
    """Levels 0 to 1, (H, W, channels)."""
    found: Floats = np.asarray(image, np.float32) / np.float32(255)
    return found


def _crop(photograph: Pixels, size: int, chance: np.random.Generator) -> Floats:
    """A square piece of a photograph, of any place and scale, flipped or not."""
    side = int(min(photograph.shape[:2]) * chance.uniform(0.4, 1))
    top, left = (int(chance.integers(0, length - side + 1)) for length in photograph.shape[:2])
    piece = Image.fromarray(photograph[top : top + side, left : left + side])
    found = _floats(piece.resize((size, size), Image.Resampling.BILINEAR))
    return found[:, ::-1].copy() if chance.random() < 0.5 else found.copy()


def _texture(size: int, chance: np.random.Generator) -> Floats:
    """Noise of several grains around a gradient between two colours."""
    ends = chance.random((2, 3), np.float32)
    angle = chance.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:size, :size].astype(np.float32) / size - 0.5
    share = np.clip(0.5 + (x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))), 0, 1)[..., None]
    picture = ends[0] * (1 - share) + ends[1] * share
    for cells in GRAINS:
        noise = chance.standard_normal((3, cells, cells), np.float32)
        if chance.random() < GREY:
            noise[:] = noise[0]
        layers = [Image.fromarray(layer).resize((size, size), Image.Resampling.BILINEAR) for layer in noise]
        strength = np.float32(chance.uniform(0, MOST_NOISE))
        for channel, layer in enumerate(layers):
            picture[..., channel] += strength * np.asarray(layer)
    found: Floats = np.clip(picture, 0, 1)
    return found


def _recoloured(picture: Floats, chance: np.random.Generator, much: float) -> Floats:
    """Brightness, contrast, saturation and the tint of the light, each changed by `much` at most."""
    brightness, contrast, saturation = 1 + np.float32(much) * (2 * chance.random(3, np.float32) - 1)
    tint = 1 + np.float32(much / 3) * (2 * chance.random(3, np.float32) - 1)
    grey = picture.mean(-1, keepdims=True)
    lit = (grey + (picture - grey) * saturation) * brightness * tint
    found: Floats = np.clip((lit - 0.5) * contrast + 0.5, 0, 1)
    return found


def _put(
    picture: Floats, labels: Pixels, label: int, pixels: Floats, variety: Variety, chance: np.random.Generator
) -> None:
    """Paint a posed thing into the picture, and its label where it is more than half opaque."""
    size = len(labels)
    height, width = pixels.shape[:2]
    top, left = (int(chance.integers(-length // 3, size - length * 2 // 3 + 1)) for length in (height, width))
    rows, columns = slice(max(0, top), min(size, top + height)), slice(max(0, left), min(size, left + width))
    seen = pixels[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    if seen[..., 3].sum() < SEEN * pixels[..., 3].sum():
        return
    alpha = seen[..., 3:]
    plain = (seen[..., :3] / np.maximum(alpha, np.float32(1e-3))).astype(np.float32)
    colour = _recoloured(plain, chance, variety.relit)
    if variety.greyed and chance.random() < variety.greyed:
        colour = colour.mean(-1, keepdims=True)
    picture[rows, columns] = picture[rows, columns] * (1 - alpha) + colour * alpha
    labels[rows, columns][alpha[..., 0] > 0.5] = label


def _posed(thing: Cutout, longest: float, name: str, chance: np.random.Generator) -> Floats:
    """(H, W, 4), 0 to 1, colours multiplied by alpha: flipped, turned as its class allows, `longest` pixels long."""
    pixels = thing.pixels
    scale = min(longest / max(pixels.shape[:2]), MAGNIFIED)
    image = Image.fromarray(pixels).convert("RGBa")  # multiplied: what is transparent lends no colour to its edge
    if chance.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    stretch = 1 + 0.15 * (2 * chance.random(2) - 1)
    wanted = [max(4, round(length * scale * by)) for length, by in zip(image.size, stretch, strict=True)]
    image = image.resize((wanted[0], wanted[1]), Image.Resampling.BILINEAR if scale > 1 else Image.Resampling.BOX)
    turn = TURNS.get(name, 180) * (2 * chance.random() - 1)
    return _floats(image.rotate(turn, Image.Resampling.BILINEAR, expand=True))


def _finished(picture: Floats, chance: np.random.Generator) -> Pixels:
    """A little out of focus or not, and with the noise of a camera, so that edges of things give nothing away."""
    if chance.random() < 0.5:
        padded = np.pad(picture, ((1, 1), (1, 1), (0, 0)), "edge")
        share = chance.uniform(0, 0.25)
        around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
        picture = picture * (1 - share) + around * (share / 4)
    noise = chance.standard_normal(picture.shape, np.float32) * np.float32(chance.uniform(0, 0.03))
    return (np.clip(picture + noise, 0, 1) * 255 + 0.5).astype(np.uint8)


# ------------------------------------------------------------------------------------- as a source


class Scenes:
    """Scenes to learn from, composed as they are asked for, and the shipped ones to be tested on (`batches.Source`).

    `sizes` are the sides of scenes, one of them drawn for each batch: things are learned at many scales.
    """

    def __init__(
        self,
        things: Cutouts,
        behind: Sequence[Pixels],
        preprocessing: Preprocessing,
        sizes: Sequence[int] = SIZES,
        tested: int = SCENES,
    ) -> None:
        self.classes = cutouts.classes()
        self._composer = Composer(things, "learn", behind)
        self._scaling = preprocessing
        self._sizes, self._tested = sizes, tested

    def batch(self, count: int, chance: torch.Generator) -> Batch:
        """`count` new scenes of one size."""
        seed = int(torch.randint(2**62, (1,), generator=chance))
        numbers = np.random.default_rng(seed)
        size = _any(self._sizes, numbers)
        return self._as_batch([self._composer.scene(size, numbers) for _ in range(count)])

    def held_out(self) -> Iterator[Batch]:
        scenes = self._shipped
        for first in range(0, len(scenes), BATCH):
            yield self._as_batch(scenes[first : first + BATCH])

    def samples(self) -> Batch:
        return self._as_batch(self._shipped[:6])

    @cached_property
    def _shipped(self) -> Sequence[Scene]:
        return shipped()[: self._tested]

    def _as_batch(self, scenes: Sequence[Scene]) -> Batch:
        pixels = torch.from_numpy(np.stack([scene.pixels for scene in scenes])).permute(0, 3, 1, 2).float()
        mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (self._scaling.mean, self._scaling.std))
        return Batch((pixels - mean) / std, torch.from_numpy(np.stack([scene.labels for scene in scenes])).long())


def stamps(entry: Entry, quick: bool) -> Scenes:
    """What `--data stamps` names. A quick run takes the shipped few, small; others need the packages."""
    if quick:
        return Scenes(cutouts.few(), backdrops.shipped("learn"), entry.preprocessing, QUICK_SIZES, QUICK_SCENES)
    behind = [*backdrops.shipped("learn"), *backdrops.installed()]
    return Scenes(cutouts.stamps("learn"), behind, entry.preprocessing)


@cache
def shipped() -> Sequence[Scene]:
    """The held-out scenes of `resources/datasets/scenes`."""
    folder = assets.dataset("scenes")
    masks = sorted((folder / "masks").glob("*.png"))
    images = [folder / "images" / f"{mask.stem}.jpg" for mask in masks]
    return [
        Scene(open_picture(image).pixels, open_mask(mask).astype(np.uint8))
        for image, mask in zip(images, masks, strict=True)
    ]


# --------------------------------------------------------------------------------- shipped scenes


def write(folder: Path) -> None:
    """The held-out scenes, their labels as indexed PNG, and the names of the classes, into `folder`."""
    composer = Composer(cutouts.stamps("test"), "test", backdrops.shipped("test"))
    chance = np.random.default_rng(2012)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number in range(1, SCENES + 1):
        scene = composer.scene(SIZE, chance)
        Image.fromarray(scene.pixels).save(folder / "images" / f"scene-{number:02}.jpg", quality=92)
        export.save_labels(folder / "masks" / f"scene-{number:02}.png", scene.labels, len(cutouts.classes()))
    (folder / "classes.txt").write_text("\n".join(cutouts.classes()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the held-out scenes that segviz ships.")
    parser.add_argument("folder", type=Path)
    write(parser.parse_args().folder)
