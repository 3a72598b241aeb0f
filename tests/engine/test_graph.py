"""Tracing: every layer found by its name, its shape, cost and field those of the papers."""

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from segviz.core import catalogue
from segviz.core.errors import SegvizError
from segviz.core.field import Status
from segviz.engine.architectures import build, skeleton
from segviz.engine.flow import NetworkWeights, finished, run
from segviz.engine.graph import WORKSPACE, describe_layers, trace
from segviz.engine.surgery import convert

# name: (size, stride, centre of unit 0), computed in the oracle table for LeNet-5
LENET = {
    "c1": (5, 1, 2),
    "s2": (6, 2, 2.5),
    "c3": (14, 2, 6.5),
    "s4": (16, 4, 7.5),
    "c5": (32, 4, 15.5),
    "output": (32, 4, 15.5),
}


def layer_table(network, shape):
    return {layer.name: layer for layer in describe_layers(trace(network, shape))}


def test_lenet5_has_the_lectures_table():
    """Lecture T01: shapes and parameters of every layer, 61,706 in total."""
    _, network = build("lenet5")
    table = layer_table(network, (1, 32, 32))
    shown = {name: (layer.output_shape, layer.parameters) for name, layer in table.items() if layer.leaf}
    assert shown == {
        "c1": ((6, 28, 28), 156),
        "s2": ((6, 14, 14), 0),
        "c3": ((16, 10, 10), 2416),
        "s4": ((16, 5, 5), 0),
        "flatten": ((400,), 0),
        "c5": ((120,), 48120),
        "f6": ((84,), 10164),
        "output": ((10,), 850),
    }
    assert sum(parameters for _, parameters in shown.values()) == 61_706


@pytest.mark.parametrize("name", LENET)
def test_lenet5_fields_are_those_computed_by_hand(name):
    _, network = build("lenet5")
    size, stride, centre = LENET[name]
    layer = layer_table(network, (1, 32, 32))[name]
    assert (layer.size, layer.stride, layer.start) == ((size, size), (stride, stride), (centre, centre))


@pytest.mark.parametrize(
    ("name", "field"), [("resnet18", 435), ("resnet34", 899), ("resnet50", 427), ("resnet101", 971)]
)
def test_torchvisions_resnets_have_the_fields_computed_by_hand(name, field):
    """oracles: of the last block, stride 32; ResNet-50 strides in the 3x3 of a block, which makes 427 and not 483."""
    models = pytest.importorskip("torchvision", reason="torchvision belongs to the extra 'test'").models
    with torch.device("meta"):
        network = models.get_model(name, weights=None)
    last = layer_table(network.eval(), (3, 1024, 1024))["layer4"]
    assert (last.size, last.stride, last.status) == ((field, field), (32, 32), "exact")


# Those of AlexNet and VGG are read from networks without weights, in tests/models/test_classics.py.
@pytest.mark.parametrize("entry", [e for e in catalogue.ENTRIES if e.trained], ids=lambda entry: entry.name)
def test_the_catalogue_says_what_the_network_is(entry):
    """Parameters of every entry; stride and largest field of its fully convolutional form."""
    _, network = build(entry.name)
    channels, height, width = entry.input_size
    assert sum(p.numel() for p in network.parameters()) == entry.parameters
    head = convert(network, entry.input_size).head
    geometry = trace(network, (channels, 2 * height, 2 * width), head).geometry
    rows, _ = geometry.grid("last")
    assert geometry.laws("last")[0].stride == entry.stride
    assert max(geometry.field("last", row, 0).box.height for row in range(rows)) == entry.receptive_field


def test_squeeze_and_excitation_makes_a_unit_depend_on_the_whole_image_without_moving_its_field():
    _, network = build("selfie_general")
    table = layer_table(network, (3, 256, 256))
    assert table["stem"].status == "exact"
    gated = table["b1.project"]
    assert gated.status == "whole image"
    assert gated.size == (7, 7)


