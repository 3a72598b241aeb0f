"""Which path of a unit each part of its score belongs to."""

from __future__ import annotations

from segviz.core.contributions import Contribution, ContributionAnswer, ContributionRequest, of_paths
from segviz.core.field_paths import has_paths, levels_through, paths
from segviz.core.requests import Setup
from tests.core import networks


def answer(*parts: Contribution) -> ContributionAnswer:
    request = ContributionRequest(Setup("fcn8s", "/a.png"), 450, 450, 3)
    return ContributionAnswer(request, parts, 0.0, sum(part.value for part in parts), 0.1)


def part(name: str, value: float) -> Contribution:
    return Contribution(name, networks.fcn(2).index(name), value)


def test_a_part_is_its_paths_where_all_ways_through_it_are() -> None:
    geometry = networks.fcn(2)
    found = paths(geometry, "output", 450, 450)
    assert [levels_through(geometry, "last", geometry.index(path.name)) for path in found] == [{5}, {4}, {3}]
    told = answer(part("crop_pool3", 1.0), part("score", 2.0), part("crop_pool4", -4.0))
    assert of_paths(told, geometry, found) == (2.0, -4.0, 1.0)  # in the order of the paths


def test_parts_of_one_path_are_added() -> None:
    geometry = networks.fcn(2)
    found = paths(geometry, "output", 450, 450)
    told = answer(part("score", 2.0), part("score", 3.0), part("crop_pool4", 1.0), part("crop_pool3", 1.0))
    assert of_paths(told, geometry, found) == (5.0, 1.0, 1.0)


def test_where_paths_have_met_before_they_are_added_nothing_is_said_of_them() -> None:
    geometry = networks.fcn(2)
    found = paths(geometry, "output", 450, 450)
    assert levels_through(geometry, "last", geometry.index("last")) == {3, 4, 5}
    assert of_paths(answer(part("output", 2.0)), geometry, found) == ()
    assert of_paths(answer(), geometry, found) == ()


def test_a_network_has_paths_or_not() -> None:
    assert has_paths(networks.fcn(1), "last")
    assert not has_paths(networks.fcn(0), "last")
    assert not has_paths(networks.fcn(2), "score")
