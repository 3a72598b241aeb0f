"""Lookup tables: facts of published palettes, and what an eye needs of a colour map."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segviz.core.catalogue import background
from segviz.core.choices import ColourMap, Palette
from segviz.core.oklab import to_oklab
from segviz.core.palettes import (
    GLASBEY_COUNT,
    class_colours,
    colour_map,
    heat_table,
    label_table,
    make_glasbey,
    path_colours,
    visible_classes,
)

# ---------------------------------------------------------------------------- class colours


def test_voc_colours_by_its_development_kit():
    """Background, aeroplane, bicycle, bird, boat, bottle, ..., person (15), tvmonitor (20), void (255)."""
    known = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 4: (0, 0, 128), 5: (128, 0, 128)}
    known |= {8: (64, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128), 255: (224, 224, 192)}
    colours = class_colours(Palette.VOC, 256)
    assert {index: tuple(colours[index].tolist()) for index in known} == known


def test_cityscapes_colours():
    colours = class_colours(Palette.CITYSCAPES, 19)
    assert colours[[0, 11, 13, 18]].tolist() == [[128, 64, 128], [220, 20, 60], [0, 0, 142], [119, 11, 32]]
    assert len(np.unique(colours, axis=0)) == 19


def test_okabe_ito_is_the_published_set():
    published = ["000000", "e69f00", "56b4e9", "009e73", "f0e442", "0072b2", "d55e00", "cc79a7"]
    ours = [bytes(colour).hex() for colour in class_colours(Palette.OKABE_ITO, 8)]
    assert sorted(ours) == sorted(published)


def test_the_stored_colours_are_those_of_their_maker():
    np.testing.assert_array_equal(class_colours(Palette.GLASBEY, GLASBEY_COUNT), make_glasbey())


def test_the_large_set_is_told_apart():
    colours = class_colours(Palette.GLASBEY, 256)
    assert len(np.unique(colours, axis=0)) == 256
    lab = to_oklab(colours)
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=2) + np.eye(256)
    assert distance[:20, :20].min() > 0.13
    assert distance.min() > 0.04
    assert lab[:, 0].min() > 0.45  # visible on dark photographs


def test_auto_is_okabe_ito_up_to_eight_classes():
    for count in (2, 8):
        np.testing.assert_array_equal(class_colours(Palette.AUTO, count), class_colours(Palette.OKABE_ITO, count))
    for count in (9, 21, 1000):
        np.testing.assert_array_equal(class_colours(Palette.AUTO, count), class_colours(Palette.GLASBEY, count))


@pytest.mark.parametrize("palette", list(Palette))
def test_a_thousand_classes_have_colours_in_every_palette(palette):
    colours = class_colours(palette, 1000)
    assert (colours.shape, colours.dtype) == ((1000, 3), np.uint8)
    period = {Palette.OKABE_ITO: 8, Palette.CITYSCAPES: 19}.get(palette, 256)
    four = 4 * period  # rounds, each of its own lightness
    np.testing.assert_array_equal(colours[four:], colours[: max(0, 1000 - four)])


def test_a_thousand_classes_are_a_thousand_colours():
    assert len(np.unique(class_colours(Palette.GLASBEY, 1000), axis=0)) > 990


def test_tables_cannot_be_changed_for_others():
    class_colours(Palette.VOC, 21)[0] = 9
    assert class_colours(Palette.VOC, 21)[0].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        colour_map(ColourMap.MAGMA)[0] = 1


@pytest.mark.parametrize(
    ("classes", "index"),
    [
        (("background", "face"), 0),
        (("person", "Background"), 1),
        (("__background__", "aeroplane"), 0),
        (("castle", "palace"), None),
        ((), None),
    ],
)
def test_background(classes, index):
    assert background(classes) == index


@given(
    hidden=st.frozensets(st.integers(0, 12)), solo=st.none() | st.integers(0, 12), bare=st.none() | st.integers(0, 9)
)
def test_what_is_painted(hidden, solo, bare):
    seen = visible_classes(10, hidden, solo, bare)
    for index in range(10):
        wanted = index == solo if solo is not None else index not in hidden
        assert seen[index] == (wanted and index != bare)
    table = label_table(10, Palette.AUTO, hidden, solo, bare, alpha=140)
    np.testing.assert_array_equal(table[:, 3], np.where(seen, 140, 0))
    np.testing.assert_array_equal(table[:, :3], class_colours(Palette.AUTO, 10))


# ------------------------------------------------------------------------------- colour maps


def lightness(rgb: np.ndarray) -> np.ndarray:
    """CIE L*, 0 to 100, of colours (..., 3): written out here, so that it does not share a mistake with oklab."""
    share = rgb / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)


SEQUENTIAL = [ColourMap.MAGMA, ColourMap.VIRIDIS, ColourMap.CIVIDIS, ColourMap.GREY]


@pytest.mark.parametrize("name", list(ColourMap))
def test_colour_maps_are_tables_of_bytes(name):
    table = colour_map(name)
    assert (table.shape, table.dtype) == ((256, 3), np.uint8)
    assert np.abs(np.diff(table.astype(int), axis=0)).max() <= 6  # no visible steps


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_lightness_rises(name):
    """Strictly over any two levels; one level may stand still, since colours are whole numbers."""
    light = lightness(colour_map(name))
    assert (light[2:] > light[:-2]).all()
    assert np.diff(light).min() > -0.06
    assert light[-1] - light[0] > 70


def test_the_diverging_map_is_lightest_and_bare_of_hue_at_zero():
    table = colour_map(ColourMap.DIVERGING)
    light = lightness(table)
    assert (np.diff(light)[:126] > -0.06).all()
    assert (np.diff(light)[129:] < 0.06).all()
    assert np.abs(light - light[::-1]).max() < 6  # both signs weigh alike
    assert np.ptp(table[127:129].astype(int), axis=1).max() <= 6
    assert table[0, 2] > table[0, 0]
    assert table[255, 0] > table[255, 2]


@pytest.mark.parametrize(("name", "apart"), [("magma", 4), ("viridis", 6), ("cividis", 10)])
def test_known_maps_are_met_within_a_few_levels(name, apart):
    """Against the tables that pyqtgraph ships, read as a file: core itself never needs them."""
    package = importlib.util.find_spec("pyqtgraph")
    table = Path(package.origin).parent / "colors" / "maps" / f"{name}.csv"
    if not table.is_file():
        pytest.skip("this pyqtgraph ships no tables")
    rows = csv.reader(line for line in table.read_text(encoding="utf-8").splitlines() if line[:1] not in (";", ""))
    known = np.array([[float(value) for value in row] for row in rows]) * 255
    difference = np.abs(colour_map(ColourMap(name)) - known)
    assert difference.max() < apart
    assert difference.mean() < 1


@pytest.mark.parametrize("name", list(ColourMap))
def test_low_probability_leaves_the_photograph_visible(name):
    table = heat_table(name)
    np.testing.assert_array_equal(table[:, :3], colour_map(name))
    alpha = table[:, 3].astype(int)
    assert (np.diff(alpha) >= 0).all()
    assert (alpha[0], alpha[255]) == (0, 255)
    assert alpha[13] < 0.15 * 255  # a probability of 5%
    assert alpha[128] > 0.5 * 255
    assert (heat_table(name, 0.4)[:, 3] > 0).sum() == 255 - 102 + 1


# ----------------------------------------------------------------------------- colours of paths


@pytest.mark.parametrize("palette", list(Palette))
@pytest.mark.parametrize("classes", [2, 7, 10, 19, 21])
def test_paths_have_no_colour_of_a_class(palette: Palette, classes: int):
    """Nor that of a field, nor of what an occlusion changes; light enough for thin lines on a photograph."""
    others = ("4da3ff", "ff7a00")
    found = to_oklab(path_colours(palette, classes, 4, others))
    taken = to_oklab([*class_colours(palette, classes), *(list(bytes.fromhex(code)) for code in others)])
    apart = np.linalg.norm(found[:, None] - taken[None], axis=-1)
    assert apart.min() > 0.11  # 0.02 is just noticed
    among = np.linalg.norm(found[:, None] - found[None], axis=-1) + np.eye(4)
    assert among.min() > 0.11
    assert found[:, 0].min() > 0.65


def test_few_classes_leave_the_colours_of_paths_as_they_are():
    assert np.array_equal(path_colours(Palette.AUTO, 2, 3), path_colours(Palette.AUTO, 7, 3))
    assert np.array_equal(path_colours(Palette.AUTO, 7, 2), path_colours(Palette.AUTO, 7, 4)[:2])
