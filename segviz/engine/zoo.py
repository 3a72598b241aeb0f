"""The public zoos: torchvision, timm and segmentation-models-pytorch, by the names that they have there.

Each library builds its own networks; facts of an entry (classes, mean, input size) are the library's
too. Weights are random, from a fixed seed, unless the spec says `weights=default`, which lets the library
fetch its own, or names a file. None of the libraries is needed before a spec names it.
"""

from __future__ import annotations

import difflib
import importlib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from segviz.core.choices import Task
from segviz.core.entries import IMAGENET, Entry, Preprocessing
from segviz.core.errors import SegvizError, UsageError
from segviz.core.overrides import unopened
from segviz.core.refusals import lacks_memory
from segviz.core.specs import Spec
from segviz.engine import devices, zoo_weights
from segviz.models.untrained import SEED

EXTRA = "pip install 'segviz-lab[zoo]'"
FLOAT = 4  # bytes of a weight
LONGEST_SIDE = 512  # pixels; objects of a photograph are then about as large as in a classifier's crop
OPTIONS = ("weights", "classes")
LARGEST_COUNT = 65_535  # of classes: label maps are uint16
FIXED = "vit_"  # how torchvision's networks for one image size begin, which they are built for
NEEDS_CHOICE = ("googlenet", "inception_v3")  # of torchvision; they warn unless told how to draw their weights

Found = tuple[Entry, nn.Module, tuple[str, ...]]  # what `opening.Opened` is made of
Builder = Callable[[], nn.Module]


def torchvision(spec: Spec) -> Found:
    """`torchvision:NAME`, a classifier or a segmentation network; `classes=N` changes the last layer.

    Raises SegvizError for a name that it does not have, and where the library is missing.
    """
    models = package("torchvision", spec).models
    name = spec.name.lower()
    classifiers, segmenters = (models.list_models(module=room) for room in (models, models.segmentation))
    if name not in (*classifiers, *segmenters):
        raise SegvizError(_no_such(spec, (*classifiers, *segmenters), "classifier or segmentation network"))
    known = models.get_model_weights(name)
    facts = known.DEFAULT if len(known) else None
    wanted, task = _checked(spec), Task.SEGMENTATION if name in segmenters else Task.CLASSIFICATION
    count = _count(spec, len(facts.meta["categories"]) if facts else 1000)
    if facts:  # they say so before anything is built
        _check_memory(facts.meta["num_params"], spec)
    transform = facts.transforms() if facts else None
    side = transform.crop_size[0] if task is Task.CLASSIFICATION and transform else 224
    options = _options(name, task, count, side)
    if wanted == zoo_weights.DEFAULT:
        network = zoo_weights.of_torchvision(spec, facts, count, lambda: models.get_model(name, weights=facts))
    else:
        network = seeded(lambda: models.get_model(name, weights=None, **options))
        zoo_weights.from_file(network, wanted, spec)
    names = tuple(facts.meta["categories"]) if facts else ()
    entry = _entry(
        spec,
        network,
        title=_title(known.__name__.removesuffix("_Weights")),
        task=task,
        builder=f"torchvision.models:{name}",
        input_size=(3, side, side),
        class_count=count,
        class_list=names if len(names) == count else (),
        preprocessing=_scaled(transform.mean, transform.std) if transform else IMAGENET,
        longest_side=transform.resize_size[0] if task is Task.SEGMENTATION and transform else LONGEST_SIDE,
        weights=zoo_weights.name_of(facts) if wanted == zoo_weights.DEFAULT else wanted or "",
        licence="BSD-3-Clause (code)",
        source=facts.meta.get("recipe", "") if facts else "",
    )
    return (entry, network.eval(), _notes(entry, wanted))


def _options(name: str, task: Task, count: int, side: int) -> dict[str, Any]:
    """What a builder of torchvision is told, so that it draws its weights and loads none."""
    options: dict[str, Any] = {"num_classes": count}
    if name in NEEDS_CHOICE:
        options["init_weights"] = True
    if task is Task.SEGMENTATION:
        options["weights_backbone"] = None
    if name.startswith(FIXED):
        options["image_size"] = side
    return options


