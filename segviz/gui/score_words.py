"""What is said of scores: texts and tables of an Agreement, without any widget."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from segviz.core.errors import clean, shorten
from segviz.gui import words
from segviz.gui.names import sentence, title_of
from segviz.gui.scene import Kind, Scene
from segviz.gui.widgets.curve import Curve
from segviz.gui.widgets.matrix import Table

if TYPE_CHECKING:
    from segviz.core.agreement import Agreement

MOST = 40  # classes of the matrix: those with the most pixels, true or found
FOUR = (
    ("Pixel accuracy", "pixel_accuracy", "Share of all pixels that have their true class"),
    (
        "Mean accuracy",
        "mean_accuracy",
        "Share of a class's pixels that have it, averaged over the classes of the truth",
    ),
    ("Mean IoU", "mean_iou", "Overlap of truth and labels over their union, averaged over the classes"),
    ("Weighted IoU", "frequency_weighted_iou", "IoU averaged over the classes, weighted by their true pixels"),
)
NOTHING_REMARKED = "Click a cell of the matrix: the image shows its pixels."
RULE = (
    "A mask named like the image is found by itself: masks/NAME.png beside the image's folder, or NAME_mask.png "
    "beside the image. A mask of the same size can be dropped on the window."
)


def score(value: float | None) -> str:
    """Three figures behind the point, '–' where there is none."""
    return "–" if value is None else f"{value:.3f}"


def missing(scene: Scene) -> str:
    """Why there are no scores yet, for people; '' where there are."""
    state, found = scene.state, scene.agreement
    if state.image is None:
        return "Scores compare the labels of an image with its ground truth. Open an image first."
    if state.truth is None:
        return "Scores compare the labels with ground truth: a mask that has the true class of every pixel."
    if scene.unscored:
        return sentence(scene.unscored) + "."
    if found is not None and found.mask is scene.shown_truth:
        return ""
    if not state.model:
        return "Choose a network: its labels are scored against the ground truth."
    if scene.job(Kind.PREDICTION) is not None or scene.job(Kind.DESCRIPTION) is not None:
        return "Segmenting…"
    return scene.unanswered or "Scoring…"


def heading(found: Agreement) -> str:
    """What was scored against what."""
    counted, whole = found.counted, found.truth.size
    name = shorten(clean(PurePath(found.mask.path).name), 60)
    pixels = f"{words.count(counted)} of {words.many(whole, 'pixel')} count"
    asked = found.prediction.request
    network = title_of(asked.setup.model) + (", refined at edges" if asked.refinement is not None else "")
    return " · ".join(part for part in (network, f"{name}, {found.mask.kind}", pixels) if part)


def shown_classes(found: Agreement) -> tuple[int, ...]:
    """The places in the confusion matrix that the matrix shows: those with the most pixels, in their order."""
    counts = found.confusion.counts
    weight = counts.sum(axis=0) + counts.sum(axis=1)
    largest = sorted(range(len(weight)), key=lambda at: -int(weight[at]))[:MOST]
    return tuple(sorted(largest))


def matrix(found: Agreement) -> Table:
    """The confusion matrix in shares of each true class."""
    at = list(shown_classes(found))
    shares = found.confusion.shares[at][:, at]
    names = tuple(found.confusion.names[index] for index in at)
    return Table(tuple(tuple(row) for row in shares.tolist()), names)


def cell_of(found: Agreement, row: int, column: int) -> tuple[int, int]:
    """(true class, label) of a cell of `matrix`."""
    at = shown_classes(found)
    return found.confusion.classes[at[row]], found.confusion.classes[at[column]]


def place_of(found: Agreement, cell: tuple[int, int] | None) -> tuple[int, int] | None:
    """The row and column of `matrix` that show a cell; None where they show none."""
    if cell is None or not found.has(cell):
        return None
    at = shown_classes(found)
    row, column = (found.confusion.classes.index(index) for index in cell)
    return (at.index(row), at.index(column)) if row in at and column in at else None


def cell_text(found: Agreement, row: int, column: int) -> str:
    """The numbers of a cell: '3 labelled 5: 120 pixels, 4.1 % of 3'."""
    at = shown_classes(found)
    table, true, label = found.confusion, at[row], at[column]
    pixels, names = int(table.counts[true, label]), table.names
    if not table.counts[true].any():
        return f"{names[true]}: not in the ground truth"
    verb = "found" if true == label else f"labelled {names[label]}"
    share = words.share(float(table.shares[true, label]))
    return f"{names[true]} {verb}: {words.many(pixels, 'pixel')}, {share} of {names[true]}"


def matrix_hint(found: Agreement) -> str:
    """What the matrix shows, while no cell is pointed at."""
    size = len(found.confusion.classes)
    some = f"; the {MOST} of {words.count(size)} classes with the most pixels" if size > MOST else ""
    return f"True class down, label across{some}"


def trimap_curve(found: Agreement) -> Curve:
    points = tuple((str(band.width), band.mean_iou) for band in found.bands)
    return Curve("mean IoU within pixels of a boundary", points, ("whole image", found.scores.mean_iou))


def bound_curve(found: Agreement) -> Curve:
    points = tuple((str(bound.factor), bound.mean_iou) for bound in found.bounds)
    return Curve("best mean IoU, truth coarser by", points, ("this network", found.scores.mean_iou))


def score_rows(found: Agreement) -> list[list[object]]:
    """The four scores and those of every class, as `segviz segment --json` names them."""
    four: list[list[object]] = [[key, getattr(found.scores, key)] for _, key, _ in FOUR]
    classes: list[list[object]] = [
        [one.index, found.classes[one.index], one.pixels, "" if one.accuracy is None else one.accuracy, one.iou]
        for one in found.scores.per_class
    ]
    bands: list[list[object]] = [
        [one.width, one.pixels, "" if one.mean_iou is None else one.mean_iou] for one in found.bands
    ]
    bounds: list[list[object]] = [[one.factor, one.mean_iou] for one in found.bounds]
    return [
        ["index", "name", "pixels", "accuracy", "iou"], *classes, [], ["score", "value"], *four,
        [], ["within", "pixels", "mean_iou"], *bands, [], ["factor", "best_mean_iou"], *bounds,
    ]  # fmt: skip


def confusion_rows(found: Agreement) -> list[list[object]]:
    """The whole confusion matrix in pixels: a row a true class, a column a label."""
    table = found.confusion
    rows: list[list[object]] = [["true \\ label", *table.names]]
    return rows + [[name, *row] for name, row in zip(table.names, table.counts.tolist(), strict=True)]
