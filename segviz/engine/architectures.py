"""Networks without weights, by name: the catalogue's and, where it is installed, torchvision's.

They are built without memory (on torch's meta device), so that all of them together can be held against
the tensors of a file.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from segviz.core import assets, catalogue
from segviz.core.choices import Task
from segviz.core.entries import IMAGENET, Entry
from segviz.core.errors import SegvizError
from segviz.engine.checkpoints import read_tensors
from segviz.engine.safetensor import Header
from segviz.engine.weights import headers_of, load_into
from segviz.models.untrained import draw

Skeleton = Callable[[int | None], nn.Module]


@dataclass(frozen=True, eq=False)
class Architecture:
    """A network that weights can be for. `make` builds it without memory, for a number of classes or its own.

    `known` is asked for the entry, whose numbers hold for its own number of classes, when it is chosen.
    `fixed` says that the number of classes cannot be another.
    """

    name: str
    title: str
    classes: int
    make: Skeleton
    known: Callable[[], Entry]
    fixed: bool = False

    def entry(self, network: nn.Module, classes: int | None = None) -> Entry:
        """What is known of `network`, which `make` built for so many classes: with their names if they are its own."""
        known = replace(self.known(), parameters=sum(p.numel() for p in network.parameters()))
        if classes is None or classes == self.classes:
            return known
        return known.taught((), classes)


def build(spec: str) -> tuple[Entry, nn.Module]:
    """The catalogue entry of `spec` and its network with its weights, float32, in eval mode.

    Weights are those that are shipped, or random ones, always the same, where there are none.

    Parameters keep `requires_grad`, so that what is trainable can be counted; whoever runs the
    network does so in inference mode. Raises SegvizError for a spec that the catalogue does not
    know and for weights that cannot be read or do not fit.
    """
    entry = catalogue.entry(spec)
    network = skeleton(entry)
    if entry.trained:
        path = assets.weights(entry.weights)
        load_into(network, _wanted(read_tensors(path), network), path.name, entry.title)
    else:
        draw(network)
    return entry, network.eval()


def _wanted(tensors: Mapping[str, Tensor], network: nn.Module) -> dict[str, Tensor]:
    """Those that `network` has: one file may hold several networks over the same backbone."""
    return {name: tensors[name] for name in network.state_dict() if name in tensors}


def skeleton(entry: Entry, classes: int | None = None) -> nn.Module:
    """The network of `entry`, for another number of classes if one is given, without memory for its weights.

    Nothing is drawn at random, so building leaves the random numbers of the process alone.
    """
    more = {} if classes is None else {"classes": classes}
    with torch.device("meta"):
        return _builder(entry)(**dict(entry.options), **more)


def _builder(entry: Entry) -> Callable[..., nn.Module]:
    module, _, name = entry.builder.partition(":")
    builder: Callable[..., nn.Module] = getattr(importlib.import_module(module), name)
    return builder


def of_entry(entry: Entry) -> Architecture:
    """A network of the catalogue, with the options that its entry has."""
    fixed = "classes" not in inspect.signature(_builder(entry)).parameters
    return Architecture(entry.name, entry.title, entry.class_count, partial(skeleton, entry), lambda: entry, fixed)


@cache
def of_catalogue() -> dict[str, Architecture]:
    """The catalogue's networks by name."""
    return {entry.name: of_entry(entry) for entry in catalogue.ENTRIES}


@cache
def of_torchvision() -> dict[str, Architecture]:
    """torchvision's classification and segmentation networks by name; none where it is not installed."""
    try:
        zoo = importlib.import_module("torchvision.models")
    except (ImportError, RuntimeError):  # the latter beside a torch that it was not made for
        return {}
    segmentation = zoo.list_models(module=zoo.segmentation)
    names = [*zoo.list_models(module=zoo), *segmentation]
    return {name: _of_zoo(zoo, name, name in segmentation) for name in names}


def named(name: str) -> Architecture:
    """The architecture of that name, as `?arch=` has it. Raises SegvizError with those that there are."""
    bare = name.removeprefix("torchvision:")
    found = None if name != bare else of_catalogue().get(name)
    found = found or of_torchvision().get(bare)
    if found is None:
        there = ", ".join(of_catalogue())
        more = ", and torchvision's by their names" if of_torchvision() else ""
        raise SegvizError(f"arch={name}: no such architecture; there are {there}{more}")
    return found


@cache
def signature(architecture: Architecture, classes: int | None = None) -> Mapping[str, Header]:
    """Names, shapes and types of the tensors that an architecture wants."""
    return headers_of(architecture.make(classes))


# -------------------------------------------------------------------------------------- torchvision

_FIXED: dict[str, dict[str, Any]] = {  # what builds the form that torchvision's own weights belong to
    "googlenet": {"init_weights": False, "aux_logits": False, "transform_input": True},
    "inception_v3": {"init_weights": False, "aux_logits": False, "transform_input": True},
}
_FACTORIES = {torch.empty, torch.zeros, torch.ones, torch.full, torch.randn, torch.rand}


class _Weightless(TorchFunctionMode):
    """Parameters without memory, but whatever else a constructor computes for real: tables, sizes, indices."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        given = dict(kwargs or {})
        if func in _FACTORIES and given.get("device") is None:
            given["device"] = "meta"
        return func(*args, **given)


def _of_zoo(zoo: ModuleType, name: str, segments: bool) -> Architecture:
    options: dict[str, Any] = {"weights": None, **_FIXED.get(name, {})}
    if segments:
        options |= {"weights_backbone": None, "aux_loss": False}

    def make(classes: int | None) -> nn.Module:
        more = {} if classes is None else {"num_classes": classes}
        with _Weightless():
            network: nn.Module = zoo.get_model(name, **options, **more)
        return network

    count = 21 if segments else 1000
    return Architecture(name, f"torchvision's {name}", count, make, lambda: _zoo_entry(zoo, name, segments))


def _zoo_entry(zoo: ModuleType, name: str, segments: bool) -> Entry:
    """What torchvision says of its own weights: input size, mean and deviation, names of classes."""
    published = zoo.get_model_weights(name).DEFAULT
    how, classes = published.transforms(), tuple(published.meta["categories"])
    side = (how.resize_size if segments else how.crop_size)[0]
    return Entry(
        name=name,
        title=f"torchvision's {name}",
        task=Task.SEGMENTATION if segments else Task.CLASSIFICATION,
        builder="",
        parameters=0,
        input_size=(3, side, side),
        class_count=len(classes),
        class_list=classes,
        stride=1,
        receptive_field=0,
        weights="",
        licence="unknown",
        preprocessing=replace(IMAGENET, mean=_of_pixels(how.mean), std=_of_pixels(how.std)),
        summary="an architecture of torchvision",
        longest_side=side if segments else None,
    )


def _of_pixels(numbers: Iterable[float]) -> tuple[float, ...]:
    """Numbers for values 0 to 1 as numbers for pixels 0 to 255."""
    return tuple(round(255 * number, 3) for number in numbers)
