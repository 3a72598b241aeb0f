"""Where one class is (lecture T18): the lecture's own example, and what the answer is called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segviz.core import assets, catalogue
from tests.cli.conftest import Segviz


def test_the_castle_is_where_the_castle_is(segviz: Segviz, tmp_path: Path) -> None:
    """Measured when the networks were handed over: 0.69 at native size."""
    image = assets.sample("castle-maintenon.jpg")
    done = segviz("heatmap", image, "--model", "efficientnet_lite0", "--class", "castle", "--json")
    data = done.data
    assert data["class"] == "castle"
    assert data["maximum"] == pytest.approx(0.69, abs=0.01)
    x, y = data["maximum_at"]
    assert 90 < x < 850, "on the building"
    assert 90 < y < 620, "on the building"
    assert data["grid"] == [22, 32]
    (column, row) = ((x - data["start"][0]) / data["stride"], (y - data["start"][1]) / data["stride"])
    assert (column % 1, row % 1) == (0, 0), "position = start + unit * stride"
    assert data["out"] == "castle-maintenon-castle.png"
    assert f"about {catalogue.entry('efficientnet_lite0').longest_side} pixels" in done.err
    with Image.open(image) as before, Image.open(tmp_path / data["out"]) as after:
        changed = np.abs(np.asarray(before).astype(int) - np.asarray(after)).max(axis=2)
    assert changed[int(y), int(x)] > 40, "the picture is painted where the class is"
    assert np.median(changed[:100]) < 8, "and left alone in the sky"


def test_a_face_at_half_size_is_told_in_pixels_of_the_original(segviz: Segviz, tmp_path: Path) -> None:
    """O-Net sees faces of 49 pixels; the astronaut's has about 110, at (225, 120)."""
    words = ("--model", "mtcnn_onet?pooling=floor", "--class", "face", "--scale", 0.45, "--out", "f.png", "--json")
    data = segviz("heatmap", assets.sample("astronaut.png"), *words).data
    x, y = data["maximum_at"]
    assert data["maximum"] >= 0.99
    assert np.hypot(x - 225, y - 120) <= 30
    assert data["scale"] == pytest.approx(0.45, abs=0.01)
    assert data["stride"] == pytest.approx(8 / 0.45, rel=0.01) or np.allclose(data["stride"], 8 / 0.45, rtol=0.01)
    with Image.open(tmp_path / "f.png") as picture:
        assert picture.size == (512, 512)


def test_a_class_goes_by_name_in_any_case_or_number(segviz: Segviz, photo: Path) -> None:
    by_name = segviz("heatmap", photo, "--model", "mtcnn_pnet", "--class", "FACE", "--json").data
    by_number = segviz("heatmap", photo, "--model", "mtcnn_pnet", "--class", "1", "--json").data
    assert (by_name["class"], by_name["index"]) == (by_number["class"], by_number["index"]) == ("face", 1)
    assert by_name["maximum"] == by_number["maximum"]


def test_an_unknown_class_names_its_neighbours_before_anything_is_computed(segviz: Segviz, photo: Path) -> None:
    done = segviz("heatmap", photo, "--model", "efficientnet_lite0", "--class", "castl")
    assert done.status == 1
    assert "castle" in done.err


def test_the_text_is_for_people(segviz: Segviz, photo: Path) -> None:
    text = segviz("heatmap", photo, "--model", "mtcnn_pnet", "--class", "face").out
    assert "face: at most 0." in text
    assert "small-face.png" in text


def test_a_folder_that_is_not_there_is_a_message(segviz: Segviz, photo: Path) -> None:
    words = ("heatmap", photo, "--model", "mtcnn_pnet", "--class", "face", "--out", "nowhere/x.png")
    done = segviz(*words)
    assert done.status == 1
    assert "x.png" in done.err


