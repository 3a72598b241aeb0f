"""Networks before they learn: built, given their first weights, and frozen where a recipe says so."""

from __future__ import annotations

from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from segviz.core import assets, catalogue
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError, named
from segviz.core.references import load
from segviz.models.untrained import draw
from segviz.training.recipes import Recipe


def beginning(plan: Recipe) -> tuple[Entry, nn.Module]:
    """What is known of the network of `plan`, and the network with the weights that it begins with.

    The random numbers of the process stay as they were. Raises SegvizError for a network that there is not and
    weights that do not fit.
    """
    entry = catalogue.entry(plan.network)
    options = dict(entry.options) | dict(plan.options)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        network: nn.Module = load(plan.builder or entry.builder)(**options)
    if not plan.plain:
        draw(network, plan.seed)
    for prefix, file in plan.begin:
        _lend(network.get_submodule(prefix), assets.weights(file))
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not begins(name, plan.frozen))
    return entry, network


def _lend(part: nn.Module, path: Path) -> None:
    """Give a part of a network the weights of the network that it comes from."""
    try:
        tensors = safetensors.torch.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise SegvizError(f"{named(path)}: cannot be read ({error}); install segviz again") from error
    wanted = {name: tensors[name].float() for name in part.state_dict() if name in tensors}
    try:
        part.load_state_dict(wanted)
    except RuntimeError as error:
        raise SegvizError(f"{named(path)}: not the weights of {type(part).__name__}", str(error)) from error


def begins(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a module or tensor is one of those that `prefixes` name, or lies in one of them."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def learning(network: nn.Module, steady: tuple[str, ...]) -> None:
    """Set `network` to train, and what is `steady` to eval: its batch normalisation keeps its statistics."""
    network.train()
    for name, module in network.named_modules():
        if begins(name, steady):
            module.eval()


def groups(network: nn.Module, plan: Recipe) -> list[dict[str, object]]:
    """The parameters that learn, for the optimiser, by the factor of their learning rate."""
    found: dict[float, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            factor = next((factor for prefix, factor in plan.factors if begins(name, (prefix,))), 1.0)
            found.setdefault(factor, []).append(parameter)
    if not found:
        raise SegvizError(f"{plan.network}: all of it is frozen ({', '.join(plan.frozen)}); nothing is left to learn")
    return [{"params": parameters, "factor": factor} for factor, parameters in found.items()]
