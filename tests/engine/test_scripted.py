"""TorchScript archives: by both ways of making them they give the network's own numbers, layers and names."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError
from segviz.engine import scripted
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import describe_layers, trace
from segviz.engine.surgery import convert
from tests.engine.foreign import Classifier, Segmenter, answer, image, made

# torch marks TorchScript as old, and tracing warns of sizes that it fixes: the files exist all the same.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::torch.jit.TracerWarning")

WAYS = {
    "scripted": lambda network, given: torch.jit.script(network),
    "traced": lambda network, given: torch.jit.trace(network, given),
    "frozen": lambda network, given: torch.jit.freeze(torch.jit.script(network)),
}
NETWORKS = {"classifier": (Classifier, (3, 32, 32)), "segmenter": (Segmenter, (3, 24, 32))}


def read(path):
    return scripted.read(path, path.read_bytes())


class Wandering(nn.Module):
    """What only a script can say: a loop, a branch on a size, a list, a method and a module that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.times: int = 3

    def halved(self, x: Tensor) -> Tensor:
        return x[:, :, ::2, ::2]

    def forward(self, x: Tensor) -> Tensor:
        parts: list[Tensor] = []
        for turn in range(self.times):
            x = self.conv(x) if turn < 2 else torch.relu(x)
            parts.append(x * (turn + 1))
        if x.shape[-1] > 20:
            parts.append(-x)
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return self.halved(total)


class Listing(nn.Module):
    """Lists of Python, as scripts use them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        numbers: list[int] = [3, 1]
        numbers += [2]
        numbers.sort()
        doubled = numbers * 2
        parts: list[Tensor] = [y, y * 2, y * 3]
        parts.reverse()
        parts.pop()
        others = parts.copy()
        others.clear()
        shares = torch.tensor([0.25 * number for number in doubled[:4]]).view(1, 4, 1, 1)
        return torch.cat([part * shares for part in parts], 1) + len(others) + numbers.index(2)


class Saving(nn.Module):
    def __init__(self, place: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.place = place

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        torch.save(y, self.place)
        return y


def archived(network, given, way, tmp_path):
    path = tmp_path / "net.pt"
    torch.jit.save(WAYS[way](network, given), path)
    return path


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("way", WAYS)
def test_answers_are_the_networks_own(kind, way, tmp_path):
    make, size = NETWORKS[kind]
    network, given = made(make()), image(*size)
    found = read(archived(network, given, way, tmp_path))
    assert torch.allclose(answer(found, given), answer(network, given), atol=1e-5)


@pytest.mark.parametrize("way", ["scripted", "traced"])
def test_modules_keep_their_names_types_and_parameters(way, tmp_path):
    network, given = made(Classifier()), image(3, 32, 32)
    found = read(archived(network, given, way, tmp_path))
    assert type(found).__name__ == "Classifier"
    assert {n: p.shape for n, p in found.named_parameters()} == {n: p.shape for n, p in network.named_parameters()}
    mine, its = (describe_layers(trace(net, (3, 32, 32))) for net in (found, network))
    assert mine == its


def test_a_frozen_archive_has_its_operations_as_layers(tmp_path):
    network, given = made(Classifier()), image(3, 32, 32)
    found = read(archived(network, given, "frozen", tmp_path))
    layers = describe_layers(trace(found, (3, 32, 32)))
    assert [layer.type for layer in layers][:3] == ["conv2d", "relu", "max_pool2d"]  # freezing folds the norm
    assert layers[-1].output_shape == (5,)
    assert sum(parameter.numel() for parameter in found.parameters()) >= 8 * 3 * 9 + 6 * 8 * 9 + 5 * 1014


@pytest.mark.parametrize("way", WAYS)
def test_a_classifier_becomes_fully_convolutional(way, tmp_path):
    found = read(archived(made(Classifier()), image(3, 32, 32), way, tmp_path))
    conversion = convert(found, (3, 32, 32))
    assert conversion.dense
    assert conversion.max_abs_difference < 1e-4
    assert trace(found, (3, 48, 40), conversion.head).geometry.grid("last") == (9, 5)


@pytest.mark.parametrize("width", [16, 24])
def test_loops_branches_and_lists_run(width, tmp_path):
    network, given = made(Wandering()), image(3, 16, width)
    found = read(archived(network, given, "scripted", tmp_path))
    assert torch.allclose(answer(found, given), answer(network, given), atol=1e-5)
    calls = [call.name for call in trace(found, (3, 16, width)).calls]
    assert calls[:2] == ["conv", "conv#2"]


@pytest.mark.parametrize("way", ["scripted", "frozen"])
def test_pythons_lists_are_pythons(way, tmp_path):
    network, given = made(Listing()), image(3, 9, 12)
    found = read(archived(network, given, way, tmp_path))
    assert torch.allclose(answer(found, given), answer(network, given), atol=1e-5)
    recorded = finished(run(trace(found, (3, 9, 12)), NetworkWeights(found), given)).output
    assert torch.allclose(recorded, answer(network, given), atol=1e-5)


def test_sizes_stay_open_where_the_script_leaves_them(tmp_path):
    network = made(Segmenter())
    found = read(archived(network, image(3, 24, 32), "traced", tmp_path))
    other = image(3, 40, 36)
    assert torch.allclose(answer(found, other), answer(network, other), atol=1e-5)


def test_half_precision_is_computed_in_float32(tmp_path):
    network = made(Classifier())
    path = tmp_path / "half.pt"
    torch.jit.save(torch.jit.script(network.half()), path)
    found = read(path)
    assert {p.dtype for p in found.parameters()} == {torch.float32}
    assert answer(found, image(3, 32, 32)).dtype is torch.float32


def test_what_reaches_out_of_the_network_is_refused(tmp_path):
    canary, path = tmp_path / "canary", tmp_path / "net.pt"
    torch.jit.save(torch.jit.script(Saving(str(canary)).eval()), path)
    found = read(path)
    with pytest.raises(SegvizError, match="aten::save"):
        trace(found, (3, 8, 8))
    assert not canary.exists()


def test_a_broken_archive_is_one_message(tmp_path):
    path = archived(made(Classifier()), image(3, 32, 32), "scripted", tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SegvizError, match=r"net\.pt: this TorchScript archive is damaged"):
        read(path)
