"""What a map is worth against the classifier on windows: proof from the graph, and measurement."""

import itertools

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core import assets, catalogue
from segviz.core.choices import Device, Equality, Method, Pooling
from segviz.core.requests import SegmentRequest, Setup
from segviz.engine.exactness import exactness
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import trace
from segviz.engine.recording import record
from segviz.engine.run import Engine
from segviz.engine.surgery import convert


@pytest.fixture(scope="module")
def engine():
    return Engine()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.png"
    with Image.open(assets.sample("digits-256x256.png")) as image:
        image.crop((20, 30, 111, 93)).save(path)
    return str(path)


@pytest.mark.parametrize("method", [Method.COARSE, Method.DENSE, Method.SHIFT_AND_STITCH])
def test_without_padding_every_unit_is_the_classifier_on_its_window(engine, page, method):
    found = finished(engine.run(SegmentRequest(Setup("lenet5", page), method))).exactness
    assert found.equality is Equality.EVERYWHERE
    assert found.sample > 0
    assert found.deviation < 1e-5


def test_a_network_whose_pooling_hangs_over_the_images_border_alone_is_exact_in_the_interior(engine, page):
    """P-Net: in a window of 12 pixels ceil mode changes nothing, at the border of 91 x 63 it does."""
    found = finished(engine.run(SegmentRequest(Setup("mtcnn_pnet", page), Method.COARSE))).exactness
    assert (found.equality, found.margin) == (Equality.INTERIOR, 6)
    assert "exact in the interior (6 pixels from the border)" in found.text


def test_padding_is_named_and_what_it_changes_is_measured(engine):
    setup = Setup("efficientnet_lite0", str(assets.sample("coffee.png")), 0.7)
    found = finished(engine.run(SegmentRequest(setup, Method.COARSE))).exactness
    assert found.equality is Equality.NONE
    assert "17 padded convolutions" in found.reason
    assert found.deviation > 0.01


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 8])
def test_the_three_ways_to_a_dense_map_agree(engine, page, stride):
    """Issue: the same array for sliding window, dense and shift-and-stitch, at any grid stride."""
    answers = [
        finished(engine.run(SegmentRequest(Setup("lenet5", page), method, grid_stride=stride)))
        for method in (Method.SLIDING_WINDOW, Method.DENSE, Method.SHIFT_AND_STITCH)
    ]
    first = torch.from_numpy(answers[0].logits)
    for other in answers[1:]:
        assert other.lattice == answers[0].lattice
        assert (torch.from_numpy(other.logits) - first).abs().max() < 1e-4


@pytest.mark.parametrize("method", [Method.SLIDING_WINDOW, Method.DENSE, Method.SHIFT_AND_STITCH, Method.COARSE])
def test_a_region_of_a_method_is_that_part_of_the_whole(page, method):
    whole = finished(Engine().run(SegmentRequest(Setup("lenet5", page), method, grid_stride=2)))
    part = finished(Engine().run(SegmentRequest(Setup("lenet5", page), method, grid_stride=2, region=(30, 20, 24, 18))))
    assert part.logits.shape[1:] < whole.logits.shape[1:]
    assert (part.labels == whole.labels[20:38, 30:54]).mean() > 0.98  # ties on bare paper go by the last bit
    left, top = whole.lattice.start
    across, down = whole.lattice.stride
    for row, column in ((0, 0), (part.lattice.rows - 1, part.lattice.columns - 1)):
        x, y = part.lattice.position_of(row, column)  # counted from the region's corner
        there = whole.logits[:, round((y + 20 - top) / down), round((x + 30 - left) / across)]
        assert abs(part.logits[:, row, column] - there).max() < 1e-4


def test_a_shifted_region_of_a_padded_network_is_padded_where_the_image_ends_and_nowhere_else():
    """AlexNet at twice its stride, in the middle of an image: all four shifts, each with the border of the whole."""
    setup, region = Setup("alexnet", str(assets.sample("castle-maintenon.jpg")), 0.6), (200, 100, 60, 50)
    method = Method.SHIFT_AND_STITCH
    whole = finished(Engine().run(SegmentRequest(setup, method, grid_stride=16)))
    part = finished(Engine().run(SegmentRequest(setup, method, grid_stride=16, region=region)))
    assert part.lattice.rows < whole.lattice.rows
    x, y = part.lattice.position_of(0, 0)
    column, row = (
        round((at + corner - start) / step)
        for at, corner, start, step in zip((x, y), region, whole.lattice.start, whole.lattice.stride, strict=False)
    )
    there = whole.logits[:, row : row + part.lattice.rows, column : column + part.lattice.columns]
    assert abs(part.logits - there).max() < 1e-4 * abs(there).max()


