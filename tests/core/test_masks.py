"""Masks are class indices, never colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segviz.core.errors import SegvizError
from segviz.core.masks import open_mask

LABELS = np.array([[0, 1, 2], [20, 255, 3]], np.uint8)


def test_an_indexed_png_gives_indices_whatever_its_palette(tmp_path: Path) -> None:
    image = Image.fromarray(LABELS)
    image.putpalette([v for i in range(256) for v in (255 - i, i, i // 2)])
    image.save(tmp_path / "mask.png")
    with Image.open(tmp_path / "mask.png") as saved:
        assert saved.mode == "P"
    assert np.array_equal(open_mask(tmp_path / "mask.png"), LABELS)


def test_grey_and_16_bit_masks_keep_their_numbers(tmp_path: Path) -> None:
    Image.fromarray(LABELS).save(tmp_path / "grey.png")
    wide = LABELS.astype(np.uint16) + 700
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert np.array_equal(open_mask(tmp_path / "grey.png"), LABELS)
    assert np.array_equal(open_mask(tmp_path / "wide.png"), wide)


def test_a_picture_in_colour_is_refused_with_the_remedy(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), "red").save(tmp_path / "photo.png")
    with pytest.raises(SegvizError, match=r"photo\.png: not a mask.*indexed or grey PNG"):
        open_mask(tmp_path / "photo.png")


def test_a_broken_file_is_one_message(tmp_path: Path) -> None:
    Image.fromarray(LABELS).save(tmp_path / "mask.png")
    whole = (tmp_path / "mask.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SegvizError, match=r"cut\.png"):
        open_mask(tmp_path / "cut.png")
