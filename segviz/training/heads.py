"""The comparison of lecture T33 with networks and data of ours: three heads behind the same maps.

`python -m segviz.training.heads` trains all of them on both data sets and prints their test errors beside those of
Lin et al. 2014, table 5, and the accuracy when test images are moved: global average pooling forgets where a map
is high, and a dense layer does not.
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn

from segviz.core.choices import DataName, RecipeName
from segviz.core.learning import TrainRequest
from segviz.training.loop import Run

HEADS = {  # in the order of the paper, with its test errors on CIFAR-10
    RecipeName.HEADS_DENSE: 0.1159,
    RecipeName.HEADS_DROPOUT: 0.1088,
    RecipeName.HEADS_GAP: 0.1041,
}
DATA = (DataName.CLOTHES, DataName.DIGITS)
SHIFTS = range(5)  # pixels


def moved(images: Tensor, right: int, down: int) -> Tensor:
    """`images` (N, C, H, W) moved by whole pixels; paper comes in."""
    rolled = torch.zeros_like(images)
    height, width = images.shape[2:]
    to = slice(max(0, down), height + min(0, down)), slice(max(0, right), width + min(0, right))
    of = slice(max(0, -down), height - max(0, down)), slice(max(0, -right), width - max(0, right))
    rolled[:, :, to[0], to[1]] = images[:, :, of[0], of[1]]
    return rolled


@torch.inference_mode()
def by_shift(network: nn.Module, images: Tensor, labels: Tensor) -> list[float]:
    """The accuracy when all images are moved by 0 to 4 pixels, the mean over the four directions."""
    found = []
    for shift in SHIFTS:
        ways = ((shift, 0), (-shift, 0), (0, shift), (0, -shift)) if shift else ((0, 0),)
        right = [(network(moved(images, *way)).argmax(1) == labels).float().mean().item() for way in ways]
        found.append(sum(right) / len(right))
    return found


def measured(head: RecipeName, data: DataName, quick: bool) -> list[float]:
    """Train one head and take its accuracy by shift."""
    run = Run(TrainRequest(head, data, quick))
    for _ in run.learn():
        pass
    run.network.eval()
    batches = list(run.source.held_out())
    return by_shift(run.network, torch.cat([b.images for b in batches]), torch.cat([b.labels for b in batches]))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m segviz.training.heads", description="compare three heads (T33)")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes, to see that it runs")
    quick = parser.parse_args(arguments).quick
    shifts = "  ".join(f"shift {shift}" for shift in SHIFTS)
    print(f"{'head':<30}{'data':<10}{'error':>8}  {'paper, CIFAR-10':>15}   accuracy: {shifts}")
    for data in DATA:
        for head, paper in HEADS.items():
            shares = measured(head, data, quick)
            told = "  ".join(f"{share:>7.1%}" for share in shares)
            print(f"{head.title:<30}{data:<10}{1 - shares[0]:>8.2%}  {paper:>15.2%}   {'':>10}{told}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
