"""A walk in strips, of regions and of the a trous form against whole passes of the network itself."""

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core.errors import SegvizError
from segviz.core.regions import Region, reached, whole
from segviz.core.requests import Progress
from segviz.core.steps import Interval, Window
from segviz.engine import strips
from segviz.engine.architectures import build
from segviz.engine.dilation import dilated
from segviz.engine.flow import NetworkWeights, finished, outputs, run
from segviz.engine.graph import trace
from segviz.engine.kernels import Convolution
from segviz.engine.patches import Patch, Weight
from segviz.engine.strips import Strip

LARGEST = 1e-5  # of the largest value: what another order of summing may change


class Drawn(nn.Module):
    """Layers drawn by hypothesis, each (kind, kernel, stride, dilation, padding)."""

    def __init__(self, layers, channels=3) -> None:
        super().__init__()
        self.layers = layers
        for number, (kind, kernel, stride, dilation, padding) in enumerate(layers):
            if kind in ("conv", "depthwise", "skip", "view"):
                groups = channels if kind == "depthwise" else 1
                stride = 1 if kind in ("skip", "view") else stride
                self.add_module(
                    f"l{number}", nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=groups)
                )
        self.tail = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        for number, (kind, kernel, stride, dilation, padding) in enumerate(self.layers):
            padding = min(padding, kernel // 2)
            if kind in ("conv", "depthwise"):
                x = torch.tanh(self.get_submodule(f"l{number}")(x))
            elif kind == "skip":
                above = self.get_submodule(f"l{number}")(x).relu()
                rows, columns = (min(sides) for sides in zip(x.shape[2:], above.shape[2:], strict=True))
                x = x[:, :, :rows, :columns] + above[:, :, :rows, :columns]
            elif kind == "view":  # a crop of maps that an activation may not overwrite, since the crop is still to come
                made = self.get_submodule(f"l{number}")(x)
                rows, columns = (side - 1 for side in made.shape[2:])
                x = torch.tanh(made)[:, :, 1:, 1:] + made[:, :, :rows, :columns]
            elif kind == "max":
                x = F.max_pool2d(x, kernel, stride, padding, dilation)
            elif kind == "average":
                x = F.avg_pool2d(x, kernel, stride, padding, count_include_pad=dilation == 1)
            elif kind == "pad":
                x = F.pad(x, (padding, kernel, stride, dilation))
        return self.tail(x)


KINDS = ("conv", "depthwise", "skip", "view", "max", "average", "pad")


def layers(padded: bool):
    kinds = KINDS if padded else tuple(kind for kind in KINDS if kind != "pad")
    padding = st.integers(0, 2) if padded else st.just(0)
    one = st.tuples(st.sampled_from(kinds), st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), padding)
    return st.lists(one, min_size=1, max_size=5)


def drawn(made, height, width):
    """The network, its trace, an image and what the network answers; drops what is too small for its layers."""
    torch.manual_seed(0)
    network = Drawn(made).double().eval()
    image = torch.rand(1, 3, height, width, dtype=torch.float64)
    try:
        traced = trace(network, (3, height, width))
        with torch.inference_mode():
            answer = network(image)
    except (SegvizError, RuntimeError):
        assume(False)
    assume(min(answer.shape) > 0)
    return network, traced, image, answer


@settings(max_examples=30)
@given(layers(padded=True), st.integers(15, 40), st.integers(15, 40), st.integers(1, 5), st.data())
def test_strips_and_regions_equal_the_whole(made, height, width, rows, data):
    network, traced, image, answer = drawn(made, height, width)
    weights = NetworkWeights(network)
    streamed = finished(run(traced, weights, image, rows=rows)).output
    assert (streamed - answer).abs().max() < 1e-12
    top, left = (data.draw(st.integers(0, side - 1)) for side in answer.shape[2:])
    bottom, right = (
        data.draw(st.integers(low, side - 1)) for low, side in ((top, answer.shape[2]), (left, answer.shape[3]))
    )
    region = Region(Interval(top, bottom), Interval(left, right))
    part = finished(run(traced, weights, image, region=region, rows=rows)).output
    assert (part - answer[:, :, top : bottom + 1, left : right + 1]).abs().max() < 1e-12


