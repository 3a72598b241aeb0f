"""What a unit sees, as the command line tells it (lecture T11)."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

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
    assert "unit 1,0, on 36x32 pixels (the least that has the unit)" in text
    assert "y from 4 to 36" in text
    assert "unknown" not in text


def test_the_input_that_nobody_named_is_said(segviz: Segviz) -> None:
    """A field at the border depends on the size: a person must not guess which one was taken."""
    words = ("field", "lenet5", "--layer", "last", "--unit", "0,0")
    assert "unit 0,0, on 32x32 pixels (its native size)\n" in segviz(*words).out
    assert "unit 0,0, on 40x48 pixels\n" in segviz(*words, "--input", "40x48").out


def test_what_of_an_input_is_mirrored_or_padding_is_said(segviz: Segviz) -> None:
    """Ronneberger et al. 2015: 572 pixels make an answer of 388, which is 92 less on each side."""
    words = ("--layer", "last", "--unit", "0,0")
    unet = segviz("field", "unet", *words)
    assert "92 pixels on each side of the input mirror the image: its pixel 0,0 is input pixel 92,92" in unet.out
    assert "outside the input" not in unet.out
    assert segviz("field", "unet", *words, "--json").data["mirrored"] == 92
    fcn = segviz("field", "fcn8s", *words)
    assert "75.7% of the field lies outside the input, where the network pads" in fcn.out
    assert "mirror" not in fcn.out
    lenet = segviz("field", "lenet5", *words)
    assert "mirror" not in lenet.out
    assert "outside" not in lenet.out


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


def test_without_effective_nothing_is_added(segviz: Segviz) -> None:
    data = segviz("field", "lenet5", "--layer", "last", "--unit", "0,0", "--json").data
    assert list(data) == [
        "model", "layer", "unit", "grid", "input", "box", "size", "stride", "center", "mirrored", "outside",
        "status", "reason", "paths",
    ]  # fmt: skip


def test_the_effective_field_stands_beside_the_field(segviz: Segviz, photo: Path, tmp_path: Path) -> None:
    """oracles.md: LeNet-5's S4 sees 16 pixels; there is no padding, so that the crop is the field."""
    words = ("field", "lenet5", "--layer", "s4", "--unit", "3,4", "--effective", "--image", photo, "--out", "glow.png")
    data = segviz(*words, "--json").data
    assert data["input"] == [48, 64]
    assert data["size"] == 16
    assert data["crop"] == data["box"]
    assert 0 < data["energy_in"] <= 0.96
    assert [one["share"] for one in data["ellipses"]] == [0.5, 0.95]
    (inner, outer), (left, top, right, bottom) = data["ellipses"], data["crop"]
    assert all(a < b for a, b in zip(inner["half_axes"], outer["half_axes"], strict=True))
    assert left < inner["center"][0] < right
    assert top < inner["center"][1] < bottom
    with Image.open(tmp_path / "glow.png") as saved:
        assert saved.size == (16, 16)
    strongest = data["channel"]
    named = segviz(*words, "--channel", strongest, "--json").data
    assert named["value"] == data["value"]
    text = segviz(*words).out
    assert f"map {strongest}" in text
    assert "95 % of the energy in" in text


def test_several_images_and_other_rules(segviz: Segviz, photo: Path) -> None:
    words = ("field", "lenet5", "--layer", "s4", "--unit", "3,4", "--effective", "--image", photo)
    assert segviz(*words, "--images", 4, "--json").data["images"] == 1  # there is no other in its folder
    guided = segviz(*words, "--rule", "guided", "--json")
    assert guided.data["rule"] == "guided"
    assert "no ReLU lies below this unit" in guided.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--channel", "3"), "add --effective"),
        (("--effective",), "add --image IMAGE"),
        (("--effective", "--image", "a.png", "--input", "32x32"), "leave --input out"),
        (("--effective", "--image", "a.png", "--rule", "guided", "--images", "2"), "leave --images out"),
        (("--effective", "--image", "a.png", "--out", "a.jpg"), ".png file"),
    ],
)
def test_options_that_do_not_go_together(segviz: Segviz, words: tuple[str, ...], said: str) -> None:
    done = segviz("field", "lenet5", "--layer", "s4", "--unit", "0,0", *words)
    assert done.status == 2
    assert said in done.err


def test_a_unit_that_the_image_does_not_have_is_refused(segviz: Segviz, photo: Path) -> None:
    done = segviz("field", "lenet5", "--layer", "s4", "--unit", "50,0", "--effective", "--image", photo)
    assert done.status == 1
    assert "outside the 9x13 grid" in done.err


# ------------------------------------------------------------------------------------- paths

SPLIT = ("field", "fcn8s-digits", "--layer", "last", "--unit", "30,40", "--paths", "--class", "3", "--image")


def test_what_the_paths_add_is_the_score(segviz: Segviz, photo: Path) -> None:
    data = segviz(*SPLIT, photo, "--json").data
    assert [path["layer"] for path in data["paths"]] == [part["layer"] for part in data["parts"]]
    assert [path["adds"] for path in data["paths"]] == [part["value"] for part in data["parts"]]
    assert sum(path["adds"] for path in data["paths"]) + data["bias"] == pytest.approx(data["logit"], abs=1e-4)
    assert (data["class"], len(data["paths"])) == ("3", 3)
    text = segviz(*SPLIT, photo).out
    assert f"score of 3    {data['logit']:+.4f}" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--paths",), "add --image IMAGE and --class NAME"),
        (("--class", "3"), "add --paths"),
        (("--paths", "--class", "3", "--image", "a.png", "--input", "32x32"), "leave --input out"),
    ],
)
def test_options_of_paths_that_do_not_go_together(segviz: Segviz, words: tuple[str, ...], said: str) -> None:
    done = segviz("field", "fcn8s-digits", "--layer", "last", "--unit", "0,0", *words)
    assert done.status == 2
    assert said in done.err


def test_where_the_score_is_no_sum_the_reason_is_said(segviz: Segviz, photo: Path) -> None:
    done = segviz("field", "lenet5", "--layer", "last", "--unit", "0,0", "--paths", "--class", "3", "--image", photo)
    assert done.status == 1
    assert "one path alone" in done.err
    elsewhere = ("--layer", "score_fr", "--unit", "0,0", "--paths", "--class", "3", "--image", photo)
    assert "has no scores of classes" in segviz("field", "fcn8s-digits", *elsewhere).err
