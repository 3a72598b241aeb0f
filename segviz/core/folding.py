"""The volumes that a network is drawn as: in order of execution, folded into blocks, and which goes into which.

A volume is what one layer makes. Layers behind it that change neither grid nor channels and multiply nothing
(activations, normalisation, dropout) belong to its volume, as in the figures of papers. A block is one volume
until it is unfolded. Where two volumes meet in an operation without a name (a sum, a concatenation, a gate) stands
a join.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import NamedTuple

from segviz.core.requests import Network
from segviz.core.steps import IDENTITY

MOST = 32  # volumes of an overview: more are not told apart in the window's least width
INPUT = "input"  # the volume of the image; no layer


class Extent(NamedTuple):
    """What a volume's edges stand for."""

    channels: int
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume. `layers` are those whose outputs it stands for, the first gives the name; none: the image.

    `node` is the operation whose output is drawn. `folded` counts the volumes inside a block that can be
    unfolded, 0 for all others. `label` is its name below the open block that it stands in.
    """

    name: str
    label: str
    layers: tuple[str, ...]
    extent: Extent
    node: int
    folded: int = 0


@dataclass(frozen=True, slots=True)
class Join:
    """Where volumes meet. `node` is the operation without a name that takes them; `gated`: one of them is a gate."""

    node: int
    gated: bool = False


Item = Volume | Join


@dataclass(frozen=True, slots=True)
class Wire:
    """The output of item `source` goes into item `target`, both by their places in `Scheme.items`.

    `gate`: it is one value a map, by which the maps are multiplied.
    """

    source: int
    target: int
    gate: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """An unfolded block and the items that stand for it, `first` to `last`, both included.

    `folds` is false of a mere list of layers, which is not called itself and makes nothing.
    """

    name: str
    first: int
    last: int
    folds: bool = True


@dataclass(frozen=True)
class Scheme:
    """All volumes and joins in order of execution."""

    items: tuple[Item, ...]
    wires: tuple[Wire, ...]
    blocks: tuple[Block, ...]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: at for at, item in enumerate(self.items) if isinstance(item, Volume) for name in item.layers}

    @property
    def volumes(self) -> tuple[Volume, ...]:
        return tuple(item for item in self.items if isinstance(item, Volume))

    def place_of(self, layer: str) -> int | None:
        """The item that shows `layer`: its volume, the block that it is folded into, or the last of an open block."""
        name, found = layer, self._places.get(layer)
        while found is None and name:
            name = name.rpartition(".")[0]
            found = self._places.get(name)
        if found is None:
            inside = (at for one, at in self._places.items() if one.startswith(f"{layer}."))
            return max(inside, default=None)
        return found

    def block(self, name: str) -> Block | None:
        return next((block for block in self.blocks if block.name == name), None)


def parents(network: Network) -> dict[str, str | None]:
    """For each layer the innermost container that holds it, by its dotted name."""
    names = {layer.name for layer in network.layers}

    def parent(name: str) -> str | None:
        above = name.rpartition(".")[0]
        while above and above not in names:
            above = above.rpartition(".")[0]
        return above or None

    return {layer.name: parent(layer.name) for layer in network.layers}


def extent_of(shape: tuple[int, ...], grid: tuple[int, int]) -> Extent:
    """Channels, rows and columns of an output of `shape` whose units lie on `grid`; tokens stand below each other."""
    if len(shape) == 1:
        return Extent(shape[0], 1, 1)
    if len(shape) == 2:
        return Extent(shape[1], shape[0], 1)
    if len(shape) == 3 and shape[:2] == grid != shape[1:]:  # channels last
        return Extent(shape[2], *grid)
    return Extent(prod(shape[:-2]), *shape[-2:]) if shape else Extent(1, 1, 1)


class Folding:
    """A network's blocks. `overview` are those that are open at first: as many as fit MOST volumes."""

    def __init__(self, network: Network) -> None:
        geometry = network.geometry
        self._index = dict(geometry.layers)
        self._layers = {layer.name: layer for layer in network.layers if layer.name in self._index}
        self._nodes = geometry.nodes
        self._image = Extent(*network.input_shape)
        held_by = parents(network)
        self._below: dict[str | None, list[str]] = {}
        for name in self._layers:
            self._below.setdefault(held_by[name], []).append(name)
        self._names: dict[int, list[str]] = {}  # of each node
        for name, node in geometry.layers:
            self._names.setdefault(node, []).append(name)
        self._within: dict[str, list[int]] = {}  # the nodes of what a container holds
        for name in self._layers:
            holder = held_by[name]
            while holder is not None:
                self._within.setdefault(holder, []).append(self._index[name])
                holder = held_by[holder]
        self._schemes: dict[frozenset[str], Scheme] = {}

    @cached_property
    def mains(self) -> tuple[str, ...]:
        """The layers that give their names to volumes when every block is open, in order of execution."""
        return tuple(volume.name for volume in self._draw(frozenset(self._within), {}).volumes if volume.layers)

    @cached_property
    def _inside(self) -> dict[str, int]:
        """How many volumes each container unfolds into at last."""
        return {name: sum(main.startswith(f"{name}.") for main in self.mains) for name in self._within}

    @cached_property
    def blocks(self) -> frozenset[str]:
        """The containers that can be folded: of more than one volume."""
        return frozenset(name for name, count in self._inside.items() if count > 1)

    @cached_property
    def overview(self) -> frozenset[str]:
        """Opened level by level, as long as all blocks of a level can be."""
        opened: frozenset[str] = frozenset()
        while True:
            folded = {volume.name for volume in self._scheme(opened | self._plain).volumes if volume.folded}
            deeper = opened | folded
            if not folded or len(self._scheme(deeper | self._plain).volumes) > MOST:
                return opened
            opened = deeper

    @property
    def _plain(self) -> frozenset[str]:
        """Containers of one volume, which are never folded."""
        return frozenset(self._inside) - self.blocks

    def opened(self, toggled: frozenset[str] = frozenset()) -> frozenset[str]:
        """The blocks that are open when those of `toggled` are otherwise than in the overview."""
        return self.overview ^ (toggled & self.blocks)

    def scheme(self, toggled: frozenset[str] = frozenset()) -> Scheme:
        """What is drawn when the blocks of `toggled` are otherwise than in the overview."""
        return self.scheme_of(self.opened(toggled))

    def scheme_of(self, opened: frozenset[str]) -> Scheme:
        """What is drawn when exactly the blocks of `opened` are open."""
        return self._scheme((opened & self.blocks) | self._plain)

    # ------------------------------------------------------------------------------- drawing

    def _scheme(self, opened: frozenset[str]) -> Scheme:
        if opened not in self._schemes:
            self._schemes[opened] = self._draw(opened, self._inside)
        return self._schemes[opened]

    def _shown(self, opened: frozenset[str], within: str | None = None) -> Iterator[str]:
        """Layers and folded blocks; the open ones are replaced by what they hold."""
        for name in self._below.get(within, ()):
            if name in self._below and name in opened:
                yield from self._shown(opened, name)
            else:
                yield name

    def _claims(self, opened: frozenset[str]) -> dict[int, str]:
        """The layer or folded block that each node belongs to, by its name or by lying inside."""
        claims: dict[int, str] = {}
        for name in self._shown(opened):
            nodes = sorted((self._index[name], *self._within.get(name, ())))
            between = range(nodes[0], nodes[-1]) if name in self._below else ()
            for node in (*nodes, *(node for node in between if node not in self._names)):
                claims.setdefault(node, name)
        return claims

    def _draw(self, opened: frozenset[str], inside: Mapping[str, int]) -> Scheme:
        """One walk over the nodes, in order of execution: who owns each of them, and what goes from owner to owner.

        `inside` has the number of volumes in each container, where that is known by now.
        """
        claims = self._claims(opened)
        made = [_Made(INPUT, 0, self._image)]
        owner: dict[int, int] = {0: 0}
        by_name: dict[str, int] = {}
        wires: dict[Wire, None] = {}
        for at in range(1, len(self._nodes)):
            node, name = self._nodes[at], claims.get(at)
            if not node.inputs and not node.gates:
                continue  # made of sizes alone
            taken = [owner[source] for source in (*node.inputs, *node.gates) if source in owner]
            if not taken:
                continue
            one = taken[0] if len(set(taken)) == 1 else None
            if name in by_name:
                owner[at] = by_name[name]
            elif one is not None and (name is None or self._belongs(name, at, made[one])):
                owner[at] = one
            else:
                owner[at] = len(made)
                made.append(_Made(name, at, self._extent(name, self._index[name]) if name is not None else None))
            here = owner[at]
            if name is not None:
                by_name[name] = here
                if name not in made[here].names:
                    made[here].names.append(name)
            if made[here].main in (None, name):
                made[here].node = at
            for sources, gate in ((node.inputs, False), (node.gates, True)):
                for source in sources:
                    if owner.get(source, here) != here:
                        wires[Wire(owner[source], here, gate)] = None
                        made[here].gated |= gate
        items = tuple(self._item(one, inside) for one in made)
        shown = tuple(name for name in opened if inside.get(name, 0) > 1)
        blocks = _blocks(items, shown, frozenset(self._layers))
        named = tuple(self._labelled(at, item, blocks, inside) for at, item in enumerate(items))
        return Scheme(named, tuple(wires), blocks)

    def _belongs(self, name: str, at: int, volume: _Made) -> bool:
        """Whether a layer only changes values of the volume that it is made of: no grid, no channels, no products."""
        layer, node = self._layers[name], self._nodes[at]
        moves = node.y != IDENTITY or node.x != IDENTITY or bool(node.gates)
        if name in self._below or moves or layer.macs or volume.extent is None:
            return False
        return self._extent(name, at) == volume.extent and volume.main != INPUT

    def _extent(self, name: str, at: int) -> Extent:
        node = self._nodes[at]
        return extent_of(self._layers[name].output_shape, (node.height, node.width))

    def _item(self, made: _Made, inside: Mapping[str, int]) -> Item:
        if made.main is None or made.extent is None:
            return Join(made.node, made.gated)
        folded = inside.get(made.main, 0)
        return Volume(made.main, made.main, tuple(made.names), made.extent, made.node, folded if folded > 1 else 0)

    def _labelled(self, at: int, item: Item, blocks: Iterable[Block], inside: Mapping[str, int]) -> Item:
        """A volume with a name as short as it is clear: below its block; of what holds one volume, that name."""
        if not isinstance(item, Volume):
            return item
        parts = item.name.split(".")
        above = (".".join(parts[:size]) for size in range(1, len(parts)))
        name = next((holder for holder in above if inside.get(holder) == 1), item.name)
        around = [f"{block.name}." for block in blocks if block.first <= at <= block.last]
        below = max((block for block in around if name.startswith(block)), key=len, default="")
        return replace(item, label=name.removeprefix(below))


LIST = 3  # volumes from which on those of a list are named together


def _blocks(items: tuple[Item, ...], opened: Iterable[str], layers: frozenset[str]) -> tuple[Block, ...]:
    """The open blocks with the items that lie in them, and lists of layers side by side; outer before inner."""
    places: dict[str, list[int]] = {}  # of the volumes below each name
    volumes = [at for at, item in enumerate(items) if isinstance(item, Volume)]
    for at in volumes:
        item = items[at]
        name = item.name if isinstance(item, Volume) else ""
        while name := name.rpartition(".")[0]:
            places.setdefault(name, []).append(at)
    found = [Block(name, places[name][0], places[name][-1]) for name in opened if name in places]
    for name, inside in places.items():
        together = [at for at in volumes if inside[0] <= at <= inside[-1]] == inside
        if name not in layers and together and LIST <= len(inside) < len(volumes) - 1:
            found.append(Block(name, inside[0], inside[-1], folds=False))
    return tuple(sorted(found, key=lambda block: (block.first, -block.last, block.name)))


@dataclass
class _Made:
    """A volume, or without a name a join, while the nodes are walked over."""

    main: str | None
    node: int
    extent: Extent | None = None
    names: list[str] = field(default_factory=list)
    gated: bool = False