def timm(spec: Spec) -> Found:
    """`timm:NAME` or `timm:NAME.TAG`, any network that takes an image; `classes=N` changes the last layer.

    Raises SegvizError for a name that it does not have, and where the library is missing.
    """
    found = package("timm", spec)
    if not found.is_model(spec.name):
        raise SegvizError(_no_such(spec, found.list_models(), "network"))
    wanted, given = _checked(spec), spec.option("classes")
    options = {"num_classes": _count(spec, 1000)} if given else {}

    def build(**more: Any) -> nn.Module:
        made: nn.Module = found.create_model(spec.name, **options, **more)
        return made

    network: Any = _built(spec, build)
    if wanted == zoo_weights.DEFAULT:
        network = zoo_weights.of_timm(spec, network.pretrained_cfg, build)
    zoo_weights.from_file(network, wanted, spec)
    facts: Mapping[str, Any] = network.pretrained_cfg
    size = tuple(facts.get("input_size") or (3, 224, 224))
    count = int(getattr(network, "num_classes", 0)) or int(getattr(network, "num_features", 0))
    known = facts.get("num_classes") == count and not facts.get("label_offset")
    of_imagenet = known and count == 1000
    entry = _entry(
        spec,
        network,
        title=spec.name,
        task=Task.CLASSIFICATION,
        builder="timm:create_model",
        input_size=(int(size[0]), int(size[1]), int(size[2])),
        class_count=count,
        labels="imagenet.txt" if of_imagenet else "",
        preprocessing=_scaled(facts["mean"], facts["std"]) if "mean" in facts else IMAGENET,
        longest_side=LONGEST_SIDE,
        weights=str(facts.get("hf_hub_id") or facts.get("url") or "") if wanted == zoo_weights.DEFAULT else wanted,
        licence=str(facts.get("license") or "unknown"),
        source=str(facts.get("paper_name") or facts.get("paper_ids") or facts.get("origin_url") or ""),
    )
    return (entry, network.eval(), _notes(entry, wanted))


def smp(spec: Spec) -> Found:
    """`smp:ARCHITECTURE/ENCODER`, a segmentation network; `classes=N`, 1 unless given: then sigmoid.

    Raises SegvizError for names that it does not have or that do not go together, and where the library is missing.
    """
    found = package("segmentation_models_pytorch", spec)
    architecture, _, encoder = spec.name.partition("/")
    architecture, known = architecture.lower(), found.MODEL_ARCHITECTURES_MAPPING
    if architecture not in known:
        raise SegvizError(_no_such(replace(spec, name=architecture), known, "architecture"))
    if encoder not in found.encoders.get_encoder_names() and not encoder.startswith("tu-"):
        raise SegvizError(_no_such(spec, (f"{architecture}/{e}" for e in found.encoders.get_encoder_names()), "pair"))
    wanted, outputs = _checked(spec), _count(spec, 1)

    def build(encoder_weights: Any = None) -> nn.Module:
        made: nn.Module = found.create_model(architecture, encoder, encoder_weights=encoder_weights, classes=outputs)
        return made

    network: Any = _built(spec, build)
    preprocessing = IMAGENET
    notes: tuple[str, ...] = ()
    if wanted == zoo_weights.DEFAULT:
        network, preprocessing = zoo_weights.of_smp(spec, encoder, found.encoders, build)
        notes = ("the encoder has the weights of ImageNet; the decoder has none yet and was drawn at random",)
    zoo_weights.from_file(network, wanted, spec)
    multiple = int(network.encoder.output_stride) if network.requires_divisible_input_shape else 1
    side = math.ceil(224 / multiple) * multiple
    entry = _entry(
        spec,
        network,
        title=f"{known[architecture].__name__} on {encoder}",
        task=Task.SEGMENTATION,
        builder="segmentation_models_pytorch:create_model",
        input_size=(3, side, side),
        class_count=max(2, outputs),
        class_list=("background", "object") if outputs == 1 else (),
        sigmoid=outputs == 1,
        preprocessing=preprocessing,
        longest_side=LONGEST_SIDE,
        multiple=multiple,
        weights="" if wanted == zoo_weights.DEFAULT else wanted,
        licence="MIT (code)",
    )
    return (entry, network.eval(), (*notes, *_notes(entry, wanted)))


# --------------------------------------------------------------------------------------- together


