"""`segviz train`: a recipe of the training laboratory (T27, T28)."""

from __future__ import annotations

import argparse
import math
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from segviz.cli import training_words
from segviz.cli.console import Bar, Console, Report
from segviz.cli.options import check_suffix, positive, share
from segviz.core.choices import Device
from segviz.core.errors import SegvizError, UsageError, named
from segviz.core.learning import TrainingProgress, TrainRequest
from segviz.core.requests import Progress

HINT = "train a network by a recipe; without one, list the recipes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog, parser.formatter_class = training_words.epilog(), argparse.RawDescriptionHelpFormatter
    parser.add_argument("recipe", nargs="?", metavar="RECIPE", help="what is trained, for example lenet5")
    parser.add_argument(
        "--data", metavar="NAME|FOLDER", help="what it learns from (listed below); default: the recipe's"
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
        return training_words.listed()
    if options.out is None:
        raise UsageError("where do the weights go? Give --out FILE.safetensors")
    check_suffix(options.out, ".safetensors")
    if options.device not in (Device.AUTO, Device.CPU):
        raise UsageError(f"--device {options.device}: recipes train on the CPU, where anybody gets the same weights")
    return _trained(_request(options, console), options.out, console)


def weights(text: str) -> tuple[float, ...]:
    """What each class counts: '0.2,1,1'."""
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not W,W,..., a number for each class: 0.5,1") from None
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


def _trained(request: TrainRequest, out: Path, console: Console) -> Report:
    from segviz.training.loop import train  # torch
    from segviz.training.recipes import recipe

    plan = recipe(request)
    checkpoint = Path(request.checkpoint or "")
    resumed = checkpoint.exists()
    lines, newest = training_words.Lines(console.quiet), None
    with Bar(console.quiet) as bar, _listening() as stopped, closing(train(request)) as training:
        while True:
            try:
                at = next(training)
            except StopIteration as end:
                return training_words.reported(end.value, out, plan.seed, named(request.data or plan.data))
            if isinstance(at, TrainingProgress):
                if newest is None and resumed:
                    console.note(f"{checkpoint.name}: training goes on at {training_words.at_step(at)}")
                newest = at
                bar.show(Progress(at.step, at.steps, "steps"), training_words.told(at))
                lines.show(at)
            if stopped:
                training.close()
                raise SegvizError(training_words.stopped(newest, checkpoint))


@contextmanager
def _listening() -> Iterator[list[int]]:
    """A list that is empty until Ctrl+C: a training stops between two steps, where it can go on from."""
    stopped: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: stopped.append(number))
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
