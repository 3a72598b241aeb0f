"""What a table says of a layer's fields: found with fewer walks, and the same as unit by unit."""

from __future__ import annotations

import pytest

from segviz.core.facts import PHASES, FactFinder
from segviz.core.field import Geometry, Node
from segviz.core.steps import IDENTITY, Resize, Taps, Window
from tests.core import networks

NETWORKS = {
    "vgg16": networks.vgg(),
    "unet": networks.unet(),
    **{f"fcn{32 >> skips}s": networks.fcn(skips) for skips in range(3)},
}


def largest(geometry: Geometry, layer: str) -> tuple[float, float]:
    """The largest field (height, width) among so many units about the middle of the grid."""
    rows, columns = geometry.grid(layer)
    places = [(min(rows // 2 + k, rows - 1), min(columns // 2 + k, columns - 1)) for k in range(PHASES)]
    boxes = [geometry.field(layer, *place).box for place in places]
    return max(box.height for box in boxes), max(box.width for box in boxes)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_size_is_that_of_the_largest_field_of_all_phases(name: str) -> None:
    geometry = NETWORKS[name]
    finder = FactFinder(geometry)
    for layer, _ in geometry.layers:
        assert finder.of(layer).size == largest(geometry, layer), layer


def test_a_unet_and_an_fcn_have_the_larger_of_their_sizes() -> None:
    """oracles.md: U-Net 188 or 204, FCN-8s 436 or 468 (with its crops), by the unit's phase."""
    assert FactFinder(NETWORKS["unet"]).of("output").size == (204, 204)
    assert FactFinder(NETWORKS["fcn8s"]).of("output").size == (468, 468)


def test_layers_that_move_nothing_are_walked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolution, normalisation, activation and their container see the same."""
    conv = Window(3, before=1)
    nodes = (
        Node((), IDENTITY, IDENTITY, 9, 9),
        Node((0,), conv, conv, 9, 9),
        *(Node((k,), IDENTITY, IDENTITY, 9, 9) for k in (1, 2)),
    )
    geometry = Geometry(9, 9, nodes, (("conv", 1), ("norm", 2), ("relu", 3), ("block", 3)), "relu")
    walked = []
    real = Geometry.seen_by
    monkeypatch.setattr(Geometry, "seen_by", lambda self, *asked: walked.append(asked) or real(self, *asked))
    finder = FactFinder(geometry)
    assert [finder.of(name).size for name in ("conv", "norm", "relu", "block")] == [(3, 3)] * 4
    assert len(walked) == 2  # the unit in the middle, and unit 0
    assert geometry.same_as == (0, 1, 1, 1)


def test_what_decides_something_stands_for_itself() -> None:
    """A gate, a whole map, a doubt and another size are all more than a node that moves nothing."""
    plain = Node((0,), IDENTITY, IDENTITY, 9, 9)
    others = (
        Node((1,), IDENTITY, IDENTITY, 9, 9, gates=(0,)),
        Node((1,), IDENTITY, IDENTITY, 9, 9, whole=True),
        Node((1,), IDENTITY, IDENTITY, 9, 9, reason="nobody knows"),
        Node((1,), IDENTITY, IDENTITY, 8, 9),
        Node((0, 1), IDENTITY, IDENTITY, 9, 9),
    )
    geometry = Geometry(9, 9, (Node((), IDENTITY, IDENTITY, 9, 9), plain, *others), (("last", 6),), "last")
    assert geometry.same_as == (0, 0, 2, 3, 4, 5, 6)


def test_behind_a_resizing_every_unit_may_see_something_else() -> None:
    """From 7 to 16 units: fields are 6 to 9 pixels wide, and only a look at many units finds the widest."""
    conv = Window(3, 2, before=1)
    up = Resize(Taps.BILINEAR, 7, 16)
    nodes = (Node((), IDENTITY, IDENTITY, 14, 14), Node((0,), conv, conv, 7, 7), Node((1,), up, up, 16, 16))
    geometry = Geometry(14, 14, nodes, (("conv", 1), ("up", 2)), "up")
    assert FactFinder(geometry).of("up").size == largest(geometry, "up")
