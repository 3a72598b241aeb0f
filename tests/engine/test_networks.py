"""From a file of weights to a network: alone, or for a network of the catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from segviz.core import assets, catalogue, specs
from segviz.core.choices import Device, Pooling, Task
from segviz.core.entries import Preprocessing
from segviz.core.errors import SegvizError, UsageError
from segviz.engine import networks
from segviz.engine.architectures import build, of_catalogue
from segviz.engine.opening import OPENERS, PROGRAMS, opened
from segviz.engine.sniff import WEIGHTS, FileKind
from segviz.engine.store import Store

LENET = catalogue.entry("lenet5")


def lenet() -> dict[str, torch.Tensor]:
    return build("lenet5")[1].state_dict()


def file(folder: Path, value: Any, name: str = "mine.pth") -> Path:
    torch.save(value, folder / name)
    return folder / name


def test_a_bare_file_becomes_the_network_that_it_belongs_to(tmp_path: Path) -> None:
    path = file(tmp_path, {"model": {f"module.{name}": tensor.half() for name, tensor in lenet().items()}})
    found = opened(specs.of_file(path))
    entry = found.entry
    assert (entry.title, entry.weights, entry.class_count) == ("LeNet-5, mine.pth", "mine.pth", 10)
    assert (entry.parameters, entry.input_size, entry.task) == (61_706, (1, 32, 32), Task.CLASSIFICATION)
    assert entry.classes == catalogue.entry("lenet5").classes
    assert not entry.caution
    assert not found.network.training
    assert {parameter.dtype for parameter in found.network.parameters()} == {torch.float32}
    assert found.notes == (
        "recognised as LeNet-5 by its tensors: 10 of 10 tensors fit",
        "the prefix 'module.' was taken off the names of the tensors",
        "numbers of type float16 were converted to float32",
    )
    image = torch.rand(1, 1, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(found.network(image), build("lenet5")[1](image), rtol=0, atol=0.02)


def test_weights_of_a_file_for_a_network_of_the_catalogue(tmp_path: Path) -> None:
    tensors = {name: torch.full_like(tensor, 0.5) for name, tensor in lenet().items()}
    save_file(tensors, tmp_path / "half & half.safetensors")
    spec = str(specs.parse("lenet5").with_option("weights", str(tmp_path / "half & half.safetensors")))
    found = opened(spec)
    assert all(torch.equal(found.network.state_dict()[name], tensor) for name, tensor in tensors.items())
    assert (found.entry.name, found.entry.weights) == ("lenet5", "half & half.safetensors")


def test_another_number_of_classes_has_no_names_of_the_old_ones(tmp_path: Path) -> None:
    network = of_catalogue()["efficientnet_lite0"].make(7)
    network.to_empty(device="cpu")
    state = {name: torch.zeros_like(tensor) for name, tensor in network.state_dict().items()}
    path = file(tmp_path, state)
    for spec in (
        specs.of_file(path),
        f"efficientnet_lite0?weights={path}",
        f"efficientnet_lite0?classes=7&weights={path}",
    ):
        entry = opened(spec).entry
        assert (entry.class_count, entry.classes[6]) == (7, "class 6")
        assert entry.parameters == sum(parameter.numel() for parameter in network.parameters())


def test_a_file_says_itself_how_its_classes_are_called_and_how_pixels_go_in(tmp_path: Path) -> None:
    names = [f"garment {number}" for number in range(10)]
    note = json.dumps({"classes": names, "channels": "L", "mean": [30], "std": [60]})
    path = tmp_path / "clothes.safetensors"
    save_file(lenet(), path, {"segviz": note})
    for spec in (specs.of_file(path), f"lenet5?weights={path}"):
        found = opened(spec)
        assert found.entry.classes == tuple(names)
        assert found.entry.preprocessing == Preprocessing("L", (30.0,), (60.0,))
    (tmp_path / "names.txt").write_text("nought\n", encoding="utf-8")
    told = f"{specs.of_file(path)}?labels={tmp_path / 'names.txt'}&mean=5"
    loaded = Store().network(told, Pooling.AUTO, Device.CPU)
    assert loaded.entry.classes[:2] == ("nought", "class 1"), "what a person says counts more"
    assert loaded.entry.preprocessing == Preprocessing("L", (5.0,), (60.0,))
    assert loaded.known.classes == tuple(names), "and the file's own is what there is to go back to"


def test_what_a_file_says_and_cannot_be_is_left_aside_with_a_note(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    save_file(
        lenet(), path, {"segviz": json.dumps({"classes": ["a", "b"], "channels": "BGR", "mean": [1], "std": [1]})}
    )
    found = opened(specs.of_file(path))
    assert (found.entry.classes, found.entry.preprocessing) == (LENET.classes, LENET.preprocessing)
    assert found.notes[-2:] == (
        "the file has no names for 10 classes: its names are left aside",
        "what the file says of pixels does not suit 1 channel: it is left aside",
    )
    save_file(lenet(), path, {"segviz": "[" * 100_000})
    assert "cannot be read" in opened(specs.of_file(path)).notes[-1]


def test_shipped_weights_open_as_the_catalogue_has_them() -> None:
    for entry in catalogue.ENTRIES:
        if entry.trained and entry.task is Task.SEGMENTATION:
            found = opened(f"{specs.of_file(assets.weights(entry.weights))}?arch={entry.name}").entry
            assert (found.classes, found.preprocessing) == (entry.classes, entry.preprocessing), entry.name


def test_classes_without_weights_are_drawn() -> None:
    found = opened("alexnet?classes=2")
    assert found.network(torch.zeros(1, 3, 224, 224)).shape == (1, 2)
    assert found.entry.parameters == 61_100_840 - 998 * 4097
    assert "random weights" in found.entry.caution


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("lenet5?classes=11", "lenet5 has 10 classes, and cannot be made with 11"),
        ("vgg16?classes=none", "a whole number of classes"),
        ("vgg16?flatten=hwc", "give one with weights=FILE"),
        ("vgg16?weights=gone.pth", r"gone\.pth: not found"),
    ],
)
def test_options_that_cannot_be_are_refused(spec: str, reason: str) -> None:
    with pytest.raises(SegvizError, match=reason):
        opened(spec)


def test_the_architecture_can_be_named_and_must_fit(tmp_path: Path) -> None:
    path = file(tmp_path, {**lenet(), **{f"other.{number}": torch.zeros(2) for number in range(9)}})
    with pytest.raises(SegvizError, match=r"of another model than segviz knows; closest is LeNet-5 \(10 of 10"):
        opened(specs.of_file(path))
    found = opened(f"{specs.of_file(path)}?arch=lenet5")
    assert found.notes == (
        "9 unexpected tensors were left out: 'other.0' (2), 'other.1' (2), 'other.2' (2) and 6 more",
    )
    with pytest.raises(SegvizError, match=r"mine\.pth: these are not the weights of AlexNet") as told:
        opened(f"{specs.of_file(path)}?arch=alexnet")
    assert "missing 'features.0.weight' (64x3x11x11)" in told.value.details
    with pytest.raises(UsageError, match="no option 'pooling'; a file of weights has arch, classes, flatten"):
        opened(f"{specs.of_file(path)}?pooling=floor")


def test_dense_layers_in_another_order_give_the_same_answers(tmp_path: Path) -> None:
    tensors = lenet()
    by_channel = tensors["c5.weight"].reshape(120, 16, 5, 5)
    path = file(tmp_path, {**tensors, "c5.weight": by_channel.permute(0, 2, 3, 1).reshape(120, 400)})
    found = opened(f"{specs.of_file(path)}?flatten=hwc")
    assert all(torch.equal(found.network.state_dict()[name], tensor) for name, tensor in tensors.items())
    assert "dense layers flattened in (H, W, C) order were reordered: c5" in found.notes
    with pytest.raises(UsageError, match="flatten=whc"):
        opened(f"{specs.of_file(path)}?flatten=whc")


def test_memory_is_asked_for_before_tensors_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, lenet())
    asked: list[int] = []

    def refuse(needed: int, what: str, remedy: str) -> None:
        asked.append(needed)
        raise SegvizError(f"{what}: {remedy}")

    monkeypatch.setattr(networks.devices, "check_memory", refuse)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(SegvizError, match=r"mine\.pth: close other programs"):
        opened(specs.of_file(path))
    assert asked == [2 * 4 * 61_706]  # what is read, and the network


def test_a_file_that_is_written_anew_is_read_anew(tmp_path: Path) -> None:
    store, path = Store(), file(tmp_path, lenet())
    spec = f"lenet5?weights={path}"
    first = store.network(spec, Pooling.AUTO, Device.CPU)
    assert store.network(spec, Pooling.AUTO, Device.CPU) is first
    file(tmp_path, {**{name: tensor + 1 for name, tensor in lenet().items()}, "more": torch.zeros(100)})
    second = store.network(spec, Pooling.AUTO, Device.CPU)
    before, after = (kept.network.state_dict()["c1.bias"] for kept in (first, second))
    assert torch.equal(after, before + 1)
    assert second.notes == ("1 unexpected tensor was left out: 'more' (100)",)


def test_torchvisions_file_opens_with_torchvisions_answers(tmp_path: Path) -> None:
    models = pytest.importorskip("torchvision.models", reason="an optional extra")
    torch.manual_seed(0)
    theirs = models.squeezenet1_1(weights=None, num_classes=5).eval()
    path = file(tmp_path, theirs.state_dict(), "squeezenet1_1-b8a52dc0.pth")
    found = opened(specs.of_file(path))
    image = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        assert torch.equal(found.network(image), theirs(image))
    assert found.entry.class_count == 5
    assert found.entry.title == "torchvision's squeezenet1_1, squeezenet1_1-b8a52dc0.pth"


def test_files_have_an_opener_and_weights_need_none_of_the_table() -> None:
    assert specs.Kind.FILE in OPENERS
    assert not set(PROGRAMS) & set(WEIGHTS)
    assert set(PROGRAMS) <= set(FileKind)
