from __future__ import annotations

import pytest
import torch
from torch import Tensor

from segviz.training.augmentation import EMPTY, Augmentation, between_digits


def dots(count: int = 64) -> Tensor:
    """A bright 2 x 2 dot, four pixels right of and above the centre of 32 x 32."""
    images = torch.zeros(count, 1, 32, 32)
    images[:, :, 11:13, 19:21] = 1
    return images


def centres(images: Tensor) -> Tensor:
    """(N, 2): x and y of the centre of mass."""
    places = torch.arange(32.0)
    mass = images.sum((1, 2, 3))
    return torch.stack(((images.sum((1, 2)) @ places) / mass, (images.sum((1, 3)) @ places) / mass), 1)


def seeded(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def test_no_change_changes_nothing() -> None:
    images = torch.rand(3, 1, 32, 32, generator=seeded())
    torch.testing.assert_close(Augmentation()(images, seeded()), images, rtol=0, atol=1e-4)


def test_shifts_stay_within_their_limit_and_go_both_ways() -> None:
    moved = centres(Augmentation(shift=3)(dots(), seeded())) - torch.tensor([19.5, 11.5])
    assert moved.abs().max() <= 3.001
    assert (moved.min(0).values < -2).all()
    assert (moved.max(0).values > 2).all()


def test_larger_ink_is_larger() -> None:
    twice = Augmentation(smallest=2, largest=2)(dots(), seeded())
    assert twice.sum() == pytest.approx(4 * dots().sum().item(), rel=0.05)
    torch.testing.assert_close(centres(twice)[0], torch.tensor([23.5, 7.5]), rtol=0, atol=0.05)


def test_turns_keep_the_distance_to_the_centre() -> None:
    turned = centres(Augmentation(turn=30)(dots(), seeded())) - 15.5
    angles = torch.rad2deg(torch.atan2(-turned[:, 1], turned[:, 0]))  # 45 degrees before
    torch.testing.assert_close(turned.norm(dim=1), torch.full((64,), 32**0.5), rtol=0.02, atol=0)
    assert 15 <= angles.min() < 25
    assert 65 < angles.max() <= 75.1


def test_the_same_seed_draws_the_same() -> None:
    change = Augmentation(shift=3, smallest=0.8, largest=1.2, turn=10)
    assert torch.equal(change(dots(), seeded(1)), change(dots(), seeded(1)))
    assert not torch.equal(change(dots(), seeded(1)), change(dots(), seeded(2)))


def test_between_digits_there_is_no_whole_digit_and_often_nothing() -> None:
    """A bright dot in the middle is pushed away at least 12 pixels, or is not there."""
    dots = torch.zeros(400, 1, 32, 32)
    dots[:, :, 15:17, 15:17] = 1
    windows = between_digits(dots, torch.Generator().manual_seed(0))
    assert windows.shape == dots.shape
    assert windows[:, :, 9:23, 9:23].max() == 0
    empty = (windows.amax((1, 2, 3)) == 0).float().mean()
    assert EMPTY < empty < 0.95
