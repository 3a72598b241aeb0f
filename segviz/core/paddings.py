"""What is padded around the maps that a layer slides its window over, and whether it follows TensorFlow's rule SAME.

A layer that pads more behind than in front is recorded as two operations: zeros around the maps, which no layer is
named after, and the window. Here they are one.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import NamedTuple

from segviz.core.field import Geometry, Node
from segviz.core.requests import Layer
from segviz.core.steps import Window, same_padding


class PaddingRule(StrEnum):
    """A padding that no number says: it follows from the size of the maps."""

    SAME = "same"  # TensorFlow's rule, see `same_padding`


class Margins(NamedTuple):
    """Rows and columns around the maps."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def even(self) -> bool:
        return self.top == self.bottom and self.left == self.right


class PaddingFinder:
    """The paddings of the layers of a geometry that slide windows."""

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._used = Counter(source for node in geometry.nodes for source in (*node.inputs, *node.gates))
        self._named = {end for _, end in geometry.layers}

    def pad_before(self, layer: str) -> int | None:
        """The operation without a name that pads for this layer alone; None where there is none."""
        node = self._geometry.node(layer)
        source = node.inputs[0]
        pad = self._geometry.nodes[source]
        if not source or len(node.inputs) > 1 or source in self._named or self._used[source] > 1 or not _pads(pad):
            return None
        below = self._geometry.nodes[pad.inputs[0]]
        return source if (pad.height, pad.width) != (below.height, below.width) else None

    def below(self, layer: str) -> int:
        """The operation whose maps are padded for this layer."""
        pad = self.pad_before(layer)
        return self._geometry.node(layer).inputs[0] if pad is None else self._geometry.nodes[pad].inputs[0]

    def around(self, layer: str) -> Margins:
        """What is padded in all, by the layer and before it."""
        pad, node, below = self.pad_before(layer), self._geometry.node(layer), self._geometry.nodes[self.below(layer)]
        nodes = (node,) if pad is None else (self._geometry.nodes[pad], node)
        y, x = (0, 0), (0, 0)
        for one in nodes:
            assert isinstance(one.y, Window)
            assert isinstance(one.x, Window)
            more = uneven(one.y, below.height, one.height, one.ceil), uneven(one.x, below.width, one.width, one.ceil)
            y = y[0] + one.y.before, y[1] + one.y.before + more[0]
            x = x[0] + one.x.before, x[1] + one.x.before + more[1]
            below = one
        return Margins(*y, *x)

    def by_rule(self, layer: Layer) -> bool:
        """Whether the layer pads as SAME says: its type says so, or else more behind than in front does."""
        pads, node = self.around(layer.name), self._geometry.node(layer.name)
        wanted = ruled(node, self._geometry.nodes[self.below(layer.name)])
        return pads == wanted and (says_same(layer) or not pads.even)


def says_same(layer: Layer) -> bool:
    """Whether the type of a layer tells that it pads maps of any size by the rule: SameConv2d, MaxPool2dSame."""
    return PaddingRule.SAME in layer.type.lower()


def ruled(node: Node, below: Node) -> Margins:
    """What SAME says of the windows of `node` over the maps of `below`."""
    y, x = node.y, node.x
    assert isinstance(y, Window)
    assert isinstance(x, Window)
    rows = same_padding(below.height, y.kernel, y.stride, y.dilation)
    return Margins(*rows, *same_padding(below.width, x.kernel, x.stride, x.dilation))


def units_of(window: Window, below: int, after: int, ceil: bool) -> int:
    """How many windows fit on an axis of `below` units with `after` more units of padding behind them.

    In ceil mode none begins in the padding behind (as in torch's poolings).
    """
    room = below + window.before + after - window.dilation * (window.kernel - 1) - 1
    if room < 0:
        return 0
    units = (-(-room // window.stride) if ceil else room // window.stride) + 1
    return units - (ceil and (units - 1) * window.stride >= below + window.before)


def uneven(window: Window, below: int, units: int, ceil: bool) -> int:
    """How many units more are padded behind than in front of the `below` units of an axis: the least that explains
    that `units` windows fit.
    """
    if units_of(window, below, window.before, ceil) == units:
        return 0
    last = (units - 1) * window.stride + window.dilation * (window.kernel - 1) + 1
    return last - below - 2 * window.before


def _pads(node: Node) -> bool:
    """Whether a node does nothing but put zeros around its maps."""
    plain = not (node.whole or node.mixed or node.reason or node.gates) and len(node.inputs) == 1
    return plain and all(isinstance(step, Window) and _adds(step) for step in (node.y, node.x))


def _adds(step: Window) -> bool:
    return step.before >= 0 and step == Window(before=step.before)
