"""State dicts without a word on what they belong to: recognised by names and shapes, over all networks there are."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from segviz.core import catalogue
from segviz.core.errors import SegvizError
from segviz.engine import recognise
from segviz.engine.architectures import named, of_catalogue, of_torchvision, signature
from segviz.engine.recognise import recognised, suited
from segviz.engine.safetensor import Header
from segviz.engine.weights import fit, headers_of

NET = Path("net.pth")
FLOAT = torch.float32


@pytest.fixture
def no_zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognise, "of_torchvision", dict)


@pytest.mark.parametrize("name", [entry.name for entry in catalogue.ENTRIES])
def test_every_network_of_the_catalogue_is_recognised_by_its_tensors(name: str) -> None:
    architecture = of_catalogue()[name]
    best, notes = recognised(NET, signature(architecture))
    twins = [one for one in of_catalogue().values() if signature(one) == signature(architecture)]
    assert best.architecture in twins
    assert best.classes is None
    assert notes[0].startswith(f"recognised as {best.architecture.title} by its tensors: ")


@pytest.mark.parametrize(
    "name", [one.name for one in of_catalogue().values() if not one.fixed and one.name in ("alexnet", "vgg11", "vgg16")]
)
def test_the_last_layer_says_how_many_classes_there_are(name: str) -> None:
    given = {f"module.{key}": own for key, own in signature(of_catalogue()[name], 21).items()}
    best, _ = recognised(NET, given)
    assert (best.architecture.name, best.classes, best.fit.prefix) == (name, 21, "module.")


def test_a_converted_network_is_recognised() -> None:
    """`segviz convert` saves dense layers in the shape of their convolutions."""
    given = dict(signature(of_catalogue()["vgg16"], 21))
    given["classifier.0.weight"] = Header((4096, 512, 7, 7), FLOAT)
    given["classifier.6.weight"] = Header((21, 4096, 1, 1), FLOAT)
    best, _ = recognised(NET, given)
    assert (best.architecture.name, best.classes, best.fit.share) == ("vgg16", 21, 1)


def test_tensors_left_over_are_a_note_as_long_as_they_are_few() -> None:
    given = {**signature(named("vgg16")), "loss.weight": Header((21,), FLOAT), "aux.weight": Header((3, 3), FLOAT)}
    best, notes = recognised(NET, given)
    assert best.architecture.name == "vgg16"
    assert notes == ("recognised as VGG16 by its tensors: 32 of 32 tensors fit, 2 left over",)
    assert best.fit.surplus == ("'loss.weight' (21)",)


def test_several_that_fit_are_named_with_how_well(no_zoo: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognise, "LEAST_SHARE", 0.5)
    smaller = {name: own for name, own in of_catalogue().items() if name in ("vgg16", "lenet5")}
    other = {f"twin{number}": one for number, one in enumerate([of_catalogue()["vgg16"]])}
    monkeypatch.setattr(recognise, "of_catalogue", lambda: smaller | other)
    given = {**signature(named("vgg16")), "loss.weight": Header((21,), FLOAT)}
    _, notes = recognised(NET, given)
    assert notes[1] == "it fits others too: VGG16 (32 of 32 tensors fit, 1 left over); ?arch= names one"


def test_what_nobody_knows_is_refused_with_the_closest(no_zoo: None) -> None:
    given = dict(list(signature(named("vgg16")).items())[:20])
    with pytest.raises(SegvizError) as told:
        recognised(NET, given)
    assert str(told.value).startswith(
        "net.pth: its 20 tensors are of another model than segviz knows; closest is VGG16 (20 of 32 tensors fit). "
    )
    assert "missing 'classifier.6.bias' (1000)" in told.value.details


def test_the_tensor_that_alone_does_not_fit_is_named_with_both_shapes(no_zoo: None) -> None:
    """As of a network for four channels; it stood in the details alone, which a terminal does not show."""
    name = "features.0.weight"
    own = signature(named("vgg16"))
    with pytest.raises(SegvizError) as told:
        recognised(NET, {**own, name: Header((64, 4, 3, 3), FLOAT)})
    assert (
        "closest is VGG16 (31 of 32 tensors fit; other shape: 'features.0.weight' (shape 64x4x3x3, wanted 64x3x3x3))"
    ) in str(told.value)


def test_a_few_names_in_common_make_no_network_the_closest(no_zoo: None) -> None:
    own = dict(list(signature(named("vgg16")).items())[:2])
    with pytest.raises(SegvizError, match="segviz knows; none of its networks is close") as told:
        recognised(NET, own | {f"block{number}.weight": Header((3, 3), FLOAT) for number in range(4)})
    assert "VGG16: 2 of 32 tensors fit, 4 left over" in told.value.details


def test_tensors_are_counted_without_counters_whether_a_file_has_them_or_not() -> None:
    """Of batch normalisation; one network was told to have 102, 112 or 122 tensors."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    own = headers_of(network)
    bare = {name: header for name, header in own.items() if not name.endswith("num_batches_tracked")}
    assert fit(own, own).text == fit(own, bare).text == "6 of 6 tensors fit"


