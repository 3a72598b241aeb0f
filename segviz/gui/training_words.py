"""What the training laboratory says: names of runs, progress, results, from the runs alone."""

from __future__ import annotations

from collections.abc import Collection

from segviz.core.choices import RecipeName
from segviz.core.learning import TrainingResult, TrainRequest
from segviz.gui import words
from segviz.gui.names import sentence
from segviz.gui.pace import clock
from segviz.gui.runs import Left, Phase, Run, Training

INVITATION = "Choose a recipe and press Start. The quick form shows in seconds that a network learns."
FIRST = "Taking the first steps…"
PHASES = {
    Phase.STARTING: "Starting the training process…",
    Phase.PAUSING: "Pausing after this step…",
    Phase.PAUSED: "Paused",
    Phase.WAITING: "Waits for the race to end",
    Phase.STOPPED: "Stopped; tested once the race has ended",
    Phase.STOPPING: "Stopping after this step…",
    Phase.FINISHING: "Testing what it has learned…",
}
Row = list[object]


def share(value: float) -> str:
    """'81.2 %'."""
    return f"{value * 100:.1f}{words.NARROW}%"


def title(recipe: str) -> str:
    """A recipe for people; one that there is not by its own name."""
    return RecipeName(recipe).title if recipe in set(RecipeName) else recipe


def run_name(request: TrainRequest, taken: Collection[str] = ()) -> str:
    """What tells a run from others in the legend: recipe and what a person changed of it; none of `taken`."""
    parts = [request.recipe]
    if request.quick:
        parts.append("quick")
    if request.data is not None:
        parts.append(request.data.replace("\\", "/").rstrip("/").rpartition("/")[2])
    if request.patches is not None:
        parts.append("patches" if request.patches else "whole images")
    if request.kept is not None:
        parts.append(f"{request.kept * 100:.3g} % of pixels")
    if request.class_weights is not None:
        parts.append("equal weights" if len(set(request.class_weights)) == 1 else "class weights")
    if request.learning_rate is not None:
        parts.append(f"rate {request.learning_rate:.3g}")
    if request.steps is not None:
        parts.append(f"{words.count(request.steps)} steps")
    if request.seed is not None:
        parts.append(f"seed {request.seed}")
    name = ", ".join(parts)
    again = next(number for number in range(1, len(taken) + 2) if _numbered(name, number) not in taken)
    return _numbered(name, again)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name} ({number})"


def progress(training: Training) -> str:
    """How far the newest run is: steps, steps a second, time to go."""
    run = training.run
    if run is None:
        return INVITATION
    steps = at_step(run)
    if training.phase is Phase.PAUSED:
        parts = [f"{PHASES[training.phase]} at {steps}" if steps else PHASES[training.phase]]
    else:
        parts = [PHASES.get(training.phase, ""), steps]
    if training.rate is not None:
        parts.append(f"{training.rate:.3g} steps/s")
    if training.remaining is not None and training.phase is Phase.RUNNING:
        parts.append(f"{clock(training.remaining)} left")
    said = " · ".join(part for part in parts if part)
    return FIRST if training.phase is Phase.RUNNING and not said else said


def ended(run: Run) -> str:
    """How a run that is over came out, or why it ended."""
    if run.result is not None:
        early = run.newest is not None and run.result.steps < run.newest.steps
        return (f"Stopped at {at_step(run)} · " if early else "Trained: ") + scores(run.result)
    return sentence(run.trouble) or (f"Stopped at {at_step(run)}" if run.points else "Stopped before its first step")


def at_step(run: Run) -> str:
    """'step 37 of 200'; '' before the first report."""
    at = run.newest
    return f"step {words.count(at.step)} of {words.count(at.steps)}" if at is not None else ""


def scores(result: TrainingResult) -> str:
    """The scores in one line."""
    if result.mean_iou is None:
        parts = [f"{share(result.accuracy)} of {words.count(result.tested)} held-out images are named rightly"]
    else:
        parts = [f"mean IoU {result.mean_iou:.3f}", f"pixel accuracy {share(result.accuracy)}"]
        if result.mean_accuracy is not None:
            parts.append(f"mean accuracy {share(result.mean_accuracy)}")
        parts.append(f"on {words.count(result.tested)} held-out images")
    if result.objects is not None:
        parts.append(f"objects F {result.objects:.3f}")
    if result.separated is not None:
        parts.append(f"{share(result.separated)} of touching pairs apart")
    if len(result.ladder) > 1:
        parts.append("coarse to fine " + ", ".join(f"{value:.3f}" for value in result.ladder))
    parts.append(f"{words.count(result.steps)} steps in {clock(result.seconds)}")
    return " · ".join(parts)


def going_on(left: Left) -> str:
    """What a button says that goes on with an unfinished run; where from stands below it."""
    return f"Go on: {left.request.recipe}"


def left_at(left: Left) -> str:
    of = f" of {words.count(left.steps)}" if left.steps else ""
    return f"left at step {words.count(left.step)}{of}"


def about(left: Left) -> str:
    return f"{left.name}: {left_at(left)}"


def curve_rows(runs: Collection[Run]) -> list[Row]:
    """The curves as a table, one row a report."""
    head: Row = ["run", "step", "steps", "seconds", "loss", "accuracy", "held_out", "mean_iou", "tested_at"]
    rows: list[Row] = [head]
    for run in runs:
        rows += [
            [
                run.name,
                at.step,
                at.steps,
                at.seconds,
                at.loss,
                at.accuracy,
                *("" if value is None else value for value in (at.held_out, at.mean_iou, at.tested_at)),
            ]
            for at in run.points
        ]
    return rows
