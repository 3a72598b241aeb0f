"""`segviz bench`: the project's own speed table. Its rows lie in `benchmarks/` of the source checkout."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from segviz.cli.compare import compared
from segviz.cli.console import Console, Report, as_json
from segviz.cli.options import check_suffix
from segviz.cli.table import table
from segviz.core.choices import Device
from segviz.core.errors import SegvizError, UsageError

HINT = "measure segviz against sliding windows and other libraries"
WORSE = 1  # exit status

Data = Mapping[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("row", nargs="*", metavar="ROW", help="number or name of a row; default: all")
    parser.add_argument("--against", type=Path, metavar="FILE", help="an earlier result (--out): what became worse?")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the result goes (.json)")
    parser.add_argument("--quick", action="store_true", help="small images, two samples: to see that all rows run")


def run(options: argparse.Namespace, console: Console) -> Report:
    check_suffix(options.out, ".json")
    if options.device not in (Device.AUTO, Device.CPU):
        raise UsageError(f"--device {options.device}: the table is one of the processor; leave --device out")
    earlier = None if options.against is None else read(options.against)
    rows = rows_module()
    check_names(options.row, rows.names())
    plan = importlib.import_module("benchmarks.measure").Plan(options.quick, say=console.note)
    data: dict[str, Any] = {**rows.circumstances(), "quick": options.quick, "rows": []}
    for found in rows.run(options.row, plan):
        data["rows"].append(found)
        if options.out is not None:  # after every row: a long run that is stopped leaves what it has
            save(data, options.out)
    text = text_of(data)
    if earlier is None:
        return Report(data, text)
    verdict = compared(earlier, data)
    return Report({**data, "against": verdict.data}, f"{text}\n\n{verdict.text}", WORSE if verdict.worse else 0)


def save(data: Data, path: Path) -> None:
    from segviz.core.export import replace_file  # numpy, for arrays that other verbs save

    replace_file(path, lambda part: part.write_text(as_json(data) + "\n", encoding="utf-8"))


def rows_module(package: Path | None = None) -> Any:
    """The module with the table of rows, from the checkout that holds `package` (this one unless given).

    Raises SegvizError where segviz was installed without its checkout.
    """
    root = (package or Path(__file__).resolve().parent.parent).parent
    if not (root / "benchmarks" / "rows.py").is_file():
        raise SegvizError(
            "the rows of the benchmark are no part of an installed segviz: they lie in benchmarks/ of its source; "
            "run 'segviz bench' from a checkout that was installed with 'make install'"
        )
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return importlib.import_module("benchmarks.rows")


def check_names(asked: Sequence[str], known: Sequence[tuple[str, str, str]]) -> None:
    """Raise UsageError for a row that there is not."""
    for word in asked:
        if not any(word in (number, name) for number, name, _ in known):
            listed = ", ".join(f"{number} {name}" for number, name, _ in known)
            raise UsageError(f"there is no row '{word}'; there are: {listed}")


def read(path: Path) -> Data:
    """An earlier result. Raises SegvizError where the file is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(row["measures"], list) for row in data["rows"]):
            return data  # type: ignore[no-any-return]
    except (ValueError, KeyError, TypeError):
        pass
    raise SegvizError(f"{path}: not a result of 'segviz bench --out FILE'")


# ------------------------------------------------------------------------------------------- text


def text_of(data: Data) -> str:
    """The table, the conditions of each row and those of all."""
    head = ("row", "what", "median", "spread", "samples", "target", "")
    lines: list[tuple[str, ...]] = []
    for row in data["rows"]:
        lines.append((row["row"], row["title"], "", "", "", "", "" if row["measures"] else "left out"))
        lines += [_line(measure) for measure in row["measures"]]
    remarks = [text for row in data["rows"] for text in _remarks(row)]
    return "\n".join([table(head, lines, left=2), "", *remarks, "", _circumstances(data)])


def _line(measure: Data) -> tuple[str, ...]:
    unit = measure["unit"]
    verdict = {True: "met", False: "MISSED", None: ""}[measure["met"]]
    words = [word for word in (verdict, "extrapolated" if measure["extrapolated"] else "") if word]
    scatter = "± " + amount(measure["spread"], unit) if measure["samples"] > 1 else ""
    return (
        "", f"  {measure['name']}", amount(measure["median"], unit), scatter,
        str(measure["samples"]), target_text(measure), ", ".join(words),
    )  # fmt: skip


def amount(value: float, unit: str) -> str:
    """31.2x, 86%, 2.1e-06."""
    if unit == "":
        return f"{value:.1e}" if value else "0"
    number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return number + unit


def target_text(measure: Data) -> str:
    """`>= 25x`, nothing where there is no target."""
    if measure["target"] is None:
        return ""
    ((word, value),) = measure["target"].items()
    bound = f"{value:g}{measure['unit']}"
    return f"{'>=' if word == 'at_least' else '<='} {bound}"


def _remarks(row: Data) -> list[str]:
    said = [text for text in (row["conditions"], *row["notes"]) if text]
    lowest, highest = (f"{value:.1f}" if value is not None else "?" for value in row["load"])
    return [f"Row {row['row']}: {'; '.join(said)}. Load {lowest} to {highest}, {row['took']:.0f} s."]


def _circumstances(data: Data) -> str:
    machine, versions = data["machine"], data["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    quick = "Quick run: small images, no target is judged.\n" if data["quick"] else ""
    return (
        f"{quick}Ratios are medians over rounds in which every side ran once; spread is half the distance of the "
        "quartiles.\nExtrapolated: a sample of the windows was computed, the rest multiplied.\n"
        f"{machine['threads']} threads ({machine['waiting']}) on {machine['processors']} processors "
        f"({machine['vector_instructions']}); {listed}"
    )
