"""Training from the command line, in its quick form."""

from __future__ import annotations

from pathlib import Path

import safetensors.numpy

from segviz.core.choices import RecipeName
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
