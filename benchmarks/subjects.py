"""What rows measure: networks of the catalogue, images of noise, walks through traces, windows that slide."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn

from benchmarks.measure import Clock, Side, SkippedError, Times
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError
from segviz.core.regions import Region
from segviz.engine.architectures import build
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import Trace, first_tensor, trace
from segviz.engine.surgery import Conversion, convert
from segviz.engine.windows import Windows

GEMM_SIDE = 2048
GEMM = "GEMM"  # the name of the side that is the machine's practical limit
WHOLE = 10**9  # rows of a strip that holds every image


@dataclass(frozen=True, eq=False)
class Subject:
    """A classifier as published, with its weights, and how it becomes fully convolutional."""

    entry: Entry
    network: nn.Module
    conversion: Conversion

    @property
    def window(self) -> tuple[int, int]:
        return self.entry.input_size[1], self.entry.input_size[2]

    def traced(self, image: Tensor) -> Trace:
        """Its fully convolutional form on `image`."""
        return trace(self.network, shape_of(image), self.conversion.head)

    def weights(self, fast: bool = False) -> NetworkWeights:
        return NetworkWeights(self.network, fast)


@lru_cache(maxsize=1)
def network(name: str) -> Subject:
    """The network `name` of the catalogue, with its weights or the random ones that are the same everywhere.

    Raises SkippedError where this catalogue has none of that name.
    """
    try:
        entry, built = build(name)
    except SegvizError as error:
        raise SkippedError(str(error)) from error
    built.to(memory_format=torch.channels_last)
    return Subject(entry, built, convert(built, entry.input_size))


def noise(channels: int, size: tuple[int, int]) -> Tensor:
    """An image (1, channels, rows, columns) of uniform noise, -1 to 1 and the same in every run, channels last."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand((1, channels, *size), generator=generator) * 2 - 1
    return image.contiguous(memory_format=torch.channels_last)


def shape_of(image: Tensor) -> tuple[int, int, int]:
    return int(image.shape[1]), int(image.shape[2]), int(image.shape[3])


@dataclass(frozen=True, eq=False)
class Walk:
    """A trace computed on an image, in strips of `rows` (WHOLE: in one), all of it or a `region` of its output."""

    traced: Trace
    weights: NetworkWeights
    image: Tensor
    rows: int | None = None
    region: Region | None = None

    def __call__(self) -> Tensor:
        return finished(run(self.traced, self.weights, self.image, region=self.region, rows=self.rows)).output


@dataclass(frozen=True, eq=False)
class Eager:
    """A module on an image, as torch runs it."""

    module: nn.Module
    image: Tensor

    def __call__(self) -> Tensor:
        with torch.inference_mode():
            return first_tensor(self.module(self.image))


class Sliding:
    """A classifier on some of the windows of an image, `batch` at once and `count` batches a run, drawn by chance."""

    def __init__(self, classifier: nn.Module, windows: Windows, batch: int, count: int = 1) -> None:
        self.classifier, self.windows, self.batch, self.count = classifier, windows, min(batch, len(windows)), count
        self._chance = random.Random(0)

    @property
    def share(self) -> float:
        """Of all windows, what one run does."""
        return self.batch * self.count / len(self.windows)

    def __call__(self) -> None:
        for _ in range(self.count):
            first = self._chance.randrange(len(self.windows) - self.batch + 1)
            with torch.inference_mode():
                first_tensor(self.classifier(self.windows.batch(first, first + self.batch)))

    def side(self, name: str) -> Side:
        return Side(name, self, self.share)


def best_batch(
    classifier: nn.Module, windows: Windows, candidates: Sequence[int], clock: Clock = time.perf_counter
) -> int:
    """The batch with the most windows a second, each candidate tried twice after a warm-up."""
    rates: dict[int, float] = {}
    for size in sorted({min(size, len(windows)) for size in candidates}):
        sliding, seconds = Sliding(classifier, windows, size), []
        sliding()
        for _ in range(2):
            began = clock()
            sliding()
            seconds.append(clock() - began)
        rates[size] = size / max(min(seconds), 1e-9)
    return max(rates, key=lambda size: rates[size])


def gemm() -> Side:
    """One product of two matrices of 2048 x 2048 in float32: what the processor can do, in practice."""
    a, b = (torch.rand((GEMM_SIDE, GEMM_SIDE), generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    return Side(GEMM, lambda: torch.mm(a, b))


def of_gemm(times: Times, side: str, macs: int) -> tuple[float, ...]:
    """Percent of the rate of GEMM at which `side` does `macs` multiplications of the direct algorithm."""
    return tuple(100 * macs / GEMM_SIDE**3 * ratio for ratio in times.ratio(GEMM, side))


def relative(found: Tensor, truth: Tensor) -> float:
    """The largest difference, as a part of the largest value."""
    return float((found - truth).abs().max() / truth.abs().max())
