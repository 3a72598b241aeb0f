"""Training from the command line, in its quick form."""

from __future__ import annotations

from pathlib import Path

import safetensors.numpy

from tests.cli.conftest import Segviz


def test_a_quick_run_learns_and_writes_weights(segviz: Segviz, tmp_path: Path) -> None:
    done = segviz("train", "lenet5", "--quick", "--epochs", 1, "--out", "net.safetensors", "--json")
    data = done.data
    assert data["parameters"] == 61_706
    assert data["accuracy"] > 0.2, "chance is 0.1"
    tensors = safetensors.numpy.load_file(tmp_path / "net.safetensors")
    assert sum(tensor.size for tensor in tensors.values()) == 61_706


def test_unknown_recipes_and_folders_are_messages(segviz: Segviz) -> None:
    unknown = segviz("train", "lenet6", "--out", "x.safetensors")
    assert unknown.status == 2
    assert "there are: lenet5" in unknown.err
    nowhere = segviz("train", "lenet5", "--quick", "--out", "nowhere/x.safetensors")
    assert nowhere.status == 1
    assert "no folder" in nowhere.err
