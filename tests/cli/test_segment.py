"""Label maps, overlays, probabilities and scores of whole commands."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segviz.cli.segment import unique_stems
from segviz.core import assets
from tests.cli.conftest import Segviz

MODEL = ("--model", "mtcnn_pnet")


def opened(file: str) -> np.ndarray:
    with Image.open(file) as image:
        return np.asarray(image)


def test_an_image_gives_a_label_map_an_overlay_and_shares(segviz: Segviz, photo: Path, tmp_path: Path) -> None:
    data = segviz("segment", photo, *MODEL, "--out", "made/here", "--json").data
    (result,) = data["results"]
    assert result["image"] == str(photo)
    assert result["grid"] == [19, 27]  # P-Net: window 12, stride 2, on 48 x 64
    assert (result["stride"], result["start"]) == (2, [5.5, 5.5])
    labels, overlay = opened(result["labels"]), opened(result["overlay"])
    assert labels.shape == (48, 64)
    assert overlay.shape == (48, 64, 3)
    assert sum(found["share"] for found in result["classes"]) == pytest.approx(1)
    for found in result["classes"]:
        assert found["share"] == pytest.approx((labels == found["index"]).mean())
    with Image.open(result["labels"]) as saved:
        assert saved.mode == "P"
    assert sorted(path.name for path in (tmp_path / "made/here").iterdir()) == ["small-labels.png", "small-overlay.png"]


def test_probabilities_lie_on_the_grid_and_add_up_to_one(segviz: Segviz, photo: Path) -> None:
    (result,) = segviz("segment", photo, *MODEL, "--probabilities", "--out", "o", "--json").data["results"]
    with np.load(result["probabilities"]) as saved:
        assert saved["probabilities"].shape == (2, 19, 27)
        np.testing.assert_allclose(saved["probabilities"].sum(axis=0), 1, atol=1e-5)
        assert saved["stride"].tolist() == [2, 2]
        assert saved["start"].tolist() == [5.5, 5.5]


def test_several_images_of_one_name_do_not_overwrite_each_other(segviz: Segviz, photo: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / photo.name
    other.parent.mkdir()
    other.write_bytes(photo.read_bytes())
    results = segviz("segment", photo, other, *MODEL, "--out", "o", "--json").data["results"]
    assert len({result["labels"] for result in results}) == 2
    assert np.array_equal(opened(results[0]["labels"]), opened(results[1]["labels"]))


def test_names_are_unique_whatever_they_are() -> None:
    files = [Path("a/x.png"), Path("b/x.jpg"), Path("x-2.png"), Path("c/x.bmp")]
    assert unique_stems(files) == ["x", "x-2", "x-2-2", "x-3"]


def test_a_region_is_the_same_as_that_part_of_the_whole(segviz: Segviz, photo: Path) -> None:
    (whole,) = segviz("segment", photo, *MODEL, "--out", "whole", "--json").data["results"]
    (part,) = segviz("segment", photo, *MODEL, "--region", "10,8,30,20", "--out", "part", "--json").data["results"]
    assert part["region"] == [10, 8, 40, 28]
    steps = [(own - all_) / whole["stride"] for own, all_ in zip(part["start"], whole["start"], strict=True)]
    assert all(step == int(step) >= 0 for step in steps), "units of the whole image's grid, in its pixels"
    assert np.array_equal(opened(part["labels"]), opened(whole["labels"])[8:28, 10:40])
    assert opened(part["overlay"]).shape == (20, 30, 3)


def test_a_region_outside_the_image_is_refused(segviz: Segviz, photo: Path) -> None:
    done = segviz("segment", photo, *MODEL, "--region", "100,100,5,5", "--out", "o")
    assert done.status == 1
    assert "region" in done.err


def test_the_sliding_window_takes_the_step_it_is_told(segviz: Segviz, photo: Path) -> None:
    words = ("segment", photo, *MODEL, "--method", "sliding-window", "--grid-stride", 8, "--out", "o", "--json")
    (result,) = segviz(*words).data["results"]
    assert result["method"] == "sliding-window"
    assert (result["grid"], result["stride"]) == ([5, 7], 8)


def test_its_own_labels_as_ground_truth_score_one(segviz: Segviz, photo: Path) -> None:
    (first,) = segviz("segment", photo, *MODEL, "--out", "o", "--json").data["results"]
    words = ("segment", photo, *MODEL, "--out", "p", "--ground-truth", first["labels"])
    (again,) = segviz(*words, "--json").data["results"]
    scores = again["scores"]
    names = ("pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou")
    assert [scores[name] for name in names] == [1, 1, 1, 1]
    assert {found["name"] for found in scores["per_class"]} <= {"background", "face"}
    assert "mean IoU 1.000" in segviz(*words).out


def test_a_half_wrong_mask_scores_by_hand(segviz: Segviz, photo: Path, tmp_path: Path) -> None:
    (first,) = segviz("segment", photo, *MODEL, "--out", "o", "--json").data["results"]
    truth = opened(first["labels"]).copy()
    truth[:, :32] = 1 - truth[:, :32]
    Image.fromarray(truth).save(tmp_path / "mask.png")
    words = ("segment", photo, *MODEL, "--out", "p", "--ground-truth", "mask.png", "--json")
    (result,) = segviz(*words).data["results"]
    assert result["scores"]["pixel_accuracy"] == pytest.approx(0.5)


def test_a_mask_of_another_size_names_both(segviz: Segviz, photo: Path, tmp_path: Path) -> None:
    Image.new("L", (10, 20)).save(tmp_path / "mask.png")
    done = segviz("segment", photo, *MODEL, "--out", "o", "--ground-truth", "mask.png")
    assert done.status == 1
    assert "10x20" in done.err
    assert "64x48" in done.err


def test_one_mask_is_for_one_image(segviz: Segviz, photo: Path) -> None:
    done = segviz("segment", photo, photo, *MODEL, "--out", "o", "--ground-truth", photo)
    assert done.status == 2


def test_the_selfie_network_finds_the_person_at_the_size_it_knows(segviz: Segviz) -> None:
    image = assets.sample("grace_hopper.jpg")
    (result,) = segviz("segment", image, "--model", "selfie_general", "--out", "o", "--json").data["results"]
    assert result["method"] == "native"
    assert result["scale"] < 1, "networks that answer per pixel are trained for one size"
    labels = opened(result["labels"])
    height, width = labels.shape
    assert labels[height // 2, width // 2] == 1
    assert labels[2, 2] == 0
    assert 0.3 < labels.mean() < 0.9


def test_one_bad_image_does_not_lose_the_others(segviz: Segviz, photo: Path, tmp_path: Path) -> None:
    done = segviz("segment", photo, tmp_path / "nope.png", photo, "--model", "lenet5", "--out", "out", "--json")
    assert done.status == 1
    data = json.loads(done.out)
    assert [result["image"] for result in data["results"]] == [str(photo), str(photo)]
    assert data["failures"][0]["image"] == str(tmp_path / "nope.png")
    assert "no such file" in done.err


def test_what_was_done_to_an_image_is_said(segviz: Segviz, tmp_path: Path) -> None:
    deep = tmp_path / "deep.png"
    Image.fromarray((np.arange(48 * 64).reshape(48, 64) * 20).astype(np.uint16)).save(deep)
    done = segviz("segment", deep, "--model", "lenet5", "--out", "out", "--json")
    assert any("16" in note for note in done.data["results"][0]["notes"])
    assert "note: deep.png: " in done.err


def test_a_grid_stride_that_changes_nothing_is_said(segviz: Segviz, photo: Path) -> None:
    done = segviz("segment", photo, "--model", "lenet5", "--grid-stride", 8, "--out", "out")
    assert "--grid-stride is for sliding-window, shift-and-stitch, dense" in done.err


def test_the_overlay_leaves_out_what_the_network_is_not_sure_of(segviz: Segviz) -> None:
    """LeNet-5 has no class for blank paper: from 0.8 on, as in the window, only digits are painted."""
    page = assets.sample("digits-256x256.png")
    words = ("segment", page, "--model", "lenet5", "--json", "--out")
    done = segviz(*words, "sure")
    (sure,), (every,) = done.data["results"], segviz(*words, "all", "--minimum", "0").data["results"]
    assert "confidence of 0.8" in done.err
    assert (sure["minimum"], every["minimum"]) == (0.8, 0)
    assert np.array_equal(opened(sure["labels"]), opened(every["labels"]))  # the label map keeps every pixel
    paper = np.asarray(Image.open(page).convert("RGB"))
    bare = (opened(sure["overlay"]) == paper).all(axis=2).mean()
    assert bare > 0.9
    assert (opened(every["overlay"]) == paper).all(axis=2).mean() < 0.2
    assert "confidence of" not in segviz(*words, "same", "--minimum", "80%").err


def test_an_image_is_named_once(segviz: Segviz, photo: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture at all" * 9)
    done = segviz("segment", photo, broken, "nope.png", *MODEL, "--out", "o")
    assert done.err.count("broken.png") == 1
    assert done.err.count("nope.png") == 1


def test_a_file_is_no_folder(segviz: Segviz, photo: Path) -> None:
    done = segviz("segment", photo, *MODEL, "--out", photo)
    assert (done.status, "to be a folder" in done.err) == (1, True)


def test_three_methods_give_the_same_array_at_every_pixel(segviz: Segviz, tmp_path: Path) -> None:
    """Sliding window, a trous, shift and stitch: the probabilities of LeNet-5 on a part of a page of digits."""
    page = tmp_path / "page.png"
    with Image.open(assets.sample("digits-256x256.png")) as image:
        image.crop((60, 40, 110, 82)).save(page)
    found = {}
    for method in ("sliding-window", "dense", "shift-and-stitch"):
        out = tmp_path / method
        words = ("--method", method, "--grid-stride", "1", "--probabilities", "--out", out)
        done = segviz("segment", page, "--model", "lenet5", *words)
        assert done.status == 0, done.err
        with np.load(next(out.glob("*.npz"))) as file:
            found[method] = file["probabilities"], file["stride"], file["start"]
    window, stride, start = found["sliding-window"]
    assert window.shape == (10, 42 - 31, 50 - 31)
    for method in ("dense", "shift-and-stitch"):
        assert np.abs(found[method][0] - window).max() <= 5e-6
        assert np.array_equal(found[method][1], stride)
        assert np.array_equal(found[method][2], start)


def test_a_refinement_tells_the_scores_of_before_too(segviz: Segviz, photo: Path) -> None:
    (plain,) = segviz("segment", photo, *MODEL, "--out", "o", "--json").data["results"]
    words = ("segment", photo, *MODEL, "--out", "p", "--refine-by", "10,30,8", "--ground-truth", plain["labels"])
    (result,) = segviz(*words, "--json").data["results"]
    assert result["refinement"] == {"width": 10, "colour": 30, "smoothness": 8}
    assert result["scores_before_refinement"]["pixel_accuracy"] == 1  # against what they were
    same = (opened(result["labels"]) == opened(plain["labels"])).mean()
    assert result["scores"]["pixel_accuracy"] == pytest.approx(same)
    assert plain["refinement"] is None


@pytest.mark.parametrize("text", ["40", "40,13,x", "0,13,3", "40,13,-1"])
def test_strengths_of_a_refinement_that_are_none_are_wrong_usage(segviz: Segviz, photo: Path, text: str) -> None:
    done = segviz("segment", photo, *MODEL, "--out", "o", f"--refine-by={text}")
    assert done.status == 2
    assert f"'{text}' is not WIDTH,COLOUR,SMOOTHNESS" in done.err
