"""A prediction held against a mask: all that is said of the two together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from segviz.core.boundaries import Band, trimap
from segviz.core.errors import SegvizError, named
from segviz.core.masks import Mask
from segviz.core.matching import listed, match, matched
from segviz.core.metrics import Confusion, Labels, Scores, counted, pairs
from segviz.core.requests import Prediction
from segviz.core.upper_bound import Bound, bounds


@dataclass(frozen=True, eq=False)
class Agreement:
    """How a prediction agrees with a mask.

    `truth` (H, W) holds indices of `classes`, below 0 where a pixel does not count; `pairs` (H, W)
    the cell of the confusion matrix that each pixel is counted in, as `metrics.pairs` says. `bands` and
    `bounds` are empty until they are known: they take longer than the rest.
    """

    mask: Mask
    prediction: Prediction
    truth: Labels
    classes: tuple[str, ...]  # the network's, then those that only the mask has
    confusion: Confusion
    scores: Scores
    pairs: npt.NDArray[np.unsignedinteger]
    remarks: tuple[str, ...] = ()
    bands: tuple[Band, ...] = ()
    bounds: tuple[Bound, ...] = ()

    @property
    def counted(self) -> int:
        """How many pixels count."""
        return int(self.confusion.counts.sum())

    def has(self, cell: tuple[int, int] | None) -> bool:
        """Whether `cell`, (true class, label) as indices of `classes`, is one of the confusion matrix."""
        return cell is not None and set(cell) <= set(self.confusion.classes)

    def pair(self, cell: tuple[int, int]) -> int:
        """The number that `pairs` has for a cell of the confusion matrix."""
        row, column = (self.confusion.classes.index(index) for index in cell)
        return 1 + row * len(self.confusion.classes) + column


@dataclass(frozen=True, eq=False)
class Counts:
    """A prediction counted against a mask: of an agreement what can be said of a mask that marks no pixel, too."""

    prediction: Prediction
    truth: Labels
    classes: tuple[str, ...]
    confusion: Confusion
    remarks: tuple[str, ...]  # on classes that do not match


def count_of(mask: Mask, prediction: Prediction, ignored: int | None = None) -> Counts:
    """The counts of one image, which may be added to those of others. Raises as `agree` does for all but no pixel."""
    left, top, right, bottom = (int(edge) for edge in prediction.region)
    matching = match(prediction.classes, mask.names)
    truth = matched(replace(mask, labels=mask.labels[top:bottom, left:right]), matching, ignored)
    confusion = counted(truth, prediction.labels, matching.names)
    return Counts(prediction, truth, matching.names, confusion, matching.remarks)


def agree(mask: Mask, prediction: Prediction, ignored: int | None = None) -> Agreement:
    """The scores of a prediction against a mask; `ignored` as in `matching.matched`.

    The prediction may be of a region of the image, the mask is of the whole (`Mask.check_size`). Raises
    SegvizError for maps of different sizes, a label that is no class, and a mask that marks no pixel.
    """
    found = count_of(mask, prediction, ignored)
    try:
        scores = found.confusion.scores
    except SegvizError as error:
        raise SegvizError(f"{named(mask.path)}: {error}") from error
    cells = pairs(found.truth, prediction.labels, found.confusion)
    remarks = (*found.remarks, *without_truth(found.confusion))
    return Agreement(mask, prediction, found.truth, found.classes, found.confusion, scores, cells, remarks)


def without_truth(confusion: Confusion) -> tuple[str, ...]:
    """What is to be said of classes that labels have and the truth has not: each adds an IoU of 0 to the mean."""
    true = confusion.counts.sum(axis=1)
    names = [name for name, pixels in zip(confusion.names, true, strict=True) if not pixels]
    if not names:
        return ()
    many = f"{len(names)} classes without truth are" if len(names) > 1 else "1 class without truth is"
    return (f"{many} labelled all the same ({listed(names)}): IoU 0 each, which pulls the mean down",)


def completed(found: Agreement) -> Agreement:
    """`found` with the scores near boundaries and the upper bounds."""
    count = len(found.classes)
    return replace(
        found,
        bands=trimap(found.truth, found.prediction.labels, count),
        bounds=bounds(found.truth, count),
    )
