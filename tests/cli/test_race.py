"""The race as the command line tells it (lecture T19)."""

from __future__ import annotations

from pathlib import Path

import pytest

from segviz.core import assets
from tests.cli.conftest import Segviz

KEYS = {
    "sliding_window",
    "one_by_one",
    "fully_convolutional",
    "speedup",
    "speedup_one_by_one",
    "max_abs_difference",
    "label_agreement",
    "center_offset",
    "exact",
    "reason",
}
LANE = {"seconds", "outputs", "extrapolated"}


def test_lenet5_gives_the_same_numbers_many_times_faster(segviz: Segviz) -> None:
    image = assets.sample("digits-512x512.png")
    data = segviz("race", image, "--model", "lenet5", "--budget", 2, "--json").data
    assert data.keys() >= KEYS
    for lane in ("sliding_window", "one_by_one", "fully_convolutional"):
        assert data[lane].keys() >= LANE
        assert data[lane]["outputs"] == 121 * 121  # (512 - 32) / 4 + 1
    assert data["exact"] is True
    assert data["max_abs_difference"] < 1e-5
    assert data["label_agreement"] == 1.0
    assert data["center_offset"] == [0, 0]
    assert data["speedup_one_by_one"] == pytest.approx(
        data["one_by_one"]["seconds"] / data["fully_convolutional"]["seconds"]
    )
    assert data["speedup"] > 1


def test_floor_pooling_races_exactly_and_published_ceil_pooling_says_why_not(segviz: Segviz) -> None:
    image = assets.sample("astronaut.png")
    words = ("race", image, "--scale", 0.25, "--budget", 2, "--json")
    floor = segviz(*words, "--model", "mtcnn_onet?pooling=floor").data
    assert (floor["exact"], floor["label_agreement"]) == (True, 1.0)
    assert floor["max_abs_difference"] < 1e-5
    ceil = segviz(*words, "--model", "mtcnn_onet").data
    assert ceil["exact"] is False
    assert "ceil" in ceil["reason"]


def test_zero_padding_is_named_as_the_cause(segviz: Segviz) -> None:
    image = assets.sample("coffee.png")
    words = ("race", image, "--model", "efficientnet_lite0", "--budget", 0.5, "--grid-stride", 64, "--scale", 0.6)
    data = segviz(*words, "--json").data
    assert data["exact"] is False
    assert "padding" in data["reason"]


def test_the_text_ends_in_a_verdict(segviz: Segviz, photo: Path) -> None:
    text = segviz("race", photo, "--model", "mtcnn_pnet", "--budget", 1).out
    for word in ("at once", "one by one", "fully convolutional", "times faster", "outputs"):
        assert word in text, word
    assert "nan" not in text
