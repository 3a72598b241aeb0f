"""The layer table: the lecture's numbers for LeNet-5 (T01), and the law that its column adds up."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from segviz.cli.summary import listed
from segviz.core.requests import Layer
from tests.cli.conftest import Segviz

KEYS = {"name", "type", "output_shape", "parameters", "macs", "stride", "receptive_field", "start"}


def test_lenet5_is_the_lectures_table(segviz: Segviz) -> None:
    data = segviz("summary", "lenet5", "--json").data
    layers = [layer for layer in data["layers"] if layer["parameters"]]
    assert [layer["parameters"] for layer in layers] == [156, 2_416, 48_120, 10_164, 850]
    assert (data["total_parameters"], data["trainable_parameters"]) == (61_706, 61_706)
    shapes = [tuple(layer["output_shape"]) for layer in data["layers"]]
    wanted = [(6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (400,), (120,), (84,), (10,)]
    assert [shape for shape in wanted if shape in shapes] == wanted


def test_lenet5_fields_are_those_of_the_oracle(segviz: Segviz) -> None:
    """oracles.md: C1 5,1,2 - S2 6,2,2.5 - C3 14,2,6.5 - S4 16,4,7.5 - C5 and output 32,4,15.5."""
    layers = segviz("summary", "lenet5", "--json").data["layers"]
    found = [(layer["receptive_field"], layer["stride"], layer["start"][0]) for layer in layers]
    distinct = list(dict.fromkeys(found))
    assert distinct == [(5, 1, 2), (6, 2, 2.5), (14, 2, 6.5), (16, 4, 7.5), (32, 4, 15.5)]


@pytest.mark.parametrize("spec", ["lenet5", "mtcnn_rnet", "mtcnn_onet?pooling=floor", "selfie_general"])
def test_the_column_of_parameters_adds_up(segviz: Segviz, spec: str) -> None:
    data = segviz("summary", spec, "--json").data
    assert all(layer.keys() >= KEYS for layer in data["layers"])
    assert sum(layer["parameters"] for layer in data["layers"]) == data["total_parameters"]
    assert sum(layer["macs"] for layer in data["layers"]) == data["macs"]


def test_the_text_shows_the_lectures_form(segviz: Segviz) -> None:
    text = segviz("summary", "lenet5").out
    assert any({"28x28x6", "156", "5", "1"} <= set(line.split()) for line in text.splitlines())
    assert "Total parameters: 61,706" in text


def test_another_input_size_changes_shapes_but_not_parameters(segviz: Segviz) -> None:
    data = segviz("summary", "mtcnn_pnet", "--input", "24x36", "--json").data
    assert data["input_shape"] == [3, 24, 36]
    assert data["total_parameters"] == 6_632


def test_the_wrong_number_of_channels_names_the_right_input(segviz: Segviz) -> None:
    done = segviz("summary", "lenet5", "--input", "3x32x32")
    assert done.status == 2
    assert "--input 1x32x32" in done.err


def layer(name: str, parameters: int, leaf: bool) -> Layer:
    return Layer(name, "T", name.count("."), leaf, (1, 1, 1), (1, 1, 1), parameters, 0, None, None, None)


def test_a_container_is_listed_only_with_parameters_of_its_own() -> None:
    layers = [
        layer("a", 10, False),
        layer("a.b", 7, False),  # has 2 besides those of its leaf
        layer("a.b.conv", 5, True),
        layer("a.c", 3, True),
        layer("ab", 4, True),
    ]
    assert [(found.name, own) for found, own in listed(layers)] == [("a.b", 2), ("a.b.conv", 5), ("a.c", 3), ("ab", 4)]


def test_an_input_that_a_dense_layer_refuses_fits_the_converted_form(segviz: Segviz) -> None:
    done = segviz("summary", "lenet5", "--input", "1x64x64")
    assert done.status == 1
    for said in ("breaks at layer 'c5'", "1x32x32 alone", "--converted"):
        assert said in done.err
    data = segviz("summary", "lenet5", "--input", "1x64x64", "--converted", "--json").data
    assert data["layers"][-1]["output_shape"] == [10, 9, 9]
    assert data["total_parameters"] == 61_706


def test_capabilities_are_listed_with_the_reason_where_the_answer_is_no(segviz: Segviz) -> None:
    found = {
        item["name"]: item for item in segviz("summary", "lenet5", "--capabilities", "--json").data["capabilities"]
    }
    assert list(found) == ["runs", "sizes", "features", "gradients", "field", "converts"]
    assert found["sizes"]["verdict"] == "partly"
    assert "'c5'" in found["sizes"]["reason"]
    text = segviz("summary", "lenet5", "--capabilities").out
    assert any(line.split()[:2] == ["Runs", "yes"] for line in text.splitlines())
    assert "capabilities" not in segviz("summary", "lenet5", "--json").data


def test_a_file_of_any_ending_in_this_folder_is_opened_by_what_it_holds(
    segviz: Segviz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was taken for a name of the catalogue, unless its ending was one of those that networks usually have."""
    monkeypatch.chdir(tmp_path)
    weights = {name: torch.zeros(shape) for name, shape in {"a.weight": (2, 3), "b.weight": (2,)}.items()}
    torch.save(weights, "own.pkl")
    done = segviz("summary", "own.pkl")
    assert done.status == 1
    assert done.err.startswith("segviz: own.pkl: its 2 tensors are of another model")
    torch.save(weights, "lenet5")
    assert segviz("summary", "lenet5").status == 0  # a name of the catalogue is that
    assert "no network 'other.pkl' in the catalogue" in segviz("summary", "other.pkl").err


def test_names_that_do_not_suffice_are_told(segviz: Segviz, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("nought\none\ntwo\n", encoding="utf-8")
    done = segviz("summary", f"lenet5?labels={tmp_path / 'names.txt'}")
    assert "\n3 names for 10 classes" in done.out
