"""`segviz train`: a recipe of the training laboratory (T27, T28)."""

from __future__ import annotations

import argparse
import math
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from segviz.cli.console import Bar, Console, Report
from segviz.cli.options import check_suffix, positive, share
from segviz.cli.table import count, duration, table
from segviz.core.choices import DataName, Device, RecipeName
from segviz.core.errors import SegvizError, UsageError
from segviz.core.learning import TrainingProgress, TrainingResult, TrainRequest
from segviz.core.requests import Progress

HINT = "train a network by a recipe; without one, list the recipes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help="what is trained, for example lenet5")
    parser.add_argument(
        "--data",
        metavar="NAME",
        help=f"what it learns from: {', '.join(DataName)}, or a folder of images with masks; default: the recipe's",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=positive, metavar="N", help="rounds over all images; default: the recipe's")
    length.add_argument("--steps", type=positive, metavar="N", help="batches; default: the recipe's")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes, to see that it learns")
    parser.add_argument("--resume", action="store_true", help="go on where a training into the same file was stopped")
    parser.add_argument("--rate", type=float, metavar="R", help="the learning rate at its highest")
    parser.add_argument("--kept", type=share, metavar="S", help="share of the pixels whose loss counts (loss masking)")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--patches", action="store_true", default=None, help="one patch for each pixel; far slower")
    way.add_argument("--whole", dest="patches", action="store_false", help="whole images, whatever the recipe says")
    parser.add_argument(
        "--class-weights", type=weights, metavar="W,W,...", help="what each class counts in the loss, in their order"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of all that is random; default: the recipe's")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the weights go (.safetensors)")


def run(options: argparse.Namespace, console: Console) -> Report:
    if options.recipe is None:
        return _listed()
    if options.out is None:
        raise UsageError("where do the weights go? Give --out FILE.safetensors")
    check_suffix(options.out, ".safetensors")
    if options.device not in (Device.AUTO, Device.CPU):
        raise UsageError(f"--device {options.device}: recipes train on the CPU, where anybody gets the same weights")
    request = _request(options, console)
    return _report(_trained(request, console), options.out)


def _listed() -> Report:
    data = {"recipes": [{"name": one.value, "title": one.title, "hint": one.hint} for one in RecipeName]}
    return Report(data, table(("Recipe", "Trains", ""), [(one.value, one.title, one.hint) for one in RecipeName], 3))


def weights(text: str) -> tuple[float, ...]:
    """What each class counts: '0.2,1,1'."""
    numbers = tuple(float(part) for part in text.split(","))
    if not all(math.isfinite(number) and number >= 0 for number in numbers):
        raise argparse.ArgumentTypeError(f"{text}: a weight is 0 or more")
    return numbers


def _request(options: argparse.Namespace, console: Console) -> TrainRequest:
    from segviz.training.recipes import steps_of  # torch

    checkpoint = options.out.absolute().with_suffix(".checkpoint")
    if checkpoint.exists() and not options.resume:
        raise SegvizError(f"{checkpoint.name}: a stopped training; go on with it by --resume, or delete the file")
    if options.resume and not checkpoint.exists():
        console.note(f"{checkpoint.name} is not there: nothing to go on with, training begins anew")
    return TrainRequest(
        recipe=options.recipe,
        data=options.data,
        quick=options.quick,
        seed=options.seed,
        learning_rate=options.rate,
        kept=options.kept,
        class_weights=options.class_weights,
        patches=options.patches,
        steps=options.steps if options.epochs is None else steps_of(options.recipe, options.epochs),
        out=str(options.out.absolute()),
        checkpoint=str(checkpoint),
    )


def _trained(request: TrainRequest, console: Console) -> TrainingResult:
    from segviz.training.loop import train  # torch

    with Bar(console.quiet) as bar, _listening() as stopped, closing(train(request)) as training:
        while True:
            try:
                at = next(training)
            except StopIteration as end:
                result: TrainingResult = end.value
                return result
            if isinstance(at, TrainingProgress):
                bar.show(Progress(at.step, at.steps, "steps"), told(at))
            if stopped:
                training.close()
                raise SegvizError("stopped; the same command with --resume goes on")


def told(at: TrainingProgress) -> str:
    """Loss, newest score and time to go, in a few words."""
    score = ""
    if at.held_out is not None:
        score = f", score {at.held_out:.1%}" if at.mean_iou is None else f", mean IoU {at.mean_iou:.3f}"
    left = at.seconds_left
    return f"loss {at.loss:.3f}, right {at.accuracy:.1%}{score}" + ("" if left is None else f", {duration(left)} to go")


@contextmanager
def _listening() -> Iterator[list[int]]:
    """A list that is empty until Ctrl+C: a training stops between two steps, where it can go on from."""
    stopped: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: stopped.append(number))
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _report(result: TrainingResult, out: Path) -> Report:
    request = result.request
    data: dict[str, Any] = {
        "recipe": request.recipe,
        "data": request.data,
        "out": str(out),
        "tested": result.tested,
        "steps": result.steps,
        "seed": request.seed,
        "parameters": result.parameters,
        "seconds": result.seconds,
    }
    if result.mean_iou is None:
        data["accuracy"] = result.accuracy
        score = f"{result.accuracy:.2%} of {count(result.tested)} images never seen in training are named rightly"
    else:
        data["pixel_accuracy"] = result.accuracy
        for name in ("mean_accuracy", "mean_iou", "frequency_weighted_iou"):
            data[name] = getattr(result, name)
        score = f"mean IoU {result.mean_iou:.3f} on {count(result.tested)} images never seen in training"
    if result.objects is not None:
        data["objects"] = {"f_score": result.objects, "separated": result.separated}
        score += f", of objects F {result.objects:.3f}"
    if result.ladder:
        data["ladder"] = list(result.ladder)
        score += f" ({', '.join(f'{value:.3f}' for value in result.ladder)} from the deepest map on)"
    data["per_class"] = dict(result.per_class)
    data["notes"] = list(result.notes)
    text = (
        f"{score} ({count(result.parameters)} parameters, {count(result.steps)} steps, {duration(result.seconds)}); "
        f"weights in {out}"
    )
    return Report(data, "\n".join((text, *result.notes)))
