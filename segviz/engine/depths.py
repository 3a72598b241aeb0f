"""What a network upsamples with, and what each depth of an FCN says by itself (lecture T22, T24 to T26).

The scores of all depths are computed in one pass (`flow.outputs`), strip by strip, so that it can be stopped;
carried to one grid they are kept, and whoever fades them adds arrays.
"""

from __future__ import annotations

import time
from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor, nn

from segviz.core.depths import FAMILY, DepthAnswer, DepthRequest, Depths, LearnedKernel
from segviz.core.requests import Progress
from segviz.engine import devices, flow
from segviz.engine.job import Job
from segviz.engine.store import Loaded
from segviz.models.fcn import FCN, POOLS

SCORES = ("score_fr", *(f"score_{pool}" for pool in POOLS))  # the layers, the deepest first
STRIDES = (32, 16, 8)
MOST_MAPS = 512  # kernels of one layer that are sent: more than anybody looks at


def learned(network: nn.Module) -> tuple[LearnedKernel, ...]:
    """The kernels of a network's transposed convolutions that upsample as many times along both axes."""
    found = []
    for name, module in network.named_modules():
        if not isinstance(module, nn.ConvTranspose2d) or len(set(module.stride)) > 1 or module.stride[0] < 2:
            continue
        weight = module.weight.detach()  # (in, out / groups, k, k)
        if module.groups == 1:
            count = min(weight.shape[:2])
            own = torch.arange(count, device=weight.device)
            kernels = weight[own, own]
            mixes = bool(weight.count_nonzero() > kernels.count_nonzero())
        else:
            kernels, mixes = weight[:, 0], module.in_channels != module.groups
        sent = kernels[:MOST_MAPS].float().cpu().numpy().copy()
        found.append(LearnedKernel(name, int(module.stride[0]), sent, mixes))
    return tuple(found)


def refusal(loaded: Loaded) -> str:
    """Why a network has no depths to fade; '' where it has."""
    if isinstance(loaded.network, FCN):
        return ""
    return f"{loaded.entry.title} has no skips that add scores: choose a network whose name begins with '{FAMILY}'"


def depths(job: Job) -> Generator[Progress, None, Depths]:
    """The scores of each depth of an FCN on its finest grid. `refusal` must have nothing to say."""
    network = job.loaded.network
    assert isinstance(network, FCN)
    classes, layers = len(job.loaded.entry.classes), SCORES[: network.skips + 1]
    height, width = job.frame.outer
    finest = STRIDES[network.skips]
    devices.check_memory(8 * classes * len(layers) * height * width // finest**2 + job.dense.peak_bytes, job.title)
    goals = [job.dense.geometry.index(layer) for layer in layers]
    scores = yield from flow.outputs(job.dense, job.weights, job.image, goals)
    maps = _carried(network, [scores[goal] for goal in goals])
    laws = job.dense.geometry.laws("last")
    return Depths(
        classes=job.loaded.entry.classes,
        layers=layers,
        strides=STRIDES[: network.skips + 1],
        maps=maps,
        kernel=network.final.weight.detach().float().cpu().numpy().copy(),
        stride=finest,
        corner=(network.MARGINS[network.skips],) * 2,
        size=(height, width),
        lattice=job.frame.per_pixel_lattice((height, width), laws),
    )


def _carried(network: FCN, scores: list[Tensor]) -> tuple[np.ndarray, ...]:
    with torch.inference_mode():
        parts = network.parts(scores)
    return tuple(part[0].float().cpu().contiguous().numpy() for part in parts)


def answered(request: DepthRequest, loaded: Loaded, found: Depths | None, refused: str, begun: float) -> DepthAnswer:
    """The answer to a request that began at `begun` (seconds of `time.perf_counter`)."""
    notes = loaded.notes
    return DepthAnswer(request, learned(loaded.network), found, time.perf_counter() - begun, refused, notes)
