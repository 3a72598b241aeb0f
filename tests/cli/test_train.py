"""Training from the command line, in its quick form."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.numpy
from PIL import Image

from segviz.cli import train as train_verb
from segviz.cli.console import Console
from segviz.core import catalogue
from segviz.core.choices import RecipeName
from segviz.core.learning import TrainRequest
from segviz.training.loop import train
from tests.cli.conftest import Segviz


def test_a_quick_run_learns_and_writes_weights(segviz: Segviz, tmp_path: Path) -> None:
    data = segviz("train", "lenet5", "--quick", "--steps", 60, "--out", "net.safetensors", "--json").data
    assert data["parameters"] == 61_706
    assert data["accuracy"] > 0.2, "chance is 0.1"
    assert data["per_class"].keys() == set("0123456789")
    assert "mean_iou" not in data
    tensors = safetensors.numpy.load_file(tmp_path / "net.safetensors")
    assert sum(tensor.size for tensor in tensors.values()) == 61_706


def test_pixels_have_the_four_scores(segviz: Segviz) -> None:
    data = segviz("train", "digits-fcn", "--quick", "--steps", 1, "--out", "fcn.safetensors", "--json").data
    assert {"pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou", "per_class"} <= data.keys()
    assert len(data["ladder"]) == 3
    assert "accuracy" not in data


def test_recipes_are_listed(segviz: Segviz) -> None:
    assert [recipe["name"] for recipe in segviz("train", "--json").data["recipes"]] == list(RecipeName)


def test_unknown_recipes_and_folders_are_messages(segviz: Segviz, tmp_path: Path) -> None:
    unknown = segviz("train", "lenet6", "--out", "x.safetensors")
    assert unknown.status == 2
    assert "there are: lenet5" in unknown.err
    nowhere = segviz("train", "lenet5", "--quick", "--out", "nowhere/x.safetensors")
    assert nowhere.status == 1
    assert "no folder" in nowhere.err
    assert "--out" in segviz("train", "lenet5").err
    (tmp_path / "x.checkpoint").write_bytes(b"")
    assert "--resume" in segviz("train", "lenet5", "--out", "x.safetensors").err


def save(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    """Four images of 48 x 60 with a grey and a white square on black, which are classes 1 and 2; one is held out."""
    labels = np.zeros((48, 60), np.uint8)
    labels[8:30, 6:28], labels[16:40, 32:54] = 1, 2
    folder = tmp_path / "squares"
    for name in "abcd":
        save(folder / "images" / f"{name}.png", labels * 110)
        save(folder / "masks" / f"{name}.png", labels)
    (folder / "held_out.txt").write_text("d\n")
    return folder


def test_a_folder_of_ones_own_is_learned_from_and_its_file_opens(segviz: Segviz, squares: Path) -> None:
    """Three classes, where the recipe's own data have two: the last layer has another size."""
    (squares / "classes.txt").write_text("paper\npencil\nchalk\n")
    words = ("train", "unet-cells", "--quick", "--steps", 2, "--data", "squares", "--out", "own.safetensors", "--json")
    data = segviz(*words).data
    assert data["data"] == "squares"
    assert data["tested"] == 1
    assert list(data["per_class"]) == ["paper", "pencil", "chalk"]
    assert data["parameters"] == catalogue.entry("unet-cells").parameters + 16 + 1  # of one more class
    assert segviz("summary", "own.safetensors", "--json").data["layers"][-1]["output_shape"][0] == 3
    scored = segviz("evaluate", "own.safetensors", "--data", "squares", "--json")
    assert scored.data["per_class"][0]["name"] == "paper"
    assert "by index" not in scored.err


