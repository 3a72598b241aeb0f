"""`segviz train`: a recipe of the training laboratory (T27, T28)."""

from __future__ import annotations

import argparse
from pathlib import Path

from segviz.cli.console import Bar, Console, Report
from segviz.cli.options import check_suffix, positive
from segviz.cli.table import count, duration
from segviz.core.choices import Device
from segviz.core.errors import UsageError
from segviz.core.requests import Progress

HINT = "train a network by a recipe"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe", metavar="RECIPE", help="what is trained, for example lenet5")
    parser.add_argument("--epochs", type=positive, metavar="N", help="default: the recipe's")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes, to see that it learns")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the weights go (.safetensors)")


def run(options: argparse.Namespace, console: Console) -> Report:
    from segviz.training.loop import train  # torch

    check_suffix(options.out, ".safetensors")
    if options.device not in (Device.AUTO, Device.CPU):
        raise UsageError(f"--device {options.device}: recipes train on the CPU, where anybody gets the same weights")
    run = train(options.recipe, options.out.absolute(), options.epochs, options.quick)
    with Bar(console.quiet) as bar:
        while True:
            try:
                at = next(run)
            except StopIteration as end:
                result = end.value
                break
            done = (at.epoch - 1) * at.steps + at.step
            bar.show(Progress(done, at.epochs * at.steps, "steps"), f"loss {at.loss:.3f}, right {at.accuracy:.1%}")
    data = {
        "recipe": result.recipe,
        "out": str(options.out),
        "accuracy": result.accuracy,
        "tested": result.tested,
        "epochs": result.epochs,
        "seed": result.seed,
        "parameters": result.parameters,
        "seconds": result.seconds,
    }
    text = (
        f"{result.accuracy:.2%} of {count(result.tested)} digits never seen in training are named rightly "
        f"({count(result.parameters)} parameters, {result.epochs} epochs, {duration(result.seconds)}); "
        f"weights in {options.out}"
    )
    return Report(data, text)
