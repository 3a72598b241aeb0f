"""Crops of a person's images, bent and turned as cells are: a source for training.

Microscopy knows no up and down, and tissue bends: Ronneberger, Fischer and Brox 2015, section 3.1, teach that with
few images by elastic deformation, displacements on a coarse 3 x 3 grid with smooth ones between.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from segviz.core.choices import Task
from segviz.core.entries import GREY_WEIGHTS, Entry, Preprocessing
from segviz.core.errors import SegvizError, named
from segviz.core.images import mirrored
from segviz.core.instances import apart
from segviz.core.metrics import IGNORED
from segviz.core.pairs import Pair
from segviz.core.weight_maps import SIGMA, W_0, Weighting, balancing, weigh
from segviz.training.batches import Batch, Tile
from segviz.training.folders import Annotated, DataFolder, open_folder

MOST_KEPT = 512 << 20  # bytes of decoded images that stay in memory
MOST_COUNTED = 64  # masks whose pixels tell how frequent the classes are
SAMPLES = 4  # held-out crops that are shown while the network learns
Whole = npt.NDArray[np.int32]  # of labels or instances
Crop = tuple[Tensor, Tensor, Tensor | None, Tensor | None]  # image, labels, weights and drawn instances
COARSE = 3  # points of displacement along each axis


@dataclass(frozen=True, slots=True)
class Distortion:
    """How far a crop is changed at most, drawn anew whenever it is shown; all of it about the crop's centre.

    Quarter turns and flips are always drawn. `bend` is the standard deviation of displacements in
    pixels. `contrast` and `gamma` lie between 1 / n and n, `brightness` to either side of 0, black to white being 1.
    """

    turn: float = 15.0  # degrees, to either side
    zoom: float = 1.2  # between 1 / n and n
    bend: float = 10.0  # of the paper
    contrast: float = 1.3
    gamma: float = 1.3
    brightness: float = 0.05

    def places(self, side: int, chance: torch.Generator) -> Tensor:
        """Where the pixels of a crop come from, relative to its centre: (side, side, 2), rows and columns in pixels."""
        turn, zoom, flip, quarter = torch.rand(4, generator=chance).tolist()
        angle = math.radians((2 * turn - 1) * self.turn) + int(4 * quarter) * math.pi / 2
        scale = self.zoom ** (2 * zoom - 1)
        line = torch.arange(side) - (side - 1) / 2
        down, right = torch.meshgrid(line / scale, line / scale * (1 if flip < 0.5 else -1), indexing="ij")
        bent = torch.randn(1, 2, COARSE, COARSE, generator=chance) * self.bend
        smooth = F.interpolate(bent, size=(side, side), mode="bicubic", align_corners=True)[0]
        cos, sin = math.cos(angle), math.sin(angle)
        return torch.stack((cos * down - sin * right + smooth[0], sin * down + cos * right + smooth[1]), 2)

    def shaded(self, levels: Tensor, chance: torch.Generator) -> Tensor:
        """Levels 0 to 255 under other light, of any shape."""
        contrast, gamma, brightness = (2 * torch.rand(3, generator=chance) - 1).tolist()
        light = torch.pow((levels / 255).clamp(0, 1), self.gamma**gamma)
        middle = light.mean()
        light = (light - middle) * self.contrast**contrast + middle + brightness * self.brightness
        return torch.mul(light.clamp(0, 1), 255)


NO_DISTORTION = Distortion(turn=0, zoom=1, bend=0, contrast=1, gamma=1, brightness=0)


class FolderSource:
    """Batches of crops of the images in a folder, for a network of `side` x `side` pixels with `preprocessing`.

    Images are (N, C, side, side). A network of valid convolutions answers for `border` pixels less on each side, and
    so labels and weights are (N, h, h) with h = side - 2 border. Where an image ends it is mirrored, as in U-Net's
    paper. Where instances are given, `ribbon` pixels of background part those that touch (0: none). Held-out
    images are cut into tiles of h x h pixels that cover them; what lies beyond an image is `metrics.IGNORED`.
    """

    def __init__(
        self,
        data: DataFolder,
        side: int,
        border: int = 0,
        preprocessing: Preprocessing = Preprocessing(channels="L"),  # noqa: B008 - frozen
        weighting: Weighting = Weighting.BORDERS,
        distortion: Distortion = Distortion(),
        ribbon: int = 2,
        w_0: float = W_0,
        sigma: float = SIGMA,
    ) -> None:
        if side <= 2 * border:
            raise SegvizError(f"a crop of {side} pixels less {border} on each side leaves nothing to learn")
        self.data, self.side, self.border, self.preprocessing = data, side, border, preprocessing
        self.weighting, self.distortion, self.ribbon, self.w_0, self.sigma = weighting, distortion, ribbon, w_0, sigma
        self.classes = data.classes
        self._kept: dict[str, Annotated] = {}
        self._room = MOST_KEPT
        self.class_weights = self._frequencies()
        self._fingerprint = data.fingerprint()  # of the files as they are now: they may be drawn anew meanwhile

    def batch(self, count: int, chance: torch.Generator) -> Batch:
        """`count` crops about random pixels of random images."""
        crops = []
        for number in torch.randint(len(self.data.learn), (count,), generator=chance).tolist():
            found = self._read(self.data.learn[number])
            at = [int(torch.randint(n, (1,), generator=chance)) for n in found.labels.shape]
            places = self.distortion.places(self.side, chance) + torch.tensor(at, dtype=torch.float32)
            image, *truth = sampled(found, places)
            labels, instances = self._parted(found.drawn, *truth)
            crops.append((self._input(self.distortion.shaded(image, chance)), *self._truth(found, labels, instances)))
        return _stacked(crops)

    def held_out(self, count: int = 4) -> Iterator[Batch]:
        """The tiles of all held-out images, in batches of `count` at most: with drawn instances, or without."""
        tiles = (tile for pair in self.data.held_out for tile in self._tiles(pair))
        for _, alike in groupby(tiles, lambda one: one[0][3] is not None):
            while some := list(islice(alike, count)):
                yield _stacked([crop for crop, _ in some], tuple(tile for _, tile in some))

    def samples(self) -> Batch:
        """The middle of the first held-out images."""
        images = [self._whole(pair) for pair in self.data.held_out[:SAMPLES]]
        return _stacked([self._crop(one, *(n // 2 - self.side // 2 for n in one.labels.shape)) for one in images])

    def fingerprint(self) -> str:
        return self._fingerprint

    def _tiles(self, pair: Pair) -> Iterator[tuple[Crop, Tile]]:
        found = self._whole(pair)
        step = self.side - 2 * self.border
        rows, columns = (-(-size // step) for size in found.labels.shape)
        for row, column in np.ndindex(rows, columns):
            crop = self._crop(found, row * step - self.border, column * step - self.border)
            yield crop, Tile(row, column, rows, columns)

    def _whole(self, pair: Pair) -> Annotated:
        """An image that is never learned from; parted before it is cut, for a tile does not see what touches it."""
        found = self._read(pair)
        labels, instances = self._parted(found.drawn, found.labels, found.instances)
        return replace(found, labels=labels, instances=instances)

    def _crop(self, found: Annotated, top: int, left: int) -> Crop:
        """The crop whose first pixel is (top, left), as it is."""
        rows, columns = np.arange(top, top + self.side), np.arange(left, left + self.side)
        image, labels, instances = _part(found, rows, columns)
        height, width = found.labels.shape
        inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
        return self._input(image), *self._truth(found, np.where(inside, labels, IGNORED), instances)

    def _input(self, levels: Tensor) -> Tensor:
        """Levels 0 to 255 (3, H, W) as the network wants to see them."""
        wanted = self.preprocessing
        if wanted.channels == "L":
            levels = (levels * torch.tensor(GREY_WEIGHTS).view(3, 1, 1)).sum(0, keepdim=True)
        elif wanted.channels == "BGR":
            levels = levels.flip(0)
        return (levels - torch.tensor(wanted.mean).view(-1, 1, 1)) / torch.tensor(wanted.std).view(-1, 1, 1)

    def _parted(self, drawn: bool, labels: Whole, instances: Whole) -> tuple[Whole, Whole]:
        """Labels and instances after ribbons of background are cut between drawn instances that touch."""
        if not drawn or not self.ribbon:
            return labels, instances
        parted = np.asarray(apart(instances, self.ribbon), np.int32)
        return np.where((parted == 0) & (instances != 0) & (labels != IGNORED), 0, labels), parted

    def _truth(self, found: Annotated, labels: Whole, instances: Whole) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Labels, weights and drawn instances of the middle of a crop."""
        weights = weigh(labels, instances, self.weighting, self.class_weights, self.w_0, self.sigma)
        inside = slice(self.border, self.side - self.border)
        cut = None if weights is None else torch.from_numpy(np.ascontiguousarray(weights[inside, inside]))
        things = torch.from_numpy(instances[inside, inside].astype(np.int32)) if found.drawn else None
        return torch.from_numpy(labels[inside, inside].astype(np.int64)), cut, things

    def _read(self, pair: Pair) -> Annotated:
        """From memory, or from the files as long as there is room to keep them."""
        if pair.name in self._kept:
            return self._kept[pair.name]
        found = self.data.read(pair)
        size = found.pixels.nbytes + found.labels.nbytes + found.instances.nbytes
        if size <= self._room:
            self._room -= size
            self._kept[pair.name] = found
        return found

    def _frequencies(self) -> tuple[float, ...]:
        """Class weights that balance what the images to learn from show; of many images some are counted."""
        learn = self.data.learn
        counts = np.zeros(max(len(self.classes), IGNORED + 1), np.int64)
        for pair in learn[:: -(-len(learn) // MOST_COUNTED)]:
            counts += np.bincount(self._read(pair).labels.ravel(), minlength=len(counts))
        return balancing(counts[: len(self.classes)])


def sampled(found: Annotated, places: Tensor) -> tuple[Tensor, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """An image and its truth at `places` (H, W, 2), rows and columns in pixels; beyond its ends it is mirrored.

    Returns levels float32 (3, H, W), bilinear, and labels and instances (H, W) of the nearest pixels.
    """
    first = places.amin((0, 1)).floor().int().tolist()
    last = places.amax((0, 1)).ceil().int().tolist()
    rows, columns = (np.arange(low, high + 2) for low, high in zip(first, last, strict=True))
    image, labels, instances = _part(found, rows, columns)
    within = places - torch.tensor(first)
    size = torch.tensor([len(rows), len(columns)])
    grid = (within * 2 / (size - 1) - 1).flip(2)[None]  # (1, H, W, 2): x and y, -1 to 1 between pixel centres
    near = within.round().long().numpy()
    bent = F.grid_sample(image[None], grid, mode="bilinear", align_corners=True)[0]
    return bent, labels[near[..., 0], near[..., 1]], instances[near[..., 0], near[..., 1]]


def _part(
    found: Annotated, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
) -> tuple[Tensor, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Levels float32 (3, H, W), labels and instances of these rows and columns, mirrored beyond the image."""
    height, width = found.labels.shape
    chosen = np.ix_(mirrored(rows, height), mirrored(columns, width))
    levels = torch.from_numpy(found.pixels[chosen].astype(np.float32)).permute(2, 0, 1)
    return levels, found.labels[chosen], found.instances[chosen]


def _stacked(crops: list[Crop], tiles: tuple[Tile, ...] = ()) -> Batch:
    images, labels, weights, instances = zip(*crops, strict=True)
    known = [[one for one in part if one is not None] for part in (weights, instances)]
    extra = [torch.stack(part) if len(part) == len(crops) else None for part in known]
    return Batch(torch.stack(images), torch.stack(labels), extra[0], extra[1], tiles=tiles)


def folder(path: Path, entry: Entry, weighting: Weighting) -> FolderSource:
    """What `--data FOLDER` names, in crops of the size that the network of `entry` takes.

    Raises SegvizError for a network that answers once for an image, and for a folder that is no such data.
    """
    if entry.task is Task.CLASSIFICATION:
        raise SegvizError(
            f"{named(path)}: a folder tells the class of every pixel, and {entry.title} answers once for an image; "
            "choose a recipe that answers for every pixel"
        )
    return FolderSource(open_folder(path), entry.input_size[1], entry.border, entry.preprocessing, weighting)
