"""Training, readable aloud: draw a batch, compare the answers with the labels, take a step, report."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core import catalogue, export
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError
from segviz.core.references import load
from segviz.training.augmentation import between_digits
from segviz.training.datasets import Digits, mnist
from segviz.training.recipes import Recipe, recipe

REPORT_EVERY = 20  # steps
WARM_UP = 0.1  # of all steps


@dataclass(frozen=True, slots=True)
class TrainingProgress:
    """How far training is. `loss` and `accuracy` are means over the digits shown since the last report.

    `epoch` and `step` count from 1, steps within their epoch.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What came out: `accuracy` is the share of `tested` digits, never trained on, that are named rightly."""

    recipe: str
    file: Path
    accuracy: float
    tested: int
    epochs: int
    seed: int
    parameters: int
    seconds: float


def train(
    name: str, out: Path, epochs: int | None = None, quick: bool = False
) -> Generator[TrainingProgress, None, TrainingResult]:
    """Train by the recipe `name` and write the weights to the safetensors file `out`.

    Yields reports and returns the result; closing the generator stops, and writes nothing. The same
    recipe gives the same weights again; another processor or version of torch may round differently.
    Raises UsageError for a recipe that there is not and SegvizError
    where data cannot be read or `out` not be written.
    """
    plan = recipe(name, epochs, quick)
    if not out.parent.is_dir():  # said before the work, not after it
        raise SegvizError(f"{out}: there is no folder {out.parent}; make it first")
    began = time.perf_counter()
    entry = catalogue.entry(plan.network)
    network = fresh(entry, plan.seed)
    learn, check = mnist("train"), mnist("t10k")
    yield from fit(network, *as_tensors(learn, entry), plan)
    accuracy = share_right(network, *as_tensors(check, entry))
    _write(network, out, {"recipe": name, "epochs": plan.epochs, "seed": plan.seed, "accuracy": round(accuracy, 4)})
    parameters = sum(p.numel() for p in network.parameters())
    seconds = time.perf_counter() - began
    return TrainingResult(name, out, accuracy, len(check), plan.epochs, plan.seed, parameters, seconds)


def fresh(entry: Entry, seed: int) -> nn.Module:
    """The network of `entry` with random weights of that seed; the process's random numbers stay as they were."""
    builder = load(entry.builder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module = builder(**dict(entry.options))
    return network


def as_tensors(digits: Digits, entry: Entry) -> tuple[Tensor, Tensor]:
    """Images (N, 1, H, W), padded with paper to the network's input size and scaled as it wants; labels (N,)."""
    _, height, width = entry.input_size
    images = torch.from_numpy(digits.images.astype(np.float32))[:, None]  # (N, 1, 28, 28)
    spare_y, spare_x = height - images.shape[2], width - images.shape[3]
    left, top = spare_x // 2, spare_y // 2
    images = F.pad(images, (left, spare_x - left, top, spare_y - top))
    scaling = entry.preprocessing
    return (images - scaling.mean[0]) / scaling.std[0], torch.from_numpy(digits.labels)


def fit(network: nn.Module, images: Tensor, labels: Tensor, plan: Recipe) -> Iterator[TrainingProgress]:
    """Train `network` in place on `images` (N, C, H, W) and `labels` (N,); it is in eval mode at the end."""
    chance = torch.Generator().manual_seed(plan.seed)
    whole = len(labels) // plan.batch
    steps = whole if plan.steps is None else min(whole, plan.steps)
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: pace(step, plan.epochs * steps))
    network.train()
    for epoch in range(1, plan.epochs + 1):
        order = torch.randperm(len(labels), generator=chance)
        losses, right = [], []
        for step in range(1, steps + 1):
            batch = order[(step - 1) * plan.batch : step * plan.batch]
            with threads(plan.threads):
                logits = network(plan.augmentation(images[batch], chance))  # (B, classes)
                loss = F.cross_entropy(logits, labels[batch])
                total = loss
                if plan.nothing:
                    total = loss + plan.nothing * undecided(network, images[batch[: plan.batch // 2]], chance)
                optimiser.zero_grad()
                total.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
            schedule.step()
            losses.append(loss.item())
            right.append((logits.argmax(1) == labels[batch]).float().mean().item())
            if step % REPORT_EVERY == 0 or step == steps:
                yield TrainingProgress(
                    epoch, plan.epochs, step, steps, sum(losses) / len(losses), sum(right) / len(right)
                )
                losses, right = [], []
    network.eval()


def undecided(network: nn.Module, images: Tensor, chance: torch.Generator) -> Tensor:
    """Cross-entropy between equal probabilities and the answers to windows without a digit."""
    logits = network(between_digits(images, chance))
    return F.cross_entropy(logits, torch.full_like(logits, 1 / logits.shape[1]))


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads inside, and with as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def pace(step: int, steps: int) -> float:
    """The share of the full learning rate at `step`: up in a straight line, down along half a cosine."""
    warm_up = max(1, int(WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


@torch.inference_mode()
def share_right(network: nn.Module, images: Tensor, labels: Tensor, batch: int = 500) -> float:
    """The share of `images` whose largest logit is at the label."""
    right = sum(
        int((network(images[i : i + batch]).argmax(1) == labels[i : i + batch]).sum())
        for i in range(0, len(labels), batch)
    )
    return right / len(labels)


def _write(network: nn.Module, out: Path, facts: dict[str, object]) -> None:
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    # One entry of metadata: the format does not keep the order of several, and equal weights are equal files.
    data = safetensors.torch.save(tensors, {"segviz": json.dumps(facts, sort_keys=True)})
    export.replace_file(out, lambda place: place.write_bytes(data))
