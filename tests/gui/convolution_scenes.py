"""Scenes of the convolution laboratory, built by hand: no engine, no torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from segviz.core import planning
from segviz.core.convolution_lab import ConvolutionLab, Page
from segviz.core.convolutions import Sliding
from segviz.core.session import Unit
from segviz.core.shifting import DenseChange, ShiftAnswer
from segviz.core.sizes import SizeRow, SizesAnswer
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
    row, column = (
        max(0, min(size - BLOCK, at - BLOCK // 2)) for at, size in zip(unit[1:], (rows, columns), strict=True)
    )
    tall, wide = min(BLOCK, rows), min(BLOCK, columns)
    ys, xs = window.back(Interval(row, row + tall - 1)), window.back(Interval(column, column + wide - 1))
    at = (
        slice(ys.lo + window.before, ys.hi + window.before + 1),
        slice(xs.lo + window.before, xs.hi + window.before + 1),
    )
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


def answer_to(request: SumRequest) -> SumAnswer:
    """The convolution of any unit of LeNet-5 on the page of digits."""
    state = replace(scenes.full().state, layer=request.layer, unit=Unit(*request.unit) if request.unit else None)
    return replace(sum_answer(replace(scenes.full(), state=state)), request=request)


def shift_answer(scene: Scene, dx: int = 4) -> ShiftAnswer:
    """A map that follows, and two dense layers that do not: what the page Shift asks for."""
    state = scene.state
    lab = replace(state.convolution_lab, page=Page.SHIFT)
    request = planning.plan_shift(replace(state, convolution_lab=lab))
    assert request is not None
    y, x = np.mgrid[0:14, 0:15].astype(np.float32)
    wide = np.sin(x) * np.cos(y / 2)
    seen = np.clip(np.hypot(*np.mgrid[-16:16, -16:16]) / 20, 0, 1).astype(np.float32)
    first, second = np.linspace(-2, 3, 10, dtype=np.float32), np.linspace(3, -1, 10, dtype=np.float32)
    dense = tuple(DenseChange(name, 10, first, second, 5.0, 2.4) for name in ("f6", "output"))
    maps = wide[:, 1:].copy(), wide[:, :-1].copy()
    return ShiftAnswer(request, (seen, np.roll(seen, dx, 1)), maps, (4.0, 4.0), (0.0, dx / 4), 150, 0.0, 0.0, 1.0,
                       dense, 0.1, layer=request.layer, channel=request.channel, by=(dx, 0))  # fmt: skip


def sizes_answer(scene: Scene) -> SizesAnswer:
    """LeNet-5 that stops at its first dense layer."""
    own = {"c1": (6, 28, 28), "s2": (6, 14, 14), "c3": (16, 10, 10), "s4": (16, 5, 5), "flatten": (400,),
           "c5": (120,), "f6": (84,), "output": (10,)}  # fmt: skip
    larger = {"c1": (6, 92, 124), "s2": (6, 46, 62), "c3": (16, 42, 58), "s4": (16, 21, 29), "flatten": (9744,)}
    made = {**larger, "flatten": (16, 21, 29), "c5": (120, 17, 25), "f6": (84, 17, 25), "output": (10, 17, 25)}
    types = {"c": "Conv2d", "s": "AvgPool2d", "f": "Flatten"}
    rows = tuple(
        SizeRow(
            name,
            types.get(name[0], "Linear") if name not in ("c5", "f6") else "Linear",
            shape,
            larger.get(name),
            made[name],
            "a dense layer takes 400 numbers and gets 9,744" if name == "c5" else "",
        )
        for name, shape in own.items()
    )
    lab = replace(scene.state.convolution_lab, page=Page.HEAD)
    request = planning.plan_sizes(replace(scene.state, convolution_lab=lab), (96, 128))
    assert request is not None
    return SizesAnswer(request, (1, 32, 32), rows, "", (17, 25), (17, 25), "floor", 0.04)


def on(scene: Scene, page: Page, **changes: Any) -> Scene:
    """The convolution tab over any scene that has a network, with what its page asks for."""
    state = replace(scene.state, tab="convolution", convolution_lab=ConvolutionLab(page, **changes))
    found = replace(scene, state=state)
    return replace(found, sums=sum_answer(found), shift=shift_answer(found), sizes=sizes_answer(found))


def laboratory(page: Page = Page.PRODUCTS, **changes: Any) -> Scene:
    """The convolution tab with LeNet-5 on the page of digits, a unit of c3 pinned."""
    return on(scenes.full(), page, **changes)
