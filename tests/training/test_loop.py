from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from segviz.core import assets, catalogue, file_notes
from segviz.core.choices import RecipeName
from segviz.core.errors import SegvizError, UsageError
from segviz.core.learning import TrainingProgress, TrainingResult, TrainingSamples, TrainRequest
from segviz.core.specs import of_file
from segviz.engine.architectures import build
from segviz.engine.opening import opened
from segviz.training import losses, recipes, weights
from segviz.training.datasets import Labelled, mnist
from segviz.training.loop import Run, schedule, threads, train
from segviz.training.networks import beginning, groups, learning
from segviz.training.pictures import as_tensors
from segviz.training.recipes import RECIPES, recipe
from segviz.training.scoring import Tally, outputs_of, result_of

LENET = catalogue.entry("lenet5")

# How far above guessing a quick form comes at least: shares of images, or mean IoU. Behind it what was measured; other
# processors round otherwise, and after so few steps that shows.
LEARNED = {
    RecipeName.LENET5: 0.5,
    RecipeName.DIGITS_FCN: 0.02,  # 0.055
    RecipeName.DIGITS_SEGNET: 0.01,  # 0.034
    RecipeName.DIGITS_ALLCONV: 0.01,  # 0.039
    RecipeName.FCN_SCENES: 0.03,  # 0.048
    RecipeName.UNET_CELLS: 0.05,  # 0.133
    RecipeName.UNET_CELLS_PLAIN: 0.05,  # 0.139
    RecipeName.HEADS_DENSE: 0.3,
    RecipeName.HEADS_DROPOUT: 0.3,
    RecipeName.HEADS_GAP: 0.3,
}


def run(training: Generator[Any, None, TrainingResult]) -> tuple[list[Any], TrainingResult]:
    reports = []
    while True:
        try:
            reports.append(next(training))
        except StopIteration as end:
            return reports, end.value


def tensors(path: str | Path) -> dict[str, torch.Tensor]:
    with safetensors.safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def guessed(tally: Tally) -> float:
    """What naming the commonest class everywhere would score: a share of images, or the mean IoU of pixels.

    The mean is over the same classes as that of the network: those that are there, and those that it names.
    """
    true, named = tally.tables[-1].counts.sum(axis=1), tally.tables[-1].counts.sum(axis=0)
    share = float(true.max() / true.sum())
    return share / np.count_nonzero(true + named) if tally.per_pixel else share


@pytest.mark.parametrize("name", RecipeName)
def test_a_quick_form_learns(name: RecipeName) -> None:
    learner = Run(TrainRequest(name, quick=True))
    first, *_, last = [report for report in learner.learn() if isinstance(report, TrainingProgress)]
    assert last.loss < 0.95 * first.loss
    score = last.held_out if last.mean_iou is None else last.mean_iou
    assert score is not None
    assert score > guessed(learner.tally) + LEARNED[name]
    assert last.tested_at == last.step == learner.plan.steps
    assert len(learner.tally.tables) == (3 if learner.plan.ladder else 1)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> TrainRequest:
    """Two tests in ten steps of dropout, random batches and random masks."""
    plan = replace(
        RECIPES[RecipeName.HEADS_DROPOUT], batch=8, quick={"tests": 2}, data_options={}, kept=0.7, learning_rate=1e-3
    )
    monkeypatch.setitem(recipes.RECIPES, RecipeName.HEADS_DROPOUT, plan)
    return TrainRequest("heads-dropout", quick=True, steps=10)


def numbers(reports: list[Any]) -> list[TrainingProgress]:
    """The last report of every step, without its clock."""
    last = {r.step: replace(r, seconds=0.0) for r in reports if isinstance(r, TrainingProgress)}
    return list(last.values())


