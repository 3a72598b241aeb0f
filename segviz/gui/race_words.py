"""What a race says: table, sentence and factors, from its result alone, and what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from segviz.core.choices import Task
from segviz.core.races import Lane, RaceRequest, RaceResult, RaceUpdate
from segviz.core.requests import Progress
from segviz.gui import words
from segviz.gui.scene import Scene


class Side(StrEnum):
    """The sides of a race, as `RaceUpdate.side` names them."""

    SLIDING_WINDOW = "sliding_window"
    ONE_BY_ONE = "one_by_one"
    FULLY_CONVOLUTIONAL = "fully_convolutional"


TITLES: dict[Side, str] = {
    Side.SLIDING_WINDOW: "Sliding window, batched",
    Side.ONE_BY_ONE: "Sliding window, one by one",
    Side.FULLY_CONVOLUTIONAL: "Fully convolutional",
}
SHORT_TITLES: dict[Side, str] = {
    Side.SLIDING_WINDOW: "Windows, batched",
    Side.ONE_BY_ONE: "Windows, one by one",
    Side.FULLY_CONVOLUTIONAL: "Fully convolutional",
}
WINDOWS = "windows"  # the unit of the engine's progress while the clock of a sliding window runs
COLUMNS = ("Method", "Time", "Outputs", "Outputs / s", "MACs", "Batch", "Slower")


def lane_of(result: RaceResult, side: Side) -> Lane:
    lane: Lane = getattr(result, side.value)
    return lane


def rate(lane: Lane) -> float:
    """Outputs a second."""
    return lane.outputs / lane.seconds if lane.seconds > 0 else 0.0


def ratio(over: float, under: float) -> float | None:
    return over / under if under > 0 else None


def table(result: RaceResult) -> list[tuple[str, ...]]:
    """The results as people read them, one tuple of `COLUMNS` a side."""
    fast = result.fully_convolutional.seconds
    rows: list[tuple[str, ...]] = []
    for side in Side:
        lane = lane_of(result, side)
        slower = ratio(lane.seconds, fast)
        seconds = words.duration(lane.seconds)
        rows.append(
            (
                SHORT_TITLES[side],
                f"≈ {seconds}" if lane.extrapolated else seconds,
                words.count(lane.outputs),
                words.short_count(rate(lane)),
                words.short_count(lane.macs),
                words.count(lane.batch),
                "–" if slower is None or side is Side.FULLY_CONVOLUTIONAL else words.factor(slower),
            )
        )
    return rows


def measured(lane: Lane) -> str:
    """Where the time of a side comes from: a part of its outputs, several runs; '' for one run over all."""
    sample = f"extrapolated from {words.count(lane.measured)} of {words.count(lane.outputs)} outputs"
    runs = f"median of {lane.repeats} {'parts of them' if lane.extrapolated else 'runs'}"
    return ", ".join([sample] * lane.extrapolated + [runs] * (lane.repeats > 1))


@dataclass(frozen=True, slots=True)
class Fact:
    """One line beside the table. `mark` is '' or a role of the theme: ok, warn."""

    name: str
    text: str
    hint: str
    mark: str = ""


def facts(result: RaceResult) -> tuple[Fact, ...]:
    """What there is to say about equality and cost."""
    verdict = "✓ yes" if result.exact else "✗ no"
    redundant = result.redundancy
    x, y = result.center_offset
    return (
        Fact("Exact", verdict, result.reason, "ok" if result.exact else "warn"),
        Fact("Largest difference", words.exponent(result.max_abs_difference), "Of probabilities at the same position"),
        Fact("Labels agree", words.share(result.label_agreement), "Positions where both sides name the same class"),
        Fact("Centres apart", f"{words.point(x, y)} px", "Offset (x, y) of the outputs' centres, in network pixels"),
        Fact(
            "Redundancy",
            "–" if redundant is None else words.factor(redundant),
            "Multiplications of the sliding window over those of the fully convolutional network",
        ),
        *without_padding(result),
    )


def without_padding(result: RaceResult) -> tuple[Fact, ...]:
    """The same weights on full fields, where a padded network's windows differ."""
    check = result.field_check
    if check is None:
        return ()
    if not check.sample:
        need = f"No field of {check.size[1]} × {check.size[0]} pixels lies inside the image: raise the scale"
        return (Fact("Without padding", "image too small", need),)
    hint = (
        f"Largest difference of {check.sample} units from the same weights on their full field of "
        f"{check.size[1]} × {check.size[0]} pixels alone, where nothing is padded: padding is "
        f"{'the whole cause' if check.equal else 'not the whole cause'}"
    )
    return (Fact("Without padding", words.exponent(check.difference), hint, "ok" if check.equal else "warn"),)


