"""Exported programs: modules and names come back, sizes stay open where they were left open."""

from __future__ import annotations

import json
import zipfile

import pytest
import torch

from segviz.core.errors import SegvizError
from segviz.engine import exported
from segviz.engine.graph import describe_layers, trace
from segviz.engine.surgery import convert
from tests.engine.foreign import Classifier, Segmenter, answer, image, made

ANY = torch.export.Dim.AUTO


def saved(network, given, tmp_path, dynamic=False, **more):
    path = tmp_path / "net.pt2"
    shapes = ({2: ANY, 3: ANY},) if dynamic else None
    torch.export.save(torch.export.export(network, (given,), dynamic_shapes=shapes), path, **more)
    return path


def read(path):
    return exported.read(path, path.read_bytes())


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize(("make", "size"), [(Classifier, (3, 32, 32)), (Segmenter, (3, 24, 32))])
def test_answers_are_the_networks_own(make, size, dynamic, tmp_path):
    network, given = made(make()), image(*size)
    found, example = read(saved(network, given, tmp_path, dynamic and make is Segmenter))
    assert torch.allclose(answer(found, given), answer(network, given), atol=1e-5)
    assert example.size == size
    assert example.fixed is not (dynamic and make is Segmenter)


def test_layers_are_those_of_the_network_that_was_exported(tmp_path):
    network = made(Classifier())
    found, _ = read(saved(network, image(3, 32, 32), tmp_path))
    mine, its = (describe_layers(trace(net, (3, 32, 32))) for net in (found, network))
    assert mine == its


def test_a_classifier_of_one_size_becomes_fully_convolutional(tmp_path):
    found, _ = read(saved(made(Classifier()), image(3, 32, 32), tmp_path))
    conversion = convert(found, (3, 32, 32))
    assert conversion.max_abs_difference < 1e-4
    assert trace(found, (3, 48, 40), conversion.head).geometry.grid("last") == (9, 5)


def test_an_open_program_takes_other_sizes(tmp_path):
    network = made(Segmenter())
    found, _ = read(saved(network, image(3, 24, 32), tmp_path, dynamic=True))
    other = image(3, 40, 36)
    assert torch.allclose(answer(found, other), answer(network, other), atol=1e-5)


def test_without_modules_every_operation_is_a_layer(tmp_path):
    class Functions(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(4, 3, 3, 3))

        def forward(self, x):
            return torch.relu(torch.conv2d(x, self.weight))

    network = made(Functions())
    found, _ = read(saved(network, image(3, 16, 16), tmp_path))
    layers = describe_layers(trace(found, (3, 16, 16)))
    assert [(layer.name, layer.parameters) for layer in layers] == [("conv2d", 108), ("relu", 0)]
    assert dict(found.named_parameters())["weight"].numel() == 108
    assert torch.allclose(answer(found, image(3, 16, 16)), answer(network, image(3, 16, 16)), atol=1e-5)


@pytest.mark.parametrize(("text", "note"), [(json.dumps({"mean": [1.0]}), {"mean": [1.0]}), ("{", {}), ("[1]", {})])
def test_the_note_of_a_program_is_data(text, note, tmp_path):
    path = saved(made(Classifier()), image(3, 32, 32), tmp_path, extra_files={"segviz.json": text})
    assert read(path)[1].note == note


def test_what_is_no_program_is_one_message(tmp_path):
    path = tmp_path / "net.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/archive_format", "pt2")
        archive.writestr("net/archive_version", "0")
    with pytest.raises(SegvizError, match=r"net\.pt2: this exported program cannot be read"):
        read(path)


def test_a_program_of_two_images_is_refused(tmp_path):
    class Two(torch.nn.Module):
        def forward(self, x, y):
            return x + y

    path = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(Two(), (image(3, 8, 8), image(3, 8, 8))), path)
    with pytest.raises(SegvizError, match="takes 2 inputs"):
        read(path)
