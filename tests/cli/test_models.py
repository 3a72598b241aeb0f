"""The catalogue as the command line tells it."""

from __future__ import annotations

from segviz.core import catalogue
from tests.cli.conftest import Segviz

KEYS = {
    "name",
    "title",
    "task",
    "parameters",
    "input_size",
    "classes",
    "stride",
    "receptive_field",
    "weights",
    "licence",
}


def test_every_network_with_all_its_keys(segviz: Segviz) -> None:
    found = segviz("models", "--json").data["models"]
    assert [model["name"] for model in found] == [entry.name for entry in catalogue.ENTRIES]
    assert all(model.keys() >= KEYS for model in found)
    lenet = found[0]
    assert (lenet["parameters"], lenet["input_size"], lenet["receptive_field"]) == (61_706, [1, 32, 32], 32)


def test_the_table_names_every_network_and_every_option(segviz: Segviz) -> None:
    text = segviz("models").out
    for entry in catalogue.ENTRIES:
        assert entry.name in text
        assert f"{entry.parameters:,}" in text
    assert "mtcnn_onet?pooling=floor" in text


def test_random_weights_are_told_from_trained_ones(segviz: Segviz) -> None:
    weights = {model["name"]: model["weights"] for model in segviz("models", "--json").data["models"]}
    assert weights["lenet5"] == "lenet5.safetensors"
    assert weights["vgg16"] == "random (seeded)"
    lines = {line.split()[0]: line for line in segviz("models").out.splitlines() if line}
    assert "  trained  " in lines["lenet5"]
    assert "  random (seeded)  " in lines["alexnet"]


def test_the_table_is_aligned(segviz: Segviz) -> None:
    head, rule, *rows = segviz("models").out.splitlines()[:8]
    assert set(rule) == {"-", " "}
    starts = [i for i, c in enumerate(rule) if c == "-" and (i == 0 or rule[i - 1] == " ")]
    for row in (head, *rows):
        assert all(start == 0 or row[start - 1] == " " for start in starts)
