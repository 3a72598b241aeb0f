"""`segviz segment`: a label for every pixel (T14)."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segviz.cli.console import Console, Report
from segviz.cli.options import (
    add_fast,
    add_image,
    add_model,
    add_refinement,
    add_scale,
    chosen,
    names,
    positive,
    refinement_of,
    region,
    setup_of,
    share,
    size_note,
)
from segviz.cli.scored import scored
from segviz.cli.table import duration
from segviz.core import catalogue
from segviz.core.choices import Method, Palette, Upsampling
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError, UsageError
from segviz.core.field import pair, tidy
from segviz.core.frames import Lattice
from segviz.core.refinement import toggled
from segviz.core.requests import STRIDED, Prediction, SegmentRequest

if TYPE_CHECKING:
    from segviz.core.agreement import Agreement
    from segviz.core.metrics import Scores

HINT = "label every pixel of images"

LISTED = 8  # classes that the text names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_image(parser, several=True)
    add_model(parser)
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
    parser.add_argument(
        "--grid-stride",
        type=positive,
        metavar="N",
        help="pixels between the outputs of sliding-window (default: the stride), dense and shift-and-stitch (1)",
    )
    parser.add_argument("--region", type=region, metavar="X,Y,W,H", help="only this part of the image, in pixels")
    add_scale(parser)
    add_fast(parser)
    parser.add_argument(
        "--minimum",
        type=share,
        metavar="P",
        help="leave labels that are less probable than this unpainted in the overlay; the label map has them all "
        "(default: what suits the network, 0.8 for LeNet-5, which has no class for blank paper)",
    )
    add_refinement(parser)
    parser.add_argument("--probabilities", action="store_true", help="save the probabilities of all classes (.npz)")
    parser.add_argument(
        "--ground-truth", type=Path, metavar="MASK", help="mask to score against: class indices or colours of classes"
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for what is saved")


def run(options: argparse.Namespace, console: Console) -> Report:
    if options.ground_truth is not None and len(options.image) > 1:
        raise UsageError("--ground-truth is the mask of one image: give one image")
    if options.out.exists() and not options.out.is_dir():
        raise SegvizError(f"{options.out}: a file, where --out is to be a folder")
    options.out.mkdir(parents=True, exist_ok=True)
    entry = console.entry(options.model, options.trust)
    results, texts, failures = [], [], []
    for image, stem in zip(options.image, unique_stems(options.image), strict=True):
        try:
            data, text = _one(options, console, entry, image, options.out / stem)
        except SegvizError as error:
            if len(options.image) == 1:
                raise
            failures.append({"image": str(image), "message": str(error)})
            console.complain(about(image, str(error)))
            continue
        results.append(data)
        texts.append(text)
    console.note(size_note(options, entry))
    console.note(minimum_note(options, entry) if results else "")
    if options.grid_stride is not None and any(data["method"] not in STRIDED for data in results):
        chosen = ", ".join(method.value for method in STRIDED)
        console.note(f"--grid-stride is for {chosen}; other methods have the network's own")
    return Report({"results": results, "failures": failures}, "\n".join(texts), status=1 if failures else 0)


def about(image: Path, message: str) -> str:
    """`message` with the image that it is about, which most of them begin with."""
    return message if message.startswith((str(image), image.name)) else f"{image}: {message}"


def least(options: argparse.Namespace, entry: Entry) -> float:
    """The confidence from which the overlay is painted: as it was asked for, else what suits the network."""
    asked: float | None = options.minimum
    return entry.minimum if asked is None else asked


def minimum_note(options: argparse.Namespace, entry: Entry) -> str:
    """What to say to a person who did not ask for the minimum that the overlay was painted with."""
    if options.minimum is not None or not entry.minimum:
        return ""
    return (
        f"the overlay shows labels from a confidence of {entry.minimum:g} on, since {entry.title} has no class for "
        "what it does not know; the label map and the shares have every pixel. '--minimum 0' paints all."
    )


def unique_stems(files: list[Path]) -> list[str]:
    """The names of `files` without ending; a repeated one gets a number, so that nothing is overwritten."""
    stems: list[str] = []
    for file in files:
        stem, number = file.stem, 1
        while stem in stems:
            number += 1
            stem = f"{file.stem}-{number}"
        stems.append(stem)
    return stems


def _one(
    options: argparse.Namespace, console: Console, entry: Entry, image: Path, out: Path
) -> tuple[dict[str, Any], str]:
    """Segment one image; files are called `out` and what they hold."""
    request = SegmentRequest(
        setup_of(options, entry, image),
        options.method,
        options.upsampling,
        options.grid_stride,
        options.region,
        refinement_of(options),
    )
    prediction = console.ask(request)
    for remark in prediction.notes:
        console.note(f"{image.name}: {remark}")
    found = None if options.ground_truth is None else _agreement(options.ground_truth, image, prediction)
    for remark in () if found is None else found.remarks:
        console.note(f"{options.ground_truth.name}: {remark}")
    before = None if found is None or prediction.twin is None else before_of(options, image, prediction)
    saved = _save(prediction, image, out, options.probabilities, least(options, entry))
    data = {
        "image": str(image),
        **{name: str(file) for name, file in saved.items()},
        **_facts(prediction),
        "refinement": None if request.refinement is None else asdict(request.refinement),
        "minimum": least(options, entry),
    }
    if found is not None:
        data["scores"] = scored(found.scores, found.classes)
    if before is not None:
        data["scores_before_refinement"] = scored(before.scores, before.classes)
    return data, _text(
        image, prediction, saved, found.scores if found is not None else None, before.scores if before else None
    )


def _facts(prediction: Prediction) -> dict[str, Any]:
    """What JSON says of a prediction."""
    lattice = lattice_of(prediction)
    return {
        "method": prediction.method.value,
        "reason": prediction.reason,
        "upsampling": prediction.upsampling.value,
        "scale": prediction.scale,
        "seconds": prediction.seconds,
        "device": prediction.device,
        "grid": [lattice.rows, lattice.columns],
        "stride": pair(lattice.stride[1], lattice.stride[0]),
        "start": tidy(lattice.start),
        "region": tidy(prediction.region),
        "classes": [
            {"index": index, "name": prediction.classes[index], "share": share} for index, share in prediction.shares
        ],
        "exactness": exactness_of(prediction),
        "notes": prediction.notes,
    }


def _save(prediction: Prediction, image: Path, out: Path, probabilities: bool, minimum: float) -> dict[str, Path]:
    """Save labels, overlay and, if asked for, probabilities; returns the files by what they hold.

    The overlay leaves out labels less sure than `minimum`.
    """
    from segviz.core import export, images, palettes, scores

    saved = {
        "labels": out.with_name(f"{out.name}-labels.png"),
        "overlay": out.with_name(f"{out.name}-overlay.png"),
    }
    classes, labels = prediction.classes, prediction.labels
    export.save_labels(saved["labels"], labels, len(classes))
    pixels = images.open_picture(image).pixels[part_of(prediction)]
    colours = palettes.class_colours(Palette.AUTO, len(classes))
    visible = palettes.visible_classes(len(classes), background=catalogue.background(classes))
    overlay = export.overlay_labels(pixels, labels, colours, visible, prediction.confidence, minimum)
    export.save_picture(saved["overlay"], overlay)
    if probabilities:
        saved["probabilities"] = out.with_name(f"{out.name}-probabilities.npz")
        export.save_probabilities(saved["probabilities"], scores.softmax(prediction.logits), lattice_of(prediction))
    return saved


def exactness_of(prediction: Prediction) -> dict[str, Any] | None:
    """Whether the map equals the classifier on windows, for JSON; None where nothing is to be compared."""
    proof = prediction.exactness
    if proof is None:
        return None
    return {
        "equality": proof.equality.value,
        "reason": proof.reason,
        "margin": proof.margin,
        "deviation": proof.deviation,
        "sample": proof.sample,
    }


def part_of(prediction: Prediction) -> tuple[slice, slice]:
    """Rows and columns of the image that the labels are of."""
    left, top, right, bottom = (int(edge) for edge in prediction.region)
    return slice(top, bottom), slice(left, right)


def lattice_of(prediction: Prediction) -> Lattice:
    """Where the scores sit in the image; a prediction of a region counts from the region's corner."""
    lattice, region = prediction.lattice, prediction.region
    return replace(lattice, start=(lattice.start[0] + region.left, lattice.start[1] + region.top))


