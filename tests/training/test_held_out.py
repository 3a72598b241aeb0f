from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from segviz.core import catalogue, pairs
from segviz.core.choices import DataName
from segviz.core.images import open_picture
from segviz.core.masks import open_mask
from segviz.core.weight_maps import Weighting
from segviz.training.cells import cells
from segviz.training.digit_pages import DigitPages
from segviz.training.held_out import WRITERS, bordered, write


def test_names_and_tables_are_in_step() -> None:
    assert set(WRITERS) == set(pairs.DRAWN)


def test_written_cells_are_those_that_the_recipe_tests_on(tmp_path: Path) -> None:
    entry = catalogue.entry("unet-cells")
    write(DataName.CELLS, tmp_path / "cells")
    found = pairs.open_collection(str(tmp_path / "cells"))
    source = cells(entry, False, Weighting.CLASSES)
    assert found.classes == source.classes
    batches = list(source.held_out())
    labels, instances, images = (
        torch.cat([getattr(b, part) for b in batches]) for part in ("labels", "instances", "images")
    )
    assert len(found.pairs) == len(labels)
    inside = slice(entry.border, -entry.border)
    scaling = entry.preprocessing
    for pair, wanted, things, image in zip(found.pairs, labels, instances, images, strict=True):
        assert pair.mask is not None
        assert pair.instances is not None
        mask, numbers = open_mask(pair.mask), pairs.read_instances(pair.instances, (188, 188))
        assert np.array_equal(mask[inside, inside], wanted)
        assert (mask == 255).sum() == 188**2 - 100**2
        assert np.array_equal(numbers[inside, inside], things)
        assert (numbers > 0).sum() == (things > 0).sum(), "nothing is counted beyond"
        assert np.allclose(
            open_picture(pair.image).pixels[..., 0], image[0] * scaling.std[0] + scaling.mean[0], atol=1e-3
        )


def test_written_pages_are_those_that_recipes_test_on(tmp_path: Path) -> None:
    write(DataName.DIGIT_PAGES, tmp_path / "digit-pages")
    found = pairs.open_collection(str(tmp_path / "digit-pages"))
    source = DigitPages(catalogue.entry("fcn8s-digits"), quick=False)
    labels = torch.cat([batch.labels for batch in source.held_out()])
    assert found.classes == source.classes
    assert len(found.pairs) == len(labels)
    for pair, wanted in zip(found.pairs, labels, strict=True):
        assert np.array_equal(open_mask(pair.truth), wanted)


def test_what_lies_on_the_border_is_given_up() -> None:
    plane = np.arange(16).reshape(4, 4)
    assert bordered(plane, 1, 99).tolist() == [[99] * 4, [99, 5, 6, 99], [99, 9, 10, 99], [99] * 4]
    assert np.array_equal(bordered(plane, 0), plane)
