"""The networks against numbers that the published ones gave, and against what the catalogue says of them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from segviz.core import assets, catalogue
from segviz.core.errors import UsageError
from segviz.engine.architectures import build, skeleton
from segviz.models.efficientnet_lite import EfficientNetLite0
from segviz.models.lenet5 import LeNet5
from segviz.models.mtcnn import ONet, PNet, RNet
from segviz.models.selfie import SelfieSegmenter

EXPECTED = json.loads((Path(__file__).parent.parent / "data" / "expected_outputs.json").read_text())
PHOTOGRAPHS = EXPECTED["efficientnet_lite0_top3"]["images"]  # those with a clear first class
VARIANTS = [f"{e.name}?{variant}" for e in catalogue.ENTRIES for variant in e.variants]
SPECS = [e.name for e in catalogue.ENTRIES] + VARIANTS


def outputs(network: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    with torch.inference_mode():
        answer = network(x)
    return answer if isinstance(answer, tuple) else (answer,)


def photograph(name: str, side: int) -> Tensor:
    """(1, 3, side, side), 0..255."""
    resized = Image.open(assets.sample(name)).convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1)[None].float()


@pytest.mark.parametrize("name", EXPECTED["networks"])
def test_outputs_equal_the_published_networks(name: str) -> None:
    expected = EXPECTED["networks"][name]
    torch.manual_seed(0)
    x = torch.rand(*expected["input"]) * 2 - 1
    answers = outputs(build(name)[1], x)
    assert [list(a.shape) for a in answers] == [e["shape"] for e in expected["outputs"]]
    for answer, wanted in zip(answers, expected["outputs"], strict=True):
        size = wanted["abs_mean"]
        assert answer.mean().item() == pytest.approx(wanted["mean"], rel=1e-4, abs=1e-4 * size)
        assert answer.abs().mean().item() == pytest.approx(size, rel=1e-4)
        first = answer.flatten()[:8].tolist()
        assert first == pytest.approx(wanted["first_8"], rel=1e-4, abs=1e-4 * size)


@pytest.fixture(scope="module")
def efficientnet() -> nn.Module:
    return build("efficientnet_lite0")[1]


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_efficientnet_names_photographs_as_the_published_one(efficientnet: nn.Module, name: str) -> None:
    x = (photograph(name, 224) - 127) / 128
    (logits,) = outputs(efficientnet, x)
    probabilities, indices = logits[0].softmax(0).topk(3)
    classes = catalogue.entry("efficientnet_lite0").classes
    wanted = PHOTOGRAPHS[name]
    assert probabilities.tolist() == pytest.approx([p for _, p in wanted], abs=2e-3)
    for index, probability, (label, _) in zip(indices.tolist(), probabilities.tolist(), wanted, strict=True):
        ties = [other for other, p in wanted if abs(p - probability) < 2e-3]
        assert classes[index] in {label, *ties}


@pytest.mark.parametrize("name", EXPECTED["selfie_general"]["images"])
def test_selfie_network_finds_the_person(name: str) -> None:
    smallest, largest, over_half, probable = EXPECTED["selfie_general"]["images"][name]
    (logits,) = outputs(build("selfie_general")[1], photograph(name, 256) / 255)
    assert logits.shape == (1, 1, 256, 256)
    assert logits.min().item() == pytest.approx(smallest, rel=1e-3)
    assert logits.max().item() == pytest.approx(largest, rel=1e-3)
    assert (logits > 0.5).float().mean().item() == pytest.approx(over_half, abs=1e-3)
    assert (logits.sigmoid() > 0.5).float().mean().item() == pytest.approx(probable, abs=1e-3)


@pytest.mark.parametrize("spec", SPECS)
def test_catalogue_tells_the_truth_about_the_network(spec: str) -> None:
    entry = catalogue.entry(spec)
    network = skeleton(entry)  # shapes need no weights, of which some networks have gigabytes
    assert sum(p.numel() for p in network.parameters()) == entry.parameters
    first, *_ = outputs(network, torch.zeros(1, *entry.input_size, device="meta"))
    assert first.shape[1] == (1 if entry.sigmoid else entry.class_count)
    assert len(entry.classes) == entry.class_count
    rows, columns = (side - 2 * entry.border for side in entry.input_size[1:])
    assert first[0, 0].numel() == (1 if entry.task == "classification" else rows * columns)


def test_lenet5_has_the_lectures_parameters() -> None:
    counts = {n: sum(p.numel() for p in m.parameters()) for n, m in LeNet5().named_children()}
    assert counts == {
        "c1": 156, "s2": 0, "c3": 2_416, "s4": 0, "flatten": 0, "c5": 48_120, "f6": 10_164, "output": 850,
    }  # fmt: skip
    assert sum(counts.values()) == 61_706


def test_shipped_lenet5_reads_digits() -> None:
    truth = json.loads(assets.sample("digits-512x512.json").read_text())["digits"]
    page = torch.from_numpy(np.array(Image.open(assets.sample("digits-512x512.png")))).float() / 255
    windows, labels = [], []
    for digit in truth:
        left, top, right, bottom = digit["box"]
        x, y = min(480, max(0, (left + right) // 2 - 16)), min(480, max(0, (top + bottom) // 2 - 16))
        windows.append(page[None, y : y + 32, x : x + 32])
        labels.append(digit["label"])
    (logits,) = outputs(build("lenet5")[1], torch.stack(windows))
    assert (logits.argmax(1) == torch.tensor(labels)).float().mean() >= 0.96


@pytest.mark.parametrize(("make", "window", "outputs_"), [(RNet, 25, (2, 4)), (ONet, 49, (2, 4, 10))])
def test_floor_pooling_fits_a_window_one_pixel_wider(make: type[RNet], window: int, outputs_: tuple[int, ...]) -> None:
    floor, ceil = make(pooling="floor"), make(pooling="ceil")
    shapes = tuple((1, n) for n in outputs_)
    assert tuple(a.shape for a in floor(torch.zeros(1, 3, window, window))) == shapes
    assert tuple(a.shape for a in ceil(torch.zeros(1, 3, window - 1, window - 1))) == shapes
    with pytest.raises(RuntimeError):
        floor(torch.zeros(1, 3, window - 1, window - 1))
    assert floor.state_dict().keys() == ceil.state_dict().keys()


def test_unknown_pooling_is_named() -> None:
    with pytest.raises(UsageError, match=r"'round'.*ceil or floor"):
        ONet(pooling="round")


@pytest.mark.parametrize("make", [LeNet5, RNet, ONet, EfficientNetLite0])
def test_what_becomes_a_convolution_is_a_module(make: type[nn.Module]) -> None:
    """Tracing and surgery find their layers by module: flatten and global pooling are not hidden in `forward`."""
    names = dict(make().named_children())
    assert isinstance(names["flatten"], nn.Flatten)
    if make is EfficientNetLite0:
        assert isinstance(names["pool"], nn.AdaptiveAvgPool2d)
        assert names["pool"].output_size == 1


def test_pnet_is_fully_convolutional() -> None:
    logits, box = PNet()(torch.zeros(1, 3, 31, 44))
    assert logits.shape == (1, 2, 11, 17)  # (size - 12) / 2 + 1, and one more where ceil pooling reaches over the edge
    assert box.shape == (1, 4, 11, 17)


# --------------------------------------------------------------------- receptive fields by gradient


class _Open(nn.Module):
    """In place of a global average: a gate that lets everything pass, whatever the image shows."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.ones_like(x[..., :1, :1])


