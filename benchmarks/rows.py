"""The table of rows, and how some of them are run: what `segviz bench` prints, as plain data."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks import classics, edits, evidence, fields, lenet, memory, peers, regions, tracing, trunk
from benchmarks.measure import Found, Plan, SkippedError, spread
from segviz import __version__


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the table of targets, a name, what it compares, and what measures it."""

    number: str
    name: str
    title: str
    run: Callable[[Plan], Found]


ROWS = (
    Row("1", "lenet-dense", "LeNet-5 at every pixel against its sliding window", lenet.every_pixel),
    Row("2", "lenet-monai", "LeNet-5 at every pixel against MONAI's sliding window", lenet.against_monai),
    Row("3", "vgg16-coarse", "VGG16 against its sliding window", classics.vgg16),
    Row("4", "alexnet-coarse", "AlexNet against its sliding window", classics.alexnet),
    Row("5", "vgg16-trunk", "Convolutions of VGG16 against other libraries", trunk.against_libraries),
    Row("6", "streaming", "In strips against the whole image at once", memory.streaming),
    Row("7", "growing", "Time a pixel as images grow", trunk.growing),
    Row("8", "parts", "Parts of an image against the whole", regions.parts),
    Row("9", "effective-field", "A unit's effective field over its crop against whole", fields.effective_field),
    Row("10", "redrawing", "Drawing on an image against computing it again", edits.redrawn),
    Row("11", "grad-cam", "Grad-CAM of twenty classes against one forward pass", evidence.twenty_classes),
    Row("20", "tracing", "Tracing a network, and a click, against a forward pass", tracing.traced_once),
)


def names() -> list[tuple[str, str, str]]:
    """Number, name and title of every row."""
    return [(row.number, row.name, row.title) for row in ROWS]


def circumstances() -> dict[str, Any]:
    """The machine and the versions that the numbers belong to."""
    return {
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "system": platform.system(),
            "processors": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "waiting": os.environ.get("OMP_WAIT_POLICY", "as the system likes").lower(),
            "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        },
        "versions": {
            "segviz": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            **peers.versions(),
        },
    }


def run(wanted: Iterable[str], plan: Plan) -> Iterator[dict[str, Any]]:
    """Measure the rows with these numbers or names, in the order of the table; what each found, when it has."""
    asked = set(wanted)
    for row in ROWS:
        if not asked or asked & {row.number, row.name}:
            plan.say(f"row {row.number}: {row.title}")
            yield measured(row, plan)


def measured(row: Row, plan: Plan) -> dict[str, Any]:
    """What one row found, as plain data. A row that cannot be measured here says so in its notes."""
    before, began = load(), plan.clock()
    try:
        found = row.run(plan)
    except SkippedError as error:
        found = Found("", notes=[f"left out: {error}"])
    return {
        "row": row.number,
        "name": row.name,
        "title": row.title,
        "conditions": found.conditions,
        "quick": plan.quick,
        "measures": [measure.data(judged=not plan.quick) for measure in found.measures],
        "seconds": {side: _seconds(samples) for side, samples in found.seconds.items()},
        "notes": found.notes,
        "load": [before, load()],
        "took": plan.clock() - began,
    }


def _seconds(samples: tuple[float, ...]) -> dict[str, Any]:
    return {"median": float(np.median(samples)), "spread": spread(samples), "samples": list(samples)}


def load() -> float | None:
    """Processes that want a processor, over the last minute; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None
