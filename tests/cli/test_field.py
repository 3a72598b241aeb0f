"""What a unit sees, as the command line tells it (lecture T11)."""

from __future__ import annotations

import pytest

from segviz.core import catalogue
from tests.cli.conftest import Segviz


def test_lenet5s_output_sees_its_whole_window(segviz: Segviz) -> None:
    data = segviz("field", "lenet5", "--layer", "last", "--unit", "0,0", "--json").data
    assert data["box"] == [0, 0, 32, 32]
    assert (data["size"], data["stride"], data["center"]) == (32, 4, [15.5, 15.5])
    assert data["status"] == "exact"


def test_units_outside_the_native_grid_are_answered_by_the_converted_network(segviz: Segviz) -> None:
    data = segviz("field", "lenet5", "--layer", "last", "--unit", "2,5", "--json").data
    assert (data["grid"], data["input"]) == ([3, 6], [40, 52])  # the smallest input that has it
    assert data["box"] == [20, 8, 52, 40]
    assert (data["status"], data["reason"], data["outside"]) == ("exact", "", 0)
    text = segviz("field", "lenet5", "--layer", "last", "--unit", "1,0").out
    assert "unit 1,0, on 36x32 pixels" in text
    assert "y from 4 to 36" in text
    assert "unknown" not in text


LITE = "-efficientnet_lite0"
ALIKE = ("vgg11", "vgg13", "vgg19", "fcn32s", "fcn16s", f"fcn32s{LITE}", f"fcn16s{LITE}")  # built as vgg16 and fcn8s


@pytest.mark.parametrize("spec", [entry.name for entry in catalogue.ENTRIES if entry.name not in ALIKE])
@pytest.mark.parametrize(("row", "column"), [(5, 0), (9, 60)])
def test_every_unit_that_is_answered_exists(segviz: Segviz, spec: str, row: int, column: int) -> None:
    words = ("field", spec, "--layer", "last", "--unit", f"{row},{column}", "--json")
    data = segviz(*words).data
    assert data["grid"][0] > row
    assert data["grid"][1] > column
    assert data["status"] in ("exact", "whole image")
    assert data["outside"] < 1
    height, width = data["input"]
    assert segviz(*words, "--input", f"{height}x{width}").data == data


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lenet5", "--layer", "last", "--unit=-1,0"), "outside the 1x1 grid"),
        (("lenet5", "--layer", "last", "--unit", "20000,0"), "needs an input of 80032x32"),
    ],
    ids=["before the first", "beyond all images"],
)
def test_a_unit_that_no_image_has_is_refused(segviz: Segviz, words: tuple[str, ...], said: str) -> None:
    done = segviz("field", *words)
    assert (done.status, done.out) == (1, "")
    assert said in done.err


def test_a_layer_of_one_unit_has_no_second_one(segviz: Segviz) -> None:
    """Squeeze and excitation pools the whole map: no input is large enough for another unit."""
    layers = segviz("summary", "selfie_general", "--json").data["layers"]
    pooled = next(layer["name"] for layer in layers if layer["output_shape"][1:] == [1, 1])
    done = segviz("field", "selfie_general", "--layer", pooled, "--unit", "0,1")
    assert done.status == 1
    assert f"outside the 1x1 grid of layer '{pooled}'" in done.err


def test_on_an_input_of_ones_own_the_unit_must_exist(segviz: Segviz) -> None:
    """oracles.md: LeNet-5 on 96x128 gives 17x25."""
    words = ("field", "lenet5", "--layer", "last", "--input", "96x128", "--unit")
    data = segviz(*words, "16,24", "--json").data
    assert data["grid"] == [17, 25]
    assert data["box"] == [96, 64, 128, 96]
    outside = segviz(*words, "17,0", "--json")
    assert (outside.status, outside.out) == (1, "")
    assert "17x25 grid" in outside.err


def test_a_field_reaches_into_the_padding(segviz: Segviz) -> None:
    data = segviz("field", "selfie_general", "--layer", "stem", "--unit", "127,127", "--json").data
    assert data["box"] == [254, 254, 257, 257]
    assert data["outside"] > 0


def test_an_unknown_layer_names_those_there_are(segviz: Segviz) -> None:
    done = segviz("field", "mtcnn_onet", "--layer", "conv9", "--unit", "0,0")
    assert done.status == 1
    assert "no layer 'conv9'" in done.err
    assert "conv1" in done.err


def test_the_text_says_what_it_sees(segviz: Segviz) -> None:
    text = segviz("field", "mtcnn_onet?pooling=floor", "--layer", "last", "--unit", "0,1").out
    assert "x from 8 to 57, y from 0 to 49" in text
    assert "stride  8" in text


def test_a_unit_of_the_native_grid_is_the_published_networks(segviz: Segviz) -> None:
    """EfficientNet-Lite0 ends in global pooling: its one unit sees the whole image; a second one only its twin has."""
    native = segviz("field", "efficientnet_lite0", "--layer", "last", "--unit", "0,0", "--json").data
    assert (native["grid"], native["size"], native["status"]) == ([1, 1], 1043, "whole image")
    beyond = segviz("field", "efficientnet_lite0", "--layer", "last", "--unit", "1,0", "--json").data
    assert (beyond["grid"], beyond["size"], beyond["status"]) == ([7, 7], 851, "exact")


def test_where_a_network_breaks_and_what_would_fit(segviz: Segviz) -> None:
    """Lecture T16: the larger image stops at the first dense layer."""
    broken = segviz("summary", "lenet5", "--input", "96x128")
    assert broken.status == 1
    assert "breaks at layer 'c5'" in broken.err
    odd = segviz("summary", "selfie_general", "--input", "100x100")
    assert "pad to 112x112" in odd.err
