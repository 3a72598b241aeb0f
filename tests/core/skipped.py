"""Networks with blocks and skips, described by hand: what the picture of a network is drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from segviz.core.catalogue import entry
from segviz.core.choices import Task
from segviz.core.field import Geometry, Node
from segviz.core.frames import Frame
from segviz.core.requests import DescribeRequest, Layer, Network, Setup
from segviz.core.steps import IDENTITY, Step, Transposed, Window


class Op(NamedTuple):
    """One operation. `name` '' is one without a layer; `inputs` are numbers of operations, the image being 0."""

    name: str
    size: int
    channels: int
    inputs: tuple[int, ...]
    step: Step = IDENTITY
    macs: int = 0
    gates: tuple[int, ...] = ()


def network(size: int, channels: int, ops: Sequence[Op], containers: Mapping[str, int], last: str = "") -> Network:
    """`containers` says which operation makes the output of each."""
    nodes = (
        Node((), IDENTITY, IDENTITY, size, size),
        *(Node(op.inputs, op.step, op.step, op.size, op.size, op.gates) for op in ops),
    )
    named = [(op.name, at) for at, op in enumerate(ops, 1) if op.name]
    layers = [_layer(op, op.name, True) for op in ops if op.name]
    for name, at in containers.items():
        first = next(index for index, layer in enumerate(layers) if layer.name.startswith(f"{name}."))
        inside = [op for op in ops if op.name.startswith(f"{name}.")]
        out = ops[at - 1]._replace(channels=inside[-1].channels, macs=sum(op.macs for op in inside))
        layers.insert(first, _layer(out, name, False))
    geometry = Geometry(size, size, nodes, (*named, *containers.items()), last or named[-1][0])
    known = entry("lenet5")
    return Network(
        DescribeRequest(Setup("drawn")), "Drawn", Task.SEGMENTATION, ("a", "b"), (channels, size, size),
        tuple(layers), 1_000, 1_000, sum(op.macs for op in ops), geometry, Frame(*3 * ((size, size),)),
        entry=known, brought=known,
    )  # fmt: skip


def _layer(op: Op, name: str, leaf: bool) -> Layer:
    shape = (op.channels, op.size, op.size)
    return Layer(name, "Conv2d", name.count("."), leaf, shape, shape, 0, op.macs, (1.0, 1.0), (1.0, 1.0), (0.0, 0.0))


def residual(blocks: int = 2) -> Network:
    """A stem with its activation, residual blocks of two convolutions in `body`, a pooling and a classifier."""
    conv = Window(3, before=1)
    ops = [Op("stem", 64, 16, (0,), conv, 9), Op("relu", 64, 16, (1,))]
    containers: dict[str, int] = {}
    for block in range(blocks):
        skip = len(ops)
        ops += [
            Op(f"body.{block}.conv1", 64, 8, (skip,), conv, 9),
            Op(f"body.{block}.bn1", 64, 8, (skip + 1,)),
            Op(f"body.{block}.conv2", 64, 16, (skip + 2,), conv, 9),
            Op("", 64, 16, (skip, skip + 3)),
        ]
        containers[f"body.{block}"] = skip + 4
    containers["body"] = len(ops)
    ops += [
        Op("pool", 32, 16, (len(ops),), Window(2, 2)),
        Op("fc", 32, 10, (len(ops) + 1,), macs=160),
    ]
    return network(64, 3, ops, containers)


def unet() -> Network:
    """Two levels down and up again with concatenated skips, cropped by operations without a name, and a gate."""
    conv = Window(3)
    return network(
        60,
        1,
        (
            Op("down0", 58, 4, (0,), conv, 9),
            Op("pool0", 29, 4, (1,), Window(2, 2)),
            Op("down1", 27, 8, (2,), conv, 9),
            Op("squeeze", 1, 8, (3,), Window(27), 9),
            Op("", 27, 8, (3,), gates=(4,)),
            Op("up0", 54, 4, (5,), Transposed(2, 2), 9),
            Op("", 54, 4, (1,), Window(before=-2)),
            Op("", 54, 8, (6, 7)),
            Op("join0", 52, 4, (8,), conv, 9),
            Op("output", 52, 2, (9,), macs=8),
        ),
        {},
    )


def padded() -> Network:
    """Convolutions that pad by TensorFlow's rule, the first by zeros without a name, the second inside a shortcut."""
    ops = (
        Op("", 65, 3, (0,)),
        Op("stem", 32, 4, (1,), Window(3, 2), 9),
        Op("body", 32, 4, (2,), Window(3, before=1), 9),
        Op("", 32, 4, (2, 3)),
        Op("head", 32, 2, (4,), macs=8),
    )
    found = network(64, 3, ops, {})
    return replace(found, layers=tuple(replace(layer, type="SameConv2d") for layer in found.layers))


def dense(layers: int = 5) -> Network:
    """Every convolution takes all outputs before it, joined (Huang et al. 2017)."""
    ops, outputs = [Op("conv0", 16, 4, (0,), Window(3, before=1), 9)], [1]
    for layer in range(1, layers):
        ops.append(Op("", 16, 4 * layer, tuple(outputs)))
        ops.append(Op(f"conv{layer}", 16, 4, (len(ops),), Window(3, before=1), 9))
        outputs.append(len(ops))
    return network(16, 3, ops, {})