def test_macs_are_counted_by_hand():
    class Small(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1, groups=1)
            self.depthwise = nn.Conv2d(8, 8, 3, groups=8)
            self.dense = nn.Linear(8 * 6 * 6, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.dense(self.depthwise(self.conv(x)).flatten(1))

    table = layer_table(Small(), (3, 16, 16))
    assert table["conv"].macs == 8 * 8 * 8 * 3 * 9
    assert table["depthwise"].macs == 8 * 6 * 6 * 9
    assert table["dense"].macs == 8 * 6 * 6 * 5


def test_tracing_leaves_no_trace():
    _, network = build("mtcnn_rnet")
    network.train()
    before = {name: module.training for name, module in network.named_modules()}
    weights = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    trace(network, (3, 24, 24))
    assert {name: module.training for name, module in network.named_modules()} == before
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in network.modules())
    assert all(torch.equal(tensor, weights[name]) for name, tensor in network.state_dict().items())


def test_a_size_that_does_not_fit_is_said_and_leaves_no_hooks():
    _, network = build("lenet5")
    with pytest.raises(SegvizError, match="does not run on 1x40x40"):
        trace(network, (1, 40, 40))
    assert all(not module._forward_hooks for module in network.modules())


def test_a_layer_that_is_not_there_names_some_that_are():
    _, network = build("lenet5")
    with pytest.raises(SegvizError, match=r"no layer 'c9'.*c1"):
        trace(network, (1, 32, 32)).geometry.field("c9", 0, 0)


def test_a_module_called_twice_is_two_layers():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(self.conv(x))

    layers = describe_layers(trace(Twice(), (1, 9, 9)))
    assert [(layer.name, layer.parameters, layer.size) for layer in layers] == [
        ("conv", 10, (3, 3)),
        ("conv#2", 0, (5, 5)),
    ]


class Functional(nn.Module):
    """Layers written as functions: the graph must find them all the same."""

    def __init__(self, build_steps) -> None:
        super().__init__()
        self.steps = build_steps
        self.tail = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        for step in self.steps:
            x = step(x)
        return self.tail(x)


ones = torch.ones

STEPS = {
    "conv": lambda x: F.conv2d(x, ones(1, 1, 3, 2), stride=(2, 1), padding=(1, 0)),
    "dilated": lambda x: F.conv2d(x, ones(1, 1, 2, 3), dilation=(2, 1)),
    "transposed": lambda x: F.conv_transpose2d(x, ones(1, 1, 4, 4), stride=2, padding=1),
    "transposed wide": lambda x: F.conv_transpose2d(x, ones(1, 1, 2, 2), stride=2),
    "pool": lambda x: F.avg_pool2d(x, 3, 2, ceil_mode=True),
    "pool padded": lambda x: F.avg_pool2d(x, 2, 2, padding=1),
    "nearest": lambda x: F.interpolate(x, scale_factor=2, mode="nearest"),
    "bilinear": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
    "bilinear down": lambda x: F.interpolate(x, size=(5, 7), mode="bilinear", align_corners=False),
    "bilinear corners": lambda x: F.interpolate(x, size=(9, 11), mode="bilinear", align_corners=True),
    "adaptive": lambda x: F.adaptive_avg_pool2d(x, (5, 3)),
    "crop": lambda x: x[:, :, 1:-1, 2:],
    "every second": lambda x: x[:, :, ::2, 1::2],
    "pad": lambda x: F.pad(x, (1, 2, 3, 0)),
    "crop by pad": lambda x: F.pad(x, (-1, 0, 0, -1)),
    "skip": lambda x: x + F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 3, 1),
    "concatenate": lambda x: torch.cat([x, F.conv2d(x, ones(1, 1, 5, 5), padding=2)], 1).sum(1, keepdim=True),
}


def support(network, height, width, row, column):
    """Top, bottom, left, right of the input where one output unit's gradient is not zero; None if it is nowhere."""
    image = torch.ones(1, 1, height, width, dtype=torch.float64, requires_grad=True)
    network(image)[0, 0, row, column].backward()
    seen = image.grad[0, 0] != 0
    if not seen.any():
        return None
    rows, columns = torch.nonzero(seen.any(1)).flatten(), torch.nonzero(seen.any(0)).flatten()
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