def test_a_folder_with_as_many_classes_keeps_the_network(segviz: Segviz, squares: Path) -> None:
    for name in "abcd":
        (squares / "masks" / f"{name}.png").rename(squares / f"{name}.png")
        save(squares / "instances" / f"{name}.png", np.asarray(Image.open(squares / f"{name}.png")) * 40)
    words = ("train", "unet-cells", "--quick", "--steps", 1, "--data", squares, "--out", "own.safetensors", "--json")
    data = segviz(*words).data
    assert list(data["per_class"]) == ["background", "object"]
    assert data["parameters"] == catalogue.entry("unet-cells").parameters
    with safetensors.safe_open("own.safetensors", "np") as file:
        assert json.loads(file.metadata()["segviz"])["data"] == "squares", "no path of anybody's machine"


def test_what_is_no_folder_of_data_is_said(segviz: Segviz, squares: Path) -> None:
    def said(recipe: str, data: object) -> str:
        done = segviz("train", recipe, "--quick", "--data", data, "--out", "x.safetensors")
        assert done.status == 1
        return done.err

    (squares.parent / "photos" / "holiday").mkdir(parents=True)
    told = said("unet-cells", "photos")
    assert "photos: " in told
    assert "docs/data.md" in told
    assert "nowhere: there is no such folder" in said("unet-cells", squares.parent / "nowhere")
    assert "d.png: a file; give the folder" in said("unet-cells", squares / "images" / "d.png")
    assert "no data 'cats' to learn from; there are: digits" in said("unet-cells", "cats")
    assert "squares: a folder tells the class of every pixel, and LeNet-5 answers once" in said("lenet5", "squares")


def test_what_the_window_offers_can_be_asked_for_here_too(segviz: Segviz, tmp_path: Path) -> None:
    """Rate, masking, class weights and patches reach the request; what makes no sense is refused by its value."""
    parser = argparse.ArgumentParser()
    train_verb.add_arguments(parser)

    def asked(*words: str) -> TrainRequest:
        given = ("digits-allconv", "--out", str(tmp_path / "net.safetensors"), *words)
        return train_verb._request(parser.parse_args(given), Console(quiet=True))

    wanted = asked("--kept", "5%", "--class-weights", "0.5,1", "--rate", "0.01", "--patches")
    assert (wanted.kept, wanted.class_weights, wanted.learning_rate, wanted.patches) == (0.05, (0.5, 1), 0.01, True)
    assert asked("--whole").patches is False
    plain = asked()
    assert (plain.kept, plain.class_weights, plain.learning_rate, plain.patches) == (None,) * 4
    for option, value, said in (
        ("--kept", "0", "no share of pixels"),
        ("--rate", "-1", "no learning rate"),
        ("--class-weights", "1,-1", "a weight is 0 or more"),
        ("--class-weights", "1,2", "2 class weights for 11 classes"),
    ):
        refused = segviz("train", "digits-allconv", "--quick", "--out", "net.safetensors", f"{option}={value}")
        assert refused.status in (1, 2)
        assert said in refused.err


def test_resuming_without_a_checkpoint_is_said(segviz: Segviz) -> None:
    done = segviz("train", "lenet5", "--quick", "--steps", 1, "--out", "net.safetensors", "--resume")
    assert done.status == 0
    assert "net.checkpoint is not there: nothing to go on with, training begins anew" in done.err


def test_other_data_in_the_same_folder_end_a_stopped_training(segviz: Segviz, squares: Path) -> None:
    asked = TrainRequest(
        "unet-cells", str(squares), quick=True, steps=3, out=str(squares.parent / "own.safetensors"),
        checkpoint=str(squares.parent / "own.checkpoint"),
    )  # fmt: skip
    training = train(asked)
    next(training)
    training.close()
    words = ("train", "unet-cells", "--quick", "--steps", 3, "--data", squares, "--out", "own.safetensors", "--resume")
    moved = squares.rename(squares.parent / "elsewhere")
    moved.rename(squares)  # where it lies is one thing, what lies in it another
    save(squares / "images" / "a.png", np.full((48, 60), 99, np.uint8))
    refused = segviz(*words)
    assert refused.status == 1
    assert "own.checkpoint: the images or masks of the folder have changed since it was left" in refused.err
