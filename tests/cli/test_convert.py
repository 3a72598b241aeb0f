"""`segviz convert`: files that hold the fully convolutional network, and what is said of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from segviz.core.entries import Entry
from tests.cli.conftest import Segviz

KEYS = {"converted", "max_abs_difference", "out", "pooling", "input_size", "stride", "reloaded_difference", "sizes"}


@pytest.mark.parametrize("ending", ["safetensors", "pt2", "PT2"])
def test_lenet5_is_converted_saved_and_proven(segviz: Segviz, tmp_path: Path, ending: str) -> None:
    data = segviz("convert", "lenet5", "--out", f"net.{ending}", "--json").data
    assert data.keys() >= KEYS
    assert data["converted"][1] == {"layer": "c5", "from": "dense 400 to 120", "to": "convolution 5x5, 16 to 120"}
    assert data["max_abs_difference"] < 1e-5
    assert data["reloaded_difference"] < 1e-4
    assert (data["input_size"], data["stride"]) == ([1, 32, 32], 4)
    assert (tmp_path / f"net.{ending}").stat().st_size == data["bytes"] > 61_706 * 4


def test_the_text_names_every_layer_and_both_proofs(segviz: Segviz) -> None:
    done = segviz("convert", "lenet5", "--out", "net.safetensors")
    assert done.status == 0
    assert "convolution 5x5, 16 to 120" in done.out
    assert "Same logits on the native input of 32 x 32" in done.out
    assert "Read again and compared on 32 x 32 and 38 x 49" in done.out


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("mtcnn_pnet", "MTCNN P-Net is fully convolutional as it is: nothing was to be converted"),
        ("selfie_general", "Selfie segmentation answers per pixel as it is: nothing was to be converted"),
    ],
)
def test_where_there_is_nothing_to_convert_it_says_so_and_saves(
    segviz: Segviz, tmp_path: Path, spec: str, words: str
) -> None:
    data = segviz("convert", spec, "--out", "net.safetensors", "--json").data
    assert (data["converted"], data["notes"]) == ([], [words])
    assert (tmp_path / "net.safetensors").is_file()
    assert words in segviz("convert", spec, "--out", "net.safetensors").out


def test_random_weights_are_told(segviz: Segviz, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file outlives the window that would say so."""
    monkeypatch.setattr(Entry, "trained", False)
    said = "LeNet-5 has random weights: its labels mean nothing, its speed and geometry do"
    assert segviz("convert", "lenet5", "--out", "net.safetensors", "--json").data["notes"] == [said]
    assert said in segviz("convert", "lenet5", "--out", "net.safetensors").out


def test_pooling_is_what_was_asked_for(segviz: Segviz) -> None:
    words = ("convert", "efficientnet_lite0", "--out", "net.safetensors", "--json")
    none, window = (segviz(*words, "--pooling", pooling).data for pooling in ("none", "window"))
    assert (none["pooling"], none["converted"][0]["to"]) == ("none", "nothing")
    assert (window["pooling"], window["converted"][0]["to"]) == ("window", "average of 7x7, stride 1")
    assert segviz(*words).data["pooling"] == "none"


def test_padding_that_depends_on_the_size_ends_with_what_can_be_done(segviz: Segviz, tmp_path: Path) -> None:
    done = segviz("convert", "efficientnet_lite0", "--out", "net.pt2")
    assert (done.status, done.out) == (1, "")
    assert "layer 'stem' depends on the image size" in done.err
    assert "--input 3x224x224" in done.err
    assert not (tmp_path / "net.pt2").exists()


WRONG = [
    (("--out", "net.onnx"), ".safetensors (weights) or .pt2 (a program)"),
    (("--out", "net"), ".safetensors (weights) or .pt2 (a program)"),
    (("--out", "net.safetensors", "--input", "64x64"), "weights fit every size and stride"),
    (("--out", "net.pt2", "--input", "64x64", "--multiple", "8"), "give one of the two"),
    (("--out", "net.pt2", "--input", "3x64x64"), "--input 1x64x64"),
    (("--out", "net.pt2", "--device", "cuda"), "--device cuda"),
]


@pytest.mark.parametrize(("words", "said"), WRONG)
def test_words_that_do_not_fit_are_wrong_usage(
    segviz: Segviz, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = segviz("convert", "lenet5", *words)
    assert done.status == 2
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_fails_in_one_line(segviz: Segviz) -> None:
    done = segviz("convert", "lenet5", "--out", "nowhere/net.safetensors")
    assert done.status == 1
    assert "net.safetensors: there is no folder" in done.err
