"""Saved networks: weights with reshaped dense layers, and programs that torch runs alone on any size."""

import json
from dataclasses import replace

import pytest
import safetensors
import safetensors.torch
import torch
from torch import nn

from segviz.core import catalogue
from segviz.core.choices import Device, Pooling, Task
from segviz.core.errors import SegvizError
from segviz.engine import export
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.store import Loaded, Store
from segviz.engine.surgery import convert
from tests.engine.constructs import CONSTRUCTS, Construct, built

STORE = Store()


def loaded(spec: str, pooling: Pooling = Pooling.AUTO):
    return STORE.network(spec, pooling, Device.CPU)


def test_weights_of_dense_layers_have_the_shape_of_their_convolutions(tmp_path):
    found = export.save_weights(loaded("lenet5"), tmp_path / "net.safetensors")
    tensors = safetensors.torch.load_file(found.out)
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items() if name.endswith("weight")} == {
        "c1.weight": (6, 1, 5, 5),
        "c3.weight": (16, 6, 5, 5),
        "c5.weight": (120, 16, 5, 5),
        "f6.weight": (84, 120, 1, 1),
        "output.weight": (10, 84, 1, 1),
    }
    own = loaded("lenet5").network.state_dict()
    assert own.keys() == tensors.keys()
    assert all(torch.equal(own[name].flatten(), tensor.flatten()) for name, tensor in tensors.items())
    assert found.reloaded_difference < 1e-4
    assert found.reloaded_sizes == ((32, 32), (49, 38))


def test_a_file_of_weights_says_what_it_is(tmp_path):
    found = export.save_weights(loaded("mtcnn_onet"), tmp_path / "net.safetensors")
    with safetensors.safe_open(found.out, "pt") as file:
        note = json.loads(file.metadata()["segviz"])
    assert note["what"] == "MTCNN O-Net made fully convolutional"
    assert {"layer": "fc5", "from": "dense 1152 to 256", "to": "convolution 3x3, 128 to 256"} in note["converted"]
    assert (note["input_size"], note["stride"], note["classes"]) == ([3, 48, 48], 8, ["background", "face"])


def test_a_program_answers_on_any_size_from_the_native_one(tmp_path):
    """Ceil mode, PReLU, dense layers as convolutions; the native size is a map of a single unit."""
    twin = loaded("mtcnn_onet")
    found = export.save_program(twin, tmp_path / "net.pt2")
    program = torch.export.load(found.out).module()
    for height, width in ((48, 48), (49, 71), (133, 50), (320, 244)):
        image = torch.rand(1, 3, height, width) * 2 - 1
        wanted = finished(run(twin.traced(True, (3, height, width)), twin.weights, image)).output
        assert (program(image) - wanted).abs().max() < 1e-4
    with pytest.raises(AssertionError, match="48"):
        program(torch.zeros(1, 3, 47, 48))
    assert found.sizes == "3x48x48 or more"


def test_a_network_that_answers_per_pixel_keeps_its_multiples(tmp_path):
    found = export.save_program(loaded("selfie_general"), tmp_path / "net.pt2")
    program = torch.export.load(found.out).module()
    assert program(torch.zeros(1, 3, 272, 320)).shape == (1, 1, 272, 320)
    assert found.sizes == "3x256x256 or more, multiples of 16"


def test_padding_that_depends_on_the_size_is_refused_with_what_can_be_had(tmp_path):
    with pytest.raises(SegvizError, match="layer 'stem' depends on the image size") as caught:
        export.save_program(loaded("efficientnet_lite0"), tmp_path / "net.pt2")
    assert "'--multiple 32'" in str(caught.value)
    assert "'--input 3x224x224'" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_one_size_alone(tmp_path):
    """An odd size, on which SAME padding is another than on the native one."""
    found = export.save_program(loaded("efficientnet_lite0"), tmp_path / "net.pt2", only=(3, 97, 130))
    program = torch.export.load(found.out).module()
    assert program(torch.zeros(1, 3, 97, 130)).shape == (1, 1000, 4, 5)
    assert found.sizes == "3x97x130"
    with pytest.raises(AssertionError):
        program(torch.zeros(1, 3, 98, 130))


