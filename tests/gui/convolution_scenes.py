"""Scenes of the convolution laboratory, built by hand: no engine, no torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from segviz.core.convolution_lab import ConvolutionLab, Page
from segviz.core.convolutions import Sliding
from segviz.core.steps import Interval, Window
from segviz.core.unit_sums import BLOCK, LayerSum, SumAnswer, SumRequest
from segviz.gui.scene import Scene
from tests.gui import scenes

KERNEL = Window(5, 1, 1, 2)  # of the convolution that is made up


def layer_sum(
    unit: tuple[int, int, int], shape: tuple[int, int, int], ins: int = 6, layer: str = "c3", window: Window = KERNEL
) -> LayerSum:
    """A convolution of smooth maps with weights drawn by chance, its own values as float32 has them."""
    random = np.random.default_rng(7)
    _, rows, columns = shape
    height, width = ((size - 1) * window.stride + 1 for size in (rows, columns))
    y, x = np.mgrid[0:height, 0:width]
    maps = np.stack([np.sin(x / 3 + k) * np.cos(y / (2 + k)) for k in range(ins)]).astype(np.float32)
    weights = random.normal(0, 0.2, (ins, window.kernel, window.kernel)).astype(np.float32)
    padded = np.pad(maps, ((0, 0), (window.before,) * 2, (window.before,) * 2))
    stride = (window.stride, window.stride)
    whole = Sliding(padded, np.ones(padded.shape[1:], bool), weights, 0.05, stride, (window.dilation,) * 2)
    before = whole.output().astype(np.float32)
    row, column = (max(0, min(size - BLOCK, at - BLOCK // 2)) for at, size in zip(unit[1:], (rows, columns), strict=True))
    tall, wide = min(BLOCK, rows), min(BLOCK, columns)
    ys, xs = window.back(Interval(row, row + tall - 1)), window.back(Interval(column, column + wide - 1))
    at = slice(ys.lo + window.before, ys.hi + window.before + 1), slice(xs.lo + window.before, xs.hi + window.before + 1)
    return LayerSum(
        layer, False, unit, (ins, height, width), shape, padded[:, at[0], at[1]].copy(), (ys.lo, xs.lo), 0, weights,
        0.05, stride, (window.dilation,) * 2, (window.before,) * 2, 1, (row, column),
        before[row : row + tall, column : column + wide].copy(), before, np.tanh(before), "tanh",
    )  # fmt: skip


def sum_answer(scene: Scene, **changes: Any) -> SumAnswer:
    """The convolution of the scene's pinned unit."""
    state, network = scene.state, scene.network
    assert network is not None
    assert state.layer is not None
    found = network.layer(state.layer)
    assert found is not None
    unit = (state.unit.channel, state.unit.row, state.unit.column) if state.unit is not None else (0, 0, 0)
    request = SumRequest(scenes.setup(model=state.model, image=state.image), state.layer, unit)
    shape = (found.output_shape[0], *network.geometry.grid(state.layer))
    return SumAnswer(request, layer_sum(unit, shape, layer=state.layer, **changes), 0.2)


def on(scene: Scene, page: Page, **changes: Any) -> Scene:
    """The convolution tab over any scene that has a network, with what its page asks for."""
    state = replace(scene.state, tab="convolution", convolution_lab=ConvolutionLab(page, **changes))
    return replace(scene, state=state, sums=sum_answer(scene))


def laboratory(page: Page = Page.PRODUCTS, **changes: Any) -> Scene:
    """The convolution tab with LeNet-5 on the page of digits, a unit of c3 pinned."""
    return on(scenes.full(), page, **changes)
