"""Whether the fully convolutional network answers as the classifier does on windows: proof and reason.

The proof is of the graph: where every operation slides a window without padding or works unit by unit,
a unit is computed from the pixels of its window alone, by the same arithmetic (lecture T19). It knows
these by name; any other operation leaves it open. What breaks it is named.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from segviz.core.choices import Equality
from segviz.core.entries import Entry
from segviz.core.field import Node
from segviz.core.frames import Frame, Lattice
from segviz.core.regions import needed, whole
from segviz.core.requests import Exactness, Progress
from segviz.core.scores import softmax
from segviz.core.steps import IDENTITY, Window
from segviz.engine.graph import Trace, first_tensor
from segviz.engine.kernels import ChannelNorm, Pad, Pick, Point, Same, Slide, View
from segviz.engine.patches import Kernel

BY_UNIT = (Point, View, Same, ChannelNorm)
FAST = ", but for fast arithmetic, which is equal only to about 1e-5"
_FLOOR = "pooling=floor"
TRIES = 500  # to find units whose windows lie inside the image


def exactness(native: Trace, dense: Trace, entry: Entry, fast: bool = False) -> Exactness:
    """Compare a classifier traced on its window, `native`, with its convolutional form on an image, `dense`.

    `fast` says that it is computed with arithmetic that is equal only to about 1e-5 (`engine/winograd`).
    """
    if native.padded:
        return Exactness(Equality.NONE, _padding(native), _margin(dense))
    if native.overhanging:
        return Exactness(Equality.NONE, _overhang(native, entry))
    nodes = [node for traced in (native, dense) for node in traced.geometry.nodes]
    if any(node.gates for node in nodes) or any(node.whole for node in dense.geometry.nodes):
        return Exactness(Equality.NONE, "a gate averages over all that the network is given, a window or the image")
    doubt = next((node.reason for node in nodes if node.reason), "") or _doubt(native, dense)
    if doubt:
        return Exactness(Equality.NONE, f"equality cannot be proven from the graph: {doubt}")
    rounding = FAST if fast else ""
    if dense.padded or dense.overhanging:
        reason = "a window needs no padding, and the image only at its border"
        return Exactness(Equality.INTERIOR, reason + rounding, _margin(dense))
    return Exactness(Equality.EVERYWHERE, f"no padding and no ceil mode, proven from the graph{rounding}")


def _doubt(native: Trace, dense: Trace) -> str:
    """The first operation behind the logits of which the proof knows nothing, and what it does; '' without any."""
    if [operation.name for operation in native.operations] != [operation.name for operation in dense.operations]:
        return "on an image the network takes other operations than on a window"
    behind = needed(dense.geometry, {dense.output: whole(dense.geometry.nodes[dense.output])})
    for index in sorted(behind)[1:]:
        kernel, operation = dense.operations[index].kernel, dense.operations[index]
        where = f"layer '{operation.layer}' ('{operation.name}')"
        if not _slides(dense.geometry.nodes[index], kernel):
            return f"{where} neither slides a window nor works unit by unit"
        starts = ([law.start for law in traced.geometry.laws_at(index)] for traced in (native, dense))
        if isinstance(kernel, (Pad, Pick)) and next(starts) != next(starts):
            return f"{where} cuts off another part of an image than of a window"
    return ""


def _slides(node: Node, kernel: Kernel) -> bool:
    """Whether a unit is made of those in a window of its own, or of itself, in the same way everywhere."""
    if node.mixed:
        return False
    if isinstance(kernel, Pick):
        return isinstance(kernel.y, Window) and isinstance(kernel.x, Window)
    return isinstance(kernel, (Slide, Pad)) or (isinstance(kernel, BY_UNIT) and node.y == node.x == IDENTITY)


def _padding(native: Trace) -> str:
    return (
        f"{native.padded} padded convolutions: at a window's border the classifier sees zero padding where the "
        "fully convolutional network sees the image's own pixels"
    )


def _overhang(native: Trace, entry: Entry) -> str:
    height, width = native.geometry.height, native.geometry.width
    exact = f"; '{entry.name}?pooling=floor' is the variant that races exactly" if _FLOOR in entry.variants else ""
    poolings = "pooling" if native.overhanging == 1 else "poolings"
    return (
        f"{native.overhanging} {poolings} in ceil mode: the kernel hangs over the border of a {height}x{width} window, "
        f"where inside the image it does not{exact}"
    )


def _margin(dense: Trace) -> int:
    """Half the largest field of the logits: further inside, no field reaches over the border."""
    geometry = dense.geometry
    rows, columns = geometry.grid("last")
    box = geometry.field("last", rows // 2, columns // 2).box
    return math.ceil(max(box.width, box.height) / 2)


@dataclass(frozen=True, eq=False)
class CentredWindows:
    """Windows of `size` (height, width) of a network's input (1, C, H, W), by their centres in the image."""

    image: Tensor
    size: tuple[int, int]
    frame: Frame

    def about(self, x: float, y: float) -> Tensor | None:
        """The window (1, C, h, w) about a position in image pixels; None where it would reach over the border."""
        (height, width), (x, y) = self.size, self.frame.to_network(x, y)
        left, top = round(x - (width - 1) / 2), round(y - (height - 1) / 2)
        if 0 <= top <= self.frame.inner[0] - height and 0 <= left <= self.frame.inner[1] - width:
            return self.image[:, :, top : top + height, left : left + width]
        return None


def deviation(
    network: nn.Module, windows: CentredWindows, logits: npt.NDArray[np.float32], lattice: Lattice, count: int
) -> Generator[Progress, None, tuple[float, int] | None]:
    """The largest difference of probabilities between units of a map and the classifier on their windows.

    `count` units of logits (classes, rows, columns) are drawn by chance, always the same; with it the
    number that were compared. None where no window fits into the image. One window at a time, with
    progress before each: a window of a large network takes long enough.
    """
    chance = np.random.default_rng(0)
    seen: list[Tensor] = []
    units: list[npt.NDArray[np.float32]] = []
    for _ in range(TRIES):
        row, column = (int(chance.integers(side)) for side in logits.shape[1:])
        window = windows.about(*lattice.position_of(row, column))
        if window is not None and len(seen) < count:
            seen.append(window)
            units.append(logits[:, row, column])
    if not seen:
        return None
    found: list[npt.NDArray[np.float32]] = []
    for number, window in enumerate(seen):
        yield Progress(number, len(seen), "windows compared")
        with torch.inference_mode():  # not around the yield: the mode would stay on in the caller
            answer = first_tensor(network(window.contiguous(memory_format=torch.channels_last)))
        found.append(answer.flatten().float().cpu().numpy())
    return float(np.abs(softmax(np.stack(found, axis=1)) - softmax(np.stack(units, axis=1))).max()), len(seen)