def test_the_same_seed_gives_the_same_numbers_and_leaves_chance_alone(short: TrainRequest, tmp_path: Path) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    one, two, three = (replace(short, out=str(tmp_path / f"{n}.safetensors"), seed=n // 2) for n in (0, 1, 2))
    found = [numbers(run(train(request))[0]) for request in (one, two, three)]
    assert torch.equal(torch.rand(3), expected)
    assert found[0] == found[1] != found[2]
    assert Path(one.out or "").read_bytes() == Path(two.out or "").read_bytes()


@pytest.mark.parametrize("stopped_after", [1, 4, 5, 9])
def test_who_goes_on_gets_the_numbers_of_who_never_stopped(
    short: TrainRequest, tmp_path: Path, stopped_after: int
) -> None:
    whole = replace(short, out=str(tmp_path / "whole.safetensors"))
    expected = numbers(run(train(whole))[0])
    halves = replace(short, out=str(tmp_path / "halves.safetensors"), checkpoint=str(tmp_path / "halves.checkpoint"))
    first, reports = train(halves), []
    while not reports or getattr(reports[-1], "step", 0) < stopped_after:
        reports.append(next(first))
    first.close()
    assert (tmp_path / "halves.checkpoint").is_file()
    assert not (tmp_path / "halves.safetensors").exists()
    more, _ = run(train(halves))
    assert numbers([*reports, *more]) == expected
    assert (tmp_path / "halves.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    assert not (tmp_path / "halves.checkpoint").exists(), "nothing is left to go on with"


def test_a_crash_costs_what_came_after_the_newest_test(short: TrainRequest, tmp_path: Path) -> None:
    place = tmp_path / "crashed.checkpoint"
    training = train(replace(short, checkpoint=str(place)))
    next(report for report in training if report.step == 6)
    kept = place.read_bytes()
    training.close()
    place.write_bytes(kept)
    run_on = Run(short)
    from segviz.training import checkpoints

    run_on.go_on(checkpoints.read(place, short), place)
    assert run_on.step == 5


def test_a_checkpoint_belongs_to_its_request(short: TrainRequest, tmp_path: Path) -> None:
    place = tmp_path / "run.checkpoint"
    mine = replace(short, checkpoint=str(place))
    training = train(mine)
    next(training)
    training.close()
    with pytest.raises(SegvizError, match=r"run\.checkpoint: belongs to another training \(seed is the recipe's there"):
        next(train(replace(mine, seed=4)))
    place.write_bytes(b"PK nothing")
    with pytest.raises(SegvizError, match=r"run\.checkpoint: not a checkpoint"):
        next(train(mine))
    torch.save({"weights": torch.zeros(1)}, place)
    with pytest.raises(SegvizError, match=r"run\.checkpoint: not a checkpoint of segviz"):
        next(train(mine))


def test_stopping_writes_nothing_where_no_checkpoint_is_named(short: TrainRequest, tmp_path: Path) -> None:
    training = train(replace(short, out=str(tmp_path / "out.safetensors")))
    next(training)
    training.close()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(SegvizError, match="there is no folder"):
        next(train(TrainRequest("lenet5", out=str(tmp_path / "nowhere" / "out.safetensors"))))
    with pytest.raises(UsageError, match="no training recipe"):
        next(train(TrainRequest("alexnet")))


def test_the_file_says_how_it_was_made_and_ladders_open_at_every_depth(tmp_path: Path) -> None:
    out = tmp_path / "fcn.safetensors"
    _, result = run(train(TrainRequest("digits-fcn", quick=True, steps=1, out=str(out))))
    with safetensors.safe_open(out, "pt") as file:
        facts = json.loads(file.metadata()["segviz"])
    made_by, opens_with = (
        {"recipe", "data", "steps", "seed", "accuracy", "mean_iou"},
        file_notes.of_entry(catalogue.entry("fcn8s-digits")),
    )
    assert facts.keys() == made_by | opens_with.keys()
    assert {name: facts[name] for name in opens_with} == opens_with
    assert (facts["recipe"], facts["data"], facts["steps"]) == ("digits-fcn", "digit-pages", 1)
    assert {"upscore.weight", "upscore16.weight", "upscore8.weight"} < tensors(out).keys()
    assert result.parameters == sum(
        t.numel() for name, t in tensors(out).items() if "running" not in name and "num_batches" not in name
    )


def test_a_network_that_learned_other_data_opens_with_their_classes(short: TrainRequest, tmp_path: Path) -> None:
    """The recipe's own data are clothes, and its network is one for digits."""
    request = replace(short, steps=1, out=str(tmp_path / "clothes.safetensors"))
    _, result = run(train(request))
    clothes = tuple(name for name, _ in result.per_class)
    assert "Sandal" in clothes or "sandal" in clothes
    entry = opened(f"{of_file(request.out or '')}?arch={result.network}").entry
    assert entry.classes == clothes
    assert entry.sees == "", "it has never seen a digit"
    _, result = run(train(replace(request, data="digits")))
    entry = opened(f"{of_file(request.out or '')}?arch={result.network}").entry
    assert entry.classes == tuple("0123456789")


def test_samples_show_truth_answers_and_where_the_loss_pulls() -> None:
    reports, _ = run(train(TrainRequest("digits-allconv", quick=True, steps=1, kept=0.5)))
    shown = next(r for r in reports if isinstance(r, TrainingSamples))
    assert shown.images.dtype == shown.truth.dtype == shown.labels.dtype == np.uint8
    count, height, width = shown.truth.shape
    assert shown.images.shape == (count, height + 20, width + 20, 3)
    assert shown.labels.shape == shown.truth.shape
    assert shown.weights is not None
    assert shown.gradient is not None
    rare, common = 1.0, recipe(TrainRequest("digits-allconv", quick=True)).class_weights[0]
    assert set(np.unique(shown.weights)) == {np.float32(0), np.float32(common), np.float32(rare)}
    assert not shown.gradient[shown.weights == 0].any()


def test_what_is_frozen_learns_nothing_and_factors_slow_the_rest() -> None:
    plan = replace(recipe(TrainRequest("digits-fcn")), frozen=("conv1_1", "norm1_1"), factors=(("conv2_1", 0.1),))
    entry = catalogue.entry(plan.network)
    network = beginning(plan, entry)
    learning(network, plan.frozen)
    norm, other = network.get_submodule("norm1_1"), network.get_submodule("norm2_1")
    assert isinstance(norm, nn.BatchNorm2d)
    assert (norm.training, other.training) == (False, True)
    before = norm.running_mean.clone()  # type: ignore[union-attr]
    network(torch.rand(2, 1, 64, 64))
    assert torch.equal(before, norm.running_mean)  # type: ignore[arg-type]
    trained = groups(network, plan)
    assert {group["factor"] for group in trained} == {1.0, 0.1}
    names = {id(p): name for name, p in network.named_parameters()}
    learned = {names[id(p)] for group in trained for p in group["params"]}  # type: ignore[attr-defined]
    assert not any(name.startswith(("conv1_1", "norm1_1")) for name in learned)
    stuck = replace(plan, frozen=tuple(dict(network.named_children())))
    with pytest.raises(SegvizError, match="all of it is frozen"):
        groups(beginning(stuck, entry), stuck)


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Begins a training of FCN-32s, 16s and 8s on two small pages, with these changes to its recipe."""

    def begun(**changes: Any) -> Run:
        plan = replace(RECIPES[RecipeName.DIGITS_FCN], batch=2, quick={"data_options": {"side": 64}}, **changes)
        monkeypatch.setitem(recipes.RECIPES, RecipeName.DIGITS_FCN, plan)
        return Run(TrainRequest("digits-fcn", quick=True, steps=1))

    return begun


def test_what_is_steady_learns_and_keeps_its_statistics(rung: Callable[..., Run]) -> None:
    run_on = rung(steady=("norm1_1",))
    steady, other = (run_on.network.get_submodule(name) for name in ("norm1_1", "norm2_1"))
    assert isinstance(steady, nn.BatchNorm2d)
    assert isinstance(other, nn.BatchNorm2d)
    before = [tensor.clone() for tensor in (steady.running_mean, other.running_mean, steady.weight)]
    next(report for report in run_on.learn() if report.step == 1)
    assert torch.equal(steady.running_mean, before[0])
    assert not torch.equal(other.running_mean, before[1])
    assert not torch.equal(steady.weight, before[2])


@pytest.mark.parametrize("rungs", [(), (1.0, 2.0, 6.0)])
def test_the_loss_of_a_ladder_is_the_mean_of_its_depths_each_weighted_by_its_rung(
    rung: Callable[..., Run], rungs: tuple[float, ...]
) -> None:
    run_on = rung(depth_weights=rungs)
    torch.manual_seed(0)
    for name in ("score_fr", "score_pool4", "score_pool3"):  # skips begin at zero: all depths would have one loss
        nn.init.normal_(run_on.network.get_parameter(f"{name}.weight"), std=2.0)
    kept = run_on.chance.get_state()
    batch = run_on.source.batch(2, run_on.chance)
    run_on.chance.set_state(kept)
    run_on.network.train()
    with torch.no_grad():
        depths = outputs_of(run_on.network, batch.images, ladder=True)
        losses = [F.cross_entropy(logits, batch.labels).item() for logits in depths]
    assert max(losses) > 1.02 * min(losses)
    expected = sum(loss * weight for loss, weight in zip(losses, rungs or (1, 1, 1), strict=True)) / 3
    (found,) = run_on.take_step()
    assert found is not None
    assert found[0] == pytest.approx(expected, rel=1e-4)


def test_the_number_of_threads_is_left_as_it_was() -> None:
    before = torch.get_num_threads()
    with threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_digits_are_padded_by_two_and_scaled_to_one() -> None:
    images = np.zeros((1, 28, 28), np.uint8)
    images[0, 0, 0], images[0, 27, 26] = 255, 51
    x, labels = as_tensors(Labelled(images, np.array([7])), LENET)
    assert x.shape == (1, 1, 32, 32)
    assert x.nonzero().tolist() == [[0, 0, 2, 2], [0, 0, 29, 28]]
    assert x[0, 0, 2, 2] == 1
    assert x[0, 0, 29, 28] == pytest.approx(0.2)
    assert labels.tolist() == [7]


def test_pace_rises_and_falls() -> None:
    paces = [schedule(step, 100, 0.1) for step in range(100)]
    assert paces[0] == pytest.approx(0.1)
    assert max(paces) == paces[10] == 1
    assert paces[:11] == sorted(paces[:11])
    assert paces[10:] == sorted(paces[10:], reverse=True)
    assert 0 < paces[-1] < 0.001
    assert schedule(0, 1, 0.1) == 1


def test_shipped_weights_name_the_test_digits() -> None:
    """The score that SOURCES.toml states, computed again."""
    entry, network = build("lenet5")
    images, labels = as_tensors(mnist("t10k"), entry)
    with torch.inference_mode():
        accuracy = (network(images).argmax(1) == labels).float().mean().item()
    with safetensors.safe_open(assets.weights(entry.weights), "pt") as file:
        facts = json.loads(file.metadata()["segviz"])
    assert accuracy >= 0.97
    assert accuracy == pytest.approx(facts["accuracy"], abs=0.001)
    assert (facts["recipe"], facts["seed"]) == ("lenet5", RECIPES[RecipeName.LENET5].seed)


def test_a_step_by_patches_stops_between_its_parts_and_leaves_no_trace(
    short: TrainRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was drawn for a step that was not taken is drawn again."""
    monkeypatch.setattr(losses, "PATCHES_AT_ONCE", 200)
    asked = TrainRequest("digits-allconv", quick=True, steps=3, patches=True, kept=0.05)
    expected = numbers(run(train(asked))[0])
    halves = replace(asked, checkpoint=str(tmp_path / "patches.checkpoint"))
    first, reports = train(halves), []
    while [getattr(report, "step", None) for report in reports].count(1) < 3:  # the step was told, then two parts
        reports.append(next(first))
    first.close()
    more, _ = run(train(halves))
    assert numbers([*reports, *more]) == expected


def test_samples_are_shown_before_the_first_step_and_when_a_run_goes_on(short: TrainRequest, tmp_path: Path) -> None:
    mine = replace(short, checkpoint=str(tmp_path / "run.checkpoint"))
    training = train(mine)
    shown = next(training)
    assert isinstance(shown, TrainingSamples)
    assert (shown.step, sum(shown.frequencies)) == (0, 0)
    at_first = next(training)
    assert isinstance(at_first, TrainingProgress)
    assert (at_first.step, at_first.loss > 0) == (0, True)
    next(report for report in training if report.step == 3)
    training.close()
    shown = next(train(mine))
    assert isinstance(shown, TrainingSamples)
    assert (shown.step, sum(shown.frequencies), len(shown.frequencies)) == (3, 3 * 8, 10)  # batches of eight


def test_a_run_is_finished_where_it_stopped(short: TrainRequest, tmp_path: Path) -> None:
    mine = replace(short, checkpoint=str(tmp_path / "run.checkpoint"), out=str(tmp_path / "out.safetensors"))
    training = train(mine)
    next(report for report in training if report.step == 3)
    training.close()
    reports, result = run(train(replace(mine, finish=True)))
    assert {report.step for report in reports} == {3}
    assert (result.steps, result.tested > 0) == (3, True)
    assert tensors(tmp_path / "out.safetensors")
    assert not (tmp_path / "run.checkpoint").exists()


def test_masks_that_were_drawn_anew_end_a_run(tmp_path: Path) -> None:
    labels = np.zeros((40, 40), np.uint8)
    labels[8:20, 8:20] = 1
    folder = tmp_path / "squares"
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True)
        for name in "ab":
            Image.fromarray(labels * (1 if kind == "masks" else 90)).save(folder / kind / f"{name}.bmp")
    mine = TrainRequest("digits-allconv", str(folder), quick=True, steps=2, checkpoint=str(tmp_path / "run.checkpoint"))
    for _ in range(2):
        training = train(mine)
        next(training)
        training.close()
    Image.fromarray(labels[::-1]).save(folder / "masks" / "a.bmp")
    with pytest.raises(SegvizError, match=r"run\.checkpoint: the images or masks of the folder have changed since"):
        next(train(mine))


def test_a_recipe_that_has_changed_ends_a_run(
    short: TrainRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = replace(short, checkpoint=str(tmp_path / "run.checkpoint"))
    training = train(mine)
    next(training)
    training.close()
    plan = replace(recipes.RECIPES[RecipeName.HEADS_DROPOUT], weight_decay=0.5)
    monkeypatch.setitem(recipes.RECIPES, RecipeName.HEADS_DROPOUT, plan)
    with pytest.raises(SegvizError, match=r"run\.checkpoint: the recipe has changed since it was left"):
        next(train(mine))


def test_a_run_whose_loss_is_no_number_any_more_ends_with_the_step_and_the_remedy(tmp_path: Path) -> None:
    asked = TrainRequest("heads-gap", quick=True, learning_rate=1e30, out=str(tmp_path / "own.safetensors"))
    with pytest.raises(SegvizError, match=r"the loss was \w+ in step \d+: .*diverged; .* lower rate than 1e\+30"):
        run(train(asked))
    assert not (tmp_path / "own.safetensors").exists()


def test_what_is_scored_at_the_end_is_what_the_file_holds(tmp_path: Path) -> None:
    """Halves where their range is wide enough; a tensor with larger numbers stays as it is."""
    learner = Run(TrainRequest("heads-gap", quick=True, steps=1))
    large = learner.network.get_parameter("mlpconv1.1.bias")
    with torch.no_grad():
        large[0] = 1e5
    for _ in learner.learn():
        pass
    out = tmp_path / "own.safetensors"
    result = result_of(learner.request, learner.plan, 1, learner.entry, learner.network, learner.tally, 0.0)
    weights.write(learner.network, out, learner.plan, learner.entry, result)
    written = tensors(out)
    assert written["mlpconv1.1.bias"].dtype == torch.float32
    assert {tensor.dtype for name, tensor in written.items() if name != "mlpconv1.1.bias"} == {
        torch.float16,
        torch.int64,
    }
    for name, tensor in learner.network.state_dict().items():
        assert torch.equal(written[name].float(), tensor), name


def test_what_does_not_count_is_no_object() -> None:
    """A cell below ignored pixels is no more missed than its pixels are; one that they cut is what is left of it."""
    instances = torch.zeros(1, 6, 9, dtype=torch.int32)
    instances[:, 1:5, 1:4], instances[:, 1:5, 5:8] = 1, 2
    labels = (instances > 0).long()
    labels[:, :, 6:] = 255
    answer = F.one_hot((labels == 1).long(), 2).movedim(-1, 1).float()
    tally = Tally(("background", "cell"))
    tally.add((answer,), labels, instances)
    assert tally.objects is not None
    assert (tally.objects.truth, tally.objects.found, tally.objects.matched) == (2, 2, 2)
    labels[:, :, 4:] = 255
    tally = Tally(("background", "cell"))
    tally.add((answer,), labels, instances)
    assert tally.objects is not None
    assert (tally.objects.truth, tally.objects.found, tally.objects.matched) == (1, 1, 1)


def test_cells_are_scored_object_by_object_too() -> None:
    """Two touching cells as one part: every pixel but the ribbon is right, and no object is."""
    instances = torch.zeros(1, 6, 9, dtype=torch.int32)
    instances[:, 1:5, 1:4], instances[:, 1:5, 5:8] = 1, 2
    labels = (instances > 0).long()
    joined = labels.clone()
    joined[:, 1:5, 4] = 1
    tally = Tally(("background", "cell"))
    for answer in (labels, joined):
        tally.add((F.one_hot(answer, 2).movedim(-1, 1).float(),), labels, instances)
    assert tally.objects is not None
    assert (tally.objects.truth, tally.objects.found, tally.objects.matched) == (4, 3, 2)
    assert tally.objects.f_score == pytest.approx(4 / 7)
    assert tally.objects.separated == 0.5
    _, result = run(train(TrainRequest("unet-cells", quick=True, steps=1)))
    assert result.objects is not None
    assert result.separated is not None
