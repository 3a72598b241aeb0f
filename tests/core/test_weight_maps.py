"""U-Net's w(x): the values of oracles, distances against brute force, and where it is what."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segviz.core.errors import SegvizError, UsageError
from segviz.core.metrics import IGNORED
from segviz.core.weight_maps import Weighting, balance, balancing, distances, gap_weight, weigh, weight_map

MAPS = arrays.arrays(
    np.int32,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=12),
    elements=st.sampled_from((0, 0, 1, 2, 7, 900)),
)


def brute(instances: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """d_1 and d_2 (2, H, W): every pixel against every pixel of every instance."""
    rows, columns = np.indices(instances.shape)
    found = [np.full(instances.shape, np.inf)] * 2
    for number in np.unique(instances[instances != 0]):
        down, right = np.nonzero(instances == number)
        found.append(np.hypot(rows[..., None] - down, columns[..., None] - right).min(2))
    return np.sort(np.stack(found), 0)[:2]


@given(MAPS)
def test_distances_are_those_of_brute_force(instances: npt.NDArray[np.int32]) -> None:
    np.testing.assert_allclose(np.stack(distances(instances)), brute(instances), rtol=1e-6)


def test_distances_among_many_instances_are_those_of_brute_force() -> None:
    """More than a power of two of them, so that numbers differ in any digit."""
    instances = np.zeros((33, 40), np.int32)
    places = np.random.default_rng(0).permutation(33 * 40)[:19]
    instances.ravel()[places] = np.arange(1, 20) * 5
    np.testing.assert_allclose(np.stack(distances(instances)), brute(instances), rtol=1e-6)


@pytest.mark.parametrize(
    ("total", "weight"), [(0, 10), (2, 9.2312), (5, 6.0653), (10, 1.3534), (15, 0.1111), (20, 0.0034)]
)
def test_weights_of_gaps_are_those_of_oracles(total: float, weight: float) -> None:
    assert gap_weight(np.array(total)) == pytest.approx(weight, abs=5e-5)


def test_a_gap_between_two_cells_weighs_what_its_width_says() -> None:
    """One pixel of background between two cells: 1 + 1; in the middle of nine: 5 + 5."""
    for width, weight in ((1, 9.2312), (9, 1.3534)):
        row = np.array([[3] * 4 + [0] * width + [8] * 4], np.int32)
        found = weight_map(row, class_weights=(1, 2))
        middle = 4 + width // 2
        assert found.nearest[0, middle] == found.second[0, middle] == (width + 1) / 2
        assert found.weights[0, middle] == pytest.approx(1 + weight, abs=5e-5)
        assert found.weights[0, 0] == 2
        assert found.extra[row != 0].max() == 0


@pytest.mark.parametrize("count", [0, 1])
def test_with_fewer_than_two_cells_there_is_no_gap(count: int) -> None:
    instances = np.zeros((5, 6), np.int32)
    instances[1:3, 1:3] = 4 * count
    found = weight_map(instances)
    assert np.isinf(found.second).all()
    assert np.isinf(found.nearest).all() == (count == 0)
    assert not found.extra.any()
    assert np.isfinite(found.weights).all()


@given(MAPS)
def test_balanced_classes_weigh_the_same(instances: npt.NDArray[np.int32]) -> None:
    balance_of_map = weight_map(instances).balance
    assert balance_of_map.mean() == pytest.approx(1, abs=1e-5)
    sums = [float(balance_of_map[where].sum()) for where in (instances == 0, instances != 0) if where.any()]
    assert sums == pytest.approx([instances.size / len(sums)] * len(sums), rel=1e-5)


def test_class_weights_are_counted_by_hand() -> None:
    assert balancing(np.array([75, 25])) == pytest.approx((2 / 3, 2))
    assert balancing(np.array([75, 0, 25])) == pytest.approx((2 / 3, 2, 2))
    assert balancing((0.9, 0.1, 0.0)) == pytest.approx((5 / 9, 5, 5))
    assert balancing(np.array([0, 0])) == (1, 1)


def test_what_is_ignored_weighs_nothing_and_what_is_no_class_is_refused() -> None:
    assert balance(np.array([[0, 1, IGNORED]]), (0.5, 3)).tolist() == [[0.5, 3, 0]]
    with pytest.raises(SegvizError, match="label 2 has no weight; there are 2"):
        balance(np.array([[0, 2]]), (1, 1))


def test_a_loss_gets_the_weights_that_it_asks_for() -> None:
    instances = np.array([[1, 1, 0, 2, 2, 0, 0]], np.int32)
    labels = np.array([[1, 1, 0, 2, 2, 0, IGNORED]], np.uint8)
    assert weigh(labels, instances, Weighting.NONE, (1, 2, 3)) is None
    classes = weigh(labels, instances, Weighting.CLASSES, (1, 2, 3))
    assert classes is not None
    assert classes.tolist() == [[2, 2, 1, 3, 3, 1, 0]]
    whole = weigh(labels, instances, Weighting.BORDERS, (1, 2, 3))
    assert whole is not None
    np.testing.assert_allclose(whole[0, [0, 2, 6]], [2, 1 + 9.2312, 0], atol=1e-4)


@pytest.mark.parametrize("wrong", [{"w_0": -1.0}, {"w_0": np.nan}, {"sigma": 0.0}, {"sigma": -5.0}])
def test_what_makes_no_weight_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        weight_map(np.zeros((2, 2), np.int32), **wrong)


def test_a_map_has_two_dimensions() -> None:
    with pytest.raises(SegvizError, match="2 dimensions, not 3"):
        distances(np.zeros((2, 2, 2), np.int32))
