"""Training from the command line, in its quick form."""

from __future__ import annotations

import argparse
import json
import re
import signal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.numpy
from PIL import Image

from segviz.cli import train as train_verb
from segviz.cli import training_words
from segviz.cli.console import Console
from segviz.core import catalogue
from segviz.core.choices import RecipeName
from segviz.core.learning import TrainingProgress, TrainRequest
from segviz.training.loop import train
from segviz.training.recipes import RECIPES
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


def test_lists_and_help_say_which_recipe_takes_which_data_and_what_data_need(segviz: Segviz) -> None:
    data = segviz("train", "--json").data
    takes = {recipe["name"]: recipe["data"] for recipe in data["recipes"]}
    assert takes["fcn-scenes"] == ["stamps", "FOLDER"]
    assert takes["heads-gap"] == ["clothes", "digits"]
    needs = {one["name"]: one["packages"] for one in data["data"]}
    assert needs["stamps"][0] == "tuxpaint-stamps-default"
    assert not needs["digits"]
    for said in (segviz("train").out, segviz("train", "--help").out):
        assert re.search(r"^ *fcn-scenes .*stamps, FOLDER$", said, re.MULTILINE)
        assert "apt-get install tuxpaint-stamps-default" in said
        assert "docs/data.md" in said
        assert all(package in said for package in needs["stamps"])


@pytest.mark.parametrize(
    ("recipe", "data", "said"),
    [
        ("fcn-scenes", "scenes", "scenes are held out"),
        ("fcn-scenes", "digits", "fcn-scenes does not learn from digits"),
        ("lenet5", "cells", "lenet5 does not learn from cells"),
    ],
)
def test_data_of_another_recipe_are_one_line_that_names_what_would_do(
    segviz: Segviz, recipe: str, data: str, said: str
) -> None:
    done = segviz("train", recipe, "--data", data, "--out", "x.safetensors")
    assert done.status == 1
    assert said in done.err
    assert "learns from" in done.err
    assert done.err.count("\n") == 1


def test_the_json_says_what_decided_the_numbers(segviz: Segviz) -> None:
    """Seed and data that were used, whether a person or the recipe named them, and a time without noise digits."""
    words = ("train", "lenet5", "--quick", "--steps", 1, "--out", "net.safetensors", "--json")
    data = segviz(*words).data
    assert (data["seed"], data["data"]) == (RECIPES[RecipeName.LENET5].seed, "digits")
    assert data["seconds"] == round(data["seconds"], 3)
    data = segviz(*words, "--seed", 7, "--data", "clothes").data
    assert (data["seed"], data["data"]) == (7, "clothes")


def test_progress_goes_into_a_file_line_by_line(segviz: Segviz) -> None:
    words = ("train", "lenet5", "--quick", "--steps", 20, "--out", "net.safetensors")
    lines = [line for line in segviz(*words).err.splitlines() if line.startswith("step ")]
    assert [line.split(":")[0] for line in lines] == [f"step {step} of 20" for step in range(0, 21, 2)]
    assert re.fullmatch(r"step 2 of 20: loss \d\.\d+, right [\d.]+%, held out [\d.]+%, \d+:\d\d to go", lines[1])
    assert lines[-1].endswith("%"), "nothing is left to wait for"
    assert segviz(*words, "--quiet").err == ""


def test_a_long_silence_is_broken(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    monkeypatch.setattr(training_words.time, "monotonic", lambda: now[0])
    lines = training_words.Lines(quiet=False)
    for step in range(100):
        now[0] = 4.0 * step
        lines.show(TrainingProgress(step, 100, 1.0, 0.5, now[0]))
        lines.show(TrainingProgress(step, 100, 1.0, 0.5, now[0]))
    said = [int(line.split()[1]) for line in capsys.readouterr().err.splitlines()]
    assert said == list(range(0, 100, 8)), "half a minute is eight steps of four seconds"


def test_an_interrupt_says_where_it_stopped_and_how_to_go_on(
    segviz: Segviz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real signal at the fourth step; what goes on from there ends as a training that was never stopped."""
    words = ("train", "lenet5", "--quick", "--steps", 6, "--out", "net.safetensors")
    segviz(*words)
    whole = (tmp_path / "net.safetensors").read_bytes()
    (tmp_path / "net.safetensors").unlink()
    show = training_words.Lines.show

    def interrupted(self: training_words.Lines, at: TrainingProgress) -> None:
        show(self, at)
        if at.step == 4:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(training_words.Lines, "show", interrupted)
        done = segviz(*words)
    assert done.status == 1
    for part in ("stopped at step 4 of 6", "net.checkpoint keeps", "the same --out", "--resume"):
        assert part in done.err.splitlines()[-1]
    assert not (tmp_path / "net.safetensors").exists()
    done = segviz(*words, "--resume")
    assert "net.checkpoint: training goes on at step 4 of 6" in done.err
    assert (tmp_path / "net.safetensors").read_bytes() == whole
    assert not (tmp_path / "net.checkpoint").exists()


def test_a_loss_that_is_no_number_ends_a_training_and_spares_the_file(segviz: Segviz, tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").write_bytes(b"good")
    done = segviz("train", "lenet5", "--quick", "--rate", "1e9", "--steps", 20, "--out", "net.safetensors", "--quiet")
    assert done.status == 1
    assert re.search(r"the loss was (nan|inf) in step \d+: .* lower rate than 1e\+09", done.err)
    assert (tmp_path / "net.safetensors").read_bytes() == b"good"


def test_objects_are_said_where_data_tell_them_apart(segviz: Segviz) -> None:
    done = segviz("train", "unet-cells", "--quick", "--steps", 1, "--out", "cells.safetensors")
    assert re.search(r"^F-score of objects \d\.\d{3}, [\d.]+% of touching pairs apart$", done.out, re.MULTILINE)


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
    assert "on 1 crop of images never seen" in segviz(*words[:-1]).out, "a large image is many crops"
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
    assert "no data 'cats' to learn from (and there is no folder cats here)" in said("unet-cells", "cats")
    assert "images: give the folder above it, squares, which has" in said("unet-cells", squares / "images")
    assert "no images/ beside masks/ or instances/, but squares in it has them" in said("unet-cells", squares.parent)
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
        ("--class-weights", "1,b", "'1,b' is not W,W,..."),
        ("--seed", "-1", "-1 is no seed"),
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
