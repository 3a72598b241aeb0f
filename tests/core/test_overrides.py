"""What a spec says of viewing a network goes before what is known of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from segviz.core.catalogue import entry
from segviz.core.entries import Preprocessing
from segviz.core.errors import SegvizError, UsageError
from segviz.core.overrides import viewed
from segviz.core.specs import parse


def test_every_viewing_option_is_taken(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("cat\nred panda\n\n", encoding="utf-8")
    found = entry(
        f"net.pth?input=1x28x30&channels=bgr&mean=1,2,3&std=4&labels={names}&multiple=8&longest=300&minimum=0.5"
    )
    assert found.input_size == (1, 28, 30)
    assert found.preprocessing == Preprocessing("BGR", (1.0, 2.0, 3.0), (4.0,))
    assert found.classes == ("cat", "red panda")
    assert (found.multiple, found.longest_side, found.minimum) == (8, 300, 0.5)


def test_the_catalogue_can_be_overruled_too() -> None:
    assert entry("lenet5?mean=10").preprocessing == Preprocessing("L", (10.0,), (255.0,))
    assert entry("lenet5").preprocessing.mean == (0.0,)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("input=3x224", "channels, height and width"),
        ("input=0x8x8", "channels, height and width"),
        ("channels=CMYK", "one of RGB, BGR, L"),
        ("mean=a", "numbers with commas"),
        ("std=0", "none of them zero"),
        ("mean=nan", "finite"),
        ("multiple=-1", "whole number"),
    ],
)
def test_what_cannot_be_is_refused_by_name(option: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        entry(f"net.pth?{option}")


def test_a_list_of_names_that_is_not_there_is_named() -> None:
    with pytest.raises(SegvizError, match=r"names\.txt: cannot be read as a list of class names"):
        entry("net.pth?labels=/nowhere/names.txt")


def test_classes_without_a_name_are_numbered_and_too_many_names_are_refused(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("zero\none\n", encoding="utf-8")
    assert entry(f"lenet5?labels={names}").classes == ("zero", "one", *(f"class {i}" for i in range(2, 10)))
    names.write_text("\n".join("abcdefghijk"), encoding="utf-8")
    with pytest.raises(SegvizError, match=r"names\.txt: 11 names, and LeNet-5 has 10 classes"):
        entry(f"lenet5?labels={names}")


@pytest.mark.parametrize("text", ["-0.1", "1.5", "nan", "much"])
def test_a_minimum_is_a_probability(text: str) -> None:
    with pytest.raises(UsageError, match=f"minimum={text}: a probability from 0 to 1"):
        entry(f"lenet5?minimum={text}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("lenet5?channels=RGB", "takes one channel"),
        ("lenet5?mean=1,2,3", "mean has 3 numbers, and the network 1 channel: one of them will do"),
        ("selfie_general?std=1,2", "std has 2 numbers, and the network 3 channels: one or 3 of them will do"),
    ],
)
def test_preprocessing_fits_the_channels_of_an_open_network(spec: str, message: str) -> None:
    wanted = parse(spec)
    with pytest.raises(UsageError, match=message):
        viewed(entry(wanted.name), wanted)


def test_grey_goes_into_every_channel() -> None:
    found = viewed(entry("selfie_general"), parse("selfie_general?channels=L&mean=10"))
    assert found.preprocessing == Preprocessing("L", (10.0,) * 3, (255.0,) * 3)
    assert viewed(entry("lenet5"), parse("lenet5?mean=10")).preprocessing == Preprocessing("L", (10.0,), (255.0,))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "names.txt"
    os.mkfifo(pipe)
    with pytest.raises(SegvizError, match=r"names\.txt: no file"):
        entry(f"net.pth?labels={pipe}")
