"""What an engine keeps in memory: networks read once, converted once a pooling, traced once a size."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from segviz.core import catalogue
from segviz.core.choices import Device, Pooling, Task
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError, named
from segviz.core.frames import Frame
from segviz.core.images import Picture, open_picture
from segviz.core.overrides import viewed
from segviz.core.requests import Progress
from segviz.core.specs import Kind, Spec, parse
from segviz.engine import devices
from segviz.engine.dilation import dilated
from segviz.engine.flow import NetworkWeights, finished
from segviz.engine.graph import Trace
from segviz.engine.networks import file_of
from segviz.engine.opening import opened
from segviz.engine.prepare import frame_of, least_size
from segviz.engine.recording import record, suits
from segviz.engine.strangers import GUESSED_PIXELS
from segviz.engine.surgery import Conversion, converting

Value = TypeVar("Value")

LARGEST_KEPT = 2 * 1024**3  # bytes of weights that are kept, of all networks together
FLOAT = 4  # bytes of a weight
PROVEN = 64  # pixels that an answer covers which only proves that a trace is the network
OURS = (Kind.CATALOGUE,)  # kinds of networks that are known to take other sizes than the native one
LOADING = Progress(0, 0)  # a library reads a file or copies weights: nobody can tell how far it is
WORKING_COPIES = 2  # of the weights: the network's, and while it is read what they are read from


def _files(spec: Spec) -> tuple[str, ...]:
    """All files that a network is made of: a Python file may be given weights of another one."""
    beside = spec.option("weights") if spec.kind is Kind.FILE else None
    return tuple(file for file in (file_of(spec), beside) if file)


class Version(NamedTuple):
    """What differs between two contents of one file; `size` in bytes."""

    changed: int
    size: int
    node: int


class Kept(Generic[Value]):
    """The values used last: at most `count` of them, of together at most `limit` as `weigh` finds them.

    The newest stays, whatever it weighs. `gone` is told once any had to go for others.
    """

    def __init__(
        self,
        count: int,
        limit: int = 0,
        weigh: Callable[[Value], int] = lambda _: 0,
        gone: Callable[[], None] = lambda: None,
    ) -> None:
        self._count = count
        self._limit = limit
        self._weigh = weigh
        self._gone = gone
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of `key`, made if it is not there."""
        if key not in self._values:
            self.put(key, make())
        self._values.move_to_end(key)
        return self._values[key]

    def put(self, key: Hashable, value: Value) -> None:
        self._values.pop(key, None)
        self.make_room(self._weigh(value))
        self._values[key] = value

    def make_room(self, weight: int) -> None:
        """Let the values go that were not used for longest, until one of `weight` fits in, if need be alone."""
        while self._values and (
            len(self._values) >= self._count or weight + sum(map(self._weigh, self._values.values())) > self._limit
        ):
            self._values.popitem(last=False)
            self._gone()

    def clear(self) -> None:
        self._values.clear()

    def drop(self, outdated: Callable[[Any], bool]) -> None:
        """Let the values go whose keys nobody asks for any more."""
        for key in [key for key in self._values if outdated(key)]:
            del self._values[key]
            self._gone()

    def find(self, key: Hashable) -> Value | None:
        """The value of `key`, None if it is not there."""
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A network of the catalogue as published, how it becomes fully convolutional, and its weights, on one device."""

    spec: str
    entry: Entry
    network: nn.Module
    weights: NetworkWeights
    converted: Conversion | SegvizError  # why it has no fully convolutional form, where it has none
    pooling: Pooling
    device: torch.device
    known: Entry  # without what the spec says of viewing
    notes: tuple[str, ...] = ()  # of what had to be done to open it
    files: tuple[Version, ...] = ()  # that it was read from, as they were
    traces: Kept[Trace] = field(default_factory=lambda: Kept(24))  # with the network, since a trace holds its modules

    @property
    def remarks(self) -> tuple[str, ...]:
        """Its notes as its spec has it viewed: what that says is no guess any more."""
        said = {key for key, _ in parse(self.spec).options}
        gone = GUESSED_PIXELS if said >= {"mean", "std"} else ()
        return (*(note for note in self.notes if note not in gone), *self.unnamed)

    @property
    def unnamed(self) -> tuple[str, ...]:
        """A note on a person's list of names that are fewer than the classes."""
        names, classes = len(self.entry.class_list), self.entry.class_count
        if names >= classes or parse(self.spec).option("labels") is None:
            return ()
        told = "1 name" if names == 1 else f"{names:,} names"
        return (f"{told} for {classes:,} classes: the others are numbered; a list has one name a line, in their order",)

    @property
    def conversion(self) -> Conversion:
        """How it becomes fully convolutional. Raises SegvizError, naming the layer, where it does not."""
        if isinstance(self.converted, SegvizError):
            raise SegvizError(str(self.converted), self.converted.details)
        return self.converted

    @cached_property
    def fingerprint(self) -> str:
        """A hash of all weights and of their names: the same for the same network in every run."""
        found = hashlib.blake2b(self.spec.encode(), digest_size=20)
        for name, tensor in self.network.state_dict().items():
            found.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            found.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
        return found.hexdigest()

    @property
    def convertible(self) -> bool:
        return not isinstance(self.converted, SegvizError)

    @property
    def refusal(self) -> str:
        """Why it has no fully convolutional form; '' where it has one."""
        return str(self.converted) if isinstance(self.converted, SegvizError) else ""

    def traced(
        self, converted: bool, shape: tuple[int, int, int], keep: bool = True, image: Tensor | None = None
    ) -> Trace:
        """The trace of the network, or of its convolutional form, on an input of `shape` (C, H, W).

        One that is not to be `keep`-t does not push out those that others will ask for again. A network that decides
        by values is recorded on `image` (1, C, H, W), on noise without one.
        """
        as_it_is = self.per_pixel and not self.convertible
        head = self.conversion.head if converted and not as_it_is else None
        found = self.traces.find((converted, shape))
        if found is None or not suits(found, self.network, shape, image):
            found = record(self.network, shape, head, image)
            if keep:
                self.traces.put((converted, shape), found)
        return found

    def dilated(self, traced: Trace, keep: int) -> Trace:
        """The a trous form of one of these traces, with a unit every `keep` pixels if its first strides divide that."""
        size = traced.geometry.height, traced.geometry.width
        return self.traces.get((keep, size), lambda: dilated(traced, keep))

    def frame(self, image: tuple[int, int], scale: float | None) -> Frame:
        """How an image of (height, width) lies in the fully convolutional network's input."""
        found = frame_of(self.entry, image, scale, least_size(self.entry, self._spans))
        channels, *native = self.entry.input_size
        if self.per_pixel or all(side >= own for side, own in zip(found.outer, native, strict=True)):
            return found
        try:
            self.traced(True, (channels, *found.outer))
        except SegvizError:  # too small for a network that takes others than the native size
            return frame_of(self.entry, image, scale, least_size(self.entry, dense=True))
        return found

    @property
    def _spans(self) -> bool:
        """Whether the native input is the least: for a dense layer, or a classifier without padding."""
        return not self.convertible or self.conversion.dense or not self.conversion.steps

    @property
    def size(self) -> int:
        """Bytes of the weights, and of what was laid out or transformed of them."""
        own = FLOAT * sum(int(tensor.numel()) for tensor in self.network.state_dict().values())
        return own + self.weights.prepared_bytes

    @property
    def per_pixel(self) -> bool:
        return self.entry.task is Task.SEGMENTATION


