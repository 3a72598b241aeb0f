"""Masks are class indices, or colours of which it is known what they stand for."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segviz.core.errors import SegvizError
from segviz.core.mask_colours import NOT_COUNTED, read_key
from segviz.core.masks import candidates, is_mask_of, mask_beside, open_mask, read_mask

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
    pixels = np.zeros((3, 4, 3), np.uint8)
    pixels[2, 1] = (12, 34, 56)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    said = (
        r"photo\.png: not a mask.*12 34 56 at \(1, 2\).*PASCAL VOC nor of Cityscapes.*indexed or grey PNG.*palette\.txt"
    )
    with pytest.raises(SegvizError, match=said):
        open_mask(tmp_path / "photo.png")


def coloured(path: Path, *rows: list[tuple[int, ...]]) -> Path:
    Image.fromarray(np.array(rows, np.uint8)).save(path)
    return path


def test_the_colours_of_pascal_voc_and_cityscapes_are_known(tmp_path: Path) -> None:
    """Cat and person of VOC with its border; road, car and what Cityscapes does not score. Values of their papers."""
    voc = read_mask(coloured(tmp_path / "voc.png", [(0, 0, 0), (64, 0, 0), (192, 128, 128), (224, 224, 192)]))
    assert voc.labels.tolist() == [[0, 8, 15, NOT_COUNTED]]
    assert (voc.kind, voc.names[8], len(voc.names)) == ("colours of PASCAL VOC", "cat", 21)
    city = read_mask(coloured(tmp_path / "city.png", [(128, 64, 128), (0, 0, 142), (0, 0, 0), (111, 74, 0)]))
    assert city.labels.tolist() == [[0, 13, NOT_COUNTED, NOT_COUNTED]]
    assert (city.kind, city.names[13]) == ("colours of Cityscapes", "car")


def test_greys_in_three_channels_are_indices_and_transparent_pixels_do_not_count(tmp_path: Path) -> None:
    found = read_mask(coloured(tmp_path / "grey.png", [(3, 3, 3, 255), (7, 7, 7, 255), (9, 9, 9, 0)]))
    assert (found.kind, found.labels.tolist()) == ("grey", [[3, 7, NOT_COUNTED]])


def test_a_list_of_colours_beside_the_mask_or_above_it_says_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "palette.txt").write_text("# R G B name\n10 20 30 sky\n\n40,50,60 big tree\n0 0 0 void\n", "utf-8")
    (tmp_path / "masks").mkdir()
    found = read_mask(coloured(tmp_path / "masks" / "x.png", [(40, 50, 60), (10, 20, 30), (0, 0, 0)]))
    assert found.labels.tolist() == [[1, 0, NOT_COUNTED]]
    assert (found.names, found.kind) == (("sky", "big tree"), "colours of palette.txt")
    with pytest.raises(SegvizError, match=r"1 2 3 at \(0, 0\) is not of palette\.txt"):
        read_mask(coloured(tmp_path / "masks" / "y.png", [(1, 2, 3)]))


def test_a_key_that_is_given_decodes_the_palette_of_an_indexed_png_too(tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("0 0 9 blue\n9 0 0 red\n", "utf-8")
    image = Image.fromarray(np.array([[1, 0]], np.uint8))
    image.putpalette([0, 0, 9, 9, 0, 0])
    image.save(tmp_path / "indexed.png")
    assert read_mask(tmp_path / "indexed.png", read_key(tmp_path / "key.txt")).labels.tolist() == [[1, 0]]
    image.putpalette([9, 0, 0, 0, 0, 9])
    image.save(tmp_path / "turned.png")
    assert read_mask(tmp_path / "turned.png", read_key(tmp_path / "key.txt")).labels.tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 2 3 a\n1 2 x b\n", "line 2: '1 2 x b'"),
        ("1 2 300 a\n", "line 1"),
        ("1 2 3 a\n1 2 3 b\n", "1 2 3 stands there twice"),
        ("# nothing\n", "names no class"),
    ],
)
def test_a_list_of_colours_that_is_none_names_the_line(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text(text, "utf-8")
    with pytest.raises(SegvizError, match=said):
        read_key(tmp_path / "key.txt")


def test_names_beside_a_mask_belong_to_it(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    Image.fromarray(LABELS).save(tmp_path / "masks" / "a.png")
    assert read_mask(tmp_path / "masks" / "a.png").names == ()
    (tmp_path / "classes.txt").write_text("paper\nink\n", "utf-8")
    assert read_mask(tmp_path / "masks" / "a.png").names == ("paper", "ink")


def test_a_mask_that_came_through_jpeg_is_refused(tmp_path: Path) -> None:
    Image.fromarray(LABELS).save(tmp_path / "mask.jpg")
    with pytest.raises(SegvizError, match=r"mask\.jpg.*save it as PNG"):
        open_mask(tmp_path / "mask.jpg")


# ------------------------------------------------------------------------------- naming rule


@pytest.mark.parametrize(
    "name",
    [
        "masks/cat.png",
        "labels/cat.tif",
        "SegmentationClass/cat.png",
        "images/masks/cat.png",
        "images/cat_mask.png",
        "images/cat-mask.png",
        "images/cat.mask.bmp",
        "images/cat.labels.png",
        "images/cat_gt.gif",
    ],
)
def test_the_mask_of_an_image_is_found_by_its_name(name: str, tmp_path: Path) -> None:
    image = tmp_path / "images" / "cat.jpg"
    for place in (image, tmp_path / name):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"")
    assert mask_beside(image) == tmp_path / name


@pytest.mark.parametrize("name", ["images/cat-labels.png", "images/dog_mask.png", "images/cat.png", "other/cat.png"])
def test_nothing_else_is_taken_for_a_mask(name: str, tmp_path: Path) -> None:
    """`cat-labels.png` is what segviz calls a label map that a network has found: the truth has another name."""
    for place in (tmp_path / "images" / "cat.jpg", tmp_path / name):
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"")
    assert mask_beside(tmp_path / "images" / "cat.jpg") is None


def test_a_folder_of_masks_comes_before_a_file_beside_the_image(tmp_path: Path) -> None:
    order = candidates(tmp_path / "images" / "cat.jpg")
    assert order[0] == tmp_path / "masks" / "cat.png"
    assert order.index(tmp_path / "gt" / "cat.png") < order.index(tmp_path / "images" / "cat_mask.png")
    assert len(set(order)) == len(order)


def test_an_image_is_not_its_own_mask(tmp_path: Path) -> None:
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "cat.png").write_bytes(b"")
    assert mask_beside(tmp_path / "masks" / "cat.png") is None


def test_a_mask_is_known_by_its_content(tmp_path: Path) -> None:
    regions = np.zeros((60, 80), np.uint8)
    regions[20:, 30:] = 3
    Image.fromarray(regions).save(tmp_path / "mask.png")
    noise = np.random.default_rng(0).integers(0, 255, (60, 80)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    assert is_mask_of(tmp_path / "mask.png", 60, 80)
    assert not is_mask_of(tmp_path / "mask.png", 80, 60)
    assert not is_mask_of(tmp_path / "photo.png", 60, 80)
    assert not is_mask_of(tmp_path / "nowhere.png", 60, 80)


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
