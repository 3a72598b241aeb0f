"""Networks without weights by name, and those of the catalogue with theirs."""

from __future__ import annotations

import pytest
import safetensors.torch
import torch

from segviz.core import assets, catalogue
from segviz.core.errors import SegvizError
from segviz.engine import architectures
from segviz.engine.architectures import build, named, of_catalogue, of_torchvision, signature

# Of the networks with random weights AlexNet alone: a VGG has half a gigabyte of them, drawn by the same rule.
BUILT = [e.name for e in catalogue.ENTRIES if e.trained] + ["mtcnn_onet?pooling=floor", "alexnet", "nin", "segnet"]
BUILT += ["unet", "fcn8s-efficientnet_lite0"]


@pytest.mark.parametrize("spec", BUILT)
def test_build_gives_a_network_ready_to_run(spec: str) -> None:
    entry, network = build(spec)
    assert entry == catalogue.entry(spec)
    assert not any(module.training for module in network.modules())
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not any(t.is_meta for t in (*network.parameters(), *network.buffers()))
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == entry.parameters


def test_options_of_the_spec_reach_the_network() -> None:
    _, floor = build("mtcnn_rnet?pooling=floor")
    _, ceil = build("mtcnn_rnet")
    assert not floor.get_submodule("pool1").ceil_mode
    assert ceil.get_submodule("pool1").ceil_mode


def test_building_draws_no_random_numbers() -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    build("mtcnn_onet")
    assert torch.equal(torch.rand(4), expected)


def test_two_networks_of_one_spec_share_nothing() -> None:
    (_, one), (_, other) = build("lenet5"), build("lenet5")
    with torch.no_grad():
        one.get_parameter("c1.weight").zero_()
    assert other.get_parameter("c1.weight").abs().sum() > 0


def test_weights_are_those_of_the_file_and_half_precision_becomes_float32() -> None:
    tensors = safetensors.torch.load_file(assets.weights("selfie_general.safetensors"))
    assert tensors["aspp.weight"].dtype == torch.float16
    _, network = build("selfie_general")
    for name, tensor in tensors.items():
        assert torch.equal(network.get_parameter(name), tensor.float()), name


@pytest.mark.parametrize("spec", ["quux", "lenet5?pooling=floor", "mtcnn_rnet?pooling=round"])
def test_unknown_specs_are_refused(spec: str) -> None:
    with pytest.raises(SegvizError, match=r"there are|its options"):
        build(spec)


def test_a_skeleton_of_another_number_of_classes_has_no_memory() -> None:
    network = named("vgg16").make(21)
    assert all(parameter.is_meta for parameter in network.parameters())
    assert signature(named("vgg16"), 21)["classifier.6.weight"].shape == (21, 4096)
    entry = named("vgg16").entry(network, 21)
    assert entry.parameters == 134_346_581  # FCN-VGG16 for 21 classes before upsampling: oracles
    assert (entry.class_count, entry.classes[20]) == (21, "class 20")


def test_classes_keep_their_names_where_their_number_is_the_own() -> None:
    network = named("vgg16").make(1000)
    assert named("vgg16").entry(network, 1000).classes == catalogue.entry("vgg16").classes


def test_networks_of_fixed_classes_are_known() -> None:
    assert {name for name, one in of_catalogue().items() if not one.fixed} >= {"alexnet", "vgg16", "efficientnet_lite0"}
    assert of_catalogue()["lenet5"].fixed


def test_an_unknown_architecture_is_refused_with_what_there_is() -> None:
    with pytest.raises(SegvizError, match=r"arch=resnet: no such architecture; there are lenet5"):
        named("resnet")


def test_without_torchvision_the_catalogue_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise RuntimeError(f"{name}: made for another torch")

    monkeypatch.setattr(architectures.importlib, "import_module", missing)
    assert of_torchvision.__wrapped__() == {}


def test_torchvisions_networks_are_built_with_real_tables_but_no_weights() -> None:
    pytest.importorskip("torchvision", reason="an optional extra")
    swin = of_torchvision()["swin_t"].make(None)
    table = swin.get_buffer("features.1.0.attn.relative_position_index")
    assert not table.is_meta
    assert table.unique().numel() == 169  # (2 x 7 - 1) squared
    assert all(parameter.is_meta for parameter in swin.parameters())


def test_torchvision_says_how_its_networks_see() -> None:
    pytest.importorskip("torchvision", reason="an optional extra")
    fcn = of_torchvision()["fcn_resnet50"]
    entry = fcn.entry(fcn.make(None))
    assert entry.parameters == 32_957_013  # oracles: 21 classes, without auxiliary head
    assert entry.preprocessing.mean == pytest.approx((123.675, 116.28, 103.53))
    assert (entry.class_count, entry.classes[0]) == (21, "__background__")