def test_what_resembles_nothing_is_refused(no_zoo: None) -> None:
    with pytest.raises(SegvizError, match="no matching tensor in any"):
        recognised(NET, {"foo.weight": Header((3, 3), FLOAT)})


def test_twenty_thousand_names_are_held_against_the_catalogue(no_zoo: None) -> None:
    with pytest.raises(SegvizError, match="its 20,000 tensors are of another model"):
        recognised(NET, {f"module.t{number}": Header((1,), FLOAT) for number in range(20_000)})


def test_a_number_of_classes_that_is_said_is_not_guessed() -> None:
    given = signature(named("vgg16"), 21)
    assert suited(named("vgg16"), given, 21).fit.complete
    assert not suited(named("vgg16"), given, 20).fit.complete


# One network of each family of torchvision, and its segmentation networks with their auxiliary heads.
ZOO = [
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "googlenet",
    "inception_v3",
    "maxvit_t",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_x_400mf",
    "regnet_y_400mf",
    "resnet50",
    "resnext50_32x4d",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "swin_t",
    "swin_v2_t",
    "vgg16_bn",
    "vit_b_16",
    "wide_resnet50_2",
    "fcn_resnet50",
    "deeplabv3_mobilenet_v3_large",
    "lraspp_mobilenet_v3_large",
]


@pytest.mark.parametrize("name", ZOO)
def test_torchvisions_networks_are_recognised(name: str) -> None:
    pytest.importorskip("torchvision", reason="an optional extra")
    given = {**signature(of_torchvision()[name]), "aux_classifier.0.weight": Header((9, 9, 3, 3), FLOAT)}
    best, notes = recognised(NET, given)
    assert (best.architecture.name, best.classes, len(notes)) == (name, None, 1)


@pytest.mark.parametrize("name", ["resnet18", "fcn_resnet50", "vit_b_16", "squeezenet1_1"])
def test_torchvisions_networks_of_seven_classes_are_recognised(name: str) -> None:
    pytest.importorskip("torchvision", reason="an optional extra")
    best, _ = recognised(NET, signature(of_torchvision()[name], 7))
    assert (best.architecture.name, best.classes) == (name, 7)


def test_the_name_of_a_file_is_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torchvision", reason="an optional extra")
    given = signature(of_torchvision()["resnet18"])
    asked: list[str] = []
    monkeypatch.setattr(
        recognise, "signature", lambda one, classes=None: asked.append(one.name) or signature(one, classes)
    )
    best, _ = recognised(Path("resnet18-f37072fd.pth"), given)
    assert best.architecture.name == "resnet18"
    assert set(asked) <= {*of_catalogue(), "resnet18"}
