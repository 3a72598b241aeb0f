"""The project's loaders behind one function without Qt, for corpora of hostile files.

`load(kind, path)` opens an image with `core/images`, and a checkpoint as the weights of a small reference
network with `engine/checkpoints` and `engine/weights`. It answers {'ok': True, 'notes', and 'size', 'corners',
'levels' of an image (width, height; RGB at its four corners; distinct grey levels) or 'keys' of a
checkpoint (the names of its tensors in the network)}, or {'ok': False, 'message'}. Programs are opened by
`engine/opening`, which refuses those that nobody trusts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from segviz.core import specs
from segviz.core.errors import SegvizError, named
from segviz.core.images import open_picture
from segviz.engine.checkpoints import open_checkpoint
from segviz.engine.opening import opened
from segviz.engine.sniff import WEIGHTS, what_is
from segviz.engine.weights import fit, headers_of, load_into


class Reference(nn.Module):
    """Three channels in, four classes for every pixel out: (N, 3, H, W) to (N, 4, H, W)."""

    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()
        )
        self.head = nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.enc(x))
        return logits


def load(kind: str, path: str) -> dict[str, Any]:
    """Open the file at `path`, an 'image' or a 'checkpoint'."""
    try:
        return {"ok": True, **_LOADERS[kind](path)}
    except SegvizError as error:
        return {"ok": False, "message": str(error)}


def _image(path: str) -> dict[str, Any]:
    picture = open_picture(path)
    corners = [picture.pixels[y, x].tolist() for y in (0, -1) for x in (0, -1)]
    levels = len(np.unique(picture.pixels[..., 0]))
    size = [picture.width, picture.height]
    return {"notes": [picture.kind, *picture.notes], "size": size, "corners": corners, "levels": levels}


def _checkpoint(path: str) -> dict[str, Any]:
    file = Path(path)
    if what_is(file) not in WEIGHTS:
        program = opened(specs.of_file(file))
        return {"notes": list(program.notes), "keys": list(program.network.state_dict())}
    checkpoint = open_checkpoint(file)
    with torch.device("meta"):
        network = Reference()
    wanted = fit(headers_of(network), checkpoint.headers)
    notes = load_into(network, checkpoint.read(), named(path), "the reference network", strict=False)
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, 8, 8))
    return {"notes": [*checkpoint.notes, *notes], "keys": list(wanted.names)}


_LOADERS = {"image": _image, "checkpoint": _checkpoint}