HOLES = {"every second", "bilinear down", "bilinear corners", "dilated"}  # they skip pixels, which an interval cannot
PADS = {"pad", "skip", "conv", "pool padded", "concatenate"}


@settings(max_examples=60)
@example(["crop", "transposed", "pad"], 0, 0)  # padding over pixels that the kernels would reach
@example(["skip", "pad"], 35, 0)
@example(["pad", "bilinear corners", "skip"], 0, 0)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=4), st.integers(0, 999), st.integers(0, 999))
def test_fields_equal_gradient_support(names, down, across):
    """float64, positive weights, average pooling: the support of the gradient is the field, clipped to the image."""
    height, width = 33, 38
    network = Functional([STEPS[name] for name in names])
    original = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        try:
            geometry = trace(network, (1, height, width)).geometry
        except SegvizError:
            assume(False)  # nothing is left of the maps
        rows, columns = geometry.grid("tail")
        assume(all(node.height and node.width for node in geometry.nodes))
        row, column = down % rows, across % columns
        found = geometry.field("tail", row, column)
        seen = support(network, height, width, row, column)
    finally:
        torch.set_default_dtype(original)
    box = found.box.clipped(width, height)
    empty = box.width < 1 or box.height < 1
    assert found.status is (Status.BOUND if seen is None and not empty else Status.EXACT)
    if seen is None:
        assert empty or "padding alone" in found.reason
    elif HOLES & set(names) and PADS & set(names):
        assert box.top <= seen[0] < seen[1] <= box.bottom
        assert box.left <= seen[2] < seen[3] <= box.right
    else:
        assert (box.top, box.bottom, box.left, box.right) == seen


def test_memory_counts_the_skip_that_waits():
    """A map that is added again four layers later is held all the while."""

    class Skip(nn.Module):
        def __init__(self, skips: bool) -> None:
            super().__init__()
            self.skips = skips
            self.body = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(4)))

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x) + x if self.skips else self.body(x)

    one_map = 4 * 32 * 32 * WORKSPACE
    assert trace(Skip(False), (1, 32, 32)).peak_bytes == 2 * one_map
    assert trace(Skip(True), (1, 32, 32)).peak_bytes == 3 * one_map


def test_the_summary_names_the_largest_field_where_it_depends_on_the_phase():
    """The selfie network's last layer sees 367 or 383 pixels."""
    _, network = build("selfie_general")
    assert layer_table(network, (3, 256, 256))["final"].size == (383, 383)


def test_the_largest_field_is_the_largest_along_both_axes():
    """Of a U-Net's unit the phases along rows and columns differ where its sides do: 188 pixels there, 204 here."""
    network = skeleton(catalogue.entry("unet")).eval()
    assert layer_table(network, (1, 364, 444))["output"].size == (204, 204)


def test_a_network_that_ends_in_a_function_has_its_end_as_a_layer():
    """Else the last module's units would be taken for those of the answer."""

    class Ends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, x: Tensor) -> Tensor:
            return F.max_pool2d(self.conv(x), 2)

    traced = trace(Ends(), (1, 10, 10))
    assert traced.geometry.last == "output"
    assert traced.geometry.grid("last") == (4, 4)
    assert [(layer.name, layer.parameters) for layer in describe_layers(traced)] == [("conv", 20), ("output", 0)]


class Attention(nn.Module):
    """Patches of 4 pixels that attend to one another, all of them or those of their own half of the image."""

    def __init__(self, halves: int, adds: bool) -> None:
        super().__init__()
        self.patches, self.queries, self.tail = nn.Conv2d(3, 6, 4, 4), nn.Linear(6, 18), nn.Identity()
        self.halves, self.adds = halves, adds

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x)
        rows = x.flatten(2).transpose(1, 2).reshape(self.halves, -1, 6)  # (windows, positions, channels)
        found = F.scaled_dot_product_attention(*self.queries(rows).chunk(3, -1))
        found = found.reshape(1, -1, 6).transpose(1, 2).reshape(x.shape)
        return self.tail(x + found if self.adds else found)


