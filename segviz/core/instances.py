"""Things counted one by one: the parts of a label map, and whether they are the instances of the truth.

An instance map is (H, W) of whole numbers: 0 is background, any other number is one instance. Pixels alone
do not tell whether two cells that touch came out as one: a bridge of a few pixels joins them, and mean IoU
hardly moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from segviz.core.errors import SegvizError

Instances = npt.NDArray[np.integer[Any]]

MATCH = 0.5  # IoU that a part and an instance must exceed; more than half, so that no two can claim one
REACH = 3  # pixels: two instances that are no farther from each other touch


@dataclass(frozen=True, slots=True)
class InstanceScore:
    """How many instances there are, how many parts were found, and how many of them match.

    `touching` counts pairs of instances that touch, `parted` those of them whose members came out as two parts.
    Scores of several images are added.
    """

    truth: int
    found: int
    matched: int
    touching: int
    parted: int

    @property
    def f_score(self) -> float | None:
        """Harmonic mean of precision and recall of instances; None where there is nothing and nothing is found."""
        return 2 * self.matched / (self.truth + self.found) if self.truth + self.found else None

    @property
    def separated(self) -> float | None:
        """The share of touching pairs that came out as two; None where no two touch."""
        return self.parted / self.touching if self.touching else None

    def __add__(self, other: InstanceScore) -> InstanceScore:
        return InstanceScore(
            self.truth + other.truth,
            self.found + other.found,
            self.matched + other.matched,
            self.touching + other.touching,
            self.parted + other.parted,
        )


def ranked(instances: Instances) -> npt.NDArray[np.intp]:
    """The same map (H, W) with its instances numbered from 1 without gaps."""
    numbers, ranks = np.unique(instances, return_inverse=True)
    first = 0 if numbers.size and numbers[0] == 0 else 1
    return np.asarray(ranks.reshape(instances.shape) + first, np.intp)


def parts(foreground: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """The connected parts of `foreground` (H, W), numbered from 1; pixels that share an edge are connected."""
    labelled, _ = ndimage.label(foreground)
    return np.asarray(labelled, np.int32)


def largest_parts(instances: Instances) -> Instances:
    """`instances` with nothing left of each but its largest connected part."""
    kept = np.zeros_like(instances)
    for number, region in _regions(instances):
        pieces = parts(instances[region] == number)
        kept[region][pieces == np.bincount(pieces.ravel())[1:].argmax() + 1] = number
    return kept


def apart(instances: Instances, width: int = 2) -> Instances:
    """`instances` with a ribbon of background, `width` pixels of 1 or 2, wherever two of them touch.

    U-Net's paper inserts such a ribbon, since otherwise no label says where one cell ends. One pixel
    is taken of the instance with the smaller number, two of both. Raises SegvizError for another width.
    """
    if width not in (1, 2):
        raise SegvizError(f"a ribbon of {width} pixels between instances: it is 1 or 2 wide")
    largest = ndimage.maximum_filter(instances, 3)
    cut = (instances != 0) & (largest > instances)
    if width == 2:
        nobody = np.iinfo(instances.dtype).max
        cut |= ndimage.minimum_filter(np.where(instances == 0, nobody, instances), 3) < instances
    return np.where(cut, 0, instances).astype(instances.dtype)


def score(truth: Instances, predicted: npt.NDArray[np.bool_], reach: int = REACH) -> InstanceScore:
    """The connected parts of `predicted` foreground against the instances of `truth`, both (H, W).

    A part matches the instance that it shares more than `MATCH` of their union with. A touching pair is
    parted where each of its instances lies mostly in a part, and the two parts differ. Raises SegvizError
    for maps of two sizes.
    """
    if truth.shape != predicted.shape:
        raise SegvizError(f"instances are {truth.shape} and the prediction {predicted.shape}: give maps of one size")
    found = parts(predicted)
    ranks = ranked(truth)
    rows, columns = int(ranks.max(initial=0)) + 1, int(found.max(initial=0)) + 1
    # Pairs that occur, since a table of all instances and all specks of a noisy prediction could fill the memory.
    pairs, shared = np.unique(ranks.ravel().astype(np.int64) * columns + found.ravel(), return_counts=True)
    rank, part = np.divmod(pairs, columns)
    of_instance, of_part = np.bincount(ranks.ravel(), minlength=rows), np.bincount(found.ravel(), minlength=columns)
    real = (rank > 0) & (part > 0)
    iou = shared / (of_instance[rank] + of_part[part] - shared)
    mostly = np.zeros(rows, np.int64)
    held = real & (2 * shared > of_instance[rank])
    mostly[rank[held]] = part[held]
    neighbours = touching(ranks, reach)
    parted = sum(bool(mostly[a] and mostly[b] and mostly[a] != mostly[b]) for a, b in neighbours)
    return InstanceScore(rows - 1, columns - 1, int((real & (iou > MATCH)).sum()), len(neighbours), parted)


def touching(instances: Instances, reach: int = REACH) -> tuple[tuple[int, int], ...]:
    """The pairs of instances that have pixels at most `reach` rows and columns from each other, the smaller first."""
    pairs: set[tuple[int, int]] = set()
    for down in range(reach + 1):
        for right in range(-reach if down else 1, reach + 1):
            one, other = _shifted(instances, down, right)
            meet = (one != other) & (one != 0) & (other != 0)
            pairs |= set(_ordered(zip(one[meet].tolist(), other[meet].tolist(), strict=True)))
    return tuple(sorted(pairs))


def _ordered(pairs: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    return ((min(pair), max(pair)) for pair in pairs)


def _shifted(instances: Instances, down: int, right: int) -> tuple[Instances, Instances]:
    """Two views of a map so that the second holds what is `down` rows and `right` columns away from the first."""
    height, width = instances.shape
    rows = slice(0, max(0, height - down)), slice(down, height)
    columns = slice(max(0, -right), max(0, width - max(0, right))), slice(max(0, right), max(0, width + min(0, right)))
    return instances[rows[0], columns[0]], instances[rows[1], columns[1]]


def _regions(instances: Instances) -> Iterator[tuple[int, tuple[slice, slice]]]:
    """Each number of the map and the rectangle that it lies in."""
    numbers = np.unique(instances[instances != 0])
    return zip(numbers.tolist(), ndimage.find_objects(ranked(instances)), strict=True)