@settings(max_examples=30)
@given(layers(padded=True), st.integers(15, 40), st.integers(15, 40), st.integers(1, 300))
def test_stages_with_strips_of_their_own_equal_the_whole(made, height, width, elements):
    network, traced, image, answer = drawn(made, height, width)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segviz.engine.strips.STRIP_ELEMENTS", elements)
        steps, done = steps_of(run(traced, NetworkWeights(network), image))
    assert (done.output - answer).abs().max() < 1e-12
    shares = [step.fraction for step in steps if isinstance(step, Progress)]
    assert shares == sorted(shares)
    assert shares[-1:] in ([1], [])


@settings(max_examples=30)
@given(layers(padded=True), st.integers(15, 40), st.integers(15, 40), st.integers(1, 300), st.data())
def test_the_maps_of_several_nodes_come_of_one_pass(made, height, width, elements, data):
    network, traced, image, _ = drawn(made, height, width)
    goals = data.draw(st.sets(st.integers(1, traced.output), min_size=1, max_size=4))
    weights, rows, one = NetworkWeights(network), Counter(), strips.Walk._one

    def counted(walk, index, operation, plan, keep):
        rows[index] += plan.new[index].hi - plan.new[index].lo + 1
        one(walk, index, operation, plan, keep)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips, "STRIP_ELEMENTS", elements)
        patch.setattr(strips.Walk, "_one", counted)
        found = finished(outputs(traced, weights, image, goals))
    assert found.keys() == goals
    for goal, maps in found.items():
        assert (maps - finished(run(traced, weights, image, goal)).output).abs().max() < 1e-12
    assert all(count <= traced.geometry.nodes[index].height for index, count in rows.items())


def test_small_maps_are_computed_many_rows_at_once_and_fat_ones_few(monkeypatch):
    """A stage ends where maps shrink; each row of each layer is computed once all the same."""
    network = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(8, 8, 3, padding=1))
    rows: dict[tuple[int, int], list[int]] = {}
    original = Convolution.run

    def noted(self, inputs, wanted, weights):
        rows.setdefault(self.size, []).append(wanted.shape[0])
        return original(self, inputs, wanted, weights)

    monkeypatch.setattr(Convolution, "run", noted)
    monkeypatch.setattr("segviz.engine.strips.STRIP_ELEMENTS", 8 * 40 * 8)  # eight rows of the first maps
    image = torch.rand(1, 1, 80, 40)
    done = finished(run(trace(network, (1, 80, 40)), NetworkWeights(network), image))
    assert (sum(rows[80, 40]), sum(rows[40, 20])) == (80, 40)
    assert (max(rows[80, 40]), max(rows[40, 20])) == (8, 16)
    with torch.inference_mode():
        assert (done.output - network(image)).abs().max() < 1e-6


@settings(max_examples=20)
@given(layers(padded=True), st.integers(20, 40), st.integers(20, 40), st.data())
def test_what_a_change_reaches_is_all_that_changes(made, height, width, data):
    network, traced, image, answer = drawn(made, height, width)
    y, x = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    other = image.clone()
    other[:, :, y, x] += 5
    with torch.inference_mode():
        changed = torch.nonzero((network(other) - answer).abs().amax((0, 1)) > 0)
    dirty = reached(traced.geometry, Region(Interval(y, y), Interval(x, x))).get(traced.output)
    for row, column in changed.tolist():
        assert dirty is not None
        assert dirty.holds(Region(Interval(row, row), Interval(column, column)))


@settings(max_examples=30)
@given(layers(padded=True), st.integers(25, 60), st.integers(25, 60))
def test_every_fth_unit_of_the_dense_map_is_the_coarse_one(made, height, width):
    """oracles: a trous[::f, ::f] = FCNN, padded networks too (phase 0, 0)."""
    network, traced, image, answer = drawn(made, height, width)
    strides = traced.geometry.laws("last")
    step_y, step_x = (int(law.stride) for law in strides)
    wide = dilated(traced)
    dense = finished(run(wide, NetworkWeights(network), image)).output
    assert tuple(dense.shape[2:]) == wide.geometry.grid("last")
    assert (dense[:, :, ::step_y, ::step_x][:, :, : answer.shape[2], : answer.shape[3]] - answer).abs().max() < 1e-12
    assert [law.stride for law in wide.geometry.laws("last")] == [1, 1]


