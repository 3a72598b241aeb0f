"""Labels that follow the edges of the image: a dense conditional random field over the score map (lecture T34).

Every pixel has its scores (unary potentials) and is drawn to the labels of all others, the more the nearer
they are and the more alike in colour (Krähenbühl and Koltun 2011, equation 3, with the Potts model). Mean-field
inference (their algorithm 1) is run as a fixed number of rounds; messages are divided by what a map of ones
would send, as in Zheng et al. 2015, section 4.2, so that pixels at the border are not weaker than others.

All pairs of two million pixels are out of reach. Of the three ways around them (a permutohedral lattice, a
bilateral grid, a window), the appearance kernel here is summed over a window of three standard deviations
(Teichmann and Cipolla 2018) that is thinned out where it has many places: exactly the definition where the window
is dense, so that it can be held against all pairs, a fixed amount of work a pixel, no tables to sort, and torch's
plain elementwise operations, strip by strip. The smoothness kernel is narrow and
separable: two passes of it are exact to three standard deviations.
"""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from segviz.core import images, resample, scores
from segviz.core.choices import Upsampling
from segviz.core.direct import LabelMap
from segviz.core.frames import Lattice
from segviz.core.refinement import Refinement
from segviz.core.requests import Progress
from segviz.engine import devices, labels

ROUNDS = 5  # of mean-field inference: Zheng et al. 2015, section 6.1
APPEARANCE = 4.0  # weight of the appearance kernel, whose messages are at most 1
NEAR = 3.0  # standard deviation of the smoothness kernel, image pixels
REACH = 3.0  # standard deviations after which a kernel ends
DENSE, THINNED = 144, 81  # places of the appearance kernel's window: all are taken, or so many of more
STRIP = 1 << 16  # pixels that are computed at once
MOST_PIXELS = 1_000_000  # that take part; a larger image is refined at a smaller size
MOST_CLASSES = 12  # that take part, besides the best of the others

Floats = npt.NDArray[np.float32]
Offset = tuple[int, int]  # (dy, dx)


# ---------------------------------------------------------------------------------- mean field


