"""Two results of `segviz bench`, row by row: what became worse by more than it scatters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from segviz.cli.table import table

Data = Mapping[str, Any]
WORSE, BETTER, SAME, OTHER, NEW = "worse", "better", "same", "other conditions", "new"
GONE = "gone"
QUICK = "quick: not judged"  # two samples say nothing about a change


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison found, for machines and for people; `worse` if anything is."""

    data: list[dict[str, Any]]
    text: str

    @property
    def worse(self) -> bool:
        return any(line["verdict"] == WORSE for line in self.data)


def compared(earlier: Data, now: Data) -> Verdict:
    """`now` against `earlier`. Measures without an unit are differences of numbers: only their targets count."""
    lines = list(_lines(earlier, now))
    head = ("row", "what", "before", "now", "scatter", "")
    rows = [
        (line["row"], line["name"], *(_number(line[key]) for key in ("before", "now", "scatter")), line["verdict"])
        for line in lines
    ]
    worse = sum(line["verdict"] == WORSE for line in lines)
    said = f"{worse} of {len(lines)} became worse by more than they scatter" if worse else "Nothing became worse"
    notes = [f"{word}: {before} before, {here} now" for word, before, here in _changes(earlier, now)]
    return Verdict(lines, "\n".join([table(head, rows, left=2), "", f"{said}.", *notes]))


def _lines(earlier: Data, now: Data) -> Iterator[dict[str, Any]]:
    """One for each measure of this run."""
    before = {row["name"]: row for row in earlier["rows"]}
    for row in now["rows"]:
        old = before.get(row["name"])
        measures = {} if old is None else {measure["name"]: measure for measure in old["measures"]}
        for measure in row["measures"]:
            its = measures.get(measure["name"])
            if old is None or its is None:
                verdict = NEW
            elif old["conditions"] != row["conditions"]:
                verdict = OTHER
            elif row.get("quick"):
                verdict = QUICK
            else:
                verdict = _verdict(its, measure)
            yield {
                "row": row["row"],
                "name": measure["name"],
                "before": None if its is None else its["median"],
                "now": measure["median"],
                "scatter": None if its is None else its["spread"] + measure["spread"],
                "verdict": verdict,
            }
    yield from _gone(earlier, now)


def _gone(earlier: Data, now: Data) -> Iterator[dict[str, Any]]:
    """Measures of rows that were run again, and are not there any more."""
    here = {row["name"]: {measure["name"] for measure in row["measures"]} for row in now["rows"]}
    for row in earlier["rows"]:
        for measure in row["measures"]:
            if measure["name"] not in here.get(row["name"], {measure["name"]}):
                yield {
                    "row": row["row"],
                    "name": measure["name"],
                    "before": measure["median"],
                    "now": None,
                    "scatter": None,
                    "verdict": GONE,
                }


def _verdict(old: Data, new: Data) -> str:
    if not new["unit"]:
        return {(True, False): WORSE, (False, True): BETTER}.get((old["met"], new["met"]), SAME)
    gained = new["median"] - old["median"]
    if new["target"] is not None and "at_most" in new["target"]:
        gained = -gained
    if abs(gained) <= old["spread"] + new["spread"]:
        return SAME
    return BETTER if gained > 0 else WORSE


def _changes(earlier: Data, now: Data) -> Iterator[tuple[str, Any, Any]]:
    """What else differs: threads, instructions, versions."""
    for part in ("machine", "versions"):
        old, new = earlier.get(part, {}), now.get(part, {})
        for word in sorted({*old, *new}):
            if old.get(word) != new.get(word):
                yield word, old.get(word, "none"), new.get(word, "none")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
