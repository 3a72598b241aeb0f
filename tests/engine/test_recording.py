"""Networks that ask for values are recorded on an image; the record then is of that image, and says so."""

from __future__ import annotations

import os

import pytest
import torch
from PIL import Image

from segviz.core.capabilities import Ability, Verdict
from segviz.core.effective import EffectiveRequest
from segviz.core.errors import SegvizError
from segviz.core.field import Box, Status
from segviz.core.measured import MeasureRequest
from segviz.core.requests import DescribeRequest, ExamineRequest, SegmentRequest, Setup
from segviz.engine.cached import has_room
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace
from segviz.engine.recording import note, record, suits
from segviz.engine.run import Engine
from segviz.engine.surgery import convert
from tests.engine import valued
from tests.engine.valued import ARRAYS, NUMBERS, SIZE, bright, made


def computed(traced, network, image, **how):
    return finished(run(traced, NetworkWeights(network), image, **how)).output


def answer(network, image):
    with torch.inference_mode():
        return network(image.clone())


@pytest.mark.parametrize("between", [*NUMBERS, *ARRAYS])
def test_the_record_computes_what_the_network_computes_on_its_image(between):
    network, image = made(between), bright()
    with pytest.raises(SegvizError):
        trace(network, SIZE)
    before = {name: (id(t), t.clone()) for name, t in network.state_dict(keep_vars=True).items()}
    given = image.clone()
    traced = record(network, SIZE, image=image)
    assert torch.equal(image, given)
    for name, tensor in network.state_dict(keep_vars=True).items():
        assert (id(tensor), True) == (before[name][0], torch.equal(tensor, before[name][1]))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())
    found = computed(traced, network, image)
    strips = computed(traced, network, image, rows=3)
    wanted = answer(network, image)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert torch.allclose(strips, wanted, atol=1e-5)
    assert traced.seen is image
    assert "from the image's values behind layer 'first'" in traced.decides


def test_a_branch_is_the_one_that_the_image_takes():
    network = made(valued.branched)
    fields = {}
    for name, image in (("bright", bright()), ("dark", -bright())):
        traced = record(network, SIZE, image=image)
        assert torch.allclose(computed(traced, network, image), answer(network, image), atol=1e-5)
        fields[name] = traced.geometry.field("last", 9, 8)
    assert fields["dark"].box == Box(6, 7, 11, 12)  # 3 + 2 pixels
    assert fields["bright"].box == Box(3, 4, 14, 15)  # and 6 more for the pooling
    assert {field.status for field in fields.values()} == {Status.DATA}
    assert "its code takes a number" in fields["dark"].reason
    assert traced.geometry.field("first", 9, 8).status is Status.EXACT  # before anything is decided


def test_no_other_image_is_computed_from_it():
    network, image = made(valued.branched), bright()
    traced = record(network, SIZE, image=image)
    for other in (-image, image + 1e-6):
        with pytest.raises(SegvizError, match="may take another way through it: its code takes a number"):
            computed(traced, network, other)
    assert suits(traced, network, SIZE, image.clone())
    assert not suits(traced, network, SIZE, -image)
    assert not suits(traced, network, SIZE, None)
    assert suits(record(network, SIZE), network, SIZE, None)
    assert not has_room(traced)  # an edit might change the way
    assert note(traced, True).startswith("recorded on this image: its code takes a number")
    assert note(traced, False).startswith("recorded on noise")


def test_a_window_as_large_as_the_image_says():
    network = made(valued.sized)
    boxes = [record(network, SIZE, image=image).geometry.field("last", 9, 8).box for image in (bright(), -bright())]
    assert [box.width for box in boxes] == [9, 7]


@pytest.mark.parametrize("between", ARRAYS)
def test_what_numpy_makes_of_an_image_has_a_field_that_nobody_knows(between):
    field = record(made(between), SIZE, image=bright()).geometry.field("last", 9, 8)
    assert (field.status, field.reason) == (
        Status.UNKNOWN,
        "made of the image outside torch, where nobody can follow it",
    )


def test_numbers_of_the_code_stay_numbers_of_the_code():
    """A check of the image's values that changes nothing makes no constant of the code unknown."""
    field = record(made(valued.asserted), SIZE, image=bright()).geometry.field("last", 9, 8)
    assert (field.status, field.box) == (Status.DATA, Box(6, 7, 11, 12))


def test_an_operation_that_has_no_shapes_is_recorded_for_every_image():
    network = made(valued.without_shapes)
    traced = record(network, SIZE)
    assert (traced.seen, traced.decides, note(traced, True)) == (None, "", "")
    for image in (bright(), -bright()):
        assert torch.allclose(computed(traced, network, image, rows=4), answer(network, image), atol=1e-5)
    assert "'valued::rolled' has no rule" in traced.geometry.field("last", 9, 8).reason


def test_it_becomes_no_convolution_and_says_why():
    with pytest.raises(SegvizError, match="becomes no convolution: its code takes a number"):
        convert(made(valued.branched), SIZE)


