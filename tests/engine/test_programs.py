"""Programs open by spec, run nothing before they are trusted, and say what had to be guessed."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from segviz.core import trust
from segviz.core.choices import Device, Pooling, Task
from segviz.core.errors import LONGEST_MESSAGE, SegvizError, UsageError
from segviz.core.field import Status
from segviz.core.specs import Kind, parse
from segviz.core.trust import UntrustedError
from segviz.engine import opening, programs
from segviz.engine.graph import trace
from segviz.engine.store import Store
from tests.engine.foreign import Classifier, Pyramid, Segmenter, answer, image, made

# torch marks TorchScript as old, and tracing warns of sizes that it fixes: the files exist all the same.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::torch.jit.TracerWarning")

CODE = """
import pathlib
import torch

pathlib.Path({canary!r}).write_text("ran")

class Net(torch.nn.Module):
    def __init__(self, num_classes=4):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, num_classes, 3, stride=2)

    def forward(self, x):
        return self.conv(x).mean((2, 3))
"""


class Canary:
    """Unpickling it writes a file."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return (open, (self.place, "w"))


@pytest.fixture
def code(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(CODE.format(canary=str(tmp_path / "canary")), encoding="utf-8")
    return path


def script(network, size, tmp_path):
    torch.jit.save(torch.jit.trace(network, image(*size)), tmp_path / "net.pt")
    return parse(str(tmp_path / "net.pt"))


def program(network, size, tmp_path, **more):
    torch.export.save(torch.export.export(network, (image(*size),)), tmp_path / "net.pt2", **more)
    return parse(str(tmp_path / "net.pt2"))


def graph(network, size, tmp_path):
    pytest.importorskip("onnx", reason="ONNX files need the extra onnx")
    torch.onnx.export(network, (image(*size),), tmp_path / "net.onnx", dynamo=False)
    return parse(str(tmp_path / "net.onnx"))


FORMATS = {
    "torchscript": (script, programs.torchscript),
    "exported": (program, programs.exported),
    "onnx": (graph, programs.onnx),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's older exporter of ONNX
@pytest.mark.parametrize("form", FORMATS)
class TestEveryFormat:
    def test_a_classifier_is_described(self, form, tmp_path):
        write, opener = FORMATS[form]
        network, size = made(Classifier()), (3, 32, 32)
        entry, found, notes = opener(write(network, size, tmp_path), True)
        assert entry.task is Task.CLASSIFICATION
        assert entry.input_size == size
        assert (entry.class_count, entry.classes[4]) == (5, "class 4")
        assert (entry.stride, entry.receptive_field) == (2, 32)
        assert entry.parameters == sum(parameter.numel() for parameter in found.parameters())
        assert any("ImageNet" in note for note in notes)
        assert torch.allclose(answer(found, image(*size)), answer(network, image(*size)), atol=1e-5)

    def test_a_network_that_answers_per_pixel_is_one(self, form, tmp_path):
        write, opener = FORMATS[form]
        entry, found, _ = opener(write(made(Segmenter()), (3, 32, 32), tmp_path), True)
        assert (entry.task, entry.class_count, entry.stride) == (Task.SEGMENTATION, 4, 1)
        assert not found.training

    def test_another_option_is_refused(self, form, tmp_path):
        with pytest.raises(UsageError, match="no option 'colour'"):
            FORMATS[form][1](parse(f"{tmp_path}/net.pt?colour=1"), True)


@pytest.mark.parametrize(("name", "opener"), [("net.pt", programs.torchscript), ("net.pt2", programs.exported)])
def test_an_archive_that_nobody_trusts_is_not_read(name, opener, tmp_path):
    canary, path = tmp_path / "canary", tmp_path / name
    held = io.BytesIO()
    torch.save(Canary(str(canary)), held)
    with zipfile.ZipFile(io.BytesIO(held.getvalue())) as pickled, zipfile.ZipFile(path, "w") as archive:
        for member in pickled.namelist():
            archive.writestr(member, pickled.read(member))
        archive.writestr("archive/archive_format", "pt2")
        archive.writestr("archive/constants.pkl", pickled.read("archive/data.pkl"))
    with pytest.raises(UntrustedError):
        opener(parse(str(path)), False)
    with pytest.raises(SegvizError) as caught:  # and with trust it is broken, but unpickles nothing
        opener(parse(str(path)), True)
    assert not isinstance(caught.value, UntrustedError)
    assert not canary.exists()


def test_code_runs_only_when_it_is_trusted(code, tmp_path):
    canary = tmp_path / "canary"
    with pytest.raises(UntrustedError, match="Python code") as caught:
        programs.python_file(parse(str(code)), False)
    assert not canary.exists()
    trust.give(caught.value.key)
    entry, _, _ = programs.python_file(parse(str(code)), False)
    assert canary.read_text() == "ran"
    assert (entry.class_count, entry.stride) == (4, 2)
    code.write_text(code.read_text() + "\n", encoding="utf-8")
    with pytest.raises(UntrustedError):  # other content, other trust
        programs.python_file(parse(str(code)), False)


FIELDS = {  # of Pyramid on 33x33: field, stride and status of each convolution, then of the answer
    "Conv": [
        (3, 2, Status.EXACT),
        (7, 4, Status.EXACT),
        (33, 4, Status.WHOLE),
        (7, 4, Status.EXACT),
        (33, 4, Status.WHOLE),
        (33, 4, Status.WHOLE),
    ],
    "last": (33, 1, Status.WHOLE),
}


# Of torch's older exporter of ONNX, which writes the borders of an image as a Pad over all four dimensions.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Constant folding:UserWarning")
@pytest.mark.parametrize("form", [None, script, program, graph])
def test_one_network_has_the_same_fields_in_every_format(form, tmp_path):
    """A map of one unit that is spread over others brings no lattice along, and padding mixes nothing."""
    network, size = made(Pyramid()), (3, 33, 33)
    if form is None:
        traced = trace(network, size)
    else:
        path = str(form(network, size, tmp_path))
        opened = opening.opened(f"{path}?input=3x33x33", trust=True)
        traced = trace(opened.network, size)
    geometry = traced.geometry
    convolutions = [index for index, done in enumerate(traced.operations) if done.name in ("conv2d", "convolution")]
    layers = replace(geometry, layers=tuple((str(index), index) for index in (*convolutions, traced.output)))
    found = [_middle(layers, str(index)) for index in (*convolutions, traced.output)]
    assert found == [*FIELDS["Conv"], FIELDS["last"]]


def _middle(geometry, layer):
    """Field (clipped to the image), stride and status of the middle unit of `layer`."""
    rows, columns = geometry.grid(layer)
    field, (y, x) = geometry.field(layer, rows // 2, columns // 2), geometry.laws(layer)
    assert y.stride == pytest.approx(x.stride)
    inside = field.box.clipped(geometry.width, geometry.height)
    return inside.width, pytest.approx(y.stride), field.status


def test_onnx_needs_no_trust(tmp_path):
    pytest.importorskip("onnx", reason="ONNX files need the extra onnx")
    from tests.engine.onnx_files import model, node, save

    spec = parse(str(save(model([node("Relu", ["x"])]), tmp_path / "net.onnx")))
    entry, _, _ = programs.onnx(spec, False)
    assert (entry.task, entry.class_count) == (Task.SEGMENTATION, 3)


def test_code_takes_classes_and_weights(code, tmp_path):
    weights = {"conv.weight": torch.ones(7, 3, 3, 3), "conv.bias": torch.zeros(7)}
    safetensors.torch.save_file(weights, tmp_path / "own.safetensors")
    entry, network, notes = programs.python_file(parse(f"{code}?classes=7&weights={tmp_path}/own.safetensors"), True)
    assert entry.class_count == 7
    assert torch.equal(network.conv.weight, weights["conv.weight"])
    assert "weights of own.safetensors" in notes
    with pytest.raises(SegvizError, match="not the weights of"):
        programs.python_file(parse(f"{code}?weights={tmp_path}/own.safetensors"), True)


def test_weights_that_code_draws_are_the_same_every_time(code):
    first, second = (programs.python_file(parse(str(code)), True)[1] for _ in range(2))
    assert torch.equal(first.conv.weight, second.conv.weight)


def test_what_segviz_wrote_into_its_own_program_is_taken(tmp_path):
    note = '{"channels": "BGR", "mean": [1, 2, 3], "std": [4, 5, 6], "classes": ["a", "b", "c", "d", "e"]}'
    spec = program(made(Classifier()), (3, 32, 32), tmp_path, extra_files={"segviz.json": note})
    entry, _, notes = programs.exported(spec, True)
    assert entry.preprocessing.channels == "BGR"
    assert (entry.preprocessing.mean, entry.preprocessing.std) == ((1, 2, 3), (4, 5, 6))
    assert entry.classes == ("a", "b", "c", "d", "e")
    assert notes == ("exported for 3x32x32 alone: it was never promised that its operations fit other sizes",)


@pytest.mark.parametrize(
    ("noted", "size"), [("[3, 16, 20]", (3, 16, 20)), ("[3, 16]", (3, 24, 32)), ('"x"', (3, 24, 32))]
)
def test_a_program_of_open_sizes_has_the_native_size_of_its_note(noted, size, tmp_path):
    sides = ({2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO},)
    made_of = torch.export.export(made(Segmenter()), (image(3, 24, 32),), dynamic_shapes=sides)
    torch.export.save(made_of, tmp_path / "net.pt2", extra_files={"segviz.json": f'{{"input_size": {noted}}}'})
    entry, _, _ = programs.exported(parse(f"{tmp_path}/net.pt2"), True)
    assert entry.input_size == size


def test_the_door_opens_python_with_the_size_that_is_asked_for(tmp_path, monkeypatch):
    (tmp_path / "own_nets.py").write_text(CODE.format(canary=str(tmp_path / "canary")), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    spec = "python:own_nets:Net?input=3x40x48&mean=1"
    with pytest.raises(UntrustedError):
        opening.opened(spec)
    found = opening.opened(spec, True)
    assert found.entry.input_size == (3, 40, 48)
    loaded = Store().network(spec, Pooling.AUTO, Device.CPU, True)
    assert loaded.entry.preprocessing.mean == (1.0,)
    assert loaded.converted.max_abs_difference < 1e-4
    assert Kind.PYTHON in opening.OPENERS


@pytest.mark.parametrize("name", ["own", "own:", ":Net", "no.such.module:Net", "math:nothing", "math:pi", "math:sqrt"])
def test_a_name_that_makes_no_network_is_one_message(name):
    with pytest.raises(SegvizError) as caught:
        programs.python(parse(f"python:{name}"), True)
    assert len(str(caught.value)) <= LONGEST_MESSAGE
