"""Trained weights of the zoos: fetched by the library that they belong to, or taken from a file that lies here.

The libraries keep what they fetched in caches of their own and check it as they are used to: torch.hub by
the hash in a file's name, Hugging Face's hub by its own. Nothing that is fetched may run: pickles are
read as weights alone.
"""

from __future__ import annotations

import importlib
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import nn

from segviz.core import folders
from segviz.core.entries import IMAGENET, Preprocessing
from segviz.core.errors import SegvizError, UsageError
from segviz.core.specs import Spec
from segviz.engine.checkpoints import read_tensors
from segviz.engine.weights import load_into

DEFAULT = "default"  # the value of `weights` that lets the library fetch its own
HUB = "https://huggingface.co/{}/resolve/main/model.safetensors"


def from_file(network: nn.Module, wanted: str, spec: Spec) -> None:
    """Give `network` the tensors of the file `wanted`, where one is named. Raises SegvizError as checkpoints do."""
    if wanted and wanted != DEFAULT:
        path = Path(wanted)
        load_into(network, read_tensors(path), path.name, spec.title)


def placed(name: str) -> Path:
    """Where a person may put the weights `name` by hand, in the platform's cache folder."""
    return folders.cache() / "weights" / f"{name}.safetensors"


def name_of(facts: Any) -> str:
    """The file of torchvision's weights `facts`."""
    return Path(urlsplit(facts.url).path).name


def of_torchvision(spec: Spec, facts: Any, count: int, build: Callable[[], nn.Module]) -> nn.Module:
    """torchvision's own network with its own weights, in torch.hub's cache.

    Raises SegvizError, with the file and where to put it, when they cannot be fetched.
    """
    if facts is None:
        raise SegvizError(f"torchvision has no weights for {spec.name}: leave out 'weights={DEFAULT}'")
    own = len(facts.meta["categories"])
    if count != own:
        raise UsageError(f"the weights of {spec.name} are for {own} classes, not {count}: leave out one of the two")
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    with _fetched(spec, facts.url, folder / name_of(facts)):
        facts.get_state_dict(progress=False, check_hash=True, weights_only=True)  # refused here if it is a program
        return build()


def of_timm(spec: Spec, facts: dict[str, Any], build: Callable[..., nn.Module]) -> nn.Module:
    """timm's own network with its own weights, from a file put by hand or the hub's cache.

    Raises SegvizError, with the file and where to put it, when they cannot be fetched.
    """
    hub, url = facts.get("hf_hub_id"), facts.get("url")
    if not hub and not url:
        raise SegvizError(f"timm has no weights for {spec.name}: leave out 'weights={DEFAULT}'")
    path = placed(f"timm-{facts['architecture']}.{facts['tag']}" if facts.get("tag") else f"timm-{spec.name}")
    more = {"pretrained_cfg_overlay": {"file": str(path)}} if path.is_file() else {}
    with _fetched(spec, HUB.format(hub) if hub else str(url), path):
        if hub and not more:
            _reach(hub)
        return build(pretrained=True, **more)


# Encoders whose weights want other pixels than ImageNet's usual ones, by how their names begin: smp asks its hub for
# these numbers, and a file that was put into place has none. They are those of `pretrainedmodels` and of timm.
_HALVES = Preprocessing("RGB", (127.5,) * 3, (127.5,) * 3)
OTHERS = (
    ("inception", _HALVES),
    ("xception", _HALVES),
    ("timm-tf_efficientnet_lite", _HALVES),
    ("dpn", Preprocessing("RGB", (124.0, 117.0, 104.0), (1 / 0.0167,) * 3)),
)


def of_smp(spec: Spec, encoder: str, encoders: Any, build: Callable[..., nn.Module]) -> tuple[nn.Module, Preprocessing]:
    """A network whose encoder has its weights of ImageNet, and what those want to see.

    Raises SegvizError, with the file and where to put it, when they cannot be fetched.
    """
    known = encoders.encoders.get(encoder, {}).get("pretrained_settings", {}).get("imagenet")
    if known is None:
        raise SegvizError(f"smp has no ImageNet weights for {encoder}: leave out 'weights={DEFAULT}', or name a file")
    hub, path = str(known["repo_id"]), placed(f"smp-{encoder}")
    with _fetched(spec, HUB.format(hub), path):
        if path.is_file():
            network: Any = build()
            load_into(network.encoder, read_tensors(path), path.name, encoder)
            return network, next((own for start, own in OTHERS if encoder.startswith(start)), IMAGENET)
        _reach(hub, known["revision"])
        wants = encoders.get_preprocessing_params(encoder)
        network = build(encoder_weights="imagenet")
    largest = 255 / float(wants["input_range"][1])  # of the pixels that mean and deviation are given for
    scaled = (tuple(largest * float(value) for value in wants[key]) for key in ("mean", "std"))
    return network, Preprocessing(str(wants["input_space"]), *scaled)


def _reach(hub: str, revision: str | None = None) -> None:
    """Raise OSError where weights are not kept yet and no name can be looked up: the hub's client would try for long.

    Behind a proxy names need not be known here.
    """
    find = importlib.import_module("huggingface_hub").try_to_load_from_cache
    if not isinstance(find(hub, "model.safetensors", revision=revision), str) and not urllib.request.getproxies():
        socket.getaddrinfo(urlsplit(HUB).hostname, 443)


@contextmanager
def _fetched(spec: Spec, url: str, path: Path) -> Iterator[None]:
    """Whatever a library raises on its way to the network becomes a message with the file and its place."""
    try:
        yield
    except SegvizError:
        raise
    except Exception as error:  # the edge: each library has its own exceptions for a network that is not there
        reason = type(error).__name__
        raise SegvizError(
            f"the weights of {spec.title} could not be fetched ({reason}): put {url} at {path}",
            f"{url}\n{path}\n{reason}: {error}",
        ) from error
