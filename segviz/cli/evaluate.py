"""`segviz evaluate`: networks scored on a folder of images with masks."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from segviz.cli.console import Bar, Console, Report
from segviz.cli.options import add_fast, add_scale, check_suffix, chosen, names, setup_of
from segviz.cli.scored import FOUR, TITLES, four, objects, scored
from segviz.cli.table import count, table
from segviz.core.choices import DataName, Method, Upsampling
from segviz.core.errors import SegvizError, UsageError, named
from segviz.core.formats import LARGEST_LABEL
from segviz.core.requests import Progress, SegmentRequest

if TYPE_CHECKING:
    from segviz.core.agreement import Counts
    from segviz.core.instances import Instances, InstanceScore
    from segviz.core.mask_colours import ColourKey
    from segviz.core.masks import Mask
    from segviz.core.metrics import Confusion, Scores
    from segviz.core.pairs import Collection, Pair

HINT = "score networks on a folder of images with masks"
NUMBERS = re.compile(r"\d+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="networks: 'segviz models' lists them")
    parser.add_argument(
        "--data",
        required=True,
        metavar="FOLDER",
        help="a folder with images/ beside masks/ or instances/ (docs/data.md), or held-out data of segviz: "
        "scenes, cells, digit-pages",
    )
    parser.add_argument(
        "--method", type=chosen(Method), default=Method.AUTO, metavar=names(Method), help="default: auto"
    )
    parser.add_argument(
        "--upsampling",
        type=chosen(Upsampling),
        default=Upsampling.BILINEAR,
        metavar=names(Upsampling),
        help="default: bilinear",
    )
    add_scale(parser)
    add_fast(parser)
    parser.add_argument(
        "--ignore",
        type=label,
        metavar="N",
        help="label of pixels that do not count; default: 255, unless it is a class",
    )
    parser.add_argument(
        "--palette",
        metavar="voc|cityscapes|FILE",
        help="what the colours of masks stand for; FILE has a line 'R G B name' a class (default: found by content)",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="save the table as CSV")


def label(text: str) -> int:
    """A class index."""
    if not text.isdecimal() or int(text) > LARGEST_LABEL:
        raise argparse.ArgumentTypeError(f"'{text}' is not a label from 0 to {LARGEST_LABEL}")
    return int(text)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One network's scores over the collection; `objects` where it tells things of one class apart."""

    spec: str
    classes: tuple[str, ...]
    scores: Scores
    images: int
    failures: tuple[str, ...]
    objects: InstanceScore | None = None


def run(options: argparse.Namespace, console: Console) -> Report:
    check_suffix(options.csv, ".csv")
    if len(set(options.specs)) < len(options.specs):
        raise UsageError("a network is named twice: name each once")
    with opened(options.data) as collection:
        return _evaluated(options, console, collection)


@contextmanager
def opened(name: str) -> Iterator[Collection]:
    """The collection that `--data` names; what recipes hold out is drawn into a folder that goes again in the end."""
    from segviz.core import pairs

    if name in (DataName.DIGITS, DataName.CLOTHES) and not Path(name).exists():
        raise SegvizError(
            f"{name} have one label each, and scores here are of pixels: there are {', '.join(pairs.brought())}"
        )
    if name == DataName.STAMPS and not Path(name).exists():
        name = "scenes"  # what is held out where stamps are learned from
    if name not in pairs.DRAWN or pairs.is_collection(Path(name)):
        yield pairs.open_collection(name)
        return
    from segviz.training.held_out import write  # torch

    with TemporaryDirectory(prefix="segviz-") as place:
        write(DataName(name), Path(place) / name)
        yield pairs.open_collection(str(Path(place) / name))


def _evaluated(options: argparse.Namespace, console: Console, collection: Collection) -> Report:
    from segviz.core import export, pairs

    key = colour_key(options.palette)
    collection = pairs.judged(collection, key)
    if collection.alone:
        some = ", ".join(collection.alone[:3])
        console.note(f"{len(collection.alone)} files without a partner of their stem are left out: {some}")
    entries = {spec: console.entry(spec, options.trust) for spec in options.specs}
    with Bar(console.quiet) as bar:
        total, found = len(options.specs) * len(collection.pairs), []
        for at, (spec, entry) in enumerate(entries.items()):
            one = argparse.Namespace(**vars(options), model=spec)
            evaluation = _Evaluating(one, console, collection, key)
            for done, pair in enumerate(collection.pairs):
                bar.show(Progress(at * len(collection.pairs) + done, total, "images"), spec)
                evaluation.add(pair, setup_of(one, entry, pair.image))
            found.append(evaluation.result())
    if options.csv is not None:
        export.save_table(options.csv, csv_rows(found))
    failed = any(one.failures for one in found)
    return Report(_data(collection, found, options.csv), _text(collection, found), status=1 if failed else 0)