def short_reason(result: RaceResult) -> str:
    """The reason without what explains it: '13 padded convolutions'."""
    return result.reason.split(":")[0].split(";")[0]


def sentence(result: RaceResult) -> str:
    """The race in one sentence."""
    faster = result.speedup if result.fully_convolutional.seconds > 0 else float("inf")
    times = f"{faster:,.0f}" if faster >= 9.95 else f"{faster:.1f}"
    about = "about " if result.sliding_window.extrapolated else ""
    head = f"{about}{times} times faster"
    if result.exact:
        within = result.max_abs_difference
        return f"{head}, equal to within {words.exponent(within)}" if within else f"{head}, exactly equal"
    agreed = result.label_agreement
    where = "everywhere" if agreed == 1 else f"for {words.share(agreed)}"
    return f"{head}, not equal: {short_reason(result)}, labels agree {where}"


# What a race was run with, as it is said of one that was run with another.
SETTINGS: dict[str, Callable[[RaceRequest], object]] = {
    "image": lambda request: request.setup.image,
    "network": lambda request: request.setup.model,
    "scale": lambda request: request.setup.scale,
    "pooling": lambda request: request.setup.pooling,
    "device": lambda request: request.setup.device,
    "arithmetic": lambda request: request.setup.fast,
    "grid stride": lambda request: request.grid_stride,
}


def outdated(result: RaceResult, wanted: RaceRequest | None) -> str:
    """Which settings of a race are no longer those that are `wanted`: 'scale and device'; '' where all still are."""
    if wanted is None:
        return ""
    names = [name for name, of in SETTINGS.items() if of(result.request) != of(wanted)]
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def missing(scene: Scene) -> str:
    """What a race still needs, or why there is none with this network; '' where one can start."""
    if scene.network is None or scene.picture is None:
        return "Choose an image and a network."
    if scene.network.task is Task.SEGMENTATION:
        return f"{scene.network.title} answers per pixel: it has no window to slide. Choose a classifier."
    return ""


def running_factor(updates: tuple[RaceUpdate, ...]) -> float | None:
    """How many times faster the fully convolutional side is so far, by outputs a second; None until both ran.

    Against the sliding window that runs now: one by one once that has begun.
    """
    speed = {update.side: update.partial.progress.done / update.seconds for update in updates if update.seconds > 0}
    slow = speed.get(Side.ONE_BY_ONE, speed.get(Side.SLIDING_WINDOW))
    fast = speed.get(Side.FULLY_CONVOLUTIONAL)
    return fast / slow if slow and fast else None


def progress(progress: Progress | None, updates: tuple[RaceUpdate, ...]) -> str:
    """How far a race is, in one line.

    Before the clocks run, network and batch size are tried out: that says nothing of what is left.
    """
    if progress is None or not progress.total or progress.unit != WINDOWS or not updates:
        return "Warming up…"
    newest = updates[-1]
    which = SHORT_TITLES[Side(newest.side)]
    outputs = newest.partial.labels.size
    sampled = f"sampled {progress.unit}" if progress.total < outputs else progress.unit
    return f"{which}: {words.count(progress.done)} of {words.count(progress.total)} {sampled}"


def running_table(updates: tuple[RaceUpdate, ...]) -> list[tuple[str, ...]]:
    """The table while the race runs: what is known of each side so far."""
    by_side = {update.side: update for update in updates}
    rows = []
    for side in Side:
        update = by_side.get(side)
        if update is None:
            rows.append((SHORT_TITLES[side], "–", *[""] * (len(COLUMNS) - 2)))
            continue
        done = update.partial.progress.done
        speed = words.short_count(done / update.seconds) if update.seconds > 0 else "–"
        seconds = words.duration(update.seconds)
        rows.append((SHORT_TITLES[side], seconds, words.count(done), speed, *[""] * (len(COLUMNS) - 4)))
    return rows