def _small(entry: Entry) -> tuple[int, int, int]:
    """An input that a network which answers per pixel is quick on."""
    side = entry.fitting(PROVEN)
    return entry.input_size[0], side, side


def _channels_last(network: nn.Module) -> None:
    """Kernels as convolutions read them fastest; `Module.to` would take those of three axes for images, too."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def version(path: str) -> Version:
    """Which content the file has now. Raises SegvizError where there is no such file."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SegvizError(f"{named(path)}: cannot be read ({reason}); open it again or open another") from error
    return Version(status.st_mtime_ns, status.st_size, status.st_ino)


class Store:
    """Networks, traces and pictures. Files are looked at again when they change.

    `gone` is told when a network was let go for another: whoever keeps anything of it must do so too,
    or its memory stays taken.
    """

    def __init__(self, gone: Callable[[], None] = lambda: None) -> None:
        self._networks: Kept[Loaded] = Kept(6, LARGEST_KEPT, lambda loaded: loaded.size, gone)
        self._pictures: Kept[Picture] = Kept(2)

    def network(self, spec: str, pooling: Pooling, device: Device, trust: bool = False) -> Loaded:
        """Read, convert and place a network at once. Raises SegvizError when any of it fails."""
        return finished(self.loading(spec, pooling, device, trust))

    def loading(
        self, spec: str, pooling: Pooling, device: Device, trust: bool = False
    ) -> Generator[Progress, None, Loaded]:
        """Read, convert and place a network, step by step; closed before the end, it leaves nothing in the store.

        Raises SegvizError when any of it fails.
        """
        place, wanted = devices.pick(device), parse(spec)
        opening, files = str(wanted.opening), tuple(map(version, _files(wanted)))
        key = (opening, files, wanted.option("input"), place)
        kept = self._networks.find((*key, None)) or self._networks.find((*key, pooling))
        if kept is None:
            self._networks.drop(lambda old: old[0] == opening and old[1] != files)
            kept = replace((yield from self._load(wanted, pooling, place, trust)), files=files)
            # Without global pooling there is one form for every choice of what becomes of it.
            pools = kept.convertible and kept.conversion.pools
            self._networks.put((*key, pooling if pools else None), kept)
        return kept if kept.spec == spec else replace(kept, spec=spec, entry=viewed(kept.known, wanted))

    def _load(
        self, wanted: Spec, pooling: Pooling, place: torch.device, trust: bool
    ) -> Generator[Progress, None, Loaded]:
        spec = str(wanted)
        expected = catalogue.entry(spec)
        file = file_of(wanted)
        self._networks.make_room(max(FLOAT * expected.parameters, version(file).size if file else 0))
        needed = WORKING_COPIES * FLOAT * expected.parameters
        devices.check_memory(needed, expected.title, "close other programs or take a smaller network")
        yield LOADING
        found = opened(spec, trust)
        network, entry = found.network, viewed(found.entry, wanted)
        yield LOADING
        _channels_last(network.to(place))
        weights = NetworkWeights(network)
        small = _small(entry) if wanted.kind in OURS else None
        yield LOADING
        try:
            converted: Conversion | SegvizError
            converted = yield from converting(network, entry.input_size, pooling, weights, small)
        except SegvizError as error:  # it can still be described, and slid over an image as it is
            converted = error
        return Loaded(spec, entry, network, weights, converted, pooling, place, found.entry, found.notes)

    def picture(self, path: str) -> Picture:
        """The image file at `path`, read again when it changed. Raises SegvizError where it cannot be read."""
        return self._pictures.get((path, version(path)), lambda: open_picture(path))
