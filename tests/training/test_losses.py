"""One loss in two forms (lecture T27, T28), and what masks and weights do to its gradient."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from segviz.core.errors import SegvizError
from segviz.training import losses
from segviz.training.batches import Batch
from segviz.training.fields import grid_of


def seeded(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def chain(*layers: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    network = nn.Sequential(*layers).double()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    return network


NETWORKS: dict[str, Callable[[], nn.Sequential]] = {
    "stride 1": lambda: chain(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3)),
    "stride 2": lambda: chain(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 3, 3)),
    "stride 4": lambda: chain(nn.Conv2d(1, 4, 3, 2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(4, 3, 2, dilation=2)),
}


def batch() -> Batch:
    images = torch.rand(2, 1, 21, 24, generator=seeded(), dtype=torch.float64)
    labels = torch.randint(3, (2, 21, 24), generator=seeded())
    labels[:, 4:7, 5:9] = 255
    return Batch(images, labels, torch.rand(2, 21, 24, generator=seeded(2)))


def gradient(network: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None])


@pytest.mark.parametrize("kept", [1.0, 0.3])
@pytest.mark.parametrize("name", NETWORKS)
def test_all_patches_and_the_whole_image_have_one_gradient(name: str, kept: float, monkeypatch) -> None:
    """T28: patch-wise training with overlapping patches is training on the whole image; a mask draws patches."""
    monkeypatch.setattr(losses, "PATCHES_AT_ONCE", 17)  # several parts
    network, data = NETWORKS[name](), batch()
    grid = grid_of(network, data.images)
    shape = (2, *grid.shape(21, 24))
    wanted = losses.target(data, shape, grid, torch.tensor([1.0, 2.0, 0.5]), kept, seeded())
    logits = network(data.images)
    assert (len(logits), *logits.shape[2:]) == shape
    whole = losses.cross_entropy(logits, wanted)
    whole.backward()
    expected = gradient(network)
    network.zero_grad()
    total = 0.0
    for part, _, _ in losses.by_patches(network, data.images, wanted, grid):
        part.backward()
        total += part.item()
    assert expected.norm() > 1e-3
    torch.testing.assert_close(gradient(network), expected, rtol=1e-10, atol=1e-12)
    assert total == pytest.approx(whole.item(), rel=1e-12)


def test_a_unit_takes_the_label_in_the_middle_of_its_field() -> None:
    network = NETWORKS["stride 2"]()  # fields of 8 pixels, 2 apart, the first from 0 to 7
    grid = grid_of(network, batch().images)
    assert (grid.height, grid.width) == (8, 8)
    assert grid.rows(3) == [4, 6, 8]
    places = torch.arange(21 * 24).view(1, 21, 24)
    assert losses.on_grid(places, (1, 7, 9), grid)[0, 0, :3].tolist() == [4 * 24 + 4, 4 * 24 + 6, 4 * 24 + 8]


def test_a_smaller_answer_is_that_of_the_middle() -> None:
    places = torch.arange(36).view(1, 6, 6)
    assert losses.on_grid(places, (1, 2, 2)).tolist() == [[[14, 15], [20, 21]]]
    with pytest.raises(SegvizError, match="answers for 8 x 8 pixels of an image that has 6 x 6"):
        losses.on_grid(places, (1, 8, 8))


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        ([nn.Conv2d(1, 3, 3, padding=1)], "it pads its maps"),
        ([nn.Conv2d(1, 3, 3), nn.Upsample(scale_factor=2)], "Upsample is no window"),
        ([nn.Conv2d(1, 3, 3), nn.Flatten()], "it ends in no map"),
        ([nn.Conv2d(1, 3, 3), nn.MaxPool2d(2, return_indices=True)], "a layer of it has more than one output"),
    ],
)
def test_networks_whose_patches_see_something_else_are_refused(layers: list[nn.Module], why: str) -> None:
    with pytest.raises(SegvizError, match=why):
        grid_of(chain(*layers), batch().images)


def per_pixel(wanted: losses.Target) -> Tensor:
    """The gradient of the loss with respect to logits of zero."""
    logits = torch.zeros(2, 3, 21, 24, requires_grad=True)
    losses.cross_entropy(logits, wanted).backward()
    assert logits.grad is not None
    return logits.grad * wanted.total


def test_masks_let_pixels_out_and_leave_the_others_as_they_are() -> None:
    data = batch()
    plain = Batch(data.images, data.labels)
    whole, masked = (losses.target(plain, (2, 21, 24), kept=kept, chance=seeded()) for kept in (1.0, 0.5))
    counted = masked.counts > 0
    assert 0.4 < counted.float().mean() < 0.6
    assert not per_pixel(masked).movedim(1, -1)[~counted].any()
    torch.testing.assert_close(per_pixel(masked).movedim(1, -1)[counted], per_pixel(whole).movedim(1, -1)[counted])
    assert not per_pixel(whole).movedim(1, -1)[data.labels == 255].any()


def test_class_weights_and_the_weights_of_pixels_multiply() -> None:
    data = batch()
    plain = losses.target(Batch(data.images, data.labels), (2, 21, 24))
    weighted = losses.target(data, (2, 21, 24), class_weights=torch.tensor([1.0, 2.0, 0.5]))
    assert data.weights is not None
    counts = torch.where(data.labels == 255, 0.0, torch.tensor([1.0, 2.0, 0.5])[data.labels.clamp(max=2)])
    expected = per_pixel(plain) * (counts * data.weights)[:, None]
    torch.testing.assert_close(per_pixel(weighted), expected)


def test_the_gradient_at_a_pixel_is_as_long_as_autograd_says() -> None:
    data = batch()
    wanted = losses.target(data, (2, 21, 24))
    logits = torch.randn(2, 3, 21, 24, generator=seeded(), requires_grad=True)
    losses.cross_entropy(logits, wanted).backward()
    assert logits.grad is not None
    expected = logits.grad.norm(dim=1) * wanted.total
    torch.testing.assert_close(losses.gradient_norm(logits.detach(), wanted), expected, rtol=1e-4, atol=1e-6)