@settings(max_examples=20)
@given(layers(padded=False), st.integers(25, 45), st.integers(25, 45))
def test_without_padding_dense_equals_shift_and_stitch_equals_the_sliding_window(made, height, width):
    """oracles: 8e-17; every phase of the dense map is the coarse map of the image shifted by it."""
    network, traced, image, _ = drawn(made, height, width)
    steps = [int(law.stride) for law in traced.geometry.laws("last")]
    dense = finished(run(dilated(traced), NetworkWeights(network), image)).output
    box = traced.geometry.field("last", 0, 0).box
    side_y, side_x = int(box.height), int(box.width)
    with torch.inference_mode():
        for down in range(min(steps[0], dense.shape[2])):
            for across in range(min(steps[1], dense.shape[3])):
                shifted = network(image[:, :, down:, across:])
                place = dense[:, :, down :: steps[0], across :: steps[1]]
                assert (shifted[:, :, : place.shape[2], : place.shape[3]] - place).abs().max() < 1e-12
        for row in range(0, dense.shape[2], 5):
            for column in range(0, dense.shape[3], 5):
                window = network(image[:, :, row : row + side_y, column : column + side_x])
                assert (window[0, :, 0, 0] - dense[0, :, row, column]).abs().max() < 1e-12


@pytest.mark.parametrize("keep", [1, 2, 4])
def test_the_first_strides_can_stay(keep):
    _, network = build("mtcnn_pnet")
    wide = dilated(trace(network, (3, 40, 60)), keep)
    assert wide.geometry.laws("last")[0].stride == min(keep, 2)