def mean_field(logits: Tensor, pixels: Tensor, by: Refinement, near: float = NEAR) -> Generator[Progress, None, Tensor]:
    """Probabilities (K, H, W) of the labels at every pixel, after `ROUNDS` of mean-field inference.

    `logits` (K, H, W) are the negative unary potentials, `pixels` (3, H, W) colours from 0 to 255 of the same
    type; `by.width` and `near` are in pixels of these maps. Closing it leaves nothing behind.
    """
    height, width = logits.shape[1:]
    tops = range(0, height, max(1, STRIP // width))
    offsets = half_window(height, width, by.width)
    chances = logits.softmax(0)
    for round_ in range(ROUNDS):
        told = torch.cat([chances, torch.ones_like(chances[:1])])  # the last plane sums up the weights
        heard = torch.zeros_like(told)
        for number, top in enumerate(tops):
            _exchange(heard, told, pixels, slice(top, min(top + tops.step, height)), offsets, by)
            yield Progress(round_ * len(tops) + number + 1, ROUNDS * len(tops), "strips")
        energy = APPEARANCE * _mean(heard) + by.smoothness * _mean(_blurred(told, near) - told)
        chances = (logits + energy).softmax(0)
    return chances


def _mean(heard: Tensor) -> Tensor:
    """What was heard of each class, by the sum of the weights with which it was said; 0 where nobody spoke."""
    return heard[:-1] / heard[-1:].clamp_min(torch.finfo(heard.dtype).tiny)


def half_window(height: int, width: int, sigma: float) -> tuple[Offset, ...]:
    """One of each pair of opposite offsets within `REACH` standard deviations: all, if they are at most `DENSE`.

    Of more, every second, third, ... row and column is taken until `THINNED` are left: a Gaussian and what it
    weighs change little within three quarters of its width.
    """
    reach = [min(math.floor(REACH * sigma), side - 1) for side in (height, width)]
    step = 1
    while math.prod(2 * (far // step) + 1 for far in reach) > (DENSE if step == 1 else THINNED):
        step += 1
    down, across = (range(-(far // step) * step, far + 1, step) for far in reach)
    return tuple((dy, dx) for dy in down for dx in across if (dy, dx) > (0, 0))


def _exchange(
    heard: Tensor, told: Tensor, pixels: Tensor, strip: slice, offsets: tuple[Offset, ...], by: Refinement
) -> None:
    """Add to `heard` what the pixels of a strip and those at half the offsets from them tell each other (K, H, W)."""
    height, width = told.shape[1:]
    for dy, dx in offsets:
        here = np.s_[:, strip.start : min(strip.stop, height - dy), max(0, -dx) : width - max(0, dx)]
        there = np.s_[:, here[1].start + dy : here[1].stop + dy, max(0, dx) : width - max(0, -dx)]
        if here[1].start >= here[1].stop:
            continue
        apart = (pixels[here] - pixels[there]).square_().sum(0, keepdim=True)
        place = (dy * dy + dx * dx) / (2 * by.width**2)
        kernel = apart.mul_(-1 / (2 * by.colour**2)).sub_(place).exp_()
        heard[here].addcmul_(kernel, told[there])
        heard[there].addcmul_(kernel, told[here])


def _blurred(maps: Tensor, sigma: float) -> Tensor:
    """Maps (K, H, W) under a Gaussian with 1 in its middle, along one axis and then the other."""
    planes = maps[:, None]
    for axis, side in ((2, maps.shape[1]), (3, maps.shape[2])):
        reach = min(math.ceil(REACH * sigma), side - 1)
        taps = torch.arange(-reach, reach + 1, dtype=maps.dtype, device=maps.device)
        kernel = (-(taps**2) / (2 * sigma**2)).exp()
        shape = (1, 1, -1, 1) if axis == 2 else (1, 1, 1, -1)
        planes = functional.conv2d(planes, kernel.view(shape), padding=(reach, 0) if axis == 2 else (0, reach))
    return planes[:, 0]


# ------------------------------------------------------------------------- of a network's scores


def refined(
    logits: Floats,
    lattice: Lattice,
    how: Upsampling,
    pixels: npt.NDArray[np.uint8],
    before: LabelMap,
    by: Refinement,
    device: torch.device,
) -> Generator[Progress, None, LabelMap]:
    """The labels `before` of an image, `pixels` (H, W, 3), moved to its edges; logits (classes, rows, columns).

    The most widespread classes take part, and as one more the best of all others: where that wins the label
    stays. Confidences are the field's probabilities, times what the network gave to the classes that take part.
    """
    height, width = before.labels.shape
    shrunk = max(1.0, math.sqrt(height * width / MOST_PIXELS))
    size = (max(1, round(height / shrunk)), max(1, round(width / shrunk)))
    zoom = (size[0] / height, size[1] / width)
    taking = taking_part(logits, before)
    maps = _maps(logits, taking)
    devices.check_memory(4 * (4 * len(maps) + 6) * size[0] * size[1], "a refinement", "refine a part of the image")
    small = lattice.resized(zoom)
    unary = torch.from_numpy(np.stack([resample.upsample(plane, small, how, *size) for plane in maps])).to(device)
    colours = torch.from_numpy(images.resize(pixels, *size).transpose(2, 0, 1).astype(np.float32)).to(device)
    scaled = Refinement(by.width * zoom[1], by.colour, by.smoothness)
    chances = yield from mean_field(unary, colours, scaled, NEAR * zoom[1])
    winner, chance = yield from _at_full_size(chances, zoom, (height, width))
    mass = _mass(logits, taking)
    if mass is not None:
        chance = chance * resample.upsample(mass, lattice, how, height, width)
    return _renamed(before, winner, chance, taking)


def taking_part(logits: Floats, before: LabelMap) -> npt.NDArray[np.intp]:
    """Indices, rising, of the classes that take part: those with most pixels, of equals the more probable."""
    count = len(logits)
    pixels = np.bincount(before.labels.ravel(), minlength=count)
    likely = np.zeros(count)
    normaliser = scores.Normaliser.of(logits)
    for index in range(count):
        likely[index] = normaliser.probability(logits[index]).mean()
    return np.sort(np.lexsort((-likely, -pixels))[:MOST_CLASSES])


def _maps(logits: Floats, taking: npt.NDArray[np.intp]) -> Floats:
    """The logits of the classes that take part, and behind them the largest of the others, if there are any."""
    others = np.setdiff1d(np.arange(len(logits)), taking)
    if not len(others):
        return logits
    best = np.full(logits.shape[1:], -np.inf, np.float32)
    for index in others:
        np.maximum(best, logits[index], out=best)
    return np.concatenate([logits[taking], best[None]])


def _mass(logits: Floats, taking: npt.NDArray[np.intp]) -> Floats | None:
    """The probability on the grid of all classes that take part; None where all do."""
    if len(taking) == len(logits):
        return None
    return np.asarray(scores.Normaliser.of(logits).probability(logits[taking]).sum(0), np.float32)


def _at_full_size(
    chances: Tensor, zoom: tuple[float, float], size: tuple[int, int]
) -> Generator[Progress, None, tuple[npt.NDArray[np.intp], Floats]]:
    """The winner at every pixel of the image and its probability, from probabilities (K, h, w) on a smaller map."""
    rows, columns = chances.shape[1:]
    if (rows, columns) == size:
        best, winner = chances.max(0)
        return winner.cpu().numpy(), best.float().cpu().numpy()
    found = chances.clamp_min(1e-12).log().float().cpu().numpy()
    placed = Lattice(rows, columns, (0.0, 0.0), (1.0, 1.0)).resized((1 / zoom[0], 1 / zoom[1]))
    wide = yield from labels.interpolated(found, placed, Upsampling.BILINEAR, *size)
    return wide.labels.astype(np.intp), (wide.confidence / 255).astype(np.float32)


def _renamed(before: LabelMap, winner: npt.NDArray[np.intp], chance: Floats, taking: npt.NDArray[np.intp]) -> LabelMap:
    """Winners among the classes that take part as labels; elsewhere, and where no unit answers, it stays as it was."""
    moved = (winner < len(taking)) & (before.confidence > 0)
    names = np.append(taking, 0).astype(before.labels.dtype)
    confidence = np.rint(np.clip(chance, 0, 1) * 255).astype(np.uint8)
    return LabelMap(np.where(moved, names[winner], before.labels), np.where(moved, confidence, before.confidence))
