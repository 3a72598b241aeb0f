"""From a scene to what the convolution laboratory computes with: pure functions of arrays. Loads numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from segviz.core import convolutions
from segviz.core.choices import ColourMap
from segviz.core.convolution_lab import ConvolutionLab, Preset, Source
from segviz.core.convolutions import Share, Sliding
from segviz.core.steps import Law, Window
from segviz.core.unit_sums import LayerSum
from segviz.gui import words
from segviz.gui.scene import Scene
from segviz.gui.widgets.cell_images import coloured

Map = npt.NDArray[np.floating[Any]]

WHITE = 255.0  # the lightest grey level


@dataclass(frozen=True, eq=False)
class Work:
    """A convolution at work: what slides over what, and about which output.

    `outputs` are those to be shown: the layer's own values, or what numpy makes of the image. `place` (row, column)
    is the output that is looked at, `first` (row, column) what the first of them is called. `grey`: whether the maps
    are grey levels. `channel` is the map that is shown, `shares` what each map adds to the output.
    """

    sliding: Sliding
    outputs: Map
    place: tuple[int, int]
    first: tuple[int, int]
    corner: tuple[int, int]  # what the first unit of the maps is called, (row, column)
    channel: int
    shares: tuple[Share, ...]
    grey: bool
    layer: LayerSum | None
    kernel: str  # what the weights are called
    laws: tuple[Law, Law] | None = None  # where outputs on the image sit, along y and x

    @property
    def first_map(self) -> int:
        return self.layer.first_map if self.layer is not None else 0

    @property
    def unit(self) -> tuple[int, int]:
        """(row, column) of the output that is looked at, in its whole map."""
        return self.place[0] + self.first[0], self.place[1] + self.first[1]

    def plane(self) -> Map:
        """The input map that is shown."""
        return np.asarray(self.sliding.maps[self.channel])

    @property
    def reach(self) -> float:
        """The largest of the shown map's values, whose colours are about zero: of all of it and of each patch."""
        plane = self.plane()
        return float(np.abs(plane[np.isfinite(plane)]).max(initial=0.0)) or 1.0

    def input_image(self, values: Map) -> QImage:
        """Values of the shown map in its colours: a patch looks like the part of the map that it is."""
        if self.grey:
            return coloured(values, 0, WHITE, ColourMap.GREY)
        return coloured(values, -self.reach, self.reach, ColourMap.DIVERGING)


def layer_work(found: LayerSum, lab: ConvolutionLab) -> Work:
    """The convolution of a layer about a unit."""
    rows, columns = found.maps.shape[1:]
    down, across = (np.arange(size) + start for size, start in zip((rows, columns), found.corner, strict=True))
    _, height, width = found.input_shape
    inside = ((down >= 0) & (down < height))[:, None] & ((across >= 0) & (across < width))
    sliding = Sliding(found.maps, inside, found.weights, found.bias, found.stride, found.dilation)
    shares = convolutions.shares(sliding.products(*found.place), found.bias)
    chosen = lab.channel - found.first_map if lab.channel is not None else shares[0].channel
    channel = chosen if 0 <= chosen < len(found.maps) else shares[0].channel
    kernel = f"{found.layer}, filter {found.unit[0]}"
    places = found.place, found.block, found.corner
    return Work(sliding, found.outputs, *places, channel, shares, False, found, kernel)


def image_work(scene: Scene, side: int, sliding_kernel: bool) -> Work:
    """The kernel of one's choice on at most `side` x `side` pixels of the image about the pinned place.

    `sliding_kernel`: with the stride, padding and dilation that are chosen; else every pixel has an output.
    Raises SegvizError where the kernel does not fit.
    """
    lab, (plane, (top, left), (row, column)) = scene.state.convolution_lab, crop(scene, side)
    rows = convolutions.kernel_rows(lab.preset, lab.edited)
    kernel = np.asarray(rows)
    if sliding_kernel:
        stride, padding, dilation = lab.stride, lab.padding, lab.dilation
        sliding = Sliding.over(plane, kernel, stride, padding, dilation)
    else:
        stride, padding, dilation = 1, len(rows) // 2, 1
        sliding = _of_every_pixel(scene, kernel, plane.shape, top, left)
    outputs = sliding.output()
    window = Window(len(rows), stride, dilation, padding)
    laws = window.law(Law(top, 1.0)), window.law(Law(left, 1.0))
    place = laws[0].nearest(top + row, sliding.size[0]), laws[1].nearest(left + column, sliding.size[1])
    shares = convolutions.shares(sliding.products(*place))
    first = (0, 0) if sliding_kernel else (top, left)
    corner = top - padding, left - padding
    return Work(sliding, outputs, place, first, corner, 0, shares, True, None, lab.preset.title, laws)


def _of_every_pixel(scene: Scene, kernel: Map, shape: tuple[int, ...], top: int, left: int) -> Sliding:
    """The kernel about every pixel of a part of the image: zeros are only where the image itself ends."""
    picture = scene.picture
    assert picture is not None
    before, behind = len(kernel) // 2, len(kernel) - 1 - len(kernel) // 2
    down = np.arange(top - before, top + shape[0] + behind)
    across = np.arange(left - before, left + shape[1] + behind)
    real = ((down >= 0) & (down < picture.height))[:, None] & ((across >= 0) & (across < picture.width))
    pixels = picture.pixels[np.clip(down, 0, picture.height - 1)][:, np.clip(across, 0, picture.width - 1)]
    return Sliding(np.where(real, convolutions.grey(pixels), 0.0)[None], real, kernel[None])