def colour_key(wanted: str | None) -> ColourKey | None:
    """What `--palette` names; None: to be found by content."""
    from segviz.core import mask_colours

    known = {"voc": mask_colours.voc, "cityscapes": mask_colours.cityscapes}
    if wanted is None:
        return None
    return known[wanted]() if wanted in known else mask_colours.read_key(wanted)


class _Evaluating:
    """Adds up one network's confusion, image by image; what cannot be read is complained of and left out."""

    def __init__(
        self, options: argparse.Namespace, console: Console, collection: Collection, key: ColourKey | None
    ) -> None:
        self._options, self._console, self._collection, self._key = options, console, collection, key
        self._total: Confusion | None = None
        self._objects: InstanceScore | None = None
        self._classes: tuple[str, ...] = ()
        self._images = 0
        self._failures: list[str] = []
        self._said: set[str] = set()

    def add(self, pair: Pair, setup: Any) -> None:
        from segviz.core import images

        try:
            mask = self._mask(pair)
            mask.check_size(*images.probe(pair.image))
            request = SegmentRequest(setup, self._options.method, self._options.upsampling)
            self._count(mask, request, self._things(pair))
        except SegvizError as error:
            text = str(error)
            text = text if pair.truth.name in text or pair.image.name in text else f"{pair.image.name}: {text}"
            self._failures.append(text)
            self._console.complain(text)

    def _mask(self, pair: Pair) -> Mask:
        from segviz.core.pairs import read_truth

        mask = replace(read_truth(pair, self._key), black_and_white=self._collection.black_and_white)
        return replace(mask, names=self._collection.classes) if self._collection.classes else mask

    def _things(self, pair: Pair) -> Instances | None:
        """The instances of the truth (H, W), where there are any."""
        from segviz.core import images
        from segviz.core.pairs import read_instances

        return None if pair.instances is None else read_instances(pair.instances, images.probe(pair.image))

    def _count(self, mask: Mask, request: SegmentRequest, things: Instances | None) -> None:
        from segviz.core.agreement import count_of
        from segviz.core.metrics import added

        prediction = self._console.ask(request)
        found = count_of(mask, prediction, self._options.ignore)
        if self._total is not None and found.classes != self._classes:
            raise SegvizError(f"{named(mask.path)}: its colours name other classes than the masks before it do; "
                              "say by --palette what colours stand for")  # fmt: skip
        self._total = found.confusion if self._total is None else added(self._total, found.confusion)
        self._classes = found.classes
        if things is not None:
            scored = score_of_objects(things, found)
            self._objects = scored if self._objects is None else self._objects + scored
        self._note((*found.remarks, *prediction.notes))
        if found.confusion.counts.any():
            self._images += 1
        else:
            self._note((f"{named(mask.path)} marks no pixel that counts: its image is left out",))

    def _note(self, remarks: tuple[str, ...]) -> None:
        """Say what was not said yet; of what is said with the size of each image, the first is enough."""
        for remark in remarks:
            kind = NUMBERS.sub("", remark)
            if kind not in self._said:
                self._said.add(kind)
                self._console.note(f"{self._options.model}: {remark}")

    def result(self) -> Evaluation:
        from segviz.core.agreement import without_truth

        if self._total is None or not self._images:
            first = self._failures[0] if self._failures else "no mask marks a pixel that counts"
            raise SegvizError(f"{self._options.model}: nothing to score in {self._collection.name}; {first}")
        self._note(without_truth(self._total))  # over all images: one alone may lack classes that others have
        model, failures = self._options.model, tuple(self._failures)
        return Evaluation(model, self._classes, self._total.scores, self._images, failures, self._objects)


