"""`segviz evaluate` on tiny folders whose scores are known."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from PIL import Image

from segviz.cli.evaluate import opened
from segviz.core import assets, catalogue
from segviz.core.errors import SegvizError
from segviz.core.images import open_picture
from segviz.core.instances import InstanceScore, parts, score
from tests.cli.conftest import Segviz

PNET, ONET = "mtcnn_pnet", "mtcnn_onet"
FOUR = ("pixel_accuracy", "mean_accuracy", "mean_iou", "frequency_weighted_iou")


def labels_of(segviz: Segviz, image: Path, model: str, out: Path) -> np.ndarray:
    (result,) = segviz("segment", image, "--model", model, "--out", out, "--json").data["results"]
    with Image.open(result["labels"]) as saved:
        return np.asarray(saved)


@pytest.fixture
def data(segviz: Segviz, photo: Path, tmp_path: Path) -> Path:
    """Two images: for one P-Net's own labels are the truth, of the other's the left half is turned round."""
    folder = tmp_path / "faces"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    pixels = open_picture(photo).pixels
    for name, image in (("a", pixels), ("b", pixels[:, ::-1])):
        Image.fromarray(np.ascontiguousarray(image)).save(folder / "images" / f"{name}.png")
        truth = labels_of(segviz, folder / "images" / f"{name}.png", PNET, tmp_path / "labels").copy()
        if name == "b":
            truth[:, :32] = 1 - truth[:, :32]
        Image.fromarray(truth).save(folder / "masks" / f"{name}.png")
    return folder


def test_the_tables_of_all_images_are_added_up(segviz: Segviz, data: Path) -> None:
    found = segviz("evaluate", PNET, "--data", data, "--json").data
    assert found["pixel_accuracy"] == pytest.approx(3 / 4), "all of one image, half of the other"
    assert set(FOUR) <= set(found)
    assert [one["name"] for one in found["per_class"]] == ["background", "face"]
    assert sum(one["pixels"] for one in found["per_class"]) == 2 * 48 * 64
    assert found["results"][0]["images"] == 2
    ious = [one["iou"] for one in found["per_class"]]
    assert found["mean_iou"] == pytest.approx(sum(ious) / 2)
    text = segviz("evaluate", PNET, "--data", data).out
    assert "2 images of faces" in text
    assert "pixel accuracy 0.750" in text


def test_several_networks_stand_side_by_side_and_in_a_table(segviz: Segviz, data: Path, tmp_path: Path) -> None:
    done = segviz("evaluate", PNET, ONET, "--data", data, "--csv", "table.csv", "--json")
    results = done.data["results"]
    assert [one["model"] for one in results] == [PNET, ONET]
    assert "pixel_accuracy" not in done.data, "of two networks none is the answer"
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == [PNET, ONET]
    for row, one in zip(rows, results, strict=True):
        assert float(row["mean_iou"]) == one["mean_iou"]
        assert float(row["iou background"]) == one["per_class"][0]["iou"]
    lines = segviz("evaluate", PNET, ONET, "--data", data).out.splitlines()
    assert next(line for line in lines if PNET in line).split() == [PNET, ONET]
    assert any(line.startswith("IoU face") for line in lines)


def test_classes_are_matched_by_name_and_what_does_not_match_is_said(segviz: Segviz, data: Path) -> None:
    (data / "classes.txt").write_text("Face\nBackground\n", "utf-8")
    turned = segviz("evaluate", PNET, "--data", data, "--json").data
    assert turned["pixel_accuracy"] == pytest.approx(1 / 4), "every label means the other class"
    (data / "classes.txt").write_text("background\nhat\n", "utf-8")
    done = segviz("evaluate", PNET, "--data", data, "--json")
    assert "no class hat: their pixels count as missed" in done.err
    assert "no class face: such labels count as wrong" in done.err
    assert done.err.count("hat") == 1, "said once, not for every image"
    hat = next(one for one in done.data["per_class"] if one["name"] == "hat")
    assert (hat["accuracy"], hat["iou"]) == (0, 0)


def test_colours_and_the_label_to_ignore_can_be_given(segviz: Segviz, data: Path, tmp_path: Path) -> None:
    plain = segviz("evaluate", PNET, "--data", data, "--json").data
    colours = np.array([(10, 0, 0), (0, 20, 0)], np.uint8)
    for path in (data / "masks").iterdir():
        with Image.open(path) as image:
            Image.fromarray(colours[np.asarray(image)]).save(path)
    refused = segviz("evaluate", PNET, "--data", data)
    assert refused.status == 1
    assert "10 0 0" in refused.err
    (tmp_path / "key.txt").write_text("10 0 0 background\n0 20 0 face\n", "utf-8")
    keyed = segviz("evaluate", PNET, "--data", data, "--palette", "key.txt", "--json").data
    assert [keyed[name] for name in FOUR] == [plain[name] for name in FOUR]
    ignoring = segviz("evaluate", PNET, "--data", data, "--palette", "key.txt", "--ignore", 1, "--json").data
    kept = next(one for one in plain["per_class"] if one["name"] == "background")
    assert ignoring["pixel_accuracy"] == pytest.approx(kept["accuracy"])


def test_a_mask_that_cannot_be_used_is_named_and_the_rest_is_scored(segviz: Segviz, data: Path) -> None:
    Image.new("L", (5, 7)).save(data / "masks" / "b.png")
    done = segviz("evaluate", PNET, "--data", data, "--json")
    assert done.status == 1
    assert "b.png: the mask is 5x7 and the image 64x48" in done.err
    assert '"images": 1' in done.out
    (data / "masks" / "a.png").write_bytes(b"nothing")
    done = segviz("evaluate", PNET, "--data", data)
    assert (done.status, "nothing to score" in done.err) == (1, True)


def test_objects_are_scored_where_the_folder_tells_them_apart(segviz: Segviz, data: Path, tmp_path: Path) -> None:
    plain = segviz("evaluate", PNET, "--data", data, "--json").data
    assert "objects" not in plain
    (data / "instances").mkdir()
    expected = InstanceScore(0, 0, 0, 0, 0)
    for name in "ab":
        labels = labels_of(segviz, data / "images" / f"{name}.png", PNET, tmp_path / "labels")
        things = parts(np.asarray(Image.open(data / "masks" / f"{name}.png")) == 1)
        Image.fromarray(things.astype(np.uint16)).save(data / "instances" / f"{name}.png")
        expected += score(things, labels == 1)
    found = segviz("evaluate", PNET, "--data", data, "--csv", "table.csv", "--json").data
    assert found["objects"] == {"f_score": expected.f_score, "separated": expected.separated}
    assert 0 < found["objects"]["f_score"] < 1
    assert [found[name] for name in FOUR] == [plain[name] for name in FOUR], "masks say what pixels are"
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        (row,) = csv.DictReader(file)
    assert float(row["objects f_score"]) == expected.f_score
    assert f"F-score of objects {expected.f_score:.3f}" in segviz("evaluate", PNET, "--data", data).out
    assert "F-score of objects" in segviz("evaluate", PNET, ONET, "--data", data).out


def test_a_class_that_one_image_lacks_and_another_has_is_no_class_without_truth(segviz: Segviz, data: Path) -> None:
    with Image.open(data / "masks" / "a.png") as image:
        Image.new("L", image.size).save(data / "masks" / "a.png")
    found = segviz("evaluate", PNET, "--data", data, "--json")
    assert "without truth" not in found.err
    Image.new("L", (64, 48)).save(data / "masks" / "b.png")
    assert segviz("evaluate", PNET, "--data", data, "--json").err.count("without truth") == 1


def test_the_held_out_cells_of_the_recipe_have_a_name(segviz: Segviz) -> None:
    """The scores that training told of the weights that are shipped: their file has them."""
    found = segviz("evaluate", "unet-cells", "--data", "cells", "--json").data
    assert (found["data"], found["images"]) == ("cells", 24)
    assert found["mean_iou"] == pytest.approx(facts("unet-cells")["mean_iou"], abs=0.005)
    assert found["objects"]["f_score"] > 0.6
    assert found["objects"]["separated"] > 0.5


def test_the_held_out_pages_of_recipes_have_a_name(segviz: Segviz) -> None:
    found = segviz("evaluate", "fcn8s-digits", "--data", "digit-pages", "--json").data
    assert (found["data"], found["images"]) == ("digit-pages", 32)
    assert found["mean_iou"] == pytest.approx(facts("fcn8s-digits")["mean_iou"], abs=0.005)


def test_what_is_said_of_every_size_is_said_once(segviz: Segviz, data: Path) -> None:
    for name, side in (("a", 40), ("b", 44)):
        for path in (data / "images" / f"{name}.png", data / "masks" / f"{name}.png"):
            with Image.open(path) as image:
                cut = image.crop((0, 0, side, side))
            cut.save(path)
    assert segviz("evaluate", "selfie_general", "--data", data).err.count("was padded to") == 1


def test_what_is_learned_from_stamps_is_tested_on_scenes() -> None:
    with opened("stamps") as collection:
        assert (collection.name, len(collection.pairs)) == ("scenes", 60)


def facts(name: str) -> dict[str, Any]:
    with safetensors.safe_open(assets.weights(catalogue.entry(name).weights), "np") as file:
        found: dict[str, Any] = json.loads(file.metadata()["segviz"])
        return found


def test_an_image_whose_mask_marks_nothing_is_left_out_and_is_no_failure(segviz: Segviz, data: Path) -> None:
    before = segviz("evaluate", PNET, "--data", data, "--json").data
    Image.open(data / "images" / "a.png").save(data / "images" / "c.png")
    Image.new("L", (64, 48), 255).save(data / "masks" / "c.png")
    done = segviz("evaluate", PNET, "--data", data)
    assert done.status == 0
    assert "c.png marks no pixel that counts: its image is left out" in done.err
    assert "2 images of faces" in done.out
    found = segviz("evaluate", PNET, "--data", data, "--json").data
    assert (found["images"], found["failures"]) == (2, [])
    assert [found[name] for name in FOUR] == [before[name] for name in FOUR]
    for name in "abc":
        Image.new("L", (64, 48), 1).save(data / "masks" / f"{name}.png")
    done = segviz("evaluate", PNET, "--data", data, "--ignore", 1)
    assert (done.status, "nothing to score in faces" in done.err) == (1, True)


def test_networks_that_scored_other_images_say_how_many(
    segviz: Segviz, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segviz.cli import console

    ask = console.Console.ask

    def refusing(self: console.Console, request: Any) -> Any:
        if request.setup.model == ONET and request.setup.image.endswith("b.png"):
            raise SegvizError("too small")
        return ask(self, request)

    monkeypatch.setattr(console.Console, "ask", refusing)
    done = segviz("evaluate", PNET, ONET, "--data", data)
    assert done.status == 1
    lines = [line.split() for line in done.out.splitlines()]
    assert ["images", "2", "1"] in lines
    assert "1 images of faces" in segviz("evaluate", ONET, "--data", data).out


def test_files_without_a_partner_are_counted(segviz: Segviz, data: Path) -> None:
    Image.new("L", (4, 4)).save(data / "images" / "lonely.png")
    assert "1 files without a partner" in segviz("evaluate", PNET, "--data", data).err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((PNET, "--data", "nowhere"), 1, "no such folder; give one with images/ beside masks/"),
        ((PNET, "--data", "faces/images"), 1, "images: give the folder above it, faces"),
        ((PNET, "--data", "."), 1, "but faces in it has them"),
        ((PNET, "--data", "digits"), 1, "there are scenes, cells, digit-pages"),
        ((PNET,), 2, "--data"),
        ((PNET, PNET, "--data", "."), 2, "named twice"),
        ((PNET, "--data", ".", "--csv", "table.png"), 2, ".csv"),
        ((PNET, "--data", ".", "--ignore", "-1"), 2, "not a label"),
        (("nonet", "--data", "faces"), 1, "nonet"),
    ],
)
def test_wrong_words_are_one_line(segviz: Segviz, data: Path, words: tuple[str, ...], status: int, said: str) -> None:
    done = segviz("evaluate", *words)
    assert (done.status, said in done.err) == (status, True), done.err
    assert done.err.count("\n") == 1


def test_it_can_be_stopped_without_a_traceback_or_half_a_table(
    segviz: Segviz, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from segviz.cli import console

    def stop(self: object, request: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(console.Console, "ask", stop)
    done = segviz("evaluate", PNET, "--data", data, "--csv", "table.csv")
    assert (done.status, done.err) == (1, "segviz: stopped\n")
    assert not (tmp_path / "table.csv").exists()
