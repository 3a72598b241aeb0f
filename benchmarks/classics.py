"""Rows 3 and 4: VGG16 and AlexNet on a photograph's size, against sliding windows and the plain convolutional form."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from benchmarks.measure import Found, Measure, Plan, Side, Target, at_least, interleaved
from benchmarks.subjects import Eager, Sliding, Walk, best_batch, gemm, network, noise, of_gemm, relative
from segviz.engine.windows import Windows

FULL, QUICK = (1000, 2000), (256, 320)
STRIDE = 32
STREAMED, PLAIN, BATCHED, SINGLE = "streamed", "plain", "best batch", "one by one"


def vgg16(plan: Plan) -> Found:
    """Row 3."""
    targets = {SINGLE: at_least(35), BATCHED: at_least(30), PLAIN: at_least(1.4)}
    return _coarse(plan, "vgg16", (2, 8, 16), 4, targets, at_least(100))


def alexnet(plan: Plan) -> Found:
    """Row 4."""
    return _coarse(plan, "alexnet", (16, 64, 128), 20, {SINGLE: at_least(14), BATCHED: at_least(9)}, None)


def _coarse(
    plan: Plan, name: str, batches: tuple[int, ...], singles: int, targets: dict[str, Target], of_limit: Target | None
) -> Found:
    subject = network(name)
    image = noise(3, plan.size(FULL, QUICK))
    windows = Windows(image, subject.window, STRIDE)
    streamed = Walk(subject.traced(image), subject.weights(fast=True), image)
    plain = Eager(fully_convolutional(subject.network), image)
    size = f"{image.shape[2]}x{image.shape[3]}"
    found = Found(f"{subject.entry.title}, random weights, {size}, stride {STRIDE}: {len(windows)} windows; Winograd")
    batch = best_batch(subject.network, windows, batches, plan.clock)
    sides = [
        Side(STREAMED, streamed),
        Side(PLAIN, plain),
        Sliding(subject.network, windows, batch).side(BATCHED),
        Sliding(subject.network, windows, 1, 1 if plan.quick else singles).side(SINGLE),
        gemm(),
    ]
    times = found.took(interleaved(sides, plan.rounds(5), plan.clock))
    found.measures = [
        Measure(f"{side} / streamed", times.ratio(side, STREAMED), "x", targets.get(side), side != PLAIN)
        for side in (SINGLE, BATCHED, PLAIN)
    ]
    found.measures.append(Measure("streamed, of GEMM", of_gemm(times, STREAMED, streamed.traced.macs), "%", of_limit))
    found.measures.append(Measure("largest difference from plain, relative", (relative(streamed(), plain()),), ""))
    found.notes = [f"the best batch is {batch} windows", "plain: dense layers as convolutions of torch, channels last"]
    return found


def fully_convolutional(classifier: nn.Module) -> nn.Module:
    """AlexNet or VGG as one writes it with torch: `features`, then the dense layers as convolutions (T17)."""
    features, pooling, dense = (classifier.get_submodule(name) for name in ("features", "avgpool", "classifier"))
    side = cast(int, pooling.output_size)
    layers: list[nn.Module] = [features]
    for layer in dense.children():
        if isinstance(layer, nn.Linear):
            layers.append(_convolution(layer, side))
            side = 1
        else:
            layers.append(layer)
    return nn.Sequential(*layers).eval()


def _convolution(layer: nn.Linear, side: int) -> nn.Conv2d:
    channels = layer.in_features // side**2
    made = nn.Conv2d(channels, layer.out_features, side, device="meta")  # its own weights would be thrown away
    weight: Tensor = layer.weight.detach().view(layer.out_features, channels, side, side)
    made.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last), requires_grad=False)
    made.bias = nn.Parameter(layer.bias.detach(), requires_grad=False)
    return made
