"""What was learned, as a safetensors file that says how it was made."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from segviz.core import export, file_notes
from segviz.core.entries import Entry
from segviz.core.errors import named
from segviz.core.learning import TrainingResult
from segviz.training.recipes import Recipe


def round_as_written(network: nn.Module, plan: Recipe) -> None:
    """Give the network the numbers that its file will hold, so that what is scored is what is written."""
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.copy_(_written(tensor, plan))


def _written(tensor: Tensor, plan: Recipe) -> Tensor:
    """A tensor as a file holds it: in half precision where the recipe says so and its numbers are in its range."""
    if not tensor.is_floating_point():
        return tensor
    half = tensor.to(torch.float16)
    return half if plan.half and bool(half.isfinite().all()) else tensor.to(torch.float32)


def write(network: nn.Module, out: Path, plan: Recipe, entry: Entry, result: TrainingResult) -> None:
    """Write the weights to `out`, in half precision where the recipe says so.

    The file says how it was made, and what `entry` has of pixels and classes, so that it opens with them.
    """
    tensors = {name: _written(tensor, plan).contiguous() for name, tensor in network.state_dict().items()}
    facts = file_notes.of_entry(entry) | {
        "recipe": result.request.recipe,
        "data": named(result.request.data or plan.data),  # a folder by its name: where it lay is nobody's business
        "steps": result.steps,
        "seed": plan.seed,
        "accuracy": round(result.accuracy, 4),
    }
    if result.mean_iou is not None:
        facts["mean_iou"] = round(result.mean_iou, 4)
    # One entry of metadata: the format does not keep the order of several, and equal weights are equal files.
    data = safetensors.torch.save(tensors, {file_notes.NAME: json.dumps(facts, sort_keys=True)})
    export.replace_file(out, lambda place: place.write_bytes(data))