def _transparent(network: nn.Module) -> nn.Module:
    """Float64 with positive weights and averages for maxima, so that no gradient is lost on the way down."""
    network = network.double().eval()
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.AdaptiveAvgPool2d):
                setattr(module, name, _Open())
            elif isinstance(child, nn.MaxPool2d):
                setattr(module, name, nn.AvgPool2d(child.kernel_size, child.stride))
        if isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.weight.data.fill_(1 / module.weight[0].numel())
            if module.bias is not None:
                module.bias.data.zero_()
    return network


def _columns_seen(out: Tensor, x: Tensor, column: int) -> tuple[int, int]:
    """First and last column of `x` that reach column `column` of `out`."""
    (gradient,) = torch.autograd.grad(out[..., column].sum(), x, retain_graph=True)
    seen = gradient.abs().sum((0, 1, 2)).nonzero().flatten()
    return int(seen[0]), int(seen[-1])


def _strip(height: int, width: int) -> Tensor:
    return torch.full((1, 3, height, width), 0.5, dtype=torch.float64, requires_grad=True)


def test_field_of_efficientnet_is_what_gradients_reach() -> None:
    network = _transparent(EfficientNetLite0())
    maps: list[Tensor] = []
    network.head.register_forward_hook(lambda module, args, out: maps.append(out))
    x = _strip(1, 1024)  # one row is enough: each axis has its own field
    network(x)
    (first, last), (following, _) = _columns_seen(maps[0], x, 15), _columns_seen(maps[0], x, 16)
    entry = catalogue.entry("efficientnet_lite0")
    assert last - first + 1 == entry.receptive_field
    assert following - first == entry.stride


def test_largest_field_of_the_selfie_network_is_what_gradients_reach() -> None:
    x = _strip(16, 448)
    out = _transparent(SelfieSegmenter())(x)
    fields = [_columns_seen(out, x, 208 + phase) for phase in (0, 3, 4, 11, 12, 15)]  # of 16; it changes at 4 and 12
    assert max(last - first + 1 for first, last in fields) == catalogue.entry("selfie_general").receptive_field
    assert {last - first + 1 for first, last in fields} == {367, 383}


@pytest.mark.parametrize("spec", ["mtcnn_pnet", "mtcnn_rnet?pooling=floor", "mtcnn_onet?pooling=floor"])
def test_fields_of_the_face_networks_are_what_gradients_reach(spec: str) -> None:
    entry = catalogue.entry(spec)
    network = _transparent({"mtcnn_pnet": PNet, "mtcnn_rnet": RNet, "mtcnn_onet": ONet}[entry.name]())
    maps: list[Tensor] = []
    last_map = network.get_submodule(f"prelu{len(network.stages)}")
    last_map.register_forward_hook(lambda module, args, out: maps.append(out))
    side = entry.receptive_field + 2 * entry.stride
    x = _strip(side, side)
    with contextlib.suppress(RuntimeError):  # of the dense layers; the map before them is what is looked at
        network(x)
    unit = 1 if entry.name == "mtcnn_pnet" else 3  # the dense layers see three units
    first, last = _columns_seen(maps[0], x, 0)[0], _columns_seen(maps[0], x, unit - 1)[1]
    assert last - first + 1 == entry.receptive_field
    assert _columns_seen(maps[0], x, 1)[0] - first == entry.stride
