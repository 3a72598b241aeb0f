"""What a file of a network says of pixels and classes, and what of it is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from segviz.core import file_notes
from segviz.core.catalogue import entry
from segviz.core.entries import Preprocessing

LENET, UNET = entry("lenet5"), entry("unet-cells")
CLOTHES = tuple(f"garment {number}" for number in range(10))


@pytest.mark.parametrize("spec", ["lenet5", "selfie_general", "fcn8s", "efficientnet_lite0", "mtcnn_pnet"])
def test_what_is_written_of_a_network_is_read_again(spec: str) -> None:
    known = entry(spec)
    note = file_notes.read(json.dumps(file_notes.of_entry(known)))
    assert file_notes.names(note, known.class_count) == known.classes
    assert file_notes.preprocessing(note, known.input_size[0]) == known.preprocessing
    assert file_notes.applied(known, json.dumps(file_notes.of_entry(known))) == (known, ())


def test_a_file_without_a_note_changes_nothing() -> None:
    assert file_notes.applied(LENET, "") == (LENET, ())
    assert file_notes.applied(LENET, json.dumps({"recipe": "lenet5", "seed": 0})) == (LENET, ())


def test_a_network_taught_other_classes_knows_nothing_of_what_it_was_made_for() -> None:
    taught, remarks = file_notes.applied(
        LENET, json.dumps({"classes": CLOTHES, "channels": "L", "mean": [3], "std": [9]})
    )
    assert (taught.classes, remarks) == (CLOTHES, ())
    assert taught.preprocessing == Preprocessing("L", (3.0,), (9.0,))
    assert (LENET.sees, LENET.sample) != ("", "")
    assert (taught.sees, taught.sample) == ("", "")


def test_grey_goes_into_every_channel() -> None:
    found = file_notes.preprocessing({"channels": "L", "mean": [0], "std": [255]}, 3)
    assert found == Preprocessing("L", (0.0,) * 3, (255.0,) * 3)
    assert found.planes == 3


@pytest.mark.parametrize(
    "names",
    [
        "ten names",
        CLOTHES[:9],
        (*CLOTHES, "one more"),
        (*CLOTHES[:9], 9),
        (*CLOTHES[:9], None),
        (*CLOTHES[:9], ["nested"]),
        (*CLOTHES[:9], " \n"),
        dict.fromkeys(CLOTHES, 1),
        None,
    ],
)
def test_names_that_do_not_suit_are_left_aside_with_a_remark(names: Any) -> None:
    found, (remark,) = file_notes.applied(LENET, json.dumps({"classes": names}))
    assert found == LENET
    assert remark == "the file has no names for 10 classes: its names are left aside"


def test_names_from_strangers_are_one_short_line() -> None:
    names = file_notes.names({"classes": ["a\n\tb\u202e", "x" * 100_000]}, 2)
    assert names[0] == "a b�"
    assert len(names[1]) == file_notes.LONGEST_NAME


@pytest.mark.parametrize(
    "pixels",
    [
        {"channels": "L"},
        {"channels": "RGB", "mean": [0], "std": [1]},  # of one channel
        {"channels": "XYZ", "mean": [0], "std": [1]},
        {"channels": ["L"], "mean": [0], "std": [1]},
        {"channels": "L", "mean": [0, 0], "std": [1]},
        {"channels": "L", "mean": [], "std": [1]},
        {"channels": "L", "mean": 0, "std": 1},
        {"channels": "L", "mean": [0], "std": [0]},
        {"channels": "L", "mean": [float("nan")], "std": [1]},
        {"channels": "L", "mean": [0], "std": [float("inf")]},
        {"channels": "L", "mean": [10**400], "std": [1]},
        {"channels": "L", "mean": ["0"], "std": [1]},
        {"channels": "L", "mean": [True], "std": [1]},
    ],
)
def test_pixels_that_do_not_suit_are_left_aside_with_a_remark(pixels: dict[str, Any]) -> None:
    found, (remark,) = file_notes.applied(LENET, json.dumps(pixels))
    assert found == LENET
    assert remark == "what the file says of pixels does not suit 1 channel: it is left aside"


@pytest.mark.parametrize(
    "text",
    ["no JSON", '"text"', "[1]", "[" * 100_000, '{"mean": ' + "9" * 5000 + "}", json.dumps({"x": "y" * (1 << 20)})],
    ids=["no JSON", "a text", "a list", "too deep", "too many digits", "too long"],
)
def test_what_is_no_note_is_said_to_be_none(text: str) -> None:
    found, (remark,) = file_notes.applied(UNET, text)
    assert found == UNET
    assert "cannot be read" in remark


@pytest.mark.parametrize("told", [[3, 48], [3, 0, 48], [3, 48, 1 << 16], [3, 48, 4.0], [True, 48, 48], "3x48x48", None])
def test_a_size_that_cannot_be_is_none(told: Any) -> None:
    assert file_notes.input_size({"input_size": [3, 48, 52]}) == (3, 48, 52)
    assert file_notes.input_size({"input_size": told}) is None