def _agreement(mask: Path, image: Path, prediction: Prediction) -> Agreement:
    """The agreement of the part of the image that was asked for."""
    from segviz.core import images, masks
    from segviz.core.agreement import agree

    truth = masks.read_mask(mask)
    truth.check_size(*images.probe(image))
    return agree(truth, prediction)


def before_of(options: argparse.Namespace, image: Path, prediction: Prediction) -> Agreement:
    """What the labels before refinement are worth."""
    return _agreement(options.ground_truth, image, toggled(prediction))


def _text(
    image: Path, prediction: Prediction, saved: dict[str, Path], scores: Scores | None, unrefined: Scores | None
) -> str:
    lattice, shares = prediction.lattice, prediction.shares
    lines = [
        f"{image}: {prediction.method.title.lower()}, {duration(prediction.seconds)}, "
        f"grid {lattice.rows} x {lattice.columns}",
        *(f"  {share:6.1%}  {prediction.classes[index]}" for index, share in shares[:LISTED]),
    ]
    if prediction.exactness is not None:
        lines.insert(1, f"  {prediction.exactness.text}")
    if len(shares) > LISTED:
        rest = sum(share for _, share in shares[LISTED:])
        lines.append(f"  {rest:6.1%}  {len(shares) - LISTED} other classes")
    for found, when in ((scores, ""), (unrefined, "before refinement: ")):
        if found is not None:
            lines.append(
                f"  {when}pixel accuracy {found.pixel_accuracy:.3f}, mean accuracy {found.mean_accuracy:.3f}, "
                f"mean IoU {found.mean_iou:.3f}, frequency-weighted IoU {found.frequency_weighted_iou:.3f}"
            )
    return "\n".join([*lines, *(f"  {name}: {file}" for name, file in saved.items())])
