"""Feature maps as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from segviz.cli.features import GAP, PAPER, contact_sheet
from tests.cli.conftest import Segviz


def test_every_map_is_a_picture_and_all_are_on_one_sheet(segviz: Segviz, photo: Path) -> None:
    data = segviz("features", photo, "--model", "mtcnn_pnet", "--layer", "conv1", "--out", "maps", "--json").data
    assert data["layer"] == "conv1"
    assert data["shape"] == [10, 46, 62]
    assert len(data["files"]) == 10
    for file in data["files"]:
        with Image.open(file) as image:
            assert (image.size, image.mode) == ((62, 46), "L")
    low, high = data["ranges"][0]
    assert low < high
    with Image.open(data["index"]) as sheet:
        assert sheet.size == (4 * (62 + GAP) + GAP, 3 * (46 + GAP) + GAP)


def test_last_is_a_layer_with_a_name(segviz: Segviz, photo: Path) -> None:
    words = ("features", photo, "--model", "mtcnn_pnet", "--layer", "last", "--out", "maps", "--json")
    data = segviz(*words).data
    assert data["layer"] != "last"
    assert data["shape"] == [2, 19, 27]


def test_maps_of_random_weights_are_said_to_be(segviz: Segviz, photo: Path) -> None:
    done = segviz("features", photo, "--model", "alexnet", "--layer", "features.0", "--out", "maps", "--json")
    assert done.data["notes"] == ["AlexNet has random weights: its labels mean nothing, its speed and geometry do"]
    assert "AlexNet has random weights" in done.err
    trained = segviz("features", photo, "--model", "mtcnn_pnet", "--layer", "conv1", "--out", "maps", "--json")
    assert trained.data["notes"] == []


def test_an_unknown_layer_is_a_message(segviz: Segviz, photo: Path) -> None:
    done = segviz("features", photo, "--model", "mtcnn_pnet", "--layer", "nope", "--out", "maps")
    assert done.status == 1
    assert "no layer 'nope'" in done.err


def test_maps_are_laid_out_row_by_row() -> None:
    maps = np.stack([np.full((2, 3), level, np.uint8) for level in range(5)])
    sheet = contact_sheet(maps)
    assert sheet.shape == (2 * (2 + GAP) + GAP, 3 * (3 + GAP) + GAP)
    assert sheet[GAP, GAP] == 0
    assert sheet[GAP, GAP + 3 + GAP] == 1
    assert sheet[GAP + 2 + GAP, GAP] == 3
    assert sheet[-GAP - 1, -GAP - 1] == PAPER, "the place of a sixth map stays paper"