def package(name: str, spec: Spec) -> Any:
    """The module `name`. Raises SegvizError, with the command that installs it, where there is none."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == name:
            raise SegvizError(f"'{spec}' needs {name}, which is not installed: {EXTRA}") from error
        raise SegvizError(f"'{spec}' needs {error.name}, which {name} is made of and misses: {EXTRA}") from error
    except (ImportError, RuntimeError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise SegvizError(
            f"{name} is installed but does not load ({reason}); its version must match torch "
            f"{torch.__version__}: {EXTRA} --upgrade",
            f"{type(error).__name__}: {error}",
        ) from error


def seeded(build: Builder) -> nn.Module:
    """What `build` makes with random numbers from a fixed seed; those of the process are left alone.

    Layers that a library starts at zero, so that training may wake them, are drawn after He et al. 2015:
    otherwise the answer would be the same for every image.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = build()
        with torch.no_grad():
            for module in network.modules():
                if isinstance(module, (nn.Linear, nn.Conv2d)) and not bool(module.weight.any()):
                    nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
    return network


def _built(spec: Spec, build: Builder) -> nn.Module:
    """The network with seeded weights, if there is memory for it; first without any, to count them."""
    try:
        with torch.device("meta"):
            counted = sum(parameter.numel() for parameter in build().parameters())
    except Exception:  # noqa: BLE001  it reads numbers while it is built, or cannot be: the second try says so
        counted = 0
    _check_memory(counted, spec)
    try:
        return seeded(build)
    except Exception as error:  # the edge: what a library raises for names that do not go together
        if lacks_memory(error):
            raise
        reason = str(error).strip().partition("\n")[0]
        raise SegvizError(f"'{spec}' cannot be built: {reason}", f"{type(error).__name__}: {error}") from error


def _check_memory(parameters: int, spec: Spec) -> None:
    what = f"{spec.title} ({parameters / 1e6:,.0f} M parameters)"
    devices.check_memory(FLOAT * parameters, what, "take a smaller one")


def _checked(spec: Spec) -> str:
    """What the spec says of weights: 'default', a file, or '' for random ones. Raises UsageError for other options."""
    for key, value in spec.without(*OPTIONS).options:
        raise UsageError(f"{spec.kind.title} networks have no option '{key}={value}'; they have {', '.join(OPTIONS)}")
    return spec.option("weights") or ""


def _count(spec: Spec, default: int) -> int:
    """The number of classes. Raises UsageError where it is none."""
    given = spec.option("classes")
    if given is None:
        return default
    if not given.isdecimal() or not 1 <= int(given) <= LARGEST_COUNT:
        raise UsageError(f"classes={given}: a whole number from 1 to {LARGEST_COUNT:,}")
    return int(given)


def _entry(spec: Spec, network: nn.Module, **facts: Any) -> Entry:
    """What is known of a network of a zoo. Its field and stride are found when it is traced."""
    count = sum(parameter.numel() for parameter in network.parameters())
    summary = f"{spec.kind.title}'s {spec.name}"
    return replace(unopened(spec), parameters=count, summary=summary, receptive_field=0, **facts)


def _notes(entry: Entry, wanted: str) -> tuple[str, ...]:
    if wanted or not entry.weights:
        return ()
    return (f"weights of {entry.title}: {entry.weights}",)


def _title(name: str) -> str:
    """torchvision's name for people: 'SqueezeNet1.1', 'ViT B 16'."""
    return re.sub(r"(?<!\d)(\d)_(\d)", r"\1.\2", name).replace("_", " ")


def _scaled(mean: Iterable[float], std: Iterable[float]) -> Preprocessing:
    """Mean and deviation of pixels from 0 to 1, as the libraries give them, for pixels from 0 to 255."""
    return Preprocessing("RGB", *(tuple(round(255 * float(value), 6) for value in values) for values in (mean, std)))


def _no_such(spec: Spec, names: Iterable[str], what: str) -> str:
    close = difflib.get_close_matches(spec.name.lower(), list(names), 3)
    hint = f"did you mean {', '.join(close)}?" if close else f"{spec.kind.title}'s own documentation lists them"
    return f"{spec.kind.title} has no {what} '{spec.name}'; {hint}"
