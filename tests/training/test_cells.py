"""Drawn cells: the same ones every time, with a truth that a weight map can work on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segviz.core.errors import SegvizError
from segviz.core.instances import score, touching
from segviz.core.weight_maps import W_0, Weighting
from segviz.training.cells import Cells, Culture, Example, culture, stacked


def drawn(seed: int = 0, height: int = 120, width: int = 150, ribbon: int = 2) -> Culture:
    return culture(height, width, np.random.default_rng(seed), ribbon)


def test_the_same_seed_draws_the_same_cells() -> None:
    one, again, other = drawn(1), drawn(1), drawn(2)
    assert np.array_equal(one.image, again.image)
    assert np.array_equal(one.instances, again.instances)
    assert not np.array_equal(one.image, other.image)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ribbon", [1, 2])
def test_cells_touch_and_a_ribbon_parts_them(seed: int, ribbon: int) -> None:
    instances = drawn(seed, ribbon=ribbon).instances
    assert touching(instances, 1) == ()
    truth = score(instances, instances > 0)
    assert truth.found == truth.matched == truth.truth > 5
    assert truth.parted == truth.touching > 5


def test_cells_can_be_seen() -> None:
    """Their pixels are not those of the background: a threshold would find some, an empty image none."""
    found = drawn()
    assert found.image.shape == found.instances.shape == (120, 150)
    assert found.image.dtype == np.uint8
    assert found.image.std() > 8
    inside = found.instances > 0
    assert 0.15 < inside.mean() < 0.75
    assert abs(float(found.image[inside].mean()) - float(found.image[~inside].mean())) > 1


def test_too_small_an_image_is_refused() -> None:
    with pytest.raises(SegvizError, match="20 x 99 pixels: 32 x 32"):
        drawn(height=20, width=99)


@pytest.fixture(scope="module")
def cells() -> Cells:
    return Cells(64, 12, drawn=6, tested=5)


def test_a_batch_is_what_a_unet_of_that_border_eats(cells: Cells) -> None:
    batch = cells.batch(3, torch.Generator().manual_seed(0))
    assert batch.images.shape == (3, 1, 64, 64)
    assert 0 <= batch.images.min() < batch.images.max() <= 1
    assert batch.labels.shape == (3, 40, 40)
    assert set(batch.labels.unique().tolist()) == {0, 1}
    assert batch.labels.dtype == torch.int64
    assert batch.weights is not None
    assert batch.weights.shape == batch.labels.shape
    assert batch.weights.dtype == torch.float32


def test_a_batch_follows_from_its_generator_alone(cells: Cells) -> None:
    """A run that goes on from a checkpoint gets what it would have got, whatever was drawn before."""
    one = cells.batch(4, torch.Generator().manual_seed(5))
    fresh = Cells(64, 12, drawn=6, tested=5).batch(4, torch.Generator().manual_seed(5))
    assert torch.equal(one.images, fresh.images)
    assert torch.equal(one.labels, fresh.labels)
    assert not torch.equal(one.images, cells.batch(4, torch.Generator().manual_seed(6)).images)


def test_weights_are_what_was_asked_for(cells: Cells) -> None:
    flat = Cells(64, 12, Weighting.CLASSES, drawn=6)
    assert flat.class_weights == cells.class_weights
    whole, classes = (source.batch(4, torch.Generator().manual_seed(1)) for source in (cells, flat))
    assert classes.weights is not None
    assert whole.weights is not None
    wanted = torch.tensor(flat.class_weights)[classes.labels]
    torch.testing.assert_close(classes.weights, wanted, rtol=1e-3, atol=0)
    more = whole.weights - classes.weights
    assert more[whole.labels == 1].abs().max() == 0
    assert 5 < more.max() < W_0
    assert Cells(64, 12, Weighting.NONE, drawn=6).batch(1, torch.Generator()).weights is None


def test_held_out_cells_are_always_the_same_and_never_learnt_from(cells: Cells) -> None:
    batches = list(cells.held_out(2))
    assert [len(batch.images) for batch in batches] == [2, 2, 1]
    held = torch.cat([batch.images for batch in batches])
    assert torch.equal(held, torch.cat([batch.images for batch in cells.held_out(2)]))
    assert torch.equal(cells.samples().images, held[:4])
    learnt = torch.stack([torch.from_numpy(cells.culture(number).image / np.float32(255)) for number in range(6)])
    assert not (held[:, None, 0] == learnt[None]).all((2, 3)).any()


def test_image_and_truth_turn_together() -> None:
    """The labels of an F are the F, so they must stay so on all eight ways, which are all different."""
    image = np.zeros((5, 5), np.uint8)
    image[:, 1] = image[0, 1:4] = image[2, 1:3] = 255
    example = Example(image, image // 255, (image / 255).astype(np.float16))
    batch = stacked([example.turned(way) for way in range(8)])
    assert batch.weights is not None
    assert torch.equal(batch.images[:, 0] / 255, batch.labels.float())
    assert torch.equal(batch.weights, batch.labels.float())
    assert len({tuple(one.flatten().tolist()) for one in batch.labels}) == 8
    assert torch.equal(batch.labels[0], torch.from_numpy(image // 255).long())


def test_a_border_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(SegvizError, match="88 pixels less 44"):
        Cells(88, 44)
