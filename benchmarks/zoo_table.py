"""Whatever the public zoos have, opened and examined: `make zoo-table` writes docs/zoo.md.

All classifiers and segmentation networks of torchvision, one network of each family of timm, the
architectures of segmentation-models-pytorch on two encoders. Each runs in a process of its own, with a limit
of memory and a clock, so that one that dies is one row. Weights are random. With specs as arguments it
prints their rows and writes nothing; rows are kept in build/, and `--resume` goes on from them.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import torch
from torch import nn

from benchmarks.zoo import conditions
from segviz.core.capabilities import Ability, Verdict
from segviz.core.errors import SegvizError
from segviz.core.requests import DescribeRequest, ExamineRequest, Setup
from segviz.core.specs import Kind, parse
from segviz.engine.flow import finished
from segviz.engine.graph import trace
from segviz.engine.run import Engine
from segviz.engine.support import disagreement, drawn, supports

ROOT = Path(__file__).resolve().parent.parent
PAGE, KEPT = ROOT / "docs" / "zoo.md", ROOT / "build" / "zoo-table.jsonl"
MEMORY = 10 * 1024**3  # bytes that a network may take beyond what Python and torch do
UNITS = 8  # whose fields are measured, of torchvision's networks
CLOCK = 1800.0  # seconds by the wall: on a busy machine most of them are waiting
ENCODERS = ("resnet18", "mobilenet_v2")
DPT = "dpt/tu-vit_tiny_patch16_224"  # which takes transformers of timm alone
SMALL = (  # words of timm's names for the sizes of a family, the smallest first
    *("zepto", "atto", "femto", "pico", "nano", "xxxs", "xxs", "xxtiny", "xs", "xtiny", "micro", "mini", "tiny"),
    *("t", "small", "s", "s12", "xsmall", "b0", "m0", "lite0", "050", "035", "base", "b"),
)


@dataclass(frozen=True)
class Row:
    """What became of one network. `verdicts` and `reasons` are in the order of `Ability`; `failure` ended it.

    `measured` units had their fields held against gradients; `misjudged` says where the two disagree.
    """

    spec: str
    parameters: int = 0
    layers: int = 0
    verdicts: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    failure: str = ""
    measured: int = 0
    misjudged: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def text(self) -> str:
        told = self.failure or f"{self.parameters:,} parameters, {self.layers} layers, {', '.join(self.verdicts)}"
        return f"{self.spec}: {told} ({self.seconds:.1f} s)"


# ----------------------------------------------------------------------------------------- what runs


def specs() -> list[str]:
    """Every spec of the table, in its order."""
    import segmentation_models_pytorch
    import timm
    import torchvision

    models = torchvision.models
    names = (*sorted(models.list_models(module=models)), *sorted(models.list_models(module=models.segmentation)))
    pairs = [f"{a}/{e}" for a in sorted(segmentation_models_pytorch.MODEL_ARCHITECTURES_MAPPING) for e in ENCODERS]
    return [
        *(f"torchvision:{name}" for name in names),
        *(f"smp:{pair}" for pair in [*pairs, DPT]),
        *(f"timm:{name}" for name in families(timm.list_models())),
    ]


def families(names: Sequence[str]) -> list[str]:
    """One name of each family, the smallest: a family is the letters that a name begins with."""

    def family(name: str) -> str:
        found = re.match(r"[a-z]+", name)
        return found[0] if found else name

    return [min(group, key=_size) for _, group in groupby(sorted(names, key=family), key=family)]


def _size(name: str) -> tuple[int, int, int, str]:
    """What orders the names of a family by size, as far as names say it."""
    words = [SMALL.index(word) for word in name.split("_") if word in SMALL]
    number = re.search(r"\d+", name)
    return min(words, default=len(SMALL)), int(number[0]) if number else 0, len(name), name


def row_of(spec: str) -> Row:
    """Open, describe and examine one network, in this process."""
    began = time.perf_counter()
    engine, setup = Engine(), Setup(spec)
    try:
        network = finished(engine.describe(DescribeRequest(setup, converted=False)))
        badge = finished(engine.examine(ExamineRequest(setup)))
    except SegvizError as error:
        return Row(spec, failure=str(error), seconds=time.perf_counter() - began)
    module = engine.store.network(spec, setup.pooling, setup.device).network
    counted = sum(parameter.numel() for parameter in module.parameters())
    assert network.total_parameters == counted, f"{spec}: {network.total_parameters} of {counted} parameters"
    verdicts = tuple(found.verdict.value for found in badge.capabilities)
    reasons = tuple(found.reason for found in badge.capabilities)
    leaves = sum(layer.leaf for layer in network.layers)
    fields = _fields(spec, module, network.input_shape) if parse(spec).kind is Kind.TORCHVISION else (0, ())
    return Row(spec, counted, leaves, verdicts, reasons, "", *fields, seconds=time.perf_counter() - began)


def _fields(spec: str, module: nn.Module, shape: tuple[int, int, int]) -> tuple[int, tuple[str, ...]]:
    """How many units of random layers were measured, and what is wrong with the fields of some."""
    traced = trace(module, shape)
    units = drawn(traced, UNITS, Random(spec))
    pairs = zip(units, supports(module, traced, units), strict=True)
    return len(units), tuple(said for unit, seen in pairs if (said := disagreement(traced, unit, seen)))


def guarded(spec: str) -> Row:
    """The row of one network from a process of its own, which may not take more memory or time than is allowed."""
    context = multiprocessing.get_context("fork")  # torch is imported once, here
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(spec, theirs))
    began = time.perf_counter()
    child.start()
    theirs.close()
    try:
        if not ours.poll(CLOCK):
            return Row(spec, failure=f"not done after {CLOCK:.0f} s", seconds=CLOCK)
        row: Row = ours.recv()
        return row
    except EOFError:
        child.join()
        return Row(spec, failure=f"the process died ({child.exitcode})", seconds=time.perf_counter() - began)
    finally:
        child.kill()
        child.join()


def _answer(spec: str, there: Connection) -> None:
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        there.send(row_of(spec))
    except Exception as error:  # noqa: BLE001  the edge: what was not foreseen is the row
        there.send(Row(spec, failure=f"crash: {type(error).__name__}: {error}"))


# ----------------------------------------------------------------------------------------- the page


def page(rows: Sequence[Row], missing: int) -> str:
    """The table as Markdown; `missing` networks were not run."""
    opened = [row for row in rows if not row.failure]
    counted = (
        f"{len(rows)} networks of the public zoos: **{len(opened)} open**, and the numbers of their parameters are "
        f"those of the modules. {_counts(opened)}. This page is made by `make zoo-table` (`benchmarks/zoo_table.py`)."
    )
    lines = [
        "# The public zoos",
        "",
        *textwrap.wrap(counted, 120, break_on_hyphens=False),
        "",
        f"Conditions: {conditions(VERSIONS)}.",
        "",
    ]
    if missing:
        lines += [f"Not run yet: {missing} networks of the list.", ""]
    lines += _explained()
    for kind, group in groupby(rows, key=lambda row: parse(row.spec).kind):
        lines += [*_section(kind, [row for row in group if not row.failure]), ""]
    failed = [row for row in rows if row.failure]
    if failed:
        lines += ["## Not opened", "", "| network | reason |", "|---|---|"]
        lines += [*(f"| {row.spec} | {_cell(row.failure)} |" for row in failed), ""]
    return "\n".join([*lines, *_judged(opened), *_reasons(opened)])


def _judged(rows: Sequence[Row]) -> Iterator[str]:
    """What came of holding fields against gradients (docs/fields.md)."""
    measured = [row for row in rows if row.measured]
    if not measured:
        return
    units, wrong = sum(row.measured for row in measured), [(row.spec, s) for row in measured for s in row.misjudged]
    yield "## Fields, measured"
    yield ""
    counted = f"{units:,} units of random layers of {len(measured)} networks"
    yield f"{counted}; the graph and a gradient disagree on {len(wrong)}."
    yield ""
    if wrong:
        yield "| network | unit |"
        yield "|---|---|"
        yield from (f"| {spec} | {_cell(said)} |" for spec, said in wrong)
        yield ""


VERSIONS = ("torch", "torchvision", "timm", "segmentation_models_pytorch")
SIGNS = {Verdict.YES.value: "yes", Verdict.PARTLY.value: "partly", Verdict.NO.value: "**no**"}


def _counts(rows: Sequence[Row]) -> str:
    """How many can do what."""
    told = []
    for number, ability in enumerate(Ability):
        found = Counter(row.verdicts[number] for row in rows)
        told.append(f"{ability.title.lower()}: {found['yes']} yes, {found['partly']} partly, {found['no']} no")
    return "; ".join(told).capitalize()


def _explained() -> list[str]:
    told = [f"*{ability.title.lower()}*: {ability.hint}" for ability in Ability]
    return [
        "Weights are random, from a fixed seed; everything was found out on the network's native input, by trying. Of",
        "timm there is one network of each family, the smallest as far as its name says. What the columns mean:",
        "",
        *(f"- {line}" for line in told),
        "",
    ]


def _section(kind: Kind, rows: Sequence[Row]) -> Iterator[str]:
    yield f"## {kind.title}"
    yield ""
    heads = [ability.title.lower() for ability in Ability]
    yield f"| network | parameters | layers | {' | '.join(heads)} |"
    yield f"|---|---:|---:|{'---|' * len(heads)}"
    for row in rows:
        signs = " | ".join(SIGNS[verdict] for verdict in row.verdicts)
        yield f"| {parse(row.spec).name} | {row.parameters:,} | {row.layers} | {signs} |"


def _reasons(rows: Sequence[Row]) -> Iterator[str]:
    """Why it is not a plain yes, one list for each ability; the same reason is said once."""
    yield "## Why not"
    yield ""
    for number, ability in enumerate(Ability):
        told: dict[tuple[str, str], list[str]] = {}
        for row in rows:
            if row.verdicts[number] != Verdict.YES:
                told.setdefault((row.verdicts[number], row.reasons[number]), []).append(row.spec)
        if not told:
            continue
        yield f"### {ability.title}"
        yield ""
        yield "| | reason | networks |"
        yield "|---|---|---|"
        for (verdict, reason), names in sorted(told.items(), key=lambda item: -len(item[1])):
            yield f"| {verdict} | {_cell(reason)} | {', '.join(names)} |"
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


# ------------------------------------------------------------------------------------------ the run


def kept() -> dict[str, Row]:
    """The rows that an earlier run left."""
    lines = KEPT.read_text(encoding="utf-8").splitlines() if KEPT.is_file() else []
    found = [json.loads(line) for line in lines]
    lists = ("verdicts", "reasons", "misjudged")
    rows = [Row(**entry | {key: tuple(entry[key]) for key in lists if key in entry}) for entry in found]
    return {row.spec: row for row in rows}


def write(every: Sequence[str]) -> None:
    """The page, from the rows that are kept."""
    done = kept()
    rows = [done[spec] for spec in every if spec in done]
    PAGE.write_text(page(rows, len(every) - len(rows)), encoding="utf-8")


def main(arguments: Sequence[str]) -> None:
    warnings.simplefilter("ignore")  # of the libraries, about how they are called
    torch.set_num_threads(1)
    every = specs()
    wanted = [name for name in arguments if not name.startswith("--")]
    if not wanted and "--resume" not in arguments:
        KEPT.unlink(missing_ok=True)
    have = kept()
    KEPT.parent.mkdir(exist_ok=True)
    for spec in wanted or [spec for spec in every if spec not in have]:
        row = guarded(spec)
        print(row.text, flush=True)
        if not wanted:
            with KEPT.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(row)) + "\n")
            write(every)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(sys.argv[1:])
