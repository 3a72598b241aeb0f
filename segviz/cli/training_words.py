"""What `segviz train` says: which recipes there are, how far a training is, what came of it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from segviz.cli.console import Report
from segviz.cli.scored import objects
from segviz.cli.table import count, duration, table
from segviz.core.choices import DataName, RecipeName
from segviz.core.errors import clean
from segviz.core.learning import TrainingProgress, TrainingResult
from segviz.core.recipe_data import PACKAGES, taken

SILENT_AT_MOST = 30.0  # seconds between two lines of a training whose progress goes into a file
FOLDER = "FOLDER is one of your own with images and masks (docs/data.md)."

# ------------------------------------------------------------------------------------- what there is


def listed() -> Report:
    """All recipes, what each learns from, and what the data are and need."""
    data = {
        "recipes": [
            {"name": one.value, "title": one.title, "hint": one.hint, "data": list(taken(one))} for one in RecipeName
        ],
        "data": [
            {"name": one.value, "title": one.title, "hint": one.hint, "packages": list(PACKAGES.get(one, ()))}
            for one in DataName
        ],
    }
    rows = [(one.value, one.title, ", ".join(taken(one))) for one in RecipeName]
    recipes = table(("Recipe", "Trains", "Learns from"), rows, 3)
    sources = table(("Data", "What they are"), [(one.value, one.hint) for one in DataName], 2)
    how = "'segviz train RECIPE --quick --out FILE.safetensors' shows in seconds that a recipe learns."
    return Report(data, "\n\n".join((recipes, sources, "\n".join((*needed(), FOLDER, how)))))


def needed() -> list[str]:
    """Lines on data that need packages of the system."""
    lines = []
    for name, packages in PACKAGES.items():
        half = len(packages) - len(packages) // 2
        first, second = " ".join(packages[:half]), " ".join(packages[half:])
        lines += [f"{name}: packages of Debian, which --quick does without:"]
        lines += [f"  sudo apt-get install {first} \\", f"    {second}"]
    return lines


def epilog() -> str:
    """Which recipe takes which data, under the help."""
    width = max(len(one) for one in RecipeName)
    rows = [f"  {one.value:{width}}  {', '.join(taken(one))}" for one in RecipeName]
    return "\n".join(("what each recipe can learn from, its own data first:", *rows, "", *needed(), FOLDER))


# ---------------------------------------------------------------------------------------- under way


def told(at: TrainingProgress) -> str:
    """Loss, newest score and time to go, in a few words."""
    from segviz.gui.pace import clock

    score = ""
    if at.held_out is not None:
        score = f", held out {at.held_out:.1%}" if at.mean_iou is None else f", mean IoU {at.mean_iou:.3f}"
    left = "" if at.seconds_left is None or at.step == at.steps else f", {clock(at.seconds_left)} to go"
    return f"loss {at.loss:.3f}, right {at.accuracy:.1%}{score}{left}"


def at_step(at: TrainingProgress) -> str:
    """step 120 of 1,500."""
    return f"step {count(at.step)} of {count(at.steps)}"


class Lines:
    """Plain lines where standard error is no terminal: at first, whenever held-out data were scored, now and then."""

    def __init__(self, quiet: bool) -> None:
        self._silent = quiet or sys.stderr.isatty()
        self._last: tuple[float, TrainingProgress] | None = None

    def show(self, at: TrainingProgress) -> None:
        if self._silent:
            return
        now = time.monotonic()
        if self._last is not None:
            said, before = self._last
            if at.tested_at == before.tested_at and (now - said < SILENT_AT_MOST or at.step == before.step):
                return
        self._last = now, at
        print(f"{at_step(at)}: {told(at)}", file=sys.stderr, flush=True)


def stopped(at: TrainingProgress | None, checkpoint: Path) -> str:
    """What became of a training that was interrupted, and how it goes on."""
    if at is None or not checkpoint.exists():
        return "stopped before the first step; nothing is kept"
    return (
        f"stopped at {at_step(at)}; {clean(checkpoint.name)} keeps what was learned: the same command, with the same "
        "--out, goes on with --resume"
    )


# -------------------------------------------------------------------------------------- what came out


def _tested(result: TrainingResult) -> str:
    """24 images; a person's own are tested crop by crop."""
    several = "" if result.tested == 1 else "s"
    own = result.request.data not in (None, *DataName)
    return f"{count(result.tested)} " + (f"crop{several} of images" if own else f"image{several}")


def reported(result: TrainingResult, out: Path, seed: int, data_name: str) -> Report:
    """The scores of a training; `seed` and `data_name` are those that it had, the recipe's or a person's."""
    data: dict[str, Any] = {
        "recipe": result.request.recipe,
        "data": data_name,
        "out": str(out),
        "tested": result.tested,
        "steps": result.steps,
        "seed": seed,
        "parameters": result.parameters,
        "seconds": round(result.seconds, 3),
    }
    if result.mean_iou is None:
        data["accuracy"] = result.accuracy
        score = f"{result.accuracy:.2%} of {count(result.tested)} images never seen in training are named rightly"
    else:
        data["pixel_accuracy"] = result.accuracy
        for name in ("mean_accuracy", "mean_iou", "frequency_weighted_iou"):
            data[name] = getattr(result, name)
        score = f"mean IoU {result.mean_iou:.3f} on {_tested(result)} never seen in training"
    if result.ladder:
        data["ladder"] = list(result.ladder)
        score += f" ({', '.join(f'{value:.3f}' for value in result.ladder)} from the deepest map on)"
    lines = [score]
    if result.objects is not None:
        data["objects"] = {"f_score": result.objects, "separated": result.separated}
        lines.append(objects(result.objects, result.separated))
    data["per_class"] = dict(result.per_class)
    data["notes"] = list(result.notes)
    lines.append(
        f"{count(result.parameters)} parameters, {count(result.steps)} steps, seed {seed}, {duration(result.seconds)}; "
        f"weights in {out}"
    )
    return Report(data, "\n".join((*lines, *result.notes)))
