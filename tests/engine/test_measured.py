"""Fields that no record knows, measured by gradients: lower bounds, and nothing is left behind."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import nn

from segviz.core.errors import SegvizError
from segviz.core.field import Box
from segviz.core.frames import Frame
from segviz.core.measured import By, MeasureRequest, Verdict, compared
from segviz.core.requests import Setup
from segviz.engine.flow import finished
from segviz.engine.measured import measured
from segviz.engine.recording import record
from tests.engine import valued
from tests.engine.valued import SIZE, Valued, bright, made

FRAME = Frame(SIZE[1:], SIZE[1:], SIZE[1:])


def measure(network: nn.Module, layer: str = "last", row: int = 9, column: int = 8, image: Any = None) -> Any:
    traced = record(network, SIZE, image=image)
    loaded = cast(Any, SimpleNamespace(network=network, entry=SimpleNamespace(title="it")))
    found = finished(measured(MeasureRequest(Setup("it"), layer, row, column), loaded, traced, FRAME, image))
    return found, traced.geometry.field(layer, row, column)


def plain(network: nn.Module, image: torch.Tensor, row: int = 9, column: int = 8) -> Box:
    """The box of the network's own gradient, taken here."""
    pixels = image.clone().requires_grad_()
    (gradient,) = torch.autograd.grad((network(pixels)[0, :, row, column] * torch.arange(1.0, 6.0)).sum(), pixels)
    rows, columns = ((gradient[0] != 0).any(0).any(axis).nonzero().flatten() for axis in (1, 0))
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def test_where_the_record_is_sure_positive_weights_are_equal_to_it() -> None:
    found, field = measure(Valued(lambda net, x: nn.functional.max_pool2d(x, 3, 1, 1)).eval())
    assert (found.by, found.box) == (By.POSITIVE, field.box)
    assert compared(field, found.box, 16, 18).verdict is Verdict.EQUAL


def test_a_branch_is_measured_as_it_was_taken() -> None:
    network = made(valued.branched)
    for image, box in ((bright(), Box(3, 4, 14, 15)), (-bright(), Box(6, 7, 11, 12))):
        found, field = measure(network, image=image)
        assert found.by is By.OWN
        assert field.box == box
        # On the dark image all ReLUs are off: a lower bound may be none at all.
        assert compared(field, found.box, 16, 18).verdict in (Verdict.EQUAL, Verdict.CONTAINED, Verdict.NONE)
    assert measure(network, "first", image=-bright())[0].box == Box(7, 8, 10, 11)


def test_an_operation_without_a_rule_is_measured() -> None:
    """Three columns to the right: the field is as large as without it, and lies three columns to the left."""
    found, field = measure(made(valued.without_shapes), image=bright())
    assert field.status == "unknown"
    assert found.box == Box(3, 7, 8, 12)
    assert found.by is By.BOTH or found.notes  # the operation is not made for float64, or is


def test_a_fourier_transform_sees_everything_though_its_filter_is_constant() -> None:
    network = made(valued.transformed)
    image = bright()
    found, field = measure(network, image=image)
    assert (field.status, found.by) == ("unknown", By.BOTH)
    own = plain(network, image)
    assert all(inner >= outer for inner, outer in zip(own[:2], found.box[:2], strict=True))
    assert all(inner <= outer for inner, outer in zip(own[2:], found.box[2:], strict=True))
    assert found.field(field).status == "measured"


def test_what_is_cut_off_says_so() -> None:
    found, field = measure(made(valued.through_numpy), image=bright())
    assert (found.box, found.field(field).status) == (None, "unknown")
    assert "cut off from the image" in found.refusal
    beside, _ = measure(made(valued.beside_numpy), image=bright())
    assert beside.box == Box(6, 7, 11, 12)  # what goes around numpy
    back, _ = measure(made(valued.own_way_back), image=bright())
    assert back.box == Box(6, 7, 11, 12)


def test_measuring_leaves_nothing_behind() -> None:
    network, image = made(valued.counted), bright()
    before = {name: (id(t), t.clone()) for name, t in network.state_dict(keep_vars=True).items()}
    given = image.clone()
    for layer in ("first", "last"):
        measure(network, layer, image=image)
    network.between = lambda net, x: x.nothing()
    found = None
    with pytest.raises(SegvizError):
        found, _ = measure(network, image=image)
    assert found is None
    for name, tensor in network.state_dict(keep_vars=True).items():
        assert id(tensor) == before[name][0]
        assert name == "count" or torch.equal(tensor, before[name][1])
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())
    assert not any(module.training or module._forward_hooks for module in network.modules())
    assert torch.equal(image, given)
    assert not image.requires_grad


def test_a_measurement_can_be_left_between_any_two_layers_there_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of four layers: as published and with positive weights, each is passed twice; nothing is left."""
    monkeypatch.setattr("segviz.engine.in_steps.LEAST", 0.0)
    passed: list[str] = []

    class Told(nn.Module):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name, self.conv = name, nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            passed.append(self.name)
            return torch.relu(self.conv(x))

    network = nn.Sequential(*(Told(name) for name in "abcd")).eval()
    before = {name: (id(t), t.clone()) for name, t in network.state_dict(keep_vars=True).items()}
    traced = record(network, SIZE)
    loaded = cast(Any, SimpleNamespace(network=network, entry=SimpleNamespace(title="it")))

    def steps() -> Any:
        return measured(MeasureRequest(Setup("it"), "3", 5, 5), loaded, traced, FRAME, None)

    passed.clear()
    wanted = len(list(steps()))
    assert passed == list("abcd")
    assert wanted > 2 * len(passed)  # the way back has steps, too
    for count in range(1, wanted):
        passed.clear()
        run = steps()
        for _ in range(count):
            next(run)
        run.close()
        assert len(passed) <= (count + 1) // 2, "it went on"
        for name, tensor in network.state_dict(keep_vars=True).items():
            assert id(tensor) == before[name][0]
            assert torch.equal(tensor, before[name][1])
        assert not any(module._forward_hooks for module in network.modules())


def test_the_network_stops_where_its_layer_is_made() -> None:
    """A dense layer behind it may take one size alone."""

    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.dense = nn.Conv2d(3, 4, 5), nn.Linear(7, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            maps = self.conv(x)
            assert maps.requires_grad is False, "it went on"
            return self.dense(maps.flatten(1)[:, :7])  # type: ignore[no-any-return]

    found, field = measure(Dense().eval(), "conv", 2, 3)
    assert found.box == field.box == Box(3, 2, 8, 7)


def test_a_unit_that_is_not_there_is_refused() -> None:
    with pytest.raises(SegvizError, match="unit 18,0 is outside the 18x16 grid of layer 'last'"):
        measure(made(valued.branched), row=18, column=0)


def test_where_there_is_no_record_at_all_gradients_measure() -> None:
    found, field = measure(made(lambda net, x: torch.add(x, 1, out=torch.empty(0)) if x.is_inference() else x + 1))
    assert field.status == "unknown"
    assert (found.by, found.box) == (By.NOISE, Box(6, 7, 11, 12))
