"""ONNX files as data: what they hold is looked at, and weighed against what is there, before it is taken.

Weights of an ONNX file may lie in other files. Those are read only where they are regular files of the
same folder, and as long as they say; a file that names anything else was made to read what it should not.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import torch
from torch import Tensor

from segviz.core.errors import SegvizError, clean, named
from segviz.engine import devices
from segviz.engine.safetensor import MOST_DIMENSIONS

LARGEST_FILE = 2 * 1024**3  # bytes; the limit of protocol buffers
LARGEST_GRAPH = 100_000  # operations
OWN = ("", "ai.onnx")  # domains of the standard's operators
COPIES = 4  # of a tensor while it is read: as bytes, as a message, as numbers, as float32
WIDTHS = {1: 4, 2: 1, 3: 1, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2}  # bytes of an element by its type's number


@dataclass(frozen=True, eq=False)
class Node:
    """One operation of a graph: `kind` as in the standard, inputs and outputs by name, '' for one that is left out."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    opset: int


@dataclass(frozen=True, eq=False)
class Graph:
    """What an ONNX file holds. `tensors` are its weights by name, `constants` those that stand in its nodes.

    `sides` are those of the image that it takes, (N, C, H, W), None where one may be any.
    """

    nodes: tuple[Node, ...]
    tensors: dict[str, Tensor]
    constants: dict[str, Tensor]
    image: str
    sides: tuple[int | None, ...]
    answers: tuple[str, ...]


def read(path: Path) -> Graph:
    """The graph of an ONNX file.

    Raises SegvizError where the package `onnx` is missing, where the file is broken, has operators that are
    not of the standard, wants more than one image, or has weights where none may be.
    """
    onnx = _package(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode) or path.stat().st_size > LARGEST_FILE:
            raise SegvizError(f"{named(path)}: not a regular file of at most 2 GiB, as ONNX files are")
        model = onnx.load_model(path, load_external_data=False)
        _check_length(model, path)
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        return _graph(model, path)
    except SegvizError:
        raise
    except OSError as error:
        raise SegvizError(f"{named(path)}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # the edge: what a library raises for a broken file is not documented
        reason = str(error).strip().split("\n")[0]
        raise SegvizError(f"{named(path)}: this ONNX file is damaged ({reason}); fetch or export it again") from error


def _package(path: Path) -> Any:
    try:
        import onnx
        import onnx.inliner
    except ImportError as error:
        raise SegvizError(
            f"{named(path)}: ONNX files are read with the package onnx, which is not installed: "
            "pip install 'segviz-lab[onnx]'"
        ) from error
    return onnx


def _check_length(model: Any, path: Path) -> None:
    """Raise SegvizError where a graph has too many operations once its functions, which call others, stand in place."""
    bodies = {(function.domain, function.name): function.node for function in model.functions}
    lengths: dict[tuple[str, str], int] = {}

    def length(nodes: Any) -> int:
        return sum(called(node) for node in nodes)

    def called(node: Any) -> int:
        key = (node.domain, node.op_type)
        if key not in bodies:
            return 1
        if key not in lengths:
            lengths[key] = LARGEST_GRAPH + 1  # of a function that calls itself
            lengths[key] = length(bodies[key])
        return lengths[key]

    if length(model.graph.node) > LARGEST_GRAPH:
        raise SegvizError(f"{named(path)}: its graph has more than {LARGEST_GRAPH:,} operations; segviz reads no more")


def _graph(model: Any, path: Path) -> Graph:
    graph = model.graph
    opset = next((int(used.version) for used in model.opset_import if used.domain in OWN), 0)
    foreign = sorted({node.domain for node in graph.node if node.domain not in OWN})
    if foreign:
        raise SegvizError(
            f"{named(path)}: operators of '{clean(foreign[0])}' are a program that is not in the file; export the "
            "network with operators of the ONNX standard alone"
        )
    if graph.sparse_initializer:
        raise SegvizError(f"{named(path)}: has sparse weights; save them dense")
    tensors = {tensor.name: _tensor(tensor, path) for tensor in graph.initializer}
    constants, nodes = {}, []
    for number, node in enumerate(graph.node):
        attributes = dict(_attributes(node, path))
        if node.op_type == "Constant":
            constants[node.output[0]] = _constant(attributes, path)
        else:
            name = clean(node.name) or f"{node.op_type}_{number}"
            nodes.append(Node(name, node.op_type, tuple(node.input), tuple(node.output), attributes, opset))
    image, sides = _image([given for given in graph.input if given.name not in tensors], path)
    return Graph(tuple(nodes), tensors, constants, image, sides, tuple(answer.name for answer in graph.output))


def _attributes(node: Any, path: Path) -> Iterator[tuple[str, Any]]:
    from onnx import AttributeProto, helper

    for attribute in node.attribute:
        if attribute.type == AttributeProto.TENSOR:
            yield attribute.name, _tensor(attribute.t, path)
        elif attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS):
            raise SegvizError(
                f"{named(path)}: '{clean(node.op_type)}' chooses while it runs what to compute; "
                "export the network without it"
            )
        else:
            value = helper.get_attribute_value(attribute)
            yield attribute.name, value.decode() if isinstance(value, bytes) else value


