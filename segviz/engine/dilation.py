"""Strides become dilation: the a trous form of a network, which answers at every pixel (lecture T23).

Giusti et al. 2013; Long et al. 2015, section 3.2; Chen et al. 2015. Every stride s becomes 1 and all
that comes after it is dilated by s, padding with it, so that each f-th unit of the dense map is a
unit of the coarse one. For a network without padding the dense map is the sliding window at every
pixel; ceil mode has no meaning without strides and falls away.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from segviz.core.errors import SegvizError
from segviz.core.field import Geometry, Node
from segviz.core.steps import IDENTITY, Window
from segviz.engine.graph import Trace
from segviz.engine.kernels import Pad, Pick, Slide
from segviz.engine.patches import Kernel
from segviz.engine.recorder import Operation

Pair = tuple[int, int]


def dilated(traced: Trace, keep: int = 1) -> Trace:
    """`traced` with a unit every `keep` pixels instead of its own stride, as far as its first strides divide that.

    A stride stays or goes along both axes at once: where they differ, units may be closer along one of them.
    Raises SegvizError for a layer that changes the size of maps in another way behind a stride.
    """
    return _Dilation(traced, keep).done()


class _Dilation:
    """Walks once over the operations. `rates` are the units (y, x) that each node now has for one of before."""

    def __init__(self, traced: Trace, keep: int) -> None:
        self.traced, self.keep = traced, keep
        first = traced.geometry.nodes[0]
        self.nodes: list[Node] = [first]
        self.operations: list[Operation] = [traced.operations[0]]
        self.rates: list[Pair] = [(1, 1)]
        self.strides: list[Pair] = [(1, 1)]  # that are left, from the image to each node

    def done(self) -> Trace:
        old = self.traced.geometry
        for index in range(1, len(old.nodes)):
            self._add(index)
        geometry = Geometry(old.height, old.width, tuple(self.nodes), old.layers, old.last)
        return replace(self.traced, geometry=geometry, operations=tuple(self.operations))

    def _add(self, index: int) -> None:
        node, operation = self.traced.geometry.nodes[index], self.traced.operations[index]
        sources = list(node.inputs)
        rates = {self.rates[source] for source in sources}
        if len(rates) > 1:
            raise self._refused(index, "maps of different strides meet in it")
        rate, source = rates.pop(), self.nodes[sources[0]]
        size = (source.height, source.width)
        stride, kernel = self.strides[sources[0]], operation.kernel
        if (node.height, node.width) == (1, 1) and node.whole:  # a gate's pooling: one unit, whatever the map is
            self._enter(index, (1, 1), (1, 1), stride, kernel)
        elif isinstance(kernel, Slide) or (isinstance(kernel, Pick) and isinstance(kernel.y, Window)):
            self._slide(index, kernel, rate, size, stride)
        elif isinstance(kernel, Pad):
            before = self.traced.geometry.nodes[sources[0]]
            grown = (node.height - before.height, node.width - before.width)
            now = (size[0] + grown[0] * rate[0], size[1] + grown[1] * rate[1])
            self._enter(index, now, rate, stride, kernel.spread(rate, size))
        elif node.y == node.x == IDENTITY and not node.mixed:
            self._enter(index, size, rate, stride, kernel)
        elif rate == (1, 1):
            self._enter(index, (node.height, node.width), rate, stride, kernel)
        else:
            raise self._refused(index, f"'{operation.name}' behind a stride has no dense form")

    def _slide(self, index: int, kernel: Any, rate: Pair, size: Pair, stride: Pair) -> None:
        windows = (kernel.y, kernel.x)
        steps = (windows[0].stride, windows[1].stride)
        left = (stride[0] * steps[0], stride[1] * steps[1])
        node = self.traced.geometry.nodes[index]
        if rate == (1, 1) and all(self.keep % side == 0 for side in left):  # these strides stay
            self._enter(index, (node.height, node.width), rate, left, kernel)
            return
        before = self.traced.geometry.nodes[node.inputs[0]]
        if isinstance(kernel, Pick):
            y, x = (Window(before=w.before * r) for w, r in zip(windows, rate, strict=True))
            wide: Any = Pad(y, x, size)
        else:
            wide = kernel.spread(rate, size)
        now = tuple(
            _units(window, old, units, n, r)
            for window, old, units, n, r in zip(
                windows, (before.height, before.width), (node.height, node.width), size, rate, strict=True
            )
        )
        self._enter(index, (now[0], now[1]), (rate[0] * steps[0], rate[1] * steps[1]), stride, wide)

    def _enter(self, index: int, grid: Pair, rate: Pair, stride: Pair, kernel: Kernel) -> None:
        node, operation = self.traced.geometry.nodes[index], self.traced.operations[index]
        if min(grid) < 1:
            raise self._refused(index, "the image is too small for its dense form")
        moved = (kernel.y, kernel.x) if isinstance(kernel, (Slide, Pad)) else (node.y, node.x)
        before, after = node.height * node.width, grid[0] * grid[1]
        self.nodes.append(replace(node, y=moved[0], x=moved[1], height=grid[0], width=grid[1]))
        self.operations.append(
            replace(
                operation,
                kernel=kernel,
                elements=operation.elements // before * after,
                macs=operation.macs // before * after,
                overhangs=operation.overhangs and kernel is operation.kernel,
            )
        )
        self.rates.append(rate)
        self.strides.append(stride)

    def _refused(self, index: int, reason: str) -> SegvizError:
        layer = self.traced.operations[index].layer
        return SegvizError(f"layer '{layer}' cannot be made dense: {reason}")


def _units(window: Window, old: int, units: int, size: int, rate: int) -> int:
    """Units of a map of `size` whose window slides by 1, once dilated by `rate`; `old` and `units` were before.

    The padding behind is that in front, but for windows of stride 1, whose sizes tell it.
    """
    reach = window.dilation * (window.kernel - 1)
    behind = window.before if window.stride > 1 else units - old - window.before + reach
    return size + (window.before + behind - reach) * rate
