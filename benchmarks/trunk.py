"""Rows 5 and 7: the convolutions of VGG16 alone, against other libraries, and as images grow."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from benchmarks import peers
from benchmarks.measure import Found, Measure, Plan, Side, SkippedError, at_least, at_most, interleaved
from benchmarks.subjects import Eager, Walk, gemm, network, noise, of_gemm, relative, shape_of
from segviz.engine.flow import NetworkWeights
from segviz.engine.graph import trace

FULL, QUICK = (512, 1024), (128, 160)
SIZES = ((512, 512), (1024, 1024), (1024, 2048), (2048, 2048))
SMALL_SIZES = ((96, 96), (96, 192))
STREAMED, EAGER = "streamed", "eager torch"
PEERS = {"onnxruntime": peers.onnxruntime, "OpenVINO": peers.openvino}


def trunk() -> nn.Module:
    """VGG16 up to its last pooling."""
    return network("vgg16").network.get_submodule("features")


def against_libraries(plan: Plan) -> Found:
    """Row 5."""
    features, image = trunk(), noise(3, plan.size(FULL, QUICK))
    streamed = Walk(trace(features, shape_of(image)), NetworkWeights(features, fast=True), image)
    eager = Eager(features, image)
    found = Found(f"convolutions of VGG16 on {image.shape[2]}x{image.shape[3]}, random weights; Winograd")
    runs: dict[str, Callable[[], Tensor]] = {EAGER: eager}
    for name, make in PEERS.items():
        try:
            runs[name] = make(features, image)
        except SkippedError as error:
            found.notes.append(f"without {name}: {error}")
    sides = [Side(STREAMED, streamed), *(Side(name, run) for name, run in runs.items()), gemm()]
    times = found.took(interleaved(sides, plan.rounds(7), plan.clock))
    targets = {EAGER: at_least(1.7)}
    found.measures = [
        Measure(f"{name} / streamed", times.ratio(name, STREAMED), target=targets.get(name, at_least(1.3)))
        for name in runs
    ]
    found.measures += [
        Measure("streamed, of GEMM", of_gemm(times, STREAMED, streamed.traced.macs), "%"),
        Measure("largest difference from eager torch, relative", (relative(streamed(), eager()),), "", at_most(1e-5)),
    ]
    return found


def growing(plan: Plan) -> Found:
    """Row 7."""
    features = trunk()
    weights = NetworkWeights(features, fast=True)
    sizes = SMALL_SIZES if plan.quick else SIZES
    found = Found(f"convolutions of VGG16 on {', '.join(f'{h}x{w}' for h, w in sizes)}, streamed; Winograd")
    sides = []
    for size in sizes:
        image = noise(3, size)
        walk = Walk(trace(features, shape_of(image)), weights, image)
        sides.append(Side(f"{size[0]}x{size[1]}", walk))
    times = found.took(interleaved(sides, plan.rounds(3), plan.clock))
    pixels = [height * width for height, width in sizes]
    rounds = zip(*times.seconds.values(), strict=True)
    per_pixel = [[seconds / count for seconds, count in zip(each, pixels, strict=True)] for each in rounds]
    uneven = tuple(max(each) / min(each) for each in per_pixel)
    found.measures = [Measure("most / least time a pixel", uneven, target=at_most(1.2))]
    return found