def test_a_finer_grid_is_made_by_dilation_unless_another_way_was_chosen(engine, page):
    found = finished(engine.run(SegmentRequest(Setup("lenet5", page), grid_stride=2)))
    assert found.method is Method.DENSE
    assert (
        found.reason == "a unit every 2 pixels was asked for, and LeNet-5 has one every 4: its strides become dilation"
    )
    own = finished(engine.run(SegmentRequest(Setup("lenet5", page), grid_stride=4)))
    assert own.method is Method.UPSAMPLED


class Classifier(nn.Module):
    """A convolution, `between`, and a dense layer on all that comes out of it for a window of 8 pixels."""

    def __init__(self, between: nn.Module) -> None:
        super().__init__()
        self.conv, self.between, self.flatten = nn.Conv2d(1, 4, 3), between, nn.Flatten()
        self.fc = nn.Linear(self.between(torch.zeros(1, 4, 6, 6)).numel(), 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.flatten(self.between(torch.relu(self.conv(x)))))


class Function(nn.Module):
    """A function of maps as a layer."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def proof_of(network: nn.Module, fast: bool = False):
    """The proof of a classifier of windows of 8, and how far its units on 16 x 16 are from it on their windows."""
    head = convert(network, (1, 8, 8)).head
    dense, image = trace(network, (1, 16, 16), head), torch.rand(1, 1, 16, 16)
    found = exactness(trace(network, (1, 8, 8)), dense, catalogue.entry("lenet5"), fast)
    with torch.inference_mode():
        maps = finished(run(dense, NetworkWeights(network), image)).output.softmax(1)
        step, worst = dense.geometry.laws("last")[0].stride, 0.0
        for row in range(maps.shape[2]):
            top = int(row * step)
            if top == row * step and top + 8 <= 16:
                window = network(image[:, :, top : top + 8, :8])
                worst = max(worst, float((window.softmax(1)[0] - maps[0, :, row, 0]).abs().max()))
    return found, worst


OPEN = {
    "transposed": (lambda: nn.ConvTranspose2d(4, 4, 4, 2), "conv_transpose2d"),
    "bilinear": (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), "upsample_bilinear2d"),
    "aligned": (lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), "upsample_bilinear2d"),
    "pyramid": (
        lambda: Function(lambda x: x + F.interpolate(F.adaptive_avg_pool2d(x, 2), size=x.shape[2:], mode="nearest")),
        "adaptive_avg_pool2d",
    ),
}


@pytest.mark.parametrize("name", OPEN)
def test_what_the_proof_does_not_know_leaves_it_open_and_is_named(name):
    """Their probabilities differ from those of windows by 0.002 and more: nothing of that may be called exact."""
    build, operation = OPEN[name]
    torch.manual_seed(1)
    found, worst = proof_of(Classifier(build()))
    assert worst > 1e-3
    assert found.equality is Equality.NONE
    assert f"cannot be proven from the graph: layer 'between' ('{operation}')" in found.reason


def shifted_sum(x: Tensor) -> Tensor:
    """Rows a sixth of the map apart: one unit on a window's 6, two on the 14 of an image."""
    apart = x.shape[2] // 6
    return x[:, :, apart:] + x[:, :, :-apart]


def test_a_crop_that_goes_by_the_size_leaves_the_proof_open():
    torch.manual_seed(1)
    found, worst = proof_of(Classifier(Function(shifted_sum)))
    assert worst > 1e-3
    assert found.equality is Equality.NONE
    assert "layer 'between' ('slice') cuts off another part of an image than of a window" in found.reason