def score_of_objects(things: Instances, found: Counts) -> InstanceScore:
    """The instances of the truth (H, W) against the connected parts of all labels but the background's.

    Pixels that do not count are of no instance. The background is the class of that name, else the first.
    """
    import numpy as np

    from segviz.core.catalogue import background
    from segviz.core.instances import score

    known = found.truth >= 0
    return score(np.where(known, things, 0), known & (found.prediction.labels != (background(found.classes) or 0)))


# ------------------------------------------------------------------------------------- saying


def _data(collection: Collection, found: list[Evaluation], csv: Path | None) -> dict[str, Any]:
    results = [
        {
            "model": one.spec,
            "images": one.images,
            **scored(one.scores, one.classes),
            **_objects(one),
            "failures": one.failures,
        }
        for one in found
    ]
    whole: dict[str, Any] = {"data": collection.name, "results": results, "csv": None if csv is None else str(csv)}
    return whole | results[0] if len(results) == 1 else whole


def _objects(one: Evaluation) -> dict[str, Any]:
    """Objects for JSON, where the data tell things of one class apart."""
    if one.objects is None:
        return {}
    return {"objects": {"f_score": one.objects.f_score, "separated": one.objects.separated}}


def listed(found: list[Evaluation]) -> list[str]:
    """The classes of all networks by name, each once: in the order of the first network that has them."""
    return list(dict.fromkeys(one.classes[score.index] for one in found for score in one.scores.per_class))


def csv_rows(found: list[Evaluation]) -> list[list[object]]:
    """One row a network: its four scores, then IoU and accuracy of every class; empty where it has none."""
    classes = listed(found)
    heads = ["model", "images", *FOUR, *(f"{what} {name}" for name in classes for what in ("iou", "accuracy"))]
    counted = any(one.objects is not None for one in found)
    rows: list[list[object]] = [[*heads, *(("objects f_score", "objects separated") if counted else ())]]
    for one in found:
        by_name = {one.classes[score.index]: score for score in one.scores.per_class}
        row: list[object] = [one.spec, one.images, *four(one.scores)]
        for name in classes:
            score = by_name.get(name)
            row += ["", ""] if score is None else [score.iou, "" if score.accuracy is None else score.accuracy]
        if counted:
            things = (None, None) if one.objects is None else (one.objects.f_score, one.objects.separated)
            row += ["" if value is None else value for value in things]
        rows.append(row)
    return rows


def _text(collection: Collection, found: list[Evaluation]) -> str:
    """One network: class by class; several: side by side, class by class their IoU."""
    images = f"{count(max(one.images for one in found))} images of {collection.name}"
    if len(found) == 1:
        return f"{found[0].spec} on {images}\n\n{_alone(found[0])}"
    return f"{len(found)} networks on {images}\n\n{_side_by_side(found)}"


def _alone(one: Evaluation) -> str:
    lines = [
        (one.classes[score.index], count(score.pixels), _share(score.accuracy), _share(score.iou))
        for score in one.scores.per_class
    ]
    said = [f"{title} {_share(value)}" for title, value in zip(TITLES, four(one.scores), strict=True)]
    text = f"{table(('class', 'pixels', 'accuracy', 'IoU'), lines)}\n\n{', '.join(said)}"
    if one.objects is not None:
        text += f"\n{objects(one.objects.f_score, one.objects.separated)}"
    return text


def _side_by_side(found: list[Evaluation]) -> str:
    head = ("", *(one.spec for one in found))
    each = [four(one.scores) for one in found]
    rows: list[tuple[str, ...]] = [(title, *(_share(values[at]) for values in each)) for at, title in enumerate(TITLES)]
    things = [one.objects for one in found]
    if any(one is not None for one in things):
        rows.append(("F-score of objects", *(_share(None if one is None else one.f_score) for one in things)))
        rows.append(("touching pairs apart", *(_share(None if one is None else one.separated) for one in things)))
    if len({one.images for one in found}) > 1:  # one network may refuse an image that another takes
        rows.insert(0, ("images", *(count(one.images) for one in found)))
    ious = [{one.classes[s.index]: s.iou for s in one.scores.per_class} for one in found]
    rows += [(f"IoU {name}", *(_share(iou.get(name)) for iou in ious)) for name in listed(found)]
    return table(head, rows)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
