from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segviz.core import assets
from segviz.core.errors import SegvizError
from segviz.training.datasets import Labelled, mnist
from segviz.training.pages import CELL, LARGEST, SIZES, SMALLEST, Page, main, name_of, page, scaled


@pytest.fixture(scope="module")
def digits() -> Labelled:
    return mnist("t10k")


@pytest.fixture(scope="module")
def small(digits: Labelled) -> Page:
    return page(192, 160, digits, seed=3)


def test_shipped_pages_are_made_again_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(SIZES)
    for rows, columns in SIZES:
        name = name_of(rows, columns)
        made, shipped = (Image.open(folder / f"{name}.png") for folder in (tmp_path, assets.images()))
        assert made.mode == shipped.mode == "L"
        assert made.size == (columns, rows)
        assert made.tobytes() == shipped.tobytes()
        assert (tmp_path / f"{name}.json").read_text() == (assets.images() / f"{name}.json").read_text()


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_truth_of_shipped_pages_is_in_place(digits: Labelled, rows: int, columns: int) -> None:
    name = name_of(rows, columns)
    written = json.loads(assets.sample(f"{name}.json").read_text())["digits"]
    pixels = np.array(Image.open(assets.sample(f"{name}.png")))
    ink = np.zeros_like(pixels)
    for digit in written:
        left, top, right, bottom = digit["box"]
        assert digit["label"] == digits.labels[digit["test_digit"]]
        assert pixels[top:bottom, left:right].max() > 200
        ink[top:bottom, left:right] = pixels[top:bottom, left:right]
    assert np.array_equal(ink, pixels)  # no ink but that of the digits
    assert len({d["label"] for d in written}) >= 9
    assert len({d["test_digit"] for d in written}) == len(written)


def test_digits_keep_to_themselves(small: Page) -> None:
    assert len(small.digits) >= 8
    for one, other in combinations(small.digits, 2):
        apart = max(abs(one.center[0] - other.center[0]), abs(one.center[1] - other.center[1]))
        assert apart >= CELL - 1
        assert (
            one.box[2] <= other.box[0]
            or other.box[2] <= one.box[0]
            or one.box[3] <= other.box[1]
            or other.box[3] <= one.box[1]
        )


def test_digits_are_real_ones_at_a_mild_scale(small: Page, digits: Labelled) -> None:
    for placed in small.digits:
        left, top, right, bottom = placed.box
        side = right - left
        assert bottom - top == side
        assert 28 * SMALLEST - 1 <= side <= 28 * LARGEST + 1
        expected = scaled(digits.images[placed.index], side / 28)
        assert np.array_equal(small.image[top:bottom, left:right], expected)
        assert placed.label == digits.labels[placed.index]


def test_seed_and_size_decide_everything(small: Page, digits: Labelled) -> None:
    again, other = page(192, 160, digits, seed=3), page(192, 160, digits, seed=4)
    assert np.array_equal(small.image, again.image)
    assert small.digits == again.digits
    assert small.digits != other.digits


def test_a_page_too_small_for_digits_is_refused(digits: Labelled) -> None:
    with pytest.raises(SegvizError, match="63 x 300 pixels is too small"):
        page(63, 300, digits)