KNOWN = {
    "nothing": nn.Identity,
    "pooling and norm": lambda: nn.Sequential(nn.AvgPool2d(2), nn.BatchNorm2d(4), nn.Dropout(), nn.GELU()),
    "shifted by one": lambda: Function(lambda x: x[:, :, 1:] + x[:, :, :-1]),
    "every second": lambda: Function(lambda x: torch.cat([x[:, :, ::2, ::2], F.max_pool2d(x, 2)], 1).softmax(1)),
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("name", KNOWN)
def test_windows_and_operations_unit_by_unit_are_proven(name, fast):
    torch.manual_seed(1)
    found, worst = proof_of(Classifier(KNOWN[name]()).eval(), fast)
    assert worst < 1e-6
    assert found.equality is Equality.EVERYWHERE
    assert ("fast arithmetic, which is equal only to about 1e-5" in found.text) == fast


def test_fast_arithmetic_is_named_in_the_answer_of_every_method(engine, page):
    for method in (Method.COARSE, Method.DENSE, Method.SHIFT_AND_STITCH):
        found = finished(engine.run(SegmentRequest(Setup("lenet5", page, fast=True), method))).exactness
        assert found.equality is Equality.EVERYWHERE
        assert "but for fast arithmetic" in found.text


def test_windows_are_compared_one_at_a_time():
    """A batch of windows could not be stopped: between two steps the classifier sees one."""
    engine, seen = Engine(), []
    setup = Setup("lenet5", str(assets.sample("digits-256x256.png")))
    network = engine.store.network("lenet5", Pooling.AUTO, Device.AUTO).network

    def noted(_, inputs):
        if inputs[0].device.type != "meta":  # there it is only recorded
            seen.append(len(inputs[0]))

    hook = network.register_forward_pre_hook(noted)
    counts, steps = [0], engine.run(SegmentRequest(setup, Method.COARSE))
    units = []
    while True:
        try:
            units.append(getattr(next(steps), "unit", ""))
        except StopIteration as end:
            found = end.value.exactness
            break
        counts.append(len(seen))
    hook.remove()
    assert found.sample == units.count("windows compared") == 16
    assert seen == [1] * 16
    assert max(after - before for before, after in itertools.pairwise(counts)) == 1


def test_a_region_is_compared_with_as_many_windows_as_it_pays_for():
    """A tenth of what was computed, and that is four units here: one window, where the whole page is compared on 16."""
    setup = Setup("lenet5", str(assets.sample("digits-256x256.png")))
    for method in (Method.COARSE, Method.DENSE, Method.SHIFT_AND_STITCH):
        request = SegmentRequest(setup, method, grid_stride=4, region=(120, 120, 4, 4))
        assert finished(Engine().run(request)).exactness.sample == 1


def traces_of(spec, page, stride):
    """The trace of the whole image, those kept after shift and stitch, and how many were made by it."""
    engine, made = Engine(), []
    request = SegmentRequest(Setup(spec, page), Method.SHIFT_AND_STITCH, grid_stride=stride)
    finished(engine.run(SegmentRequest(request.setup, Method.COARSE)))
    kept = engine.store.network(spec, Pooling.AUTO, Device.AUTO).traces
    before = set(kept._values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segviz.engine.store.record", lambda *args: made.append(args[1]) or record(*args))
        finished(engine.run(request))
    return before, set(kept._values), made


def test_shifts_whose_grids_are_equal_share_a_trace(engine, page, tmp_path):
    """LeNet-5 on 89 x 62: 16 shifts with 15 or 14 columns and 8 or 7 rows, of images that are cut to these."""
    path = str(tmp_path / "page.png")
    with Image.open(page) as image:
        image.crop((0, 0, 89, 62)).save(path)
    before, after, made = traces_of("lenet5", path, 1)
    assert before <= after
    dense, shifted = (
        finished(engine.run(SegmentRequest(Setup("lenet5", path), method, grid_stride=1))).logits
        for method in (Method.DENSE, Method.SHIFT_AND_STITCH)
    )
    assert abs(dense - shifted).max() < 1e-4
    assert sorted(made) == [(1, 56, 84), (1, 56, 88), (1, 60, 84), (1, 60, 88)]


def test_traces_that_nobody_asks_for_again_push_none_out(page):
    """P-Net's ceil mode sees the image's end: every shift has a trace of its own, which is not kept."""
    before, after, made = traces_of("mtcnn_pnet", page, 1)
    assert before == after
    assert len(set(made)) == 3  # the shift by nothing has that of the whole image
