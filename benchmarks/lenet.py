"""Rows 1 and 2: LeNet-5 at every pixel, against its sliding window and against MONAI's."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from benchmarks import peers
from benchmarks.measure import Found, Measure, Plan, Side, at_least, at_most, interleaved
from benchmarks.subjects import Sliding, Subject, Walk, best_batch, gemm, network, noise, of_gemm
from segviz.engine.dilation import dilated
from segviz.engine.windows import Windows

NAME = "lenet5"
FULL, QUICK = (512, 512), (96, 96)
BATCHES = (64, 256, 1024)
DENSE, BATCHED, SINGLE, MONAI = "dense", "best batch", "one by one", "MONAI"
SAMPLE = 1000  # windows that are compared number by number


def every_pixel(plan: Plan) -> Found:
    """Row 1."""
    subject, image, dense, windows = _setup(plan)
    size = "x".join(map(str, image.shape[2:]))
    found = Found(f"LeNet-5 with a unit at every pixel of {size}, window 32x32, stride 1; quick tanh")
    batch = best_batch(subject.network, windows, BATCHES, plan.clock)
    sides = [
        Side(DENSE, dense),
        Sliding(subject.network, windows, batch).side(BATCHED),
        Sliding(subject.network, windows, 1, 100).side(SINGLE),
        gemm(),
    ]
    times = found.took(interleaved(sides, plan.rounds(11), plan.clock))
    found.measures = [
        Measure("best batch / dense", times.ratio(BATCHED, DENSE), target=at_least(25), extrapolated=True),
        Measure("one by one / dense", times.ratio(SINGLE, DENSE), target=at_least(150), extrapolated=True),
        Measure("dense, of GEMM", of_gemm(times, DENSE, dense.traced.macs), "%", at_least(70)),
        Measure("largest difference of probabilities", (_difference(subject, windows, dense()),), "", at_most(5e-6)),
    ]
    found.notes = [f"the best batch is {batch} windows", f"differences are those of {SAMPLE} windows drawn by chance"]
    return found


def against_monai(plan: Plan) -> Found:
    """Row 2. MONAI answers for each pixel of a window, so that a classifier's answer is spread over it."""
    subject, image, dense, windows = _setup(plan)
    part = image[:, :, :96, :96].contiguous()
    scanned = Windows(part, subject.window, 1)
    found = Found(f"as row 1; MONAI on {len(scanned)} of {len(windows)} windows, overlap 31/32")
    spread = partial(_spread, subject)
    runs = {batch: peers.monai(part, subject.window, 31 / 32, batch, spread) for batch in BATCHES}
    trial = interleaved([Side(str(batch), run) for batch, run in runs.items()], 1, plan.clock)
    best = min(BATCHES, key=lambda batch: trial.seconds[str(batch)])
    sides = [Side(DENSE, dense), Side(MONAI, runs[best], len(scanned) / len(windows))]
    times = found.took(interleaved(sides, plan.rounds(7), plan.clock))
    found.measures = [
        Measure("MONAI / dense", times.ratio(MONAI, DENSE), target=at_least(40), extrapolated=True),
    ]
    found.notes = [f"MONAI's best batch is {best} windows"]
    return found


def _setup(plan: Plan) -> tuple[Subject, Tensor, Walk, Windows]:
    subject = network(NAME)
    image = noise(1, plan.size(FULL, QUICK)).abs()  # ink on paper: 0 to 1
    walk = Walk(dilated(subject.traced(image)), subject.weights(fast=True), image)
    return subject, image, walk, Windows(image, subject.window, 1)


def _spread(subject: Subject, maps: Tensor) -> Tensor:
    """Logits of windows (N, 1, 32, 32) for all of their pixels: (N, 10, 32, 32)."""
    logits: Tensor = subject.network(maps)
    return logits[:, :, None, None].repeat(1, 1, *maps.shape[2:])  # MONAI writes into it


def _difference(subject: Subject, windows: Windows, dense: Tensor) -> float:
    """The largest difference of probabilities between windows and the dense map (1, classes, rows, columns)."""
    chance = torch.randint(0, len(windows), (SAMPLE,), generator=torch.Generator().manual_seed(0)).tolist()
    with torch.inference_mode():
        slid = torch.cat([subject.network(windows.batch(at, at + 1)) for at in chance])
    units = dense[0].flatten(1)[:, chance].T
    return float((slid.softmax(1) - units.softmax(1)).abs().max())
