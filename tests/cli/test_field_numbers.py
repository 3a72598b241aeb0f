"""Every number of the section Receptive fields of oracles.md, out of the command that a person types.

Geometry alone: weights stay as memory was, since no field depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import nn

from segviz.cli.console import Console
from segviz.engine import networks
from segviz.engine.run import Engine
from tests.cli.conftest import Segviz


@pytest.fixture(scope="module", autouse=True)
def _one_engine() -> Iterator[None]:
    """One engine for all commands, whose networks have no drawn weights."""
    engine = Engine()

    def undrawn(network: nn.Module, seed: int = 0) -> None:
        network.to_empty(device="cpu")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks, "draw", undrawn)
        patch.setattr(Console, "_started", lambda self: engine)
        yield


def modules(prefix: str, numbers: str) -> list[str]:
    return [f"{prefix}.{number}" for number in numbers.split()]


LENET = ["c1 5 1 2", "s2 6 2 2.5", "c3 14 2 6.5", "s4 16 4 7.5", "c5 32 4 15.5", "output 32 4 15.5"]
ALEXNET = dict(
    zip(
        [*modules("features", "0 2 3 5 6 8 10 12"), "classifier.1", "last"],
        ["11 4", "19 8", "51 8", "67 16", "99 16", "131 16", "163 16", "195 32", "355 32 111", "355 32 111"],
        strict=True,
    )
)
VGG16 = dict(
    zip(
        [*modules("features", "0 2 4 5 7 9 10 12 14 16 17 19 21 23 24 26 28 30"), "classifier.0", "last"],
        [
            *("3 1", "5 1", "6 2", "10 2", "14 2", "16 4", "24 4", "32 4", "40 4", "44 8", "60 8", "76 8", "92 8"),
            *("100 16", "132 16", "164 16", "196 16", "212 32", "404 32 111.5", "404 32 111.5"),
        ],
        strict=True,
    )
)
UNET = dict(
    zip(
        [f"down.{level}.{place}" for level in range(4) for place in (0, 2)] + ["bottom.0", "bottom.2"],
        ["3 1", "5 1", "10 2", "14 2", "24 4", "32 4", "52 8", "68 8", "108 16", "140 16"],
        strict=True,
    )
)
LAYERS = [
    *(("lenet5", *line.split(" ", 1)) for line in LENET),
    *(("alexnet", *item) for item in ALEXNET.items()),
    *(("vgg16", *item) for item in VGG16.items()),
    *(("unet", *item) for item in UNET.items()),
    *(("vgg11", *item) for item in {"features.20": "150 32", "last": "342 32"}.items()),
    *(("vgg19", *item) for item in {"features.36": "268 32", "last": "460 32"}.items()),
]


@pytest.mark.parametrize(("spec", "layer", "numbers"), LAYERS)
def test_size_stride_and_centre_of_a_layer(segviz: Segviz, spec: str, layer: str, numbers: str) -> None:
    data = segviz("field", spec, "--layer", layer, "--unit", "0,0", "--json").data
    size, stride, *center = (float(number) for number in numbers.split())
    assert (data["size"], data["stride"], data["status"]) == (size, stride, "exact")
    assert not center or data["center"] == center * 2


@pytest.mark.parametrize(("depth", "size"), [(18, 435), (34, 899), (50, 427), (101, 971)])
def test_torchvisions_resnets(segviz: Segviz, depth: int, size: int) -> None:
    pytest.importorskip("torchvision", reason="torchvision belongs to the extra 'test'")
    words = ("--layer", "layer4", "--unit", "3,3", "--json")
    data = segviz("field", f"torchvision:resnet{depth}", *words).data
    assert (data["size"], data["stride"], data["status"]) == (size, 32, "exact")


UNITS = [
    ("unet", 572, 180, 176, 379),
    ("unet", 572, 192, 192, 379),
    ("fcn32s", 900, 450, 227, 662),
    ("fcn16s", 900, 450, 227, 662),
    ("fcn8s", 900, 450, 227, 694),
]


@pytest.mark.parametrize(("spec", "side", "unit", "first", "last"), UNITS)
def test_what_one_output_sees(segviz: Segviz, spec: str, side: int, unit: int, first: int, last: int) -> None:
    words = ("--layer", "last", "--unit", f"{unit},{unit}", "--input", f"{side}x{side}", "--json")
    data = segviz("field", spec, *words).data
    assert data["box"] == [first, first, last + 1, last + 1]
    assert (data["stride"], data["status"]) == (1, "exact")


PHASES = [("unet", 572, {188, 204}), ("fcn32s", 900, {436}), ("fcn16s", 900, {436, 468}), ("fcn8s", 900, {436, 468})]


@pytest.mark.parametrize(("spec", "side", "sizes"), PHASES)
def test_sizes_by_phase(segviz: Segviz, spec: str, side: int, sizes: set[int]) -> None:
    """Along a diagonal, from one phase to the next: the size is that of the phase."""
    found = set()
    for unit in range(180, 212, 4):
        words = ("--layer", "last", "--unit", f"{unit},{unit}", "--input", f"{side}x{side}", "--json")
        found.add(segviz("field", spec, *words).data["size"])
    assert found == sizes


def test_an_alexnet_without_padding_sits_at_113(segviz: Segviz) -> None:
    """The Caffe form, as a file of Python that a person brings."""
    lines = [
        "from segviz.models.alexnet import AlexNet",
        "def caffe():",
        "    network = AlexNet()",
        "    network.features[0].padding = (0, 0)",
        "    return network",
    ]
    Path("caffe_alexnet.py").write_text("\n".join(lines), encoding="utf-8")
    words = ("--layer", "classifier.6", "--unit", "0,0", "--input", "227x227", "--json", "--trust")
    data = segviz("field", "python:caffe_alexnet:caffe", *words).data
    assert (data["size"], data["stride"], data["center"]) == (355, 32, [113, 113])
