"""What the shipped FCNs are worth: the order of their scores on held-out scenes, and real photographs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.torch
import torch

from segviz.core import assets, catalogue
from segviz.core.images import open_picture
from segviz.core.requests import SegmentRequest, Setup
from segviz.engine.flow import finished
from segviz.engine.run import Engine
from segviz.models.fcn import fcn_scenes_ladder
from segviz.training import backdrops, cutouts
from segviz.training.scenes import Scenes
from segviz.training.scoring import Tally, outputs_of

Mask = npt.NDArray[np.bool_]


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


def ellipse(x: float, y: float, across: float, down: float) -> Callable[[npt.NDArray[np.uint8]], Mask]:
    """Inside an ellipse: centre and half axes in shares of the photograph."""

    def inside(pixels: npt.NDArray[np.uint8]) -> Mask:
        height, width = pixels.shape[:2]
        rows, columns = np.mgrid[:height, :width]
        found: Mask = ((columns / width - x) / across) ** 2 + ((rows / height - y) / down) ** 2 <= 1
        return found

    return inside


def coloured(pixels: npt.NDArray[np.uint8]) -> Mask:
    """All that is not the white table of light under the fruits."""
    found: Mask = pixels.max(-1).astype(int) - pixels.min(-1) > 40
    return found


@pytest.mark.parametrize(
    ("photograph", "inside", "name"),
    [
        ("chelsea.png", ellipse(0.45, 0.47, 0.34, 0.44), "mammal"),
        ("raccoon.jpg", ellipse(0.63, 0.35, 0.24, 0.27), "mammal"),
        ("european-honey-bee.jpg", ellipse(0.34, 0.5, 0.11, 0.24), "insect"),
        ("citrus-fruits.jpg", coloured, "fruit"),
        ("flower.jpg", ellipse(0.48, 0.52, 0.2, 0.3), "flower"),
    ],
)
def test_photographs_come_out_as_what_they_are(
    engine: Engine, photograph: str, inside: Callable[[npt.NDArray[np.uint8]], Mask], name: str
) -> None:
    image = assets.sample(photograph)
    found = finished(engine.run(SegmentRequest(Setup("fcn8s-efficientnet_lite0", str(image)))))
    labels = found.labels[inside(open_picture(image).pixels)]
    assert (labels == found.classes.index(name)).mean() > 0.5


def test_every_skip_is_worth_something_on_scenes_that_nothing_was_learned_from() -> None:
    entry = catalogue.entry("fcn8s-efficientnet_lite0")
    network = fcn_scenes_ladder()
    tensors = safetensors.torch.load_file(assets.weights(entry.weights))
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    network.eval()
    tally = Tally(entry.classes)
    with torch.inference_mode():
        for batch in Scenes(cutouts.few(), backdrops.shipped("test"), entry.preprocessing).held_out():
            tally.add(outputs_of(network, batch.images, ladder=True), batch.labels)
    deepest, middle, finest = (found.mean_iou for found in tally.scores())
    assert deepest < middle < finest
    assert finest > 0.65