def test_a_file_that_answers_otherwise_takes_nobodys_place(tmp_path, monkeypatch):
    out = tmp_path / "net.safetensors"
    out.write_bytes(b"what was there before")
    monkeypatch.setattr(export, "_separate", lambda tensors: {n: t.contiguous() * 1.1 for n, t in tensors.items()})
    with pytest.raises(SegvizError, match="the file is not the network"):
        export.save_weights(loaded("lenet5"), out)
    assert out.read_bytes() == b"what was there before"
    assert list(tmp_path.iterdir()) == [out]


def loaded_of(construct: Construct) -> Loaded:
    """A network of the tests' own, as the store would load it."""
    network = built(construct)
    weights, entry = NetworkWeights(network), replace(catalogue.entry("lenet5"), input_size=construct.native)
    conversion = convert(network, construct.native, Pooling.AUTO, weights)
    return Loaded("own", entry, network, weights, conversion, Pooling.AUTO, torch.device("cpu"), entry)


@pytest.mark.parametrize("name", ["channel shuffle", "squeeze and excitation", "channels last", "branches"])
def test_programs_of_the_zoos_constructs_run_on_any_size(tmp_path, name):
    """The maps of the one whose layers are in (N, H, W, C) are of a single unit on its native input."""
    found = export.save_program(loaded_of(CONSTRUCTS[name]), tmp_path / "net.pt2")
    assert found.reloaded_difference < 1e-5
    assert found.sizes.endswith("or more")


@pytest.mark.parametrize(("spec", "grid_stride"), [("lenet5", 1), ("lenet5", 2), ("mtcnn_onet", 4), ("mtcnn_pnet", 1)])
def test_a_program_with_a_finer_grid_is_the_a_trous_network(tmp_path, spec, grid_stride):
    """All strides as dilation, or the last ones only; average pooling too, which torch cannot dilate."""
    twin = loaded(spec)
    channels, height, width = twin.entry.input_size
    found = export.save_program(twin, tmp_path / "net.pt2", grid_stride=grid_stride)
    assert found.stride == (grid_stride, grid_stride)
    program = torch.export.load(found.out).module()
    size = (channels, height + 21, width + 34)
    image = torch.rand(1, *size, generator=torch.Generator().manual_seed(3)) * 2 - 1
    fine = twin.dilated(twin.traced(True, size), grid_stride)
    wanted = finished(run(fine, twin.weights, image)).output
    assert (program(image) - wanted).abs().max() <= 2e-4 * wanted.abs().max()


def test_a_grid_that_no_strides_come_to_is_refused(tmp_path):
    with pytest.raises(SegvizError, match="LeNet-5 has no unit every 3 pixels"):
        export.save_program(loaded("lenet5"), tmp_path / "net.pt2", grid_stride=3)
    assert not list(tmp_path.iterdir())


class Valid(nn.Module):
    """A U-Net of one level: takes 2 p + 10, answers for 12 pixels less, crops what goes across."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.bottom = nn.Conv2d(2, 3, 5), nn.Conv2d(3, 3, 3)
        self.up, self.last = nn.ConvTranspose2d(3, 3, 2, 2), nn.Conv2d(6, 2, 5)

    def forward(self, x):
        skip = self.down(x)
        x = self.up(self.bottom(nn.functional.max_pool2d(skip, 2)))
        return self.last(torch.cat([skip[:, :, 2 : 2 + x.shape[2], 2 : 2 + x.shape[3]], x], 1))


def test_a_program_takes_the_sizes_that_its_network_takes(tmp_path):
    """Multiples and what is left over; 3 more than a multiple of 4 would leave a row over in the pooling."""
    made = loaded_of(Construct(Valid, (2, 30, 34), 0))
    entry = replace(made.entry, task=Task.SEGMENTATION, multiple=4, remainder=2, border=6)
    found = export.save_program(replace(made, entry=entry, known=entry), tmp_path / "net.pt2")
    assert found.sizes == "2x30x34 or more, multiples of 4 plus 2"
    assert found.reloaded_sizes == ((30, 34), (98, 58))
    program = torch.export.load(found.out).module()
    assert program(torch.zeros(1, 2, 62, 42)).shape == (1, 2, 50, 30)
