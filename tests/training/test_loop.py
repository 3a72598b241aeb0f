from __future__ import annotations

import itertools
import json
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from torch import nn

from segviz.core import assets, catalogue
from segviz.core.errors import SegvizError, UsageError
from segviz.engine.architectures import build
from segviz.training import loop
from segviz.training.datasets import Digits, mnist
from segviz.training.loop import TrainingProgress, TrainingResult, as_tensors, fit, fresh, pace, share_right, train
from segviz.training.recipes import RECIPES

LENET = catalogue.entry("lenet5")


def run(training: Generator[TrainingProgress, None, TrainingResult]) -> tuple[list[TrainingProgress], TrainingResult]:
    reports = []
    while True:
        try:
            reports.append(next(training))
        except StopIteration as end:
            return reports, end.value


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[TrainingProgress], TrainingResult]:
    return run(train("lenet5", tmp_path_factory.mktemp("quick") / "lenet5.safetensors", quick=True))


def test_a_quick_run_learns(quick: tuple[list[TrainingProgress], TrainingResult]) -> None:
    reports, result = quick
    assert reports[-1].loss < 0.5 * reports[0].loss
    assert result.accuracy > 0.6  # chance is 0.1; 0.89 was measured
    assert result.tested == 2000
    assert result.parameters == 61_706


def test_reports_count_to_the_end(quick: tuple[list[TrainingProgress], TrainingResult]) -> None:
    reports, result = quick
    assert [(r.epoch, r.step) for r in reports] == list(itertools.product((1, 2), (20, 40, 60)))
    assert {(r.epochs, r.steps) for r in reports} == {(2, 60)}
    assert all(0 <= r.accuracy <= 1 for r in reports)
    assert result.epochs == 2


def test_the_file_holds_the_network_and_says_how_it_was_made(
    quick: tuple[list[TrainingProgress], TrainingResult],
) -> None:
    _, result = quick
    with safetensors.safe_open(result.file, "pt") as file:
        facts = json.loads(file.metadata()["segviz"])
        shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    assert facts == {"recipe": "lenet5", "epochs": 2, "seed": 0, "accuracy": round(result.accuracy, 4)}
    assert shapes == {name: list(t.shape) for name, t in fresh(LENET, 0).state_dict().items()}
    assert [p.name for p in result.file.parent.iterdir()] == ["lenet5.safetensors"]  # nothing temporary is left


def tiny(steps: int = 3) -> tuple[nn.Module, list[TrainingProgress]]:
    network = fresh(LENET, 5)
    plan = replace(RECIPES["lenet5"], epochs=1, steps=steps, batch=16)
    digits = mnist("t10k")
    few = Digits(digits.images[:128], digits.labels[:128])
    return network, list(fit(network, *as_tensors(few, LENET), plan))


def test_the_same_seed_gives_the_same_weights_and_leaves_chance_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    (one, reports), (other, again) = tiny(), tiny()
    assert torch.equal(torch.rand(3), expected)
    assert reports == again
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert not torch.equal(one.get_parameter("c1.weight"), fresh(LENET, 5).get_parameter("c1.weight"))
    assert not one.training


def test_the_number_of_threads_does_not_matter_and_is_left_as_it_was() -> None:
    before = torch.get_num_threads()
    results = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(tiny()[1])
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(before)
    assert results[0] == results[1]


def test_stopping_writes_nothing(tmp_path: Path) -> None:
    training = train("lenet5", tmp_path / "out.safetensors", quick=True)
    next(training)
    training.close()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(SegvizError, match="there is no folder"):
        next(train("lenet5", tmp_path / "nowhere" / "out.safetensors"))
    with pytest.raises(UsageError, match="no training recipe"):
        next(train("alexnet", tmp_path / "out.safetensors"))


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.safetensors"
    out.write_bytes(b"the old one")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("segviz.core.export.os.fsync", full)
    with pytest.raises(SegvizError, match="No space left on device"):
        loop._write(fresh(LENET, 0), out, {})
    assert out.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [out]


def test_digits_are_padded_by_two_and_scaled_to_one() -> None:
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 0, 0], images[0, 27, 26] = 255, 51
    x, labels = as_tensors(Digits(images, np.array([7])), LENET)
    assert x.shape == (1, 1, 32, 32)
    assert x.nonzero().tolist() == [[0, 0, 2, 2], [0, 0, 29, 28]]
    assert x[0, 0, 2, 2] == 1
    assert x[0, 0, 29, 28] == pytest.approx(0.2)
    assert labels.tolist() == [7]


def test_pace_rises_and_falls() -> None:
    paces = [pace(step, 100) for step in range(100)]
    assert paces[0] == pytest.approx(0.1)
    assert max(paces) == paces[10] == 1
    assert paces[:11] == sorted(paces[:11])
    assert paces[10:] == sorted(paces[10:], reverse=True)
    assert 0 < paces[-1] < 0.001
    assert pace(0, 1) == 1


def test_shares_are_counted_over_uneven_batches() -> None:
    logits = torch.eye(3)[[0, 1, 2, 0, 1]]
    labels = torch.tensor([0, 1, 2, 1, 1])
    assert share_right(nn.Identity(), logits, labels, batch=2) == pytest.approx(0.8)


def test_shipped_weights_name_the_test_digits() -> None:
    """The score that SOURCES.toml states, computed again."""
    entry, network = build("lenet5")
    accuracy = share_right(network, *as_tensors(mnist("t10k"), entry))
    with safetensors.safe_open(assets.weights(entry.weights), "pt") as file:
        facts = json.loads(file.metadata()["segviz"])
    assert accuracy >= 0.97
    assert accuracy == pytest.approx(facts["accuracy"], abs=0.001)
    assert (facts["recipe"], facts["seed"], facts["epochs"]) == (
        "lenet5",
        RECIPES["lenet5"].seed,
        RECIPES["lenet5"].epochs,
    )
