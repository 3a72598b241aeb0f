"""AlexNet and the VGG family: numbers of the papers, on skeletons without the gigabytes of their weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segviz.core import catalogue
from segviz.core.field import Status
from segviz.engine.architectures import skeleton
from segviz.engine.graph import Trace, trace
from segviz.models.vgg import CONVOLUTIONS
from tests.core.test_field import ALEXNET, VGG16

NATIVE = (3, 224, 224)


def network(name: str) -> nn.Module:
    return skeleton(catalogue.entry(name)).eval()


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("name", "all_layers", "convolutions"),
    [
        ("alexnet", 61_100_840, 2_469_696),
        ("vgg11", 132_863_336, 9_220_480),
        ("vgg13", 133_047_848, 9_404_992),
        ("vgg16", 138_357_544, 14_714_688),
        ("vgg19", 143_667_240, 20_024_384),
    ],
)
def test_parameters_are_those_of_the_published_networks(name: str, all_layers: int, convolutions: int) -> None:
    found = network(name)
    assert count(found) == all_layers
    assert count(found.get_submodule("features")) == convolutions


@pytest.mark.parametrize("depth", CONVOLUTIONS)
def test_a_vgg_is_named_after_its_layers_with_weights(depth: int) -> None:
    weighted = [m for m in network(f"vgg{depth}").modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    assert len(weighted) == depth


@pytest.mark.parametrize(
    ("name", "convolutions", "dense"),
    [("alexnet", (0, 3, 6, 8, 10), (1, 4, 6)), ("vgg16", (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), (0, 3, 6))],
)
def test_tensors_have_torchvisions_names(name: str, convolutions: tuple[int, ...], dense: tuple[int, ...]) -> None:
    """So that its files of weights fit."""
    layers = [f"features.{i}" for i in convolutions] + [f"classifier.{i}" for i in dense]
    wanted = [f"{layer}.{tensor}" for layer in layers for tensor in ("weight", "bias")]
    assert list(network(name).state_dict()) == wanted


@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_what_becomes_something_else_is_a_module(name: str) -> None:
    found = network(name)
    names = dict(found.named_children())
    assert list(names) == ["features", "avgpool", "flatten", "classifier"]
    assert isinstance(names["flatten"], nn.Flatten)
    assert sum(isinstance(m, nn.Dropout) for m in found.modules()) == 2
    assert not any(m.inplace for m in found.modules() if isinstance(m, nn.ReLU))  # maps stay as their layers made them


def windows_of(name: str) -> tuple[Trace, list[str]]:
    """The native trace of a network and its convolutions, poolings and first dense layer, in order."""
    found = network(name)
    of_maps = [
        f"features.{key}"
        for key, layer in found.get_submodule("features").named_children()
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d))
    ]
    dense = next(key for key, layer in found.named_modules() if isinstance(layer, nn.Linear))
    return trace(found, NATIVE), [*of_maps, dense]


@pytest.mark.parametrize(("name", "expected"), [("alexnet", ALEXNET), ("vgg16", VGG16)])
def test_fields_are_those_of_the_fcn_paper(name: str, expected: list[tuple[str, int, int, float]]) -> None:
    """Long et al. 2015, table 1, and the recursion of Araujo et al. 2019 for what is between."""
    traced, layers = windows_of(name)
    geometry = traced.geometry
    assert len(layers) == len(expected)
    for layer, (title, size, stride, centre) in zip(layers, expected, strict=True):
        field = geometry.field(layer, 0, 0)
        assert (field.box.width, field.box.height) == (size, size), title
        assert tuple(law.stride for law in geometry.laws(layer)) == (stride, stride), title
        assert field.center == (centre, centre), title
        assert field.status is Status.EXACT, title


@pytest.mark.parametrize("name", ["alexnet", *(f"vgg{depth}" for depth in CONVOLUTIONS)])
def test_the_catalogue_has_field_and_stride_of_the_dense_layers(name: str) -> None:
    """oracles: 355, 342, 404, 460; 348 of VGG13 is VGG11's and one convolution more at strides 1 and 2."""
    entry, geometry = catalogue.entry(name), trace(network(name), NATIVE).geometry
    assert geometry.field("last", 0, 0).box.width == entry.receptive_field
    assert geometry.laws("last")[1].stride == entry.stride


@pytest.mark.parametrize(
    ("name", "side", "dense", "grid"),
    [
        *(("vgg16", side, 7, grid) for side, grid in ((224, 1), (320, 4), (384, 6), (500, 9))),
        ("alexnet", 500, 6, 9),
    ],
)
def test_maps_are_as_large_as_the_dense_layers_can_slide_over(name: str, side: int, dense: int, grid: int) -> None:
    features = network(name).get_submodule("features")
    rows, columns = trace(features, (3, side, side)).geometry.grid("last")
    assert (rows - dense + 1, columns - dense + 1) == (grid, grid)


def test_other_sizes_than_the_native_one_fit_the_dense_layers() -> None:
    with torch.device("meta"):
        assert network("alexnet")(torch.zeros(2, 3, 300, 250)).shape == (2, 1000)