def test_quiet_leaves_notes_out(segviz: Segviz, photo: Path) -> None:
    words = ("heatmap", photo, "--model", "efficientnet_lite0", "--class", "bee")
    assert segviz(*words).err.startswith("note: EfficientNet-Lite0 sees objects best")
    assert segviz(*words, "--quiet").err == ""


def test_the_ending_must_be_that_of_a_png(segviz: Segviz, photo: Path) -> None:
    done = segviz("heatmap", photo, "--model", "lenet5", "--class", "3", "--out", "heat.jpg")
    assert done.status == 2
    assert "heat.jpg" in done.err


# ---------------------------------------------------------------------------- what speaks for a class


def test_cam_and_grad_cam_of_the_same_maps_agree(segviz: Segviz, photo: Path, tmp_path: Path) -> None:
    """Selvaraju et al. 2017, section 3.1: they differ by the number of units alone."""
    words = ("heatmap", photo, "--model", "nin", "--class", "cat", "--json")
    cam = segviz(*words, "--cam").data
    grad = segviz(*words, "--grad-cam", "mlpconv3.5", "--signed").data
    assert (cam["shows"], cam["layer"], grad["shows"]) == ("cam", "mlpconv3.5", "grad-cam")
    rows, columns = cam["grid"]
    assert cam["maximum"] == pytest.approx(grad["maximum"] * rows * columns, rel=1e-4)
    assert cam["maximum_at"] == grad["maximum_at"]
    assert cam["score"] == grad["score"]
    assert cam["out"].endswith("-cat-cam.png")
    with Image.open(photo) as before, Image.open(tmp_path / cam["out"]) as after:
        assert before.size == after.size


def test_a_signed_map_has_the_only_colours_and_a_scale(segviz: Segviz, tmp_path: Path) -> None:
    Image.new("RGB", (300, 260), (40, 90, 220)).save(tmp_path / "sky.png")  # blue, which would speak against a class
    words = ("heatmap", tmp_path / "sky.png", "--model", "nin", "--class", "cat", "--grad-cam", "mlpconv3.5")
    done = segviz(*words, "--signed", "--json").data
    with Image.open(tmp_path / done["out"]) as saved:
        pixels = np.asarray(saved.convert("RGB")).astype(int)
    assert pixels.shape[1] == 300
    assert pixels.shape[0] > 260  # the scale is below it
    spread = np.ptp(pixels[:260], axis=2)
    reach = max(done["maximum"], -done["minimum"])
    assert spread.min() <= 2  # grey where nothing speaks
    bar = pixels[260 + (len(pixels) - 260) // 2]
    assert (bar[:, 2] - bar[:, 0]).max() > 100  # from blue
    assert (bar[:, 0] - bar[:, 2]).max() > 100  # to red
    assert f"colours from {-reach:.4g} to {reach:.4g}" in segviz(*words, "--signed").out
    assert "colours from" not in segviz(*words).out


def test_grad_cam_at_a_pixel_and_over_a_box(segviz: Segviz, photo: Path) -> None:
    words = ("heatmap", photo, "--model", "mtcnn_pnet", "--class", "face", "--grad-cam", "conv2", "--json")
    one, box = segviz(*words, "--at", "20,20").data, segviz(*words, "--box", "4,4,20,20").data
    assert (one["area"], one["units"]) == ("unit", 1)
    assert box["area"] == "box"
    assert box["units"] > 1


def test_why_there_is_no_class_activation_map(segviz: Segviz, photo: Path) -> None:
    done = segviz("heatmap", photo, "--model", "lenet5", "--class", "3", "--cam")
    assert done.status == 1
    assert "choose Grad-CAM" in done.err


def test_a_place_without_a_layer_is_wrong_usage(segviz: Segviz, photo: Path) -> None:
    done = segviz("heatmap", photo, "--model", "lenet5", "--class", "3", "--at", "3,4")
    assert done.status == 2
    assert "--grad-cam LAYER" in done.err
