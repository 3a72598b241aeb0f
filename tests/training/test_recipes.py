from __future__ import annotations

import pytest

from segviz.core import catalogue
from segviz.core.errors import UsageError
from segviz.training.recipes import QUICK, RECIPES, recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_trains_a_network_of_the_catalogue_and_has_a_quick_form(name: str) -> None:
    assert catalogue.entry(RECIPES[name].network).name == name
    quick = recipe(name, quick=True)
    assert quick.epochs * (quick.steps or 0) <= 200
    assert quick.network == RECIPES[name].network


def test_every_quick_form_belongs_to_a_recipe() -> None:
    assert QUICK.keys() == RECIPES.keys()


def test_epochs_can_be_chosen() -> None:
    assert recipe("lenet5", epochs=3).epochs == 3
    assert recipe("lenet5", epochs=3, quick=True).epochs == 3
    assert recipe("lenet5") == RECIPES["lenet5"]


@pytest.mark.parametrize("epochs", [0, -1])
def test_no_epochs_are_refused(epochs: int) -> None:
    with pytest.raises(UsageError, match=f"{epochs} epochs"):
        recipe("lenet5", epochs)


def test_an_unknown_recipe_is_answered_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no training recipe 'vgg16'; there are: lenet5"):
        recipe("vgg16")
