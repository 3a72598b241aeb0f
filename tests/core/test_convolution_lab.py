"""What is chosen in the convolution laboratory: written, read back, and undone."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from segviz.core import convolution_lab, parameters
from segviz.core.convolution_lab import Between, ConvolutionLab, Page, Preset, Rounding, Source
from segviz.core.planning import plan_shift, plan_sizes, plan_sums
from segviz.core.requests import Setup
from segviz.core.session import Session, State, Unit
from segviz.core.session_file import from_json, to_json
from segviz.core.shifting import ShiftRequest
from segviz.core.sizes import SizesRequest
from segviz.core.unit_sums import SumRequest
from tests.gui import scenes

CHOSEN = ConvolutionLab(
    Page.COLLAPSE, Source.IMAGE, 3, Preset.EDITED, ((1.5, 0.0), (-2.0, 0.25)), 2, 1, 3, 8, Preset.EMBOSS, Between.RELU,
    3, 1, True, True, -8, 16, 500, Rounding.CEIL, True,
)  # fmt: skip


def test_every_choice_comes_back_from_a_session_file():
    state = State(convolution_lab=CHOSEN)
    assert all(getattr(CHOSEN, name) != getattr(ConvolutionLab(), name) for name in CHOSEN.__slots__)
    assert from_json(to_json(state)) == (state, ())
    usual = State(convolution_lab=ConvolutionLab())
    assert from_json(to_json(usual)) == (usual, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [("page", "none"), ("stride", 0), ("side", 99), ("dx", 3), ("channel", -1), ("channel", True), ("colour", 1),
     ("edited", [[1, 2]]), ("edited", [[float("nan")]]), ("edited", [[0] * 6] * 6), ("feed", 10**9)],
)  # fmt: skip
def test_bad_values_are_left_out_with_a_remark(name, value):
    data = json.loads(to_json(State()))
    data["state"]["convolution_lab"][name] = value
    state, remarks = from_json(json.dumps(data))
    assert state.convolution_lab == convolution_lab.USUAL
    assert len(remarks) == 1
    assert remarks[0].startswith("convolution_lab cannot be")


def test_another_layer_or_network_forgets_the_input_map():
    session = Session(State(model="lenet5", layer="c3", convolution_lab=ConvolutionLab(channel=5, side=7)))
    session.update(unit=Unit(1, 2, 3))
    assert session.state.convolution_lab.channel == 5
    session.update(layer="c5")
    assert session.state.convolution_lab == ConvolutionLab(side=7)
    session.update(convolution_lab=ConvolutionLab(channel=2))
    session.update(model="vgg16")
    assert session.state.convolution_lab.channel is None
    session.replace(State(model="lenet5", layer="s2", convolution_lab=ConvolutionLab(channel=4)))
    assert session.state.convolution_lab.channel == 4


def test_what_each_page_asks_for():
    state = State(image="/a.png", model="lenet5", layer="c3", unit=Unit(1, 2, 3))

    def on(page, **changes):
        return replace(state, convolution_lab=ConvolutionLab(page, **changes))

    setup = Setup("lenet5", "/a.png")
    for page in (Page.PRODUCTS, Page.SLIDING, Page.RELU, Page.POOLING):
        assert plan_sums(on(page)) == SumRequest(setup, "c3", (1, 2, 3))
        assert plan_sums(on(page, source=Source.IMAGE)) is None
    assert plan_sums(replace(state, unit=None)) == SumRequest(setup, "c3", None)
    assert plan_sums(replace(state, image=None)) is None
    assert plan_sums(on(Page.MATRIX)) is plan_shift(on(Page.MATRIX)) is plan_sizes(on(Page.MATRIX), (9, 9)) is None
    assert plan_shift(on(Page.SHIFT, dx=-2, dy=8)) == ShiftRequest(setup, "c3", 1, -2, 8)
    assert plan_shift(on(Page.SHIFT)) == ShiftRequest(setup, "c3", 1, None, 0)
    assert plan_sizes(on(Page.HEAD), (96, 128)) == SizesRequest(Setup("lenet5"), (96, 128))
    assert plan_sizes(on(Page.HEAD, feed=500), (96, 128)) == SizesRequest(Setup("lenet5"), (500, 500))


# ---------------------------------------------------------------------------------- parameters


def test_lenet_and_the_perceptron_of_the_lecture():
    """oracles.md: 61,706 = 156 + 2,416 + 48,120 + 10,164 + 850; the MLP 1024-84-10 has 86,950; T07: 156 becomes 456."""
    grey, colour = parameters.lenet(1), parameters.lenet(3)
    assert [one.parameters for one in grey] == [156, 2_416, 48_120, 10_164, 850]
    assert sum(one.parameters for one in grey) == 61_706
    assert [one.parameters for one in colour] == [456, 2_416, 48_120, 10_164, 850]
    assert sum(one.parameters for one in parameters.perceptron(1024, 84, 10)) == 86_950
    assert parameters.perceptron(3 * 1024, 84, 10)[0].parameters == 3 * 84 * 1024 + 84


def test_the_networks_own_layers_and_what_dense_ones_would_need():
    network = scenes.lenet()
    found = parameters.of_network(network, 1)
    assert [(one.layer, one.parameters) for one in found] == [
        ("c1", 156), ("c3", 2_416), ("c5", 48_120), ("f6", 10_164), ("output", 850),
    ]  # fmt: skip
    assert [one.layer for one in found if one.dense] == ["c5", "f6", "output"]
    assert parameters.of_network(network, 3)[0].parameters == 456
    assert sum(one.parameters for one in parameters.alternative(network, 1)) == 86_950


@pytest.mark.parametrize(
    ("counted", "wanted"),
    [((1_792, 64, 3, 1), 640), ((1_728, 64, 3, 1), 576), ((34_944, 96, 3, 1), 11_712), ((156, 6, 1, 3), 456),
     ((150, 6, 1, 3), 450)],
)  # fmt: skip
def test_a_first_layer_for_other_channels(counted, wanted):
    """With biases and without: VGG's (3 x 3), AlexNet's (11 x 11), LeNet's (5 x 5)."""
    assert parameters.recounted(*counted) == wanted


def test_a_layer_that_is_no_whole_convolution_is_not_recounted():
    assert parameters.recounted(5, 3, 3, 1) is None
    assert parameters.recounted(64 * 2, 64, 3, 1) is None
