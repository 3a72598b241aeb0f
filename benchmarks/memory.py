"""Row 6: what a walk in strips costs in time, and saves in memory, against the whole image at once.

Memory is that of a fresh process: its peak during the walk less what it held before, when the
network was loaded and its weights were laid out. `python -m benchmarks.memory NETWORK ROWS COLUMNS
streamed|whole` measures one.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.measure import Found, Measure, Plan, Side, SkippedError, at_most, interleaved
from benchmarks.subjects import WHOLE, Walk, network, noise

NAME = "vgg16"
FULL, QUICK = (1000, 2000), (256, 320)
STREAMED, ENTIRE, TALLER = "streamed", "whole", "streamed, twice the height"
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
ROOT = Path(__file__).resolve().parent.parent


def streaming(plan: Plan) -> Found:
    """Row 6."""
    if not sys.platform.startswith("linux"):
        raise SkippedError("the memory of a process is read as Linux tells it")
    name, size = ("lenet5", QUICK) if plan.quick else (NAME, FULL)
    subject = network(name)
    image = noise(subject.entry.input_size[0], size)
    traced, weights = subject.traced(image), subject.weights(fast=True)
    found = Found(f"{subject.entry.title} on {size[0]}x{size[1]}, and {2 * size[0]}x{size[1]} for memory; Winograd")
    sides = [Side(STREAMED, Walk(traced, weights, image)), Side(ENTIRE, Walk(traced, weights, image, WHOLE))]
    times = found.took(interleaved(sides, plan.rounds(5), plan.clock))
    taller = (2 * size[0], size[1])
    extras: dict[str, list[int]] = {STREAMED: [], ENTIRE: [], TALLER: []}
    for _ in range(plan.rounds(3)):
        for kind, its in ((STREAMED, size), (ENTIRE, size), (TALLER, taller)):
            extras[kind].append(extra_of(name, its, kind == ENTIRE))
    streamed, entire, tall = (extras[kind] for kind in (STREAMED, ENTIRE, TALLER))
    found.measures = [
        Measure("streamed / whole, time", times.ratio(STREAMED, ENTIRE), target=at_most(1.1)),
        Measure("streamed / whole, memory", _ratios(streamed, entire), target=at_most(0.25)),
        Measure("twice the height / streamed, memory", _ratios(tall, streamed), target=at_most(1.4)),
    ]
    found.notes = [f"extra memory, {kind}: {max(extra) / 2**20:,.0f} MiB" for kind, extra in extras.items()]
    return found


def _ratios(more: list[int], less: list[int]) -> tuple[float, ...]:
    return tuple(a / max(1, b) for a, b in zip(more, less, strict=True))


def extra_of(name: str, size: tuple[int, int], entire: bool) -> int:
    """Bytes that a walk takes beyond what its process held before, measured in a fresh one."""
    words = [sys.executable, "-m", "benchmarks.memory", name, *map(str, size), ENTIRE if entire else STREAMED]
    place = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": place}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SkippedError(f"a process that measures memory ended with {done.returncode}: {done.stderr[-200:]}")
    return int(json.loads(done.stdout)["extra"])


def measured(name: str, size: tuple[int, int], entire: bool) -> int:
    """The same, in this process."""
    subject = network(name)
    weights = subject.weights(fast=True)
    small = noise(subject.entry.input_size[0], subject.window)
    Walk(subject.traced(small), weights, small)()  # lays the weights out, which are no part of a walk
    image = noise(subject.entry.input_size[0], size)
    walk = Walk(subject.traced(image), weights, image, WHOLE if entire else None)
    before = _settled()
    walk()
    return _peak() - before


def _settled() -> int:
    """Bytes that this process holds now; what it has freed is given back, and its peak forgotten."""
    ctypes.CDLL(None).malloc_trim(0)
    try:
        RESET.write_text("5")
    except OSError:  # a sandbox may forbid it: then the peak until now counts
        return _peak()
    return _status("VmRSS")


def _peak() -> int:
    try:
        return _status("VmHWM")
    except (OSError, StopIteration):
        import resource  # not there on Windows

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(name: str) -> int:
    lines = STATUS.read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    network_name, rows, columns, kind = sys.argv[1:]
    print(json.dumps({"extra": measured(network_name, (int(rows), int(columns)), kind == ENTIRE)}))
