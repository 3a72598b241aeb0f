from __future__ import annotations

import pytest
import torch
from torch import nn

from segviz.core import catalogue
from segviz.core.choices import DataName, RecipeName
from segviz.core.errors import SegvizError, UsageError
from segviz.core.learning import TrainRequest
from segviz.core.references import load
from segviz.core.taught import TAUGHT
from segviz.training.recipes import RECIPES, SOURCES, Recipe, entry_for, recipe, source_of, steps_of


def test_names_and_tables_are_in_step() -> None:
    assert list(RECIPES) == list(RecipeName)
    assert list(SOURCES) == list(DataName)
    assert all(callable(load(reference)) for reference in SOURCES.values())
    assert all(one.title and one.hint for one in (*RecipeName, *DataName))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_trains_a_network_of_the_catalogue_and_has_a_quick_form(name: str) -> None:
    whole, quick = recipe(TrainRequest(name)), recipe(TrainRequest(name, quick=True))
    assert catalogue.entry(whole.network).class_count in (2, 7, 10, 11)
    assert quick.steps <= 120 < whole.steps
    assert quick.network == whole.network


@pytest.mark.parametrize("plan", RECIPES.values(), ids=RECIPES)
def test_parts_that_a_recipe_names_are_parts_of_its_network(plan: Recipe) -> None:
    entry = catalogue.entry(plan.network)
    with torch.device("meta"):
        network: nn.Module = load(plan.builder or entry.builder)(**dict(entry.options) | dict(plan.options))
    parts = {name for name, _ in network.named_modules()}
    named = {*plan.frozen, *plan.steady, *(name for name, _ in (*plan.factors, *plan.begin))}
    assert named <= parts
    assert plan.ladder == hasattr(network, "ladder")
    if plan.depth_weights:
        assert plan.ladder
        assert sum(plan.depth_weights) == len(plan.depth_weights) == 3, "the loss stays a mean over three depths"


def test_a_request_changes_what_it_names_and_nothing_else() -> None:
    found = recipe(TrainRequest("digits-fcn", seed=3, steps=7, learning_rate=0.5, kept=0.25, class_weights=(1.0, 2.0)))
    assert (found.seed, found.steps, found.learning_rate) == (3, 7, 0.5)
    assert (found.kept, found.class_weights) == (0.25, (1.0, 2.0))
    assert recipe(TrainRequest("digits-fcn")) == RECIPES[RecipeName.DIGITS_FCN]


def test_class_weights_of_a_recipe_are_those_of_its_own_classes() -> None:
    assert len(recipe(TrainRequest("unet-cells", quick=True)).class_weights) == 2
    assert recipe(TrainRequest("unet-cells", quick=True, data="my/cells")).class_weights == ()
    own = TrainRequest("unet-cells", quick=True, data="my/cells", class_weights=(1.0, 2.0, 3.0))
    assert recipe(own).class_weights == (1.0, 2.0, 3.0)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (TrainRequest("vgg16"), "no training recipe 'vgg16'; there are: lenet5"),
        (TrainRequest("lenet5", steps=0), "0 steps: at least one"),
        (TrainRequest("lenet5", learning_rate=0.0), "0.0 is no learning rate"),
        (TrainRequest("lenet5", learning_rate=float("inf")), "inf is no learning rate"),
        (TrainRequest("lenet5", seed=2**64), "18446744073709551616 is no seed: it is a whole number from 0 to"),
        (TrainRequest("lenet5", seed=-1), "-1 is no seed"),
        (TrainRequest("lenet5", kept=0.0), "0.0 is no share"),
        (TrainRequest("lenet5", kept=1.5), "1.5 is no share"),
        (TrainRequest("lenet5", class_weights=(1.0, -1.0)), "none is below 0"),
    ],
)
def test_what_makes_no_sense_is_refused(request_: TrainRequest, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        recipe(request_)


def test_epochs_are_steps_where_images_are_shown_in_rounds() -> None:
    assert steps_of("lenet5", 40) == RECIPES[RecipeName.LENET5].steps
    with pytest.raises(UsageError, match="say --steps"):
        steps_of("digits-fcn", 2)


def test_data_that_do_not_go_with_a_recipe_are_refused() -> None:
    plan, entry = RECIPES[RecipeName.LENET5], catalogue.entry("lenet5")
    with pytest.raises(SegvizError, match="no data 'cats' to learn from; lenet5 learns from digits or clothes"):
        source_of(plan, TrainRequest("lenet5", data="cats"), entry)
    with pytest.raises(SegvizError, match="1 class weights for 10 classes"):
        entry_for(
            recipe(TrainRequest("lenet5", class_weights=(1.0,))), tuple("abcdefghij"), entry, TrainRequest("lenet5")
        )


def test_every_network_that_segviz_teaches_has_a_recipe_and_its_weights() -> None:
    taught = {found.network for found in RECIPES.values()} | {"fcn32s-digits", "fcn16s-digits"}
    taught |= {f"fcn{stride}s-efficientnet_lite0" for stride in (32, 16)}
    assert {e.name for e in TAUGHT} | {"lenet5"} == taught
    assert all(e.weights for e in TAUGHT)