def test_what_writes_over_its_weights_is_refused():
    def greedy(net, x):
        net.last.bias.mul_(2) if x.mean() > 0 else None
        return x

    network = made(greedy)
    bias = network.last.bias.clone()
    with pytest.raises(SegvizError, match="writes over its own weights"):
        record(network, SIZE, image=bright())
    assert torch.equal(network.last.bias, bias)


def test_what_breaks_for_another_reason_is_not_tried_again(monkeypatch):
    monkeypatch.setattr("segviz.engine.recording._live", lambda *args: pytest.fail("it was run"))
    with pytest.raises(SegvizError, match="breaks"):
        record(made(lambda net, x: x.nothing()), SIZE)


def followed_by_nobody(net, x):
    """A write that no record follows, with values and without."""
    return torch.add(x, 1, out=x)


def test_what_cannot_be_recorded_at_all_is_left_to_its_own_code():
    network = made(followed_by_nobody)
    traced = record(network, SIZE)
    assert [call.name for call in traced.calls] == ["first", "last", "answer"]
    assert traced.call("first").output_shape == (8, 18, 16)
    field = traced.geometry.field("last", 9, 8)
    assert (field.status, "cannot record what it does" in field.reason) == (Status.UNKNOWN, True)
    assert "running all of it" in note(traced, True)
    for image in (bright(), -bright()):
        assert torch.equal(computed(traced, network, image, rows=5), answer(network, image))
        first = computed(traced, network, image, target=traced.call("first").output)
        assert torch.equal(first, answer(network.first, image))  # before it is written over
    assert traced.geometry.cell_at("last", 3, 5) == (5, 3)
    with pytest.raises(SegvizError, match="becomes no convolution"):
        convert(network, SIZE)


def test_a_record_that_is_wrong_is_not_used(monkeypatch):
    monkeypatch.setattr("segviz.engine.recording.agrees", lambda *args: False)
    traced = record(made(valued.branched), SIZE, image=bright())
    assert traced.geometry.field("last", 9, 8).status is Status.UNKNOWN
    assert "does not compute what it computed" in traced.decides


CODE = """
from torch import nn


class Decided(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, x):
        maps = self.conv(x) * 0
        return maps + 100 if x.mean() > 0 else maps - 100
"""


def test_every_image_is_recorded_for_itself(tmp_path):
    """The engine keeps a trace for each size, and makes it anew where the image is another of the same size."""
    (tmp_path / "net.py").write_text(CODE, encoding="utf-8")
    spec = f"{tmp_path / 'net.py'}?input=3x12x16&mean=0.5,0.5,0.5&std=0.5,0.5,0.5"
    engine = Engine()
    for grey in (255, 0, 255):
        path = str(tmp_path / f"{grey}.png")
        Image.new("RGB", (16, 12), (grey,) * 3).save(path)
        setup = Setup(spec, path, 1.0, trust=True)
        for region in (None, (4, 4, 6, 5)):
            found = finished(engine.run(SegmentRequest(setup, region=region)))
            assert set(found.logits.flat) == {100.0 if grey else -100.0}
        told = finished(engine.run(DescribeRequest(setup)))
        assert told.notes[0].startswith("recorded on this image: its code takes a number")
        assert told.decides.startswith("its code takes a number")
    blank = finished(engine.run(DescribeRequest(Setup(spec, trust=True))))
    assert blank.notes[0].startswith("recorded on noise")
    badge = finished(engine.run(ExamineRequest(Setup(spec, trust=True))))
    assert badge.of(Ability.FEATURES).verdict is Verdict.YES
    assert badge.of(Ability.CONVERTS).verdict is Verdict.NO


DRAWN = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 2, 1)
        self.pool = torch.nn.AvgPool2d(5, 1, 2)

    def forward(self, x):
        maps = self.conv(x)
        return self.pool(maps) if x.mean() > 0 else maps * 1
"""


def test_the_geometry_of_a_drawing_is_that_of_what_is_drawn_by_now(tmp_path):
    """The file of a drawing is written anew under its name: clicks, measurements and layers are of the new one."""
    (tmp_path / "net.py").write_text(DRAWN, encoding="utf-8")
    spec = f"{tmp_path / 'net.py'}?input=3x12x16&mean=0.5,0.5,0.5&std=0.5,0.5,0.5"
    engine, path, widths = Engine(), tmp_path / "drawing.png", []
    for revision, grey in enumerate((255, 0, 255)):
        Image.new("RGB", (16, 12), (grey,) * 3).save(path)
        os.utime(path, ns=(0, revision * 10**9))
        setup = Setup(spec, str(path), 1.0, revision=revision, trust=True)
        told = finished(engine.run(DescribeRequest(setup)))
        seen = finished(engine.run(EffectiveRequest(setup, "last", 0, 6, 7)))
        measured = finished(engine.run(MeasureRequest(setup, "last", 6, 7)))
        field = told.geometry.field("last", 6, 7)
        assert field.status is Status.DATA
        assert seen.crop == measured.box == field.box
        widths.append(field.box.width)
    assert widths == [5, 1, 5]
