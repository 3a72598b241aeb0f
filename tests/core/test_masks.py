"""Masks are class indices, never colours."""

from __future__ import annotations

import struct
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


def tiff_of(labels: np.ndarray, unit: int = 2, units: int = 1) -> bytes:
    """A grey TIFF by hand; with two resolution units, of which a reader expects one, it is sloppy but whole."""
    height, width = labels.shape
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 277: 1, 278: height, 279: labels.size}
    start = 8 + 2 + 12 * (len(tags) + 2) + 4
    entries = {tag: (1, value) for tag, value in tags.items()} | {273: (1, start), 296: (units, unit | unit << 16)}
    packed = (struct.pack("<HHII", tag, 3, count, value) for tag, (count, value) in sorted(entries.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(packed) + bytes(4) + labels.tobytes()


def test_sloppy_metadata_keeps_nobody_from_a_sound_mask(tmp_path: Path) -> None:
    """Pillow warns of it; the photograph beside the mask would be opened all the same."""
    (tmp_path / "mask.tif").write_bytes(tiff_of(LABELS, units=2))
    with pytest.warns(UserWarning, match="too many entries"), Image.open(tmp_path / "mask.tif"):
        pass
    assert np.array_equal(open_mask(tmp_path / "mask.tif"), LABELS)


def test_a_broken_file_is_one_message(tmp_path: Path) -> None:
    Image.fromarray(LABELS).save(tmp_path / "mask.png")
    whole = (tmp_path / "mask.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SegvizError, match=r"cut\.png"):
        open_mask(tmp_path / "cut.png")
