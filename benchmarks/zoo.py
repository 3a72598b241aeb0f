"""Every classifier of torchvision made fully convolutional: `python benchmarks/zoo.py` writes docs/conversion.md.

Run by hand, since it takes a quarter of an hour on two cores; it needs the extra `zoo`. With names of
networks it prints their rows and writes nothing. No weights are fetched: they are random, from a seed,
and made such that logits are of order 1, since a proof on logits that vanish would say little.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError
from segviz.engine.graph import trace
from segviz.engine.surgery import Conversion, convert

PAGE = Path(__file__).resolve().parent.parent / "docs" / "conversion.md"
SEED = 0
NATIVE = {"inception_v3": 299}  # pixels; all others take 224
LARGER = (96, 64)  # rows and columns more than the native input
NEEDS_CHOICE = ("googlenet", "inception_v3")  # warn unless told how to draw their weights
LEAST_CHANGE = 1e-3  # of logits between two images, relative to the largest: less would be a bias and no answer


@dataclass(frozen=True)
class Row:
    """What became of one network. `difference`, `doubled` (in float64), `change`: relative to the largest logit."""

    name: str
    parameters: int
    steps: str = ""
    difference: float = 0.0
    doubled: float = 0.0
    logit: float = 0.0
    change: float = 0.0
    grid: str = ""
    refusal: str = ""


def names() -> list[str]:
    import torchvision

    return sorted(torchvision.models.list_models(module=torchvision.models))


def network_of(name: str, noise: Tensor) -> nn.Module:
    """The network `name` with seeded random weights whose activations neither vanish nor explode on `noise`."""
    import torchvision

    torch.manual_seed(SEED)
    options = {"init_weights": True} if name in NEEDS_CHOICE else {}
    network: nn.Module = torchvision.models.get_model(name, weights=None, **options).eval()
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        _drawn_after_he(network, dense_alone=bool(norms))
        for norm in norms:  # statistics of one pass, not of a moving average that has barely begun
            norm.momentum = None
            norm.train()
        if norms:
            network(noise)
    return network.eval()


def _drawn_after_he(network: nn.Module, dense_alone: bool) -> None:
    """He et al. 2015, equation 10; layer scales of ConvNeXt to 1, or its blocks would not count."""
    kinds = (nn.Linear,) if dense_alone else (nn.Linear, nn.Conv2d)
    for module in network.modules():
        if isinstance(module, kinds):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    for name, parameter in network.named_parameters():
        if name.endswith("layer_scale"):
            parameter.fill_(1)


def row_of(name: str) -> Row:
    """Convert one network, proven on its native input, and look at its grid on a larger one."""
    side = NATIVE.get(name, 224)
    noise = torch.randn((2, 3, side, side), generator=torch.Generator().manual_seed(SEED))
    network = network_of(name, noise)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    try:
        made = convert(network, (3, side, side))
    except SegvizError as error:
        return Row(name, parameters, refusal=str(error))
    grid = trace(network, (3, side + LARGER[0], side + LARGER[1]), made.head).geometry.grid("last")
    with torch.inference_mode():
        first, second = network(noise)
    logit = float(first.abs().max())
    change = float((first - second).abs().max()) / logit
    assert change > LEAST_CHANGE, f"{name}: two images change its logits by {change:.1g} only; draw other weights"
    doubled = convert(network.double(), (3, side, side)).max_abs_difference
    found = (made.max_abs_difference / logit, doubled / logit, logit, change)
    return Row(name, parameters, _steps(made), *found, "x".join(str(units) for units in grid))


def _steps(made: Conversion) -> str:
    """The steps in short: what became of each layer, numbers of channels left out."""
    return "; ".join(f"{step.layer}: {step.after.partition(',')[0]}" for step in made.steps) or "none"


# ------------------------------------------------------------------------------------------ the page


def page(rows: Sequence[Row]) -> str:
    done = [row for row in rows if not row.refusal]
    refused = [row for row in rows if row.refusal]
    largest = max(done, key=lambda row: row.difference)
    doubled = max(row.doubled for row in done)
    counted = (
        f"Of the {len(rows)} classifiers of torchvision, **{len(done)} are made fully convolutional** and "
        f"{len(refused)} are refused, with the layer that stands in the way. The largest difference of logits is "
        f"{largest.difference:.1e} of the largest logit in float32 ({largest.name}) and {doubled:.1e} in float64, so "
        "that it is rounding. This page is made by `benchmarks/zoo.py`."
    )
    lines = [
        "# What can be made fully convolutional",
        "",
        *textwrap.wrap(counted, 120),
        "",
        f"Conditions: {conditions()}.",
        "",
        *_explained(),
        "",
        "| network | parameters | steps | float32 | float64 | grid |",
        "|---|---:|---|---:|---:|---:|",
        *(
            f"| {r.name} | {r.parameters:,} | {r.steps} | {r.difference:.1e} | {r.doubled:.1e} | {r.grid} |"
            for r in done
        ),
        "",
        "## Refused",
        "",
        "A transformer's layers look at all positions at once and know how many there are.",
        "",
        "| network | parameters | reason |",
        "|---|---:|---|",
        *(f"| {row.name} | {row.parameters:,} | {row.refusal} |" for row in refused),
        "",
    ]
    return "\n".join(lines)


def _explained() -> list[str]:
    return [
        "- *steps*: what becomes of each layer at the end; a pooling that becomes nothing leaves the class activation",
        "  map, whose mean is the answer.",
        "- *float32*, *float64*: the largest difference between the logits of the network and of its convolutional",
        "  form on one random native input (224 x 224 pixels, 299 x 299 for inception_v3), relative to the largest.",
        f"- *grid*: rows and columns of its answer on an input {LARGER[0]} pixels higher and {LARGER[1]} wider.",
        f"- Weights are random (seed {SEED}) and such that logits are of order 1: dense layers are drawn after He et",
        "  al. 2015; statistics of batch normalisation are those of one pass over two images of noise; networks",
        "  without it have their convolutions drawn after He et al. too, and layer scales of 1. As torchvision draws",
        "  them, the logits of some networks vanish, and a small difference would mean nothing. Two images have",
        f"  different logits everywhere (by at least {LEAST_CHANGE:g} of the largest).",
    ]


def version_of(package: str) -> str:
    """'0.29.1', or that it is not here: a page can be written from rows that were made elsewhere."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def conditions(packages: Sequence[str] = ("torch", "torchvision")) -> str:
    versions = ", ".join(f"{name} {version_of(name)}" for name in packages)
    return f"{versions}, Python {platform.python_version()}; {processor()}, {os.cpu_count()} cores"


def processor() -> str:
    """The processor's name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def main(wanted: Sequence[str]) -> None:
    warnings.simplefilter("ignore")  # torchvision's about weights that are not asked for
    began = time.perf_counter()
    rows = []
    for name in wanted or names():
        start = time.perf_counter()
        row = row_of(name)
        rows.append(row)
        figures = f"{row.difference:.1e}, {row.doubled:.1e} of {row.logit:.2g}, change {row.change:.2f}, {row.grid}"
        told = row.refusal or f"{figures}, {row.steps}"
        print(f"{name}: {told} ({time.perf_counter() - start:.1f} s)", flush=True)
    count = Counter("refused" if row.refusal else "converted" for row in rows)
    print(f"{dict(count)} in {time.perf_counter() - began:.0f} s")
    if not wanted:
        PAGE.write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