def _constant(attributes: dict[str, Any], path: Path) -> Tensor:
    for key, kind in (("value_float", torch.float32), ("value_floats", torch.float32),
                      ("value_int", torch.int64), ("value_ints", torch.int64)):  # fmt: skip
        if key in attributes:
            return torch.tensor(attributes[key], dtype=kind)
    if "value" not in attributes:
        raise SegvizError(f"{named(path)}: a constant that is no tensor of numbers")
    value: Tensor = attributes["value"]
    return value


def _image(given: list[Any], path: Path) -> tuple[str, tuple[int | None, ...]]:
    """Name and sides of the only input."""
    if len(given) != 1:
        names = ", ".join(clean(one.name) for one in given[:4])
        raise SegvizError(f"{named(path)}: takes {len(given)} inputs ({names}); segviz gives one image")
    kind = given[0].type.tensor_type
    sides = tuple(int(side.dim_value) if side.dim_value > 0 else None for side in kind.shape.dim)
    if len(sides) != 4 or kind.elem_type not in (1, 10, 11, 16):
        shown = "x".join("?" if side is None else str(side) for side in sides)
        raise SegvizError(f"{named(path)}: takes {shown or 'no image'}, not images of real numbers (N, C, H, W)")
    if sides[0] not in (None, 1):
        raise SegvizError(f"{named(path)}: takes {sides[0]} images at once; export it for one, or for any number")
    return given[0].name, sides


# ---------------------------------------------------------------------------------------- tensors


def _tensor(tensor: Any, path: Path) -> Tensor:
    """A tensor of the file; real numbers as float32. Raises SegvizError where its size is not that of its data."""
    from onnx import TensorProto, numpy_helper

    shape = _shape(tensor, path)
    width = WIDTHS.get(tensor.data_type)
    if width is None:
        kind = TensorProto.DataType.Name(tensor.data_type)
        raise SegvizError(f"{named(path)}: tensor '{clean(tensor.name)}' is of {kind}, which segviz does not read")
    size = math.prod(shape) * width
    if tensor.data_location == TensorProto.EXTERNAL:
        inside = TensorProto(dims=shape, data_type=tensor.data_type, raw_data=_external(tensor, path, size))
    else:
        if tensor.HasField("raw_data") and len(tensor.raw_data) != size:
            raise SegvizError(
                f"{named(path)}: tensor '{clean(tensor.name)}' of {shape} has {len(tensor.raw_data):,} bytes of data, "
                f"not {size:,}: the file is damaged"
            )
        inside = tensor
    found = torch.from_numpy(numpy_helper.to_array(inside).astype(_NUMPY[tensor.data_type])).clone()
    return found.reshape(shape)


_NUMPY = {
    1: "float32", 2: "uint8", 3: "int8", 5: "int16", 6: "int32", 7: "int64", 9: "bool", 10: "float32", 11: "float32",
    16: "float32",
}  # fmt: skip


def _shape(tensor: Any, path: Path) -> tuple[int, ...]:
    sides = tensor.dims
    if len(sides) > MOST_DIMENSIONS or any(side < 0 for side in sides):
        raise SegvizError(
            f"{named(path)}: tensor '{clean(tensor.name)}' has {len(sides):,} sides, of which none may be negative and "
            f"no more than {MOST_DIMENSIONS}: the file is damaged"
        )
    return tuple(int(side) for side in sides)


def _external(tensor: Any, path: Path, size: int) -> bytes:
    """The bytes of a tensor in another file."""
    facts: dict[str, str] = {entry.key: entry.value for entry in tensor.external_data}
    location, title = facts.get("location", ""), f"{named(path)}: tensor '{clean(tensor.name)}'"
    if len(PurePosixPath(location).parts) != 1 or len(PureWindowsPath(location).parts) != 1 or location in (".", ".."):
        raise SegvizError(f"{title} lies in '{clean(location)}', outside of the folder of the file; segviz stays in it")
    beside = path.parent / location
    try:
        status = os.lstat(beside)
    except OSError as error:
        raise SegvizError(
            f"{title} lies in '{clean(location)}', which cannot be read ({error.strerror}); put it beside the file"
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise SegvizError(f"{title} lies in '{clean(location)}', which is not a regular file")
    offset, length = _whole(facts.get("offset", "0")), _whole(facts.get("length", str(size)))
    if length != size or offset is None or offset + size > status.st_size:
        raise SegvizError(
            f"{title} says {length} bytes at {offset} of '{clean(location)}', which has {status.st_size:,}; "
            f"its shape wants {size:,}"
        )
    devices.check_memory(size * COPIES, f"{title}, with what was read before it,", "take a smaller network")
    with beside.open("rb") as file:
        file.seek(offset)
        data: bytes = file.read(size)
    return data


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() else None
