"""Whose class is whose: the classes of ground truth and of a network, by name where both have names, else by index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segviz.core.errors import SegvizError, named
from segviz.core.formats import LARGEST_LABEL
from segviz.core.mask_colours import NOT_COUNTED
from segviz.core.masks import Labels, Mask, black_and_white
from segviz.core.metrics import IGNORED

TOLD = 4  # names that a remark lists
APART = 4  # times as many classes, of which none has the same name, are classes of something else
NOT_COMPARED = dict.fromkeys(map(ord, " \t-_/."))


@dataclass(frozen=True, slots=True)
class Matching:
    """`names` are the network's classes and, behind them, those that only the data have.

    `table` has for each class of the data its place among `names`; None: the same index.
    """

    names: tuple[str, ...]
    table: tuple[int, ...] | None = None
    remarks: tuple[str, ...] = ()


def match(network: Sequence[str], data: Sequence[str] = ()) -> Matching:
    """The classes of a network and of the data as one list.

    By name if at least one name is common to both (case, spaces, hyphens, underscores, slashes and dots do not count),
    else by index. What does not match is said: a class of the data that the network does not have can only
    be missed, one that only the network has can only be wrong. Raises SegvizError where no name is common and the
    numbers of classes are far apart.
    """
    if not data:
        return Matching(tuple(network))
    places = {plain(name): index for index, name in reversed(list(enumerate(network)))}
    if not any(plain(name) in places for name in data):
        return _by_index(network, data)
    names, table, extra = list(network), [], []
    for name in data:
        at = places.get(plain(name))
        if at is None:
            at = len(names)
            places[plain(name)] = at
            names.append(name)
            extra.append(name)
        table.append(at)
    known = {plain(name) for name in data}
    lacking = [name for name in network if plain(name) not in known]
    remarks = []
    if extra:
        remarks.append(f"the network has no class {listed(extra)}: their pixels count as missed")
    if lacking:
        remarks.append(f"the ground truth has no class {listed(lacking)}: such labels count as wrong")
    return Matching(tuple(names), tuple(table), tuple(remarks))


def _by_index(network: Sequence[str], data: Sequence[str]) -> Matching:
    if max(len(network), len(data)) > APART * min(len(network), len(data)):
        raise SegvizError(
            f"none of the {len(data):,} classes of the ground truth ({listed(data)}) is one of the network's "
            f"{len(network):,}: choose a network that has them"
        )
    remark = "no class of the ground truth is named like one of the network: classes are matched by index"
    extra = tuple(data[len(network) :])
    if extra:
        remark += f", and the network has no class {listed(extra)}"
    return Matching((*network, *extra), None, (remark,))


def plain(name: str) -> str:
    """A name as it is compared: of 'TV/monitor', 'tv monitor' and 'tvmonitor' all is the same that counts."""
    return name.casefold().translate(NOT_COMPARED) or name


def listed(names: Sequence[str]) -> str:
    """The first names, and how many there are besides."""
    rest = len(names) - TOLD
    return ", ".join(names[:TOLD]) + (f" and {rest:,} more" if rest > 0 else "")


def matched(mask: Mask, matching: Matching, ignored: int | None = None) -> Labels:
    """The labels of `mask` as indices of `matching.names` (H, W), NOT_COUNTED where a pixel does not count.

    `ignored` is the label that does not count; None: 255, unless that is a class. In a mask in black and white it is
    the second of two classes. Raises SegvizError for a label that is no class.
    """
    labels, count = mask.labels, len(matching.names)
    low, high = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    if high > LARGEST_LABEL or low < NOT_COUNTED:
        raise SegvizError(f"{named(mask.path)}: the label {high if high > 0 else low} is no class index; give a mask")
    table = np.full(high + 2, LARGEST_LABEL + 1, np.int32)  # label + 1 -> class
    table[0] = NOT_COUNTED
    known = range(count) if matching.table is None else matching.table
    usable = min(len(known), high + 1)
    table[1 : usable + 1] = known[:usable]
    if ignored is None and high == IGNORED and len(known) == 2:
        white = black_and_white([labels]) if mask.black_and_white is None else mask.black_and_white
        table[IGNORED + 1] = known[1] if white else NOT_COUNTED
    elif ignored is not None and 0 <= ignored <= high:
        table[ignored + 1] = NOT_COUNTED
    elif ignored is None and high >= IGNORED and len(known) <= IGNORED:
        table[IGNORED + 1] = NOT_COUNTED
    out: Labels = table[labels + 1]
    if out.size and int(out.max()) > LARGEST_LABEL:
        wrong = int(labels[out > LARGEST_LABEL].max())
        raise SegvizError(
            f"{named(mask.path)}: the ground truth has the label {wrong}, but the classes are 0 to {len(known) - 1}; "
            "give the mask of this image, or name the label to ignore"
        )
    return out
