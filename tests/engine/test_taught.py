"""What the networks are worth that segviz taught: their scores on what was held out, and real photographs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt
import pytest
import safetensors.torch
import torch
from torch import nn

from segviz.core import assets, catalogue
from segviz.core.images import open_picture
from segviz.core.references import load
from segviz.core.requests import SegmentRequest, Setup
from segviz.core.weight_maps import Weighting
from segviz.engine.flow import finished
from segviz.engine.run import Engine
from segviz.models.fcn import fcn_scenes_ladder
from segviz.training import backdrops, cutouts
from segviz.training.batches import Batch
from segviz.training.cells import cells
from segviz.training.digit_pages import DigitPages
from segviz.training.losses import on_grid
from segviz.training.pictures import digits
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


def held_out(spec: str, batches: Iterator[Batch]) -> Tally:
    entry = catalogue.entry(spec)
    network: nn.Module = load(entry.builder)()
    tensors = safetensors.torch.load_file(assets.weights(entry.weights))
    own = network.state_dict()
    network.load_state_dict({name: tensors[name].to(tensor.dtype) for name, tensor in own.items()})
    network.eval()
    tally = Tally(entry.classes)
    with torch.inference_mode():
        for batch in batches:
            logits = network(batch.images)
            labels = on_grid(batch.labels, (len(batch.labels), *logits.shape[2:]))
            tally.add((logits,), labels, batch.instances)
    return tally


def test_the_weight_map_parts_cells_and_costs_pixels() -> None:
    """Ronneberger et al. 2015: what the weight of gaps is for. docs/taught.md has the figures of all 24 drawings."""
    source = cells(catalogue.entry("unet-cells"), False, Weighting.NONE)
    weighted, plain = (held_out(spec, islice(source.held_out(), 2)) for spec in ("unet-cells", "unet-cells-plain"))
    assert weighted.objects is not None
    assert plain.objects is not None
    assert weighted.objects.separated > 0.5 > 0.1 > plain.objects.separated
    assert weighted.objects.f_score > 2 * plain.objects.f_score
    assert 0.75 < weighted.scores()[0].mean_iou < plain.scores()[0].mean_iou


def test_skips_and_switches_draw_digits_and_a_small_field_does_not() -> None:
    """T21, T24, T25: on eight pages. docs/taught.md has the figures of all 32."""
    found = []
    for spec in ("onlyconv-digits", "fcn32s-digits", "fcn16s-digits", "fcn8s-digits", "segnet-digits"):
        pages = DigitPages(catalogue.entry(spec), True).held_out()
        found.append(held_out(spec, pages).scores()[0].mean_iou)
    assert found[0] < 0.65
    assert sorted(found[1:4]) == found[1:4]
    assert min(found[3:]) > 0.8


def test_the_small_network_in_network_reads_digits() -> None:
    entry = catalogue.entry("nin-digits")
    assert held_out("nin-digits", digits(entry, False).held_out()).scores()[0].pixel_accuracy > 0.98
