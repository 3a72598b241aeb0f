"""What is said of recipes and data without torch, held against recipes and data themselves."""

from __future__ import annotations

import pytest

from segviz.core import catalogue
from segviz.core.choices import DataName, RecipeName, Task
from segviz.core.errors import SegvizError
from segviz.core.learning import TrainRequest
from segviz.core.recipe_data import PACKAGES, TAKES, check_data, taken, takes_folder
from segviz.training import backdrops
from segviz.training.recipes import RECIPES, recipe, source_of


def test_what_a_recipe_learns_from_is_told_as_it_is() -> None:
    assert list(TAKES) == list(RecipeName)
    for name, plan in RECIPES.items():
        assert TAKES[name][0] == plan.data
        assert takes_folder(name) == (catalogue.entry(plan.network).task is Task.SEGMENTATION)
    assert taken(RecipeName.FCN_SCENES) == ("stamps", "FOLDER")
    assert PACKAGES.keys() == {DataName.STAMPS}
    assert set(backdrops.PACKAGES) < set(PACKAGES[DataName.STAMPS])


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, every in TAKES.items() for data in every])
def test_data_that_a_recipe_takes_have_the_classes_of_its_network(name: RecipeName, data: DataName) -> None:
    request = TrainRequest(name, data, quick=True)
    entry = catalogue.entry(recipe(request).network)
    source = source_of(recipe(request), request, entry)
    samples = source.samples()
    assert len(source.classes) == entry.class_count
    assert samples.labels.dim() == (3 if entry.task is Task.SEGMENTATION else 1)
    assert samples.images.shape[1] == entry.input_size[0]


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("fcn-scenes", "scenes", r"scenes are held out.*evaluate.*learns from stamps, or from a folder"),
        (
            "lenet5",
            "cells",
            r"lenet5 does not learn from cells.*digits or clothes; what takes cells: unet-cells, unet-",
        ),
        ("unet-cells", "digits", r"does not learn from digits.*cells, or from a folder.*lenet5, heads-dense"),
        ("digits-fcn", "pages", r"no data 'pages' .*no folder pages here.*digit-pages, or from a folder"),
    ],
)
def test_data_of_others_are_refused_with_what_would_do(name: str, data: str, told: str) -> None:
    with pytest.raises(SegvizError, match=told) as refused:
        check_data(RecipeName(name), data)
    assert "…" not in str(refused.value), "too long to be read whole"
