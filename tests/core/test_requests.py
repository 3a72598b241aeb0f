"""State to request: small, hashable, and only what the work depends on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segviz.core.choices import Device, Method, Palette, Pooling, Upsampling, View
from segviz.core.frames import Lattice
from segviz.core.planning import (
    plan_description,
    plan_features,
    plan_prediction,
    plan_race,
    plan_window,
    same_but_drawn,
    setup_of,
)
from segviz.core.races import Lane, RaceRequest, RaceResult
from segviz.core.requests import (
    Progress,
    SegmentRequest,
    Setup,
)
from segviz.core.session import State, Unit

STATE = State(
    image="/a.png",
    model="mtcnn_onet?pooling=floor",
    scale=0.5,
    pooling=Pooling.WINDOW,
    device=Device.CPU,
    layer="conv4",
    grid_stride=4,
    window=(3.0, 5.5),
)
PLANS = [plan_description, plan_prediction, plan_features, plan_race, plan_window]


@pytest.mark.parametrize("plan", PLANS)
def test_without_a_network_nothing_is_asked(plan):
    assert plan(replace(STATE, model="")) is None


@pytest.mark.parametrize("plan", PLANS[1:])
def test_without_an_image_only_the_description_is_asked(plan):
    bare = replace(STATE, image=None)
    assert plan(bare) is None
    assert plan_description(bare) is not None


def test_without_a_layer_no_features_are_asked():
    assert plan_features(replace(STATE, layer=None)) is None
    assert plan_features(STATE).layer == "conv4"


@pytest.mark.parametrize("plan", PLANS)
def test_requests_are_values(plan):
    assert plan(STATE) == plan(replace(STATE))
    assert hash(plan(STATE)) == hash(plan(replace(STATE)))


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(
    "change",
    [
        {"opacity": 0.1},
        {"palette": Palette.VOC},
        {"view": View.HEATMAP},
        {"solo": 3},
        {"hidden": frozenset({2})},
        {"shown_class": 9},
        {"minimum": 0.7},
        {"unit": Unit(0, 1, 1), "cursor": (3, 4)},
        {"tab": "race"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_only_painted_asks_for_nothing_new(plan, change):
    assert plan(replace(STATE, **change)) == plan(STATE)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(
    "change", [{"model": "lenet5"}, {"scale": 0.25}, {"image": "/b.png"}, {"pooling": Pooling.NONE}]
)
def test_what_the_network_sees_asks_anew(plan, change):
    assert plan(replace(STATE, **change)) != plan(STATE)


def test_a_description_does_not_depend_on_the_device():
    assert plan_description(replace(STATE, device=Device.CUDA)) == plan_description(STATE)
    assert plan_prediction(replace(STATE, device=Device.CUDA)) != plan_prediction(STATE)


def test_only_the_sliding_window_has_a_step():
    assert plan_prediction(replace(STATE, method=Method.COARSE)).grid_stride is None
    assert plan_prediction(replace(STATE, method=Method.SLIDING_WINDOW)).grid_stride == 4
    assert plan_race(STATE) == RaceRequest(setup_of(STATE), grid_stride=4)


def test_the_whole_request():
    state = replace(STATE, method=Method.UPSAMPLED, upsampling=Upsampling.BICUBIC)
    setup = Setup("mtcnn_onet?pooling=floor", "/a.png", 0.5, Pooling.WINDOW, Device.CPU)
    assert plan_prediction(state) == SegmentRequest(setup, Method.UPSAMPLED, Upsampling.BICUBIC, None)


def test_progress_stays_within_its_bar():
    assert Progress(1, 4).fraction == 0.25
    assert Progress(9, 4).fraction == 1
    assert Progress(0, 0).fraction == 0


def test_speedups_are_over_the_fully_convolutional_side():
    nothing = np.zeros((1, 1), np.int16)
    result = RaceResult(
        request=plan_race(STATE),
        sliding_window=Lane(6.0, 100, False, 1),
        one_by_one=Lane(24.0, 100, True, 1),
        fully_convolutional=Lane(0.5, 100, False, 1),
        max_abs_difference=0.0,
        label_agreement=1.0,
        center_offset=(0, 0),
        exact=True,
        reason="",
        lattice=Lattice(1, 1, (0, 0), (1, 1)),
        window=(32, 32),
        classes=("a",),
        sliding_labels=nothing,
        dense_labels=nothing,
        difference=nothing.astype(np.float32),
    )
    assert (result.speedup, result.speedup_one_by_one) == (12, 48)


def test_a_window_is_asked_for_only_where_there_is_one():
    assert plan_window(replace(STATE, window=None)) is None
    assert (plan_window(STATE).x, plan_window(STATE).y) == (3.0, 5.5)


@pytest.mark.parametrize("plan", PLANS[1:])
def test_what_was_drawn_since_is_another_ask_but_not_another_question(plan):
    drawn = plan(replace(STATE, revision=STATE.revision + 1))
    assert drawn != plan(STATE)
    assert same_but_drawn(plan(STATE), drawn)
    assert not same_but_drawn(plan(STATE), plan(replace(STATE, scale=0.25, revision=3)))


def test_what_is_drawn_changes_no_geometry():
    assert plan_description(replace(STATE, revision=9)) == plan_description(STATE)
    deciding = plan_description(replace(STATE, revision=9), decides=True)
    assert deciding != plan_description(STATE, decides=True)
    assert same_but_drawn(deciding, plan_description(STATE))


def test_a_window_that_was_dragged_is_the_same_question():
    assert same_but_drawn(plan_window(STATE), plan_window(replace(STATE, window=(9.0, 9.0), revision=2)))
    assert not same_but_drawn(plan_window(STATE), plan_prediction(STATE))
