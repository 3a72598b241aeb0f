"""Crops of a folder's images: bent with their truth, mirrored at the ends, tiled for the test."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from torch.nn.functional import one_hot

from segviz.core.catalogue import entry
from segviz.core.entries import Preprocessing
from segviz.core.errors import SegvizError
from segviz.core.frames import Frame
from segviz.core.metrics import IGNORED
from segviz.core.weight_maps import Weighting
from segviz.engine.prepare import tensor_of
from segviz.training.crops import NO_DISTORTION, Distortion, FolderSource, sampled
from segviz.training.folders import Annotated, DataFolder, open_folder
from segviz.training.scoring import Tally


def seeded(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def annotated(pixels: npt.NDArray[np.uint8], labels: npt.NDArray[np.int32]) -> Annotated:
    return Annotated(pixels, labels, labels, True)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """Six images of 40 x 52 with two squares that touch; images are brighter where the instances are."""
    folder = tmp_path_factory.mktemp("data")
    instances = np.zeros((40, 52), np.uint8)
    instances[10:30, 8:24] = 1
    instances[10:30, 24:40] = 2
    for kind in ("images", "instances"):
        (folder / kind).mkdir()
    for number in range(6):
        rgb = np.dstack([instances * 60 + 20, instances * 40 + number, instances * 90 + 7])
        Image.fromarray(rgb).save(folder / "images" / f"{number}.png")
        Image.fromarray(instances).save(folder / "instances" / f"{number}.png")
    (folder / "held_out.txt").write_text("4\n5\n")
    return open_folder(folder)


def test_a_batch_is_what_a_unet_of_that_border_eats(data: DataFolder) -> None:
    batch = FolderSource(data, 36, 6).batch(3, seeded())
    assert batch.images.shape == (3, 1, 36, 36)
    assert 0 <= batch.images.min() < batch.images.max() <= 1
    assert batch.labels.shape == (3, 24, 24)
    assert set(batch.labels.unique().tolist()) == {0, 1}
    assert batch.weights is not None
    assert batch.weights.shape == batch.labels.shape


def test_a_batch_follows_from_its_generator_alone(data: DataFolder) -> None:
    used = FolderSource(data, 36, 6)
    used.batch(2, seeded(8))
    one, again = used.batch(3, seeded(1)), FolderSource(data, 36, 6).batch(3, seeded(1))
    assert torch.equal(one.images, again.images)
    assert torch.equal(one.labels, again.labels)
    assert not torch.equal(one.images, used.batch(3, seeded(2)).images)


def test_touching_instances_are_parted_by_a_ribbon(data: DataFolder) -> None:
    parted, whole = (FolderSource(data, 52, ribbon=width) for width in (2, 0))
    with_ribbon, without = parted.samples().labels[0], whole.samples().labels[0]
    assert (without != with_ribbon).sum() == 20 * 2
    weights = parted.samples().weights
    assert weights is not None
    assert weights[0][without != with_ribbon].min() > 5


def test_truth_is_bent_with_the_image() -> None:
    """The image is its own label map, so wherever a pixel is taken from, light and label agree."""
    labels = (np.random.default_rng(0).random((6, 6)) < 0.5).astype(np.int32).repeat(9, 0).repeat(9, 1)
    found = annotated(np.repeat(labels[..., None] * 255, 3, 2).astype(np.uint8), labels)
    places = Distortion(bend=4).places(48, seeded(3)) + torch.tensor([27.0, 27.0])
    image, bent, _ = sampled(found, places)
    sure = (image[0] < 1) | (image[0] > 254)
    assert sure.float().mean() > 0.5
    assert np.array_equal(image[0][sure].numpy() > 128, bent[sure.numpy()] == 1)
    assert not np.array_equal(bent, labels[3:51, 3:51])


def test_without_distortion_a_crop_is_a_turn_or_flip_of_the_image(f_shape: npt.NDArray[np.uint8]) -> None:
    square = f_shape[3:19, :16]
    found = annotated(square, (square[..., 0] > 0).astype(np.int32))
    seen = set()
    for seed in range(40):
        image, labels, _ = sampled(found, NO_DISTORTION.places(16, seeded(seed)) + 7.5)
        assert np.allclose(image[0].numpy(), labels * 255, atol=0.1)
        seen.add(labels.tobytes())
    turns = [np.rot90(found.labels, k) for k in range(4)]
    assert seen == {np.ascontiguousarray(way).tobytes() for turn in turns for way in (turn, turn[:, ::-1])}


def test_places_stay_about_as_far_apart_as_the_zoom_says() -> None:
    """Without bending, neighbours of the crop are 1 / zoom pixels apart in the image, in every direction."""
    for seed in range(5):
        places = Distortion(bend=0, zoom=1.5).places(20, seeded(seed))
        steps = (places[1:] - places[:-1]).norm(dim=2), (places[:, 1:] - places[:, :-1]).norm(dim=2)
        assert steps[0].max() == pytest.approx(float(steps[1].min()), rel=1e-3)
        assert 1 / 1.5 <= steps[0][0, 0] <= 1.5
        torch.testing.assert_close(places.mean((0, 1)), torch.zeros(2), rtol=0, atol=1e-4)


def test_light_changes_within_its_limits() -> None:
    levels = torch.linspace(0, 255, 50)
    torch.testing.assert_close(NO_DISTORTION.shaded(levels, seeded()), levels)
    for seed in range(10):
        shaded = Distortion().shaded(levels, seeded(seed))
        assert 0 <= shaded.min() < shaded.max() <= 255
        assert (shaded.diff() >= 0).all()
        assert (shaded - levels).abs().max() > 1


def test_tiles_cover_every_held_out_pixel_once(data: DataFolder) -> None:
    source = FolderSource(data, 28, 6, weighting=Weighting.CLASSES, ribbon=0)
    batches = list(source.held_out(4))
    labels = torch.cat([batch.labels for batch in batches])
    weights = torch.cat([batch.weights for batch in batches if batch.weights is not None])
    assert [len(batch.labels) for batch in batches] == [4] * 6  # 3 x 4 tiles of 16 x 16 for each of two images
    counted = [int((labels == value).sum()) for value in (0, 1, IGNORED)]
    assert counted == [2 * (40 * 52 - 640), 2 * 640, 2 * (48 * 64 - 40 * 52)]
    assert weights[labels == IGNORED].abs().max() == 0
    assert weights[labels == 1].min() > 1


def test_a_tile_lies_where_its_labels_are(data: DataFolder) -> None:
    """Light follows the instances, so the middle of the image tells whether borders were cut off evenly."""
    source = FolderSource(data, 28, 6, Preprocessing(), ribbon=0)
    first = next(source.held_out(12))
    middle = first.images[:, 0, 6:-6, 6:-6]
    inside = first.labels == 1
    assert middle[inside].min() * 255 > 79
    assert middle[first.labels == 0].max() * 255 < 21


@pytest.mark.parametrize(("side", "border"), [(28, 6), (16, 0), (60, 0)])
def test_a_perfect_answer_has_every_object_of_an_image_whatever_its_tiles(
    data: DataFolder, side: int, border: int
) -> None:
    """40 x 52 pixels leave a rest beyond tiles of 16, which cut both squares; what is mirrored there is nobody's."""
    tally, tiles = Tally(data.classes), 0
    for batch in FolderSource(data, side, border).held_out(5):  # no number of tiles of an image
        answer = torch.where(batch.labels == IGNORED, 1, batch.labels)
        tally.add((one_hot(answer, 2).movedim(-1, 1).float(),), batch.labels, batch.instances, batch.tiles)
        tiles += len(batch.labels)
    assert tiles == 2 * (-(-40 // (side - 2 * border))) * (-(-52 // (side - 2 * border)))
    assert tally.scores()[0].mean_iou == 1
    assert tally.objects is not None
    assert (tally.objects.truth, tally.objects.found, tally.objects.matched) == (4, 4, 4)
    assert (tally.objects.f_score, tally.objects.separated) == (1, 1)
    assert tally.tested == 2, "images, not tiles"


def test_objects_are_those_of_the_images_that_have_instances(data: DataFolder, tmp_path: Path) -> None:
    """Of masks alone nobody can tell two squares that touch; such an image gives its pixels and no object."""
    shutil.copytree(data.folder, tmp_path / "some")
    shutil.copytree(data.folder / "instances", tmp_path / "some" / "masks")
    (tmp_path / "some" / "instances" / "4.png").unlink()
    some = open_folder(tmp_path / "some")
    tally = Tally(some.classes)
    for batch in FolderSource(some, 28, 6).held_out(5):
        answer = torch.where(batch.labels == IGNORED, 0, batch.labels)
        tally.add((one_hot(answer, 3).movedim(-1, 1).float(),), batch.labels, batch.instances, batch.tiles)
    assert tally.objects is not None
    assert (tally.tested, tally.objects.truth, tally.objects.f_score) == (2, 2, 1)


@pytest.mark.parametrize("spec", ["unet", "efficientnet_lite0", "fcn8s"])
def test_training_sees_pixels_as_the_engine_prepares_them(data: DataFolder, spec: str) -> None:
    preprocessing = entry(spec).preprocessing
    found = data.read(data.held_out[0])
    size = (found.pixels.shape[0], found.pixels.shape[0])
    square = found.pixels[:, 6:46]
    wanted = tensor_of(square, preprocessing, Frame(size, size, size, (0, 0)))
    torch.testing.assert_close(FolderSource(data, 40, 0, preprocessing).samples().images[:1], wanted)


def test_images_beyond_the_room_are_read_again(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = FolderSource(data, 36, 6)
    monkeypatch.setattr("segviz.training.crops.MOST_KEPT", 0)
    forgotten = FolderSource(data, 36, 6)
    assert torch.equal(kept.batch(2, seeded()).images, forgotten.batch(2, seeded()).images)
    assert not forgotten._kept


def test_a_border_that_leaves_nothing_is_refused(data: DataFolder) -> None:
    with pytest.raises(SegvizError, match="12 pixels less 6"):
        FolderSource(data, 12, 6)
