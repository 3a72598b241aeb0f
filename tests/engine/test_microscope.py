"""A padded network is, inside the image, the same weights without padding on the full field (lecture T19)."""

import numpy as np
import torch
from torch import Tensor, nn

from segviz.core.field import Box
from segviz.engine import microscope
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace
from segviz.engine.microscope import without_padding


class Padded(nn.Module):
    """A small VGG: padded convolutions, a skip, pooling. Field 12, stride 4."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = (
            nn.Conv2d(3, 8, 3, padding=1),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.Conv2d(8, 5, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.a(x))
        x = nn.functional.max_pool2d(torch.relu(self.b(x)) + x, 2)
        return 3 * nn.functional.max_pool2d(self.c(x), 2)


def setting(size):
    torch.manual_seed(0)
    network, image = Padded(), torch.rand(1, 3, size, size)
    traced, weights = trace(network, (3, size, size)), NetworkWeights(network)
    return traced, weights, image, finished(run(traced, weights, image)).output[0].numpy()


def test_inside_the_image_a_unit_is_the_network_without_padding_on_its_field():
    traced, weights, image, logits = setting(64)
    found = finished(without_padding(traced, weights, image, logits, 1))
    box = traced.geometry.field("last", 8, 8).box
    assert (found.size, found.sample) == ((box.height, box.width), 4)
    assert found.difference < 1e-5


def test_a_map_that_is_another_is_found_out():
    traced, weights, image, logits = setting(64)
    wrong = logits.copy()
    wrong[2] += 1
    assert finished(without_padding(traced, weights, image, wrong, 1)).difference > 0.01


def test_a_field_that_is_too_small_is_found_out(monkeypatch):
    """Pixels outside the field are no numbers: what takes them answers none, and the difference is none."""
    traced, weights, image, logits = setting(64)

    def cut(image, box):
        return alone(image, Box(box.left + 2, box.top + 2, box.right - 2, box.bottom - 2))

    alone = microscope._alone
    monkeypatch.setattr(microscope, "_alone", cut)
    found = finished(without_padding(traced, weights, image, logits, 1))
    assert found.sample == 4
    assert not found.equal


def test_where_every_field_reaches_over_the_border_nothing_is_compared():
    traced, weights, image, logits = setting(11)
    found = finished(without_padding(traced, weights, image, logits, 1))
    assert (found.sample, found.size) == (0, (12, 12))  # how large the image would have to be
    assert found.difference != found.difference


def test_every_second_unit_is_compared_with_its_own():
    traced, weights, image, logits = setting(64)
    thinned = np.ascontiguousarray(logits[:, ::2, ::2])
    assert finished(without_padding(traced, weights, image, thinned, 2)).difference < 1e-5