def pixel_of(scene: Scene, work: Work, row: int, column: int) -> tuple[float, float] | None:
    """Where an output sits in the image, (x, y); None where that is not known."""
    if work.laws is not None:
        return work.laws[1].at(column), work.laws[0].at(row)
    network, found = scene.known, work.layer
    if network is None or found is None or network.layer(found.layer) is None:
        return None
    unit = row + work.first[0], column + work.first[1]
    return network.frame.to_image(*network.geometry.position_of(found.layer, *unit))


def crop(scene: Scene, side: int) -> tuple[Map, tuple[int, int], tuple[int, int]]:
    """Grey levels of the image about the pinned pixel (its middle without one), their corner (row, column) in the
    image, and the pixel's place (row, column) in them."""
    picture = scene.picture
    assert picture is not None
    height, width = picture.height, picture.width
    x, y = scene.state.cursor or ((width - 1) / 2, (height - 1) / 2)
    row, column = (max(0, min(size - 1, round(at))) for at, size in ((y, height), (x, width)))
    top, left = (max(0, min(size - side, at - side // 2)) for at, size in ((row, height), (column, width)))
    pixels = picture.pixels[top : top + side, left : left + side]
    return convolutions.grey(pixels), (top, left), (row - top, column - left)


def work_of(scene: Scene, side: int, sliding_kernel: bool) -> Work | None:
    """What the State wants to see at work; None before it is there. Raises SegvizError where a kernel does not fit."""
    lab = scene.state.convolution_lab
    if lab.source is Source.IMAGE:
        return image_work(scene, side, sliding_kernel) if scene.picture is not None else None
    answer = scene.shown_sums
    return layer_work(answer.found, lab) if answer is not None and answer.found is not None else None


def resized(lab: ConvolutionLab, width: int) -> dict[str, Any]:
    """The changes that make the kernel `width` wide: it becomes one's own."""
    rows = convolutions.kernel_rows(lab.preset, lab.edited)
    return {"preset": Preset.EDITED, "edited": convolutions.resized_rows(rows, width)}


def describe(work: Work, placed: bool = True) -> str:
    """What is convolved, for the header; `placed`: with the row and column of the output that is looked at."""
    found = work.layer
    if found is None:
        rows, columns = work.sliding.kernel.shape[1:]
        return f"{work.kernel} {words.size(columns, rows)} on the grey levels of the image"
    rows, columns = found.weights.shape[1:]
    parts = [
        f"{found.layer}: {words.size(columns, rows)} on {words.many(len(found.weights), 'map')}",
        f"stride {words.per_axis(found.stride)}",
        f"padding {words.per_axis(found.padding)}",
    ]
    if found.dilation != (1, 1):
        parts.append(f"dilation {words.per_axis(found.dilation)}")
    if found.groups > 1:
        parts.append(f"{found.groups} groups")
    if found.dense:
        parts.append("published as a dense layer")
    place = f", row {work.unit[0]}, column {work.unit[1]}" if placed else ""
    return f"{' · '.join(parts)} · filter {found.unit[0]}{place}"


@dataclass(frozen=True, eq=False)
class Activated:
    """A part of a map before and behind its activation, and the unit that is looked at, (row, column) in it."""

    before: Map
    after: Map | None
    activation: str
    place: tuple[int, int]
    name: str


def activated(work: Work, side: int) -> Activated:
    """At most `side` x `side` units of the whole map about the unit that is looked at."""
    found = work.layer
    if found is None:
        return Activated(work.outputs, None, "", work.place, describe(work))
    part, place = _about(found.before.shape, (found.unit[1], found.unit[2]), side)
    after = None if found.after is None else found.after[part]
    name = f"{found.layer}, map {found.unit[0]}"
    return Activated(found.before[part], after, found.activation, place, name)


def samples(scene: Scene, side: int) -> tuple[Map, str]:
    """At most `side` x `side` samples to be pooled, and what they are called.

    Of a layer its activated map about the unit, of the image grey levels about the pinned pixel.
    """
    answer = scene.shown_sums
    if scene.state.convolution_lab.source is Source.IMAGE or answer is None or answer.found is None:
        return crop(scene, side)[0], "grey levels of the image"
    found = answer.found
    whole = found.before if found.after is None else found.after
    part, _ = _about(whole.shape, (found.unit[1], found.unit[2]), side)
    behind = f" behind {found.activation}" if found.after is not None else ""
    return whole[part].astype(np.float64), f"{found.layer}, map {found.unit[0]}{behind}"


def _about(shape: tuple[int, ...], unit: tuple[int, int], side: int) -> tuple[tuple[slice, slice], tuple[int, int]]:
    """The part of a map about a unit, and the unit's place in it."""
    top, left = (max(0, min(size - side, at - side // 2)) for at, size in zip(unit, shape, strict=True))
    return (slice(top, top + side), slice(left, left + side)), (unit[0] - top, unit[1] - left)


def pooled_image(values: Map, reach: float, grey: bool) -> QImage:
    """Samples in the colours of their map."""
    return coloured(values, 0, WHITE, ColourMap.GREY) if grey else coloured(values, -reach, reach, ColourMap.DIVERGING)
