"""From a picture to what a network takes: size, padding, channels, scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from segviz.core.choices import Task
from segviz.core.entries import GREY_WEIGHTS, Entry, Preprocessing
from segviz.core.errors import SegvizError
from segviz.core.frames import Frame
from segviz.core.images import resize
from segviz.core.requests import LARGEST_SCALE, SMALLEST_SCALE


def frame_of(entry: Entry, image: tuple[int, int], scale: float | None, least: tuple[int, int]) -> Frame:
    """How an image of (height, width) goes into the network: its size after `scale`, padded where it must be.

    `scale` None takes the longest side that the catalogue recommends, and never enlarges. `least`
    is the smallest (height, width) that the network takes.
    """
    scale = automatic_scale(entry, image) if scale is None else scale
    if not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
        raise SegvizError(f"the scale is {scale:g}; it goes from {SMALLEST_SCALE:g} to {LARGEST_SCALE:g}")
    inner = (max(1, round(image[0] * scale)), max(1, round(image[1] * scale)))
    outer = (entry.fitting(max(inner[0], least[0])), entry.fitting(max(inner[1], least[1])))
    return Frame(image, inner, outer, (entry.border, entry.border))


def automatic_scale(entry: Entry, image: tuple[int, int]) -> float:
    """The scale at which the catalogue recommends to look at an image of (height, width)."""
    if entry.longest_side is None:
        return 1.0
    return min(1.0, entry.longest_side / max(image))


def check_multiple(entry: Entry, height: int, width: int) -> None:
    """Raise SegvizError, with the size to pad to, where height or width do not divide as the network needs."""
    padded = [entry.fitting(side - 2 * entry.border) for side in (height, width)]
    if padded != [height, width]:
        more = f", plus {entry.remainder}" if entry.remainder else ""
        raise SegvizError(
            f"{entry.title} takes multiples of {entry.multiple}{more}: {height}x{width} is not one, "
            f"pad to {padded[0]}x{padded[1]}"
        )


def check_channels(entry: Entry) -> None:
    """Raise SegvizError, with both numbers and what helps, where an image as it is read has other channels."""
    wanted, order = entry.input_size[0], entry.preprocessing.channels
    given = entry.preprocessing.planes
    if given == wanted:
        return
    channels = "1 channel" if wanted == 1 else f"{wanted} channels"
    helps = "one mean and one std will do"
    if order != "L":
        helps = "channels=L gives it the image in grey" + (f", the same in all {wanted}" if wanted > 1 else "")
    raise SegvizError(f"{entry.title} wants {channels}, the image has {given} ({order}): {helps}")


def least_size(entry: Entry, dense: bool) -> tuple[int, int]:
    """The smallest input: the native one where a dense layer or a window of pooling spans it."""
    height, width = entry.input_size[1:]
    if entry.task is Task.SEGMENTATION:
        return (1, 1)
    return (height, width) if dense else (1, 1)


def tensor_of(pixels: npt.NDArray[np.uint8], preprocessing: Preprocessing, frame: Frame) -> Tensor:
    """Pixels (H, W, 3) of the image as the network's input (1, C, *frame.outer).

    What padding adds at bottom and right repeats the image's last row and column: black would be an edge
    to look at. Where it goes all around, the image is mirrored (Ronneberger et al. 2015, figure 2).
    """
    resized = resize(pixels, *frame.inner)
    (top, left), inner = frame.corner, frame.inner
    bottom, right = (outer - own - first for outer, own, first in zip(frame.outer, inner, frame.corner, strict=True))
    if bottom or right:
        around = ((top, bottom), (left, right), (0, 0))
        resized = np.pad(resized, around, mode="reflect" if top or left else "edge")
    planes = torch.from_numpy(resized.transpose(2, 0, 1).astype(np.float32))  # (3, H, W)
    planes = _channels(planes, preprocessing.channels)
    mean = torch.tensor(preprocessing.mean).view(-1, 1, 1)
    std = torch.tensor(preprocessing.std).view(-1, 1, 1)
    return ((planes - mean) / std)[None].contiguous(memory_format=torch.channels_last)


def _channels(planes: Tensor, order: str) -> Tensor:
    if order == "L":
        return (planes * torch.tensor(GREY_WEIGHTS).view(3, 1, 1)).sum(0, keepdim=True)
    return planes.flip(0) if order == "BGR" else planes


def notes_of(entry: Entry, frame: Frame) -> tuple[str, ...]:
    """What a person must know of the network, and what was done to make the image fit, in sentences."""
    return tuple(note for note in (entry.caution, _fitted(entry, frame)) if note)


def _fitted(entry: Entry, frame: Frame) -> str:
    if frame.outer == frame.inner:
        return ""
    (height, width), (rows, columns) = frame.inner, frame.outer
    if entry.border:
        answers = f"{entry.title} answers for {entry.border} pixels less on each side"
        return f"{height}x{width} was mirrored at its border, to {rows}x{columns}: {answers}"
    if entry.multiple > 1 and min(frame.inner) >= entry.multiple:
        sizes = f"{height}x{width} was padded to {rows}x{columns}"
        return f"{sizes}, multiples of {entry.multiple}; the margin is cut off again"
    return f"{height}x{width} is smaller than the network's window and was padded to {rows}x{columns}"
