"""From a model spec to a network with its weights: data is read here, programs never are.

The order is that of the loader for files from strangers: what kind of file it is and how large,
then its first bytes, then its tensors, then names and shapes against the network; only a file that
passes all of them becomes a network.
"""

from __future__ import annotations

import importlib
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import safetensors.torch
import torch
from torch import Tensor, nn

from segviz.core import assets, catalogue
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError
from segviz.engine.untrained import draw

HEAD = 512  # bytes that tell a format
LARGEST_FILE = 8 * 1024**3  # bytes
LARGEST_HEADER = 100_000_000  # bytes; the limit of the safetensors format
SHOWN = 3  # tensors that a message names

Tensors = dict[str, Tensor]


class Reader(NamedTuple):
    """A checkpoint format: `matches(path, head)` knows it by the first bytes, `read(path)` gives its tensors."""

    title: str
    matches: Callable[[Path, bytes], bool]
    read: Callable[[Path], Tensors]


def build(spec: str) -> tuple[Entry, nn.Module]:
    """The catalogue entry of `spec` and its network with its weights, float32, in eval mode.

    Weights are those that are shipped, or random ones, always the same, where there are none; a backbone has
    those of the network that it comes from.

    Parameters keep `requires_grad`, so that what is trainable can be counted; whoever runs the
    network does so in inference mode. Raises SegvizError for a spec that the catalogue does not
    know and for weights that cannot be read or do not fit.
    """
    entry = catalogue.entry(spec)
    network = skeleton(entry)
    if entry.trained:
        path = assets.weights(entry.weights)
        load_into(network, read_tensors(path), path.name, entry.title)
    else:
        draw(network)
        if entry.backbone:
            _lend(catalogue.entry(entry.backbone), network.get_submodule("backbone"))
    return entry, network.eval()


def _lend(source: Entry, backbone: nn.Module) -> None:
    """Give a backbone the weights of the network that it is the first part of."""
    path = assets.weights(source.weights)
    tensors, wanted = read_tensors(path), backbone.state_dict()
    load_into(backbone, {name: tensors[name] for name in wanted if name in tensors}, path.name, source.title)


def skeleton(entry: Entry) -> nn.Module:
    """The network of `entry` without memory for its weights (on torch's meta device).

    Nothing is drawn at random, so building leaves the random numbers of the process alone.
    """
    module, _, name = entry.builder.partition(":")
    builder: Callable[..., nn.Module] = getattr(importlib.import_module(module), name)
    with torch.device("meta"):
        return builder(**dict(entry.options))


# ------------------------------------------------------------------------------------------ files


def read_tensors(path: Path) -> Tensors:
    """All tensors of a checkpoint by name, as they are in the file.

    Raises SegvizError where the file is missing, no regular file, too large, of no format that
    READERS knows, or broken.
    """
    head = _head(path)
    reader = next((r for r in READERS.values() if r.matches(path, head)), None)
    if reader is None:
        known = ", ".join(r.title for r in READERS.values())
        raise SegvizError(f"{path.name}: not a file of weights that segviz reads; it reads {known}")
    try:
        return reader.read(path)
    except Exception as error:  # the edge: what a library raises for a broken file is not documented
        raise SegvizError(
            f"{path.name}: this {reader.title} file is broken ({error}); fetch or save it again",
            f"{type(error).__name__}: {error}",
        ) from error


def _head(path: Path) -> bytes:
    """The first bytes of a regular file of sensible size."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # before opening: opening a pipe would wait for ever
            raise SegvizError(f"{path.name}: not a regular file; give the file of weights itself")
        if status.st_size > LARGEST_FILE:
            raise SegvizError(
                f"{path.name}: {status.st_size / 1024**3:.1f} GiB; segviz reads weights of up to "
                f"{LARGEST_FILE // 1024**3} GiB"
            )
        with path.open("rb") as file:
            return file.read(HEAD)
    except FileNotFoundError:
        raise SegvizError(f"{path.name}: there is no such file in {path.parent}; install segviz again") from None
    except OSError as error:
        raise SegvizError(f"{path.name}: cannot be read ({error.strerror or error})") from error


def _is_safetensors(path: Path, head: bytes) -> bool:
    """Eight bytes with the length of a header in JSON, then the header."""
    return len(head) > 8 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= LARGEST_HEADER


def _read_safetensors(path: Path) -> Tensors:
    """Read through memory of our own: a file that shrinks while it is mapped would end the process."""
    return safetensors.torch.load(path.read_bytes())


READERS: dict[str, Reader] = {
    "safetensors": Reader("safetensors", _is_safetensors, _read_safetensors),
}


# --------------------------------------------------------------------------------------- networks


def load_into(network: nn.Module, tensors: Tensors, file: str, title: str) -> None:
    """Give `network` the tensors of `file`: all of them, and no other, in the network's own precision.

    The counters of batch normalisation may be absent, since inference does not read them. Raises
    SegvizError naming what is missing, left over or of another shape; the network is then as it was.
    """
    wanted = network.state_dict()
    counters = {name: own for name, own in wanted.items() if name.endswith("num_batches_tracked")}
    given = {name: torch.zeros((), dtype=own.dtype) for name, own in counters.items()} | tensors
    misfits = {word: names for word, names in _compare(wanted, given) if names}
    if misfits:
        faults = "; ".join(f"{word} {_listed(names)}" for word, names in misfits.items())
        every = "\n".join(f"{word} {name}" for word, names in misfits.items() for name in names)
        raise SegvizError(f"{file}: these are not the weights of {title}: {faults}", every)
    network.load_state_dict({name: given[name].to(own.dtype) for name, own in wanted.items()}, assign=True)
    unset = [name for name, buffer in network.named_buffers() if buffer.is_meta]
    if unset:  # a buffer that no checkpoint holds: the module must make it outside of its constructor
        raise SegvizError(f"{title}: {_listed(unset)} did not come with the weights")


def _compare(wanted: Tensors, given: Tensors) -> tuple[tuple[str, list[str]], ...]:
    """What keeps `given` from being the tensors `wanted`, described tensor by tensor."""
    pairs = [(name, given[name], own) for name, own in wanted.items() if name in given]
    return (
        ("no tensor", [f"'{name}' ({_shape(own)})" for name, own in wanted.items() if name not in given]),
        ("unexpected", [f"'{name}' ({_shape(its)})" for name, its in given.items() if name not in wanted]),
        (
            "other shape:",
            [f"'{name}' ({_shape(its)}, wanted {_shape(own)})" for name, its, own in pairs if its.shape != own.shape],
        ),
        (
            "other numbers:",
            [
                f"'{name}' ({_kind(its)}, wanted {_kind(own)})"
                for name, its, own in pairs
                if its.is_floating_point() != own.is_floating_point()
            ],
        ),
    )


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"


def _kind(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