def test_a_layer_without_a_dense_form_is_named():
    class Up(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down, self.up = nn.Conv2d(1, 1, 2, 2), nn.ConvTranspose2d(1, 1, 2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.up(self.down(x))

    with pytest.raises(SegvizError, match="layer 'up' cannot be made dense: 'conv_transpose2d' behind a stride"):
        dilated(trace(Up(), (1, 8, 8)))


@pytest.mark.parametrize(
    "step",
    [
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
        lambda x: F.interpolate(x, size=(17, 41), mode="bilinear", align_corners=True),
        lambda x: F.interpolate(x, size=(50, 45), mode="bicubic", align_corners=False),
        lambda x: F.interpolate(x, scale_factor=3, mode="nearest"),
        lambda x: F.interpolate(x, scale_factor=(1.25, 0.7), mode="nearest"),
        lambda x: F.interpolate(x, scale_factor=1.3, mode="bilinear"),
        lambda x: F.interpolate(x, scale_factor=(0.55, 1.02), mode="bicubic"),
        lambda x: F.conv_transpose2d(x, torch.ones(3, 2, 4, 3), stride=2, padding=1, output_padding=1),
        lambda x: F.pad(x, (3, 2, 1, 4), mode="reflect"),
        lambda x: F.pad(x, (3, 2, 1, 4), mode="replicate"),
        lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
        lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False),
        lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
        lambda x: F.adaptive_avg_pool2d(x, (7, 9)),
        lambda x: F.pixel_shuffle(torch.cat([x, x, x, x], 1), 2),
        lambda x: x[:, :, 2:-3, 1::2],
        lambda x: x * x.mean((2, 3), keepdim=True).sigmoid(),
        lambda x: torch.cat(x.chunk(3, 1)[::-1], 1),
        lambda x: x.view(1, 3, 1, *x.shape[2:]).transpose(1, 2).reshape(1, 3, *x.shape[2:]),
        lambda x: F.layer_norm(x.permute(0, 2, 3, 1), (3,)).permute(0, 3, 1, 2),
        lambda x: F.linear(x.permute(0, 2, 3, 1), torch.ones(5, 3)).permute(0, 3, 1, 2),
        lambda x: F.conv2d(x, torch.ones(2, 3, 5, 3), padding="same", dilation=2),
        lambda x: x.softmax(1),
        lambda x: torch.roll(x, 3, 2),
        lambda x: torch.cat([x.max(1, keepdim=True).values, x.mean(1, True), x.amin(1, True)], 1),
        lambda x: torch.max(x, x.min(1, keepdim=True)[0] * 2),
    ],
)
def test_operations_on_parts_equal_the_whole(step):
    class One(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.tail = nn.Conv2d(3, 3, 3, padding=1), nn.Identity()

        def forward(self, x: Tensor) -> Tensor:
            return self.tail(step(self.conv(x).relu()))

    torch.manual_seed(1)
    network = One()
    image = torch.rand(1, 3, 23, 30)
    with torch.inference_mode():
        answer = network(image)
    traced, weights = trace(network, (3, 23, 30)), NetworkWeights(network)
    rows, columns = answer.shape[2:]
    for rows_at_once in (1, 4, 1000):
        streamed = finished(run(traced, weights, image, rows=rows_at_once)).output
        assert (streamed - answer).abs().max() < LARGEST * answer.abs().max()
    region = Region(Interval(rows // 3, rows - 2), Interval(0, columns // 2))
    part = finished(run(traced, weights, image, region=region)).output
    assert (part - answer[:, :, rows // 3 : rows - 1, : columns // 2 + 1]).abs().max() < LARGEST * answer.abs().max()


@pytest.mark.parametrize("factor", [2, 4, 8, 16, 32])
def test_a_bilinear_transposed_convolution_is_bilinear_interpolation_in_the_interior(factor):
    """oracles: kernel 2f, stride f, padding f/2; the kernel sums to f squared, and at the border it fades."""
    ramp = 1 - (torch.arange(2 * factor, dtype=torch.float64) - (factor - 0.5)).abs() / factor
    layer = nn.ConvTranspose2d(1, 1, 2 * factor, factor, factor // 2, bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.outer(ramp, ramp))
    assert layer.weight.sum().item() == pytest.approx(factor**2)
    if factor == 2:
        assert ramp.tolist() == [0.25, 0.75, 0.75, 0.25]
    network, image = nn.Sequential(layer), torch.rand(1, 1, 6, 5, dtype=torch.float64)
    traced, weights = trace(network, (1, 6, 5)), NetworkWeights(network)
    off = finished(run(traced, weights, image)).output - F.interpolate(image, scale_factor=factor, mode="bilinear")
    edge = factor // 2
    assert off[:, :, edge:-edge, edge:-edge].abs().max() < 1e-14
    assert off.abs().max() > 0.05


FACTORS = (0.3, 0.55, 0.7, 0.95, 1.0, 1.02, 1.25, 1.3, 1.9, 2.0, 2.1, 3.0)


class Resized(nn.Module):
    """A map of the image resized by a factor."""

    def __init__(self, mode: str, factor: float) -> None:
        super().__init__()
        self.conv, self.tail = nn.Conv2d(1, 1, 1), nn.Identity()
        self.mode, self.factor = mode, factor

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(F.interpolate(self.conv(x), scale_factor=self.factor, mode=self.mode))


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
@pytest.mark.parametrize("factor", FACTORS)
def test_every_single_unit_of_a_map_resized_by_a_factor_is_that_of_the_whole(mode, factor):
    """torch rounds the size down and goes on with the factor: 1.3 makes 28 units of 22, each 1 / 1.3 of one below."""
    torch.manual_seed(0)
    network, image = Resized(mode, factor), torch.rand(1, 1, 22, 13)
    with torch.inference_mode():
        answer = network(image)
    traced, weights = trace(network, (1, 22, 13)), NetworkWeights(network)
    rows, columns = answer.shape[2:]
    for row in range(rows):
        column = row * columns // rows
        unit = Region(Interval(row, row), Interval(column, column))
        part = finished(run(traced, weights, image, region=unit)).output
        assert (part - answer[:, :, row : row + 1, column : column + 1]).abs().max() < 1e-5


def steps_of(generator):
    steps = []
    while True:
        try:
            steps.append(next(generator))
        except StopIteration as end:
            return steps, end.value


def test_every_layer_is_reported_and_timed():
    _, network = build("lenet5")
    image = torch.zeros(1, 1, 32, 32)
    steps, done = steps_of(run(trace(network, (1, 32, 32)), NetworkWeights(network), image))
    assert [step.done for step in steps if isinstance(step, Progress)] == list(range(1, 9))
    assert list(done.layer_seconds) == ["c1", "s2", "c3", "s4", "flatten", "c5", "f6", "output"]
    assert torch.equal(done.output, network(image))


def test_strips_come_in_order_and_fill_the_maps():
    _, network = build("mtcnn_pnet")
    traced = trace(network, (3, 60, 40))
    steps, done = steps_of(run(traced, NetworkWeights(network), torch.rand(1, 3, 60, 40), rows=4))
    strips = [step for step in steps if isinstance(step, Strip)]
    assert [strip.rows.lo for strip in strips] == list(range(0, done.output.shape[2], 4))
    assert torch.equal(torch.cat([strip.maps for strip in strips], 2), done.output)
    shares = [step.fraction for step in steps if isinstance(step, Progress)]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_layer_is_computed_and_the_rest_is_not():
    _, network = build("lenet5")
    image = torch.rand(1, 1, 32, 32)
    traced = trace(network, (1, 32, 32))
    done = finished(run(traced, NetworkWeights(network), image, traced.call("c3").output))
    assert torch.equal(done.output, network.c3(network.s2(network.c1(image).tanh())))
    assert "c5" not in done.layer_seconds


def test_closing_a_walk_leaves_torch_as_it_was():
    _, network = build("efficientnet_lite0")
    walk = run(trace(network, (3, 64, 64)), NetworkWeights(network), torch.zeros(1, 3, 64, 64))
    next(walk)
    assert not torch.is_inference_mode_enabled()
    walk.close()
    assert not torch.is_inference_mode_enabled()


def test_an_operation_that_writes_over_its_input_spoils_nobody_elses():
    """What a skip still needs must not be written over by the activation of the other path."""

    class Written(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
            self.act = nn.ReLU(inplace=False)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            return x + self.second(self.act(x)) + self.act(x)

    torch.manual_seed(2)
    network = Written()
    image = torch.rand(1, 1, 20, 20) - 0.5
    with torch.inference_mode():
        answer = network(image)
    for rows in (1, 3, 20):
        done = finished(run(trace(network, (1, 20, 20)), NetworkWeights(network), image, rows=rows))
        assert (done.output - answer).abs().max() < 1e-6


def test_memory_follows_the_strip_and_not_the_height():
    """Rows that no later strip needs are let go: what is held at the end is a few rows of each layer."""
    _, network = build("mtcnn_pnet")
    traced = trace(network, (3, 400, 30))
    held = []

    class Watched(NetworkWeights):
        def __getitem__(self, weight):
            held.append(sum(patch.tensor.numel() for index, patch in walks[0].have.items() if index))
            return super().__getitem__(weight)

    walks = []
    original = strips.Walk.__init__

    def noted(self, *args):
        original(self, *args)
        walks.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strips.Walk, "__init__", noted)
        finished(run(traced, Watched(network), torch.rand(1, 3, 400, 30), rows=2))
    everything = sum(operation.elements for operation in traced.operations[1:])
    assert max(held) < everything / 10


def test_rows_of_the_answer_are_kept_once():
    """Strips are copied into the answer as they come; joined to those before, they would be copied again and again."""
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1))
    traced = trace(network, (1, 64, 8))
    walk = strips.Walk(
        traced, NetworkWeights(network), {0: Patch(torch.rand(1, 1, 64, 8), whole(traced.geometry.nodes[0]))},
        traced.output, whole(traced.geometry.nodes[traced.output]), 4, {},
    )  # fmt: skip
    steps, count = walk.run(0, 0), 0
    for step in steps:
        if isinstance(step, Strip):
            count += 1
            assert traced.output not in walk.have
    assert count == 16


@pytest.mark.parametrize("channels", [128, 160])
def test_winograd_is_the_convolution_to_1e_5(channels):
    from segviz.engine import winograd

    torch.manual_seed(3)
    conv = nn.Conv2d(channels, 40, 3, padding=1)
    image = torch.randn(1, channels, 19, 26)
    weights = NetworkWeights(nn.Sequential(conv), fast=True)
    assert winograd.suits(conv.weight, (1, 1), (1, 1), 1)
    with torch.inference_mode():
        found = finished(run(trace(nn.Sequential(conv), (channels, 19, 26)), weights, image)).output
        answer = conv(image)
    assert 0 < (found - answer).abs().max() / answer.abs().max() < 2e-5


@pytest.mark.parametrize("inplace", [True, False])
def test_a_quick_tanh_is_tanh_to_2e_7(inplace):
    class Squashed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            return x.tanh_() if inplace else x.tanh()

    network = Squashed()
    image = torch.linspace(-20, 20, 10_000).view(1, 1, 100, 100)
    with torch.inference_mode():
        answer = network(image)
    quick = finished(run(trace(network, (1, 100, 100)), NetworkWeights(network, fast=True), image)).output
    assert 0 < (quick - answer).abs().max() < 2e-7


def test_a_large_dense_layer_is_a_product_of_matrices(monkeypatch):
    """Above a size its weight is read as it lies in the file, a block of windows at a time."""
    torch.manual_seed(4)
    conv = nn.Conv2d(3, 4, 5)
    image = torch.rand(1, 3, 21, 17)
    with torch.inference_mode():
        answer = conv(image)
    monkeypatch.setattr("segviz.engine.kernels.DENSE_WEIGHT", 10)
    monkeypatch.setattr("segviz.engine.kernels.DENSE_BLOCK", 3000)
    done = finished(run(trace(nn.Sequential(conv), (3, 21, 17)), NetworkWeights(nn.Sequential(conv)), image))
    assert (done.output - answer).abs().max() < 1e-5


def test_a_large_convolution_in_channels_last_is_a_product_of_matrices_too(monkeypatch):
    """The first dense layer of VGG16 as an FCN has it."""
    torch.manual_seed(4)
    conv = nn.Conv2d(3, 4, 5).to(memory_format=torch.channels_last)
    assert not conv.weight.is_contiguous()
    image = torch.rand(1, 3, 21, 17)
    with torch.inference_mode():
        answer = conv(image)
    monkeypatch.setattr("segviz.engine.kernels.DENSE_WEIGHT", 10)
    monkeypatch.setattr("segviz.engine.kernels.DENSE_BLOCK", 3000)
    done = finished(run(trace(nn.Sequential(conv), (3, 21, 17)), NetworkWeights(nn.Sequential(conv)), image))
    assert (done.output - answer).abs().max() < 1e-5


def test_a_skip_around_a_large_dense_layer_is_taken_along(monkeypatch):
    """All that the layer takes is then not all that the answer takes."""

    class Around(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.large, self.last = nn.Conv2d(2, 3, 3), nn.Conv2d(3, 3, 5), nn.Conv2d(3, 1, 1)

        def forward(self, x: Tensor) -> Tensor:
            below = self.first(x)
            return self.last(self.large(below) + below[:, :, 2:-2, 2:-2] + x[:, :1, 3:-3, 3:-3])

    torch.manual_seed(5)
    network, image = Around().eval(), torch.rand(1, 2, 30, 20)
    for module in ("kernels", "flow"):
        monkeypatch.setattr(f"segviz.engine.{module}.DENSE_WEIGHT", 60)
    traced = trace(network, (2, 30, 20))
    with torch.inference_mode():
        answer = network(image)
    assert (finished(run(traced, NetworkWeights(network), image)).output - answer).abs().max() < 1e-5


def test_whole_is_all_of_a_map():
    _, network = build("lenet5")
    geometry = trace(network, (1, 32, 32)).geometry
    assert whole(geometry.nodes[1]).shape == (28, 28)


def test_a_large_dense_layer_is_given_few_windows_at_once(monkeypatch):
    """A product of matrices cannot be stopped: so many multiplications, and then the walk can be closed again."""
    torch.manual_seed(5)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 6, 5))
    image = torch.rand(1, 3, 26, 18)  # 20 rows of 12 windows
    with torch.inference_mode():
        answer = network(image)
    done, taps = [], 4 * 6 * 5 * 5
    original = Convolution._as_product

    def noted(self, taken, weight, bias):
        made = original(self, taken, weight, bias)
        done.append(made.shape[2] * made.shape[3] * weight.numel())
        return made

    monkeypatch.setattr(Convolution, "_as_product", noted)
    monkeypatch.setattr("segviz.engine.kernels.DENSE_WEIGHT", taps)
    monkeypatch.setattr("segviz.engine.flow.DENSE_WEIGHT", taps)
    monkeypatch.setattr("segviz.engine.flow.MOST_LAID", 3 * 12 * taps)
    counts = [0]
    steps = run(trace(network, (3, 26, 18)), NetworkWeights(network), image)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found = end.value.output
            break
        counts.append(len(done))
    assert (found - answer).abs().max() < 1e-5
    assert sum(done) == 20 * 12 * taps
    assert max(done) == 3 * 12 * taps
    assert max(after - before for before, after in itertools.pairwise(counts)) == 1


def test_clocks_wait_for_the_device_of_the_image(monkeypatch):
    """From the first layer on, not once the last has begun: till then an accelerator would seem to take no time."""
    _, network = build("lenet5")
    waited = []
    monkeypatch.setattr("segviz.engine.devices.synchronise", waited.append)
    traced = trace(network, (1, 32, 32))
    finished(run(traced, NetworkWeights(network.to("meta")), torch.zeros(1, 1, 32, 32, device="meta")))
    assert set(waited) == {torch.device("meta")}


class Scaled(nn.Module):
    """A convolution whose weight is made of its parameter, another one for large images."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 2, 1), nn.Conv2d(2, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.second.weight
        made = weight * 3 if x.shape[2] > 12 else weight + 1
        return F.conv2d(self.first(x), made)


def test_a_walk_keeps_its_own_weights_while_another_begins():
    network, images = Scaled(), [torch.rand(1, 1, side, side) for side in (20, 8)]
    weights = NetworkWeights(network)
    traces = [trace(network, (1, *image.shape[2:])) for image in images]
    first = run(traces[0], weights, images[0], rows=3)
    next(first)
    found = [finished(run(traces[1], weights, images[1])).output, finished(first).output]
    with torch.inference_mode():
        for output, image in zip(found, reversed(images), strict=True):
            assert (output - network(image)).abs().max() < 1e-5


def test_what_is_made_of_parameters_is_laid_out_once():
    network, image = Scaled(), torch.rand(1, 1, 20, 20)
    weights, made = NetworkWeights(network), []
    traced = trace(network, (1, 20, 20))
    key = ("laid", Weight(0), (3, 3))
    for _ in range(2):
        finished(run(traced, weights, image, rows=2))
        weights.of(traced).prepared(key, lambda: made.append("again") or torch.zeros(1))
    assert made == []


def test_a_weight_that_is_read_with_two_kernels_is_laid_out_for_each():
    dense = nn.Linear(8, 3, bias=False)
    weights, image = NetworkWeights(dense), torch.rand(1, 2, 6, 6)
    patch, lone = Patch(image, Region(Interval(0, 5), Interval(0, 5))), Weight("weight")
    for rows, columns in ((2, 2), (1, 4), (4, 1)):
        windows = (Window(rows, 1, 1, 0), Window(columns, 1, 1, 0))
        wanted = Region(Interval(0, 6 - rows), Interval(0, 6 - columns))
        with torch.inference_mode():
            found = Convolution(*windows, (6, 6), lone).run([patch], wanted, weights)
            answer = F.conv2d(image, dense.weight.view(3, 2, rows, columns))
        assert (found - answer).abs().max() < 1e-6