def test_attention_to_all_positions_reaches_the_whole_image():
    found = trace(Attention(1, False), (3, 24, 32)).geometry.field("tail", 1, 2)
    assert (found.status, found.box) == (Status.WHOLE, (0, 0, 32, 24))


def test_attention_beside_what_goes_around_it_leaves_the_field_where_it_is():
    found = trace(Attention(1, True), (3, 24, 32)).geometry.field("tail", 1, 2)
    assert (found.status, found.box) == (Status.WHOLE, (8, 4, 12, 8))


def test_attention_in_windows_is_not_said_to_reach_the_whole_image():
    found = trace(Attention(2, False), (3, 24, 32)).geometry.field("tail", 1, 2)
    assert found.status is Status.UNKNOWN


def test_a_normalisation_over_all_positions_takes_the_whole_image_from_every_unit():
    """Not as many units more as the unit is from the border."""
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.GroupNorm(2, 4))
    found = trace(network, (3, 9, 12)).geometry.field("last", 5, 7)
    assert (found.status, found.box) == (Status.WHOLE, (0, 0, 12, 9))


def test_the_largest_channel_of_a_unit_is_of_its_own_field():
    """Spatial attention (Woo et al. 2018, equation 5) is built of it."""
    geometry = trace(Functional([STEPS["conv"], lambda x: x.max(1, keepdim=True).values]), (1, 9, 12)).geometry
    found = geometry.field("tail", 2, 3)
    assert (found.status, found.box) == (Status.EXACT, (3, 3, 5, 6))


@pytest.mark.parametrize("norm", [nn.GroupNorm(2, 4), nn.InstanceNorm2d(4, affine=True)])
def test_a_normalisation_over_all_units_leaves_them_where_they_are(norm):
    """It takes every unit, and is no pooling: units of the middle of the map were all that were left."""
    geometry = trace(nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), norm), (3, 32, 32)).geometry
    assert geometry.laws("1") == geometry.laws("0")
    assert geometry.field("1", 8, 8).status is Status.WHOLE


def test_a_pooled_map_that_is_spread_again_has_the_units_where_they_were():
    """Of one unit alone the stride stays that of the map that it was made from."""

    class Spread(nn.Module):
        def __init__(self):
            super().__init__()
            self.low, self.pool, self.spread = nn.Conv2d(3, 4, 3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Upsample((8, 8))

        def forward(self, x):
            return self.spread(self.pool(self.low(x)))

    geometry = trace(Spread(), (3, 32, 32)).geometry
    assert geometry.laws("spread") == geometry.laws("low")
    assert [law.stride for law in geometry.laws("pool")] == [4, 4]


@pytest.mark.parametrize("operation", ["upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d"])
@pytest.mark.parametrize("factor", [0.4, 1.3, 2.6])
def test_a_resize_that_was_taken_apart_by_an_exporter_keeps_its_factor(operation, factor):
    """`.vec` has `scale_factors`; what exporters decompose it to has a size and one factor for each axis."""

    class Resized(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(2, 2, 1)

        def forward(self, x):
            size = [int(side * factor) for side in x.shape[2:]]
            corners = () if "nearest" in operation else (False,)
            return getattr(torch.ops.aten, operation).default(self.conv(x), size, *corners, factor, factor)

    network, image = Resized().eval(), torch.rand(1, 2, 9, 7)
    with torch.inference_mode():
        wanted = network(image)
    found = finished(run(trace(network, (2, 9, 7)), NetworkWeights(network), image)).output
    assert torch.allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize("behind", [nn.Identity, lambda: nn.Conv2d(4, 4, 1)])
def test_a_unit_that_takes_no_pixel_has_no_exact_field(behind):
    """Between the windows of a transposed convolution with a stride larger than its kernel."""
    network = nn.Sequential(nn.ConvTranspose2d(3, 4, 1, stride=2), behind()).eval()
    geometry = trace(network, (3, 16, 16)).geometry
    for layer in ("0", "last"):
        assert geometry.field(layer, 2, 4).status == "exact"
        for unit in ((1, 1), (1, 2), (2, 1)):
            assert geometry.field(layer, *unit).status == "upper bound"
