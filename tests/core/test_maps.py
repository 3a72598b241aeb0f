"""Feature maps as pictures: what their levels stand for, in the window as on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segviz.core import maps
from segviz.core.choices import MapScale
from segviz.core.maps import MapStatistics


def test_dead_means_never_active():
    values = np.zeros((5, 2, 2), np.float32)
    values[1], values[2, 0, 0], values[3, 1, 1], values[4] = 0.3, 1, np.nan, np.nan
    statistics = MapStatistics.of(values)
    assert list(statistics.remarks) == ["dead", "constant", "", "", ""]
    single = MapStatistics.of(np.array([[[0.7]], [[0]]], np.float32))
    assert list(single.remarks) == ["", "dead"]


def test_figures_of_all_maps_are_those_of_each(monkeypatch):
    values = np.maximum(np.random.default_rng(1).normal(size=(7, 5, 6)), 0).astype(np.float32)
    monkeypatch.setattr(maps, "AT_ONCE", 60)  # two maps at a time
    found = MapStatistics.of(values)
    assert found.low.tolist() == [plane.min() for plane in values]
    assert found.high.tolist() == [plane.max() for plane in values]
    assert found.mean == pytest.approx([plane.mean() for plane in values])
    assert found.sparsity == pytest.approx([(plane == 0).mean() for plane in values])
    assert found.deviations() == pytest.approx([plane.std() for plane in values])


def test_figures_of_many_maps_can_be_left_half_way(monkeypatch):
    values = np.zeros((7, 5, 6), np.float32)
    looked_at, remark = [], maps._remark
    monkeypatch.setattr(maps, "_remark", lambda plane: looked_at.append(1) or remark(plane))
    monkeypatch.setattr(maps, "AT_ONCE", 60)  # two maps at a time
    steps = MapStatistics.counted(values)
    assert [next(steps), next(steps)] == [2, 4]
    steps.close()
    assert len(looked_at) == 4


def test_levels_span_map_layer_or_both_sides_of_zero():
    values = np.array([[[0, 1]], [[-4, 2]]], np.float32)
    statistics = MapStatistics.of(values)
    assert statistics.levels(0, MapScale.MAP) == (0, 1)
    assert statistics.levels(0, MapScale.LAYER) == (-4, 2)
    assert statistics.levels(0, MapScale.SIGNED) == (-4, 4)


def test_what_is_not_finite_counts_as_zero():
    values = np.array([[[np.nan, 3]], [[np.inf, -1]]], np.float32)
    statistics = MapStatistics.of(values)
    assert statistics.low.tolist() == [0, -1]
    assert statistics.high.tolist() == [3, 0]
    assert statistics.picture(0, MapScale.MAP).tolist() == [[0, 255]]
    assert statistics.picture(1, MapScale.SIGNED).tolist() == [[128, 85]]


def test_a_map_is_the_same_picture_alone_and_among_all():
    values = np.random.default_rng(2).normal(size=(70, 5, 6)).astype(np.float32)
    values[3], values[4, 0] = 0, np.nan
    for scale in MapScale:
        together = maps.pictures(values, scale)
        assert all((MapStatistics.of(values).picture(c, scale) == together[c]).all() for c in range(70))


def test_levels_per_map_and_per_layer():
    values = np.array([[[0, 1]], [[0, 4]]], np.float32)
    assert maps.pictures(values, MapScale.MAP).tolist() == [[[0, 255]], [[0, 255]]]
    assert maps.pictures(values, MapScale.LAYER).tolist() == [[[0, 64]], [[0, 255]]]


def test_signed_levels_have_zero_in_the_middle():
    values = np.array([[[-1, 0, 0.5]], [[0, 2, -2]]], np.float32)
    assert maps.pictures(values, MapScale.SIGNED).tolist() == [[[64, 128, 159]], [[128, 255, 0]]]


@pytest.mark.parametrize("scale", list(MapScale))
def test_dead_and_broken_maps_are_flat(scale):
    dead = np.zeros((2, 3, 3), np.float32)
    assert len(np.unique(maps.pictures(dead, scale))) == 1
    broken = np.full((1, 2, 2), np.nan, np.float32)
    broken[0, 0, 0] = np.inf
    assert len(np.unique(maps.pictures(broken, scale))) == 1


@given(
    values=hnp.arrays(np.float32, (2, 3, 4), elements=st.floats(-(2.0**99), 2.0**99, width=32)),
    scale=st.sampled_from(list(MapScale)),
)
def test_levels_keep_the_order_of_values(values, scale):
    levels = maps.pictures(values, scale)
    for plane, level in zip(values, levels, strict=True):
        order = np.argsort(plane, axis=None, kind="stable")
        assert (np.diff(level.ravel()[order].astype(int)) >= 0).all()


def test_dead_and_constant_maps_are_counted():
    values = np.zeros((5, 2, 2), np.float32)
    values[1] = 3
    values[2, 0, 0] = -1
    values[3] = np.nan
    statistics = MapStatistics.of(values)
    assert (statistics.dead, statistics.constant) == (2, 1)
    assert list(statistics.remarks) == ["dead", "constant", "", "", "dead"]
    single = MapStatistics.of(np.array([[[0.0]], [[2.0]]], np.float32))
    assert (single.dead, single.constant) == (1, 0)


def test_a_map_of_one_unit_is_seen_in_the_range_of_the_layer():
    statistics = MapStatistics.of(np.array([[[-2.0]], [[0.0]], [[6.0]]], np.float32))
    assert statistics.levels(1, MapScale.MAP) == (-2, 6)
    assert [int(statistics.picture(channel, MapScale.MAP)[0, 0]) for channel in range(3)] == [0, 64, 255]


def test_signed_levels_have_zero_in_the_middle_and_clip():
    levels = maps.signed_levels(np.array([-9, -1, 0, 0.5, 1, np.inf], np.float32), 1.0)
    assert levels.tolist() == [0, 0, 128, 191, 255, 128]
    assert maps.signed_levels(np.ones((2, 2), np.float32), 0.0).tolist() == [[128, 128]] * 2
