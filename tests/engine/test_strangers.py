"""What tracing finds out about networks that nobody described."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from segviz.core.choices import Task
from segviz.core.errors import SegvizError
from segviz.core.specs import parse
from segviz.engine import scripted
from segviz.engine.graph import trace
from segviz.engine.strangers import Known, entry_of, one_at_a_time, takes_batches
from tests.engine.foreign import Classifier, Segmenter, answer, image, made

# torch marks TorchScript as old.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

SPEC = parse("net.pt")


def described(network, spec="net.pt", **known):
    return entry_of(network, parse(spec), Known("net.pt", **known))


class Fixed(nn.Module):
    """Answers per pixel, on images of 24x24 alone."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 1)
        self.bias = nn.Parameter(made(nn.Conv2d(1, 24, 24)).weight.reshape(1, 24, 24, 24)[:, :2].clone())

    def forward(self, x):
        return self.conv(x) + self.bias


def test_a_size_is_found_by_trying():
    entry, notes = described(made(Classifier()))
    assert entry.input_size == (3, 32, 32)
    (note,) = (note for note in notes if "input size" in note)
    assert note == (
        "input size 3x32x32 is a guess, the first usual one that it runs on: nothing says which it was made for, "
        "and at another its answers may be wrong; ?input=CxHxW says it"
    )


def test_a_size_that_is_given_is_taken():
    entry, notes = described(made(Segmenter()), "net.pt?input=3x40x24")
    assert entry.input_size == (3, 40, 24)
    assert not any("input size" in note for note in notes)


def test_channels_come_from_the_first_weight():
    entry, notes = described(nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.Conv2d(6, 10, 1)))
    assert entry.input_size[0] == 1
    assert entry.preprocessing.channels == "L"
    assert any("divided by 255" in note for note in notes)


@pytest.mark.parametrize("channels", [2, 4, 13])
def test_images_of_more_than_three_channels_are_found_in_a_program_without_a_size(channels, tmp_path):
    """A traced archive has no modules of torch, only weights; four channels were not among those that were tried."""
    network = nn.Sequential(nn.Conv2d(channels, 6, 5), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 28 * 28, 5))
    torch.jit.save(torch.jit.trace(made(network), image(channels, 32, 32)), tmp_path / "net.pt")
    assert described(scripted.read(tmp_path / "net.pt", (tmp_path / "net.pt").read_bytes()))[0].input_size == (
        channels,
        32,
        32,
    )


@pytest.mark.parametrize("stride", [2, 8])
def test_what_sides_must_be_divisible_by_is_found(stride):
    down = nn.Conv2d(3, 4, stride, stride)
    entry, notes = described(nn.Sequential(down, nn.ConvTranspose2d(4, 5, stride, stride)))
    assert (entry.task, entry.multiple) == (Task.SEGMENTATION, stride)
    assert f"takes images whose sides are multiples of {stride}" in notes


def test_a_network_of_one_size_says_so():
    entry, notes = described(Fixed(), size=(3, 24, 24))
    assert (entry.multiple, entry.longest_side) == (24, 24)
    assert any("runs on images of 24x24 alone" in note for note in notes)


def test_one_logit_a_pixel_is_one_class_against_the_rest():
    entry, _ = described(nn.Sequential(nn.Conv2d(3, 1, 3, padding=1)))
    assert entry.sigmoid
    assert entry.classes == ("background", "class 1")


def test_a_coarse_map_is_a_classifier_that_slides():
    entry, _ = described(nn.Sequential(nn.Conv2d(3, 7, 12, 2)))
    assert (entry.task, entry.class_count, entry.stride, entry.receptive_field) == (Task.CLASSIFICATION, 7, 2, 12)


@pytest.mark.parametrize("note", [{"mean": [1, 2]}, {"mean": "x", "std": [0]}, {"classes": 3}, {"classes": ["a"]}])
def test_a_note_that_makes_no_sense_is_left_out(note):
    entry, _ = described(made(Segmenter()), note=note)
    assert entry == described(made(Segmenter()))[0]


class Single(nn.Module):
    """Its code has the number of images written out, as programs of one example have."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, x):
        return self.conv(x).reshape(1, -1)


def test_a_program_for_one_image_answers_several_one_by_one():
    assert takes_batches(made(Classifier()), (3, 32, 32))
    network = made(Single())
    assert not takes_batches(network, (3, 8, 8))
    images = torch.cat([image(3, 8, 8), 2 * image(3, 8, 8)])
    wanted = torch.cat([answer(network, one) for one in images.split(1)])
    one_at_a_time(network)
    assert torch.equal(answer(network, images), wanted)
    assert takes_batches(network, (3, 8, 8))
    assert [call.name for call in trace(network, (3, 8, 8)).calls] == ["conv", "output"]


def test_what_runs_nowhere_says_why():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)

        def forward(self, x):
            raise KeyError("scale")

    with pytest.raises(SegvizError, match=r"input=CxHxW.*KeyError"):
        described(Odd())
