"""A network viewed otherwise than it is brought: what the engine answers, and what goes into the network."""

import numpy as np
import pytest
import torch

from segviz.core.catalogue import entry
from segviz.core.errors import UsageError
from segviz.core.frames import Frame
from segviz.core.overrides import viewed
from segviz.core.requests import DescribeRequest, Setup
from segviz.core.specs import parse
from segviz.engine.flow import finished
from segviz.engine.prepare import tensor_of
from segviz.engine.run import Engine

FRAME = Frame((2, 3), (2, 3), (2, 3))


def test_an_answer_says_how_it_is_viewed_and_what_the_network_brings():
    engine = Engine()
    found = finished(engine.run(DescribeRequest(Setup("lenet5?mean=40&longest=300"))))
    assert (found.entry.preprocessing.mean, found.entry.longest_side) == ((40.0,), 300)
    assert found.brought == entry("lenet5")
    plain = finished(engine.run(DescribeRequest(Setup("lenet5"))))
    assert plain.entry == plain.brought == entry("lenet5")


def test_what_does_not_fit_the_channels_is_refused_before_anything_breaks():
    with pytest.raises(UsageError, match="the network 1 channel"):
        finished(Engine().run(DescribeRequest(Setup("lenet5?mean=1,2,3"))))


def test_grey_fills_three_channels():
    """(30, 60, 90) is 0.299 * 30 + 0.587 * 60 + 0.114 * 90 = 54.45 in grey."""
    pixels = np.full((2, 3, 3), (30, 60, 90), np.uint8)
    seen = viewed(entry("selfie_general"), parse("selfie_general?channels=L&mean=0&std=1")).preprocessing
    assert torch.allclose(tensor_of(pixels, seen, FRAME), torch.full((1, 3, 2, 3), 54.45))


def test_the_order_of_colours_is_turned_round():
    pixels = np.full((2, 3, 3), (30, 60, 90), np.uint8)
    seen = viewed(entry("selfie_general"), parse("selfie_general?channels=BGR&mean=0&std=1")).preprocessing
    assert tensor_of(pixels, seen, FRAME)[0, :, 0, 0].tolist() == [90, 60, 30]


def test_names_that_do_not_suffice_are_counted(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("nought\none\ntwo\n")
    spec = str(parse("lenet5").with_option("labels", str(names)))
    engine = Engine()
    (note,) = (n for n in finished(engine.run(DescribeRequest(Setup(spec)))).notes if "names" in n)
    assert note.startswith("3 names for 10 classes")
    names = tmp_path / "all.txt"
    names.write_text("\n".join(map(str, range(10))))
    spec = str(parse("lenet5").with_option("labels", str(names)))
    assert not any("names" in n for n in finished(engine.run(DescribeRequest(Setup(spec)))).notes)


def test_what_the_spec_says_of_pixels_is_no_guess_any_more(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(
        "import torch\n\ndef model():\n    return torch.nn.Sequential(torch.nn.Conv2d(3, 2, 3))\n", encoding="utf-8"
    )
    engine = Engine()

    def guesses(options):
        found = finished(engine.run(DescribeRequest(Setup(f"{path}?{options}", trust=True))))
        return [note for note in found.notes if "guess" in note and "pixels" in note]

    assert len(guesses("input=3x16x16")) == 1
    assert len(guesses("input=3x16x16&mean=0")) == 1  # std is a guess yet
    assert guesses("input=3x16x16&mean=0&std=255") == []
