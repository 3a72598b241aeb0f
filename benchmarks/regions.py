"""Row 8: parts of an image against the whole, for every network, and against MONAI's overlapping windows."""

from __future__ import annotations

import random
from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks import peers
from benchmarks.measure import Found, Measure, Plan, Side, SkippedError, at_least, at_most, interleaved
from benchmarks.subjects import WHOLE, Eager, Subject, Walk, network, noise, relative, shape_of
from benchmarks.trunk import trunk
from segviz.core import catalogue
from segviz.core.regions import Region
from segviz.core.regions import whole as all_of
from segviz.core.steps import Interval
from segviz.engine.flow import NetworkWeights
from segviz.engine.graph import trace

SMALL = ("lenet5", "mtcnn_pnet")
LEFT_OUT = ("vgg11", "vgg13", "vgg19", "fcn32s", "fcn16s")  # vgg16 and fcn8s have all that they have
ODD = ((37, 53), (64, 11), (0, 0))  # pixels beyond the native size
REGIONS = 4  # a size and network
FULL, QUICK = (1024, 2048), (128, 192)
WINDOW, SMALL_WINDOW = 512, 64
STREAMED, MONAI = "streamed", "MONAI"
WRONG = 1e-3  # of the largest value


def parts(plan: Plan) -> Found:
    """Row 8."""
    names = [entry.name for entry in catalogue.ENTRIES if entry.name not in LEFT_OUT]
    names = [name for name in names if name in SMALL] if plan.quick else names
    found = Found("regions drawn by chance and tiles, direct convolutions, of every network of the catalogue")
    differences = []
    for name in names:
        plan.say(f"parts of {name}")
        differences += list(_differences(network(name), ODD[:1] if plan.quick else ODD))
    worst = Measure("largest difference from the whole, relative", (max(differences),), "", at_most(1e-5))
    found.measures.append(worst)
    found.notes.append(f"{len(differences)} parts of {len(names)} networks: {', '.join(names)}")
    try:
        _against_monai(plan, found)
    except SkippedError as error:
        found.notes.append(f"without MONAI: {error}")
    return found


def _differences(subject: Subject, beyond: tuple[tuple[int, int], ...]) -> Iterator[float]:
    """Of regions and tiles of the logits from the same parts of the whole, on native sizes and some more pixels."""
    chance = random.Random(0)
    for grown in beyond:
        entry = subject.entry
        sides = zip(subject.window, grown, strict=True)
        size = [entry.fitting(side + more - 2 * entry.border) for side, more in sides]
        image = noise(subject.entry.input_size[0], (size[0], size[1]))
        traced, weights = subject.traced(image), subject.weights()
        entire = Walk(traced, weights, image, WHOLE)()
        everything = all_of(traced.geometry.nodes[traced.output])
        regions = [_drawn(everything, chance) for _ in range(REGIONS)] + list(_quarters(everything))
        for region in regions:
            part = Walk(traced, weights, image, region=region)()
            truth = entire[:, :, region.y.lo : region.y.hi + 1, region.x.lo : region.x.hi + 1]
            yield float((part - truth).abs().max() / entire.abs().max())


def _drawn(everything: Region, chance: random.Random) -> Region:
    ends = [sorted(chance.choices(range(units.lo, units.hi + 1), k=2)) for units in everything]
    return Region(*(Interval(low, high) for low, high in ends))


def _quarters(everything: Region) -> Iterator[Region]:
    """Four tiles; of a map with one row or column, fewer."""
    halves = [
        [Interval(units.lo, units.hi // 2)] + [Interval(units.hi // 2 + 1, units.hi)] * (units.hi > units.lo)
        for units in everything
    ]
    yield from (Region(y, x) for y in halves[0] for x in halves[1])


def _against_monai(plan: Plan, found: Found) -> None:
    features, image = trunk(), noise(3, plan.size(FULL, QUICK))
    side = SMALL_WINDOW if plan.quick else WINDOW
    streamed = Walk(trace(features, shape_of(image)), NetworkWeights(features), image)
    scanned = peers.monai(image, (side, side), 0.25, 1, features)
    sides = [Side(STREAMED, streamed), Side(MONAI, scanned)]
    times = found.took(interleaved(sides, plan.rounds(3), plan.clock))
    truth = Eager(features, image)()
    found.measures += [
        Measure("MONAI / streamed", times.ratio(MONAI, STREAMED), target=at_least(1.7)),
        Measure("streamed, largest difference, relative", (relative(streamed(), truth),), "", at_most(1e-5)),
        Measure("units that MONAI leaves wrong", (100 * _wrong(scanned(), truth),), "%"),
    ]
    size = "x".join(map(str, image.shape[2:]))
    found.notes.append(f"MONAI: convolutions of VGG16 on {size}, windows of {side}x{side}, overlap 0.25")


def _wrong(maps: Tensor, truth: Tensor) -> float:
    """The share of units of which a channel is off by more than WRONG of the largest value."""
    off: Tensor = (maps - truth).abs().amax(1) > WRONG * truth.abs().max()
    return float(off.to(torch.float32).mean())
