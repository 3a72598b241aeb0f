"""What if a layer had another kernel, stride, dilation or padding: fields, grids and costs of all layers after it.

Nothing is run: sizes follow from sizes (Dumoulin and Visin 2016, sections 2 and 4), fields from `core/field`. A layer
whose size was counted for the maps as they were (a dense layer, a crop, a reshape) is refused where its maps would
have another, since nobody can tell what its author's code would do then. A layer that pads by TensorFlow's rule SAME
pads what the rule says for the maps that it gets then (`core/paddings`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from segviz.core.errors import SegvizError
from segviz.core.facts import FactFinder
from segviz.core.field import Geometry, Node
from segviz.core.paddings import PaddingFinder, PaddingRule, ruled, says_same, uneven, units_of
from segviz.core.requests import Layer, Network
from segviz.core.steps import IDENTITY, Mirror, Resize, Step, Taps, Transposed, Window, same_padding

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
    """Kernel, stride, dilation and padding of a layer along (y, x).

    A number of padding is that at both ends of an axis; what `PaddingRule.SAME` is follows from the size of the maps.
    """

    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    padding: Pair | PaddingRule = (0, 0)


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
    paddings = PaddingFinder(network.geometry)
    return {layer.name: _edit_of(paddings, network, layer) for layer in network.layers if _slides(network, layer)}


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
    geometry = _resized(network, edits)
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


def _edit_of(paddings: PaddingFinder, network: Network, layer: Layer) -> Edit:
    node = network.geometry.node(layer.name)
    y, x = node.y, node.x
    assert isinstance(y, Window)
    assert isinstance(x, Window)
    padding = PaddingRule.SAME if paddings.by_rule(layer) else (y.before, x.before)
    return Edit((y.kernel, x.kernel), (y.stride, x.stride), (y.dilation, x.dilation), padding)


def _check(layer: Layer, edit: Edit) -> None:
    paddings = () if isinstance(edit.padding, PaddingRule) else edit.padding
    for word, pair, least in (
        ("kernel", edit.kernel, 1),
        ("stride", edit.stride, 1),
        ("dilation", edit.dilation, 1),
        ("padding", paddings, 0),
    ):
        for value in pair:
            if not least <= value <= LARGEST:
                limits = f"it is a whole number from {least} to {LARGEST:,}"
                raise EditRefused(layer.name, f"layer '{layer.name}': a {word} of {value}; {limits}")
    if "pool" not in layer.type.lower():
        return
    for padding, kernel in zip(paddings, edit.kernel, strict=False):
        if padding > kernel // 2:  # torch's rule, whatever the dilation
            raise EditRefused(
                layer.name,
                f"layer '{layer.name}': a padding of {padding} is more than half of a pooling's kernel of {kernel}; "
                f"it is at most {kernel // 2}",
            )


def padding_for_size(was: Edit, edit: Edit) -> Pair | PaddingRule | None:
    """The padding (y, x) with which a window makes maps as large as `was` does; None where there is none.

    A window of k units, d apart, reaches over d (k - 1) + 1: the padding grows by half of what that does, so that it
    is a whole number for odd kernels (Dumoulin and Visin 2016, relationship 3).
    """
    if isinstance(was.padding, PaddingRule):
        return was.padding if edit.stride == was.stride else None
    reach, had = ([d * (k - 1) for k, d in zip(one.kernel, one.dilation, strict=True)] for one in (edit, was))
    more = [new - old for new, old in zip(reach, had, strict=True)]
    y, x = (pad + grown // 2 for pad, grown in zip(was.padding, more, strict=True))
    whole = all(grown % 2 == 0 for grown in more) and min(y, x) >= 0
    return (y, x) if whole and edit.stride == was.stride else None


# ------------------------------------------------------------------------------------ sizes


@dataclass(frozen=True, slots=True)
class _Slider:
    """A layer that slides a window, with what it has now. `below`: whose maps it pads, by `pad` if that is a node.

    `knows` says whether it is known to pad maps of another size by the rule, too.
    """

    name: str
    real: Edit
    below: int
    pad: int | None
    knows: bool


def _sliders(network: Network, edits: Mapping[str, Edit]) -> dict[int, _Slider]:
    """By their nodes the layers that are edited or pad by the rule."""
    found, paddings = {}, PaddingFinder(network.geometry)
    for name, real in editable(network).items():
        layer = network.layer(name)
        if layer is not None and (name in edits or real.padding is PaddingRule.SAME):
            pad = paddings.pad_before(name) if real.padding is PaddingRule.SAME else None
            below = paddings.below(name) if pad is not None else network.geometry.node(name).inputs[0]
            found[network.geometry.index(name)] = _Slider(name, real, below, pad, says_same(layer))
    return found


def _resized(network: Network, edits: Mapping[str, Edit]) -> Geometry:
    """The same graph with other windows and the sizes that follow from them."""
    geometry = network.geometry
    if not edits:
        return geometry
    sliders, nodes = _sliders(network, edits), list(geometry.nodes)
    pads = {one.pad: one for one in sliders.values() if one.pad is not None}
    for index in range(1, len(nodes)):
        old = geometry.nodes[index]
        one = sliders.get(index) or pads.get(index)
        slid = _slid(one, index, geometry.nodes, nodes, edits) if one is not None else None
        if slid is not None:
            nodes[index] = slid
            continue
        before, now = ([these[source] for source in old.inputs] for these in (geometry.nodes, nodes))
        if [_grid(node) for node in now] == [_grid(node) for node in before]:
            continue
        try:
            if one is not None:
                _check_pads(geometry.node(one.name), geometry.nodes[one.below], nodes[one.below])
            nodes[index] = _follow(old, before, now)
        except ValueError as error:
            name = _after(geometry, index)
            raise EditRefused(name, f"layer '{name}' {error}") from error
    return replace(geometry, nodes=tuple(nodes))


def _slid(
    one: _Slider, index: int, were: Sequence[Node], nodes: Sequence[Node], edits: Mapping[str, Edit]
) -> Node | None:
    """A node of a layer that is edited, or gets other maps and is known to pad them by the rule; None of others."""
    below, room = were[one.below], nodes[one.below]
    if one.name not in edits and (not one.knows or _grid(below) == _grid(room)):
        return None
    if index == one.pad:  # the layer's own node pads from now on
        return replace(were[index], y=IDENTITY, x=IDENTITY, height=room.height, width=room.width)
    return _with_window(one, were[index], edits.get(one.name, one.real), below, room)


def _check_pads(old: Node, before: Node, now: Node) -> None:
    """Refuse another size to a layer that pads as SAME says for its size, if that may be chance and would be wrong."""
    was, then = ruled(old, before), ruled(old, now)
    if was != then:
        had, got = (f"{node.height}x{node.width}" for node in (before, now))
        raise ValueError(f"pads {had} units by the rule 'same'; whether it would pad {got} by it is not known")


def _grid(node: Node) -> Pair:
    return node.height, node.width


def _after(geometry: Geometry, index: int) -> str:
    """The first layer that ends at a node or behind it."""
    later = [(end, -len(name), name) for name, end in geometry.layers if end >= index]
    return min(later)[2] if later else geometry.last


def _with_window(one: _Slider, old: Node, edit: Edit, before: Node, now: Node) -> Node:
    """A node with the windows of an edit; a number of padding that is not edited stays as uneven as it was."""
    steps, sizes = [], []
    sides = zip((old.y, old.x), _grid(before), _grid(now), _grid(old), strict=True)
    for axis, (was, below, room, units) in enumerate(sides):
        assert isinstance(was, Window)
        shape = edit.kernel[axis], edit.stride[axis], edit.dilation[axis]
        if isinstance(edit.padding, PaddingRule):
            window = Window(*shape, same_padding(room, *shape)[0])
            size = -(-room // window.stride)
        else:
            window = Window(*shape, edit.padding[axis])
            kept = window.before == was.before and not isinstance(one.real.padding, PaddingRule)
            more = uneven(was, below, units, old.ceil) if kept else 0
            size = units_of(window, room, window.before + more, old.ceil)
        if size < 1:
            reach = window.dilation * (window.kernel - 1) + 1
            raise EditRefused(
                one.name,
                f"layer '{one.name}': a window of {reach} units does not fit into {room} with a padding of "
                f"{window.before}",
            )
        steps.append(window)
        sizes.append(size)
    ceil = old.ceil and not isinstance(edit.padding, PaddingRule)
    return replace(old, y=steps[0], x=steps[1], height=sizes[0], width=sizes[1], ceil=ceil)


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
    if old.mixed and (step == IDENTITY or step.stride == 1):
        raise ValueError(f"was made for maps of {below} units a side and would get {room}")
    if step.kernel == 1 and step.stride == 1 and step != IDENTITY and units < below + step.before:
        raise ValueError(f"cuts maps of {below} units a side to a size that was counted for them, and would get {room}")
    after = step.before + uneven(step, below, units, old.ceil)
    return step, units_of(step, room, after, old.ceil)


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
