"""What was learned, as a safetensors file that says how it was made."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from segviz.core import export, file_notes
from segviz.core.entries import Entry
from segviz.core.errors import named
from segviz.core.learning import TrainingResult
from segviz.training.recipes import Recipe


def write(network: nn.Module, out: Path, plan: Recipe, entry: Entry, result: TrainingResult) -> None:
    """Write the weights to `out`, in half precision where the recipe says so.

    The file says how it was made, and what `entry` has of pixels and classes, so that it opens with them.
    """
    kind = torch.float16 if plan.half else torch.float32
    tensors = {
        name: (tensor.to(kind) if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in network.state_dict().items()
    }
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
