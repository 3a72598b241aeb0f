"""`segviz summary`: the layer table, as the lecture shows it for LeNet-5 (T01)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from segviz.cli.console import Console, Report
from segviz.cli.options import add_spec, input_size
from segviz.cli.table import count, size, table
from segviz.core.capabilities import Capability
from segviz.core.entries import Entry
from segviz.core.errors import SegvizError, UsageError
from segviz.core.field import Status, pair, tidy
from segviz.core.requests import DescribeRequest, ExamineRequest, Layer, Network, Setup

HINT = "list a network's layers: shapes, parameters, receptive fields, cost"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_spec(parser)
    parser.add_argument("--input", type=input_size, metavar="CxHxW", help="input size; default: the native one")
    parser.add_argument(
        "--converted",
        action="store_true",
        help="of the network made fully convolutional, which takes inputs of other sizes",
    )
    parser.add_argument(
        "--capabilities", action="store_true", help="try what the network can do, and say why it cannot"
    )


def run(options: argparse.Namespace, console: Console) -> Report:
    shape = full_size(console.entry(options.spec, options.trust), options.input)
    network = _described_network(options, console, shape)
    layers = listed(network.layers)
    data = {
        "model": options.spec,
        "title": network.title,
        "input_shape": network.input_shape,
        "layers": [_described(layer, parameters) for layer, parameters in layers],
        "total_parameters": network.total_parameters,
        "trainable_parameters": network.trainable_parameters,
        "macs": network.macs,
        "notes": network.notes,
    }
    if not options.capabilities:
        return Report(data, _text(network, layers))
    badge = console.ask(ExamineRequest(Setup(options.spec, device=options.device, trust=options.trust)))
    data["capabilities"] = [_examined(found) for found in badge.capabilities]
    rows = [(found.ability.title, found.verdict.value, found.reason) for found in badge.capabilities]
    return Report(data, f"{_text(network, layers)}\n\n{table(('capability', '', 'reason'), rows, left=3)}")


def _examined(found: Capability) -> dict[str, str]:
    return {"name": found.ability.value, "verdict": found.verdict.value, "reason": found.reason}


def _described_network(options: argparse.Namespace, console: Console, shape: tuple[int, int, int] | None) -> Network:
    """The network, or its converted form. Raises SegvizError where the form that was asked for does not fit `shape`."""
    setup = Setup(options.spec, device=options.device, trust=options.trust)
    if options.converted:
        network = console.ask(DescribeRequest(setup, True, shape))
        if network.refusal:
            raise SegvizError(network.refusal)
        return network
    try:
        return console.ask(DescribeRequest(setup, False, shape))
    except SegvizError as error:
        refusal = _only_converted(options, console, DescribeRequest(setup, True, shape))
        raise SegvizError(refusal or str(error), error.details) from error


def _only_converted(options: argparse.Namespace, console: Console, request: DescribeRequest) -> str:
    """That an input fits the converted form alone, with the dense layer that is to blame; '' where it fits none."""
    native, shape = console.entry(options.spec, options.trust).input_size, request.input_size
    if shape is None or shape == native:
        return ""
    try:
        twin = console.ask(request)
    except SegvizError:
        return ""
    dense = next((step.layer for step in twin.conversion if step.before.startswith("dense")), None)
    if dense is None:
        return ""
    return (
        f"{twin.title} does not run on {_x(shape)}: it breaks at layer '{dense}', which is dense and fits an input of "
        f"{_x(native)} alone. Made fully convolutional it takes both: add --converted"
    )


def full_size(entry: Entry, wanted: tuple[int, ...] | None) -> tuple[int, int, int] | None:
    """An input size with its channels, which the network decides where the person named none.

    Raises UsageError for another number of channels than the network's.
    """
    if wanted is None:
        return None
    channels = entry.input_size[0]
    if len(wanted) == 3 and wanted[0] != channels:
        raise UsageError(
            f"{entry.name} takes {channels} channels, not {wanted[0]}: '--input {channels}x{_x(wanted[1:])}'"
        )
    height, width = wanted[-2:]
    return channels, height, width


def listed(layers: Sequence[Layer]) -> list[tuple[Layer, int]]:
    """The layers of a table with the parameters that are each one's own, so that the column adds up.

    These are the leaves, and the containers that own parameters besides those of their leaves.
    """
    own: dict[str, int] = {}
    for layer in sorted(layers, key=lambda found: -found.depth):
        inside = sum(count for name, count in own.items() if name.startswith(f"{layer.name}."))
        own[layer.name] = layer.parameters if layer.leaf else layer.parameters - inside
    return [(layer, own[layer.name]) for layer in layers if layer.leaf or own[layer.name] > 0]


def _described(layer: Layer, parameters: int) -> dict[str, Any]:
    return {
        "name": layer.name,
        "type": layer.type,
        "output_shape": layer.output_shape,
        "parameters": parameters,
        "macs": layer.macs,
        "stride": None if layer.stride is None else pair(*layer.stride),
        "receptive_field": None if layer.size is None else pair(*layer.size),
        "start": None if layer.start is None else tidy(layer.start),
        "status": layer.status,
    }


def _text(network: Network, layers: list[tuple[Layer, int]]) -> str:
    head = ("layer", "type", "output shape", "parameters", "field", "stride", "MACs")
    rows = [
        (
            layer.name,
            layer.type,
            _lecture_shape(layer.output_shape),
            count(parameters),
            _field(layer),
            "" if layer.stride is None else size(pair(*layer.stride)),
            count(layer.macs),
        )
        for layer, parameters in layers
    ]
    trainable, total = network.trainable_parameters, network.total_parameters
    lines = [
        f"{network.title}, input {_lecture_shape(network.input_shape)}",
        "",
        table(head, rows, left=3),
        "",
        f"Total parameters: {count(total)}",
        f"Trainable parameters: {count(trainable)}",
        f"Multiply-accumulates: {count(network.macs)}",
        *(f"Made convolutional: {step.layer}, {step.before} -> {step.after}" for step in network.conversion),
        *network.notes,
    ]
    return "\n".join(lines)


def _field(layer: Layer) -> str:
    if layer.size is None:
        return layer.status
    if layer.status == Status.WHOLE:  # as the window says it: an average of all, or a field of its own besides
        own = layer.maps[1:] != (1, 1)
        return f"{size(pair(*layer.size))}+" if own else "all"
    text = size(pair(*layer.size))
    marks = {Status.EXACT: "", Status.BOUND: " at most"}
    return text + marks.get(Status(layer.status), "?")


def _lecture_shape(shape: Sequence[int]) -> str:
    """(C, H, W) as the lecture writes it: 28x28x6; a vector's length alone."""
    return _x((*shape[1:], shape[0]))


def _x(numbers: Sequence[int]) -> str:
    return "x".join(str(n) for n in numbers)
