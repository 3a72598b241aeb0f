"""What if a layer had another kernel, stride, dilation or padding: fields, grids and costs of all layers after it.

Nothing is run: sizes follow from sizes (Dumoulin and Visin 2016, sections 2 and 4), fields from `core/field`. A layer
whose size was counted for the maps as they were (a dense layer, a crop, a reshape) is refused where its maps would
have another, since nobody can tell what its author's code would do then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from segviz.core.errors import SegvizError
from segviz.core.facts import FactFinder
from segviz.core.field import Geometry, Node
from segviz.core.requests import Layer, Network
from segviz.core.steps import SAME, Mirror, Resize, Step, Taps, Transposed, Window

Pair = tuple[int, int]
KINDS = ("conv", "pool")  # in the type of a layer that slides a window
LARGEST = 1 << 14  # units along an axis of what is asked


class EditRefused(SegvizError):
    """A network cannot be with these edits; `layer` is the one that cannot be, an edited one or one behind it."""

    def __init__(self, layer: str, message: str) -> None:
        super().__init__(message)
        self.layer = layer


@dataclass(frozen=True, slots=True)
class Edit:
    """Kernel, stride, dilation and padding of a layer along (y, x). Padding is the same at both ends of an axis."""

    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Pair = (0, 0)


@dataclass(frozen=True)
class WhatIf:
    """A network with edits: its layers as `Network.layers` has them, its geometry, and what it costs.

    `changed` are the layers whose shape, field or cost is another than before, in order of execution.
    """

    layers: tuple[Layer, ...]
    geometry: Geometry
    changed: tuple[str, ...]

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers if layer.leaf)

    def layer(self, name: str) -> Layer | None:
        return next((layer for layer in self.layers if layer.name == name), None)


def editable(network: Network) -> dict[str, Edit]:
    """Every layer that can be edited, in order of execution, with what it has now."""
    return {layer.name: _edit_of(network.geometry, layer.name) for layer in network.layers if _slides(network, layer)}


def edited(network: Network, edits: Mapping[str, Edit]) -> WhatIf:
    """The network with other windows in some layers; without edits it is as it was.

    Raises EditRefused, which has the layer, for an edit that is none, for a layer that slides no window, for maps that
    become too small, and for a layer behind whose size was fixed for the maps as they were; SegvizError for a layer
    that there is not.
    """
    for name, edit in edits.items():
        layer = network.layer(name)
        if layer is None or not _slides(network, layer):
            network.geometry.index(name)  # raises with the names there are
            raise EditRefused(name, f"layer '{name}' slides no window of its own: choose a convolution or a pooling")
        _check(layer, edit)
    geometry = _resized(network.geometry, edits)
    moved, finder = _moved_nodes(network.geometry, geometry), FactFinder(geometry)
    layers = tuple(_relaid(network, geometry, layer, edits, moved, finder) for layer in network.layers)
    layers = _summed(layers, network.layers)
    pairs = zip(network.layers, layers, strict=True)
    return WhatIf(layers, geometry, tuple(new.name for old, new in pairs if new != old))


def _slides(network: Network, layer: Layer) -> bool:
    if not layer.leaf or layer.name not in network.geometry:
        return False
    node = network.geometry.node(layer.name)
    windows = isinstance(node.y, Window) and isinstance(node.x, Window)
    kind = layer.type.lower()
    return windows and not node.mixed and not node.whole and "transpose" not in kind and any(k in kind for k in KINDS)


def _edit_of(geometry: Geometry, name: str) -> Edit:
    node = geometry.node(name)
    y, x = node.y, node.x
    assert isinstance(y, Window)
    assert isinstance(x, Window)
    return Edit((y.kernel, x.kernel), (y.stride, x.stride), (y.dilation, x.dilation), (y.before, x.before))


def _check(layer: Layer, edit: Edit) -> None:
    for word, pair, least in (
        ("kernel", edit.kernel, 1),
        ("stride", edit.stride, 1),
        ("dilation", edit.dilation, 1),
        ("padding", edit.padding, 0),
    ):
        for value in pair:
            if not least <= value <= LARGEST:
                limits = f"it is a whole number from {least} to {LARGEST:,}"
                raise EditRefused(layer.name, f"layer '{layer.name}': a {word} of {value}; {limits}")
    if "pool" not in layer.type.lower():
        return
    for padding, kernel in zip(edit.padding, edit.kernel, strict=True):
        if padding > kernel // 2:  # torch's rule, whatever the dilation
            raise EditRefused(
                layer.name,
                f"layer '{layer.name}': a padding of {padding} is more than half of a pooling's kernel of {kernel}; "
                f"it is at most {kernel // 2}",
            )


def padding_for_size(was: Edit, edit: Edit) -> Pair | None:
    """The padding (y, x) with which a window makes maps as large as `was` does; None where there is none.

    A window of k units, d apart, reaches over d (k - 1) + 1: the padding grows by half of what that does, so that it
    is a whole number for odd kernels (Dumoulin and Visin 2016, relationship 3).
    """
    reach, had = ([d * (k - 1) for k, d in zip(one.kernel, one.dilation, strict=True)] for one in (edit, was))
    more = [new - old for new, old in zip(reach, had, strict=True)]
    y, x = (pad + grown // 2 for pad, grown in zip(was.padding, more, strict=True))
    whole = all(grown % 2 == 0 for grown in more) and min(y, x) >= 0
    return (y, x) if whole and edit.stride == was.stride else None


# ------------------------------------------------------------------------------------ sizes


def _resized(geometry: Geometry, edits: Mapping[str, Edit]) -> Geometry:
    """The same graph with other windows and the sizes that follow from them."""
    at = {geometry.index(name): (name, edit) for name, edit in edits.items()}
    if not at:
        return geometry
    nodes = list(geometry.nodes)
    for index in range(1, len(nodes)):
        old = geometry.nodes[index]
        before = [geometry.nodes[source] for source in old.inputs]
        now = [nodes[source] for source in old.inputs]
        if index in at:
            nodes[index] = _with_window(at[index][0], old, at[index][1], before[0], now[0])
        elif [_grid(node) for node in now] != [_grid(node) for node in before]:
            try:
                nodes[index] = _follow(old, before, now)
            except ValueError as error:
                name = _after(geometry, index)
                raise EditRefused(name, f"layer '{name}' {error}") from error
    return replace(geometry, nodes=tuple(nodes))


def _grid(node: Node) -> Pair:
    return node.height, node.width


def _after(geometry: Geometry, index: int) -> str:
    """The first layer that ends at a node or behind it."""
    later = [(end, -len(name), name) for name, end in geometry.layers if end >= index]
    return min(later)[2] if later else geometry.last


def _with_window(name: str, old: Node, edit: Edit, before: Node, now: Node) -> Node:
    """A node with the windows of an edit; padding that is not edited stays as uneven as it was."""
    steps, sizes = [], []
    sides = zip((old.y, old.x), _grid(before), _grid(now), _grid(old), strict=True)
    for axis, (was, below, room, units) in enumerate(sides):
        assert isinstance(was, Window)
        window = Window(edit.kernel[axis], edit.stride[axis], edit.dilation[axis], edit.padding[axis])
        more = _uneven(was, below, units, old.ceil) if window.before == was.before else 0
        size = _units(window, room, window.before + more, old.ceil)
        if size < 1:
            reach = window.dilation * (window.kernel - 1) + 1
            raise EditRefused(
                name,
                f"layer '{name}': a window of {reach} units does not fit into {room} with a padding of {window.before}",
            )
        steps.append(window)
        sizes.append(size)
    return replace(old, y=steps[0], x=steps[1], height=sizes[0], width=sizes[1])


def _units(window: Window, below: int, after: int, ceil: bool) -> int:
    """How many windows fit. In ceil mode none begins in the padding behind (as in torch's poolings)."""
    room = below + window.before + after - window.dilation * (window.kernel - 1) - 1
    if room < 0:
        return 0
    units = (-(-room // window.stride) if ceil else room // window.stride) + 1
    return units - (ceil and (units - 1) * window.stride >= below + window.before)


def _uneven(window: Window, below: int, units: int, ceil: bool) -> int:
    """How much more is padded behind than in front, the least that explains the size."""
    if _units(window, below, window.before, ceil) == units:
        return 0
    last = (units - 1) * window.stride + window.dilation * (window.kernel - 1) + 1
    return last - below - 2 * window.before


def _follow(old: Node, before: list[Node], now: list[Node]) -> Node:
    """A node whose inputs have other sizes. Raises ValueError where its own is not known then."""
    if old.reason:
        raise ValueError(f"would get maps of another size, of which it is not known what it makes: {old.reason}")
    spread = [node for node in now if _grid(node) != (1, 1)] or now
    if len({_grid(node) for node in spread}) > 1:
        sizes = " and ".join(f"{node.height}x{node.width}" for node in spread)
        raise ValueError(f"would get maps of different sizes: {sizes} units")
    source = max(range(len(now)), key=lambda k: now[k].height * now[k].width)
    below, room = _grid(before[source]), _grid(now[source])
    if old.whole:
        if _grid(old) not in ((1, 1), below):
            raise ValueError("takes whole maps and makes others of a size of its own")
        size = (1, 1) if _grid(old) == (1, 1) else room
        return replace(
            old, y=_over(old.y, below[0], room[0]), x=_over(old.x, below[1], room[1]), height=size[0], width=size[1]
        )
    y, height = _moved(old, old.y, below[0], room[0], old.height)
    x, width = _moved(old, old.x, below[1], room[1], old.width)
    return replace(old, y=y, x=x, height=height, width=width)


def _over(step: Step, below: int, room: int) -> Step:
    """A window over the whole of a map, over the whole of another."""
    if isinstance(step, Window) and step == Window(below):
        return Window(room)
    return step


def _moved(old: Node, step: Step, below: int, room: int, units: int) -> tuple[Step, int]:
    """A step along one axis over `room` units in place of `below`, and the units that it makes then."""
    if below == room:
        return step, units
    for kind, moved in MOVED.items():
        if isinstance(step, kind):
            new, size = moved(old, step, below, room, units)
            if size < 1:
                raise ValueError(f"would get maps of {room} units, which are too small")
            return new, size
    raise AssertionError(f"a step of no kind: {step}")


def _moved_window(old: Node, step: Window, below: int, room: int, units: int) -> tuple[Step, int]:
    if old.mixed and (step == SAME or step.stride == 1):
        raise ValueError(f"was made for maps of {below} units a side and would get {room}")
    if step.kernel == 1 and step.stride == 1 and step != SAME and units < below + step.before:
        raise ValueError(f"cuts maps of {below} units a side to a size that was counted for them, and would get {room}")
    after = step.before + _uneven(step, below, units, old.ceil)
    return step, _units(step, room, after, old.ceil)


def _moved_up(old: Node, step: Transposed, below: int, room: int, units: int) -> tuple[Step, int]:
    return step, units + (room - below) * step.stride


def _moved_resize(old: Node, step: Resize, below: int, room: int, units: int) -> tuple[Step, int]:
    size = int(room * step.factor) if step.factor is not None else units
    if old.mixed and step.taps is not Taps.AREA:
        raise ValueError(f"spreads maps of {below} units a side to a size that was counted for them")
    return replace(step, size_in=room, size_out=size), size


def _moved_mirror(old: Node, step: Mirror, below: int, room: int, units: int) -> tuple[Step, int]:
    return replace(step, size=room), room + step.before + step.after


MOVED: dict[type, Callable[..., tuple[Step, int]]] = {
    Window: _moved_window,
    Transposed: _moved_up,
    Resize: _moved_resize,
    Mirror: _moved_mirror,
}


# ------------------------------------------------------------------------------------ layers


def _moved_nodes(old: Geometry, new: Geometry) -> list[bool]:
    """Which nodes are others, or have one that is another before them: of all others the facts are what they were."""
    moved: list[bool] = []
    for was, now in zip(old.nodes, new.nodes, strict=True):
        moved.append(was != now or any(moved[source] for source in (*now.inputs, *now.gates)))
    return moved


def _relaid(
    network: Network,
    geometry: Geometry,
    layer: Layer,
    edits: Mapping[str, Edit],
    moved: Sequence[bool],
    finder: FactFinder,
) -> Layer:
    """A layer as it is on the new geometry; what containers cost is summed later."""
    old = network.geometry
    if layer.name not in finder:
        return layer
    end = old.index(layer.name)
    was, now = old.nodes[end], geometry.nodes[end]
    if not moved[end]:
        return layer
    found = finder.of(layer.name)
    macs, parameters = layer.macs, layer.parameters
    if layer.leaf and layer.macs:
        macs, parameters = _cost(old, geometry, end, layer, layer.name in edits)
    return replace(
        layer,
        output_shape=_on_grid(layer.output_shape, _grid(was), _grid(now)),
        maps=(layer.maps[0], *_grid(now)),
        macs=macs,
        parameters=parameters,
        size=found.size,
        stride=found.stride,
        start=found.start,
        status=found.status,
    )


def _on_grid(shape: tuple[int, ...], was: Pair, now: Pair) -> tuple[int, ...]:
    """The shape of maps on another grid, their channels first or last; of what has no grid, as it was."""
    if len(shape) > 2 and shape[-2:] == was:
        return (*shape[:-2], *now)
    return (*shape[:-3], *now, shape[-1]) if len(shape) > 2 and shape[-3:-1] == was else shape


def _cost(old: Geometry, new: Geometry, end: int, layer: Layer, is_edited: bool) -> tuple[int, int]:
    """Multiply-adds and parameters: as many a unit as before, and more or fewer with the kernel's area."""
    was, now = old.nodes[end], new.nodes[end]
    counted = (old.nodes[was.inputs[0]], new.nodes[now.inputs[0]]) if isinstance(was.y, Transposed) else (was, now)
    units = [node.height * node.width for node in counted]
    each = layer.macs // units[0]
    if not is_edited:
        return each * units[1], layer.parameters
    before, after = (_area(node) for node in (was, now))
    weights = each // before * after
    shared = layer.parameters == 0  # a module that is called again has told its parameters before
    return weights * units[1], 0 if shared else layer.parameters - each + weights


def _area(node: Node) -> int:
    assert isinstance(node.y, Window)
    assert isinstance(node.x, Window)
    return node.y.kernel * node.x.kernel


def _summed(layers: tuple[Layer, ...], before: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The same with what containers cost: that changes by what the leaves that they hold do."""
    more: dict[str, Pair] = {}
    for old, new in zip(before, layers, strict=True):
        macs, parameters, holder = new.macs - old.macs, new.parameters - old.parameters, new.name
        while new.leaf and (macs or parameters) and (holder := holder.rpartition(".")[0]):
            had = more.get(holder, (0, 0))
            more[holder] = had[0] + macs, had[1] + parameters
    return tuple(_dearer(layer, *more[layer.name]) if layer.name in more else layer for layer in layers)


def _dearer(layer: Layer, macs: int, parameters: int) -> Layer:
    """A container, and what it costs more; a leaf that others lie in has its own costs."""
    return layer if layer.leaf else replace(layer, macs=layer.macs + macs, parameters=layer.parameters + parameters)
