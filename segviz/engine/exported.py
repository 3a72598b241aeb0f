"""Exported programs (`torch.export`, .pt2) as modules: with the modules that they were exported from, by name.

A program remembers which module each operation came from. Where it does not (one that segviz saved
itself), every operation is a layer of its own. Its demand that images have the example's size is left
out, since a classifier can be asked what it would answer on others; `Example` says what it was.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, fx, nn

from segviz.core import file_notes
from segviz.core.errors import SegvizError, named
from segviz.engine.layers import Held, Layer, holder_of, titled

NOTE = f"{file_notes.NAME}.json"  # where segviz says what a program of its own is


@dataclass(frozen=True)
class Example:
    """The image that a program was exported with, (C, H, W), and whether its height and width are to stay.

    `note` is what segviz wrote of a network that it saved itself: channels, mean, std, classes.
    """

    size: tuple[int, int, int]
    fixed: bool
    note: Mapping[str, Any] = field(default_factory=dict)


def read(path: Path, content: bytes) -> tuple[nn.Module, Example]:
    """The network of an exported program, float32, and its example. The caller has asked for trust in `content`.

    Raises SegvizError where the file cannot be read, or takes something else than one image.
    """
    beside = {NOTE: ""}
    try:
        program = torch.export.load(io.BytesIO(content), extra_files=beside)
    except Exception as error:  # the edge: what a broken program raises is not documented
        reason = str(error).strip().split("\n")[0]
        raise SegvizError(
            f"{named(path)}: this exported program cannot be read ({reason}); export it again with the torch "
            "that is installed here"
        ) from error
    example = _example(program, path, beside[NOTE])
    network = (_nested(program) or _flat(program)).float()
    for module in network.modules():  # `eval` is refused: what depends on it was settled when it was exported
        module.training = False
    return network, example


def _example(program: Any, path: Path, note: str | bytes) -> Example:
    images = [
        node.meta["val"]
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in program.graph_signature.user_inputs
    ]
    if len(images) != 1 or not isinstance(images[0], Tensor) or images[0].dim() != 4:
        raise SegvizError(f"{named(path)}: this program takes {len(images)} inputs that are not one image (N, C, H, W)")
    sides = images[0].shape[1:]
    fixed = all(isinstance(side, int) for side in sides[1:])
    channels, height, width = (side if isinstance(side, int) else side.node.hint for side in sides)
    return Example((int(channels), int(height), int(width)), fixed, file_notes.read(note))


def _nested(program: Any) -> nn.Module | None:
    """The program in the modules that it was exported from; None where it does not know them."""
    network = torch.export.unflatten(program)
    network.check_input_constraints = False
    if next(network.children(), None) is None or not any(n.op == "call_module" for n in network.graph.nodes):
        return None
    for module in network.modules():
        kind = getattr(module, "_ty", None)
        if kind:
            titled(module, str(kind).rpartition(".")[2])
    return network


def _flat(program: Any) -> nn.Module:
    """The program with every operation that makes a tensor as a layer of its own, named as in its graph."""
    network: fx.GraphModule = program.module(check_guards=False)
    held: dict[fx.Node, Held] = {
        node: holder_of(network, str(node.target)) for node in network.graph.nodes if node.op == "get_attr"
    }
    for node in list(network.graph.nodes):
        if node.op == "call_function" and isinstance(node.meta.get("val"), Tensor):
            packet = getattr(node.target, "overloadpacket", node.target)
            layer = Layer(node.target, [held[source] for source in node.all_input_nodes if source in held])
            network.add_module(node.name, titled(layer, packet.__name__))
            node.op, node.target = "call_module", node.name
    network.recompile()
    return network
